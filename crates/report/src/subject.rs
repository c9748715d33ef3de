//! All that a page is made of.

use planner::{Amount, Header, Plan, PlanId, Totals, allows_sweep};

use crate::{Figures, Outcome, Prices, Timeline};

/// All that a page is made of.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// What the plan is called by.
    pub id: PlanId,
    /// What the plan says about itself.
    pub header: &'a Header,
    /// What the plan deletes, by kind.
    pub totals: &'a Totals,
    /// What its rows add up to.
    pub figures: &'a Figures,
    /// What became of it; none where it was not carried out.
    pub outcome: Option<&'a Outcome>,
    /// How the run went on; empty where it was not watched.
    pub timeline: &'a Timeline,
    /// What the store asks for.
    pub prices: &'a Prices,
}

impl<'a> Subject<'a> {
    /// A plan that was not carried out, and how it was made.
    #[must_use]
    pub fn planned(
        plan: &'a Plan,
        figures: &'a Figures,
        timeline: &'a Timeline,
        prices: &'a Prices,
    ) -> Self {
        let (id, header, totals) = (plan.id(), plan.header(), plan.totals());
        Self { id, header, totals, figures, outcome: None, timeline, prices }
    }

    /// What goes by the plan, or what went where it was carried out.
    pub(crate) fn freed(&self) -> Amount {
        self.outcome.map_or_else(|| self.totals.all(), |outcome| outcome.deleted)
    }

    /// Whether the audit forbids a sweep.
    pub(crate) fn is_refused(&self) -> bool {
        !allows_sweep(&self.header.notes)
    }

    /// Whether the registry lies in files, where nobody is billed for requests.
    pub(crate) fn is_files(&self) -> bool {
        self.header.location.identity.starts_with("files at ")
    }
}
