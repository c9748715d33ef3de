//! A store of files: the registry's `filesystem` driver's directory, walked natively.

mod beside;
mod delete;
mod folder;
mod make;
mod multipart;
mod path;
mod place;
mod read;
mod restore;
mod shape;
#[cfg(test)]
mod tests;
mod trouble;
mod walk;
mod way;
mod write;

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use monitor::{Counter, Monitor};
use registry::{Digest, Timestamp};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use self::folder::{Kind, Listing};
use self::place::Place;
use self::shape::FolderCount;
use self::trouble::{Oddity, system, unfinished};
use self::walk::Walk;
use crate::{
    Abilities, Content, Cursor, DeleteBatch, DeleteStore, ErrorKind, Folders, KeyFailure,
    KeyOutcome, Listed, Marker, Object, Operation, PartStore, PutBack, ReadStore, RestoreStore,
    StoreError, Trashed, Version,
};

pub use self::shape::{Leaf, Nest, Passage, PassageRule, Shape, ShapeRule};

/// What a store of files has to be told.
pub struct FileOptions {
    /// What folders hold.
    pub shape_of: ShapeRule,
    /// How listings pass folders.
    pub passage_of: PassageRule,
    /// Folders that stay when they become empty; keys that end in `/`.
    pub keep: Vec<String>,
    /// The clock of the machine. On a network file system it must agree with the server's.
    pub clock: fn() -> Timestamp,
}

/// A store of files. Keys are paths below the root, with `/` between components.
///
/// Symbolic links below the root are never followed: one that a listing meets is an error that names it, for what lies
/// behind it would not be seen (G3). The root itself may be one. A cheap handle: clones share the root. Writing needs a
/// tokio runtime with time: who finds somebody else writing in the same folder waits for a moment.
#[derive(Clone, Debug)]
pub struct FileStore {
    tree: Arc<Tree>,
}

struct Tree {
    root: OwnedFd,
    identity: String,
    shape_of: ShapeRule,
    passage_of: PassageRule,
    folder_count: FolderCount,
    keep: Vec<String>,
    /// The folders that stay, those that were there at first: a short way to what lies in them.
    near: Vec<(String, OwnedFd)>,
    clock: fn() -> Timestamp,
    place: Place,
    monitor: Arc<Monitor>,
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl FileStore {
    /// Opens the directory `root`, which must be there.
    ///
    /// # Errors
    /// [`ErrorKind::NoContainer`] where there is no such directory; as the system says otherwise.
    pub fn open(
        root: &Path,
        options: FileOptions,
        monitor: Arc<Monitor>,
    ) -> Result<Self, StoreError> {
        let shown = root.to_string_lossy();
        let path =
            std::fs::canonicalize(root).map_err(|error| match Errno::from_io_error(&error) {
                Some(errno) => unopened(&shown, errno),
                None => StoreError::new(Operation::Open, &shown, ErrorKind::Fatal).because(error),
            })?;
        let root = rustix::fs::open(&path, FOLDER, Mode::empty())
            .map_err(|errno| unopened(&shown, errno))?;
        let identity = format!("files at {}", path.display());
        let FileOptions { shape_of, passage_of, keep, clock } = options;
        let folder_count = FolderCount::of(&root);
        let near = keep
            .iter()
            .filter(|key| path::check_folder(Operation::Open, key).is_ok())
            .filter_map(|key| Some((key.clone(), folder::open_at_once(&root, key, FOLDER)?)));
        let (near, place) = (near.collect(), Place::new(clock));
        let tree = Tree {
            root,
            identity,
            shape_of,
            passage_of,
            folder_count,
            keep,
            near,
            clock,
            place,
            monitor,
        };
        Ok(Self { tree: Arc::new(tree) })
    }
}

fn unopened(root: &str, errno: Errno) -> StoreError {
    match errno {
        Errno::NOENT | Errno::NOTDIR => {
            StoreError::new(Operation::Open, root, ErrorKind::NoContainer)
                .because(std::io::Error::from(errno))
        }
        errno => system(Operation::Open, root, errno),
    }
}

impl Tree {
    /// The root, opened anew: a folder that is being read has a position of its own.
    fn open_root(&self, operation: Operation) -> Result<OwnedFd, StoreError> {
        rustix::fs::openat(&self.root, c".", FOLDER, Mode::empty())
            .map_err(|errno| system(operation, "", errno))
    }

