//! Several processes and one folder, and processes that end at any point.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::CacheError;
use crate::directory::Directory;

#[test]
fn two_runs_at_once_remember_what_both_read() {
    let folder = folder();
    let limits = Limits { waiting: usize::MAX, ..SMALL };
    std::thread::scope(|scope| {
        for run in 0..4 {
            let path = folder.path();
            scope.spawn(move || {
                for part in 0..10 {
                    // Half of it is what the next one reads too.
                    let start = run * 500 + part * 100;
                    remember(path, limits, start..start + 100);
                    // What another merges at this moment may be a miss, and is never wrong.
                    known(&open(path, SMALL), 0..2500);
                }
            });
        }
    });
    assert_eq!(known(&open(folder.path(), SMALL), 0..2500), 2500);
}

#[test]
fn a_run_goes_on_with_segments_that_another_merges_or_removes() {
    let folder = folder();
    remember(folder.path(), SMALL, 0..100);
    let cache = open(folder.path(), SMALL);
    (0..10).for_each(|run| remember(folder.path(), SMALL, 100 + run..200));
    assert_eq!(known(&cache, 0..100), 100);
    let none = Limits { bytes: 0, ..SMALL };
    open(folder.path(), none).close().unwrap();
    assert!(segments(folder.path()).is_empty());
    assert_eq!(known(&cache, 0..100), 100);
    (200..300).for_each(|n| cache.put(&digest(n), &manifest(n)));
    cache.close().unwrap();
    assert_eq!(known(&open(folder.path(), SMALL), 200..300), 100);
}

#[test]
fn the_folder_may_be_removed_under_a_run() {
    let folder = folder();
    let path = folder.path().join("cache");
    remember(&path, SMALL, 0..100);
    let cache = open(&path, SMALL);
    fs::remove_dir_all(&path).unwrap();
    assert_eq!(known(&cache, 0..100), 100);
    (100..200).for_each(|n| cache.put(&digest(n), &manifest(n)));
    cache.close().unwrap();
    let cache = open(&path, SMALL);
    assert_eq!((known(&cache, 0..100), known(&cache, 100..200)), (0, 100));
}

#[test]
fn what_a_crash_leaves_is_ignored_and_removed() {
    let folder = folder();
    remember(folder.path(), SMALL, 0..10);
    let whole = fs::read(&segments(folder.path())[0]).unwrap();
    for (at, length) in (0..=whole.len()).step_by(37).enumerate() {
        fs::write(folder.path().join(format!(".new-{at}")), &whole[..length]).unwrap();
    }
    remember(folder.path(), SMALL, []);
    assert!(temporaries(folder.path()).is_empty());
    assert_eq!(known(&open(folder.path(), SMALL), 0..10), 10);
}

#[test]
fn what_is_being_written_is_no_leftover() {
    let folder = folder();
    fs::write(folder.path().join(".new-left"), "").unwrap();
    let directory = Directory::open(folder.path()).unwrap();
    let writing = directory.temporary().unwrap();
    remember(folder.path(), SMALL, 0..10);
    assert_eq!(temporaries(folder.path()), [writing.path()]);
    let path = directory.publish(writing, 1).unwrap();
    remember(folder.path(), SMALL, []);
    assert!(temporaries(folder.path()).is_empty() && !path.exists(), "empty, so damaged");
}

#[test]
fn a_writer_and_who_tidies_never_meet() {
    let folder = folder();
    let directory = Directory::open(folder.path()).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for name in 0..2000 {
                directory.publish(directory.temporary().unwrap(), name).unwrap();
            }
        });
        while !writer.is_finished() {
            directory.remove_leftovers().unwrap();
        }
    });
    assert_eq!((segments(folder.path()).len(), temporaries(folder.path()).len()), (2000, 0));
}

#[test]
fn a_crash_in_a_merge_leaves_records_twice_and_the_next_merge_once() {
    let folder = folder();
    let limits = Limits { waiting: usize::MAX, ..SMALL };
    (0..4).for_each(|run| remember(folder.path(), limits, run * 10..run * 10 + 10));
    let copies: Vec<_> =
        segments(folder.path()).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    remember(folder.path(), limits, 40..50);
    let merged = size(folder.path());
    for (bytes, path) in &copies {
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(known(&open(folder.path(), limits), 0..50), 50);
    remember(folder.path(), limits, []);
    assert_eq!((segments(folder.path()).len(), size(folder.path())), (1, merged));
    assert_eq!(known(&open(folder.path(), limits), 0..50), 50);
}

#[test]
fn only_its_owner_can_reach_what_is_remembered() {
    let folder = folder();
    let path = folder.path().join("new/cache");
    remember(&path, SMALL, 0..10);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert!(segments(&path).iter().all(|path| mode(path) == 0o600));
}

#[test]
fn g4_a_folder_that_others_can_write_to_is_not_believed() {
    let folder = folder();
    remember(folder.path(), SMALL, 0..10);
    for (mode, is_safe) in [(0o770, false), (0o707, false), (0o1777, false), (0o755, true)] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        match ManifestCache::open(folder.path(), SMALL) {
            Ok(cache) => assert!(is_safe && known(&cache, 0..10) == 10, "{mode:o}"),
            Err(error) => assert!(!is_safe && matches!(error, CacheError::Exposed { .. })),
        }
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = ManifestCache::open(&file.join("cache"), SMALL).unwrap_err();
    assert!(matches!(error, CacheError::Io { action: "create", .. }), "{error}");
    assert_eq!(error.to_string(), format!("create `{}`", file.join("cache").display()));
}

#[test]
fn a_folder_that_cannot_be_written_any_more_loses_what_is_new_and_no_more() {
    let folder = folder();
    let path = folder.path().join("cache");
    remember(&path, SMALL, 0..100);
    let cache = open(&path, SMALL);
    fs::remove_dir_all(&path).unwrap();
    fs::write(&path, "a file").unwrap();
    (100..200).for_each(|n| cache.put(&digest(n), &manifest(n)));
    assert_eq!(known(&cache, 0..200), 100);
    assert!(cache.close().is_err());
}
