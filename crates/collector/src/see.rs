//! Looking, over all generations at once: what one of them gives back may name what another one holds.

use std::collections::HashSet;

use ledger::Generation;
use protocol::{Last, look_last};
use registry::Digest;
use store::{RestoreStore, WriteStore};

use crate::blobs::{Blob, Blobs};
use crate::collector::Done;
use crate::seen::Seen;
use crate::{CollectError, Collector, Look, Purpose, Surroundings};

impl<S, R> Collector<S, R>
where
    S: RestoreStore + WriteStore,
    R: Surroundings,
    R::Error: std::error::Error + 'static,
{
    /// Asks the registry's cache of all that is condemned, then looks; in this order, so that what is written between is
    /// seen.
    pub(crate) async fn see(&mut self) -> Done<(Seen, Option<R::Error>), R> {
        let (mut believed, mut held) = (HashSet::new(), Vec::new());
        for generation in self.open_generations().await? {
            let mut blobs = Blobs::of(&self.ledger, &generation).await?;
            loop {
                let next = blobs.next(&self.ledger, &generation).await?;
                if next.is_empty() {
                    break;
                }
                let digests: Vec<Digest> = next.iter().map(|blob| blob.digest).collect();
                let answers = self.around.believes(&digests).await.map_err(CollectError::Around)?;
                // Of what nobody answers it may be believed (G4).
                let answers = answers.into_iter().chain(std::iter::repeat(true));
                let answers = digests.iter().zip(answers);
                believed.extend(answers.filter_map(|(digest, is)| is.then_some(*digest)));
                held.extend(digests);
            }
        }
        let look = self.look(Purpose::Again, &held).await?;
        Seen::new(look, self.layout.clone(), believed).await
    }

    /// Looks, and notes how long that takes.
    pub(crate) async fn look(
        &mut self,
        purpose: Purpose,
        held: &[Digest],
    ) -> Done<Look<R::Error>, R> {
        let begun = (self.settings.clock)();
        let look = self.around.look(purpose, held).await.map_err(CollectError::Around)?;
        let took = (self.settings.clock)().saturating_duration_since(begun);
        self.report.looked = self.report.looked.max(took);
        Ok(look)
    }

    pub(crate) async fn open_generations(&self) -> Done<Vec<Generation>, R> {
        let mut generations = self.ledger.generations().await?;
        generations.retain(Generation::is_open);
        Ok(generations)
    }

    /// Blobs of generations that are not closed.
    pub(crate) async fn held_blobs(&self) -> Done<Vec<Digest>, R> {
        let mut held = Vec::new();
        for generation in self.open_generations().await? {
            let mut blobs = Blobs::of(&self.ledger, &generation).await?;
            loop {
                let next = blobs.next(&self.ledger, &generation).await?;
                if next.is_empty() {
                    break;
                }
                held.extend(next.iter().map(|blob| blob.digest));
            }
        }
        Ok(held)
    }

    /// Gives back what is needed of all generations but `current`, due or not. Whether another look may see more.
    pub(crate) async fn rescue_others(
        &mut self,
        current: &Generation,
        seen: &Seen,
    ) -> Done<bool, R> {
        let mut any_manifest = false;
        for mut other in self.open_generations().await? {
            if other.id() != current.id() {
                any_manifest |= self.rescue_linked(&mut other, seen).await?;
            }
        }
        Ok(any_manifest)
    }

    /// Gives back what is needed of one generation, whatever became of it. Whether another look may see more: after taken
    /// manifests are linked again, or data is back that may be a manifest's.
    pub(crate) async fn rescue_linked(
        &mut self,
        generation: &mut Generation,
        seen: &Seen,
    ) -> Done<bool, R> {
        let (mut blobs, mut any_manifest) = (Blobs::of(&self.ledger, generation).await?, false);
        let restored = self.report.restored;
        loop {
            let next = blobs.next(&self.ledger, generation).await?;
            if next.is_empty() {
                return Ok(any_manifest || self.report.restored > restored);
            }
            let mut needed: Vec<Blob> = Vec::new();
            for blob in next {
                if let Last::Restore(why) = look_last(seen.evidence(&blob)?, true) {
                    tracing::info!(digest = %blob.digest, ?why, "given back");
                    needed.push(blob);
                }
            }
            any_manifest |= needed.iter().any(|blob| self.is_manifest(blob));
            self.rescue(generation, needed).await?;
        }
    }
}