    /// Opens what is at `key` from the nearest folder that is open; `None` says nothing.
    fn open_at_once(&self, key: &str, flags: OFlags) -> Option<OwnedFd> {
        let from =
            self.near.iter().filter(|(folder, _)| key.starts_with(&**folder) && key != folder);
        let (folder, from) = from
            .max_by_key(|(folder, _)| folder.len())
            .map_or(("", &self.root), |(folder, from)| (folder, from));
        folder::open_at_once(from, &key[folder.len()..], flags)
    }

    /// Opens a folder, following no link on the way; `None` where it is not there.
    fn open_folder(
        &self,
        operation: Operation,
        folder_key: &str,
    ) -> Result<Option<OwnedFd>, StoreError> {
        match self.open_at_once(folder_key, FOLDER) {
            Some(folder) => Ok(Some(folder)),
            None => self.open_folder_by_steps(operation, folder_key),
        }
    }

    fn open_folder_by_steps(
        &self,
        operation: Operation,
        folder_key: &str,
    ) -> Result<Option<OwnedFd>, StoreError> {
        let mut folder = self.open_root(operation)?;
        for (name, key) in path::steps(folder_key) {
            match folder::open(operation, folder.as_fd(), name.as_bytes(), key)? {
                Some(child) => folder = child,
                None => return Ok(None),
            }
        }
        Ok(Some(folder))
    }

    fn keeps(&self, folder_key: &str) -> bool {
        self.keep.iter().any(|kept| kept == folder_key)
    }

    fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        path::check_folder(Operation::List, within)?;
        let mut prefixes = Vec::new();
        if let Some(folder) = self.open_folder(Operation::List, within)? {
            self.monitor.count(Counter::ListRequests, 1);
            let mut listing = Listing::default();
            listing.read(&folder, within, &mut folder::buffer())?;
            for (name, kind) in (0..listing.len()).filter_map(|at| listing.get(at)) {
                let key = || format!("{within}{name}");
                match kind {
                    Some(Kind::Folder) => prefixes.push(key()),
                    Some(Kind::Symlink) => return Err(Oddity::Symlink.at(Operation::List, &key())),
                    None => return Err(Oddity::Name.at(Operation::List, &key())),
                    Some(Kind::File | Kind::Special) => {}
                }
            }
        }
        Ok(Folders { prefixes, is_complete: true })
    }
}

impl fmt::Debug for FileOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileOptions").field("keep", &self.keep).finish_non_exhaustive()
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl ReadStore for FileStore {
    type Cursor = FileCursor;

    fn list(&self, within: &str, after: &str) -> FileCursor {
        FileCursor {
            tree: Arc::clone(&self.tree),
            within: within.into(),
            after: after.into(),
            until: None,
            walk: None,
            is_at_end: false,
        }
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        let tree = Arc::clone(&self.tree);
        let are_few = keys.len() <= BATCH;
        let look = move || tree.place.watch(|| read::look(&tree, &keys), |_| false);
        let looked = if are_few {
            self.tree.place.run(look).await
        } else {
            tokio::task::spawn_blocking(look).await
        };
        looked.map_err(|error| unfinished(Operation::Look, &self.tree.identity, error))?
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        let (tree, folder) = (Arc::clone(&self.tree), within.to_owned());
        let list = move || tree.place.watch(|| tree.folders(&folder), |_| false);
        let listed = self.tree.place.run(list).await;
        listed.map_err(|error| unfinished(Operation::List, within, error))?
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        read::get(&self.tree, key, at_most).await
    }

    fn get_content(
        &self,
        key: &str,
        digest: &Digest,
        at_most: u64,
    ) -> impl Future<Output = Result<Content, StoreError>> + Send {
        read::get_content(&self.tree, key, digest, at_most)
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        Ok((self.tree.clock)())
    }

    fn identity(&self) -> &str {
        &self.tree.identity
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            lists_in_byte_order: true,
            lists_all: false,
            tells_etags: false,
            reads_in_place: true,
            keeps_waiting: self.tree.place.is_slow(),
            delete_batch: 256,
        }
    }
}

