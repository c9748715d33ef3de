//! What has to be durable before the journal says anything.

use std::fmt::Debug;
use std::io::{self, Read};
use std::sync::Arc;

use super::disk::Disk;

/// A record kept elsewhere of what became of objects, such as a log of all deletions.
///
/// What the journal holds is never asked for again, so whoever must not miss anything has to be sure of it first.
pub trait Witness: Debug + Send + Sync {
    /// Returns when all that was told is durable. Called before each write to the journal, so it must cost nothing where
    /// nothing was told since.
    ///
    /// # Errors
    /// Where it is not: nothing more is written to the journal, and the sweep ends.
    fn make_durable(&self) -> io::Result<()>;
}

/// The file of a journal that waits for a witness.
#[derive(Debug)]
pub(crate) struct Witnessed {
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) witness: Arc<dyn Witness>,
}

impl Disk for Witnessed {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.witness.make_durable()?;
        self.disk.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.sync()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.disk.cut(length)
    }

    fn reread(&self) -> io::Result<Box<dyn Read + Send>> {
        self.disk.reread()
    }
}
