//! A registry that is computed, not held: 10^8 objects and more, in byte order, from their places in that order.
//!
//! All blobs come first, then all links, as `blobs/` comes before `repositories/`. The place of an object in the listing
//! is its *ordinal*: everything is a function from ordinals to rows, and a search over them finds where a key lies.

mod fillers;
mod images;
mod repository;
mod row;
mod shape;

use std::time::Duration;

use registry::{Layout, Timestamp};

use self::images::{Images, Recipe};
use self::repository::{Repository, push_name};
pub(crate) use self::row::Row;
pub use self::shape::Shape;
use crate::bitmap::Bitmap;
use crate::hex;
use crate::mix::{below, mix};
use crate::object::{Content, Object};
use crate::storage_class::StorageClass;

const DAY: u64 = 24 * 60 * 60;

/// A registry that is computed.
#[derive(Debug)]
pub(crate) struct Procedural {
    recipe: Recipe,
    images: Images,
    /// `docker/registry/v2/blobs/sha256/`.
    blobs: Vec<u8>,
    /// `docker/registry/v2/repositories/`.
    repositories: Vec<u8>,
    now: Timestamp,
}

/// What the last row found out that the next can use.
#[derive(Debug, Default)]
struct Memory {
    repository: Option<Repository>,
    /// The ordinal of the last blob, and how many manifests lie before it.
    last: Option<(u64, usize)>,
}

impl Procedural {
    /// The registry of a shape that is possible, as old at `now` as it says.
    pub(crate) fn new(shape: Shape, now: Timestamp) -> Self {
        let layout = Layout::new("");
        let recipe = Recipe::new(shape);
        Self {
            images: Images::make(&recipe),
            recipe,
            blobs: format!("{}sha256/", layout.blobs()).into_bytes(),
            repositories: layout.repositories().into_bytes(),
            now,
        }
    }

    /// How many objects there are.
    pub(crate) fn len(&self) -> u64 {
        self.recipe.shape.objects()
    }

    fn blob_count(&self) -> u64 {
        self.recipe.shape.blobs + self.recipe.shape.manifests()
    }

    /// The ordinal of a key.
    pub(crate) fn find(&self, key: &str) -> Option<u64> {
        if let Some(rest) = key.as_bytes().strip_prefix(&*self.blobs) {
            return self.find_blob(rest);
        }
        let ordinal = self.rank(key);
        let mut row = Row::new();
        (ordinal < self.len()).then(|| self.write(&mut row, &mut Memory::default(), ordinal))?;
        (row.key == key.as_bytes()).then_some(ordinal)
    }

    /// The ordinal of a blob, by what follows `sha256/` in its key.
    fn find_blob(&self, rest: &[u8]) -> Option<u64> {
        let hex = rest.get(3..)?.strip_suffix(b"/data")?;
        let digest = hex::parse_digest(hex)?;
        let is_in_its_folder = rest[..2] == hex[..2] && rest[2] == b'/';
        let filler = || Some(self.images.place_of_filler(self.recipe.fillers.index(&digest)?));
        is_in_its_folder.then(|| filler().or_else(|| self.images.place_of(&digest)))?
    }

    /// The ordinal of the first object whose key is not less than `key`.
    pub(crate) fn rank(&self, key: &str) -> u64 {
        let key = key.as_bytes();
        let (mut row, mut memory) = (Row::new(), Memory::default());
        let mut is_less = |ordinal| {
            self.write(&mut row, &mut memory, ordinal);
            row.key.as_slice() < key
        };
        if key < self.repositories.as_slice() {
            return first(0, self.blob_count(), is_less);
        }
        // The last repository that does not begin after the key is the only one to look into.
        let begins_before = |number: u64| {
            let mut name = self.repositories.clone();
            push_name(&mut name, number);
            name.as_slice() <= key
        };
        let links = self.recipe.shape.links_per_repository();
        let next = first(0, self.recipe.shape.repositories.into(), begins_before);
        let begin = self.blob_count() + next.saturating_sub(1) * links;
        first(begin, self.blob_count() + next * links, &mut is_less)
    }

    /// The object at an ordinal.
    pub(crate) fn object(&self, ordinal: u64) -> Object {
        let mut row = Row::new();
        self.write(&mut row, &mut Memory::default(), ordinal);
        let rank = self.images.before(ordinal);
        let content = match () {
            () if ordinal >= self.blob_count() => Content::Held(row.text.into()),
            () if self.images.place(rank) == Some(ordinal) => {
                Content::Held(self.recipe.manifest(self.images.image(rank)).into())
            }
            () => Content::Zeros(row.size),
        };
        let etag = String::from_utf8_lossy(&row.etag).into_owned();
        Object { content, etag, modified: row.modified, class: StorageClass::default() }
    }

