//! Registries to begin with, and what is done with them.

use std::sync::Arc;

use crate::client::Job;
use crate::rules::Rules;
use crate::system::System;
use crate::world::{Bits, Cache, CacheKind, M, N, Store, X, blobs, link};

/// Manifests `M` and `N` name the layer `X`; none of them is there. A registry up to 3.1.1, with a
/// shared cache.
pub(crate) fn nothing() -> System {
    System {
        edges: [Bits(0), Bits(0), blobs(&[X]), blobs(&[X])],
        store: Store::default(),
        jobs: Vec::new(),
        cache: CacheKind::Shared,
        cached: Cache::default(),
        untagged: false,
        validates_children: true,
        trusts_cached_manifests: true,
        waits_for_requests_alone: false,
        clients_die: false,
        crashes: 1,
        generations: 1,
        overlapping: false,
        rules: Rules::default(),
        ends: Arc::default(),
    }
}

/// The layer `X` is there, old, linked in repository 0, and nothing names it.
pub(crate) fn old_layer() -> System {
    let mut system = nothing();
    system.store.data = blobs(&[X]);
    system.store.links = links(&[(0, X)]);
    system
}

/// The same, and the cache knows of it.
pub(crate) fn cached_layer() -> System {
    let mut system = old_layer();
    system.cached.fill(link(0, X));
    system
}

/// The manifest `M` and its layer are there, old, and without a tag; untagged manifests go.
pub(crate) fn untagged_manifest() -> System {
    let mut system = cached_layer();
    system.untagged = true;
    system.store.data = blobs(&[X, M]);
    system.store.links = links(&[(0, X), (0, M)]);
    system.cached.fill(link(0, M));
    system
}

/// The same, where the layer is young: one generation condemns the manifest, and the next one the layer.
pub(crate) fn untagged_manifest_of_a_young_layer() -> System {
    let mut system = untagged_manifest();
    system.store.young_links = links(&[(0, X)]);
    system.store.young_data = blobs(&[X]);
    System { overlapping: true, generations: 2, ..system }
}

/// An old manifest without a tag, and `N` is an index that names `M`.
pub(crate) fn untagged_child() -> System {
    System { edges: [Bits(0), Bits(0), blobs(&[X]), blobs(&[M])], ..untagged_manifest() }
}

/// The same, and who pushes the index is believed that its children are there.
pub(crate) fn believed_child() -> System {
    System { validates_children: false, jobs: vec![push(0, N)], ..untagged_child() }
}

pub(crate) fn links(links: &[(u8, u8)]) -> Bits {
    links.iter().fold(Bits(0), |bits, (at, blob)| bits.or(Bits(1 << link(*at, *blob))))
}

pub(crate) fn push(repository: u8, manifest: u8) -> Job {
    Job::Push { repository, manifest, tag: false, mount: None }
}

pub(crate) fn push_tag(repository: u8, manifest: u8) -> Job {
    Job::Push { repository, manifest, tag: true, mount: None }
}

pub(crate) fn push_mounting(repository: u8, manifest: u8, from: u8) -> Job {
    Job::Push { repository, manifest, tag: false, mount: Some(from) }
}

pub(crate) fn pull(repository: u8) -> Job {
    Job::Pull { repository, layer: X }
}

pub(crate) fn delete(repository: u8, manifest: u8) -> Job {
    Job::Delete { repository, manifest }
}

pub(crate) const CACHES: [CacheKind; 3] = [CacheKind::None, CacheKind::Shared, CacheKind::Process];
