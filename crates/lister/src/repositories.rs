//! Repositories, whole, as soon as their last key is listed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use monitor::{Counter, Monitor, Stop};
use registry::{KeyKind, Layout, RepositoryName};
use store::{Listed, ReadStore};
use tokio::sync::mpsc::Sender;

use crate::hands::Hands;
use crate::{FolderSeeder, ListError, Part, RepositoryTree, Walk, walk};

/// Proof that every key below `repositories/` has been listed and every repository handed on (G3, G5).
#[derive(Debug)]
#[non_exhaustive]
pub struct Complete {
    /// Repositories handed on.
    pub repositories: u64,
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
    // Those who come later find cuts of their own.
    let at_first = Hands::at_first(workers, &store.abilities());
    let folders = FolderSeeder::new(Arc::clone(&store), &within, at_first);
    let outlet = Arc::new(Outlet {
        within: within.clone(),
        trees,
        monitor: Arc::clone(&monitor),
        sent: AtomicU64::new(0),
    });
    let keys = Counter::RepositoryKeys;
    let ask = Walk { store, within, seeder: folders, workers, keys, monitor, stop };
    let (layout, shared) = (layout.clone(), Arc::clone(&outlet));
    let parts = walk(ask, move || RepositoryPart::new(&layout, &shared)).await?;
    join_seams(parts, &outlet).await
}

/// Where whole repositories go.
struct Outlet {
    within: String,
    trees: Sender<RepositoryTree>,
    monitor: Arc<Monitor>,
    sent: AtomicU64,
}

impl Outlet {
    async fn send(&self, tree: RepositoryTree) -> Result<(), ListError> {
        let foreign = tree.foreign.len() + tree.odd_links.len();
        self.monitor.count(Counter::ForeignKeys, foreign as u64);
        let sent = self.trees.send(tree).await;
        sent.map_err(|_| ListError::Abandoned { within: self.within.as_str().into() })?;
        self.sent.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Groups the keys of one range by repository. The first and the last wait for the end of the range, and where they may
/// go on in a neighbouring one, for the end of the walk.
struct RepositoryPart {
    layout: Layout,
    outlet: Arc<Outlet>,
    first: Option<RepositoryTree>,
    growing: Option<RepositoryTree>,
    /// The prefix of the keys of the growing one.
    prefix: String,
    foreign: u64,
    stray_links: u64,
}

impl RepositoryPart {
    fn new(layout: &Layout, outlet: &Arc<Outlet>) -> Self {
        let (layout, outlet) = (layout.clone(), Arc::clone(outlet));
        let (first, growing, prefix) = (None, None, String::new());
        Self { layout, outlet, first, growing, prefix, foreign: 0, stray_links: 0 }
    }

    /// Adds an entry, which `next` follow; gives back a repository that is whole because of it.
    fn add(&mut self, listed: Listed, next: &[Listed]) -> Option<RepositoryTree> {
        if let Some(tree) = &mut self.growing
            && listed
                .key()
                .strip_prefix(&*self.prefix)
                .is_some_and(|inside| inside.starts_with('_'))
        {
            tree.add_inside(self.prefix.len(), listed);
            return None;
        }
        let repository = self.layout.repository_of(listed.key());
        let Some(Ok(name)) = repository.map(RepositoryName::new) else {
            self.count_outside(&listed);
            return None;
        };
        self.begin(name, listed, next)
    }

    /// Begins a repository, which ends the one before it.
    fn begin(
        &mut self,
        name: RepositoryName,
        listed: Listed,
        next: &[Listed],
    ) -> Option<RepositoryTree> {
        self.prefix = self.layout.repository(&name);
        let mut tree = RepositoryTree::new(name);
        // One more: the first entry of a repository is nearly always a layer.
        tree.layers.reserve(1 + layers_among(next, &self.prefix));
        tree.add(&self.layout, listed);
        let ended = self.growing.replace(tree)?;
        if self.first.is_some() {
            return Some(ended);
        }
        self.first = Some(ended);
        None
    }

    /// The first and the last repository, as far as no other range can hold a key of theirs.
    fn take_whole(&mut self, after: &str, until: Option<&str>) -> [Option<RepositoryTree>; 2] {
        let begins_here = |layout: &Layout, tree: &RepositoryTree| *after < *keys_of(layout, tree);
        let ends_here = |layout: &Layout, tree: &RepositoryTree| {
            let keys = keys_of(layout, tree);
            until.is_none_or(|until| *until > *keys && !until.starts_with(&keys))
        };
        let (layout, is_second) = (&self.layout, self.first.is_some());
        let last = self
            .growing
            .take_if(|tree| (is_second || begins_here(layout, tree)) && ends_here(layout, tree));
        // Another repository has begun, so the first is at its end.
        let first = self.first.take_if(|tree| begins_here(layout, tree));
        [first, last]
    }

    /// Nobody opens a closed folder outside of all repositories: it may hold links.
    fn count_outside(&mut self, listed: &Listed) {
        let is_link = match (listed, self.layout.classify(listed.key())) {
            (Listed::Closed(_), _) => true,
            (_, KeyKind::Foreign(foreign)) => foreign.is_link,
            _ => return,
        };
        self.outlet.monitor.count(Counter::ForeignKeys, 1);
        self.foreign += 1;
        self.stray_links += u64::from(is_link);
    }
}

/// About how many layers of the repository with this prefix its next entries are.
fn layers_among(next: &[Listed], prefix: &str) -> usize {
    let is_layer =
        |key: &str| key.strip_prefix(prefix).is_some_and(|inside| inside.starts_with("_layers/"));
    next.partition_point(|listed| is_layer(listed.key()))
}

/// How every key inside a repository begins, and no other key does.
fn keys_of(layout: &Layout, tree: &RepositoryTree) -> String {
    format!("{}_", layout.repository(&tree.name))
}

impl Part for RepositoryPart {
    async fn take(&mut self, entries: Vec<Listed>) -> Result<(), ListError> {
        let mut entries = entries.into_iter();
        while let Some(listed) = entries.next() {
            if let Some(tree) = self.add(listed, entries.as_slice()) {
                self.outlet.send(tree).await?;
            }
        }
        Ok(())
    }

    async fn end(&mut self, after: &str, until: Option<&str>) -> Result<(), ListError> {
        for tree in self.take_whole(after, until).into_iter().flatten() {
            self.outlet.send(tree).await?;
        }
        Ok(())
    }
}

/// Joins the repositories that were cut, in key order, and sends them.
async fn join_seams(parts: Vec<RepositoryPart>, outlet: &Outlet) -> Result<Complete, ListError> {
    let (mut foreign, mut stray_links) = (0, 0);
    let mut pending: Option<RepositoryTree> = None;
    for part in parts {
        foreign += part.foreign;
        stray_links += part.stray_links;
        for tree in part.first.into_iter().chain(part.growing) {
            match &mut pending {
                Some(known) if known.name == tree.name => known.append(tree),
                Some(_) | None => {
                    if let Some(whole) = pending.replace(tree) {
                        outlet.send(whole).await?;
                    }
                }
            }
        }
    }
    if let Some(whole) = pending {
        outlet.send(whole).await?;
    }
    let repositories = outlet.sent.load(Ordering::Relaxed);
    Ok(Complete { repositories, foreign, stray_links })
}

#[cfg(test)]
mod tests;