    fn write(&self, row: &mut Row, memory: &mut Memory, ordinal: u64) {
        row.key.clear();
        row.modified = self.modified(ordinal);
        match ordinal.checked_sub(self.blob_count()) {
            None => self.write_blob(row, memory, ordinal),
            Some(link) => self.write_link(row, memory, link),
        }
    }

    fn write_blob(&self, row: &mut Row, memory: &mut Memory, ordinal: u64) {
        let rank = match memory.last {
            Some((last, rank)) if last == ordinal => rank,
            Some((last, rank)) if last + 1 == ordinal => {
                rank + usize::from(self.images.place(rank) == Some(last))
            }
            _ => self.images.before(ordinal),
        };
        memory.last = Some((ordinal, rank));
        let (digest, size) = if self.images.place(rank) == Some(ordinal) {
            let held = self.images.held(self.images.image(rank));
            (held.digest, held.size.into())
        } else {
            let index = ordinal - rank as u64;
            (self.recipe.fillers.digest(index), self.recipe.fillers.size(index))
        };
        row.key.extend_from_slice(&self.blobs);
        hex::push_folder(&mut row.key, &digest);
        row.key.push(b'/');
        hex::push(&mut row.key, &digest);
        row.key.extend_from_slice(b"/data");
        row.size = size;
        // Entity tags of blobs mean nothing: large ones were put in parts.
        let words = [mix(ordinal ^ size), mix(ordinal.wrapping_add(size))].map(u64::to_be_bytes);
        row.etag = hex::etag(words.as_flattened().first_chunk().unwrap_or(&[0; 16]));
    }

    fn write_link(&self, row: &mut Row, memory: &mut Memory, link: u64) {
        let links = self.recipe.shape.links_per_repository();
        let number = link / links;
        row.key.extend_from_slice(&self.repositories);
        let repository = match memory.repository.take() {
            Some(last) if last.number() == number => last,
            _ => Repository::new(number, &self.recipe, &self.images),
        };
        repository.write(row, link % links, &self.recipe, &self.images);
        memory.repository = Some(repository);
    }

    /// Blobs are 90 to 120 days old, links 60 to 90.
    fn modified(&self, ordinal: u64) -> Timestamp {
        let days = if ordinal < self.blob_count() { 90 } else { 60 };
        self.now.before(Duration::from_secs(days * DAY + below(ordinal, 30 * DAY)))
    }
}

/// The first number from `low` on, up to `high`, that is not less.
fn first(mut low: u64, mut high: u64, mut is_less: impl FnMut(u64) -> bool) -> u64 {
    while low < high {
        let middle = low.midpoint(high);
        if is_less(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Walks over the objects that are not gone.
#[derive(Debug)]
pub(crate) struct Cursor<'p> {
    procedural: &'p Procedural,
    gone: &'p Bitmap,
    ordinal: u64,
    /// Where it ends.
    end: u64,
    row: Row,
    memory: Memory,
}

impl<'p> Cursor<'p> {
    /// Starts at the first object whose key is not less than `key`, and ends before `end`, or never.
    pub(crate) fn new(
        procedural: &'p Procedural,
        gone: &'p Bitmap,
        key: &str,
        end: Option<&str>,
    ) -> Self {
        let (row, memory) = (Row::new(), Memory::default());
        let end = end.map_or(procedural.len(), |end| procedural.rank(end));
        let mut cursor = Self { procedural, gone, ordinal: 0, end, row, memory };
        cursor.stand_on(procedural.rank(key));
        cursor
    }

    /// Where it stands; `None` behind the end.
    pub(crate) fn row(&self) -> Option<&Row> {
        (self.ordinal < self.end).then_some(&self.row)
    }

    pub(crate) fn advance(&mut self) {
        self.stand_on(self.ordinal + 1);
    }

    fn stand_on(&mut self, ordinal: u64) {
        self.ordinal = self.gone.next_absent(ordinal);
        if self.ordinal < self.end {
            self.procedural.write(&mut self.row, &mut self.memory, self.ordinal);
        }
    }
}

#[cfg(test)]
mod tests;
