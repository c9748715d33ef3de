//! What became of a plan.

use std::collections::BTreeMap;
use std::fmt;

use planner::{Part, RowKind, Stage};
use store::KeyFailure;

use crate::obstacles::is_link;
use crate::{Count, Fates};

/// How a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every row has an outcome.
    Completed,
    /// It was asked to stop; the rows that are left can be swept by another run.
    Stopped,
    /// Something went wrong; the rows that are left can be swept by another run.
    Broken,
}

/// Planned objects and what became of them: `planned = fates + left` (G10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What the plan says.
    pub planned: Count,
    /// What became of them.
    pub fates: Fates,
    /// Without an outcome; none where the sweep is completed.
    pub left: Count,
}

/// An object that could not be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedObject {
    /// Its key.
    pub key: Box<str>,
    /// What the store said.
    pub failure: KeyFailure,
}

/// Outcomes that do not add up to the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Imbalance {
    /// More outcomes than planned objects, or objects without an outcome in a completed sweep.
    #[error("planned are {} objects, outcomes are {}", balance.planned.objects, balance.fates.total().objects)]
    Total {
        /// The numbers.
        balance: Balance,
    },
    /// The same in one part of a stage.
    #[error("in {}/{part} planned are {} objects, outcomes are {}", stage.name(), balance.planned.objects, balance.fates.total().objects)]
    Part {
        /// The stage.
        stage: Stage,
        /// The part: a shard, or all of a small stage.
        part: Part,
        /// The numbers.
        balance: Balance,
    },
    /// The parts are not the whole.
    #[error("the sum over {parts} is not the total")]
    Parts {
        /// Which parts.
        parts: &'static str,
    },
}

/// What became of a plan, by this sweep and earlier ones of the same plan.
#[derive(Clone, PartialEq)]
pub struct SweepReport {
    /// How this sweep ended.
    pub ended: Ended,
    /// All of the plan.
    pub total: Balance,
    /// The same by stage and part: one for a small stage, one for each shard of another.
    pub parts: BTreeMap<(Stage, Part), Balance>,
    /// What became of the objects of each kind.
    pub kinds: BTreeMap<RowKind, Fates>,
    /// Of the spared: held back because a link stays that may lead to them (G8). Another run takes them up, unless
    /// [`SweepReport::needs_new_plan`].
    pub held_back: BTreeMap<RowKind, Count>,
    /// The first objects of this run that could not be deleted, at most [`SweepReport::FAILURES`].
    pub failures: Vec<FailedObject>,
}

/// Without the parts: their sum is the total.
impl fmt::Debug for SweepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ended, total, parts: _, kinds, held_back, failures } = self;
        f.debug_struct("SweepReport")
            .field("ended", ended)
            .field("total", total)
            .field("kinds", kinds)
            .field("held_back", held_back)
            .field("failures", failures)
            .finish_non_exhaustive()
    }
}

impl Balance {
    /// Planned objects and their fates; what is left is the rest.
    pub(crate) fn of(planned: Count, fates: Fates) -> Self {
        Self { planned, fates, left: planned.without(fates.total()).unwrap_or_default() }
    }

    fn is_even(&self, ended: Ended) -> bool {
        let is_whole = self.left == Count::default() || ended != Ended::Completed;
        is_whole && self.planned == self.fates.total() + self.left
    }

    fn plus(self, other: &Self) -> Self {
        let mut fates = self.fates;
        fates += other.fates;
        Self { planned: self.planned + other.planned, fates, left: self.left + other.left }
    }
}

impl SweepReport {
    /// How many failures are kept word for word.
    pub const FAILURES: usize = 20;

    /// Whether every planned object is accounted for, in every part of every stage and in total (G10).
    ///
    /// # Errors
    /// [`Imbalance`], the first one found.
    pub fn check(&self) -> Result<(), Imbalance> {
        for ((stage, part), balance) in &self.parts {
            if !balance.is_even(self.ended) {
                let (stage, part, balance) = (*stage, *part, *balance);
                return Err(Imbalance::Part { stage, part, balance });
            }
        }
        if !self.total.is_even(self.ended) {
            return Err(Imbalance::Total { balance: self.total });
        }
        if self.parts.values().fold(Balance::default(), Balance::plus) != self.total {
            return Err(Imbalance::Parts { parts: "segments" });
        }
        let mut kinds = Fates::default();
        self.kinds.values().for_each(|fates| kinds += *fates);
        if kinds == self.total.fates { Ok(()) } else { Err(Imbalance::Parts { parts: "kinds" }) }
    }

    /// Whether links were written since they were listed. Somebody pushed meanwhile, and what the links lead to is
    /// needed again: only a new plan can tell what goes.
    #[must_use]
    pub fn needs_new_plan(&self) -> bool {
        let held_back = |kind| self.held_back.get(kind).copied().unwrap_or_default();
        self.kinds.iter().any(|(kind, fates)| is_link(*kind) && fates.spared != held_back(kind))
    }

    /// Whether everything planned is gone or was written since: nothing failed, was held back or is left.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let held_back: Count = self.held_back.values().copied().sum();
        let rest = self.total.fates.failed + held_back + self.total.left;
        self.ended == Ended::Completed && rest.objects == 0
    }
}
