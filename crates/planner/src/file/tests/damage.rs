use std::fs;
use std::path::PathBuf;

use super::*;
use crate::file::document;
use crate::{Damage, parse_header};

/// A plan of one row in each stage, and its segments' files.
fn plan() -> (tempfile::TempDir, Vec<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let plan = write(dir.path(), one_row_each()).unwrap();
    let files = plan.segments().iter().map(|segment| dir.path().join(segment.file())).collect();
    (dir, files)
}

/// The damage that opening ends with, and the file that it names.
fn damage(dir: &Path) -> (PathBuf, Damage) {
    match Plan::open(dir) {
        Err(PlanError::Damaged { file, what }) => (file, what),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_flipped_byte_of_a_segment_is_found() {
    let (dir, files) = plan();
    let file = &files[2];
    let sound = fs::read(file).unwrap();
    for position in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[position] ^= 1 << (position % 8);
        fs::write(file, bytes).unwrap();
        assert_eq!(damage(dir.path()), (file.clone(), Damage::Checksum), "byte {position}");
    }
    fs::write(file, sound).unwrap();
    Plan::open(dir.path()).unwrap();
}

#[test]
fn every_cut_of_a_segment_and_every_tail_is_found() {
    let (dir, files) = plan();
    let file = &files[2];
    let sound = fs::read(file).unwrap();
    let expected = sound.len() as u64;
    for length in 0..sound.len() {
        fs::write(file, &sound[..length]).unwrap();
        let what = Damage::Length { expected, found: length as u64 };
        assert_eq!(damage(dir.path()), (file.clone(), what));
    }
    fs::write(file, [&sound[..], b"x"].concat()).unwrap();
    let what = Damage::Length { expected, found: expected + 1 };
    assert_eq!(damage(dir.path()), (file.clone(), what));
    fs::write(file, sound).unwrap();
    Plan::open(dir.path()).unwrap();
}

#[test]
fn a_missing_segment_is_found() {
    for number in 0..4 {
        let (dir, files) = plan();
        fs::remove_file(&files[number]).unwrap();
        assert_eq!(damage(dir.path()), (files[number].clone(), Damage::Missing));
    }
}

#[test]
fn two_segments_that_changed_places_are_found() {
    let (dir, files) = plan();
    for first in 0..files.len() {
        for second in 0..first {
            swap(&files[first], &files[second]);
            assert!(matches!(damage(dir.path()).1, Damage::Checksum | Damage::Length { .. }));
            swap(&files[first], &files[second]);
        }
    }
    Plan::open(dir.path()).unwrap();
}

fn swap(left: &Path, right: &Path) {
    let contents = [left, right].map(|file| fs::read(file).unwrap());
    fs::write(left, &contents[1]).unwrap();
    fs::write(right, &contents[0]).unwrap();
}

#[test]
fn a_segment_too_many_is_found() {
    let (dir, files) = plan();
    let stranger = dir.path().join("blobs/00.parquet");
    fs::copy(&files[3], &stranger).unwrap();
    assert_eq!(damage(dir.path()), (stranger, Damage::Unlisted));
}

#[test]
fn what_else_lies_in_the_directory_does_not_matter() {
    let (dir, _) = plan();
    fs::write(dir.path().join("journal"), "x").unwrap();
    fs::write(dir.path().join("blobs/notes.txt"), "x").unwrap();
    Plan::open(dir.path()).unwrap();
}

#[test]
fn every_flipped_byte_of_the_header_is_refused() {
    let (dir, _) = plan();
    let sound = fs::read(dir.path().join("plan.json")).unwrap();
    for position in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[position] ^= 1;
        let refused = matches!(
            parse_header(&bytes),
            Err(PlanError::Damaged { .. }
                | PlanError::NotAPlan { .. }
                | PlanError::OtherFormat { .. })
        );
        assert!(refused, "byte {position} of {}", String::from_utf8_lossy(&sound));
    }
}

#[test]
fn every_cut_of_the_header_is_refused() {
    let (dir, _) = plan();
    let sound = fs::read(dir.path().join("plan.json")).unwrap();
    let text = sound.trim_ascii_end();
    for length in 0..text.len() {
        let error = parse_header(&text[..length]).unwrap_err();
        assert!(
            matches!(error, PlanError::Damaged { what: Damage::Json(_), .. }),
            "{length}: {error}"
        );
    }
    fs::write(dir.path().join("plan.json"), &text[..text.len() / 2]).unwrap();
    assert!(
        matches!(damage(dir.path()), (file, Damage::Json(_)) if file == dir.path().join("plan.json"))
    );
}

#[test]
fn every_edit_of_the_header_is_refused() {
    let (dir, _) = plan();
    let path = dir.path().join("plan.json");
    let sound = fs::read_to_string(&path).unwrap();
    for (before, after) in [
        ("\"untagged\": true", "\"untagged\": false"),
        ("s3://registry.example/data\"", "s3://registry.example/date\""),
        ("2023-11-14T22:13:20Z", "2024-11-14T22:13:20Z"),
        ("\"list\": 5", "\"list\": 6"),
        ("\"minor\": 1", "\"minor\": 2"),
        ("\"rows\": 1", "\"rows\": 2"),
    ] {
        assert!(sound.contains(before), "{before}");
        fs::write(&path, sound.replacen(before, after, 1)).unwrap();
        assert_eq!(damage(dir.path()), (path.clone(), Damage::Id), "{before}");
    }
}

#[test]
fn a_plan_is_used_while_it_is_fresh_and_only_where_it_was_made_for() {
    let (dir, _) = plan();
    let plan = Plan::open(dir.path()).unwrap();
    let hour = Duration::from_hours(1);
    let t0 = plan.header().t0;
    plan.check_fresh(t0.after(hour), hour).unwrap();
    plan.check_fresh(t0.before(hour / 4), hour).unwrap();
    let late = plan.check_fresh(t0.after(hour).after(Duration::from_millis(1)), hour).unwrap_err();
    assert_eq!(late.to_string(), "the plan is 1h 00m old; at most 1h 00m are allowed");
    let early = plan.check_fresh(t0.before(hour), hour).unwrap_err();
    assert!(matches!(early, PlanError::FromTheFuture { .. }), "{early}");
    plan.check_location("s3://registry.example/data").unwrap();
    let other = plan.check_location("s3://registry.example/other").unwrap_err();
    let expected =
        "the plan was made for s3://registry.example/data, not for s3://registry.example/other";
    assert_eq!(other.to_string(), expected);
}

#[test]
fn headers_nested_without_end_are_refused() {
    for text in ["[".repeat(100_000), "{\"a\":".repeat(100_000)] {
        assert!(document::parse(text.as_bytes(), Path::new("")).is_err());
    }
}
