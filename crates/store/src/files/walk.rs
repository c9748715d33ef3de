//! The walk: a stack of sorted folders, from which a listing goes on where it stopped.

use std::ops::Range;
use std::sync::Arc;

use monitor::Counter;
use registry::Timestamp;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::Stat;
use rustix::io::Errno;

use super::folder::{self, Kind, Listing};
use super::shape::{Leaf, Nest, Passage, Shape};
use super::trouble::{Oddity, system};
use super::{Tree, path};
use crate::key::PageText;
use crate::{Key, Listed, Object, Operation, StoreError};

/// Fits the keys of a thousand entries named by digests.
const PAGE: usize = 192 * 1024;

/// A listing under way.
pub(super) struct Walk {
    tree: Arc<Tree>,
    /// Only keys after this.
    after: Box<str>,
    /// No key after this.
    until: Option<Box<str>>,
    /// The key of the folder on top of the stack, and of the entry that is looked at.
    key: String,
    /// The folders from the outermost to the one that is being listed. Never deeper than the tree.
    stack: Vec<Frame>,
    /// The entries since the last were handed out.
    found: Vec<Entry>,
    /// Their keys.
    page: PageText,
    /// What the system writes a folder's entries into.
    buffer: Vec<u8>,
    /// Listings that are done with: their memory serves the next folders.
    spare: Vec<Listing>,
}

struct Frame {
    folder: OwnedFd,
    key_length: usize,
    listing: Listing,
    /// The entries that are still to come.
    rest: Range<usize>,
    /// What each folder in this one holds, where the layout says so.
    shape: Option<Shape>,
    /// Whether every key in it is asked for: neither the beginning nor the end of the listing lies inside.
    is_whole: bool,
}

/// An entry that was found.
struct Entry {
    /// Where its key stands in the text of the page.
    place: Range<usize>,
    what: What,
}

/// How far a folder was listed without being opened itself.
enum Passed {
    /// All of it is this entry, or what comes after this entry is in a folder that was entered.
    Entry(Entry),
    /// All of it is in a folder that was entered.
    Entered,
    /// Nothing is known of it.
    Not,
}

/// What is known of an entry.
enum What {
    Looked { size: u64, modified: Timestamp },
    Presumed,
    Closed,
}

impl Entry {
    fn on(self, page: &Arc<String>) -> Listed {
        let key = Key::new(page, self.place);
        match self.what {
            What::Looked { size, modified } => {
                Listed::Object(Object { key, size, modified, etag: None })
            }
            What::Presumed => Listed::Presumed(key),
            What::Closed => Listed::Closed(key),
        }
    }
}

impl Walk {
    /// Goes directly to the folder that holds all keys that start with `within`.
    pub(super) fn start(
        tree: Arc<Tree>,
        within: &str,
        after: &str,
        until: Option<Box<str>>,
    ) -> Result<Self, StoreError> {
        let (folder_key, name_start) = path::split(within);
        path::check_folder(Operation::List, folder_key)?;
        let key = folder_key.to_owned();
        let mut walk = Self {
            tree,
            after: after.into(),
            until,
            key,
            stack: Vec::new(),
            found: Vec::new(),
            page: PageText::with_capacity(PAGE),
            buffer: folder::buffer(),
            spare: Vec::new(),
        };
        if let Some(folder) = walk.tree.open_folder(Operation::List, folder_key)? {
            walk.enter(folder)?;
        }
        if let Some(frame) = walk.stack.last_mut() {
            let named = frame.listing.starting_with(name_start);
            frame.rest = frame.rest.start.max(named.start)..frame.rest.end.min(named.end);
        }
        Ok(walk)
    }

