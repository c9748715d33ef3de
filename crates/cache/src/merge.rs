//! Merging segments, record by record.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::path::PathBuf;

use crate::CacheError;
use crate::directory::{Directory, Entry, remove};
use crate::record::{Place, Record, place_of};
use crate::segment::SegmentFile;
use crate::write::SegmentWriter;

/// Merges segments into new ones of about `largest` bytes, and removes them. Records that are damaged are left out.
///
/// # Errors
/// [`CacheError`] where the disk fails: then nothing is removed.
pub(crate) fn merge(
    directory: &Directory,
    entries: Vec<Entry>,
    largest: u64,
) -> Result<(), CacheError> {
    let mut old = Vec::with_capacity(entries.len());
    let mut cursors = Vec::with_capacity(entries.len());
    for entry in entries {
        old.push(entry.path.clone());
        match SegmentFile::open(entry.path) {
            Ok(file) => cursors.push(Cursor { file, block: 0, bytes: Vec::new(), at: 0 }),
            Err(error) if is_gone(&error) => tracing::warn!(%error, "a cached segment is dropped"),
            Err(error) => return Err(error),
        }
    }
    let made = write(directory, cursors, largest)?;
    // What was merged alone has the name that it had.
    old.iter().filter(|path| !made.contains(path)).try_for_each(|path| remove(path))
}

/// Whether there is nothing left of a segment that could be merged.
fn is_gone(error: &CacheError) -> bool {
    match error {
        CacheError::Damaged { .. } => true,
        CacheError::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
        CacheError::Exposed { .. } => false,
    }
}

fn write(
    directory: &Directory,
    mut cursors: Vec<Cursor>,
    largest: u64,
) -> Result<Vec<PathBuf>, CacheError> {
    let (mut heap, mut made) = (BinaryHeap::new(), Vec::new());
    for (at, cursor) in cursors.iter_mut().enumerate() {
        heap.extend(cursor.next()?.map(|(place, record)| Reverse((place, at, record))));
    }
    let (mut writer, mut last) = (None, None);
    while let Some(Reverse((place, at, record))) = heap.pop() {
        heap.extend(cursors[at].next()?.map(|(place, record)| Reverse((place, at, record))));
        if last.replace(place).is_some_and(|last| last >= place) {
            continue;
        }
        let mut segment = match writer.take() {
            Some(segment) => segment,
            None => SegmentWriter::create(directory)?,
        };
        segment.add(&place.1, &record)?;
        if segment.written() < largest {
            writer = Some(segment);
        } else {
            made.push(segment.finish(directory)?);
        }
    }
    if let Some(segment) = writer {
        made.push(segment.finish(directory)?);
    }
    Ok(made)
}

/// Walks through the records of a segment.
#[derive(Debug)]
struct Cursor {
    file: SegmentFile,
    /// The block after the one that is being walked through.
    block: usize,
    bytes: Vec<u8>,
    at: usize,
}

impl Cursor {
    /// The next record that is as it was put in.
    fn next(&mut self) -> Result<Option<(Place, Vec<u8>)>, CacheError> {
        loop {
            while self.at < self.bytes.len() {
                let Ok((record, _)) = Record::cut(&self.bytes[self.at..]) else { break };
                self.at += record.bytes.len();
                if record.is_whole() {
                    return Ok(Some((place_of(&record.digest), record.bytes.to_vec())));
                }
            }
            if !self.read_block()? {
                return Ok(None);
            }
        }
    }

    /// Reads the next block; none is left where it says no. One that is cut off has no records.
    fn read_block(&mut self) -> Result<bool, CacheError> {
        let segment = &self.file.segment;
        if self.block >= segment.blocks() {
            return Ok(false);
        }
        self.bytes = match segment.block(self.block).map_err(|broken| broken.at(&self.file.path)) {
            Ok(bytes) => bytes.into_owned(),
            Err(CacheError::Damaged { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        (self.block, self.at) = (self.block + 1, 0);
        Ok(true)
    }
}
