//! Marks repositories: reads what must be read, then follows it.

use std::collections::HashSet;
use std::sync::Arc;

use lister::{Link, RepositoryTree};
use monitor::{Counter, Monitor};
use registry::{Algorithm, Digest, Layout, Role, Timestamp, parse_link};
use store::{ErrorKind, Object, ReadStore, StoreError};
use tokio::task::JoinSet;

use crate::{Evidence, Known, Library, MarkError, MarkSetBuilder, Reach, TagTarget, What, reach, tags};

/// What keeps a manifest alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether only tagged manifests, what they reach, and young ones are kept; otherwise every revision is.
    pub untagged: bool,
    /// Links written at or after this are too young to judge (G1).
    pub cutoff: Timestamp,
}

/// A repository with what it keeps alive.
#[derive(Debug)]
pub struct Marked {
    /// The repository as listed.
    pub tree: RepositoryTree,
    /// What it keeps alive.
    pub reach: Reach,
    /// Uploads of the tree, by position, whose start could not be told; they are kept.
    pub started: Vec<Option<Timestamp>>,
}

/// The longest content of any link: a sha512 digest with room for what was appended by mistake.
const LINK_LIMIT: u64 = 1024;

/// Marks repositories, any number at once.
#[derive(Debug)]
pub struct Marker<S> {
    store: Arc<S>,
    library: Arc<Library<S>>,
    marks: Arc<MarkSetBuilder>,
    rules: Rules,
    monitor: Arc<Monitor>,
}

impl<S> Clone for Marker<S> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            library: Arc::clone(&self.library),
            marks: Arc::clone(&self.marks),
            rules: self.rules,
            monitor: Arc::clone(&self.monitor),
        }
    }
}

impl<S: ReadStore> Marker<S> {
    /// A marker that reads at most `readers` manifests at once and puts what it finds into `marks`.
    #[must_use]
    pub fn new(
        store: Arc<S>,
        layout: &Layout,
        readers: usize,
        marks: Arc<MarkSetBuilder>,
        rules: Rules,
        monitor: Arc<Monitor>,
    ) -> Self {
        let library = Library::new(Arc::clone(&store), layout, readers, Arc::clone(&monitor));
        Self { store, library: Arc::new(library), marks, rules, monitor }
    }

    /// Marks one repository. Until it returns well, the mark set cannot be sealed (G5).
    ///
    /// # Errors
    /// [`MarkError`] where the store failed in a way that leaves the repository's reach unknown.
    pub async fn mark(&self, tree: RepositoryTree) -> Result<Marked, MarkError> {
        self.marks.begin();
        let evidence = self.gather(&tree).await?;
        let reach = reach(&tree, &evidence, &self.rules);
        let started = self.upload_starts(&tree).await?;
        self.marks.resolve(reach.marks.iter().copied(), &reach.missing);
        self.monitor.count(Counter::MarkedRepositories, 1);
        Ok(Marked { tree, reach, started })
    }

    async fn gather(&self, tree: &RepositoryTree) -> Result<Evidence, MarkError> {
        let mut evidence = Evidence { doubts: doubts_of_keys(tree), ..Evidence::default() };
        if self.rules.untagged {
            self.read_tags(tree, &mut evidence).await?;
        }
        self.read_aliases(tree, &mut evidence).await?;
        let revisions = tree.revisions.iter().map(|link| link.digest).collect();
        self.read_manifests(tree, revisions, &mut evidence).await?;
        loop {
            let more = served_by_layer_links(tree, &evidence);
            if more.is_empty() {
                return Ok(evidence);
            }
            self.read_manifests(tree, more, &mut evidence).await?;
        }
    }

    async fn read_manifests(
        &self,
        tree: &RepositoryTree,
        digests: Vec<Digest>,
        evidence: &mut Evidence,
    ) -> Result<(), MarkError> {
        let mut group = JoinSet::new();
        for digest in digests {
            let (library, repository) = (Arc::clone(&self.library), tree.name.clone());
            group.spawn(async move { (digest, library.read(digest, &repository).await) });
        }
        while let Some(joined) = group.join_next().await {
            let (digest, known) = joined.map_err(|source| MarkError::LostReader {
                repository: tree.name.clone(),
                source,
            })?;
            evidence.manifests.insert(digest, known?);
        }
        Ok(())
    }

    async fn read_tags(&self, tree: &RepositoryTree, evidence: &mut Evidence) -> Result<(), MarkError> {
        for (at, tag) in tree.tags.iter().enumerate() {
            let Some(current) = &tag.current else { continue };
            let digest = match tags::by_etag(tree, tag) {
                Some(digest) => Some(digest),
                None => self.read_link(current, evidence).await?,
            };
            evidence.targets.extend(digest.map(|digest| TagTarget { tag: at, digest }));
        }
        Ok(())
    }

