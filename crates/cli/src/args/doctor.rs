//! What to look for before anything is collected.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueHint};

use super::{LOCATION, StoreArgs};
use crate::CacheChoice;
use crate::permissions::{Partition, Task};

/// Arguments of `doctor`.
#[derive(Debug, ClapArgs)]
pub struct DoctorArgs {
    /// The registry.
    #[arg(help = LOCATION, value_hint = ValueHint::AnyPath)]
    pub location: String,
    /// What is to be run; may be given again
    #[arg(
        long = "for",
        value_enum,
        value_name = "COMMAND",
        value_delimiter = ',',
        default_values = ["plan", "gc"]
    )]
    pub tasks: Vec<Task>,
    /// Also try to write and delete, with an object of its own below regsweep/
    ///
    /// Without it nothing is written, and what only a write can tell is said not to be probed. In a bucket that keeps
    /// versions, a version and a delete marker of that object stay.
    #[arg(long)]
    pub write: bool,
    /// As it will be collected.
    #[command(flatten)]
    pub wishes: WishArgs,
    /// Store.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// What will be said to the command that is to be run.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of another command")]
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "As it will be said to the command")]
pub struct WishArgs {
    /// Somebody makes sure that nobody pushes
    #[arg(long)]
    pub offline: bool,
    /// What is deleted goes to a trash
    #[arg(long)]
    pub trash: bool,
    /// Manifests that no tag reaches go too
    #[arg(long)]
    pub untagged: bool,
    /// What a database still knows: for plan and gc alone
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "untagged")]
    pub keep_list: Option<PathBuf>,
    /// Everything younger than this is kept; a list that is older is refused
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "24h",
        value_parser = humantime::parse_duration,
        hide_short_help = true
    )]
    pub grace: Duration,
    /// What is deleted by mistake may be lost
    #[arg(long)]
    pub without_undo: bool,
    /// Every process of the registry is restarted at least so often
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub restarted_every: Option<Duration>,
    /// What the registry remembers of what is deleted
    #[arg(long, value_enum, value_name = "WHAT")]
    pub registry_cache: Option<CacheChoice>,
}

/// Arguments of `iam`.
#[derive(Debug, ClapArgs)]
pub struct IamArgs {
    /// What is to be allowed: all that these commands need together
    #[arg(value_enum, value_name = "COMMAND", required = true)]
    pub tasks: Vec<Task>,
    /// The bucket
    #[arg(long, value_name = "NAME")]
    pub bucket: String,
    /// The registry's place in it, as its config.yml says
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    pub root_directory: String,
    /// The part of Amazon's cloud that the bucket is in
    #[arg(long, value_enum, value_name = "NAME", default_value = "aws", hide_short_help = true)]
    pub partition: Partition,
}
