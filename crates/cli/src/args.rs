//! What was typed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use planner::Breaker;

/// Collects garbage in container registries that keep the distribution layout on S3 or on files.
#[derive(Debug, Parser)]
#[command(name = "regsweep", version, about, max_term_width = 100, after_help = EXAMPLES)]
pub struct Args {
    /// How to talk.
    #[command(flatten)]
    pub output: OutputArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
LOCATION is a registry's config.yml, a directory, or s3://bucket/rootdirectory.

Examples:
  1. See it work, no registry needed:        regsweep demo
  2. What would go, and why:                 regsweep plan config.yml --out plan && regsweep show plan
  3. Carry out what was reviewed:            regsweep apply plan --offline
  4. Both at once; again to resume:          regsweep gc s3://bucket/prefix --untagged --offline
  5. In place of the registry's own command: regsweep garbage-collect --dry-run config.yml

Exit codes: 0 done, 1 internal, 2 usage, 3 partial, 4 unsafe (refused), 5 store, 6 format,
7 incomplete, 130 stopped. garbage-collect: 0 or 1, as the registry's command.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a plan; delete nothing
    Plan(PlanArgs),
    /// Show what a plan would do, and why
    Show(ShowArgs),
    /// Carry out a plan; again to resume
    Apply(ApplyArgs),
    /// Plan and apply in one; again to resume
    Gc(GcArgs),
    /// Do what the registry's own command does: its flags, its lines, its exit codes
    #[command(name = "garbage-collect")]
    GarbageCollect(GarbageCollectArgs),
    /// Make a registry, collect it, prove the result
    Demo(DemoArgs),
}

/// How to talk: data on stdout, everything else on stderr.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Print one JSON object on stdout; failures as one JSON object on stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Show progress as a bar, as lines, or not at all [default: a bar on a terminal, lines elsewhere]
    #[arg(long, global = true, value_enum, value_name = "HOW")]
    pub progress: Option<ProgressKind>,
    /// Log what happens at this level and above, such as `info` or `store=debug`
    #[arg(long, global = true, value_name = "FILTER", env = "REGSWEEP_LOG", hide_env_values = true)]
    pub log: Option<String>,
    /// How logs look
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// How progress looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressKind {
    /// One line that redraws itself.
    Bar,
    /// A plain line now and then.
    Lines,
    /// Nothing.
    None,
}

/// How logs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How to reach a bucket; a config.yml brings its own, and these override it.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Store")]
pub struct StoreArgs {
    /// Address of an S3-compatible store
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_S3")]
    pub endpoint_url: Option<String>,
    /// Region of the bucket
    #[arg(long)]
    pub region: Option<String>,
    /// Name the bucket in the path and not in the host [default with --endpoint-url]
    #[arg(long, overrides_with = "virtual_host_style")]
    pub path_style: bool,
    /// Name the bucket in the host
    #[arg(long)]
    pub virtual_host_style: bool,
    /// Do not verify TLS certificates
    #[arg(long)]
    pub no_verify_tls: bool,
    /// Checksum of delete requests; `auto` starts with CRC32 and falls back to Content-MD5
    #[arg(long, value_enum, default_value = "auto", value_name = "KIND")]
    pub delete_checksum: ChecksumKind,
    /// Requests in flight at most, for each kind of request
    #[arg(long, value_name = "N")]
    pub max_in_flight: Option<u16>,
}

impl StoreArgs {
    /// What was typed now, and where nothing was, what was typed when the plan was made.
    #[must_use]
    pub fn remembered(&self, options: &BTreeMap<String, String>) -> Self {
        let text = |now: &Option<String>, name: &str| now.clone().or_else(|| options.get(name).cloned());
        let flag = |now: bool, name: &str| now || options.contains_key(name);
        let checksum = options.get("delete-checksum").and_then(|name| ChecksumKind::from_str(name, false).ok());
        Self {
            endpoint_url: text(&self.endpoint_url, "endpoint-url"),
            region: text(&self.region, "region"),
            path_style: flag(self.path_style, "path-style"),
            virtual_host_style: flag(self.virtual_host_style, "virtual-host-style"),
            no_verify_tls: flag(self.no_verify_tls, "no-verify-tls"),
            delete_checksum: match self.delete_checksum {
                ChecksumKind::Auto => checksum.unwrap_or_default(),
                typed => typed,
            },
            max_in_flight: self.max_in_flight,
        }
    }

