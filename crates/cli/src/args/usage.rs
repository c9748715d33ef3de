//! Arguments of `usage`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::{LOCATION, MetricsArgs, ResourceArgs, ShowFormat, StoreArgs};

/// Arguments of `usage`.
#[derive(Debug, ClapArgs)]
pub struct UsageArgs {
    /// The registry.
    #[arg(help = LOCATION)]
    pub location: String,
    /// How to show it; json and csv have all repositories
    #[arg(long, value_enum, default_value = "table")]
    pub format: ShowFormat,
    /// Sum up by tag too
    ///
    /// What a tag keeps is its manifest with all that this names and all that refers to it. Where two tags point to one
    /// manifest, neither keeps it alone.
    #[arg(long)]
    pub tags: bool,
    /// Show only this repository, by tag
    #[arg(long, value_name = "NAME")]
    pub repository: Option<String>,
    /// What the table has first
    #[arg(long, value_enum, value_name = "ORDER", default_value = "bytes")]
    pub sort: UsageOrder,
    /// How many repositories, and tags of each, the table has
    #[arg(long, value_name = "N", default_value = "20")]
    pub top: NonZeroUsize,
    /// All of them
    #[arg(long, conflicts_with = "top")]
    pub all: bool,
    /// Rules.
    #[command(flatten)]
    pub rules: UsageRules,
    /// Store.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Resources.
    #[command(flatten)]
    pub resources: ResourceArgs,
    /// Directory for what does not fit into memory [default: TMPDIR, else /tmp]
    #[arg(long, value_name = "DIR", help_heading = "Resources", hide_short_help = true)]
    pub scratch: Option<PathBuf>,
    /// Metrics.
    #[command(flatten)]
    pub metrics: MetricsArgs,
}

/// By which rules something is needed: those of `plan`.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "What is reclaimable")]
pub struct UsageRules {
    /// As a plan with --untagged: also manifests that no tag reaches
    #[arg(long)]
    pub untagged: bool,
    /// As a plan by this retention policy
    #[arg(long = "policy", value_name = "FILE", conflicts_with = "untagged")]
    pub policy: Option<PathBuf>,
    /// Nothing younger than this
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    pub grace: Duration,
    /// Uploads that nothing was added to for this long
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = humantime::parse_duration)]
    pub uploads_older_than: Duration,
}

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UsageOrder {
    /// Who keeps most.
    Bytes,
    /// Who keeps most that nobody else does.
    Exclusive,
    /// Where most can be reclaimed.
    Reclaimable,
    /// Who has the largest unfinished uploads.
    Uploads,
    /// By name.
    Name,
}
