//! Incomplete multipart uploads: listed, judged by their start and their newest part, and written where they go.

use std::sync::Arc;

use lister::ListError;
use monitor::{Counter, Monitor, Stop};
use planner::{Cutoffs, MultipartSeen, Row, Standing, judge_multipart, standing};
use registry::Layout;
use store::{
    ErrorKind, MultipartStep, MultipartStore, MultipartUpload, MultipartWalk, Parts, StoreError,
};

use super::Stage;
use crate::Failure;
use crate::survey::lost;

/// What a store says that has no such listing.
const UNTOLD: &str = "the store does not list them";

/// Writes the rows of those that go, and says what was seen; nothing where nobody asked for it.
///
/// # Errors
/// As [`OldUploads::next`].
pub(super) async fn judge_uploads<S: MultipartStore>(
    stage: &Stage<'_, S>,
) -> Result<Option<MultipartSeen>, Failure> {
    // Where a list decides, nothing but blobs goes.
    if !stage.ask.multipart || stage.ask.keep_list.is_some() {
        return Ok(None);
    }
    let survey = &stage.survey;
    let asking = Asking {
        store: survey.store,
        layout: survey.layout,
        width: survey.width,
        monitor: survey.monitor,
        stop: survey.stop,
    };
    let mut uploads = OldUploads::new(survey.layout, stage.cutoffs);
    loop {
        match uploads.next(&asking).await? {
            Uploads::Old(rows) => stage.writer.add(rows)?,
            Uploads::End(seen) => return Ok(Some(seen)),
        }
    }
}

/// Of whom is asked what uploads there are.
#[derive(Debug)]
pub struct Asking<'a, S> {
    /// The store.
    pub store: &'a Arc<S>,
    /// The registry's keys.
    pub layout: &'a Layout,
    /// How many uploads are asked for their parts at once.
    pub width: usize,
    /// Counts rows.
    pub monitor: &'a Monitor,
    /// Ends it.
    pub stop: &'a Stop,
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
    walk: MultipartWalk,
    tally: Tally,
    cutoffs: Cutoffs,
}

impl OldUploads {
    /// Those of a registry; the time of the cut-offs was told before anything is asked (G1).
    #[must_use]
    pub fn new(layout: &Layout, cutoffs: Cutoffs) -> Self {
        Self { walk: MultipartWalk::new(layout.base()), tally: Tally::default(), cutoffs }
    }

    /// The next of them. One request for each thousand uploads, and one for each that is old.
    ///
    /// # Errors
    /// Where any may have been missed (G3). That the store has no such listing, does not allow it, or gives one that cannot
    /// be believed, is no error: nobody knows then, and none goes.
    pub async fn next<S: MultipartStore>(
        &mut self,
        asking: &Asking<'_, S>,
    ) -> Result<Uploads, Failure> {
        asking.require_going()?;
        match self.walk.next(asking.store.as_ref()).await {
            Ok(MultipartStep::Uploads(uploads)) => {
                self.tally.see(asking, uploads, &self.cutoffs).await
            }
            Ok(MultipartStep::End) => Ok(Uploads::End(self.tally.told())),
            Ok(MultipartStep::Untold) => Ok(Uploads::End(unknown(UNTOLD))),
            Err(error) if is_final(error.kind) && self.tally.listed == 0 => {
                tracing::warn!(%error, source = ?error.source, "multipart uploads are not known");
                Ok(Uploads::End(unknown(&error.to_string())))
            }
            Err(error) => Err(asking.failed(error)),
        }
    }
}

/// Whether the store would say the same tomorrow: no plan has to wait for what never comes.
const fn is_final(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Denied | ErrorKind::Malformed)
}

fn unknown(why: &str) -> MultipartSeen {
    MultipartSeen::Unknown { why: why.to_owned() }
}

impl<S> Asking<'_, S> {
    fn failed(&self, source: StoreError) -> Failure {
        let within = self.layout.base().into();
        ListError::Uploads { within, source }.into()
    }

    fn require_going(&self) -> Result<(), Failure> {
        if self.stop.is_asked() {
            return Err(Failure::Stopped { is_sweeping: false });
        }
        Ok(())
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

    /// Judges a page of them.
    async fn see<S: MultipartStore>(
        &mut self,
        asking: &Asking<'_, S>,
        uploads: Vec<MultipartUpload>,
        cutoffs: &Cutoffs,
    ) -> Result<Uploads, Failure> {
        self.listed += uploads.len() as u64;
        let mut old = Vec::new();
        for upload in uploads {
            match standing(asking.layout, &upload, cutoffs) {
                Standing::Foreign => self.foreign += 1,
                Standing::Young => self.young += 1,
                Standing::Old => old.push(upload),
            }
        }
        let rows = self.judge(asking, old, cutoffs).await?;
        asking.monitor.count(Counter::PlannedObjects, rows.len() as u64);
        asking.monitor.count(Counter::PlannedBytes, rows.iter().map(|row| row.bytes).sum());
        Ok(Uploads::Old(rows))
    }

    async fn judge<S: MultipartStore>(
        &mut self,
        asking: &Asking<'_, S>,
        old: Vec<MultipartUpload>,
        cutoffs: &Cutoffs,
    ) -> Result<Vec<Row>, Failure> {
        let store = Arc::clone(asking.store);
        let ask = move |upload: MultipartUpload| {
            let store = Arc::clone(&store);
            async move {
                let parts = store.parts(&upload).await;
                Ok::<_, Failure>((upload, parts))
            }
        };
        let mut rows = Vec::new();
        for (upload, parts) in crew::each(old, asking.width, ask, lost).await? {
            match parts {
                Ok(parts) => rows.extend(self.row(asking.layout, &upload, parts.as_ref(), cutoffs)),
                Err(error) if is_final(error.kind) => self.unread += 1,
                Err(error) => return Err(asking.failed(error)),
            }
        }
        Ok(rows)
    }

    /// The row of an upload that goes; one that ended meanwhile has none.
    fn row(
        &mut self,
        layout: &Layout,
        upload: &MultipartUpload,
        parts: Option<&Parts>,
        cutoffs: &Cutoffs,
    ) -> Option<Row> {
        let row = judge_multipart(layout, upload, parts?, cutoffs);
        self.young += u64::from(row.is_none());
        row
    }
}
