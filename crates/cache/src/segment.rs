//! Segments: immutable files of records, looked up by one read.
//!
//! ```text
//! header: magic (8), format (4), reading (4), version of the program (16)
//! blocks: records in order, about 1 KiB each
//! index:  for each block the first bytes of its first digest (8), its position (8)
//! filter: words (8 each)
//! end:    position of the index (8), blocks (8), words (8), checksum (8), magic (8)
//! ```
//! Numbers are little-endian. The checksum covers header, index, filter, and the end before it; each record has its own.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use registry::{Digest, MANIFEST_READING, Manifest};
use rustix::fs::{Advice, fadvise};
use xxhash_rust::xxh3::Xxh3Default;

use crate::directory::require_own;
use crate::filter::Filter;
use crate::record::{Record, key_of, place_of};
use crate::{CacheError, Damage};

pub(crate) const HEADER: usize = 32;
pub(crate) const END: usize = 40;
pub(crate) const END_MAGIC: &[u8; 8] = b"ends.RSC";
const MAGIC: &[u8; 8] = b"regsweep";
/// Grows with every change of what is written here.
const FORMAT: u32 = 1;
/// A block of the index.
const INDEXED: usize = 16;
/// A segment with so many bytes of blocks at most, some 20,000 manifests, is held in memory once a part of it is wanted:
/// one read takes less than thousands.
const HELD: u64 = 8 << 20;

/// How a segment of this version of the program begins. What another version understood is not believed (G4).
#[must_use]
pub fn segment_header() -> [u8; 32] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    header[12..16].copy_from_slice(&MANIFEST_READING.to_le_bytes());
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let length = version.len().min(HEADER - 16);
    header[16..16 + length].copy_from_slice(&version[..length]);
    header
}

/// Reads the bytes of a whole segment; never panics, whatever they are.
///
/// # Errors
/// [`Damage`] where anything in them is not as it was written.
pub fn parse_segment(bytes: &[u8]) -> Result<Vec<(Digest, Manifest)>, Damage> {
    // Bytes in memory fail for no other reason than that there are too few.
    let damage = |broken: Broken| broken.damage().unwrap_or(Damage::Size);
    let segment = Segment::read(bytes).map_err(damage)?;
    let (mut found, mut before) = (Vec::new(), None);
    for block in 0..segment.blocks() {
        let bytes = segment.block(block).map_err(damage)?;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (record, after) = Record::cut(rest)?;
            let place = place_of(&record.digest);
            if before.replace(place).is_some_and(|before| before >= place) {
                return Err(Damage::Order);
            }
            found.push((record.digest, record.manifest()?));
            rest = after;
        }
    }
    Ok(found)
}

/// Bytes that can be read at any position.
pub(crate) trait Source {
    fn size(&self) -> io::Result<u64>;

    fn read_at(&self, bytes: &mut [u8], position: u64) -> io::Result<()>;

    /// Says that most of it will be read, piece by piece.
    fn will_be_read(&self) {}
}

impl Source for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, bytes: &mut [u8], position: u64) -> io::Result<()> {
        self.read_exact_at(bytes, position)
    }

    fn will_be_read(&self) {
        if let Err(error) = fadvise(self, 0, None, Advice::WillNeed) {
            tracing::debug!(%error, "a cached segment is not read ahead");
        }
    }
}

impl Source for &[u8] {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], position: u64) -> io::Result<()> {
        let from = usize::try_from(position).ok().and_then(|at| self.get(at..));
        let found = from.and_then(|from| from.get(..bytes.len()));
        bytes.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Why a segment could not be read.
#[derive(Debug)]
pub(crate) enum Broken {
    Io(io::Error),
    Damage(Damage),
}

impl Broken {
    pub(crate) fn at(self, path: &Path) -> CacheError {
        match self {
            Self::Io(source) => CacheError::io("read", path)(source),
            Self::Damage(damage) => CacheError::Damaged { path: path.to_owned(), damage },
        }
    }

    const fn damage(&self) -> Option<Damage> {
        match self {
            Self::Io(_) => None,
            Self::Damage(damage) => Some(*damage),
        }
    }
}

impl From<io::Error> for Broken {
    /// Where a file ends too early, it was cut off.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damage(Damage::Size),
            _ => Self::Io(error),
        }
    }
}

impl From<Damage> for Broken {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

#[derive(Clone, Copy, Debug)]
struct Block {
    /// The first bytes of its first digest.
    key: u64,
    position: u64,
}

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment<S = File> {
    source: S,
    index: Vec<Block>,
    /// Where the last block ends.
    end: u64,
    filter: Filter,
    /// How many blocks were read so far.
    looks: AtomicU64,
    /// Everything before the index, where it is held in memory.
    held: OnceLock<Vec<u8>>,
}

/// A segment and where it lies.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    pub(crate) path: PathBuf,
    pub(crate) segment: Segment,
}

impl SegmentFile {
    /// # Errors
    /// [`CacheError`] where it cannot be read, or is none.
    pub(crate) fn open(path: PathBuf) -> Result<Self, CacheError> {
        let file = File::open(&path).map_err(CacheError::io("open", &path))?;
        require_own(&file.metadata().map_err(CacheError::io("look at", &path))?, &path)?;
        let segment = Segment::read(file).map_err(|broken| broken.at(&path))?;
        Ok(Self { path, segment })
    }

    /// # Errors
    /// As [`Segment::get`].
    pub(crate) fn get(&self, digest: &Digest) -> Result<Option<Manifest>, CacheError> {
        self.segment.get(digest).map_err(|broken| broken.at(&self.path))
    }
}

