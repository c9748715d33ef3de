//! Piles in memory and on disk, compared with a set too simple to be wrong.

use std::collections::BTreeSet;

use proptest::prelude::*;
use registry::Digest;
use tempfile::TempDir;

use super::*;
use crate::claim;

/// A pile that may hold so many records of a shard in memory, and the directory for the others.
pub(crate) fn limited(of_a_shard: usize) -> (Pile, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let bytes = of_a_shard * Shard::COUNT * size_of::<Record>();
    let limit = MemoryLimit { bytes, folder: folder.path().to_owned() };
    (Pile::limited(&limit).unwrap(), folder)
}

fn record(n: u32) -> (Shard, Record) {
    claim::blob(&Digest::sha256(&n.to_be_bytes()), u64::from(n), n.is_multiple_of(3))
}

fn all(sorted: &Sorted) -> Result<Vec<(Shard, Record)>, SpillError> {
    let mut all = Vec::new();
    for shard in Shard::all() {
        for record in sorted.of(shard)? {
            all.push((shard, record?));
        }
    }
    Ok(all)
}

proptest! {
    #[test]
    fn what_was_added_comes_back_once_and_in_order(
        added in prop::collection::vec(0u32..3000, 0..4000),
        of_a_shard in prop_oneof![0usize..20, Just(1 << 20)],
        page in 1usize..500,
    ) {
        let (pile, _folder) = limited(of_a_shard);
        for page in added.chunks(page) {
            pile.add(page.iter().map(|n| record(*n))).unwrap();
        }
        let expected: BTreeSet<(Shard, Record)> = added.iter().map(|n| record(*n)).collect();
        prop_assert_eq!(all(&pile.finish().unwrap()).unwrap(), Vec::from_iter(expected));
    }
}

/// So many records are more runs of each shard than are merged at once.
const MANY: u32 = 60_000;

/// A pile of which nearly everything is on disk.
fn on_disk() -> (Pile, TempDir) {
    let (pile, folder) = limited(1);
    for page in (0..MANY).collect::<Vec<_>>().chunks(1000) {
        pile.add(page.iter().map(|n| record(*n))).unwrap();
    }
    (pile, folder)
}

#[test]
fn more_runs_than_are_merged_at_once_are_merged_in_steps() {
    let (pile, _folder) = on_disk();
    assert!(pile.shards.iter().all(|shard| lock(shard).runs.len() > FAN_IN));
    let sorted = pile.finish().unwrap();
    assert!(sorted.shards.iter().all(|heap| heap.runs.len() <= FAN_IN));
    let expected: BTreeSet<(Shard, Record)> = (0..MANY).map(record).collect();
    assert!(all(&sorted).unwrap().into_iter().eq(expected));
}

#[test]
fn g12_a_shard_holds_no_more_in_memory_than_its_share() {
    let (pile, _folder) = limited(64);
    for page in (0..100_000).collect::<Vec<_>>().chunks(30_000) {
        pile.add(page.iter().map(|n| record(*n))).unwrap();
        assert!(pile.shards.iter().all(|shard| lock(shard).records.capacity() <= 64));
    }
}

#[test]
fn what_is_added_again_and_again_stays_in_memory() {
    let (pile, _folder) = limited(64);
    for _ in 0..100 {
        pile.add((0..2000).map(record)).unwrap();
    }
    assert!(pile.shards.iter().all(|shard| lock(shard).runs.is_empty()));
}

#[test]
fn a_disk_that_lies_is_found_out() {
    let (pile, _folder) = limited(1);
    pile.add((0..5000).map(record)).unwrap();
    let mut sorted = pile.finish().unwrap();
    assert_eq!(all(&sorted).unwrap().len(), 5000);
    // Other words in the same places.
    sorted.file = SpillFile::create(&std::env::temp_dir()).unwrap();
    sorted.file.append(&vec![0; 5000 * 3]).unwrap();
    assert!(matches!(all(&sorted), Err(SpillError::Damaged { .. })));
    sorted.file = SpillFile::create(&std::env::temp_dir()).unwrap();
    assert!(matches!(all(&sorted), Err(SpillError::Read { .. })));
}

#[test]
fn a_directory_that_is_not_there_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap().path().join("gone");
    let limit = MemoryLimit { bytes: 1 << 20, folder };
    assert!(matches!(Pile::limited(&limit), Err(SpillError::Write { .. })));
}
