//! Taking links: those of tags, then revisions, then layers (G8).

use ledger::{Generation, GenerationId};
use monitor::{Counter, Phase as Progress};
use registry::{KeyKind, Layout, Timestamp};
use store::{Doomed, KeyOutcome, RestoreStore, Trash, Version, WriteStore};

use crate::blobs::{Blobs, TakenLink};
use crate::collector::Done;
use crate::delete::Fate;
use crate::told::OnRecord;
use crate::{CollectError, Collector, Surroundings};

/// What became of the links of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Each was taken as it was listed, or stays and will be seen.
    AsListed,
    /// A revision link was written again before it was taken, or may have been: somebody pushed its manifest, which perhaps
    /// left no other trace.
    Overtaken,
}

/// What is taken, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkKind {
    TagIndex,
    Revision,
    Layer,
}

impl LinkKind {
    pub(crate) const IN_ORDER: [Self; 3] = [Self::TagIndex, Self::Revision, Self::Layer];

    pub(crate) fn of(layout: &Layout, key: &str) -> Option<Self> {
        match layout.classify(key) {
            KeyKind::TagIndex { .. } => Some(Self::TagIndex),
            KeyKind::Revision { .. } => Some(Self::Revision),
            KeyKind::Layer { .. } => Some(Self::Layer),
            _ => None,
        }
    }
}

impl<S, R> Collector<S, R>
where
    S: RestoreStore + WriteStore,
    R: Surroundings,
    R::Error: std::error::Error + 'static,
{
    /// Takes the links to all that is condemned. One that cannot be taken is seen by the next look.
    pub(crate) async fn unlink(&mut self, generation: &Generation) -> Done<Taken, R> {
        self.monitor.enter(Progress::SweepingLinks);
        let begun = (self.settings.clock)();
        let taken = self.unlink_all(generation).await;
        self.report.taking += (self.settings.clock)().saturating_duration_since(begun);
        taken
    }

    async fn unlink_all(&mut self, generation: &Generation) -> Done<Taken, R> {
        for kind in LinkKind::IN_ORDER {
            if self.unlink_kind(generation, kind).await? == Taken::Overtaken {
                tracing::info!(generation = %generation.id(), "overtaken by a push");
                return Ok(Taken::Overtaken);
            }
        }
        Ok(Taken::AsListed)
    }

    async fn unlink_kind(&mut self, generation: &Generation, kind: LinkKind) -> Done<Taken, R> {
        let mut blobs = Blobs::of(&self.ledger, generation).await?;
        loop {
            let next = blobs.next(&self.ledger, generation).await?;
            if next.is_empty() {
                return Ok(Taken::AsListed);
            }
            let links = next.into_iter().flat_map(|blob| blob.links);
            let links = links.filter(|link| LinkKind::of(&self.layout, &link.key) == Some(kind));
            let mut links: Vec<TakenLink> = links.collect();
            while !links.is_empty() {
                let rest = links.split_off(self.at_once().min(links.len()));
                if self.take(generation.id(), links, kind).await? == Taken::Overtaken {
                    return Ok(Taken::Overtaken);
                }
                links = rest;
            }
        }
    }

    /// Takes links of one kind that may be asked for at once; what is known of them is told, whatever failed. Of revision
    /// links it is made sure what they were.
    async fn take(
        &mut self,
        generation: &GenerationId,
        links: Vec<TakenLink>,
        kind: LinkKind,
    ) -> Done<Taken, R> {
        let is_revision = kind == LinkKind::Revision;
        let trash = if is_revision { self.trash(generation).await? } else { None };
        let on_record: Vec<OnRecord> = links.iter().map(OnRecord::from).collect();
        let doomed = links.into_iter().map(|link| Doomed {
            key: link.key,
            modified: link.listed,
            upload: None,
        });
        let (fates, asked) = self.delete_objects(doomed.collect(), trash.as_ref()).await?;
        let known = |(fate, on_record): (Option<Fate>, OnRecord)| Some((fate?, on_record));
        let fates: Vec<(Fate, OnRecord)> =
            fates.into_iter().zip(on_record).filter_map(known).collect();
        let of_known = fates.iter().map(|(fate, on_record)| (fate, on_record.clone()));
        let told = self.tell(generation, of_known).await;
        let taken = self.settle_links(fates);
        told?;
        asked?;
        for link in taken.iter().filter(|_| is_revision) {
            if self.was_overtaken(link, trash.as_ref()).await? {
                return Ok(Taken::Overtaken);
            }
        }
        Ok(Taken::AsListed)
    }

    /// Counts what became of links; those that were taken.
    fn settle_links(&mut self, fates: Vec<(Fate, OnRecord)>) -> Vec<Doomed> {
        let mut taken = Vec::new();
        self.monitor.count(Counter::SweptObjects, fates.len() as u64);
        for ((doomed, outcome), _) in fates {
            match outcome {
                KeyOutcome::Deleted(_) => taken.push(doomed),
                KeyOutcome::Failed(failure) => self.report.fail(&doomed.key, &failure),
                KeyOutcome::Gone | KeyOutcome::Spared | KeyOutcome::Rewritten => {}
            }
        }
        self.report.taken += taken.len() as u64;
        taken
    }

    /// Whether what was in a link's place when it was removed had been written since it was listed; doubt says so (G4).
    async fn was_overtaken(&self, link: &Doomed, trash: Option<&Trash>) -> Done<bool, R> {
        let removed = match trash {
            Some(trash) => self.moved(&link.key, trash).await?,
            None => self.hidden(&link.key).await?,
        };
        Ok(removed.is_none_or(|removed| removed > link.modified))
    }

    /// When what lies in the trash was written.
    async fn moved(&self, key: &str, trash: &Trash) -> Done<Option<Timestamp>, R> {
        let Some(place) = trash.key_of(key) else { return Ok(None) };
        let looked = self.store.look(vec![place.into()]).await?;
        Ok(looked.into_iter().flatten().next().map(|object| object.modified))
    }

    /// When what is under the newest delete marker of a key was written. Where there is an object again, the link is there
    /// and will be seen.
    async fn hidden(&self, key: &str) -> Done<Option<Timestamp>, R> {
        let versions = self.store.versions(key).await?;
        Ok(versions.iter().find_map(|version| match version {
            Version::Object { modified, .. } => Some(*modified),
            Version::Marker(_) => None,
        }))
    }

    async fn trash(&mut self, generation: &GenerationId) -> Done<Option<Trash>, R> {
        self.around.trash(generation).await.map_err(CollectError::Around)
    }
}
