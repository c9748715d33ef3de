//! What may go, and how.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use clap::builder::TypedValueParser as _;
use planner::Breaker;
use store::Share;

use crate::CacheChoice;

/// What may go.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Policy")]
pub struct PolicyArgs {
    /// Also delete manifests that no tag reaches
    ///
    /// What an index with a tag names stays with it, and referrers (signatures, SBOMs) stay with their subject.
    #[arg(long)]
    pub untagged: bool,
    /// Delete tags, and then manifests, as this retention policy says
    ///
    /// `regsweep policy check FILE` says what it means. Repositories of which no rule lets anything go are left alone.
    #[arg(long = "policy", value_name = "FILE", conflicts_with = "untagged")]
    pub file: Option<PathBuf>,
    /// Delete only blobs, and none that a manifest or this list names
    ///
    /// For registries with a database, such as Harbor and GitLab: what it still knows, one digest a line, exported when
    /// nobody could push any more, and no longer ago than --grace. No link and no upload is deleted, and none of
    /// --untagged, --policy, --online can be said.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["untagged", "file"])]
    pub keep_list: Option<PathBuf>,
    /// Keep everything younger than this
    ///
    /// By the store's clock. No push may take longer than this.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    pub grace: Duration,
    /// Delete uploads that nothing was added to for this long
    ///
    /// In a bucket also incomplete multipart uploads of the registry, which are aborted and cannot be taken back; with
    /// --online none to which something was added within --longest-push.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "7d",
        value_parser = humantime::parse_duration,
        hide_short_help = true
    )]
    pub uploads_older_than: Duration,
    /// Refuse to delete more than this share of all blobs [default: 30]
    ///
    /// By number and by bytes. The default spares small registries, a share that is given counts for all.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_delete_share: Option<u8>,
    /// Delete although this test says no; may be given again
    ///
    /// One of stale-links, young-orphans, untagged-share, delete-share, foreign-keys, keep-list-stranger,
    /// keep-list-short, keep-list-outdated. A plan that is refused names the tests that refuse it, with their evidence.
    #[arg(long, value_name = "NAME")]
    pub accept: Vec<Breaker>,
}

/// How to delete.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Sweep")]
pub struct SweepArgs {
    /// I make sure that nobody pushes meanwhile
    ///
    /// Not needed where the location is a config.yml that says that the registry is read-only.
    #[arg(long)]
    pub offline: bool,
    /// What the registry remembers of what is deleted [default: as its config.yml says]
    ///
    /// A redis that the config.yml names is cleared of it, unless one of these is said.
    #[arg(long, value_enum, value_name = "WHAT", hide_short_help = true)]
    pub registry_cache: Option<CacheChoice>,
    /// Delete at most so many keys in a second
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
        hide_short_help = true
    )]
    pub max_deletes_per_second: Option<u32>,
    /// Use only this share of what the store bears
    ///
    /// Once the store asks to slow down, its limit is known, and this share of the keys that it deletes in a second is
    /// used; the limit is looked for again every ten minutes. Until then, and on a store that never asks, this share
    /// of --max-in-flight. Below 100 it leaves room for a registry that serves from the same bucket.
    #[arg(
        long,
        value_name = "PERCENT",
        default_value = "100",
        value_parser = clap::value_parser!(u8).range(1..=100).try_map(share)
    )]
    pub share: Share,
    /// Move what is deleted to regsweep/trash in the store, so that it can be taken back
    ///
    /// On files it is renamed, in a bucket it is copied first. Needless in a bucket that keeps versions.
    #[arg(long)]
    pub trash: bool,
    /// How long the trash is kept; a later run with --trash empties what is older
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "7d",
        value_parser = humantime::parse_duration,
        hide_short_help = true
    )]
    pub trash_for: Duration,
    /// Append a line of JSON to this file for each object that is deleted
    ///
    /// With its key, size, entity tag and reason, what became of it, the delete marker that hides it, and the plan or
    /// generation. Each line is durable before what is on record of the run: where one is killed, the run that takes it
    /// up writes what is missing, as `gone` where no answer came. A line may come twice. With --online that holds of
    /// blobs alone: links that a killed run took are given back, with a line or without, and multipart uploads that it
    /// aborted last may have none. What is emptied of older trash has lines too, with the key that it had before; those
    /// about one request are durable before the next is sent.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub audit_log: Option<PathBuf>,
    /// Refuse a plan older than this
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "24h",
        value_parser = humantime::parse_duration,
        hide_short_help = true
    )]
    pub max_age: Duration,
}

fn share(percent: u8) -> Result<Share, String> {
    Share::percent(percent).ok_or_else(|| format!("{percent} is not in 1..=100"))
}
