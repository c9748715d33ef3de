//! The page that `--report` asks for.

use std::io;
use std::path::{Path, PathBuf};

use planner::{Amount, Header, Plan, PlanId, Requests, Totals};
use report::{Bill, Ended, FailedObject, Figures, Outcome, Prices, Subject, Timeline, page};
use sweeper::{Count, SweepReport};

use crate::args::ReportArgs;
use crate::collect::requests;
use crate::open::Watch;
use crate::pricing::{Pricing, Running, without};
use crate::recorder::Recorder;
use crate::render::failure_line;
use crate::whole_file::{self, Readers};
use crate::{Console, Failure};

/// A report that may be asked for, and the prices that a run goes by, from before anything is done.
#[derive(Debug, Default)]
pub(crate) struct Reporting {
    asked: Option<Asked>,
    pricing: Pricing,
}

#[derive(Debug)]
struct Asked {
    file: PathBuf,
    recorder: Option<Recorder>,
}

/// A plan that is about to be consumed, as far as the report is about it.
#[derive(Debug)]
pub(crate) struct About {
    id: PlanId,
    header: Header,
    totals: Totals,
    figures: Figures,
    /// What had been asked of the store before.
    before: Requests,
}

impl Reporting {
    /// Looks whether the report can be written, so that nobody learns at the end that it cannot, and starts to record.
    /// `made` is a directory that the run makes.
    ///
    /// # Errors
    /// [`Failure::File`] where the file is there and none, or its directory is not, or the prices are none.
    pub(crate) fn begin(
        args: &ReportArgs,
        made: Option<&Path>,
        watch: &Watch,
    ) -> Result<Self, Failure> {
        let mut reporting = Self::of(args, made)?;
        if let Some(asked) = &mut reporting.asked {
            asked.recorder = Some(Recorder::start(&watch.monitor));
        }
        Ok(reporting)
    }

    /// The same, of a plan that is there: nothing is recorded.
    ///
    /// # Errors
    /// As [`Reporting::begin`].
    pub(crate) fn of(args: &ReportArgs, made: Option<&Path>) -> Result<Self, Failure> {
        let pricing = Pricing::of(args.prices.as_deref())?;
        let Some(file) = args.report.clone() else { return Ok(Self { asked: None, pricing }) };
        whole_file::check(&file, made).map_err(failure(&file))?;
        Ok(Self { asked: Some(Asked { file, recorder: None }), pricing })
    }

    /// What a plan costs and saves, where there are prices.
    ///
    /// # Errors
    /// Where the plan cannot be read.
    pub(crate) fn bill(&self, plan: &Plan) -> Result<Option<Bill>, Failure> {
        self.pricing.bill(plan)
    }

    /// The same of a plan that is about to be carried out, where `before` had been asked of the store.
    ///
    /// # Errors
    /// Where the plan cannot be read.
    pub(crate) fn running(
        &self,
        plan: &Plan,
        before: Requests,
    ) -> Result<Option<Running>, Failure> {
        self.pricing.running(plan, before)
    }

    /// Takes up what the report is to say of `plan`. `before` is what had been asked of the store for other things.
    ///
    /// # Errors
    /// Where the plan cannot be read.
    pub(crate) fn about(&self, plan: &Plan, before: Requests) -> Result<Option<About>, Failure> {
        if self.asked.is_none() {
            return Ok(None);
        }
        let figures = Figures::of(plan)?;
        let (id, header, totals) = (plan.id(), plan.header().clone(), *plan.totals());
        Ok(Some(About { id, header, totals, figures, before }))
    }

    /// Writes the report of a plan that is not carried out.
    ///
    /// # Errors
    /// [`Failure::Unreported`]; where the plan cannot be read.
    pub(crate) fn planned(self, plan: &Plan) -> Result<(), Failure> {
        let about = self.about(plan, Requests::default())?;
        self.write(about, None)
    }

    /// Writes the report of a plan that was carried out, however far. Where a sweep never began, there is none.
    ///
    /// # Errors
    /// [`Failure::Unreported`].
    pub(crate) fn swept(
        self,
        about: Option<About>,
        swept: &Result<SweepReport, Failure>,
        watch: &Watch,
    ) -> Result<(), Failure> {
        let report = match swept {
            Ok(report) => report,
            Err(Failure::Sweep(error)) if !error.cause.says_nothing_to_do() => &error.report,
            Err(_) => return Ok(()),
        };
        let before = about.as_ref().map(|about| about.before).unwrap_or_default();
        let asked = without(requests(&watch.monitor), before);
        self.write(about, Some(&outcome(report, asked)))
    }