    /// Puts the folder `self.key` on the stack.
    fn enter(&mut self, folder: OwnedFd) -> Result<(), StoreError> {
        self.tree.monitor.count(Counter::ListRequests, 1);
        let mut listing = self.spare.pop().unwrap_or_default();
        listing.read(&folder, &self.key, &mut self.buffer)?;
        let first = match self.after.strip_prefix(&*self.key) {
            Some(after) => listing.first_after(after),
            None if *self.after < *self.key => 0,
            None => usize::MAX, // everything in this folder comes before `after`
        };
        let ends_inside = |until: &str| until.starts_with(&*self.key);
        let is_whole = !self.after.starts_with(&*self.key)
            && *self.after < *self.key
            && !self.until.as_deref().is_some_and(|until| *until < *self.key || ends_inside(until));
        let shape = (self.tree.shape_of)(&self.key);
        let rest = first..listing.len();
        self.stack.push(Frame {
            folder,
            key_length: self.key.len(),
            listing,
            rest,
            shape,
            is_whole,
        });
        Ok(())
    }

    /// The next entries, at most `limit`; fewer only at the end.
    pub(super) fn next(&mut self, limit: usize) -> Result<Vec<Listed>, StoreError> {
        self.found.reserve(limit);
        while self.found.len() < limit {
            let Some(frame) = self.stack.last_mut() else { break };
            self.key.truncate(frame.key_length);
            let Some((name, kind)) = frame.rest.next().and_then(|at| frame.listing.get(at)) else {
                self.spare.extend(self.stack.pop().map(|frame| frame.listing));
                continue;
            };
            self.key.push_str(name);
            if !frame.is_whole && self.is_past_the_end() {
                self.stack.clear();
                break;
            }
            let found = match kind {
                Some(Kind::File) => self.file()?,
                Some(Kind::Folder) => self.folder()?,
                Some(Kind::Symlink) => return Err(Oddity::Symlink.at(Operation::List, &self.key)),
                Some(Kind::Special) => return Err(Oddity::Special.at(Operation::List, &self.key)),
                None => return Err(Oddity::Name.at(Operation::List, &self.key)),
            };
            self.found.extend(found);
        }
        let page = self.page.take();
        Ok(self.found.drain(..).map(|entry| entry.on(&page)).collect())
    }

    /// Whether every key from here on comes after the last that is asked for.
    fn is_past_the_end(&self) -> bool {
        self.until.as_ref().is_some_and(|until| **until < *self.key)
    }

    /// Looks at the file `self.key`.
    fn file(&mut self) -> Result<Option<Entry>, StoreError> {
        match self.look()? {
            None => Ok(None),
            Some(stat) if Kind::of_stat(&stat) == Kind::File => Ok(Some(self.looked(&stat))),
            Some(_) => Err(Oddity::Changed.at(Operation::List, &self.key)),
        }
    }

    /// Lists the folder `self.key` as far as its shape tells, or enters it.
    fn folder(&mut self) -> Result<Option<Entry>, StoreError> {
        let folder_length = self.key.len();
        let is_whole = self.stack.last().is_some_and(|frame| frame.is_whole);
        let passed = match self.stack.last().and_then(|frame| frame.shape) {
            Some(Shape::Leaf(leaf)) => self.leaf(leaf)?,
            Some(Shape::Nest(nest)) => self.nest(nest)?,
            None => self.pass()?,
        };
        match passed {
            Passed::Entry(entry) => {
                let is_asked = is_whole || *self.page.at(&entry.place) > *self.after;
                Ok(is_asked.then_some(entry))
            }
            Passed::Entered => Ok(None),
            Passed::Not => {
                // Not what the layout says: look at everything that is there.
                self.key.truncate(folder_length);
                self.open()
            }
        }
    }

    /// Passes the folder `self.key` as far as that is possible without opening it.
    fn pass(&mut self) -> Result<Passed, StoreError> {
        Ok(match (self.tree.passage_of)(&self.key) {
            Passage::Open => Passed::Not,
            Passage::Closed => Passed::Entry(self.note(What::Closed)),
            Passage::Through(name) => self.through(name)?,
        })
    }

