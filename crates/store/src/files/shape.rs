//! What the layout says of a folder's inside, so that not all of it has to be opened.

use std::sync::Arc;

use rustix::fd::OwnedFd;
use rustix::fs::Stat;

/// Says for a folder, whose key ends in `/` and is empty for the root, what each folder inside it holds.
///
/// Listing believes it as far as [`Shape`] says. Files beside what a shape names are not listed, hence never deleted.
pub type ShapeRule = Arc<dyn Fn(&str) -> Option<Shape> + Send + Sync>;

/// Says of a folder, whose key ends in `/`, how a listing passes it that comes by. Who lists inside it enters it.
pub type PassageRule = Arc<dyn Fn(&str) -> Passage + Send + Sync>;

/// How a listing passes a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It is opened.
    Open,
    /// It stays closed: [`Listed::Closed`](crate::Listed::Closed).
    Closed,
    /// The folder of this name, which ends in `/`, is opened at once where the system counts one folder in it. Otherwise
    /// it is opened itself.
    Through(&'static str),
}

/// What each folder inside a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One file.
    Leaf(Leaf),
    /// Folders of known names.
    Nest(Nest),
}

/// The only file of each folder inside a folder. What lies beside it is passed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The file's name.
    pub file: &'static str,
    /// Whether the file is presumed to be there; otherwise it is looked at, and where it is missing, the folder is
    /// opened.
    pub is_presumed: bool,
}

/// Folders of known names, in each folder inside a folder.
///
/// Believed only where the system counts so many folders in each, which none but a folder has; otherwise everything is
/// opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nest {
    /// Paths of folders, which end in `/` or are empty for the outermost, and how many folders each holds.
    pub counts: &'static [(&'static str, u64)],
    /// The path of a file that is presumed to be there; before `folder` in byte order.
    pub file: &'static str,
    /// The path of the only folder whose inside is listed; it ends in `/`.
    pub folder: &'static str,
}

/// The file system of the root, where it is one that counts the folders in a folder.
///
/// ext4, XFS and tmpfs give a folder one link for its name, one for `.` and one for each folder inside, or a single
/// link where they stopped counting. Others say 1 for all, or anything.
#[derive(Clone, Copy, Debug)]
pub(super) struct FolderCount {
    device: Option<u64>,
}

const COUNTING: [u64; 3] = [0xEF53, 0x5846_5342, 0x0102_1994];

impl FolderCount {
    pub(super) fn of(root: &OwnedFd) -> Self {
        let counts = rustix::fs::fstatfs(root).is_ok_and(|system| {
            COUNTING.iter().any(|magic| i128::from(system.f_type) == i128::from(*magic))
        });
        let device = rustix::fs::fstat(root).ok().filter(|_| counts).map(|stat| stat.st_dev);
        Self { device }
    }

    /// Whether this file system counts.
    #[cfg(test)]
    pub(super) fn is_known(self) -> bool {
        self.device.is_some()
    }

    /// Whether a folder holds exactly so many folders. No says nothing.
    pub(super) fn is(self, stat: &Stat, folders: u64) -> bool {
        self.device == Some(stat.st_dev) && i128::from(stat.st_nlink) == i128::from(folders) + 2
    }
}
