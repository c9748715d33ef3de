//! The second look: what comes back, and what is deleted.

use std::collections::HashSet;

use ledger::{Entry, Generation};
use protocol::{Evidence, Phase, Second, Step, look_again};
use registry::Digest;
use store::{RestoreStore, WriteStore};

use crate::blobs::{Blob, Blobs};
use crate::collector::Done;
use crate::seen::Seen;
use crate::{CollectError, Collector, Surroundings};

impl<S, R> Collector<S, R>
where
    S: RestoreStore + WriteStore,
    R: Surroundings,
    R::Error: std::error::Error + 'static,
{
    /// Looks again at what is condemned: gives back what is needed, and deletes the rest.
    pub(crate) async fn look_again(&mut self, generation: &mut Generation) -> Done<(), R> {
        self.begin_look(generation).await?;
        let (seen, objection) = self.see(generation).await?;
        let is_any_left = self.rescue_needed(generation, &seen).await?;
        if !is_any_left {
            return self.close(generation, Step::NothingLeft).await;
        }
        if let Some(objection) = objection {
            return Err(CollectError::Around(objection));
        }
        self.step(generation, Step::GivenBack).await?;
        if self.delete(generation, &seen).await? > 0 {
            // The next run looks again, and tries again.
            return Ok(());
        }
        self.step(generation, Step::Deleted).await?;
        self.purge(generation).await
    }

    /// Puts on record that a look begins; one that another process took counts for nothing (G11).
    pub(crate) async fn begin_look(&self, generation: &mut Generation) -> Done<(), R> {
        match generation.phase() {
            Phase::Quarantined { .. } | Phase::Settling { .. } => {
                let now = self.store.now().await?;
                self.step(generation, Step::LookBegins { now }).await
            }
            phase => self.record(generation, phase.resume()).await,
        }
    }

    /// Gives back what is needed; whether anything is condemned still.
    async fn rescue_needed(&mut self, generation: &mut Generation, seen: &Seen) -> Done<bool, R> {
        let (mut blobs, mut is_any_left) = (Blobs::of(&self.ledger, generation).await?, false);
        loop {
            let next = blobs.next(&self.ledger, generation).await?;
            if next.is_empty() {
                return Ok(is_any_left);
            }
            let rewritten = self.rewritten(&next, seen).await?;
            let mut needed = Vec::new();
            for blob in next {
                let rewritten = rewritten.contains(&blob.digest);
                let evidence = Evidence { rewritten, ..seen.evidence(&blob)? };
                match look_again(evidence, true) {
                    Second::Rescue(why) => {
                        tracing::debug!(digest = %blob.digest, ?why, "given back");
                        needed.push(blob);
                    }
                    Second::Delete | Second::Wait => is_any_left = true,
                }
            }
            self.rescue(generation, needed).await?;
        }
    }

    /// Which of these have data that is not what was condemned. What is gone is not among them.
    async fn rewritten(&self, blobs: &[Blob], seen: &Seen) -> Done<HashSet<Digest>, R> {
        let changed: Vec<&Blob> = blobs.iter().filter(|blob| !seen.is_as_condemned(blob)).collect();
        let there = self.look_at(&changed).await?;
        let rewritten = changed
            .iter()
            .zip(there)
            .filter(|(blob, modified)| modified.is_some_and(|modified| modified > blob.modified));
        Ok(rewritten.map(|(blob, _)| blob.digest).collect())
    }

    /// Gives blobs back, and puts that on record.
    pub(crate) async fn rescue(
        &mut self,
        generation: &mut Generation,
        blobs: Vec<Blob>,
    ) -> Done<(), R> {
        if blobs.is_empty() {
            return Ok(());
        }
        let restored = self.give_back(generation.id(), &blobs).await?;
        self.report.restored += restored;
        self.report.rescued += blobs.len() as u64 - restored;
        let entry = |blob: &Blob| Entry::GivenBack { digest: blob.digest };
        let entries: Vec<Entry> = blobs.iter().map(entry).collect();
        Ok(self.ledger.append(&self.held, generation, &entries).await?)
    }
}
