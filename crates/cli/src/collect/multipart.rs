//! Incomplete multipart uploads: judged by their start and their newest part, and written where they go.

use monitor::Counter;
use planner::{MultipartSeen, Row, Standing, judge_multipart};
use store::MultipartStore;

use super::Stage;
use crate::Failure;
use crate::survey::{Met, Sight, Weigh, Weight, visit_uploads};

/// Writes the rows of those that go, and says what was seen; nothing where nobody asked for it.
///
/// # Errors
/// Where any may have been missed (G3). That the store has no such listing, does not allow it, or gives one that cannot be
/// believed, is no error: nobody knows then, and none goes.
pub(super) async fn judge_uploads<S: MultipartStore>(
    stage: &Stage<'_, S>,
) -> Result<Option<MultipartSeen>, Failure> {
    // Where a list decides, nothing but blobs goes.
    if !stage.ask.multipart || stage.ask.keep_list.is_some() {
        return Ok(None);
    }
    let mut tally = Tally::default();
    let see = |uploads: Vec<Met>| {
        let rows: Vec<Row> = uploads.iter().filter_map(|met| tally.see(stage, met)).collect();
        let monitor = stage.survey.monitor;
        monitor.count(Counter::PlannedObjects, rows.len() as u64);
        monitor.count(Counter::PlannedBytes, rows.iter().map(|row| row.bytes).sum());
        Ok(stage.writer.add(rows)?)
    };
    let sight = visit_uploads(stage.survey, stage.cutoffs, Weigh::Old, see).await?;
    Ok(Some(match sight {
        Sight::Whole => tally.told(),
        Sight::Unknown(why) => MultipartSeen::Unknown { why },
    }))
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Tally {
    listed: u64,
    foreign: u64,
    young: u64,
    unread: u64,
}

impl Tally {
    const fn told(self) -> MultipartSeen {
        let Self { listed, foreign, young, unread } = self;
        MultipartSeen::Known { listed, foreign, young, unread }
    }

    /// The row of an upload that goes; one that ended meanwhile has none.
    fn see<S>(&mut self, stage: &Stage<'_, S>, met: &Met) -> Option<Row> {
        self.listed += 1;
        match (met.standing, met.parts) {
            (Standing::Foreign, _) => self.foreign += 1,
            (Standing::Young, _) => self.young += 1,
            (Standing::Old, Weight::Unread) => self.unread += 1,
            (Standing::Old, Weight::Ended | Weight::Unasked) => {}
            (Standing::Old, Weight::Known(parts)) => {
                let layout = stage.survey.layout;
                let row = judge_multipart(layout, &met.upload, &parts, &stage.cutoffs);
                self.young += u64::from(row.is_none());
                return row;
            }
        }
        None
    }
}
