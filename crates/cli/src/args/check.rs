//! What to check, and how closely.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;

use super::{ByteSize, LOCATION, MetricsArgs, StoreArgs};

const CODES: &str = "\
Exit codes: 0 every image can be pulled, as far as was looked; 6 there is damage; 7 not completed.
What is only useless or odd is told, and no damage.";

/// Arguments of `check`.
#[derive(Debug, ClapArgs)]
#[command(after_help = CODES)]
pub struct CheckArgs {
    /// The registry.
    #[arg(help = LOCATION)]
    pub location: String,
    /// Read the data too, and compare it with its digests; of PERCENT, another part every day
    ///
    /// With 10, ten daily runs compare all data once. Blobs are read in parts of 16 MiB, one request each; parts take at
    /// most half of --memory.
    #[arg(
        long,
        value_name = "PERCENT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "100",
        value_parser = clap::value_parser!(u8).range(1..=100)
    )]
    pub verify_data: Option<u8>,
    /// Read every link, not only those whose size or entity tag is odd
    #[arg(long)]
    pub verify_links: bool,
    /// Tell all that is found, not only the first of each kind
    #[arg(long)]
    pub all: bool,
    /// Also write a plan to this directory that repairs what can be repaired without asking
    ///
    /// Links that are empty, cut off, or otherwise no digest are written anew where it is provable what they said; links
    /// that provably serve nobody go. The check itself changes nothing: `regsweep show DIR` shows the plan, `regsweep
    /// apply DIR` carries it out, and `regsweep undo DIR` takes back what it removed.
    #[arg(long, value_name = "DIR")]
    pub repair: Option<PathBuf>,
    /// Repair nothing younger than this, by the store's clock
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "24h",
        value_parser = humantime::parse_duration,
        requires = "repair",
        hide_short_help = true
    )]
    pub grace: Duration,
    /// Memory that lists of blobs, manifests and data may take
    #[arg(long, value_name = "SIZE", default_value = "2GiB", hide_short_help = true)]
    pub memory: ByteSize,
    /// Store.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Metrics.
    #[command(flatten)]
    pub metrics: MetricsArgs,
}
