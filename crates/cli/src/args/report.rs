//! What to leave for people to look at.

use std::path::PathBuf;

use clap::Args as ClapArgs;

const PRICES: &str = "\
Prices by which costs are told, as JSON [default: S3 Standard in us-east-1]

Without it costs are told of Amazon's buckets only. An object of source, storage_class, currency, list_per_thousand, get_per_thousand, \
put_per_thousand, delete_per_thousand, minimum_days, and storage: a list of objects of \
up_to_gigabytes and per_gigabyte_month. What is missing is as by default.";

/// What to leave for people to look at.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct ReportArgs {
    /// Write an HTML page: what goes and why, where it lies, what it costs
    ///
    /// One file for a browser that needs nothing else, no network either. A file that is there is replaced. With --online
    /// it tells of this run: what was condemned, given back and deleted, and what waits.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Prices by which costs are told, as JSON [default: S3 Standard in us-east-1]
    #[arg(long, value_name = "FILE", hide_short_help = true, long_help = PRICES)]
    pub prices: Option<PathBuf>,
}