    /// Enters the only folder of the folder `self.key`.
    fn through(&mut self, name: &str) -> Result<Passed, StoreError> {
        if !self.holds_folders(1) {
            return Ok(Passed::Not);
        }
        self.key.push_str(name);
        Ok(if self.enter_at_once()? { Passed::Entered } else { Passed::Not })
    }

    /// The only file of the folder `self.key`, where it is there or may be presumed.
    fn leaf(&mut self, leaf: Leaf) -> Result<Passed, StoreError> {
        self.key.push_str(leaf.file);
        if leaf.is_presumed {
            return Ok(Passed::Entry(self.note(What::Presumed)));
        }
        let stat = self.look()?.filter(|stat| Kind::of_stat(stat) == Kind::File);
        Ok(stat.map_or(Passed::Not, |stat| Passed::Entry(self.looked(&stat))))
    }

    /// The file of the nest `self.key`, whose folder is entered: every key in it comes after the file.
    fn nest(&mut self, nest: Nest) -> Result<Passed, StoreError> {
        let outermost = self.key.len();
        for (path, count) in nest.counts {
            self.key.push_str(path);
            let is_so = self.holds_folders(*count);
            self.key.truncate(outermost);
            if !is_so {
                return Ok(Passed::Not);
            }
        }
        self.key.push_str(nest.file);
        let file = self.note(What::Presumed);
        self.key.truncate(outermost);
        self.key.push_str(nest.folder);
        Ok(if self.enter_at_once()? { Passed::Entry(file) } else { Passed::Not })
    }

    /// Enters the folder `self.key`, which may lie deep in the one on top of the stack. Whether that was possible.
    fn enter_at_once(&mut self) -> Result<bool, StoreError> {
        let Some(frame) = self.stack.last() else { return Ok(false) };
        let path = &self.key[frame.key_length..];
        let Some(folder) = folder::open_at_once(&frame.folder, path, super::FOLDER) else {
            return Ok(false);
        };
        self.enter(folder)?;
        Ok(true)
    }

    /// The entry `self.key`; its key is written into the text of the page.
    fn note(&mut self, what: What) -> Entry {
        Entry { place: self.page.push(&self.key), what }
    }

    fn looked(&mut self, stat: &Stat) -> Entry {
        self.note(What::Looked { size: folder::size(stat), modified: folder::modified(stat) })
    }

    /// Whether the system says that the folder `self.key` holds exactly so many folders.
    fn holds_folders(&self, count: u64) -> bool {
        let Some(frame) = self.stack.last() else { return false };
        let path = &self.key.as_bytes()[frame.key_length..self.key.len() - 1];
        folder::look(frame.folder.as_fd(), path)
            .is_ok_and(|stat| self.tree.folder_count.is(&stat, count))
    }

    /// Enters the folder `self.key`.
    fn open(&mut self) -> Result<Option<Entry>, StoreError> {
        let Some(frame) = self.stack.last() else { return Ok(None) };
        let name = &self.key.as_bytes()[frame.key_length..self.key.len() - 1];
        if let Some(folder) = folder::open(Operation::List, frame.folder.as_fd(), name, &self.key)?
        {
            self.enter(folder)?;
            return Ok(None);
        }
        // Gone is normal: uploads end. A file in its place would have another place in the order.
        self.key.pop();
        match self.look()? {
            None => Ok(None),
            Some(_) => Err(Oddity::Changed.at(Operation::List, &self.key)),
        }
    }

    /// Looks at `self.key` from the folder on top of the stack; `None` where it is not there.
    fn look(&self) -> Result<Option<Stat>, StoreError> {
        let Some(frame) = self.stack.last() else { return Ok(None) };
        let path = &self.key.as_bytes()[frame.key_length..];
        match folder::look(frame.folder.as_fd(), path) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(system(Operation::List, &self.key, errno)),
        }
    }
}
