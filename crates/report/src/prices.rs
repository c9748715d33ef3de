//! What a store asks for requests and for room.

use planner::Requests;
use serde::{Deserialize, Serialize};

/// One gigabyte of a bill, in bytes. Source: Amazon S3 FAQ, "How am I charged": a GB is 2^30 bytes.
const GIGABYTE: f64 = 1_073_741_824.0;

/// Days of a month, as bills for a minimum time of storage count them.
const MONTH_DAYS: u64 = 30;

/// The price table of a store, for one storage class. Anybody may replace it.
///
/// As JSON it is an object with these fields; those that are missing are as in [`Prices::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// Whose prices these are, of what place and day.
    pub source: String,
    /// The storage class that they are of.
    pub storage_class: String,
    /// What stands before a sum.
    pub currency: String,
    /// For a thousand LIST requests.
    pub list_per_thousand: f64,
    /// For a thousand GET or HEAD requests.
    pub get_per_thousand: f64,
    /// For a thousand PUT or COPY requests.
    pub put_per_thousand: f64,
    /// For a thousand delete requests of up to a thousand keys each.
    pub delete_per_thousand: f64,
    /// For a gigabyte (2^30 bytes) in a month, by how much is stored; in ascending order, the last without an end.
    pub storage: Vec<Tier>,
    /// Days for which an object is billed, however early it goes.
    pub minimum_days: u32,
}

/// A step of the price for storage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Up to so many gigabytes in all; none: without an end.
    #[serde(default)]
    pub up_to_gigabytes: Option<f64>,
    /// For each of them in a month.
    pub per_gigabyte_month: f64,
}

/// A text that is no price table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PricesError {
    /// It is no JSON object of the right form.
    #[error("is no table of prices")]
    Form(#[source] serde_json::Error),
    /// A price that no store asks for.
    #[error("`{field}` is not a price")]
    Price {
        /// The field.
        field: &'static str,
    },
    /// Steps of storage that do not follow each other to the end.
    #[error("`storage` needs steps in ascending order, the last one without `up_to_gigabytes`")]
    Tiers,
}

impl Default for Prices {
    /// S3 Standard in us-east-1.
    ///
    /// Source: list prices at aws.amazon.com/s3/pricing, US East (N. Virginia), as known in August 2026.
    fn default() -> Self {
        let tier =
            |up_to_gigabytes, per_gigabyte_month| Tier { up_to_gigabytes, per_gigabyte_month };
        Self {
            source: "Amazon S3 list prices for us-east-1 as known in August 2026 (aws.amazon.com/s3/pricing)"
                .to_owned(),
            storage_class: "Standard".to_owned(),
            currency: "$".to_owned(),
            list_per_thousand: 0.005,
            get_per_thousand: 0.0004,
            put_per_thousand: 0.005,
            delete_per_thousand: 0.0,
            storage: vec![
                tier(Some(51_200.0), 0.023),
                tier(Some(512_000.0), 0.022),
                tier(None, 0.021),
            ],
            minimum_days: 0,
        }
    }
}

impl Prices {
    /// Reads a table of prices.
    ///
    /// # Errors
    /// Where the text is no such table, or a price is negative or no number.
    pub fn parse(json: &str) -> Result<Self, PricesError> {
        let prices: Self = serde_json::from_str(json).map_err(PricesError::Form)?;
        prices.check()?;
        Ok(prices)
    }

