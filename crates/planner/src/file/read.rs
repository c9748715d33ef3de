//! Reading a plan: everything is checked before the first row is told.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::iter::once;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use registry::Timestamp;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::file::columns::{self, decode_error};
use crate::file::document::{self, Contents};
use crate::file::schema::check_columns;
use crate::file::{Header, PLAN_FILE, PlanId, Segment, Totals, directory};
use crate::{Damage, PlanError, Row, RowDamage};

/// How far a plan may seem to lie in the future: S3 refuses requests whose clock is further off.
const CLOCK_SKEW: Duration = Duration::from_mins(15);

/// The longest file, in bytes, that is read whole, which takes fewer calls. Several segments are read at once (G12).
const WHOLE_FILE: u64 = 16 << 20;

/// A finished plan. Whoever carries it out consumes it, so that it is carried out once.
#[derive(Debug)]
pub struct Plan {
    dir: PathBuf,
    contents: Contents,
}

impl Plan {
    /// Opens the plan in `dir`. Reads every segment once, to compare its checksum.
    ///
    /// # Errors
    /// [`PlanError::NotAPlan`] without a finished plan, [`PlanError::OtherFormat`], [`PlanError::Damaged`] where
    /// anything is not as it was written, [`PlanError::Io`].
    pub fn open(dir: &Path) -> Result<Self, PlanError> {
        let path = dir.join(PLAN_FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Err(PlanError::NotAPlan { dir: dir.to_owned() });
            }
            Err(source) => return Err(PlanError::Io { path, source }),
        };
        let contents = document::parse(&bytes, dir)?;
        directory::check_unlisted(dir, &contents.segments)?;
        contents.segments.iter().try_for_each(|segment| check_file(dir, segment))?;
        Ok(Self { dir: dir.to_owned(), contents })
    }

    /// What the plan is called by.
    #[must_use]
    pub const fn id(&self) -> PlanId {
        self.contents.id
    }

    /// What the plan says about itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.contents.header
    }

    /// What the plan deletes, by kind.
    #[must_use]
    pub const fn totals(&self) -> &Totals {
        &self.contents.totals
    }

    /// The segments in the order of sweeping: by stage, then by part. Only those that have rows.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.contents.segments
    }

    /// Whether its rows have the entity tags that the store told. None of a multipart upload has one.
    #[must_use]
    pub const fn has_etags(&self) -> bool {
        self.contents.has_etags
    }

    /// The plan's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The rows of a segment, by shard and then in the order in which they were added. Holds one row group in memory,
    /// and up to 16 MiB of the file.
    ///
    /// # Errors
    /// [`PlanError::Damaged`] where the file is no segment, is another one than when the plan was opened, or has another
    /// number of rows than the plan says; [`PlanError::Io`].
    pub fn rows(&self, segment: &Segment) -> Result<Rows, PlanError> {
        rows_of(&self.dir, segment)
    }

    /// The rows of all segments, in the order of sweeping.
    ///
    /// # Errors
    /// As [`Plan::rows`], each in its place.
    pub fn all_rows(&self) -> impl Iterator<Item = Result<Row, PlanError>> + use<> {
        rows_of_all(self.dir.clone(), self.contents.segments.clone())
    }

    /// Refuses a plan made longer than `max_age` before `now`, the store's time.
    ///
    /// # Errors
    /// [`PlanError::Stale`]; [`PlanError::FromTheFuture`] where it is not made yet.
    pub fn check_fresh(&self, now: Timestamp, max_age: Duration) -> Result<(), PlanError> {
        let made = self.header().t0;
        if made > now.after(CLOCK_SKEW) {
            return Err(PlanError::FromTheFuture { made, now });
        }
        let age = now.since(made);
        if age > max_age { Err(PlanError::Stale { age, max: max_age }) } else { Ok(()) }
    }

    /// Refuses a plan that was made for another registry than the one with this identity.
    ///
    /// # Errors
    /// [`PlanError::OtherLocation`].
    pub fn check_location(&self, identity: &str) -> Result<(), PlanError> {
        let plan = &self.header().location.identity;
        if plan == identity {
            return Ok(());
        }
        Err(PlanError::OtherLocation { plan: plan.clone(), given: identity.to_owned() })
    }
}

/// The rows of segments of a plan in `dir`, one after the other.
pub(crate) fn rows_of_all(
    dir: PathBuf,
    segments: Vec<Segment>,
) -> impl Iterator<Item = Result<Row, PlanError>> {
    segments.into_iter().flat_map(move |segment| -> Box<dyn Iterator<Item = _>> {
        match rows_of(&dir, &segment) {
            Ok(rows) => Box::new(rows),
            Err(error) => Box::new(once(Err(error))),
        }
    })
}

/// The rows of a segment of a plan in `dir`.
fn rows_of(dir: &Path, segment: &Segment) -> Result<Rows, PlanError> {
    let path = segment.path(dir);
    let groups = if segment.file_bytes <= WHOLE_FILE {
        let bytes = fs::read(&path).map_err(PlanError::io(&path))?;
        check_content(&path, segment, bytes.len() as u64, xxh3_64(&bytes))?;
        Groups::new(path, Bytes::from(bytes))?
    } else {
        let file = File::open(&path).map_err(PlanError::io(&path))?;
        Groups::new(path, file)?
    };
    Rows::new(groups, segment.clone())
}

