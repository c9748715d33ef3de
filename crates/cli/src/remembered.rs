//! The manifest cache of a run.

use std::sync::Arc;

use cache::{Limits, ManifestCache};
use tokio::task::spawn_blocking;

use crate::args::ResourceArgs;
use crate::{Console, xdg};

/// Opens the cache of manifests, where there is to be one. A cache that cannot be used is told, and not missed.
pub(crate) fn open(args: &ResourceArgs, console: Console) -> Option<Arc<ManifestCache>> {
    if args.no_manifest_cache {
        return None;
    }
    let usual = || Some(xdg::directory("XDG_CACHE_HOME", ".cache")?.join("manifests"));
    let Some(directory) = args.manifest_cache.clone().or_else(usual) else {
        tracing::info!("no home is known, so manifests are not remembered");
        return None;
    };
    let limits = Limits::of(args.manifest_cache_size.0);
    match ManifestCache::open(&directory, limits) {
        Ok(cache) => Some(Arc::new(cache)),
        Err(error) => {
            console.warn(&format!("manifests are not remembered: {}", with_cause(&error)));
            None
        }
    }
}

/// Writes what this run read for the next one. That it cannot be written is logged, and not missed.
pub(crate) async fn close(cache: Option<Arc<ManifestCache>>) {
    let Some(cache) = cache else { return };
    match spawn_blocking(move || cache.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = with_cause(&error), "manifests are not remembered");
        }
        Err(error) => tracing::warn!(%error, "the manifest cache was not closed"),
    }
}

fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
