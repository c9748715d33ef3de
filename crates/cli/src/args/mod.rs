//! What was typed.

mod check;
mod doctor;
mod explain;
mod metrics;
mod online;
mod output;
mod policy;
mod policy_file;
mod report;
mod resources;
mod shell;
mod size;
mod store;
mod undo;
mod usage;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args as ClapArgs, CommandFactory as _, Parser, Subcommand, ValueEnum, ValueHint};

pub use check::CheckArgs;
pub use doctor::{DoctorArgs, IamArgs, WishArgs};
pub use explain::{ExplainArgs, Subject};
pub use metrics::MetricsArgs;
pub use online::OnlineArgs;
pub use output::{LogFormat, OutputArgs, ProgressKind};
pub use policy::{PolicyArgs, SweepArgs};
pub use policy_file::{CheckPolicyArgs, PolicyFileArgs, PolicyFileCommand, Written};
pub use report::ReportArgs;
pub use resources::ResourceArgs;
pub use shell::{CompletionsArgs, ManArgs};
pub use size::{ByteSize, SizeError};
pub use store::{ChecksumKind, StoreArgs};
pub use undo::UndoArgs;
pub use usage::{UsageArgs, UsageOrder, UsageRules};

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

impl Args {
    /// Understands what was typed.
    ///
    /// # Errors
    /// What is no command; help that was asked for.
    pub fn understand(typed: &[OsString]) -> Result<Self, clap::Error> {
        let args = Self::try_parse_from(typed)?;
        if let Command::Gc(gc) = &args.command
            && gc.online.online
            && let Some(conflict) = conflict_with_online(gc)
        {
            return Err(Self::command().error(ErrorKind::ArgumentConflict, conflict));
        }
        Ok(args)
    }
}

/// What was typed beside `--online` and cannot be.
fn conflict_with_online(gc: &GcArgs) -> Option<&'static str> {
    const TAGS: &str = "the argument '--policy <FILE>' cannot be used with '--online': tags are taken only while \
                        nobody pushes\n\n  tip: make the registry read-only, and run 'regsweep gc --policy <FILE>' \
                        without '--online'";
    const LIST: &str = "the argument '--keep-list <FILE>' cannot be used with '--online': what is pushed meanwhile is \
                        not on the list";
    let conflicts = [
        (
            gc.sweep.offline && !gc.online.windowed,
            "the argument '--online' cannot be used with '--offline', but with '--windowed'",
        ),
        (gc.policy.file.is_some(), TAGS),
        (gc.policy.keep_list.is_some(), LIST),
    ];
    conflicts.into_iter().find_map(|(is_typed, message)| is_typed.then_some(message))
}

const LOCATION: &str = "A registry's config.yml, a directory, or s3://bucket/rootdirectory";

const EXAMPLES: &str = "\
LOCATION is a registry's config.yml, a directory, or s3://bucket/rootdirectory.

Examples:
  1. See it work, no registry needed   regsweep demo
  2. What would go, and why            regsweep plan config.yml --out plan; regsweep show plan
  3. Carry out what was reviewed       regsweep apply plan --offline
  4. Every night, while people push    regsweep gc config.yml --online

Exit codes: 0 done, 1 internal, 2 usage, 3 partial, 4 unsafe (refused), 5 store, 6 format,
7 incomplete, 130 stopped. garbage-collect: 0 or 1, as the registry's command.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a plan; delete nothing
    Plan(PlanArgs),
    /// Show what a plan would do, and why
    Show(ShowArgs),
    /// Check a retention policy
    Policy(PolicyFileArgs),
    /// Carry out a plan; again to resume
    Apply(ApplyArgs),
    /// Plan and apply in one; again to resume
    Gc(GcArgs),
    /// Sum up what each repository keeps, shares and could free
    Usage(UsageArgs),
    /// Take back what was deleted, where the store kept it; again to go on
    Undo(UndoArgs),
    /// Say who keeps a digest or an image, or why it would go
    Explain(ExplainArgs),
    /// Find what is broken: images that cannot be pulled, missing and wrong data
    Check(CheckArgs),
    /// Do what the registry's own command does: its flags, its lines, its exit codes
    #[command(name = "garbage-collect")]
    GarbageCollect(GarbageCollectArgs),
    /// Make a registry, collect it, prove the result
    Demo(DemoArgs),
    /// Find out whether a command would run here, and what is missing
    Doctor(DoctorArgs),
    /// Write the least IAM policy that commands need
    Iam(IamArgs),
    /// Write the script with which a shell completes the words of this program
    #[command(hide = true)]
    Completions(CompletionsArgs),
    /// Write the manual, a page for each command
    #[command(hide = true)]
    Man(ManArgs),
}

