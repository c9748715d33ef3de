//! A file that is open only while it is written to.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use xxhash_rust::xxh3::Xxh3;

/// Appends to a file and hashes what goes there. Opens the file anew for each write, so that a plan of a thousand
/// segments needs one file descriptor for each thread.
pub(crate) struct Append {
    path: PathBuf,
    bytes: u64,
    hasher: Box<Xxh3>,
}

impl Append {
    /// Nothing is created before the first write.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, bytes: 0, hasher: Box::new(Xxh3::new()) }
    }

    /// Bytes written.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Hash of what was written.
    pub(crate) fn xxh3(&self) -> u64 {
        self.hasher.digest()
    }

    /// The first write creates the file and every other one needs it to be there: whatever else happens to the
    /// directory meanwhile, a segment is never a tail without its beginning.
    fn open(&self) -> io::Result<fs::File> {
        if self.bytes > 0 {
            return OpenOptions::new().append(true).open(&self.path);
        }
        self.path.parent().map_or(Ok(()), fs::create_dir_all)?;
        OpenOptions::new().append(true).create_new(true).open(&self.path)
    }
}

impl Write for Append {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.open()?.write(buffer)?;
        self.hasher.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
