//! What is noted of a night for its page and its bill.

use collector::{Noted, Report, Waiting};
use planner::{Amount, Header, Requests, Row};
use registry::Timestamp;
use report::{
    Awaited, Deeds, FailedObject, Figures, Gathering, Night, NightBill, NightEnd, NightRules,
    Prices, Timeline, WaitsFor, night_page,
};
use store::ReadStore;

use crate::Failure;
use crate::location::Location;
use crate::open::Open;
use crate::render::failure_line;
use crate::reporting::Reporting;

/// What is noted of a night; begun where a collection is.
#[derive(Debug, Default)]
pub(super) struct Chronicle(Option<Pages>);

/// What there is to tell.
#[derive(Debug)]
struct Pages {
    began: Timestamp,
    identity: String,
    base: String,
    has_page: bool,
    prices: Option<Prices>,
    condemned: Gathering,
    deleted: Gathering,
    /// What the first look saw, before anything was deleted.
    stored: Option<Amount>,
    last_look: Option<Header>,
    told: Option<Told>,
}

/// How it came out.
#[derive(Debug)]
struct Told {
    report: Report,
    requests: Requests,
    condemned: Figures,
    deleted: Figures,
    bill: Option<NightBill>,
}

impl Chronicle {
    /// Begins to note, where anybody wants a page or knows prices.
    ///
    /// # Errors
    /// Where the store does not tell the time.
    pub(super) async fn begin<S: ReadStore>(
        &mut self,
        open: &Open<S>,
        reporting: &Reporting,
    ) -> Result<(), Failure> {
        let (identity, has_page) = (open.store.identity().to_owned(), reporting.is_asked());
        let prices = reporting.prices_of(&identity).cloned();
        if !has_page && prices.is_none() {
            return Ok(());
        }
        let began = open.now().await?;
        self.0 = Some(Pages {
            began,
            base: open.layout.base().to_owned(),
            identity,
            has_page,
            prices,
            condemned: Gathering::new(began),
            deleted: Gathering::new(began),
            stored: None,
            last_look: None,
            told: None,
        });
        Ok(())
    }

    /// Whether it wants to know of these. What is condemned only a page shows, and it takes requests to tell.
    pub(super) fn notes(&self, what: Noted) -> bool {
        self.0.as_ref().is_some_and(|pages| pages.has_page || what == Noted::Deleted)
    }

    /// Notes what a look said of itself.
    pub(super) fn looked(&mut self, header: &Header) {
        if let Some(pages) = &mut self.0 {
            pages.stored.get_or_insert(header.facts.blobs);
            pages.last_look = Some(header.clone());
        }
    }

    /// Notes what became of a blob.
    pub(super) fn note(&mut self, what: Noted, blob: &Row, links: &[Row]) {
        let Some(pages) = &mut self.0 else { return };
        match what {
            Noted::Condemned => pages.condemned.add(blob, links),
            Noted::Deleted => pages.deleted.add_alone(blob, links),
        }
    }

    /// Notes how it came out; what it costs, where that is known.
    pub(super) fn ended(&mut self, report: &Report, requests: Requests) -> Option<NightBill> {
        let pages = self.0.as_mut()?;
        let gathered = |gathering: &mut Gathering| {
            std::mem::replace(gathering, Gathering::new(pages.began)).finish()
        };
        let (condemned, deleted) = (gathered(&mut pages.condemned), gathered(&mut pages.deleted));
        let stored = pages.stored.unwrap_or_default().bytes;
        let of = |prices: &Prices| NightBill::of(&requests, stored, &deleted, prices);
        let bill = pages.prices.as_ref().map(of);
        let report = report.clone();
        pages.told = Some(Told { report, requests, condemned, deleted, bill: bill.clone() });
        bill
    }

    /// Writes the page, where one is wanted and a collection was begun.
    ///
    /// # Errors
    /// [`Failure::Unreported`].
    pub(super) fn write(
        self,
        reporting: Reporting,
        location: &Location,
        rules: NightRules,
        outcome: &Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Some(Pages { began, identity, base, stored, last_look, told: Some(told), .. }) = self.0
        else {
            return Ok(());
        };
        let Told { report, requests, condemned, deleted, bill } = &told;
        let why = outcome.as_ref().err().map(failure_line);
        let waiting: Vec<Awaited> =
            report.waiting.iter().map(|one| awaited(one, rules.windowed)).collect();
        let night = |timeline: &Timeline| {
            night_page(&Night {
                source: &location.source,
                identity: &identity,
                base: &base,
                created_by: env!("CARGO_PKG_VERSION"),
                began,
                rules,
                ended: ended(outcome),
                why: why.as_deref(),
                deeds: &deeds(report),
                waiting: &waiting,
                look: last_look.as_ref(),
                stored,
                condemned,
                deleted,
                requests: *requests,
                bill: bill.as_ref(),
                timeline,
            })
        };
        reporting.of_night(night)
    }
}

fn ended(outcome: &Result<(), Failure>) -> NightEnd {
    match outcome {
        Ok(()) => NightEnd::Completed,
        Err(Failure::Stopped { .. }) => NightEnd::Stopped,
        Err(Failure::Refused(_)) => NightEnd::Refused,
        Err(Failure::Partial { .. } | Failure::NotBack { .. }) => NightEnd::Partial,
        Err(_) => NightEnd::Broken,
    }
}

fn awaited(waiting: &Waiting, windowed: bool) -> Awaited {
    Awaited {
        generation: waiting.generation.to_string(),
        condemned: waiting.condemned,
        waits_for: match (waiting.is_deleted, waiting.due) {
            (false, Some(due)) if windowed => WaitsFor::Window(due),
            (false, Some(due)) => WaitsFor::Deletion(due),
            (true, Some(due)) => WaitsFor::LastLook(due),
            (_, None) => WaitsFor::NextRun,
        },
    }
}

/// The most lost objects, and the most that are not back, that a page names.
const NAMED: usize = 10;

fn deeds(report: &Report) -> Deeds {
    let lost = report.lost.iter().map(|key| FailedObject {
        key: key.to_string(),
        message: "it is needed, and was gone before it was deleted".to_owned(),
    });
    let stubborn = |object: &collector::Stubborn| FailedObject {
        key: object.key.to_string(),
        message: object.message.clone(),
    };
    let not_back = report.not_back.iter().map(stubborn);
    let failed = report.first_failed.iter().map(stubborn);
    Deeds {
        condemned: report.condemned,
        taken: report.taken,
        deleted: report.deleted,
        rescued: report.rescued,
        restored: report.restored,
        given_back: report.given_back,
        failed: report.failed,
        not_back: report.not_back.len() as u64,
        lost: report.lost.len() as u64,
        aborted: report.aborted,
        uploads: report.uploads.clone(),
        overtaken: report.overtaken,
        closed: report.closed,
        deleted_by: report.deleted_by.iter().map(ToString::to_string).collect(),
        failures: lost.take(NAMED).chain(not_back.take(NAMED)).chain(failed).collect(),
    }
}
