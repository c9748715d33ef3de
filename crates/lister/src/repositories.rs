//! Repositories, whole, as soon as their last key is listed.

use std::sync::Arc;

use monitor::{Counter, Monitor, Stop};
use registry::{KeyKind, Layout, RepositoryName};
use store::{Object, ReadStore};
use tokio::sync::mpsc::Sender;

use crate::{FolderSeeder, ListError, Part, RepositoryTree, Walk, walk};

/// Proof that every key below `repositories/` has been listed and every repository handed on (G3, G5).
#[derive(Debug)]
pub struct Complete {
    /// Keys below `repositories/` that belong to no repository and are not of the layout.
    pub foreign: u64,
    /// Links that belong to no repository a registry could name: what they keep is not known.
    pub stray_links: u64,
}

/// Lists `repositories/` by `workers` at once and sends each repository, whole, to `trees`.
///
/// The order of repositories is not specified; each is sent once. Waits where `trees` is full (G12).
///
/// # Errors
/// [`ListError`] where a single key may be missing; no [`Complete`] exists then.
pub async fn list_repositories<S: ReadStore>(
    store: Arc<S>,
    layout: &Layout,
    workers: usize,
    trees: Sender<RepositoryTree>,
    monitor: Arc<Monitor>,
    stop: Arc<Stop>,
) -> Result<Complete, ListError> {
    let within = layout.repositories();
    let seeder = FolderSeeder::new(Arc::clone(&store), &within, workers * 4);
    let keys = Counter::RepositoryKeys;
    let count = Arc::clone(&monitor);
    let ask = Walk { store, within: within.clone(), seeder, workers, keys, monitor, stop };
    let (layout, sender) = (layout.clone(), trees.clone());
    let new_part = move || RepositoryPart::new(layout.clone(), sender.clone(), Arc::clone(&count));
    let parts = walk(ask, new_part).await?;
    join_seams(parts, &within, &trees).await
}

/// Groups the keys of one range by repository. The first and the last may go on in a neighbouring range and wait for
/// the end of the walk.
struct RepositoryPart {
    layout: Layout,
    trees: Sender<RepositoryTree>,
    monitor: Arc<Monitor>,
    first: Option<RepositoryTree>,
    growing: Option<RepositoryTree>,
    foreign: u64,
    stray_links: u64,
}

impl RepositoryPart {
    fn new(layout: Layout, trees: Sender<RepositoryTree>, monitor: Arc<Monitor>) -> Self {
        let (first, growing) = (None, None);
        Self { layout, trees, monitor, first, growing, foreign: 0, stray_links: 0 }
    }

    /// Adds an object; gives back a repository that is whole with it.
    fn add(&mut self, object: Object) -> Option<RepositoryTree> {
        let key = object.key.clone();
        let kind = self.layout.classify(&key);
        self.count(&kind);
        let repository = self.layout.repository_of(&key).map(RepositoryName::new);
        let Some(Ok(name)) = repository else { return None };
        let mut whole = None;
        if self.growing.as_ref().is_none_or(|tree| tree.name != name) {
            let ended = self.growing.replace(RepositoryTree::new(name));
            whole = if self.first.is_none() { self.first = ended; None } else { ended };
        }
        if let Some(tree) = &mut self.growing {
            tree.add(&kind, object);
        }
        whole
    }

    fn count(&mut self, kind: &KeyKind<'_>) {
        let KeyKind::Foreign(foreign) = kind else { return };
        self.monitor.count(Counter::ForeignKeys, 1);
        if foreign.repository.is_none() {
            self.foreign += 1;
            self.stray_links += u64::from(foreign.is_link);
        }
    }
}

impl Part for RepositoryPart {
    async fn take(&mut self, objects: Vec<Object>) -> Result<(), ListError> {
        for object in objects {
            if let Some(tree) = self.add(object) {
                send(&self.trees, tree, &self.layout.repositories()).await?;
            }
        }
        Ok(())
    }
}

async fn send(
    trees: &Sender<RepositoryTree>,
    tree: RepositoryTree,
    within: &str,
) -> Result<(), ListError> {
    let sent = trees.send(tree).await;
    sent.map_err(|_| ListError::Abandoned { within: within.into() })
}

/// Joins the repositories that were cut, in key order, and sends them.
async fn join_seams(
    parts: Vec<RepositoryPart>,
    within: &str,
    trees: &Sender<RepositoryTree>,
) -> Result<Complete, ListError> {
    let mut complete = Complete { foreign: 0, stray_links: 0 };
    let mut pending: Option<RepositoryTree> = None;
    for part in parts {
        complete.foreign += part.foreign;
        complete.stray_links += part.stray_links;
        for tree in part.first.into_iter().chain(part.growing) {
            match &mut pending {
                Some(known) if known.name == tree.name => known.append(tree),
                _ => {
                    if let Some(whole) = pending.replace(tree) {
                        send(trees, whole, within).await?;
                    }
                }
            }
        }
    }
    match pending {
        Some(whole) => send(trees, whole, within).await.map(|()| complete),
        None => Ok(complete),
    }
}
