//! Taking a generation back, all of it or what is asked for.

mod report;
mod selection;

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use ledger::{Entry, Generation, GenerationId, Held, Ledger};
use monitor::{Counter, Monitor, Phase as Progress, Stop};
use protocol::{Phase, Step, Waits};
use registry::{Digest, Layout, MANIFEST_LIMIT, Manifest, Role};
use store::{ErrorKind, RestoreStore, Trash, WriteStore};

pub use report::Undone;
pub use selection::Asked;

use crate::CollectError;
use crate::blobs::{Blob, Blobs, TakenLink};
use crate::give_back::{Giver, look_for};
use crate::unlink::LinkKind;
use selection::{Selection, Taken};

/// What an undo needs beside the store.
pub trait Keeper {
    /// Why any of it failed.
    type Error;

    /// Where the data of a generation would have gone, filled or not.
    fn trash_of(&self, generation: &GenerationId) -> Trash;

    /// Says that a generation is being taken back, before anything changes: its trash is kept meanwhile.
    ///
    /// # Errors
    /// Where that cannot be said: nothing is changed then.
    fn begun(&mut self, generation: &GenerationId)
    -> impl Future<Output = Result<(), Self::Error>>;

    /// Says that a generation is closed, and its trash may be emptied in time.
    ///
    /// # Errors
    /// Where that cannot be said; said again, it is harmless.
    fn closed(
        &mut self,
        generation: &GenerationId,
    ) -> impl Future<Output = Result<(), Self::Error>>;

    /// Says that all that was asked for was looked at, and nothing failed.
    ///
    /// # Errors
    /// Where that cannot be said; said again, it is harmless.
    fn ended(&mut self, generation: &GenerationId)
    -> impl Future<Output = Result<(), Self::Error>>;
}

/// Which generation to take back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The newest that condemned anything.
    Latest,
    /// The one of this name.
    Named(GenerationId),
}

/// How an undo works.
#[derive(Clone, Copy, Debug)]
pub struct UndoSettings {
    /// How many requests may be in flight.
    pub width: usize,
    /// Whether the store looks at conditions ([`store::heeds_conditions`]); otherwise links are written over ones that
    /// say the same.
    pub conditional: bool,
    /// Whether to look and change nothing. Of a digest only itself is then seen, unless it is there: what a manifest
    /// refers to is known when it is back.
    pub is_dry_run: bool,
}

/// Takes back what a generation deleted, and every link that it took.
///
/// All data comes back before any link, layer links before those of revisions and of tags (G8); what is there is left as it is. Cut off at
/// any instant and done again, it ends in the same objects (G11): a generation that is open stays condemned until its
/// links are back, blob by blob, and is then on record as given back. A blob of which only some links are asked for is
/// not: the next look of the collector finds it linked, and gives back the others. G12: a segment of the generation at
/// a time, the digests that are asked for, and those that are lost.
#[derive(Debug)]
pub struct Undo<S, K> {
    store: Arc<S>,
    layout: Layout,
    ledger: Ledger<S>,
    held: Held,
    keeper: K,
    settings: UndoSettings,
    monitor: Arc<Monitor>,
    stop: Arc<Stop>,
    report: Undone,
    lost: HashSet<Digest>,
}

/// What a step of an undo gives.
type Did<T, K> = Result<T, CollectError<<K as Keeper>::Error>>;

