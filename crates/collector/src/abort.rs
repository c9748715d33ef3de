//! Aborting incomplete multipart uploads that were left long ago.

use monitor::{Counter, Phase as Progress};
use planner::Row;
use store::{DeleteBatch, Doomed, KeyOutcome, RestoreStore, WriteStore};

use crate::collector::Done;
use crate::surroundings::Uploads;
use crate::{CollectError, Collector, Surroundings};

/// The most uploads that are aborted in one batch: each is looked at right before, so that a batch takes as many steps.
const ABORTS: usize = 64;

impl<S, R> Collector<S, R>
where
    S: RestoreStore + WriteStore,
    R: Surroundings,
    R::Error: std::error::Error + 'static,
{
    /// Aborts uploads that nothing was added to for long. They need no record: nothing leads to one, who is cut off finds
    /// the others again, and to abort one again is harmless (G11).
    pub(crate) async fn abort_uploads(&mut self) -> Done<(), R> {
        loop {
            self.go_on()?;
            match self.around.uploads().await.map_err(CollectError::Around)? {
                Uploads::Old(rows) => self.abort_all(rows).await?,
                Uploads::End(seen) => {
                    self.report.uploads = Some(seen);
                    return Ok(());
                }
            }
        }
    }

    async fn abort_all(&mut self, mut rows: Vec<Row>) -> Done<(), R> {
        let width = self.settings.width.div_ceil(DeleteBatch::COPIES).max(1);
        let batch = self.batch().min(ABORTS);
        while !rows.is_empty() {
            self.go_on()?;
            self.monitor.enter(Progress::SweepingBlobs);
            let rest = rows.split_off(batch.saturating_mul(width).min(rows.len()));
            self.abort(rows, batch, width).await?;
            rows = rest;
        }
        Ok(())
    }

    /// Aborts as many as may be asked for at once; what is known of them is told, whatever failed.
    async fn abort(&mut self, rows: Vec<Row>, batch: usize, width: usize) -> Done<(), R> {
        let doomed = rows.iter().map(|row| Doomed {
            key: row.key.clone(),
            modified: row.modified,
            upload: row.upload.clone(),
        });
        let (fates, asked) = self.delete_in(doomed.collect(), None, batch, width).await?;
        let known = |(row, fate): (Row, Option<_>)| fate.map(|(_, outcome)| (row, outcome));
        let outcomes: Vec<(Row, KeyOutcome)> =
            rows.into_iter().zip(fates).filter_map(known).collect();
        self.count_aborted(&outcomes);
        if self.around.hears() && !outcomes.is_empty() {
            self.around.witness(None, outcomes).await.map_err(CollectError::Around)?;
        }
        Ok(asked?)
    }

    fn count_aborted(&mut self, outcomes: &[(Row, KeyOutcome)]) {
        self.monitor.count(Counter::SweptObjects, outcomes.len() as u64);
        for (row, outcome) in outcomes {
            match outcome {
                KeyOutcome::Deleted(_) => {
                    self.report.aborted.add(row.bytes);
                    self.monitor.count(Counter::DeletedObjects, 1);
                    self.monitor.count(Counter::FreedBytes, row.bytes);
                }
                KeyOutcome::Failed(failure) => {
                    self.report.fail(&row.key, failure);
                    self.monitor.count(Counter::FailedObjects, 1);
                }
                // Completed, aborted by somebody else, or in use again.
                KeyOutcome::Gone | KeyOutcome::Spared | KeyOutcome::Rewritten => {}
            }
        }
    }
}
