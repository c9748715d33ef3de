//! What to do with a retention policy.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use registry::{RepositoryName, Timestamp};

/// What to do with a retention policy.
#[derive(Debug, ClapArgs)]
pub struct PolicyFileArgs {
    /// What.
    #[command(subcommand)]
    pub command: PolicyFileCommand,
}

/// What to do with a retention policy.
#[derive(Debug, Subcommand)]
pub enum PolicyFileCommand {
    /// Say what each rule means, or all that is wrong, with line and column
    Check(CheckPolicyArgs),
}

/// Arguments of `policy check`.
#[derive(Debug, ClapArgs)]
pub struct CheckPolicyArgs {
    /// The policy
    pub file: PathBuf,
    /// Say what becomes of --tag in this repository
    #[arg(long, value_name = "NAME", value_parser = repository, requires = "tag")]
    pub repository: Option<RepositoryName>,
    /// A tag of --repository, and when it was written: 2026-08-18T10:00:00Z, or how long ago: 30d
    ///
    /// Give all of its tags, since rules may keep the last few.
    #[arg(long, value_name = "TAG=TIME", value_parser = tag, requires = "repository")]
    pub tag: Vec<(String, Written)>,
    /// Keep everything younger than this
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    pub grace: Duration,
}

/// When a tag was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Then.
    At(Timestamp),
    /// So long ago.
    Ago(Duration),
}

fn repository(text: &str) -> Result<RepositoryName, String> {
    RepositoryName::new(text).map_err(|error| error.to_string())
}

fn tag(text: &str) -> Result<(String, Written), String> {
    let (tag, time) = text.split_once('=').ok_or("must be TAG=TIME")?;
    let tag = registry::Tag::new(tag).map_err(|_| format!("{tag:?} is no tag"))?;
    let at = time.parse().ok().map(Written::At);
    let ago = || humantime::parse_duration(time).ok().map(Written::Ago);
    let written = at.or_else(ago);
    let written = written.ok_or_else(|| format!("{time:?} is neither a time nor a time span"))?;
    Ok((tag.to_string(), written))
}
