//! Opens the store of a location and hands it to a piece of work, whichever kind it is.

use std::future::Future;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use monitor::{Monitor, Phase, Stop};
use registry::{Algorithm, FolderKind, Layout, Timestamp};
use store::{
    FileOptions, FileStore, GuardSettings, Leaf, Nest, PaceSettings, Paced, PartStore, Passage,
    ReadStore, RestoreStore, RetrySettings, S3Config, S3Store, Shape, Share, StoreError, guarded,
};

use crate::args::{StoreArgs, SweepArgs};
use crate::identify::{Identified, NotIdentified, Truth, identify};
use crate::location::{Location, Place};
use crate::{Failure, clock};

/// Requests in flight where the operator says nothing.
const BUCKET_WIDTH: usize = 64;
/// Walkers where the store is a directory: they share the processors with everything else.
const DIRECTORY_WIDTH: usize = 8;

/// An open registry.
#[derive(Debug)]
pub struct Open<S> {
    /// Its store.
    pub store: Arc<S>,
    /// Its keys.
    pub layout: Layout,
    /// How many requests may be in flight.
    pub width: usize,
    /// Whether anything is there.
    pub identified: Identified,
}

impl<S: ReadStore> Open<S> {
    /// The time by the store's clock.
    ///
    /// # Errors
    /// [`Failure::Store`] where it does not tell.
    pub async fn now(&self) -> Result<Timestamp, Failure> {
        let failed = |source| Failure::Store { location: self.store.identity().to_owned(), source };
        self.store.now().await.map_err(failed)
    }
}

/// Something to do with an open registry, on any kind of store.
pub trait Work {
    /// What it gives.
    type Out;

    /// Does it.
    ///
    /// # Errors
    /// Whatever may go wrong with it.
    fn run<S: RestoreStore + PartStore>(
        self,
        open: Open<S>,
    ) -> impl Future<Output = Result<Self::Out, Failure>>;
}

/// Who watches a run, and who may stop it.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Counts.
    pub monitor: Arc<Monitor>,
    /// Stops.
    pub stop: Arc<Stop>,
}

impl Watch {
    /// The same, with a clock by which the run's phases are remembered.
    pub(crate) fn timed() -> Self {
        Self { monitor: Arc::new(Monitor::timed(clock::start)), ..Self::default() }
    }
}

/// How a registry is opened.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Where it is.
    pub location: &'a Location,
    /// What the operator says about its store.
    pub store: &'a StoreArgs,
    /// How fast to delete; as the store bears where nothing is to be deleted.
    pub deletes: DeletePace,
    /// What is looked at although nothing of it could go, where listing does not tell it.
    pub detail: Detail,
    /// Where it is written what lives.
    pub truth: Truth,
}

/// What to look at in a store of files beyond what could go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The sizes of blobs that stay.
    pub sizes: bool,
    /// The tags of repositories that keep all they hold.
    pub tags: bool,
    /// Links that are needed: whether they are there at all.
    pub links: bool,
}

impl Detail {
    /// Everything.
    pub const FULL: Self = Self { sizes: true, tags: true, links: false };
    /// Nothing is taken for granted.
    pub const PROVEN: Self = Self { sizes: true, tags: true, links: true };
}

/// How fast to delete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeletePace {
    /// The most deletions in a second.
    pub per_second: Option<NonZeroU32>,
    /// How much to use of what the store bears.
    pub share: Share,
}

impl From<&SweepArgs> for DeletePace {
    fn from(typed: &SweepArgs) -> Self {
        let per_second = typed.max_deletes_per_second.and_then(NonZeroU32::new);
        Self { per_second, share: typed.share }
    }
}

/// Opens the store of a location, makes sure that it is a registry and ours to collect, and does `work` with it.
///
/// # Errors
/// [`Failure::Store`] where it cannot be opened, [`Failure::Refused`] where it is not ours, or what `work` says.
pub async fn with_registry<W: Work>(
    access: Access<'_>,
    watch: &Watch,
    work: W,
) -> Result<W::Out, Failure> {
    watch.monitor.enter(Phase::Opening);
    if let Some(refusal) = access.location.refusal() {
        return Err(refusal.into());
    }
    match &access.location.place {
        Place::Directory(root) => Box::pin(with_directory(access, root, watch, work)).await,
        Place::Bucket(config) => Box::pin(with_bucket(access, config, watch, work)).await,
    }
}

/// A store as it was opened, before anything is put around it.
#[derive(Debug)]
pub(crate) struct Raw<S> {
    pub(crate) store: S,
    pub(crate) layout: Layout,
    pub(crate) width: usize,
    pub(crate) guard: GuardSettings,
}

/// Opens the directory of a location.
///
/// # Errors
/// [`Failure::Store`].
pub(crate) fn directory(
    access: Access<'_>,
    root: &Path,
    watch: &Watch,
) -> Result<Raw<FileStore>, Failure> {
    let layout = Layout::new("");
    let store = open_files(root, &layout, access.detail, &watch.monitor);
    let store = store.map_err(failed_at(access.location))?;
    let width = access.store.max_in_flight.map_or(DIRECTORY_WIDTH, usize::from);
    Ok(Raw { store, layout, width, guard: guard(access, width) })
}