    /// What a plan has to remember so that it can be applied without typing it again; no secrets.
    #[must_use]
    pub fn options(&self) -> BTreeMap<String, String> {
        let mut options = BTreeMap::new();
        let mut remember = |name: &str, value: Option<String>| {
            options.extend(value.map(|value| (name.to_owned(), value)));
        };
        remember("endpoint-url", self.endpoint_url.clone());
        remember("region", self.region.clone());
        remember("path-style", self.path_style.then(String::new));
        remember("virtual-host-style", self.virtual_host_style.then(String::new));
        remember("no-verify-tls", self.no_verify_tls.then(String::new));
        let checksum = match self.delete_checksum {
            ChecksumKind::Auto => None,
            ChecksumKind::Crc32 => Some("crc32".to_owned()),
            ChecksumKind::Md5 => Some("md5".to_owned()),
        };
        remember("delete-checksum", checksum);
        options
    }
}

/// How a delete request proves that it arrived whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ChecksumKind {
    /// CRC32 until the store asks for something else.
    #[default]
    Auto,
    /// Always CRC32.
    Crc32,
    /// Always Content-MD5.
    Md5,
}

/// What may go.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Policy")]
pub struct PolicyArgs {
    /// Also delete manifests that no tag reaches; children of indexes and referrers stay with what keeps them
    #[arg(long)]
    pub untagged: bool,
    /// Keep everything younger than this
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    pub grace: Duration,
    /// Delete uploads that nothing was added to for this long
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = humantime::parse_duration)]
    pub uploads_older_than: Duration,
    /// Refuse to delete more than this share of all blobs, by number or bytes [default: 30, small registries spared]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_delete_share: Option<u8>,
    /// Delete although this test says no: stale-links, young-orphans, untagged-share, delete-share, foreign-keys
    #[arg(long, value_name = "NAME")]
    pub accept: Vec<Breaker>,
}

/// How to delete.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Sweep")]
pub struct SweepArgs {
    /// I make sure that nobody pushes while this runs (not needed where config.yml says the registry is read-only)
    #[arg(long)]
    pub offline: bool,
    /// Keys deleted in a second at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_deletes_per_second: Option<u32>,
    /// Refuse a plan older than this
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    pub max_age: Duration,
}

/// Arguments of `plan`.
#[derive(Debug, ClapArgs)]
pub struct PlanArgs {
    /// A registry's config.yml, a directory, or s3://bucket/rootdirectory
    pub location: String,
    /// Directory for the plan; must be new or empty
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Policy.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Arguments of `show`.
#[derive(Debug, ClapArgs)]
pub struct ShowArgs {
    /// The plan
    pub dir: PathBuf,
    /// How to show it; csv has one row for each object
    #[arg(long, value_enum, default_value = "table")]
    pub format: ShowFormat,
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// For people.
    Table,
    /// One object.
    Json,
    /// One row for each object that would go.
    Csv,
}

/// Arguments of `apply`.
#[derive(Debug, ClapArgs)]
pub struct ApplyArgs {
    /// The plan
    pub dir: PathBuf,
    /// Sweep.
    #[command(flatten)]
    pub sweep: SweepArgs,
    /// Store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Arguments of `gc`.
#[derive(Debug, ClapArgs)]
pub struct GcArgs {
    /// A registry's config.yml, a directory, or s3://bucket/rootdirectory
    pub location: String,
    /// Plan and show, but delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Directory for plans and journals [default: $XDG_STATE_HOME/regsweep, or ~/.local/state/regsweep]
    #[arg(long, value_name = "DIR", env = "REGSWEEP_STATE")]
    pub state: Option<PathBuf>,
    /// Policy.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Sweep.
    #[command(flatten)]
    pub sweep: SweepArgs,
    /// Store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Arguments of `garbage-collect`.
#[derive(Debug, ClapArgs)]
pub struct GarbageCollectArgs {
    /// The registry's config.yml
    #[arg(env = "REGISTRY_CONFIGURATION_PATH")]
    pub config: Option<PathBuf>,
    /// Do everything except remove the blobs
    #[arg(short, long)]
    pub dry_run: bool,
    /// Delete manifests that are not currently referenced via tag
    #[arg(short = 'm', long)]
    pub delete_untagged: bool,
}

/// Arguments of `demo`.
#[derive(Debug, ClapArgs)]
pub struct DemoArgs {
    /// Where to make the registry; kept afterwards [default: a temporary folder, removed afterwards]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Another seed makes another registry
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,
}