fn check_file(dir: &Path, segment: &Segment) -> Result<(), PlanError> {
    let path = segment.path(dir);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(PlanError::damaged(&path, Damage::Missing));
        }
        Err(source) => return Err(PlanError::Io { path, source }),
    };
    let (length, xxh3) = hash(&mut file).map_err(PlanError::io(&path))?;
    check_content(&path, segment, length, xxh3)
}

fn check_content(path: &Path, segment: &Segment, found: u64, xxh3: u64) -> Result<(), PlanError> {
    let expected = segment.file_bytes;
    if found != expected {
        return Err(PlanError::damaged(path, Damage::Length { expected, found }));
    }
    if xxh3 == segment.xxh3 { Ok(()) } else { Err(PlanError::damaged(path, Damage::Checksum)) }
}

/// Length and XXH3-64 of what `file` holds.
fn hash(file: &mut File) -> std::io::Result<(u64, u64)> {
    let (mut hasher, mut length) = (Xxh3::new(), 0);
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((length, hasher.digest())),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                length += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The rows of one segment. Ends after the first error.
pub struct Rows {
    segment: Segment,
    groups: Groups,
    group: std::vec::IntoIter<Row>,
    seen: u64,
    seen_bytes: u64,
    is_done: bool,
}

impl Rows {
    fn new(groups: Groups, segment: Segment) -> Result<Self, PlanError> {
        let found = groups.rows();
        if found != segment.rows {
            let damage = Damage::Rows { expected: segment.rows, found };
            return Err(PlanError::damaged(&groups.path, damage));
        }
        let group = Vec::new().into_iter();
        Ok(Self { segment, groups, group, seen: 0, seen_bytes: 0, is_done: false })
    }

    fn advance(&mut self) -> Result<Option<Row>, PlanError> {
        loop {
            if let Some(row) = self.group.next() {
                return self.tell(row).map(Some);
            }
            match self.groups.next_group()? {
                Some(group) => self.group = group.into_iter(),
                None => return self.check_end().map(|()| None),
            }
        }
    }

    fn tell(&mut self, row: Row) -> Result<Row, PlanError> {
        let Segment { stage, part, .. } = self.segment;
        if row.kind.stage() != stage || !part.holds(row.shard()) {
            let damage = Damage::Row { row: self.seen, what: RowDamage::Segment };
            return Err(PlanError::damaged(&self.groups.path, damage));
        }
        self.seen += 1;
        self.seen_bytes = self.seen_bytes.saturating_add(row.bytes);
        Ok(row)
    }

    /// G10: a segment holds what the plan says, no more and no less.
    fn check_end(&self) -> Result<(), PlanError> {
        let damaged = |damage| Err(PlanError::damaged(&self.groups.path, damage));
        let Segment { rows, bytes, .. } = self.segment;
        if self.seen != rows {
            return damaged(Damage::Rows { expected: rows, found: self.seen });
        }
        if self.seen_bytes != bytes {
            return damaged(Damage::Bytes { expected: bytes, found: self.seen_bytes });
        }
        Ok(())
    }
}

impl Iterator for Rows {
    type Item = Result<Row, PlanError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let next = self.advance().transpose();
        self.is_done = !matches!(next, Some(Ok(_)));
        next
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("segment", &self.segment).finish_non_exhaustive()
    }
}

/// The row groups of a file, one after the other.
struct Groups {
    path: PathBuf,
    reader: Box<dyn FileReader>,
    next: usize,
    told: u64,
}

impl Groups {
    fn new(path: PathBuf, source: impl ChunkReader + 'static) -> Result<Self, PlanError> {
        let reader = SerializedFileReader::new(source).map_err(decode_error(&path))?;
        let schema = reader.metadata().file_metadata().schema_descr();
        if !check_columns(schema).map_err(decode_error(&path))? {
            return Err(PlanError::damaged(&path, Damage::Columns));
        }
        Ok(Self { path, reader: Box::new(reader), next: 0, told: 0 })
    }

    /// Rows by the footer.
    fn rows(&self) -> u64 {
        let groups = self.reader.metadata().row_groups().iter();
        groups
            .map(|group| u64::try_from(group.num_rows()).unwrap_or(0))
            .fold(0, u64::saturating_add)
    }

    fn next_group(&mut self) -> Result<Option<Vec<Row>>, PlanError> {
        if self.next == self.reader.num_row_groups() {
            return Ok(None);
        }
        let group = self.reader.get_row_group(self.next).map_err(decode_error(&self.path))?;
        let rows = columns::read_group(&self.path, &*group, self.told)?;
        self.next += 1;
        self.told += rows.len() as u64;
        Ok(Some(rows))
    }
}

/// Reads the bytes of a segment, all at once.
///
/// Only bytes whose XXH3-64 is `xxh3` are decoded: the Parquet decoder is not made for hostile input, it may panic.
///
/// # Errors
/// [`PlanError::Damaged`] where they have another checksum, or are no segment.
pub fn parse_segment(bytes: &[u8], xxh3: u64) -> Result<Vec<Row>, PlanError> {
    let path = PathBuf::new();
    if xxh3_64(bytes) != xxh3 {
        return Err(PlanError::damaged(&path, Damage::Checksum));
    }
    let mut groups = Groups::new(path, Bytes::copy_from_slice(bytes))?;
    let mut rows = Vec::new();
    while let Some(group) = groups.next_group()? {
        rows.extend(group);
    }
    Ok(rows)
}