/// Connects to the bucket of a location.
///
/// # Errors
/// [`Failure::Store`].
pub(crate) async fn bucket(
    access: Access<'_>,
    config: &S3Config,
    watch: &Watch,
) -> Result<Raw<S3Store>, Failure> {
    let layout = Layout::new(&access.location.root_directory);
    let config = S3Config { probe_prefix: layout.base().to_owned(), ..config.clone() };
    let store = S3Store::connect(config, &watch.monitor).await;
    let store = store.map_err(failed_at(access.location))?;
    let width = access.store.max_in_flight.map_or(BUCKET_WIDTH, usize::from);
    Ok(Raw { store, layout, width, guard: guard(access, width) })
}

fn guard(access: Access<'_>, width: usize) -> GuardSettings {
    let usual = RetrySettings::default();
    let patience = access.store.patience.unwrap_or(usual.patience);
    let retry = RetrySettings { patience, ..usual };
    GuardSettings { pace: pace(width, access.deletes), retry }
}

async fn with_directory<W: Work>(
    access: Access<'_>,
    root: &Path,
    watch: &Watch,
    work: W,
) -> Result<W::Out, Failure> {
    let Raw { store, layout, width, guard } = directory(access, root, watch)?;
    if access.deletes == DeletePace::default() {
        return identified(access, Arc::new(store), layout, width, work).await;
    }
    let store = Paced::new(store, guard.pace, &watch.monitor, &watch.stop);
    identified(access, Arc::new(store), layout, width, work).await
}

async fn with_bucket<W: Work>(
    access: Access<'_>,
    config: &S3Config,
    watch: &Watch,
    work: W,
) -> Result<W::Out, Failure> {
    let Raw { store, layout, width, guard } = bucket(access, config, watch).await?;
    let store = guarded(store, guard, &watch.monitor, &watch.stop);
    identified(access, Arc::new(store), layout, width, work).await
}

fn pace(width: usize, deletes: DeletePace) -> PaceSettings {
    PaceSettings {
        lists_in_flight: width,
        gets_in_flight: width,
        deletes_in_flight: width,
        deletes_per_second: deletes.per_second,
        delete_share: deletes.share,
    }
}

async fn identified<S: RestoreStore + PartStore, W: Work>(
    access: Access<'_>,
    store: Arc<S>,
    layout: Layout,
    width: usize,
    work: W,
) -> Result<W::Out, Failure> {
    let location = access.location;
    let identified = identify_at(location, store.as_ref(), &layout, access.truth).await?;
    tracing::info!(
        location = location.describe(), store = store.identity(), width, found = ?identified,
        "opened"
    );
    work.run(Open { store, layout, width, identified }).await
}

/// Makes sure that a store holds a registry, and one that is ours to collect.
///
/// # Errors
/// [`Failure::Refused`], [`Failure::Store`].
pub(crate) async fn identify_at<S: ReadStore>(
    location: &Location,
    store: &S,
    layout: &Layout,
    truth: Truth,
) -> Result<Identified, Failure> {
    let identified = identify(store, layout, &location.describe(), truth).await;
    identified.map_err(|error| match error {
        NotIdentified::Refused(refusal) => Failure::Refused(refusal),
        NotIdentified::Store(error) => failed_at(location)(error),
    })
}

fn open_files(
    root: &Path,
    layout: &Layout,
    detail: Detail,
    monitor: &Arc<Monitor>,
) -> Result<FileStore, StoreError> {
    let (folders, passed) = (layout.clone(), layout.clone());
    let options = FileOptions {
        shape_of: Arc::new(move |folder| shape(folders.folders_in(folder)?, detail)),
        passage_of: Arc::new(move |folder| passage(passed.folders_in(folder), detail)),
        keep: vec![layout.base().to_owned(), layout.blobs(), layout.repositories()],
        clock: clock::now,
    };
    FileStore::open(root, options, Arc::clone(monitor))
}

/// How listings pass folders of the layout where tags decide nothing. Whoever wrote only sha256 has one folder there.
fn passage(inside: Option<FolderKind>, detail: Detail) -> Passage {
    match inside {
        Some(FolderKind::Tag) if !detail.tags => Passage::Closed,
        Some(FolderKind::Algorithm) if !detail.tags => Passage::Through("sha256/"),
        _ => Passage::Open,
    }
}

/// What folders of the layout hold, as files. A link is presumed where it hardly ever tells more than its key. A
/// revision link is not, because deleting a manifest through the registry leaves its folder behind. For signatures beside
/// it, who knows the manifest looks.
fn shape(kind: FolderKind, detail: Detail) -> Option<Shape> {
    let leaf = |file, is_presumed| Leaf { file, is_presumed };
    Some(match kind {
        FolderKind::Blob => Shape::Leaf(leaf("data", !detail.sizes)),
        FolderKind::Algorithm => return None,
        _ if detail.links => return None,
        // Registries write other algorithms only as aliases, which have to be read.
        FolderKind::Layer(algorithm) => Shape::Leaf(leaf("link", algorithm == Algorithm::Sha256)),
        FolderKind::Revision => Shape::Leaf(leaf("link", false)),
        FolderKind::Tag => Shape::Nest(Nest {
            counts: &[("", 2), ("current/", 0), ("index/", 1)],
            file: "current/link",
            folder: "index/sha256/",
        }),
        FolderKind::TagIndex => Shape::Leaf(leaf("link", true)),
    })
}

pub(crate) fn failed_at(location: &Location) -> impl FnOnce(StoreError) -> Failure + '_ {
    |source| Failure::Store { location: location.describe(), source }
}
