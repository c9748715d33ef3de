//! What a plan costs, and what it saves.

use planner::{Amount, Header, Plan, PlanError, Requests, Stage, Totals};
use serde::{Serialize, Serializer};

use crate::words::money;
use crate::{Figures, Prices};

/// The most keys of one delete request.
const BATCH: u64 = 1000;

/// Requests and their price, in the currency of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Charge {
    /// How many.
    pub requests: u64,
    /// What they cost together.
    pub price: f64,
}

/// What a plan costs, and what it saves, by a table of prices. A plan knows no storage classes: the table's is assumed
/// for all blobs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bill {
    /// Whose prices these are, of what place and day, for what storage class.
    #[serde(serialize_with = "source_and_class")]
    prices: Prices,
    /// What stands before a sum.
    currency: String,
    /// What was asked to make the plan.
    planning: Charge,
    /// What is asked to carry it out: about, as far as it is foreseen, or what was asked where it was carried out.
    sweeping: Charge,
    /// What `--trash` asks beside that to carry out all of it.
    trash: Charge,
    /// What is saved in a month, once neither a version nor a trash keeps what goes, or went where it was carried out.
    saved_per_month: f64,
    /// What is billed on for what goes before its time, if all of the plan goes.
    early_deletion: f64,
    /// What is stored, in bytes.
    #[serde(skip)]
    stored: u64,
}

impl Bill {
    /// The bill of a plan that is not carried out.
    ///
    /// # Errors
    /// Where the rows of the plan cannot be read, which only a table with a minimum time of storage asks for.
    pub fn of(plan: &Plan, prices: &Prices) -> Result<Self, PlanError> {
        let (header, totals) = (plan.header(), plan.totals());
        let early = if prices.minimum_days > 0 {
            prices.early(Figures::of(plan)?.bytes_by_day())
        } else {
            0.0
        };
        let stored = header.facts.blobs.bytes;
        Ok(Self {
            currency: prices.currency.clone(),
            planning: charge(&header.requests, prices),
            sweeping: charge(&still_to_come(header, totals), prices),
            trash: charge(&copies(totals), prices),
            saved_per_month: prices.saved(stored, totals.all().bytes),
            early_deletion: early,
            stored,
            prices: prices.clone(),
        })
    }

    /// The same of a plan that was carried out: `freed` bytes went, and it took these requests.
    #[must_use]
    pub fn swept(self, requests: &Requests, freed: u64) -> Self {
        let sweeping = charge(requests, &self.prices);
        let saved_per_month = self.prices.saved(self.stored, freed);
        Self { sweeping, saved_per_month, ..self }
    }

    /// In words, for a plan that is not carried out.
    #[must_use]
    pub fn foreseen(&self) -> String {
        format!(
            "cost: {} for the plan, about {} to carry it out ({} with --trash)\n\
             saves {} a month, once versions and trash are gone{}\n{}",
            self.money(self.planning.price),
            self.money(self.sweeping.price),
            self.money(self.sweeping.price + self.trash.price),
            self.money(self.saved_per_month),
            self.early(),
            self.source(),
        )
    }

    /// In words, for a plan that was carried out.
    #[must_use]
    pub fn charged(&self) -> String {
        format!(
            "cost: {} for the plan, {} to carry it out\n\
             saves {} a month, once versions and trash are gone{}\n{}",
            self.money(self.planning.price),
            self.money(self.sweeping.price),
            self.money(self.saved_per_month),
            self.early(),
            self.source(),
        )
    }

    fn early(&self) -> String {
        if self.early_deletion > 0.0 {
            return format!("; {} is billed on for what is young", self.money(self.early_deletion));
        }
        String::new()
    }

    fn source(&self) -> String {
        format!("prices: {}, {}", self.prices.source, self.prices.storage_class)
    }

    fn money(&self, sum: f64) -> String {
        money(sum, &self.currency)
    }
}

