use std::fs;

use super::*;
use crate::file::write::Buffers;

const EACH_ROW: Buffers = Buffers { group_rows: 1, small_stage: 0, all_rows: 8 };

#[test]
fn g11_without_its_header_a_directory_is_no_plan() {
    let dir = tempfile::tempdir().unwrap();
    let writer = PlanWriter::with_buffers(dir.path(), EACH_ROW).unwrap();
    writer.add(one_row_each()).unwrap();
    drop(writer);
    assert!(dir.path().join("tags").exists());
    assert!(matches!(Plan::open(dir.path()), Err(PlanError::NotAPlan { .. })));
    let plan = write(dir.path(), vec![blob(7)]).unwrap();
    assert_eq!(all_rows(&plan), [blob(7)]);
    assert_eq!(files(dir.path(), "tags"), 0);
}

#[test]
fn g11_a_finished_header_under_its_unfinished_name_is_no_plan() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), one_row_each()).unwrap();
    fs::rename(dir.path().join("plan.json"), dir.path().join("plan.json.unfinished")).unwrap();
    assert!(matches!(Plan::open(dir.path()), Err(PlanError::NotAPlan { .. })));
}

#[test]
fn a_directory_that_holds_anything_else_is_left_alone() {
    for (name, is_unfinished) in [
        ("plan.json", true),
        ("plan.json", false),
        ("notes.txt", true),
        ("journal/00", true),
        ("blobs/00.parquet", false),
        ("blobs/notes.txt", true),
        ("tags", true),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "mine").unwrap();
        fs::create_dir_all(dir.path().join("layers")).unwrap();
        fs::write(dir.path().join("layers/00.parquet"), "row").unwrap();
        if is_unfinished {
            fs::write(dir.path().join("plan.json.unfinished"), "").unwrap();
        }
        let error = PlanWriter::create(dir.path()).unwrap_err();
        assert!(matches!(error, PlanError::Occupied { .. }), "{name}: {error}");
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        assert_eq!(fs::read(dir.path().join("layers/00.parquet")).unwrap(), b"row");
    }
}

#[test]
fn a_finished_plan_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let plan = write(dir.path(), one_row_each()).unwrap();
    assert!(
        matches!(write(dir.path(), vec![]), Err(PlanError::Occupied { found, .. }) if !found.is_empty())
    );
    assert_eq!(Plan::open(dir.path()).unwrap().id(), plan.id());
}

#[test]
fn a_directory_that_is_missing_or_empty_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), vec![]).unwrap();
    write(&dir.path().join("a/b"), vec![]).unwrap();
}

#[test]
fn a_directory_that_is_missing_or_a_file_holds_no_plan() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    for path in [dir.path().join("missing"), dir.path().join("file")] {
        assert!(matches!(Plan::open(&path), Err(PlanError::NotAPlan { .. })));
    }
}

#[test]
fn g10_rows_that_could_not_be_written_leave_no_plan() {
    let dir = tempfile::tempdir().unwrap();
    let large: Vec<Row> =
        (0..400).map(|_| Row { key: "k".repeat(900).into(), ..blob(1) }).collect();
    let buffers = Buffers { group_rows: 100, small_stage: 0, all_rows: 1000 };
    let writer = PlanWriter::with_buffers(dir.path(), buffers).unwrap();
    writer.add(large.clone()).unwrap();
    fs::remove_dir_all(dir.path().join("blobs")).unwrap();
    assert!(matches!(writer.add(large), Err(PlanError::Io { .. })));
    writer.finish(&header(), &Marks).unwrap_err();
    assert!(matches!(Plan::open(dir.path()), Err(PlanError::NotAPlan { .. })));
}

#[test]
fn g11_two_writers_in_one_directory_leave_no_plan_of_mixed_rows() {
    let dir = tempfile::tempdir().unwrap();
    let first = PlanWriter::with_buffers(dir.path(), EACH_ROW).unwrap();
    first.add(vec![blob(1)]).unwrap();
    let second = PlanWriter::with_buffers(dir.path(), EACH_ROW).unwrap();
    second.add(vec![blob(1), blob(2)]).unwrap();
    first.finish(&header(), &Marks).unwrap_err();
    second.finish(&header(), &Marks).unwrap_err();
    Plan::open(dir.path()).unwrap_err();
}

#[test]
fn g11_two_writers_of_small_plans_in_one_directory_leave_no_plan_of_mixed_rows() {
    let of = |rows: &[Row]| rows.to_vec();
    let tags = [Row { kind: RowKind::TagLink, ..blob(3) }];
    for (first_rows, second_rows) in
        [(of(&[blob(1)]), of(&[blob(2)])), (of(&[blob(1)]), of(&tags)), (of(&tags), of(&[]))]
    {
        let dir = tempfile::tempdir().unwrap();
        let first = PlanWriter::create(dir.path()).unwrap();
        first.add(first_rows.clone()).unwrap();
        let second = PlanWriter::create(dir.path()).unwrap();
        second.add(second_rows).unwrap();
        first.finish(&header(), &Marks).unwrap();
        second.finish(&header(), &Marks).unwrap_err();
        // The first plan, or what nobody takes for a plan.
        match Plan::open(dir.path()) {
            Ok(plan) => assert_eq!(all_rows(&plan), first_rows),
            Err(error) => assert!(matches!(error, PlanError::Damaged { .. }), "{error}"),
        }
    }
}

fn files(dir: &Path, stage: &str) -> usize {
    fs::read_dir(dir.join(stage)).unwrap().count()
}

#[test]
fn a_plan_that_is_given_up_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("plan");
    let writer = PlanWriter::with_buffers(&place, EACH_ROW).unwrap();
    assert!(writer.is_empty());
    writer.add(one_row_each()).unwrap();
    assert!(!writer.is_empty());
    writer.abandon().unwrap();
    assert!(!place.exists());
    let writer = PlanWriter::create(&place).unwrap();
    fs::write(place.join("notes.txt"), "mine").unwrap();
    assert!(matches!(writer.abandon(), Err(PlanError::Occupied { .. })));
    assert!(place.join("notes.txt").exists());
}