impl PartStore for FileStore {
    async fn get_part(&self, key: &str, part: Range<u64>) -> Result<Bytes, StoreError> {
        read::get_part(&self.tree, key, part).await
    }
}

impl DeleteStore for FileStore {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        let (tree, batch) = (Arc::clone(&self.tree), batch.clone());
        tokio::task::spawn_blocking(move || {
            let objects = batch.objects();
            tree.monitor.count(Counter::DeleteRequests, objects.len() as u64);
            objects.iter().map(|doomed| delete::permitted(&tree, doomed, &batch)).collect()
        })
        .await
        .map_err(|error| unfinished(Operation::Delete, &self.tree.identity, error))
    }
}

impl RestoreStore for FileStore {
    async fn versions(&self, key: &str) -> Result<Vec<Version>, StoreError> {
        let looked = self.look(vec![key.into()]).await?;
        let version =
            |object: Object| Version::Object { size: object.size, modified: object.modified };
        Ok(looked.into_iter().flatten().map(version).collect())
    }

    /// Files have no versions, so there are no markers of theirs.
    async fn unmark(&self, markers: &[Marker]) -> Result<Vec<Result<(), KeyFailure>>, StoreError> {
        let message = "files have no delete markers".into();
        Ok(vec![Err(KeyFailure { kind: ErrorKind::Fatal, message }); markers.len()])
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn put_back(
        &self,
        objects: &[Trashed],
    ) -> Result<Vec<Result<PutBack, KeyFailure>>, StoreError> {
        let (tree, objects) = (Arc::clone(&self.tree), objects.to_vec());
        tokio::task::spawn_blocking(move || {
            tree.monitor.count(Counter::PutRequests, objects.len() as u64);
            let put_back = |object: &Trashed| {
                restore::put_back(&tree, object).map_err(|error| KeyFailure::from(&error))
            };
            objects.iter().map(put_back).collect()
        })
        .await
        .map_err(|error| unfinished(Operation::Restore, &self.tree.identity, error))
    }
}

/// A listing of files under way. Holds one descriptor for each level of the tree.
pub struct FileCursor {
    tree: Arc<Tree>,
    within: Box<str>,
    /// The last key that was handed out, or where the listing began.
    after: Box<str>,
    /// Nothing after this is asked for.
    until: Option<Box<str>>,
    /// Where the walk stands; `None` before the first batch, and after an error or a dropped future: the walk is then
    /// taken up again from `after`.
    walk: Option<Walk>,
    is_at_end: bool,
}

/// So many entries are handed out at once: enough that a turn of the task, or a hop to another thread, costs little beside
/// them, few enough that little is looked at in vain where a range ends.
const BATCH: usize = 1000;

impl FileCursor {
    async fn walk_on(&mut self) -> Result<(Walk, Vec<Listed>), StoreError> {
        let (tree, walk, until) = (Arc::clone(&self.tree), self.walk.take(), self.until.clone());
        let (within, after) = (self.within.clone(), self.after.clone());
        let start = move |tree| Walk::start(tree, &within, &after, until);
        let step = move || {
            let next = || {
                let mut walk = walk.map_or_else(|| start(Arc::clone(&tree)), Ok)?;
                walk.next(BATCH).map(|listed| (walk, listed))
            };
            let is_full = |walked: &Result<(_, Vec<_>), _>| matches!(walked, Ok((_, page)) if page.len() == BATCH);
            tree.place.watch(next, is_full)
        };
        let walked = self.tree.place.run(step).await;
        walked.map_err(|error| unfinished(Operation::List, &self.within, error))?
    }
}

impl Cursor for FileCursor {
    async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        if self.is_at_end {
            return Ok(None);
        }
        let (walk, listed) = self.walk_on().await?;
        let Some(last) = listed.last() else {
            self.is_at_end = true;
            return Ok(None);
        };
        self.after = last.key().into();
        self.walk = Some(walk);
        Ok(Some(listed))
    }

    fn end_at(&mut self, until: &str) {
        self.until = Some(until.into());
    }
}

impl fmt::Debug for FileCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileCursor")
            .field("within", &self.within)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}
