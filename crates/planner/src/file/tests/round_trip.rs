use std::collections::{BTreeSet, HashSet};
use std::thread;

use super::*;
use crate::file::write::Buffers;
use crate::{Amount, Breaker, Doubt, Note, Part, RowDamage, Severity, Stage};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn g10_what_goes_in_comes_out_once_and_in_order(
        calls in prop::collection::vec(prop::collection::vec(any_row(), 0..12), 0..6),
        small_stage in 0..16u64,
        has_etags: bool,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let buffers = Buffers { group_rows: 3, small_stage, all_rows: 64 };
        let mut writer = PlanWriter::with_buffers(dir.path(), buffers).unwrap();
        if has_etags {
            writer = writer.with_etags();
        }
        for rows in &calls {
            writer.add(rows.clone()).unwrap();
        }
        let plan = writer.finish(&header(), &Marks).unwrap();
        let mut expected = calls.concat();
        if !has_etags {
            for row in &mut expected {
                row.etag = None;
            }
        }
        prop_assert_eq!(plan.has_etags(), has_etags);
        // Stable: rows of one segment keep their order.
        expected.sort_by_key(place);
        prop_assert_eq!(all_rows(&plan), expected.clone());
        prop_assert_eq!(places(&plan), expected_places(&expected, small_stage));
        for Segment { stage, part, rows, bytes, .. } in plan.segments() {
            let own = expected.iter().filter(|row| {
                row.kind.stage() == *stage && part.holds(row.shard())
            });
            let amount: Amount = own.map(|row| Amount { count: 1, bytes: row.bytes }).sum();
            prop_assert_eq!(amount, Amount { count: *rows, bytes: *bytes });
        }
        for kind in RowKind::ALL {
            let rows = expected.iter().filter(|row| row.kind == kind);
            let amount: Amount = rows.map(|row| Amount { count: 1, bytes: row.bytes }).sum();
            prop_assert_eq!(plan.totals().of(kind), amount);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn g10_a_draft_tells_what_the_plan_would_hold(
        calls in prop::collection::vec(prop::collection::vec(any_row(), 0..12), 0..6),
        small_stage in 0..16u64,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let buffers = Buffers { group_rows: 3, small_stage, all_rows: 64 };
        let writer = |name| PlanWriter::with_buffers(&dir.path().join(name), buffers).unwrap();
        let (plan, draft) = (writer("plan"), writer("draft"));
        for rows in &calls {
            let rows = rows.iter().map(|row| Row { etag: None, ..row.clone() });
            plan.add(rows.clone().collect()).unwrap();
            draft.add(rows.collect()).unwrap();
        }
        let plan = plan.finish(&header(), &Marks).unwrap();
        let draft = draft.draft(header(), &Marks).unwrap();
        prop_assert_eq!(draft.totals(), plan.totals());
        prop_assert_eq!(draft.header(), plan.header());
        prop_assert_eq!(draft.into_rows().collect::<Result<Vec<_>, _>>().unwrap(), all_rows(&plan));
    }
}

#[test]
fn g10_of_what_could_not_be_added_there_is_no_draft() {
    let dir = tempfile::tempdir().unwrap();
    let writer = PlanWriter::create(dir.path()).unwrap();
    assert!(writer.add(vec![Row { key: "".into(), ..blob(1) }]).is_err());
    let draft = writer.draft(header(), &Marks);
    assert!(matches!(draft, Err(PlanError::Unwritten { added: 1, written: 0, .. })), "{draft:?}");
}

fn places(plan: &Plan) -> BTreeSet<(Stage, Part)> {
    let places: BTreeSet<_> =
        plan.segments().iter().map(|segment| (segment.stage, segment.part)).collect();
    assert_eq!(places.len(), plan.segments().len());
    places
}

/// A small stage is one segment, and another one a segment for each shard.
fn expected_places(rows: &[Row], small_stage: u64) -> BTreeSet<(Stage, Part)> {
    let is_small =
        |stage| rows.iter().filter(|row| row.kind.stage() == stage).count() as u64 <= small_stage;
    let part = |(stage, shard)| if is_small(stage) { Part::All } else { Part::Shard(shard) };
    rows.iter().map(place).map(|place| (place.0, part(place))).collect()
}

#[test]
fn a_stage_is_one_segment_up_to_the_limit_of_the_format_and_one_for_each_shard_past_it() {
    let limit = u32::try_from(Part::SMALL_STAGE).unwrap();
    for (rows, segments) in [(limit, 1), (limit + 1, Shard::COUNT)] {
        let dir = tempfile::tempdir().unwrap();
        let plan = write(dir.path(), (0..rows).map(blob).collect()).unwrap();
        assert_eq!(plan.segments().len(), segments);
        let rows = all_rows(&plan);
        assert_eq!(rows.len() as u64, plan.totals().all().count);
        assert!(rows.is_sorted_by_key(place));
    }
}

#[test]
fn a_stage_that_grows_is_split_whatever_was_added_before() {
    for small_stage in [0, 1, 9, 10, 99] {
        let dir = tempfile::tempdir().unwrap();
        let buffers = Buffers { group_rows: 4, small_stage, all_rows: 1000 };
        let writer = PlanWriter::with_buffers(dir.path(), buffers).unwrap();
        // All of one shard: more than a row group when the stage is split.
        let rows: Vec<Row> = (0..100).map(|number| Row { bytes: number, ..blob(1) }).collect();
        for row in &rows {
            writer.add(vec![row.clone()]).unwrap();
        }
        let plan = writer.finish(&header(), &Marks).unwrap();
        assert_eq!(places(&plan), [(Stage::Blobs, Part::Shard(rows[0].shard()))].into());
        assert_eq!(all_rows(&plan), rows);
    }
}

#[test]
fn g12_small_stages_are_not_split_to_make_room_where_a_large_one_can_give_it() {
    let dir = tempfile::tempdir().unwrap();
    let buffers = Buffers { group_rows: 64, small_stage: 25, all_rows: 100 };
    let writer = PlanWriter::with_buffers(dir.path(), buffers).unwrap();
    // The longest segment of all belongs to a small stage.
    writer.add((0..25).map(|_| Row { kind: RowKind::TagLink, ..blob(1) }).collect()).unwrap();
    for number in 0..500 {
        writer.add(vec![blob(number)]).unwrap();
        assert!(writer.buffered_rows() <= buffers.all_rows);
    }
    let plan = writer.finish(&header(), &Marks).unwrap();
    assert_eq!(plan.segments()[0].part, Part::All);
    assert_eq!(all_rows(&plan).len(), 525);
}

#[test]
fn g12_where_only_small_stages_can_give_room_they_are_split() {
    let dir = tempfile::tempdir().unwrap();
    let buffers = Buffers { group_rows: 3, small_stage: 1000, all_rows: 8 };
    let writer = PlanWriter::with_buffers(dir.path(), buffers).unwrap();
    for number in 0..100 {
        writer.add(vec![blob(number)]).unwrap();
        assert!(writer.buffered_rows() <= buffers.all_rows);
    }
    let plan = writer.finish(&header(), &Marks).unwrap();
    assert_eq!(all_rows(&plan).len(), 100);
}

#[test]
fn a_segment_too_long_to_be_read_whole_comes_back_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut state = 1u64;
    let mut letter = || {
        // Xorshift: a key that does not compress.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b' ' + (state >> 57) as u8 % 95)
    };
    let mut row = || Row { key: (0..1 << 20).map(|_| letter()).collect(), ..blob(1) };
    let rows: Vec<Row> = (0..17).map(|_| row()).collect();
    let plan = write(dir.path(), rows.clone()).unwrap();
    assert!(plan.segments()[0].file_bytes > 16 << 20);
    assert!(all_rows(&plan) == rows);
}

