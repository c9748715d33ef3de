//! What a run may use of the machine.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::ByteSize;

/// What a run may use of the machine.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Resources")]
pub struct ResourceArgs {
    /// Memory that marks and manifests may take
    ///
    /// Marks that do not fit, some hundred million, go to the disk of the plan while they are used.
    #[arg(long, value_name = "SIZE", default_value = "2GiB", hide_short_help = true)]
    pub memory: ByteSize,
    /// Directory in which to remember what manifests refer to
    ///
    /// By default regsweep/manifests in the cache directory of the XDG specification: ~/.cache. Registries and processes
    /// may share it. It may be removed at any time, and only its owner may be able to write to it.
    #[arg(long, value_name = "DIR", env = "REGSWEEP_MANIFEST_CACHE", hide_short_help = true)]
    pub manifest_cache: Option<PathBuf>,
    /// Read every manifest, and remember none
    #[arg(long, hide_short_help = true)]
    pub no_manifest_cache: bool,
    /// Size of the manifest cache at most
    #[arg(long, value_name = "SIZE", default_value = "1GiB", hide_short_help = true)]
    pub manifest_cache_size: ByteSize,
}

impl ResourceArgs {
    /// What a run may use that leaves nothing behind.
    #[must_use]
    pub fn forgetful() -> Self {
        Self {
            memory: ByteSize(2 << 30),
            manifest_cache: None,
            no_manifest_cache: true,
            manifest_cache_size: ByteSize(0),
        }
    }
}
