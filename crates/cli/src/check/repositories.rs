//! What is wrong with each repository.

use std::sync::Arc;

use checker::{Blobs, Judgement, Kind, LinkText, Links, Report, Repository, Seen};
use marker::{Follow, MarkSetBuilder, Marked, Rules};
use planner::{Facts, Plan};
use registry::{Layout, Timestamp};
use store::{ErrorKind, ReadStore};

use super::repairs::{Draft, Pen};
use crate::Failure;
use crate::survey::{
    Answers, Marking, Questions, SeesRepositories, Survey, sole, visit_repositories,
};

/// Every tag is read, and nothing is too old to count.
const RULES: Rules = Rules::new(true, Timestamp::from_millis(i64::MIN));

/// What can be done about a registry.
pub(super) struct Judged {
    /// The plan of it, where that was wished and there is any.
    pub(super) repairs: Option<Plan>,
    /// How many repairs there would be, were everything old enough.
    pub(super) mendable: u64,
}

/// Judges every repository, and ends the plan of repairs where there is one.
pub(super) async fn judge<S: ReadStore>(
    survey: Survey<'_, S>,
    blobs: Blobs,
    links: Links,
    draft: Option<Draft<'_>>,
    report: &mut Report,
) -> Result<Judged, Failure> {
    let marks = Arc::new(MarkSetBuilder::limited(&survey.in_memory(survey.memory / 8))?);
    let (blobs, empty) = (Arc::new(blobs), Report::new(report.most()));
    let new_visitor = || Judging {
        layout: survey.layout.clone(),
        blobs: Arc::clone(&blobs),
        links,
        judged: None,
        seen: Seen::default(),
        report: empty.clone(),
        pen: draft.as_ref().map(Draft::pen),
        mendable: 0,
    };
    let marking = Marking { closely: true, ..Marking::following(RULES, Follow::Nothing) };
    let (complete, visitors) = visit_repositories(survey, &marks, marking, new_visitor).await?;
    let (mut facts, mut mendable) = (Facts::default(), 0);
    for visitor in visitors {
        report.merge(visitor.report);
        mendable += visitor.mendable;
        facts.merge(&visitor.pen.map(Pen::put_down).unwrap_or_default());
    }
    // Of keys outside all repositories only their number is known.
    report.add_unseen(Kind::ForeignKey, complete.foreign);
    report.add_unseen(Kind::OddLink, complete.stray_links);
    let Some(draft) = draft else { return Ok(Judged { repairs: None, mendable }) };
    let marks = sole(marks, "the marks are still in use")?.seal(&complete)?;
    let repairs = draft.finish(survey, &marks, facts)?;
    Ok(Judged { repairs, mendable })
}

/// Judges one repository after the other.
struct Judging {
    layout: Layout,
    blobs: Arc<Blobs>,
    links: Links,
    /// What was judged already, because nothing had to be asked.
    judged: Option<Judgement>,
    seen: Seen,
    report: Report,
    /// Where repairs are written down, where they are wished.
    pen: Option<Pen>,
    mendable: u64,
}

impl SeesRepositories for Judging {
    fn questions(&mut self, marked: &Marked) -> Result<Questions, Failure> {
        let repository = Repository::new(marked, &self.layout, &self.blobs, self.links);
        let mut judgement = repository.judge(None)?;
        if judgement.suspects.is_empty() {
            self.judged = Some(judgement);
            return Ok(Questions::default());
        }
        let suspects = std::mem::take(&mut judgement.suspects);
        let (looks, reads) = (suspects.looks.into_iter(), suspects.reads.into_iter());
        Ok(Questions { looks: looks.collect(), reads: reads.collect() })
    }

    fn hear(&mut self, answers: Answers) {
        let texts = answers.read.into_iter().map(|(key, read)| {
            let text = match read {
                Ok(text) => LinkText::Text(text),
                Err(error) if error.kind == ErrorKind::NotFound => LinkText::Gone,
                Err(_) => LinkText::Unreadable,
            };
            (key, text)
        });
        self.seen = Seen { looked: answers.looked, read: texts.collect() };
    }

    fn see(&mut self, marked: Marked) -> Result<(), Failure> {
        let judgement = if let Some(judgement) = self.judged.take() {
            judgement
        } else {
            let seen = std::mem::take(&mut self.seen);
            let repository = Repository::new(&marked, &self.layout, &self.blobs, self.links);
            repository.judge(Some(&seen))?
        };
        self.mendable += judgement.repairs.len() as u64;
        if let Some(pen) = &mut self.pen {
            pen.write(&marked, &judgement.repairs)?;
        }
        judgement.findings.into_iter().for_each(|finding| self.report.add(finding));
        judgement.images.into_iter().for_each(|image| self.report.add_image(image));
        Ok(())
    }
}
