//! What to take back.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use collector::Which;
use ledger::GenerationId;
use registry::{Digest, RepositoryName};

use super::{MetricsArgs, StoreArgs};

/// Arguments of `undo`.
#[derive(Debug, ClapArgs)]
pub struct UndoArgs {
    /// The plan that was carried out; with --generation, the registry
    ///
    /// Plans of gc lie in its --state. With --generation it is a registry's config.yml, a directory, or a bucket, as
    /// for gc.
    #[arg(value_name = "DIR|LOCATION")]
    pub place: PathBuf,
    /// Take back what gc --online did to LOCATION: this generation, or latest
    ///
    /// Every run that condemns anything begins a generation; a later run deletes it. The run that deletes says its ID.
    #[arg(long, value_name = "ID", value_parser = generation)]
    pub generation: Option<Which>,
    /// Only this digest, and all that it refers to
    ///
    /// Its blob and its links in every repository; where it is a manifest, those of its children, configurations and
    /// layers too.
    #[arg(long)]
    pub digest: Option<Digest>,
    /// Only this repository: its links, and the blobs that they name
    #[arg(long, value_name = "NAME", value_parser = repository)]
    pub repository: Option<RepositoryName>,
    /// Look what would come back, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Directory for plans and journals, as for gc
    #[arg(
        long,
        value_name = "DIR",
        env = "REGSWEEP_STATE",
        hide_env = true,
        hide_short_help = true
    )]
    pub state: Option<PathBuf>,
    /// Store.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Metrics.
    #[command(flatten)]
    pub metrics: MetricsArgs,
}

fn repository(text: &str) -> Result<RepositoryName, String> {
    RepositoryName::new(text).map_err(|error| error.to_string())
}

fn generation(text: &str) -> Result<Which, String> {
    if text == "latest" {
        return Ok(Which::Latest);
    }
    let id = GenerationId::new(text).map(Which::Named);
    id.ok_or_else(|| "it is neither `latest` nor the ID of a generation".to_owned())
}