    /// Layer links whose key does not tell what they serve: another algorithm, or content of another length.
    async fn read_aliases(
        &self,
        tree: &RepositoryTree,
        evidence: &mut Evidence,
    ) -> Result<(), MarkError> {
        for link in tree.layers.iter().filter(|link| is_alias(link)) {
            let canonical = self.read_link(&link.object, evidence).await?;
            if let Some(canonical) = canonical.filter(|canonical| *canonical != link.digest) {
                evidence.aliases.insert(link.digest, canonical);
            }
        }
        Ok(())
    }

    /// The digest in a link. A link that vanished names nothing any more; one that is broken is a doubt.
    async fn read_link(
        &self,
        link: &Object,
        evidence: &mut Evidence,
    ) -> Result<Option<Digest>, MarkError> {
        let content = match self.store.get(&link.key, LINK_LIMIT).await {
            Ok(content) => content,
            Err(error) => return unread_link(link, error, evidence),
        };
        match parse_link(&content) {
            Ok(digest) => Ok(Some(digest)),
            Err(error) => {
                evidence.doubts.push(What::BrokenLink { key: link.key.clone(), error });
                Ok(None)
            }
        }
    }

    /// When each upload started by its own account, where all of its keys are old enough for that to matter.
    async fn upload_starts(&self, tree: &RepositoryTree) -> Result<Vec<Option<Timestamp>>, MarkError> {
        let mut starts = Vec::with_capacity(tree.uploads.len());
        for upload in &tree.uploads {
            let newest = upload.parts.iter().chain(&upload.started_at).map(|part| part.modified).max();
            starts.push(match &upload.started_at {
                Some(started_at) if newest.is_some_and(|newest| newest < self.rules.cutoff) => {
                    self.read_start(started_at).await?
                }
                Some(_) | None => newest,
            });
        }
        Ok(starts)
    }

    /// The registry takes a start that it cannot read for one that has not come yet; so `None` keeps the upload.
    async fn read_start(&self, started_at: &Object) -> Result<Option<Timestamp>, MarkError> {
        match self.store.get(&started_at.key, LINK_LIMIT).await {
            Ok(content) => Ok(std::str::from_utf8(&content).ok().and_then(|text| text.parse().ok())),
            Err(error) if is_answer(error.kind) => Ok(None),
            Err(source) => Err(MarkError::Link { key: started_at.key.clone(), source }),
        }
    }
}

/// A link that could not be read: gone is an answer, forbidden is a doubt, anything else ends the run.
fn unread_link(
    link: &Object,
    error: StoreError,
    evidence: &mut Evidence,
) -> Result<Option<Digest>, MarkError> {
    let key = link.key.clone();
    match error.kind {
        ErrorKind::NotFound => Ok(None),
        kind if is_answer(kind) => {
            evidence.doubts.push(What::OddLink { key });
            Ok(None)
        }
        _ => Err(MarkError::Link { key, source: error }),
    }
}

/// Whether a failure says something definite about the object itself.
fn is_answer(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::TooLarge)
}

fn is_alias(link: &Link) -> bool {
    link.digest.algorithm() != Algorithm::Sha256 || (has_other_length(link) && link.object.size > 0)
}

/// Whether the content of a link cannot be the digest in its key.
fn has_other_length(link: &Link) -> bool {
    let digest = &link.digest;
    link.object.size != (digest.algorithm().name().len() + 1 + digest.as_bytes().len() * 2) as u64
}

fn doubts_of_keys(tree: &RepositoryTree) -> Vec<What> {
    let half_written = |link: &&Link| match link.digest.algorithm() {
        Algorithm::Sha256 => has_other_length(link),
        Algorithm::Sha384 | Algorithm::Sha512 => link.object.size == 0,
    };
    let key = |object: &Object| object.key.clone();
    let irregular = (!tree.name.is_regular()).then_some(What::IrregularName);
    let odd = tree.odd_links.iter().map(|object| What::OddLink { key: key(object) });
    let links = tree.revisions.iter().chain(&tree.layers).filter(half_written);
    let broken = links.map(|link| What::HalfWrittenLink { key: key(&link.object) });
    irregular.into_iter().chain(odd).chain(broken).collect()
}

/// Manifests not yet read that no revision link serves but a layer link does, as registry 2.1 kept them: what tags
/// point to or once pointed to, and children that say they are manifests.
fn served_by_layer_links(tree: &RepositoryTree, evidence: &Evidence) -> Vec<Digest> {
    let layers: HashSet<Digest> = tree.layers.iter().map(|link| link.digest).collect();
    let tagged = tree.tags.iter().flat_map(|tag| &tag.index).map(|link| link.digest);
    let targets = evidence.targets.iter().map(|target| target.digest);
    let manifests = evidence.manifests.values().filter_map(|known| match known {
        Known::Manifest(manifest) => Some(manifest),
        Known::Missing | Known::Doubtful(_) => None,
    });
    let children = manifests.flat_map(|manifest| manifest.references());
    let children = children
        .filter(|edge| edge.role == Role::Child && edge.target.is_some())
        .map(|edge| edge.digest);
    let unread = |digest: &Digest| layers.contains(digest) && !evidence.manifests.contains_key(digest);
    let distinct: HashSet<Digest> =
        tagged.chain(targets).chain(children).filter(unread).collect();
    distinct.into_iter().collect()
}
