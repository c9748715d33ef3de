//! Marks repositories: reads what must be read, then follows it.

mod opening;
mod pointers;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use cache::ManifestCache;
use lister::RepositoryTree;
use monitor::{Counter, Monitor, Stop};
use policy::{Moment, Retention};
use registry::{Digest, Layout, Timestamp};
use store::{ErrorKind, Object, ReadStore};

use crate::expiry::Verdicts;
use crate::library::Recalled;
use crate::links::{self, Content};
use crate::reach::reach_under;
use crate::{
    Alias, Event, Evidence, Expiry, Library, MarkError, MarkSetBuilder, Reach, Rules, TagTarget,
    What, presumed, tags,
};

pub use self::pointers::Follow;

/// A repository with what it keeps alive.
#[derive(Debug)]
pub struct Marked {
    /// The repository as listed.
    pub tree: RepositoryTree,
    /// What was read of it.
    pub evidence: Evidence,
    /// What it keeps alive.
    pub reach: Reach,
    /// What a policy lets go of it; none where no policy covers it.
    pub expiry: Option<Expiry>,
    /// How the marking went, step by step, where that is to be told.
    pub events: Vec<Event>,
    /// When the uploads of the tree started, by position: by their own account, else when their newest part was
    /// written. `None` where the account cannot be read: the upload is kept.
    pub started: Vec<Option<Timestamp>>,
}

/// What a repository keeps alive, what a policy lets go of it, and how that was found out.
type ReachTold = (Evidence, Reach, Option<Expiry>, Vec<Event>);

/// Marks repositories, any number at once.
#[derive(Debug)]
pub struct Marker<S> {
    library: Arc<Library<S>>,
    marks: Arc<MarkSetBuilder>,
    rules: Rules,
    policy: Option<Arc<Retention>>,
    /// How many objects of one repository are read at once; all repositories share the library's limit.
    readers_of_one: usize,
    tells: bool,
    follow: Follow,
    monitor: Arc<Monitor>,
    stop: Arc<Stop>,
}

impl<S: ReadStore> Marker<S> {
    /// A marker that reads at most `readers` objects at once and puts what it finds into `marks`.
    #[must_use]
    pub fn new(
        store: Arc<S>,
        layout: &Layout,
        readers: usize,
        marks: Arc<MarkSetBuilder>,
        rules: Rules,
        monitor: Arc<Monitor>,
    ) -> Self {
        let readers_of_one = if store.abilities().reads_in_place { 1 } else { readers.max(1) };
        let library = Arc::new(Library::new(store, layout, readers, Arc::clone(&monitor)));
        let (tells, follow, stop, policy) = (false, Follow::default(), Arc::default(), None);
        Self { library, marks, rules, policy, readers_of_one, tells, follow, monitor, stop }
    }

    /// The same marker; it reads nothing any more once `stop` was asked for.
    #[must_use]
    pub fn stopped_by(self, stop: &Arc<Stop>) -> Self {
        Self { stop: Arc::clone(stop), ..self }
    }

    /// The same marker; tags go as `policy` says.
    #[must_use]
    pub fn retaining(self, policy: Option<Arc<Retention>>) -> Self {
        Self { policy, ..self }
    }

    /// The same marker; whether it tells each step.
    #[must_use]
    pub fn telling(self, tells: bool) -> Self {
        Self { tells, ..self }
    }

    /// The same marker; of which repositories it finds out what every tag points to, also where that decides nothing.
    #[must_use]
    pub fn following(self, follow: Follow) -> Self {
        Self { follow, ..self }
    }

    /// The same marker; the manifests that it remembers take so many bytes, about.
    #[must_use]
    pub fn holding(self, bytes: usize) -> Self {
        self.library.hold(bytes);
        self
    }

    /// The same marker; it does not read what `cache` remembers, and remembers there what it reads.
    #[must_use]
    pub fn remembering(self, cache: Option<Arc<ManifestCache>>) -> Self {
        if let Some(cache) = cache {
            self.library.remember_in(cache);
        }
        self
    }

    /// The same marker; with `closely` it keeps what manifests claim of what they name, where it reads them.
    #[must_use]
    pub fn reading(self, closely: bool) -> Self {
        if closely {
            self.library.read_closely();
        }
        self
    }

    /// What was read, all that is left of a marker that has done its work.
    #[must_use]
    pub fn into_library(self) -> Arc<Library<S>> {
        self.library
    }

