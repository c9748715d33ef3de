//! What to take back.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use registry::{Digest, RepositoryName};

use super::StoreArgs;

/// Arguments of `undo`.
#[derive(Debug, ClapArgs)]
pub struct UndoArgs {
    /// The plan that was carried out; those of gc lie in its --state
    pub dir: PathBuf,
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
    /// Store.
    #[command(flatten)]
    pub store: StoreArgs,
}

fn repository(text: &str) -> Result<RepositoryName, String> {
    RepositoryName::new(text).map_err(|error| error.to_string())
}