impl Command {
    /// The name of a command that can be watched, and what it is to tell. What deletes has another name than what only
    /// looks.
    #[must_use]
    pub fn metrics(&self) -> Option<(&'static str, &MetricsArgs)> {
        Some(match self {
            Self::Plan(args) => ("plan", &args.metrics),
            Self::Apply(args) => ("apply", &args.metrics),
            Self::Gc(args) if args.online.online => ("gc-online", &args.metrics),
            Self::Gc(args) if args.dry_run => ("gc-dry-run", &args.metrics),
            Self::Gc(args) => ("gc", &args.metrics),
            Self::Usage(args) => ("usage", &args.metrics),
            Self::Undo(args) if args.dry_run => ("undo-dry-run", &args.metrics),
            Self::Undo(args) => ("undo", &args.metrics),
            Self::Check(args) => ("check", &args.metrics),
            Self::Show(_)
            | Self::Policy(_)
            | Self::Explain(_)
            | Self::GarbageCollect(_)
            | Self::Demo(_)
            | Self::Doctor(_)
            | Self::Iam(_)
            | Self::Completions(_)
            | Self::Man(_) => return None,
        })
    }
}

/// Arguments of `plan`.
#[derive(Debug, ClapArgs)]
pub struct PlanArgs {
    /// The registry.
    #[arg(help = LOCATION, value_hint = ValueHint::AnyPath)]
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
    /// Resources.
    #[command(flatten)]
    pub resources: ResourceArgs,
    /// Report.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Metrics.
    #[command(flatten)]
    pub metrics: MetricsArgs,
}

/// Arguments of `show`.
#[derive(Debug, ClapArgs)]
pub struct ShowArgs {
    /// The plan
    pub dir: PathBuf,
    /// How to show it; csv has one row for each object
    #[arg(long, value_enum, default_value = "table")]
    pub format: ShowFormat,
    /// Report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// How data is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// For people.
    Table,
    /// One object.
    Json,
    /// Rows, with a line of column names.
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
    /// Report.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Metrics.
    #[command(flatten)]
    pub metrics: MetricsArgs,
}

/// Arguments of `gc`.
#[derive(Debug, ClapArgs)]
pub struct GcArgs {
    /// The registry.
    #[arg(help = LOCATION, value_hint = ValueHint::AnyPath)]
    pub location: String,
    /// Plan and show, but delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Directory for plans and journals
    ///
    /// By default the directory regsweep in that of the XDG specification: ~/.local/state.
    #[arg(long, value_name = "DIR", env = "REGSWEEP_STATE")]
    pub state: Option<PathBuf>,
    /// While people push.
    #[command(flatten)]
    pub online: OnlineArgs,
    /// Policy.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Sweep.
    #[command(flatten)]
    pub sweep: SweepArgs,
    /// Store.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Resources.
    #[command(flatten)]
    pub resources: ResourceArgs,
    /// Report.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Metrics.
    #[command(flatten)]
    pub metrics: MetricsArgs,
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
    /// Resources.
    #[command(flatten)]
    pub resources: ResourceArgs,
}

/// Arguments of `demo`.
#[derive(Debug, ClapArgs)]
pub struct DemoArgs {
    /// Where to make the registry, and leave it [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Another seed makes another registry
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_last_style_typed_counts() {
        let style = |typed: &[&str]| {
            let all = ["regsweep", "plan", "s3://bucket", "--out", "dir"];
            let args = Args::try_parse_from(all.iter().chain(typed)).unwrap();
            let Command::Plan(PlanArgs { store, .. }) = args.command else { unreachable!() };
            (store.path_style, store.virtual_host_style)
        };
        assert_eq!(style(&[]), (false, false));
        assert_eq!(style(&["--path-style", "--virtual-host-style"]), (false, true));
        assert_eq!(style(&["--virtual-host-style", "--path-style"]), (true, false));
    }
}
