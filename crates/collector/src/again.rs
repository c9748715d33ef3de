//! The second look: what comes back, and what is deleted.

use std::collections::HashSet;

use ledger::{Entry, Generation};
use protocol::{Evidence, Phase, Second, Step, look_again};
use registry::{Digest, KeyKind};
use store::{RestoreStore, WriteStore};

use crate::blobs::{Blob, Blobs};
use crate::collector::Done;
use crate::seen::Seen;
use crate::{CollectError, Collector, Surroundings};

/// What a look gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rescued {
    /// Everything: nothing is condemned any more.
    All,
    /// Manifests that were taken, or data that may be a manifest's: more may be needed.
    Manifests,
    /// Some, or nothing.
    Some,
}

impl<S, R> Collector<S, R>
where
    S: RestoreStore + WriteStore,
    R: Surroundings,
    R::Error: std::error::Error + 'static,
{
    /// Looks again at what is condemned: gives back what is needed, and deletes the rest.
    pub(crate) async fn look_again(&mut self, generation: &mut Generation) -> Done<(), R> {
        self.begin_look(generation).await?;
        let (seen, objection) = loop {
            let (seen, objection) = self.see().await?;
            let others = self.rescue_others(generation, &seen).await?;
            match self.rescue_needed(generation, &seen).await? {
                // The next run tries again.
                _ if !self.report.not_back.is_empty() => return Ok(()),
                Rescued::All => return self.close(generation, Step::NothingLeft).await,
                Rescued::Some if !others => break (seen, objection),
                // What they name is seen now that they are linked again.
                Rescued::Manifests | Rescued::Some => self.go_on()?,
            }
        };
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

    /// Gives back what is needed.
    async fn rescue_needed(
        &mut self,
        generation: &mut Generation,
        seen: &Seen,
    ) -> Done<Rescued, R> {
        let mut blobs = Blobs::of(&self.ledger, generation).await?;
        let (mut is_any_left, mut any_manifest) = (false, false);
        let restored = self.report.restored;
        loop {
            let next = blobs.next(&self.ledger, generation).await?;
            if next.is_empty() {
                break;
            }
            let rewritten = self.rewritten(&next, seen).await?;
            let mut needed = Vec::new();
            for blob in next {
                let rewritten = rewritten.contains(&blob.digest);
                let evidence = Evidence { rewritten, ..seen.evidence(&blob)? };
                match look_again(evidence, true) {
                    Second::Rescue(why) => {
                        tracing::debug!(digest = %blob.digest, ?why, "given back");
                        any_manifest |= self.is_manifest(&blob);
                        needed.push(blob);
                    }
                    Second::Delete | Second::Wait => is_any_left = true,
                }
            }
            self.rescue(generation, needed).await?;
        }
        any_manifest |= self.report.restored > restored;
        Ok(match (is_any_left, any_manifest) {
            (false, _) => Rescued::All,
            (true, true) => Rescued::Manifests,
            (true, false) => Rescued::Some,
        })
    }

    /// Whether a repository served it as a manifest when it was condemned.
    pub(crate) fn is_manifest(&self, blob: &Blob) -> bool {
        let is_revision = |key: &str| matches!(self.layout.classify(key), KeyKind::Revision { .. });
        blob.links.iter().any(|link| is_revision(&link.key))
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
        let given = self.give_back(generation.id(), blobs).await?;
        self.report.restored += given.restored;
        self.report.rescued += given.back.len() as u64 - given.restored;
        let entry = |blob: &Blob| Entry::GivenBack { digest: blob.digest };
        let entries: Vec<Entry> = given.back.iter().map(entry).collect();
        if entries.is_empty() {
            return Ok(());
        }
        Ok(self.ledger.append(&self.held, generation, &entries).await?)
    }
}
