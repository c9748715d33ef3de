//! Damage is a miss, never another answer, and is gone after the run.

use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;

/// A folder with one segment of some manifests.
fn one_segment(numbers: std::ops::Range<u32>) -> (TempDir, PathBuf, Vec<u8>) {
    let folder = folder();
    let limits = Limits { waiting: usize::MAX, ..SMALL };
    remember(folder.path(), limits, numbers);
    let path = segments(folder.path()).pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    (folder, path, bytes)
}

#[test]
fn g4_whichever_bit_flips_what_is_known_is_right() {
    let (folder, path, bytes) = one_segment(0..9);
    for at in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[at / 8] ^= 1 << (at % 8);
        fs::write(&path, &damaged).unwrap();
        let found = known(&open(folder.path(), SMALL), 0..9);
        assert!(found < 9, "bit {at} is not used for anything");
        assert!(crate::parse_segment(&damaged).is_err(), "bit {at}");
    }
}

#[test]
fn g4_wherever_a_segment_is_cut_off_it_is_none() {
    let (folder, path, bytes) = one_segment(0..9);
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        assert_eq!(known(&open(folder.path(), SMALL), 0..9), 0, "{length}");
    }
    fs::write(&path, &bytes).unwrap();
    assert_eq!(known(&open(folder.path(), SMALL), 0..9), 9);
}

#[test]
fn a_segment_that_is_cut_off_under_a_run_is_a_miss() {
    let (folder, path, bytes) = one_segment(0..200);
    let cache = open(folder.path(), SMALL);
    fs::File::options().write(true).open(&path).unwrap().set_len(bytes.len() as u64 / 2).unwrap();
    assert!(known(&cache, 0..200) < 200);
    cache.close().unwrap();
    assert!(segments(folder.path()).is_empty(), "damage is removed");
}

#[test]
fn a_small_segment_is_read_once() {
    let (folder, path, bytes) = one_segment(0..200);
    let cache = open(folder.path(), SMALL);
    assert!(!cache.is_in_memory());
    assert_eq!(known(&cache, 0..4), 4);
    assert!(cache.is_in_memory());
    fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    assert_eq!(known(&cache, 0..200), 200, "of {} bytes", bytes.len());
}

#[test]
fn what_was_damaged_is_remembered_anew() {
    let (folder, path, mut bytes) = one_segment(0..200);
    let middle = bytes.len() / 3;
    bytes[middle..middle + 4000].fill(0);
    fs::write(&path, &bytes).unwrap();
    let cache = open(folder.path(), SMALL);
    let unknown: Vec<u32> = (0..200).filter(|n| known(&cache, [*n]) == 0).collect();
    assert!(!unknown.is_empty());
    for n in &unknown {
        cache.put(&digest(*n), &manifest(*n));
    }
    cache.close().unwrap();
    assert!(!path.exists());
    assert_eq!(known(&open(folder.path(), SMALL), unknown.iter().copied()), unknown.len());
}

#[test]
fn a_segment_that_is_written_again_lies_where_its_damaged_copy_lay() {
    let (folder, path, bytes) = one_segment(0..9);
    fs::write(&path, &bytes[1..]).unwrap();
    let limits = Limits { waiting: usize::MAX, ..SMALL };
    remember(folder.path(), limits, 0..9);
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_merge_leaves_out_what_is_damaged_and_keeps_the_rest() {
    let folder = folder();
    let limits = Limits { waiting: usize::MAX, ..SMALL };
    (0..4).for_each(|run| remember(folder.path(), limits, run * 50..run * 50 + 50));
    for path in segments(folder.path()) {
        let mut bytes = fs::read(&path).unwrap();
        bytes[100] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    remember(folder.path(), limits, 200..250);
    assert_eq!(segments(folder.path()).len(), 1, "five are merged");
    assert_eq!(known(&open(folder.path(), limits), 0..250), 246);
}

#[test]
fn g4_what_another_version_understood_is_not_believed() {
    let (folder, path, mut bytes) = one_segment(0..9);
    for at in [8, 12, 16, 31] {
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(crate::parse_segment(&bytes), Err(crate::Damage::Header));
        bytes[at] ^= 1;
    }
    remember(folder.path(), SMALL, 0..9);
    assert_eq!(known(&open(folder.path(), SMALL), 0..9), 9);
}

#[test]
fn files_of_others_are_left_alone() {
    let (folder, path, _) = one_segment(0..9);
    let others = ["notes.txt", "0123456789abcdeg.edges", "0123456789abcdef.edges.old"];
    for name in others {
        fs::write(folder.path().join(name), name).unwrap();
    }
    fs::create_dir(folder.path().join("0123456789abcdef.edges")).unwrap();
    symlink(&path, folder.path().join("0123456789abcde0.edges")).unwrap();
    let before = files(folder.path());
    let cache = open(folder.path(), SMALL);
    assert_eq!(known(&cache, 0..9), 9);
    cache.close().unwrap();
    assert_eq!(files(folder.path()), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn g4_however_many_bytes_change_what_is_known_is_right(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (folder, path, mut bytes) = one_segment(0..300);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&path, &bytes).unwrap();
        let cache = open(folder.path(), SMALL);
        known(&cache, 0..400);
        cache.close().unwrap();
        remember(folder.path(), SMALL, 0..300);
        prop_assert_eq!(known(&open(folder.path(), SMALL), 0..300), 300);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(crate::parse_segment(&bytes).is_err());
        let headed = [&crate::segment_header()[..], &bytes].concat();
        prop_assert!(crate::parse_segment(&headed).is_err());
    }
}
