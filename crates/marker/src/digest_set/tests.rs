//! Sets in memory and on disk, compared with a set too simple to be wrong.

use std::collections::HashSet;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn digest(n: u32) -> Digest {
    Digest::sha256(&n.to_be_bytes())
}

/// A set that may hold so many digests of a shard in memory, and the directory for the others.
fn limited(of_a_shard: usize) -> (DigestSetBuilder, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let bytes = of_a_shard * Shard::COUNT * size_of::<u64>();
    let limit = MemoryLimit { bytes, folder: folder.path().to_owned() };
    (DigestSetBuilder::limited(&limit).unwrap(), folder)
}

fn contains(set: &DigestSet, n: u32) -> bool {
    set.reader().contains(&digest(n)).unwrap()
}

proptest! {
    #[test]
    fn what_was_added_is_never_denied(
        added in prop::collection::vec(0u32..5000, 0..4000),
        asked in 0u32..10_000,
        of_a_shard in prop::option::of(0usize..20),
        page in 1usize..500,
    ) {
        let (builder, _folder) = match of_a_shard {
            Some(of_a_shard) => {
                let (builder, folder) = limited(of_a_shard);
                (builder, Some(folder))
            }
            None => (DigestSetBuilder::new(), None),
        };
        for chunk in added.chunks(page) {
            builder.add(chunk.iter().map(|n| digest(*n))).unwrap();
        }
        let set = builder.finish().unwrap();
        let mut reader = set.reader();
        for n in &added {
            prop_assert!(reader.contains(&digest(*n)).unwrap());
        }
        prop_assert_eq!(contains(&set, asked), added.contains(&asked));
        prop_assert_eq!(reader.contains(&digest(asked)).unwrap(), added.contains(&asked));
        let distinct: HashSet<_> = added.iter().collect();
        prop_assert_eq!(set.len(), distinct.len() as u64);
    }
}

proptest! {
    #[test]
    fn one_reader_answers_in_whatever_order_it_is_asked(
        added in prop::collection::hash_set(0u32..6000, 0..5000),
        mut asked in prop::collection::vec(0u32..6000, 0..3000),
        is_in_order: bool,
    ) {
        let builder = DigestSetBuilder::new();
        builder.add(added.iter().map(|n| digest(*n))).unwrap();
        let set = builder.finish().unwrap();
        if is_in_order {
            asked.sort_by_key(|n| digest(*n));
        }
        let mut reader = set.reader();
        for n in asked {
            prop_assert_eq!(reader.contains(&digest(n)).unwrap(), added.contains(&n), "{}", n);
        }
    }
}

/// So many digests fill more than one block of each shard.
const MANY: u32 = 150_000;

/// A set of which every shard is on disk, and what is in it.
fn on_disk() -> (DigestSet, Vec<Digest>, TempDir) {
    let (builder, folder) = limited(64);
    let digests: Vec<Digest> = (0..MANY).map(digest).collect();
    for page in digests.chunks(1000) {
        builder.add(page.iter().copied()).unwrap();
    }
    (builder.finish().unwrap(), digests, folder)
}

#[test]
fn g12_a_shard_holds_no_more_in_memory_than_its_share() {
    let (builder, _folder) = limited(64);
    for chunk in (0..100_000).collect::<Vec<u32>>().chunks(1000) {
        builder.add(chunk.iter().map(|n| digest(*n))).unwrap();
        assert!(builder.shards.iter().all(|shard| lock(shard).fingerprints.capacity() <= 64));
    }
    let runs: usize = builder.shards.iter().map(|shard| lock(shard).runs.len()).sum();
    assert!(runs > 2 * Shard::COUNT, "{runs} runs");
}

#[test]
fn what_is_added_again_and_again_stays_in_memory() {
    let (builder, _folder) = limited(64);
    for _ in 0..1000 {
        builder.add((0..2000).map(digest)).unwrap();
    }
    assert!(builder.finish().unwrap().file().is_none());
}

#[test]
fn large_shards_are_read_by_blocks() {
    let (set, digests, _folder) = on_disk();
    assert_eq!(set.len(), u64::from(MANY));
    let mut reader = set.reader();
    assert!(digests.iter().all(|digest| reader.contains(digest).unwrap()));
    let others = (MANY..2 * MANY).filter(|n| reader.contains(&digest(*n)).unwrap());
    assert_eq!(others.count(), 0);
}

#[test]
fn g4_a_disk_that_lies_is_found_out() {
    let (set, digests, _folder) = on_disk();
    let file = set.file().unwrap();
    let sealed = file.len() - u64::from(MANY) * 8;
    for offset in [sealed, sealed + 4097, u64::midpoint(sealed, file.len()), file.len() - 1] {
        file.damage(offset);
        let mut reader = set.reader();
        let answers = digests.iter().map(|digest| reader.contains(digest));
        let (told, lost): (Vec<_>, Vec<_>) = answers.partition(Result::is_ok);
        assert!(told.into_iter().all(|answer| answer.unwrap()), "offset {offset}");
        let is_damage = |error: &SpillError| matches!(error, SpillError::Damaged { .. });
        assert!(
            !lost.is_empty() && lost.iter().all(|answer| is_damage(answer.as_ref().unwrap_err()))
        );
        file.damage(offset);
    }
    file.cut(u64::midpoint(sealed, file.len()));
    let mut reader = set.reader();
    let answers = digests.iter().map(|digest| reader.contains(digest));
    let (told, lost): (Vec<_>, Vec<_>) = answers.partition(Result::is_ok);
    assert!(told.into_iter().all(|answer| answer.unwrap()));
    assert!(lost.len() > digests.len() / 4);
}

#[test]
fn g5_runs_that_cannot_be_read_back_are_no_set() {
    let (builder, _folder) = limited(16);
    builder.add((0..50_000).map(digest)).unwrap();
    builder.add((50_000..100_000).map(digest)).unwrap();
    let Some(spill) = &builder.spill else { panic!("no limit") };
    spill.file.damage(spill.file.len() / 2);
    assert!(matches!(builder.finish(), Err(SpillError::Damaged { .. })));
}

#[test]
fn a_directory_that_is_not_there_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap().path().join("gone");
    let limit = MemoryLimit { bytes: 1 << 20, folder };
    assert!(matches!(DigestSetBuilder::limited(&limit), Err(SpillError::Write { .. })));
}
