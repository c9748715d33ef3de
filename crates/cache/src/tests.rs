//! Small caches for the tests.

mod damage;
mod limits;
mod model;
mod reading;
mod sharing;

use std::fs;
use std::path::{Path, PathBuf};

use registry::{Algorithm, Digest, Edge, Manifest, MediaType, Role};
use tempfile::TempDir;

use crate::{Limits, ManifestCache};

/// The digest of a manifest by number, of every algorithm.
fn digest(n: u32) -> Digest {
    let algorithm = Algorithm::ALL[if n % 7 == 3 { 1 + n as usize % 2 } else { 0 }];
    Digest::of(algorithm, &n.to_be_bytes())
}

/// The manifest of a number: edges of every kind, up to 30.
fn manifest(n: u32) -> Manifest {
    let roles = [Role::Layer, Role::Config, Role::Child, Role::Subject];
    let edge = |at: u32| Edge {
        role: roles[(n + at) as usize % 4],
        digest: digest(n.wrapping_mul(31).wrapping_add(at)),
        target: (at % 3 == 1).then_some(MediaType::OciIndex),
    };
    let count = if n.is_multiple_of(11) { 30 } else { n % 5 };
    Manifest::of(MediaType::OciManifest, (0..count).map(edge))
}

/// A folder in memory where the system has such a place.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Limits that nothing here reaches, but every few records are a segment.
const SMALL: Limits = Limits { bytes: 1 << 30, segment: 1 << 27, waiting: 500 };

fn open(path: &Path, limits: Limits) -> ManifestCache {
    ManifestCache::open(path, limits).unwrap()
}

/// Remembers the manifests of some numbers, as one run.
fn remember(path: &Path, limits: Limits, numbers: impl IntoIterator<Item = u32>) {
    let cache = open(path, limits);
    numbers.into_iter().for_each(|n| cache.put(&digest(n), &manifest(n)));
    cache.close().unwrap();
}

/// How many of them are known; what is known must be right (G4).
#[track_caller]
fn known(cache: &ManifestCache, numbers: impl IntoIterator<Item = u32>) -> usize {
    let numbers: Vec<u32> = numbers.into_iter().collect();
    let digests: Vec<Digest> = numbers.iter().map(|n| digest(*n)).collect();
    let found = cache.get_all(&digests);
    assert_eq!(found.len(), numbers.len());
    for (n, found) in numbers.iter().zip(&found) {
        assert!(found.as_ref().is_none_or(|found| *found == manifest(*n)), "{n}: {found:?}");
    }
    found.iter().flatten().count()
}

/// Every segment in a folder.
fn segments(path: &Path) -> Vec<PathBuf> {
    files(path).into_iter().filter(|path| path.to_string_lossy().ends_with(".edges")).collect()
}

/// Every file there that is being written, or was left.
fn temporaries(path: &Path) -> Vec<PathBuf> {
    files(path).into_iter().filter(|path| path.to_string_lossy().contains("/.new-")).collect()
}

fn files(path: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    files
}

fn size(path: &Path) -> u64 {
    segments(path).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}