/// What a run of a collection while people push costs, and what it saves, by a table of prices. Nobody knows the storage
/// classes of what is deleted: the table's is assumed for all blobs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NightBill {
    /// Whose prices these are, of what place and day, for what storage class.
    #[serde(serialize_with = "source_and_class")]
    prices: Prices,
    /// What stands before a sum.
    currency: String,
    /// What was asked.
    run: Charge,
    /// What is saved in a month by what was deleted, once neither a version nor a trash keeps it.
    saved_per_month: f64,
    /// What is billed on for what was deleted before its time.
    early_deletion: f64,
}

impl NightBill {
    /// The bill of a run in which the store was asked all of `requests`; of the `stored` bytes those of `deleted` went.
    #[must_use]
    pub fn of(requests: &Requests, stored: u64, deleted: &Figures, prices: &Prices) -> Self {
        let freed: Amount = deleted.kinds().values().copied().sum();
        Self {
            currency: prices.currency.clone(),
            run: charge(requests, prices),
            saved_per_month: prices.saved(stored, freed.bytes),
            early_deletion: prices.early(deleted.bytes_by_day()),
            prices: prices.clone(),
        }
    }

    /// In words.
    #[must_use]
    pub fn charged(&self) -> String {
        let sum = |sum| money(sum, &self.currency);
        let (run, saved) = (sum(self.run.price), sum(self.saved_per_month));
        let early = match self.early_deletion {
            early if early > 0.0 => format!("; {} is billed on for what is young", sum(early)),
            _ => String::new(),
        };
        let Prices { source, storage_class, .. } = &self.prices;
        format!(
            "cost: {run}\nsaves {saved} a month, once versions and trash are gone{early}\n\
             prices: {source}, {storage_class}"
        )
    }

    /// The table that it goes by.
    #[must_use]
    pub const fn prices(&self) -> &Prices {
        &self.prices
    }

    /// What is saved in a month by what was deleted.
    #[must_use]
    pub const fn saved_per_month(&self) -> f64 {
        self.saved_per_month
    }

    /// What is billed on for what was deleted before its time.
    #[must_use]
    pub const fn early_deletion(&self) -> f64 {
        self.early_deletion
    }
}

/// What carrying out a plan asks for, about: it lists again, to see that nobody pushed, as much as the plan did at most.
/// Stages do not mix, so that each may end with a batch that is not full; and each multipart upload is looked at, and
/// aborted by a request of its own, and each broken link is read, looked at and written.
pub(crate) fn still_to_come(header: &Header, totals: &Totals) -> Requests {
    let uploads = totals.of_stage(Stage::Multipart).count;
    let broken = totals.of_stage(Stage::Repairs).count;
    let requests = |stage| match stage {
        Stage::Multipart => uploads,
        Stage::Repairs => 0,
        Stage::Tags | Stage::Revisions | Stage::Layers | Stage::Blobs => {
            totals.of_stage(stage).count.div_ceil(BATCH)
        }
    };
    let delete = Stage::ALL.into_iter().map(requests).sum();
    let list = header.requests.list + uploads + broken;
    Requests { list, get: broken, put: broken, delete, ..Requests::default() }
}

/// What a trash asks for: each object that goes is looked for, copied, and its copy looked for. Uploads go to none.
pub(crate) fn copies(totals: &Totals) -> Requests {
    let others = [Stage::Multipart, Stage::Repairs].map(|stage| totals.of_stage(stage).count);
    let objects = totals.all().count.saturating_sub(others.iter().sum());
    Requests { list: 2 * objects, put: objects, ..Requests::default() }
}

fn charge(requests: &Requests, prices: &Prices) -> Charge {
    prices.charges(requests).into_iter().fold(Charge::default(), |sum, (_, number, price)| Charge {
        requests: sum.requests + number,
        price: sum.price + price,
    })
}

fn source_and_class<S: Serializer>(prices: &Prices, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{}, {}", prices.source, prices.storage_class))
}