    /// Marks one repository. Until it returns well, the mark set cannot be sealed (G5).
    ///
    /// # Errors
    /// [`MarkError`] where the store failed in a way that leaves the repository's reach unknown.
    pub async fn mark(&self, mut tree: RepositoryTree) -> Result<Marked, MarkError> {
        self.marks.begin();
        self.date_tags(&mut tree).await?;
        let (mut evidence, reach, expiry, events) = self.reach(&mut tree).await?;
        evidence.pointers = self.pointers(&tree, &evidence).await?;
        let started = self.upload_starts(&tree).await?;
        self.marks.resolve(reach.marks(), &reach.missing)?;
        self.monitor.count(Counter::MarkedRepositories, 1);
        self.monitor.count(Counter::RecalledManifests, evidence.recalled as u64);
        Ok(Marked { tree, evidence, reach, expiry, events, started })
    }

    /// What `tree` keeps alive. What the listing passed by is listed where there may be any; what is closed is opened where
    /// that could keep more; what is presumed and not needed is looked at, until that tells nothing new.
    async fn reach(&self, tree: &mut RepositoryTree) -> Result<ReachTold, MarkError> {
        let mut is_whole = self.library.lists_all();
        loop {
            let verdicts = self.verdicts(tree);
            let rules = verdicts
                .as_ref()
                .map_or(self.rules, |verdicts| self.rules.under(verdicts.untagged));
            let evidence = self.gather(tree, rules.untagged || verdicts.is_some()).await?;
            if !std::mem::replace(&mut is_whole, true) && self.look_beside(tree, &evidence).await? {
                continue;
            }
            // Of a revision that an index names there are two.
            let steps = 2 * tree.revisions.len() + tree.layers.len();
            let mut events = Vec::with_capacity(if self.tells { steps } else { 0 });
            let mut tell = |event| events.extend(self.tells.then_some(event));
            let (reach, expiry) = reach_under(tree, &evidence, &rules, verdicts, &mut tell);
            if presumed::is_open_needed(tree, &reach, &rules) {
                self.open(tree).await?;
                continue;
            }
            let unlooked = presumed::unlooked(tree, &reach, &rules);
            if unlooked.is_empty() {
                return Ok((evidence, reach, expiry, events));
            }
            let looked = self.look(tree, unlooked).await?;
            if !presumed::settle(tree, &looked, &rules) {
                return Ok((evidence, reach, expiry, events));
            }
        }
    }

    async fn look(
        &self,
        tree: &RepositoryTree,
        unlooked: Vec<Box<str>>,
    ) -> Result<HashMap<Box<str>, Option<Object>>, MarkError> {
        let failed = |source| MarkError::Look { repository: tree.name.clone(), source };
        self.library.look(unlooked).await.map_err(failed)
    }

    /// What the policy says of the tags, where it covers the repository.
    fn verdicts(&self, tree: &RepositoryTree) -> Option<Verdicts> {
        let moment = Moment { t0: self.rules.t0, cutoff: self.rules.cutoff };
        Verdicts::of(tree, self.policy.as_ref()?, &moment)
    }

    /// Finds out when the tags were written, where that matters.
    async fn date_tags(&self, tree: &mut RepositoryTree) -> Result<(), MarkError> {
        let covers = |policy: &Arc<Retention>| policy.covers(tree.name.as_str());
        if !self.policy.as_ref().is_some_and(covers) {
            return Ok(());
        }
        self.open(tree).await?;
        let unlooked = presumed::of_tags(tree);
        if !unlooked.is_empty() {
            let looked = self.look(tree, unlooked).await?;
            tree.settle(&looked);
        }
        Ok(())
    }

    /// Reads what decides; where `tags` matter, also where they point to.
    async fn gather(&self, tree: &RepositoryTree, tags: bool) -> Result<Evidence, MarkError> {
        let mut evidence = Evidence { doubts: links::doubts_of_keys(tree), ..Evidence::default() };
        self.read_tags(tree, tags, &mut evidence).await?;
        self.read_aliases(tree, &mut evidence).await?;
        let mut unread = tree.revisions.iter().map(|link| link.digest).collect();
        loop {
            self.read_manifests(tree, unread, &mut evidence).await?;
            unread = links::served_by_layer_links(tree, &evidence);
            if unread.is_empty() {
                return Ok(evidence);
            }
        }
    }

    async fn read_manifests(
        &self,
        tree: &RepositoryTree,
        digests: Vec<Digest>,
        evidence: &mut Evidence,
    ) -> Result<(), MarkError> {
        let lost = |source| MarkError::LostReader { repository: tree.name.clone(), source };
        let Recalled { known, unread } = self.library.recall(digests).await.map_err(lost)?;
        evidence.recalled += known.len();
        evidence.manifests.extend(known);
        let repository = tree.name.clone();
        let read = move |library: Arc<Library<S>>, digest| {
            let repository = repository.clone();
            async move { Ok((digest, library.read(digest, &repository).await?)) }
        };
        evidence.manifests.extend(self.read_each(tree, unread, read).await?);
        Ok(())
    }