impl<S, K> Undo<S, K>
where
    S: RestoreStore + WriteStore,
    K: Keeper,
    K::Error: std::error::Error + 'static,
{
    /// An undo for the registry at `layout`. The store changes nothing once the lease is lost ([`ledger::Fenced`]); a dry
    /// run needs none ([`Held::by_nobody`]).
    pub fn new(
        store: Arc<S>,
        layout: Layout,
        held: Held,
        keeper: K,
        settings: UndoSettings,
        monitor: Arc<Monitor>,
        stop: Arc<Stop>,
    ) -> Self {
        let ledger = Ledger::new(Arc::clone(&store), &layout);
        let report = Undone { is_dry_run: settings.is_dry_run, ..Undone::default() };
        let lost = HashSet::new();
        Self { store, layout, ledger, held, keeper, settings, monitor, stop, report, lost }
    }

    /// Takes back what is asked for. Tells what was done also where it could not go on: doing it again does.
    ///
    /// # Errors
    /// [`CollectError`]; [`CollectError::NoGeneration`] where there is none.
    pub async fn run(mut self, which: &Which, asked: &Asked) -> (Undone, Did<(), K>) {
        let outcome = self.take_back(which, asked).await;
        (self.report, outcome)
    }

    async fn take_back(&mut self, which: &Which, asked: &Asked) -> Did<(), K> {
        let mut generation = self.find(which).await?;
        let id = generation.id().clone();
        self.report.generation = id.as_str().into();
        self.monitor.enter(Progress::Restoring);
        if !self.settings.is_dry_run {
            self.keeper.begun(&id).await.map_err(CollectError::Around)?;
        }
        let mut selection = Selection::of(asked);
        self.bring_data(&generation, &mut selection, asked).await?;
        for kind in LinkKind::IN_ORDER.into_iter().rev() {
            self.bring_links(&generation, &selection, kind).await?;
        }
        if self.settings.is_dry_run {
            return Ok(());
        }
        if generation.is_open() {
            self.put_on_record(&mut generation, &selection).await?;
            self.close_if_done(&mut generation).await?;
        }
        self.keeper.ended(&id).await.map_err(CollectError::Around)
    }

    async fn find(&self, which: &Which) -> Did<Generation, K> {
        let mut generations = self.ledger.generations().await?;
        generations.retain(|generation| match which {
            Which::Latest => generation.counts().condemned > 0,
            Which::Named(id) => generation.id() == id,
        });
        generations.pop().ok_or(CollectError::NoGeneration)
    }

    /// Brings back the data of all that is asked for, and of what a manifest names that came back.
    async fn bring_data(
        &mut self,
        generation: &Generation,
        selection: &mut Selection,
        asked: &Asked,
    ) -> Did<(), K> {
        self.bring_data_of(generation, selection).await?;
        let mut manifests: Vec<Digest> = asked.digest.into_iter().collect();
        while !manifests.is_empty() {
            // Only what is new: what came back before is not asked for again.
            let mut fresh = Selection::none(asked.repository.as_ref());
            let mut children = Vec::new();
            for manifest in std::mem::take(&mut manifests) {
                children.extend(self.follow(manifest, selection, &mut fresh).await?);
            }
            if fresh.is_empty() {
                return Ok(());
            }
            self.bring_data_of(generation, &fresh).await?;
            manifests = children;
        }
        Ok(())
    }

    /// Asks for what a manifest refers to, where it is one and is there; what may be manifests of these.
    async fn follow(
        &self,
        manifest: Digest,
        selection: &mut Selection,
        fresh: &mut Selection,
    ) -> Did<Vec<Digest>, K> {
        let bytes = match self.store.get(&self.layout.blob(&manifest), MANIFEST_LIMIT).await {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::TooLarge) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error.into()),
        };
        // Whatever is no manifest refers to nothing.
        let Ok(manifest) = Manifest::parse(&bytes) else { return Ok(Vec::new()) };
        let mut children = Vec::new();
        for edge in manifest.references().filter(|edge| selection.add(edge.digest)) {
            fresh.add(edge.digest);
            children.extend((edge.role == Role::Child).then_some(edge.digest));
        }
        Ok(children)
    }

    async fn bring_data_of(
        &mut self,
        generation: &Generation,
        selection: &Selection,
    ) -> Did<(), K> {
        let giver = self.giver(generation);
        let mut blobs = Blobs::of(&self.ledger, generation).await?;
        while let Some(taken) = self.next(&mut blobs, generation, selection).await? {
            let blobs: Vec<Blob> = taken.into_iter().map(|taken| taken.blob).collect();
            let keys = blobs.iter().map(|blob| blob.key.clone()).collect();
            let there = look_for(self.store.as_ref(), keys).await?;
            let (mut gone, mut present) = (Vec::new(), Vec::new());
            for (blob, there) in blobs.into_iter().zip(there) {
                if there.is_some() { present.push(blob) } else { gone.push(blob) }
            }
            self.monitor.count(Counter::SweptObjects, (present.len() + gone.len()) as u64);
            for blob in present {
                self.report.present.add(blob.size);
            }
            let back = if self.settings.is_dry_run {
                giver.is_kept(gone.clone()).await?
            } else {
                giver.restore(gone.clone()).await?
            };
            for (blob, is_back) in gone.into_iter().zip(back) {
                self.enter(blob, is_back);
            }
        }
        Ok(())
    }

    fn enter(&mut self, blob: Blob, is_back: bool) {
        if is_back {
            self.report.restored.add(blob.size);
            self.monitor.count(Counter::RestoredObjects, 1);
            return;
        }
        self.report.lost.add(blob.size);
        self.lost.insert(blob.digest);
        if self.report.missing.len() < Undone::MISSING {
            self.report.missing.push(blob.key);
        }
    }

    /// Writes the links that are asked for and are not there; none to what is lost.
    async fn bring_links(
        &mut self,
        generation: &Generation,
        selection: &Selection,
        kind: LinkKind,
    ) -> Did<(), K> {
        let giver = self.giver(generation);
        let mut blobs = Blobs::of(&self.ledger, generation).await?;
        while let Some(taken) = self.next(&mut blobs, generation, selection).await? {
            let (mut links, mut dangling) = (Vec::new(), 0);
            for Taken { blob, .. } in taken {
                let is_lost = self.lost.contains(&blob.digest);
                let of_kind = blob
                    .links
                    .into_iter()
                    .filter(|link| LinkKind::of(&self.layout, &link.key) == Some(kind));
                if is_lost { dangling += of_kind.count() as u64 } else { links.extend(of_kind) }
            }
            let all = links.len() as u64;
            let written = self.write_links(&giver, links).await?;
            self.monitor.count(Counter::SweptObjects, all + dangling);
            self.report.links += written;
            self.report.links_present += all - written;
            self.report.links_dangling += dangling;
            self.monitor.count(Counter::RestoredObjects, written);
        }
        Ok(())
    }

    /// Writes links where there are none, or counts them.
    async fn write_links(&self, giver: &Giver<S>, links: Vec<TakenLink>) -> Did<u64, K> {
        if !self.settings.is_dry_run {
            return Ok(giver.write_links(links).await?);
        }
        let keys = links.into_iter().map(|link| link.key).collect();
        let there = look_for(self.store.as_ref(), keys).await?;
        Ok(there.iter().filter(|there| there.is_none()).count() as u64)
    }

    /// Says of what is back as a whole that it is condemned no longer.
    async fn put_on_record(
        &self,
        generation: &mut Generation,
        selection: &Selection,
    ) -> Did<(), K> {
        let mut blobs = Blobs::of(&self.ledger, generation).await?;
        while let Some(taken) = self.next(&mut blobs, generation, selection).await? {
            let back = taken
                .into_iter()
                .filter(|taken| taken.is_whole && !self.lost.contains(&taken.blob.digest));
            let entries: Vec<Entry> =
                back.map(|taken| Entry::GivenBack { digest: taken.blob.digest }).collect();
            if !entries.is_empty() {
                self.ledger.append(&self.held, generation, &entries).await?;
            }
        }
        Ok(())
    }

    /// Closes a generation of which all came back, where its phase allows that; otherwise the next collection does.
    async fn close_if_done(&mut self, generation: &mut Generation) -> Did<(), K> {
        let mut blobs = Blobs::of(&self.ledger, generation).await?;
        if !blobs.next(&self.ledger, generation).await?.is_empty() {
            return Ok(());
        }
        let phase = generation.phase().resume();
        let step = match phase {
            Phase::Marking | Phase::Looking => Step::NothingLeft,
            Phase::LookingLast => Step::GivenBack,
            _ => return Ok(()),
        };
        self.keeper.closed(generation.id()).await.map_err(CollectError::Around)?;
        // No wait is looked at by these steps.
        let waits = Waits::new(Waits::QUARANTINE, Waits::QUARANTINE, <_>::default())?;
        let closed = phase.advance(step, &waits)?;
        self.ledger.record(&self.held, generation, closed).await?;
        self.report.is_closed = true;
        Ok(())
    }

    /// The next of what is asked for; `None` at the end. May be empty.
    async fn next(
        &self,
        blobs: &mut Blobs,
        generation: &Generation,
        selection: &Selection,
    ) -> Did<Option<Vec<Taken>>, K> {
        if self.stop.is_asked() {
            return Err(CollectError::Stopped);
        }
        let next = blobs.next(&self.ledger, generation).await?;
        if next.is_empty() {
            return Ok(None);
        }
        Ok(Some(next.into_iter().filter_map(|blob| selection.take(blob, &self.layout)).collect()))
    }

    fn giver(&self, generation: &Generation) -> Giver<S> {
        let UndoSettings { width, conditional, .. } = self.settings;
        let trash = self.keeper.trash_of(generation.id());
        Giver { store: Arc::clone(&self.store), trash, width, conditional }
    }
}
