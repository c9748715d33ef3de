//! Incomplete multipart uploads: judged by their start and their newest part, and written where they go.

use monitor::{Counter, Monitor};
use planner::{Cutoffs, MultipartSeen, Row, Standing, judge_multipart};
use registry::Layout;
use store::MultipartStore;

use super::Stage;
use crate::Failure;
use crate::survey::{Met, MetUpload, Sight, UploadSource, UploadWalk, Weigh, Weight};

/// Writes the rows of those that go, and says what was seen; nothing where nobody asked for it.
///
/// # Errors
/// As of [`OldUploads::next`].
pub(super) async fn judge_uploads<S: MultipartStore>(
    stage: &Stage<'_, S>,
) -> Result<Option<MultipartSeen>, Failure> {
    // Where a list decides, nothing but blobs goes.
    if !stage.ask.multipart || stage.ask.keep_list.is_some() {
        return Ok(None);
    }
    let mut uploads = OldUploads::new(stage.survey.layout, stage.cutoffs);
    loop {
        match uploads.next(&stage.survey.uploads(), stage.survey.monitor).await? {
            Uploads::Old(rows) => stage.writer.add(rows)?,
            Uploads::End(seen) => return Ok(Some(seen)),
        }
    }
}

/// Some of the uploads, or the end of them.
#[derive(Debug)]
pub enum Uploads {
    /// A row for each of a page that is old enough to go; there may be none.
    Old(Vec<Row>),
    /// There are no more: what was seen of all of them.
    End(MultipartSeen),
}

/// Incomplete multipart uploads that are old, page by page (G12).
#[derive(Debug)]
pub struct OldUploads {
    walk: UploadWalk,
    tally: Tally,
    layout: Layout,
    cutoffs: Cutoffs,
}

impl OldUploads {
    /// Those of a registry; the time of the cut-offs was told before anything is asked (G1).
    #[must_use]
    pub fn new(layout: &Layout, cutoffs: Cutoffs) -> Self {
        let walk = UploadWalk::new(layout, cutoffs, Weigh::Old);
        Self { walk, tally: Tally::default(), layout: layout.clone(), cutoffs }
    }

    /// The next of them. One request for each thousand uploads, and one for each that is old.
    ///
    /// # Errors
    /// Where any may have been missed (G3). That the store has no such listing, does not allow it, or gives one that
    /// cannot be believed, is no error: nobody knows then, and none goes.
    pub async fn next<S: MultipartStore>(
        &mut self,
        source: &UploadSource<'_, S>,
        monitor: &Monitor,
    ) -> Result<Uploads, Failure> {
        match self.walk.next(source).await? {
            Met::Uploads(uploads) => {
                let rows: Vec<Row> = uploads.iter().filter_map(|met| self.row(met)).collect();
                monitor.count(Counter::PlannedObjects, rows.len() as u64);
                monitor.count(Counter::PlannedBytes, rows.iter().map(|row| row.bytes).sum());
                Ok(Uploads::Old(rows))
            }
            Met::End(Sight::Whole) => Ok(Uploads::End(self.tally.told())),
            Met::End(Sight::Unknown(why)) => Ok(Uploads::End(MultipartSeen::Unknown { why })),
        }
    }

    /// The row of an upload that goes; one that ended meanwhile has none.
    fn row(&mut self, met: &MetUpload) -> Option<Row> {
        self.tally.listed += 1;
        match (met.standing, met.parts) {
            (Standing::Foreign, _) => self.tally.foreign += 1,
            (Standing::Young, _) => self.tally.young += 1,
            (Standing::Old, Weight::Unread) => self.tally.unread += 1,
            (Standing::Old, Weight::Ended | Weight::Unasked) => {}
            (Standing::Old, Weight::Known(parts)) => {
                let row = judge_multipart(&self.layout, &met.upload, &parts, &self.cutoffs);
                self.tally.young += u64::from(row.is_none());
                return row;
            }
        }
        None
    }
}

/// What was seen so far.
#[derive(Clone, Copy, Debug, Default)]
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
}