    fn check(&self) -> Result<(), PricesError> {
        let is_price = |price: f64| price.is_finite() && price >= 0.0;
        for (field, price) in [
            ("list_per_thousand", self.list_per_thousand),
            ("get_per_thousand", self.get_per_thousand),
            ("put_per_thousand", self.put_per_thousand),
            ("delete_per_thousand", self.delete_per_thousand),
        ] {
            if !is_price(price) {
                return Err(PricesError::Price { field });
            }
        }
        if !self.storage.iter().all(|tier| is_price(tier.per_gigabyte_month)) {
            return Err(PricesError::Price { field: "per_gigabyte_month" });
        }
        let ends: Vec<f64> =
            self.storage.iter().map(|tier| tier.up_to_gigabytes.unwrap_or(f64::INFINITY)).collect();
        let is_whole = ends.last() == Some(&f64::INFINITY);
        if is_whole && ends.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(PricesError::Tiers) }
    }

    /// What requests cost: their name, number and price for each kind.
    pub(crate) fn charges(&self, requests: &Requests) -> [(&'static str, u64, f64); 5] {
        [
            ("LIST", requests.list, self.list_per_thousand),
            ("GET", requests.get, self.get_per_thousand),
            ("HEAD", requests.head, self.get_per_thousand),
            ("PUT and COPY", requests.put, self.put_per_thousand),
            ("Delete, of many keys each", requests.delete, self.delete_per_thousand),
        ]
        .map(|(name, number, per_thousand)| (name, number, number as f64 / 1000.0 * per_thousand))
    }

    /// What storing so many bytes costs in a month.
    #[must_use]
    pub fn month(&self, bytes: u64) -> f64 {
        let gigabytes = bytes as f64 / GIGABYTE;
        let (mut from, mut sum) = (0.0, 0.0);
        for tier in &self.storage {
            let to = tier.up_to_gigabytes.unwrap_or(f64::INFINITY).min(gigabytes);
            sum += (to - from).max(0.0) * tier.per_gigabyte_month;
            from = to.max(from);
        }
        sum
    }

    /// What is saved in a month where `freed` of `stored` bytes go. Where the store holds more than the registry, the
    /// price of its last steps may be lower.
    #[must_use]
    pub fn saved(&self, stored: u64, freed: u64) -> f64 {
        self.month(stored.max(freed)) - self.month(stored.saturating_sub(freed))
    }

    /// What is billed on for bytes that go before their time: bytes by age in whole days.
    #[must_use]
    pub fn early(&self, bytes_by_day: &[u64]) -> f64 {
        let price = self.storage.first().map_or(0.0, |tier| tier.per_gigabyte_month);
        let days = u64::from(self.minimum_days);
        let remaining = bytes_by_day
            .iter()
            .zip(0..days)
            .map(|(bytes, day)| *bytes as f64 / GIGABYTE * (days - day) as f64 / MONTH_DAYS as f64);
        remaining.sum::<f64>() * price
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }

    #[test]
    fn storage_costs_less_the_more_there_is() {
        let prices = Prices::default();
        near(prices.month(0), 0.0);
        near(prices.month(1000 * GIB), 23.0);
        near(prices.month(51_300 * GIB), 51_200.0 * 0.023 + 100.0 * 0.022);
        near(prices.saved(51_300 * GIB, 200 * GIB), 100.0 * 0.022 + 100.0 * 0.023);
        near(prices.saved(0, 1000 * GIB), 23.0);
    }

    #[test]
    fn what_goes_early_is_billed_to_the_end_of_its_time() {
        let days = |minimum_days| Prices { minimum_days, ..Prices::default() };
        let bytes_by_day = [GIB, 0, GIB];
        near(days(0).early(&bytes_by_day), 0.0);
        near(days(2).early(&bytes_by_day), 0.023 * 2.0 / 30.0);
        near(days(30).early(&bytes_by_day), 0.023 * (30.0 + 28.0) / 30.0);
    }

    #[test]
    fn a_table_may_name_only_what_differs() {
        let prices = Prices::parse(r#"{"source": "ours", "list_per_thousand": 1}"#).unwrap();
        near(prices.list_per_thousand, 1.0);
        near(prices.get_per_thousand, 0.0004);
        assert_eq!(prices.source, "ours");
        let whole = serde_json::to_string(&Prices::default()).unwrap();
        assert_eq!(Prices::parse(&whole).unwrap(), Prices::default());
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for (text, says) in [
            ("7", "is no table of prices"),
            (r#"{"lists": 1}"#, "is no table of prices"),
            (r#"{"get_per_thousand": -1}"#, "`get_per_thousand` is not a price"),
            (r#"{"storage": []}"#, "in ascending order"),
            (
                r#"{"storage": [{"up_to_gigabytes": 5, "per_gigabyte_month": 1}]}"#,
                "in ascending order",
            ),
            (r#"{"storage": [{"per_gigabyte_month": 1}, {"per_gigabyte_month": 1}]}"#, "ascending"),
            (r#"{"storage": [{"per_gigabyte_month": -1}]}"#, "`per_gigabyte_month` is not a price"),
        ] {
            let error = Prices::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
