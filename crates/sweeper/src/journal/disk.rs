//! The file under a journal.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;

/// What a journal asks of its file.
pub(crate) trait Disk: Debug + Send + 'static {
    /// Writes behind all that was written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything written is durable.
    fn sync(&mut self) -> io::Result<()>;

    /// Forgets all behind the first `length` bytes; returns when that is durable.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Everything that was written, from the beginning.
    fn reread(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// A file from its beginning, whatever else reads or writes it.
struct FromStart {
    file: File,
    position: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Disk for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length))?;
        self.sync_all()
    }

    fn reread(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(FromStart { file: self.try_clone()?, position: 0 }))
    }
}
