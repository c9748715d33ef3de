//! The last look: what came to be needed comes back, and the generation ends.

use ledger::Generation;
use protocol::Step;
use store::{RestoreStore, WriteStore};

use crate::collector::Done;
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
            let (seen, objection) = self.see().await?;
            let others = self.rescue_others(generation, &seen).await?;
            let manifests = self.rescue_linked(generation, &seen).await?;
            if let Some(objection) = objection {
                return Err(CollectError::Around(objection));
            }
            // The next run tries again.
            if !self.report.not_back.is_empty() {
                return Ok(());
            }
            if !others && !manifests {
                return self.close(generation, Step::GivenBack).await;
            }
            self.go_on()?;
        }
    }
}
