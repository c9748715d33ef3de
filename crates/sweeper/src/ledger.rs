//! The accounts of a sweep (G10).

use std::collections::BTreeMap;

use planner::{Part, Row, RowKind, Segment, Stage};
use store::{KeyFailure, KeyOutcome};

use crate::cut::{HeldBack, Place};
use crate::journal::JournalState;
use crate::obstacles::{Obstacles, is_link};
use crate::report::{Balance, Ended, FailedObject, SweepReport};
use crate::{Cause, Count, Fates};

/// What became of every segment so far. Its size is that of the list of segments.
#[derive(Debug)]
pub(crate) struct Ledger {
    accounts: Vec<Account>,
    held_back: BTreeMap<RowKind, Count>,
    failures: Vec<FailedObject>,
    obstacles: Obstacles,
}

#[derive(Debug)]
struct Account {
    stage: Stage,
    part: Part,
    planned: Count,
    fates: BTreeMap<RowKind, Fates>,
}

impl Account {
    fn new(segment: &Segment) -> Self {
        let planned = Count { objects: segment.rows, bytes: segment.bytes };
        Self { stage: segment.stage, part: segment.part, planned, fates: BTreeMap::new() }
    }

    fn fates(&self) -> Fates {
        let mut sum = Fates::default();
        self.fates.values().for_each(|fates| sum += *fates);
        sum
    }
}

impl Ledger {
    /// Opens an account for each segment, with what earlier sweeps did.
    pub(crate) fn open(segments: &[Segment], state: &JournalState) -> Result<Self, Cause> {
        let mut accounts: Vec<_> = segments.iter().map(Account::new).collect();
        for (number, known) in state.segments() {
            let at = *number as usize;
            let found = segments.get(at).zip(accounts.get_mut(at));
            let (segment, account) = found.ok_or(Cause::StrangeSegment { number: *number })?;
            account.fates.clone_from(&known.fates);
            let last = known.intended.max().map_or(0, u64::from);
            let is_of_stage = known.fates.keys().all(|kind| kind.stage() == segment.stage);
            if last >= segment.rows || !is_of_stage {
                return Err(Cause::OtherRows { file: segment.file() });
            }
        }
        let obstacles = spared_links(state);
        Ok(Self { accounts, held_back: BTreeMap::new(), failures: Vec::new(), obstacles })
    }

    /// Accounts of nothing.
    pub(crate) fn empty() -> Self {
        let obstacles = Obstacles::default();
        Self { accounts: Vec::new(), held_back: BTreeMap::new(), failures: Vec::new(), obstacles }
    }

    /// Enters what became of a row.
    pub(crate) fn enter(&mut self, place: Place, row: &Row, outcome: &KeyOutcome) {
        let count = Count::one(row.bytes);
        let fates = self.fates_at(place.segment, row.kind);
        match outcome {
            KeyOutcome::Deleted(_) => fates.deleted += count,
            KeyOutcome::Rewritten => fates.rewritten += count,
            KeyOutcome::Gone => fates.already_gone += count,
            KeyOutcome::Spared => fates.spared += count,
            KeyOutcome::Failed(failure) => {
                fates.failed += count;
                self.note(row, failure);
            }
        }
        if is_link(row.kind) && matches!(outcome, KeyOutcome::Spared | KeyOutcome::Failed(_)) {
            self.obstacles.add(row);
        }
    }

    fn note(&mut self, row: &Row, failure: &KeyFailure) {
        if self.failures.len() < SweepReport::FAILURES {
            let (key, failure) = (row.key.clone(), failure.clone());
            self.failures.push(FailedObject { key, failure });
        }
    }

    /// Enters rows that were passed over.
    pub(crate) fn hold_back(&mut self, rows: HeldBack) {
        for ((segment, kind), count) in rows {
            self.fates_at(segment, kind).spared += count;
            *self.held_back.entry(kind).or_default() += count;
        }
    }

    /// Enters all blobs that have no outcome as passed over.
    pub(crate) fn hold_back_blobs(&mut self) {
        let blobs = self.accounts.iter_mut().filter(|account| account.stage == Stage::Blobs);
        for account in blobs {
            let left = Balance::of(account.planned, account.fates()).left;
            account.fates.entry(RowKind::Blob).or_default().spared += left;
            *self.held_back.entry(RowKind::Blob).or_default() += left;
        }
    }

    fn fates_at(&mut self, segment: u32, kind: RowKind) -> &mut Fates {
        self.accounts[segment as usize].fates.entry(kind).or_default()
    }

    /// G8: links that stay.
    pub(crate) fn obstacles(&self) -> &Obstacles {
        &self.obstacles
    }

    /// Whether every row of a stage has a final outcome; none failed, none was held back.
    pub(crate) fn is_settled(&self, stage: Stage) -> bool {
        self.accounts.iter().filter(|account| account.stage == stage).all(|account| {
            let fates = account.fates();
            fates.failed.objects == 0 && fates.total() == account.planned
        }) && self.held_back.values().all(|count| count.objects == 0)
    }

    pub(crate) fn has(&self, stage: Stage) -> bool {
        self.accounts.iter().any(|account| account.stage == stage)
    }

    /// All outcomes together.
    pub(crate) fn fates(&self) -> Fates {
        let mut sum = Fates::default();
        self.accounts.iter().for_each(|account| sum += account.fates());
        sum
    }

    /// Draws up the report.
    pub(crate) fn report(self, ended: Ended) -> SweepReport {
        let mut kinds = BTreeMap::<RowKind, Fates>::new();
        for (kind, fates) in self.accounts.iter().flat_map(|account| &account.fates) {
            *kinds.entry(*kind).or_default() += *fates;
        }
        let planned = self.accounts.iter().map(|account| account.planned).sum();
        let total = Balance::of(planned, self.fates());
        let balance = |account: &Account| {
            let place = (account.stage, account.part);
            (place, Balance::of(account.planned, account.fates()))
        };
        let parts = self.accounts.iter().map(balance).collect();
        let (held_back, failures) = (self.held_back, self.failures);
        SweepReport { ended, total, parts, kinds, held_back, failures }
    }
}

/// Links that an earlier sweep found written since they were listed; the journal does not say where. Links that failed
/// then are tried again now.
fn spared_links(state: &JournalState) -> Obstacles {
    let mut obstacles = Obstacles::default();
    let kinds = state.segments().values().flat_map(|segment| &segment.fates);
    kinds
        .filter(|(kind, fates)| is_link(**kind) && fates.spared.objects > 0)
        .for_each(|(kind, _)| obstacles.add_elsewhere(kind.stage()));
    obstacles
}
