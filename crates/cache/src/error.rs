//! What can go wrong with a cache. None of it ends a run.

use std::io;
use std::path::{Path, PathBuf};

/// Why the cache cannot be used, or not be added to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The disk failed, or says no.
    #[error("{action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Others can write to it, or it is theirs, so that what it says proves nothing.
    #[error("`{}` is not this user's alone", path.display())]
    Exposed {
        /// The folder, or a file in it.
        path: PathBuf,
    },
    /// A file of the cache is not what this program wrote.
    #[error("cached segment `{}` {damage}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
}

impl CacheError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// What is wrong with the bytes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// It does not begin as a segment of this version of the program does.
    #[error("is not of this version of the program")]
    Header,
    /// It is cut off, or its sizes contradict each other.
    #[error("has not the size that it says")]
    Size,
    /// A checksum is wrong.
    #[error("does not have its checksum")]
    Checksum,
    /// Records or blocks are not in order.
    #[error("is not in order")]
    Order,
    /// A record is none, although its checksum says so.
    #[error("has a record that cannot be")]
    Record,
}