    /// Whether a page is asked for.
    pub(crate) const fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// What a store asks for, where that is known.
    pub(crate) fn prices_of(&self, identity: &str) -> Option<&Prices> {
        self.pricing.known_for(identity)
    }

    /// Writes the page that `shown` makes of how a run went on, where one is asked for: the run has no plan.
    ///
    /// # Errors
    /// [`Failure::Unreported`].
    pub(crate) fn of_night(self, shown: impl FnOnce(&Timeline) -> String) -> Result<(), Failure> {
        self.asked.map_or(Ok(()), |asked| asked.leave(false, shown))
    }

    fn write(self, about: Option<About>, outcome: Option<&Outcome>) -> Result<(), Failure> {
        let (Some(asked), Some(about)) = (self.asked, about) else { return Ok(()) };
        let About { id, header, totals, figures, .. } = &about;
        let (id, prices) = (*id, self.pricing.prices());
        asked.leave(true, |timeline| {
            page(&Subject { id, header, totals, figures, outcome, timeline, prices })
        })
    }
}

impl Asked {
    /// Ends the recording, and writes the page.
    fn leave(self, has_plan: bool, shown: impl FnOnce(&Timeline) -> String) -> Result<(), Failure> {
        let Self { file: path, recorder } = self;
        let timeline = recorder.map(Recorder::finish).unwrap_or_default();
        whole_file::replace(&path, &shown(&timeline), Readers::AsUsual)
            .map_err(|source| Failure::Unreported { path, source, has_plan })
    }
}

/// How a command ends that was also asked for a report: what it did weighs more than whether it could be told.
pub(crate) fn conclude(
    outcome: Result<(), Failure>,
    written: Result<(), Failure>,
    console: Console,
) -> Result<(), Failure> {
    match (outcome, written) {
        (Err(outcome), Err(unreported)) => {
            console.warn(&failure_line(&unreported));
            Err(outcome)
        }
        (outcome, written) => outcome.and(written),
    }
}

fn failure(file: &Path) -> impl Fn(io::Error) -> Failure {
    let path = file.to_owned();
    move |source| Failure::File { path: path.clone(), source }
}

fn outcome(report: &SweepReport, requests: Requests) -> Outcome {
    let amount = |count: Count| Amount { count: count.objects, bytes: count.bytes };
    let total = &report.total;
    let failed = |failed: &sweeper::FailedObject| FailedObject {
        key: failed.key.to_string(),
        message: failed.failure.to_string(),
    };
    Outcome {
        ended: match report.ended {
            sweeper::Ended::Completed => Ended::Completed,
            sweeper::Ended::Stopped => Ended::Stopped,
            sweeper::Ended::Broken => Ended::Broken,
        },
        planned: amount(total.planned),
        deleted: amount(total.fates.deleted),
        already_gone: amount(total.fates.already_gone),
        spared: amount(total.fates.spared),
        failed: amount(total.fates.failed),
        left: amount(total.left),
        failures: report.failures.iter().map(failed).collect(),
        requests,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn what_was_done_weighs_more_than_whether_it_could_be_told() {
        let console = Console {
            stderr_is_terminal: false,
            stdout_has_colour: false,
            stderr_has_colour: false,
            form: crate::Form::Text,
        };
        let unreported = || Failure::Unreported {
            path: "report.html".into(),
            source: io::Error::other("full"),
            has_plan: true,
        };
        let stopped = || Failure::Stopped { is_sweeping: true };
        let code =
            |outcome, written| conclude(outcome, written, console).map_err(|error| error.code());
        assert_eq!(code(Ok(()), Ok(())), Ok(()));
        assert_eq!(code(Ok(()), Err(unreported())), Err(Code::Partial));
        assert_eq!(code(Err(stopped()), Ok(())), Err(Code::Stopped));
        assert_eq!(code(Err(stopped()), Err(unreported())), Err(Code::Stopped));
    }
}
