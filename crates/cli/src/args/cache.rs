//! What is remembered from one run to the next.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// What is remembered of manifests, so that the next run does not read them again.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Manifest cache")]
pub struct CacheArgs {
    /// Directory in which to remember what manifests of buckets refer to
    ///
    /// By default regsweep/manifests in the cache directory of the XDG specification: ~/.cache. Registries and processes
    /// may share it. It may be removed at any time, and only its owner may be able to write to it.
    #[arg(long, value_name = "DIR", env = "REGSWEEP_MANIFEST_CACHE", hide_short_help = true)]
    pub manifest_cache: Option<PathBuf>,
    /// Read every manifest, and remember none
    #[arg(long, hide_short_help = true)]
    pub no_manifest_cache: bool,
    /// Size of the manifest cache at most
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(1..),
        hide_short_help = true
    )]
    pub manifest_cache_mib: u32,
}
