//! By which prices a run tells what it costs.

use std::fs;
use std::io;
use std::path::Path;

use planner::{Plan, Requests};
use report::{Bill, Prices};

use crate::Failure;

/// A table of prices, and whether somebody asked for it.
#[derive(Debug, Default)]
pub(crate) struct Pricing {
    prices: Prices,
    is_asked: bool,
}

/// The bill of a run that is under way.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    bill: Bill,
    /// What had been asked of the store before.
    before: Requests,
}

impl Pricing {
    /// The table in a file, or the list prices of S3.
    ///
    /// # Errors
    /// [`Failure::File`] where the file cannot be read, or is no such table.
    pub(crate) fn of(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else { return Ok(Self::default()) };
        let failure = |source| Failure::File { path: file.to_owned(), source };
        let text = fs::read_to_string(file).map_err(failure)?;
        let invalid = |error| failure(io::Error::new(io::ErrorKind::InvalidData, error));
        let mut prices = Prices::parse(&text).map_err(invalid)?;
        // A table that does not say whose it is, is not Amazon's.
        if prices.source == Prices::default().source {
            prices.source = file.display().to_string();
        }
        Ok(Self { prices, is_asked: true })
    }

    pub(crate) const fn prices(&self) -> &Prices {
        &self.prices
    }

    /// What a plan costs and saves; none where nobody asks S3's prices, nor said others.
    ///
    /// # Errors
    /// Where the plan cannot be read.
    pub(crate) fn bill(&self, plan: &Plan) -> Result<Option<Bill>, Failure> {
        let prices = self.known_for(&plan.header().location.identity);
        Ok(prices.map(|prices| Bill::of(plan, prices)).transpose()?)
    }

    /// The table by which costs are told of a store: one that was asked for, or that of S3 where Amazon's is asked.
    pub(crate) fn known_for(&self, identity: &str) -> Option<&Prices> {
        (self.is_asked || is_billed_by_amazon(identity)).then_some(&self.prices)
    }

    /// The same of a plan that is about to be carried out. `before` is what had been asked of the store for other
    /// things.
    ///
    /// # Errors
    /// Where the plan cannot be read.
    pub(crate) fn running(
        &self,
        plan: &Plan,
        before: Requests,
    ) -> Result<Option<Running>, Failure> {
        Ok(self.bill(plan)?.map(|bill| Running { bill, before }))
    }
}

impl Running {
    /// The bill as it is when the store was asked all of `requests` and let go of `freed` bytes.
    pub(crate) fn ended(self, requests: Requests, freed: u64) -> Bill {
        self.bill.swept(&without(requests, self.before), freed)
    }
}

/// Whether a bucket is Amazon's own, as far as the identity of a store tells: no endpoint, or one of Amazon's.
fn is_billed_by_amazon(identity: &str) -> bool {
    let place = identity.strip_prefix("s3://").and_then(|bucket| bucket.split_once(" at "));
    place.is_some_and(|(_, place)| !place.contains("://") || place.contains(".amazonaws.com"))
}

/// What was asked after `before`.
pub(crate) fn without(all: Requests, before: Requests) -> Requests {
    Requests {
        list: all.list.saturating_sub(before.list),
        get: all.get.saturating_sub(before.get),
        head: all.head.saturating_sub(before.head),
        put: all.put.saturating_sub(before.put),
        delete: all.delete.saturating_sub(before.delete),
        manifests: all.manifests.saturating_sub(before.manifests),
        recalled: all.recalled.saturating_sub(before.recalled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_pays_amazon_is_told_its_prices_unasked() {
        for (identity, is_billed) in [
            ("s3://registry at eu-central-1", true),
            ("s3://registry at https://s3.eu-central-1.amazonaws.com", true),
            ("s3://registry at https://rgw.example:7480", false),
            ("s3://registry at http://127.0.0.1:9000", false),
            ("files at /var/lib/registry", false),
            ("files at /srv/s3://registry at home", false),
        ] {
            assert_eq!(is_billed_by_amazon(identity), is_billed, "{identity}");
        }
    }
}