#[test]
fn the_header_comes_back_as_it_went() {
    let dir = tempfile::tempdir().unwrap();
    let mut header = header();
    header.facts.newest_link = Some(Timestamp::FAR_FUTURE);
    header.facts.newest_blob = Some(Timestamp::from_millis(1_600_000_000_001));
    header.facts.keys = u64::MAX;
    header.doubts.add(Doubt {
        repository: "a\u{0}b".into(),
        what: "\"".into(),
        message: "é".into(),
    });
    header.notes.push(Note {
        severity: Severity::Fatal,
        breaker: Breaker::StaleLinks,
        found: 12,
        of: 40,
        evidence: "12 of 40".into(),
    });
    let written = PlanWriter::create(dir.path()).unwrap().finish(&header, &Marks).unwrap();
    let opened = Plan::open(dir.path()).unwrap();
    assert_eq!(opened.header(), &header);
    assert_eq!(opened.id(), written.id());
    assert_eq!(opened.dir(), dir.path());
    assert_eq!(opened.segments(), []);
}

#[test]
fn equal_plans_have_equal_ids_and_other_plans_other_ones() {
    let id = |rows| {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), rows).unwrap().id()
    };
    let mut rows = one_row_each();
    assert_eq!(id(rows.clone()), id(rows.clone()));
    let before = id(rows.clone());
    rows[0].modified = Timestamp::from_millis(1);
    assert_ne!(id(rows), before);
}

