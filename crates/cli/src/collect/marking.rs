//! Repositories: listed, marked and judged as they come.

use std::sync::Arc;

use lister::Complete;
use marker::{DigestSet, DigestSetBuilder, Follow, MarkSetBuilder, Marked, Rules};
use monitor::Monitor;
use planner::{Cutoffs, Doubts, Facts, PlanWriter, judge_repository};
use registry::RepositoryName;
use store::ReadStore;

use super::by_rule::ByRule;
use super::observing::Observer;
use super::seen::{Seen, Told, told};
use super::{Stage, count_planned};
use crate::Failure;
use crate::survey::{Marking, SeesRepositories, sole, visit_repositories};

/// What marking all repositories gave.
#[derive(Debug)]
pub(super) struct AllMarked {
    pub(super) complete: Complete,
    pub(super) facts: Facts,
    pub(super) doubts: Doubts,
    pub(super) unlinked: DigestSet,
    pub(super) told: Vec<Told>,
    pub(super) pinned: Vec<RepositoryName>,
    pub(super) by_rule: ByRule,
}

/// Lists and marks every repository, and writes the rows of their dead links; by a keep list there are none.
pub(super) async fn mark_repositories<S: ReadStore>(
    stage: &Stage<'_, S>,
    marks: &Arc<MarkSetBuilder>,
    rules: Rules,
) -> Result<AllMarked, Failure> {
    let memory = stage.survey.in_memory(stage.ask.memory / 8);
    let unlinked = Arc::new(DigestSetBuilder::limited(&memory)?);
    let judge = || Judge {
        cutoffs: stage.cutoffs,
        writer: Arc::clone(stage.writer),
        unlinked: Arc::clone(&unlinked),
        monitor: Arc::clone(stage.survey.monitor),
        tells: stage.ask.listener.is_some(),
        seen: Seen::default(),
    };
    let marking = Marking {
        rules,
        retention: stage.ask.retention(),
        follow: Follow::Nothing,
        tells: stage.ask.listener.is_some(),
        closely: false,
    };
    let survey = stage.survey;
    let (complete, parts): (_, Vec<Seen>) = match &stage.ask.keep_list {
        None => {
            let (complete, all) = visit_repositories(survey, marks, marking, judge).await?;
            (complete, all.into_iter().map(|judge| judge.seen).collect())
        }
        Some(list) => {
            let new = || Observer::new(stage.cutoffs, list, &unlinked);
            let (complete, all) = visit_repositories(survey, marks, marking, new).await?;
            (complete, all.into_iter().map(Observer::into_seen).collect())
        }
    };
    let mut seen = Seen::default();
    for part in parts {
        seen.merge(part);
    }
    seen.facts.foreign_keys += complete.foreign;
    seen.facts.stray_links += complete.stray_links;
    let unlinked = sole(unlinked, "a judge is left")?.finish()?;
    let Seen { facts, doubts, told, pinned, by_rule } = seen;
    let doubts = sorted(&doubts);
    Ok(AllMarked { complete, facts, doubts, unlinked, told, pinned, by_rule })
}

/// The same registry gives the same plan, whichever repository was marked first.
fn sorted(doubts: &Doubts) -> Doubts {
    let mut sample = doubts.sample().to_vec();
    sample.sort_unstable_by(|a, b| (&a.repository, &a.what).cmp(&(&b.repository, &b.what)));
    let unseen = doubts.total() - sample.len() as u64;
    let mut sorted = Doubts::default();
    for doubt in sample {
        sorted.add(doubt);
    }
    sorted.add_unseen(unseen);
    sorted
}

/// Judges the links of repositories.
struct Judge {
    cutoffs: Cutoffs,
    writer: Arc<PlanWriter>,
    unlinked: Arc<DigestSetBuilder>,
    monitor: Arc<Monitor>,
    tells: bool,
    seen: Seen,
}

impl SeesRepositories for Judge {
    fn see(&mut self, marked: Marked) -> Result<(), Failure> {
        let judged = judge_repository(&marked, &self.cutoffs);
        self.seen.see(&marked, &judged.facts);
        self.seen.by_rule.see(marked.expiry.as_ref(), &judged.rows);
        if self.tells {
            self.seen.told.push(told(marked, &self.cutoffs));
        }
        self.unlinked.add(judged.rows.iter().filter_map(|row| row.digest))?;
        count_planned(&self.monitor, &judged.rows);
        Ok(self.writer.add(judged.rows)?)
    }
}
