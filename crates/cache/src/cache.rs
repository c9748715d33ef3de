//! The cache: asked for manifests, given those that were read.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use registry::{Digest, Manifest};

use crate::CacheError;
use crate::directory::Directory;
use crate::record::TOGETHER;
use crate::segment::SegmentFile;
use crate::tidy::tidy;
use crate::waiting::Waiting;

/// So many segments are open at once. With the usual limits there are about 20.
const MOST_OPEN: usize = 64;

/// How large a cache may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all segments. A run that adds to a full cache may exceed it until it is closed, by an eighth.
    pub bytes: u64,
    /// Bytes of a segment that is no longer merged with others, about.
    pub segment: u64,
    /// Bytes that wait in memory before they are written.
    pub waiting: usize,
}

impl Limits {
    /// Limits that fit a cache of so many bytes.
    #[must_use]
    pub fn of(bytes: u64) -> Self {
        let waiting = usize::try_from(bytes / 16).unwrap_or(usize::MAX).min(32 << 20);
        Self { bytes, segment: bytes / 8, waiting }
    }
}

/// What manifests refer to, on disk, for as many processes as like to use it.
///
/// A run asks it with [`get`](Self::get), gives it what it had to read with [`put`](Self::put), and ends with
/// [`close`](Self::close). All of them may wait for the disk.
#[derive(Debug)]
pub struct ManifestCache {
    directory: Directory,
    limits: Limits,
    segments: RwLock<Vec<Arc<SegmentFile>>>,
    damaged: Mutex<Vec<PathBuf>>,
    desk: Mutex<Desk>,
}

/// What was put in and not written yet.
#[derive(Debug)]
struct Desk {
    waiting: Waiting,
    /// So many bytes may still be put in.
    room: u64,
}

impl ManifestCache {
    /// Opens the cache in a folder, which is made where it is missing. What is damaged in it is logged and not used.
    ///
    /// In a full cache a run may replace an eighth: where a registry is larger than the cache, the next run finds the
    /// rest, and what nobody asks for any more still leaves in time.
    ///
    /// # Errors
    /// [`CacheError::Io`] where the folder cannot be made, read or written to; [`CacheError::Exposed`] where others can
    /// write to it.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, CacheError> {
        let directory = Directory::open(path)?;
        let entries = directory.segments()?;
        let used: u64 = entries.iter().map(|entry| entry.bytes).sum();
        let room = limits.bytes.saturating_sub(used).max(limits.bytes / 8);
        let cache = Self {
            directory,
            limits,
            segments: RwLock::default(),
            damaged: Mutex::default(),
            desk: Mutex::new(Desk { waiting: Waiting::default(), room }),
        };
        entries.into_iter().rev().take(MOST_OPEN).for_each(|entry| cache.take_up(entry.path));
        Ok(cache)
    }

    /// What is remembered of a manifest. Whatever is wrong with the cache, that is nothing.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<Manifest> {
        let mut broken = Vec::new();
        let found = self.look(digest, &mut broken);
        for (file, error) in broken {
            self.lose(&file, error);
        }
        found
    }

    /// What is remembered of each of several manifests. Asked for together, they are found faster: while one is on its way
    /// from memory to the processor, so are the others.
    #[must_use]
    pub fn get_all(&self, digests: &[Digest]) -> Vec<Option<Manifest>> {
        let mut found = Vec::with_capacity(digests.len());
        for together in digests.chunks(TOGETHER) {
            self.fetch(together);
            found.extend(together.iter().map(|digest| self.get(digest)));
        }
        found
    }

    fn fetch(&self, digests: &[Digest]) {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.iter().for_each(|file| file.segment.fetch(digests));
    }

    /// Whether [`get`](Self::get) finds all that it needs in memory: it may be called where nothing may wait.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.iter().all(|file| file.segment.is_held())
    }

    fn look(
        &self,
        digest: &Digest,
        broken: &mut Vec<(Arc<SegmentFile>, CacheError)>,
    ) -> Option<Manifest> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.iter().find_map(|file| {
            file.get(digest).unwrap_or_else(|error| {
                broken.push((Arc::clone(file), error));
                None
            })
        })
    }

    /// Remembers a manifest, whose content must have been compared with its digest. Where there is no room, it does not.
    pub fn put(&self, digest: &Digest, manifest: &Manifest) {
        let full = {
            let mut desk = self.desk();
            if desk.room == 0 {
                return;
            }
            let size = desk.waiting.add(digest, manifest);
            desk.room = desk.room.saturating_sub(size as u64);
            if desk.waiting.size() < self.limits.waiting {
                return;
            }
            std::mem::take(&mut desk.waiting)
        };
        if let Err(error) = self.write(full) {
            tracing::warn!(%error, "no more manifests are remembered in this run");
            self.desk().room = 0;
        }
    }

    /// Writes what waits, and tidies the folder.
    ///
    /// # Errors
    /// [`CacheError`] where that is not possible: less is remembered, and nothing else is wrong.
    pub fn close(&self) -> Result<(), CacheError> {
        let waiting = std::mem::take(&mut self.desk().waiting);
        self.write(waiting)?;
        let damaged = std::mem::take(&mut *self.damaged());
        tidy(&self.directory, &self.limits, &damaged)
    }

    /// Makes a segment of what waits, and looks it up too from now on: a run forgets what it read long ago.
    fn write(&self, waiting: Waiting) -> Result<(), CacheError> {
        if let Some(path) = waiting.write(&self.directory)? {
            // The same records have the same name: they lie now where their damaged copy lay.
            self.damaged().retain(|damaged| *damaged != path);
            self.take_up(path);
        }
        Ok(())
    }

    fn take_up(&self, path: PathBuf) {
        match SegmentFile::open(path) {
            Ok(file) => {
                let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
                if segments.len() < MOST_OPEN {
                    segments.push(Arc::new(file));
                }
            }
            Err(error) => self.note(error),
        }
    }

    /// Looks nothing up any more in a segment.
    fn lose(&self, lost: &Arc<SegmentFile>, error: CacheError) {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        let before = segments.len();
        segments.retain(|file| !Arc::ptr_eq(file, lost));
        // Others may have met the same damage at the same time.
        if segments.len() < before {
            self.note(error);
        }
    }

    /// Logs what is wrong with a segment, and remembers to remove it where it is damaged.
    fn note(&self, error: CacheError) {
        match error {
            CacheError::Io { source, path, .. } if source.kind() == io::ErrorKind::NotFound => {
                tracing::debug!(path = %path.display(), "a cached segment was merged meanwhile");
            }
            error => {
                tracing::warn!(%error, "a cached segment is not used");
                if let CacheError::Damaged { path, .. } = error {
                    self.damaged().push(path);
                }
            }
        }
    }

    fn damaged(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
