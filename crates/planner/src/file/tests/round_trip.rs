use std::collections::HashSet;
use std::thread;

use super::*;
use crate::file::write::Buffers;
use crate::{Amount, Breaker, Doubt, Note, RowDamage, Severity, Stage};

const SMALL: Buffers = Buffers { group_rows: 3, all_rows: 8 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn g10_what_goes_in_comes_out_once_and_in_order(
        calls in prop::collection::vec(prop::collection::vec(any_row(), 0..12), 0..6),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let writer = PlanWriter::with_buffers(dir.path(), SMALL).unwrap();
        for rows in &calls {
            writer.add(rows.clone()).unwrap();
        }
        let plan = writer.finish(&header(), &Marks).unwrap();
        let mut expected = calls.concat();
        // Stable: rows of one segment keep their order.
        expected.sort_by_key(place);
        prop_assert_eq!(all_rows(&plan), expected.clone());
        let places: HashSet<_> = expected.iter().map(place).collect();
        prop_assert_eq!(plan.segments().len(), places.len());
        for kind in RowKind::ALL {
            let rows = expected.iter().filter(|row| row.kind == kind);
            let amount: Amount = rows.map(|row| Amount { count: 1, bytes: row.bytes }).sum();
            prop_assert_eq!(plan.totals().of(kind), amount);
        }
    }
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
    let writer =
        PlanWriter::with_buffers(dir.path(), Buffers { group_rows: 16, all_rows: 300 }).unwrap();
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
fn g12_four_stages_of_256_shards_hold_few_rows_and_no_file_open() {
    let dir = tempfile::tempdir().unwrap();
    let buffers = Buffers { group_rows: 64, all_rows: 2048 };
    let writer = PlanWriter::with_buffers(dir.path(), buffers).unwrap();
    let kinds = [RowKind::TagLink, RowKind::RevisionLink, RowKind::LayerLink, RowKind::Blob];
    for number in 0..2500 {
        writer.add(kinds.map(|kind| Row { kind, ..blob(number) }).into()).unwrap();
        assert!(writer.buffered_rows() <= buffers.all_rows);
    }
    #[cfg(target_os = "linux")]
    assert_eq!(open_files_below(dir.path()), 0);
    let plan = writer.finish(&header(), &Marks).unwrap();
    assert_eq!(plan.segments().len(), Stage::ALL.len() * Shard::COUNT);
    assert_eq!(all_rows(&plan).len(), 10_000);
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
