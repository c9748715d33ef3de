//! The last look: what came to be needed comes back, and the generation ends.

use ledger::Generation;
use protocol::{Last, Step, look_last};
use store::{RestoreStore, WriteStore};

use crate::blobs::Blobs;
use crate::collector::Done;
use crate::seen::Seen;
use crate::{CollectError, Collector, Surroundings};

impl<S, R> Collector<S, R>
where
    S: RestoreStore + WriteStore,
    R: Surroundings,
    R::Error: std::error::Error + 'static,
{
    /// Looks for the last time at what was deleted, until a look finds nothing more that is needed: a manifest that comes
    /// back may name more.
    pub(crate) async fn look_last(&mut self, generation: &mut Generation) -> Done<(), R> {
        self.begin_look(generation).await?;
        loop {
            let (seen, objection) = self.see(generation).await?;
            let has_restored = self.restore_needed(generation, &seen).await?;
            if let Some(objection) = objection {
                return Err(CollectError::Around(objection));
            }
            if !has_restored {
                return self.close(generation, Step::GivenBack).await;
            }
            self.go_on()?;
        }
    }

    /// Gives back what is needed; whether anything is.
    async fn restore_needed(&mut self, generation: &mut Generation, seen: &Seen) -> Done<bool, R> {
        let (mut blobs, mut has_restored) = (Blobs::of(&self.ledger, generation).await?, false);
        loop {
            let next = blobs.next(&self.ledger, generation).await?;
            if next.is_empty() {
                return Ok(has_restored);
            }
            let mut needed = Vec::new();
            for blob in next {
                match look_last(seen.evidence(&blob)?, true) {
                    Last::Restore(why) => {
                        tracing::info!(digest = %blob.digest, ?why, "restored");
                        needed.push(blob);
                    }
                    Last::Final | Last::Wait => {}
                }
            }
            has_restored |= !needed.is_empty();
            self.rescue(generation, needed).await?;
        }
    }
}