    /// What the tags point to. Where they do not `matter`, as every revision is a root, a tag whose history names a
    /// manifest adds nothing.
    async fn read_tags(
        &self,
        tree: &RepositoryTree,
        matter: bool,
        evidence: &mut Evidence,
    ) -> Result<(), MarkError> {
        let mut unread = Vec::new();
        for (at, tag) in tree.tags.iter().enumerate() {
            let Some(current) = &tag.current else { continue };
            if !matter && !tag.index.is_empty() {
                continue;
            }
            match tags::by_etag(tag) {
                Some(digest) => evidence.targets.push(TagTarget { tag: at, digest }),
                None => unread.push((at, current.key().into())),
            }
        }
        for (tag, content) in self.read_links(tree, unread).await? {
            let digest = links::named(content, evidence);
            evidence.targets.extend(digest.map(|digest| TagTarget { tag, digest }));
        }
        if matter {
            evidence.doubts.extend(tags::strays(tree, &evidence.targets));
        }
        Ok(())
    }

    /// What links serve under another digest than their key tells. A manifest that is served so pins its repository:
    /// no registry does that. Where we may not read such a link and the registry may, any blob can be the one that it
    /// serves, so that no pin would keep it (G4): the run cannot be completed.
    async fn read_aliases(
        &self,
        tree: &RepositoryTree,
        evidence: &mut Evidence,
    ) -> Result<(), MarkError> {
        let revisions = links::unclear_revisions(tree).map(|link| (link.clone(), true));
        let layers = links::unclear_layers(tree).map(|link| (link.clone(), false));
        let unread =
            revisions.chain(layers).map(|link| (link.clone(), link.0.listed.into_key())).collect();
        for ((link, is_revision), content) in self.read_links(tree, unread).await? {
            let digest = link.digest;
            let content = match content {
                Content::Unreadable { key, source } if source.kind == ErrorKind::Denied => {
                    return Err(MarkError::Link { key, source });
                }
                content => content,
            };
            if let Some(canonical) =
                links::named(content, evidence).filter(|other| *other != digest)
            {
                evidence.aliases.push(Alias { digest, canonical });
                evidence
                    .doubts
                    .extend(is_revision.then_some(What::OddLink { key: link.listed.into_key() }));
            }
        }
        Ok(())
    }

    /// When each upload started, read where all of its keys are old enough for that to matter.
    async fn upload_starts(
        &self,
        tree: &RepositoryTree,
    ) -> Result<Vec<Option<Timestamp>>, MarkError> {
        let (mut starts, mut unread) = (Vec::with_capacity(tree.uploads.len()), Vec::new());
        for (at, upload) in tree.uploads.iter().enumerate() {
            let newest = upload.newest();
            let is_old = newest.is_some_and(|newest| newest < self.rules.cutoff);
            if let Some(started_at) = upload.started_at.as_ref().filter(|_| is_old) {
                unread.push((at, started_at.key().into()));
            }
            starts.push(newest);
        }
        let read = |library: Arc<Library<S>>, (at, key)| async move {
            Ok((at, links::read_start(&library, key).await?))
        };
        for (at, start) in self.read_each(tree, unread, read).await? {
            let at: usize = at;
            starts[at] = start;
        }
        Ok(starts)
    }

    /// Reads links; what each was asked for comes back with its content.
    async fn read_links<M: Send + 'static>(
        &self,
        tree: &RepositoryTree,
        links: Vec<(M, Box<str>)>,
    ) -> Result<Vec<(M, Content)>, MarkError> {
        let read = |library: Arc<Library<S>>, (mark, key)| async move {
            Ok((mark, links::read(&library, key).await?))
        };
        self.read_each(tree, links, read).await
    }

    /// Reads many things of a repository at once; the answers come in the order of the questions.
    async fn read_each<T, R, W, F>(
        &self,
        tree: &RepositoryTree,
        questions: Vec<T>,
        read: W,
    ) -> Result<Vec<R>, MarkError>
    where
        T: Send + 'static,
        R: Send + 'static,
        W: Fn(Arc<Library<S>>, T) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<R, MarkError>> + Send + 'static,
    {
        let (library, stop) = (Arc::clone(&self.library), Arc::clone(&self.stop));
        let name = tree.name.clone();
        let read = move |question| {
            let stopped = stop.is_asked().then(|| MarkError::Stopped { repository: name.clone() });
            let answer = read(Arc::clone(&library), question);
            async move { if let Some(stopped) = stopped { Err(stopped) } else { answer.await } }
        };
        let lost = |source| MarkError::LostReader { repository: tree.name.clone(), source };
        crew::each(questions, self.readers_of_one, read, lost).await
    }
}

#[cfg(test)]
mod tests;