#[test]
fn rows_of_any_thread_are_written_once() {
    let dir = tempfile::tempdir().unwrap();
    let buffers = Buffers { group_rows: 16, small_stage: 70, all_rows: 300 };
    let writer = PlanWriter::with_buffers(dir.path(), buffers).unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let writer = &writer;
            scope.spawn(move || {
                for call in 0..20 {
                    let first = (thread * 20 + call) * 50;
                    writer.add((first..first + 50).map(blob).collect()).unwrap();
                }
            });
        }
    });
    let plan = writer.finish(&header(), &Marks).unwrap();
    let keys: HashSet<_> = all_rows(&plan).into_iter().map(|row| row.key).collect();
    assert_eq!(plan.totals().of(RowKind::Blob).count, 4000);
    assert_eq!(keys, (0..4000).map(|number| blob(number).key).collect());
}

#[test]
fn g12_all_stages_of_256_shards_hold_few_rows_and_no_file_open() {
    let dir = tempfile::tempdir().unwrap();
    let buffers = Buffers { group_rows: 64, small_stage: 512, all_rows: 2048 };
    let writer = PlanWriter::with_buffers(dir.path(), buffers).unwrap();
    let kinds = [RowKind::TagLink, RowKind::RevisionLink, RowKind::LayerLink, RowKind::Blob];
    for number in 0..2500 {
        writer.add(kinds.map(|kind| Row { kind, ..blob(number) }).into()).unwrap();
        let broken = Row { kind: RowKind::BrokenLink, ..blob(number) };
        writer.add(vec![multipart(number), broken]).unwrap();
        assert!(writer.buffered_rows() <= buffers.all_rows);
    }
    #[cfg(target_os = "linux")]
    assert_eq!(open_files_below(dir.path()), 0);
    let plan = writer.finish(&header(), &Marks).unwrap();
    assert_eq!(plan.segments().len(), Stage::ALL.len() * Shard::COUNT);
    assert_eq!(all_rows(&plan).len(), 15_000);
}

#[cfg(target_os = "linux")]
fn open_files_below(dir: &Path) -> usize {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = descriptors.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    targets.filter(|target| target.starts_with(dir)).count()
}

#[test]
fn g10_a_row_that_would_not_come_back_is_refused_and_spoils_the_plan() {
    for (row, what) in [
        (Row { key: "".into(), ..blob(1) }, RowDamage::EmptyKey),
        (Row { bytes: 1 << 63, ..blob(1) }, RowDamage::Size),
        (Row { upload: None, ..multipart(1) }, RowDamage::Upload),
        (Row { upload: Some("".into()), ..multipart(1) }, RowDamage::Upload),
        (Row { upload: Some("id".into()), ..blob(1) }, RowDamage::Upload),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let writer = PlanWriter::create(dir.path()).unwrap();
        let error = writer.add(vec![row]).unwrap_err();
        assert!(matches!(error, PlanError::Row { what: found, .. } if found == what), "{error}");
        let error = writer.finish(&header(), &Marks).unwrap_err();
        assert!(matches!(error, PlanError::Unwritten { added: 1, written: 0, .. }), "{error}");
        assert!(matches!(Plan::open(dir.path()), Err(PlanError::NotAPlan { .. })));
    }
}
