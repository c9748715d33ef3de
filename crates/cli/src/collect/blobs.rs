//! Blobs: compared with the marks, and written where nothing needs them.

use std::sync::Arc;

use monitor::{Counter, Monitor};
use planner::{BlobJudge, Facts, JudgedBlobs, PlanWriter};
use store::{Listed, ReadStore};

use super::{Stage, count_planned};
use crate::Failure;
use crate::survey::{SeesBlobs, sole, visit_blobs};

/// Lists every blob and writes the rows of those that go. Gives back the judge and what was seen.
pub(super) async fn judge_blobs<S: ReadStore>(
    stage: &Stage<'_, S>,
    judge: BlobJudge,
) -> Result<(BlobJudge, Facts), Failure> {
    let judge = Arc::new(judge);
    let (bench, writer) = (Arc::clone(&judge), Arc::clone(stage.writer));
    let monitor = Arc::clone(stage.survey.monitor);
    let new_visitor = move || Judging {
        judge: Arc::clone(&bench),
        writer: Arc::clone(&writer),
        monitor: Arc::clone(&monitor),
        facts: Facts::default(),
    };
    let ranges = visit_blobs(stage.survey, new_visitor).await?;
    let mut facts = Facts::default();
    for range in ranges {
        facts.merge(&range.facts);
    }
    Ok((sole(judge, "blobs are still being judged")?, facts))
}

/// Judges the pages of one range.
struct Judging {
    judge: Arc<BlobJudge>,
    writer: Arc<PlanWriter>,
    monitor: Arc<Monitor>,
    facts: Facts,
}

impl SeesBlobs for Judging {
    fn see(&mut self, page: Vec<Listed>) -> Result<Vec<Box<str>>, Failure> {
        let JudgedBlobs { rows, facts, unlooked } = self.judge.judge(page)?;
        self.monitor.count(Counter::Blobs, facts.blobs.count);
        self.monitor.count(Counter::BlobBytes, facts.blobs.bytes);
        self.monitor.count(Counter::ForeignKeys, facts.foreign_keys);
        count_planned(&self.monitor, &rows);
        self.facts.merge(&facts);
        self.writer.add(rows)?;
        Ok(unlooked)
    }
}
