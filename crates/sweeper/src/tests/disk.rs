//! A disk with a will of its own.

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use crate::journal::Disk;

/// A disk that can break in the middle of a write.
#[derive(Clone, Debug, Default)]
pub(super) struct TestDisk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    bytes: Vec<u8>,
    durable: usize,
    /// Bytes and syncs that still work.
    bytes_left: Option<usize>,
    syncs_left: Option<usize>,
    writes: HashSet<usize>,
}

impl TestDisk {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }

    pub(super) fn durable_bytes(&self) -> Vec<u8> {
        let platter = self.0.lock().unwrap();
        platter.bytes[..platter.durable].to_vec()
    }

    /// Whether a journal still writes to it.
    pub(super) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Lengths of the file after each write.
    pub(super) fn ends_of_writes(&self) -> HashSet<usize> {
        self.0.lock().unwrap().writes.clone()
    }

    pub(super) fn break_after_bytes(&self, bytes: usize) {
        self.0.lock().unwrap().bytes_left = Some(bytes);
    }

    pub(super) fn break_after_syncs(&self, syncs: usize) {
        self.0.lock().unwrap().syncs_left = Some(syncs);
    }

    /// Works again. What was not durable is lost but for its first `kept` bytes.
    pub(super) fn restart(&self, kept: usize) {
        let mut platter = self.0.lock().unwrap();
        (platter.bytes_left, platter.syncs_left) = (None, None);
        let length = platter.durable.saturating_add(kept).min(platter.bytes.len());
        platter.bytes.truncate(length);
        platter.durable = length;
    }
}

fn broken() -> io::Error {
    io::Error::other("the disk is broken")
}

impl Platter {
    fn sync(&mut self) -> io::Result<()> {
        if let Some(left) = &mut self.syncs_left {
            *left = left.checked_sub(1).ok_or_else(broken)?;
        }
        self.durable = self.bytes.len();
        Ok(())
    }
}

impl Disk for TestDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        let works = platter.bytes_left.map_or(bytes.len(), |left| left.min(bytes.len()));
        platter.bytes.extend_from_slice(&bytes[..works]);
        if let Some(left) = &mut platter.bytes_left {
            *left -= works;
        }
        let length = platter.bytes.len();
        platter.writes.insert(length);
        if works == bytes.len() { Ok(()) } else { Err(broken()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().sync()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.bytes.truncate(usize::try_from(length).unwrap());
        platter.sync()
    }

    fn reread(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::Cursor::new(self.bytes())))
    }
}
