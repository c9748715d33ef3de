//! Incomplete multipart uploads: listed, judged by their start and their newest part, and written where they go.

use std::sync::Arc;

use lister::ListError;
use monitor::Counter;
use planner::{MultipartSeen, Row, Standing, judge_multipart, standing};
use store::{
    ErrorKind, MultipartStep, MultipartStore, MultipartUpload, MultipartWalk, Parts, StoreError,
};

use super::Stage;
use crate::Failure;
use crate::survey::lost;

/// What a store says that has no such listing.
const UNTOLD: &str = "the store does not list them";

/// Writes the rows of those that go, and says what was seen; nothing where nobody asked for it. One request for each
/// thousand uploads, and one for each that is old.
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
    let mut walk = MultipartWalk::new(stage.survey.layout.base());
    let mut tally = Tally::default();
    loop {
        require_going(stage)?;
        match walk.next(stage.survey.store.as_ref()).await {
            Ok(MultipartStep::Uploads(uploads)) => tally.see(stage, uploads).await?,
            Ok(MultipartStep::End) => return Ok(Some(tally.told())),
            Ok(MultipartStep::Untold) => return Ok(Some(unknown(UNTOLD))),
            Err(error) if is_final(error.kind) && tally.listed == 0 => {
                tracing::warn!(%error, source = ?error.source, "multipart uploads are not known");
                return Ok(Some(unknown(&error.to_string())));
            }
            Err(error) => return Err(failed(stage, error)),
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

fn failed<S>(stage: &Stage<'_, S>, source: StoreError) -> Failure {
    let within = stage.survey.layout.base().into();
    ListError::Uploads { within, source }.into()
}

fn require_going<S>(stage: &Stage<'_, S>) -> Result<(), Failure> {
    if stage.survey.stop.is_asked() {
        return Err(Failure::Stopped { is_sweeping: false });
    }
    Ok(())
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
    fn told(self) -> MultipartSeen {
        let Self { listed, foreign, young, unread } = self;
        MultipartSeen::Known { listed, foreign, young, unread }
    }

    /// Judges a page of them.
    async fn see<S: MultipartStore>(
        &mut self,
        stage: &Stage<'_, S>,
        uploads: Vec<MultipartUpload>,
    ) -> Result<(), Failure> {
        self.listed += uploads.len() as u64;
        let mut old = Vec::new();
        for upload in uploads {
            match standing(stage.survey.layout, &upload, &stage.cutoffs) {
                Standing::Foreign => self.foreign += 1,
                Standing::Young => self.young += 1,
                Standing::Old => old.push(upload),
            }
        }
        let rows = self.judge(stage, old).await?;
        let monitor = stage.survey.monitor;
        monitor.count(Counter::PlannedObjects, rows.len() as u64);
        monitor.count(Counter::PlannedBytes, rows.iter().map(|row| row.bytes).sum());
        Ok(stage.writer.add(rows)?)
    }

    async fn judge<S: MultipartStore>(
        &mut self,
        stage: &Stage<'_, S>,
        old: Vec<MultipartUpload>,
    ) -> Result<Vec<Row>, Failure> {
        let store = Arc::clone(stage.survey.store);
        let ask = move |upload: MultipartUpload| {
            let store = Arc::clone(&store);
            async move {
                let parts = store.parts(&upload).await;
                Ok::<_, Failure>((upload, parts))
            }
        };
        let mut rows = Vec::new();
        for (upload, parts) in crew::each(old, stage.survey.width, ask, lost).await? {
            match parts {
                Ok(parts) => rows.extend(self.row(stage, &upload, parts.as_ref())),
                Err(error) if is_final(error.kind) => self.unread += 1,
                Err(error) => return Err(failed(stage, error)),
            }
        }
        Ok(rows)
    }

    /// The row of an upload that goes; one that ended meanwhile has none.
    fn row<S>(
        &mut self,
        stage: &Stage<'_, S>,
        upload: &MultipartUpload,
        parts: Option<&Parts>,
    ) -> Option<Row> {
        let row = judge_multipart(stage.survey.layout, upload, parts?, &stage.cutoffs);
        self.young += u64::from(row.is_none());
        row
    }
}