impl<S: Source> Segment<S> {
    pub(crate) fn read(source: S) -> Result<Self, Broken> {
        let size = source.size()?;
        let end_at = size.checked_sub((HEADER + END) as u64).ok_or(Damage::Size)? + HEADER as u64;
        let (mut header, mut end) = ([0; HEADER], [0; END]);
        source.read_at(&mut header, 0)?;
        source.read_at(&mut end, end_at)?;
        if header != segment_header() {
            return Err(Damage::Header.into());
        }
        let [index_at, blocks, words, checksum] = numbers(&end);
        if !end.ends_with(END_MAGIC) || !fits(index_at, blocks, words, end_at) {
            return Err(Damage::Size.into());
        }
        // Both fit into the file, so they fit into memory as well as its size does.
        let mut index = vec![0; length(end_at - index_at)?];
        source.read_at(&mut index, index_at)?;
        if checksum_of(&header, &index, &end[..END - 16]) != checksum {
            return Err(Damage::Checksum.into());
        }
        let (blocks, words) = index.split_at(length(blocks)? * INDEXED);
        let index = blocks_of(blocks, index_at)?;
        let filter = Filter::from_words(numbers_of(words).collect());
        let (looks, held) = (AtomicU64::new(0), OnceLock::new());
        Ok(Self { source, index, end: index_at, filter, looks, held })
    }

    /// Has the processor fetch, all at once, where records would begin that are held in memory.
    pub(crate) fn fetch(&self, digests: &[Digest]) {
        let Some(held) = self.held.get() else { return };
        for block in digests.iter().filter_map(|digest| self.block_of(digest)) {
            let start = usize::try_from(self.index[block].position).ok();
            std::hint::black_box(start.and_then(|start| held.get(start)).copied());
        }
    }

    /// The block that would hold a digest.
    fn block_of(&self, digest: &Digest) -> Option<usize> {
        let key = key_of(digest);
        self.index.partition_point(|block| block.key <= key).checked_sub(1)
    }

    /// What is remembered of a manifest.
    ///
    /// # Errors
    /// Where the block that would hold it cannot be read, or is damaged.
    pub(crate) fn get(&self, digest: &Digest) -> Result<Option<Manifest>, Broken> {
        if !self.filter.may_hold(digest) {
            return Ok(None);
        }
        let Some(block) = self.block_of(digest) else { return Ok(None) };
        self.note_look();
        let bytes = self.block(block)?;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (record, after) = Record::cut(rest)?;
            if record.digest == *digest {
                return Ok(Some(record.manifest()?));
            }
            rest = after;
        }
        Ok(None)
    }

    /// Where a part of the blocks is wanted, all of them soon will be, and a disk reads them faster in a row.
    fn note_look(&self) {
        let looks = self.looks.fetch_add(1, Ordering::Relaxed);
        if looks == self.blocks() as u64 / 64 + 1 {
            if self.end <= HELD { self.hold() } else { self.source.will_be_read() }
        }
    }

    /// Where that fails, each look finds out for itself.
    fn hold(&self) {
        let Ok(length) = length(self.end) else { return };
        let mut bytes = vec![0; length];
        if self.source.read_at(&mut bytes, 0).is_ok() {
            self.held.get_or_init(|| bytes);
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        self.held.get().is_some()
    }

    pub(crate) fn blocks(&self) -> usize {
        self.index.len()
    }

    /// The records of a block.
    pub(crate) fn block(&self, block: usize) -> Result<Cow<'_, [u8]>, Broken> {
        let position =
            |block: usize| self.index.get(block).map_or(self.end, |block| block.position);
        let (start, end) = (position(block), position(block + 1));
        if let Some(held) = self.held.get() {
            let bytes = held.get(length(start)?..length(end)?).ok_or(Damage::Size)?;
            return Ok(Cow::Borrowed(bytes));
        }
        let mut bytes = vec![0; length(end - start)?];
        self.source.read_at(&mut bytes, start)?;
        Ok(Cow::Owned(bytes))
    }
}

/// The index and the filter fill exactly what lies before the end.
fn fits(index_at: u64, blocks: u64, words: u64, end_at: u64) -> bool {
    let index = blocks.checked_mul(INDEXED as u64);
    let filter = words.checked_mul(8);
    let after = index.zip(filter).and_then(|(index, filter)| index.checked_add(filter));
    index_at >= HEADER as u64 && after.and_then(|after| index_at.checked_add(after)) == Some(end_at)
}

/// Blocks that follow each other from the header to the index, in the order of their keys.
fn blocks_of(bytes: &[u8], end: u64) -> Result<Vec<Block>, Damage> {
    let numbers: Vec<u64> = numbers_of(bytes).collect();
    let blocks: Vec<Block> =
        numbers.chunks_exact(2).map(|pair| Block { key: pair[0], position: pair[1] }).collect();
    let begins = blocks.first().map_or(end, |block| block.position) == HEADER as u64;
    let ends = blocks.last().is_none_or(|block| block.position < end);
    let is_ordered = blocks
        .windows(2)
        .all(|pair| pair[0].key <= pair[1].key && pair[0].position < pair[1].position);
    if begins && ends && is_ordered { Ok(blocks) } else { Err(Damage::Order) }
}

pub(crate) fn checksum_of(header: &[u8], index: &[u8], end: &[u8]) -> u64 {
    let mut hasher = Xxh3Default::new();
    for part in [header, index, end] {
        hasher.update(part);
    }
    hasher.digest()
}

fn numbers_of(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(8).map(|word| {
        let mut number = [0; 8];
        number.copy_from_slice(word);
        u64::from_le_bytes(number)
    })
}

fn numbers<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut numbers = [0; N];
    numbers.iter_mut().zip(numbers_of(bytes)).for_each(|(number, found)| *number = found);
    numbers
}

fn length(bytes: u64) -> Result<usize, Damage> {
    usize::try_from(bytes).map_err(|_| Damage::Size)
}
