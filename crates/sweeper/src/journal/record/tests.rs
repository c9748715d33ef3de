use proptest::prelude::*;

use super::*;

fn a_span() -> impl Strategy<Value = Span> {
    (any::<u32>(), 0..u32::MAX / 2, 1..u32::MAX / 2).prop_map(|(segment, start, length)| Span {
        segment,
        start,
        length,
    })
}

fn a_run() -> impl Strategy<Value = Run> {
    (a_span(), 0..RowKind::ALL.len(), 0..=16u64, any::<u64>()).prop_map(
        |(span, kind, fate, bytes)| Run {
            span,
            kind: RowKind::ALL[kind],
            fate: Fate::from_code(if fate == 16 { REWRITTEN } else { fate }).unwrap(),
            bytes,
        },
    )
}

fn a_marked() -> impl Strategy<Value = Marked> {
    (any::<u32>(), any::<u32>(), ".{0,40}").prop_map(|(segment, ordinal, id)| Marked {
        segment,
        ordinal,
        id: id.into(),
    })
}

fn a_record() -> impl Strategy<Value = Record> {
    prop_oneof![
        (any::<u64>(), ".{0,80}")
            .prop_map(|(format, plan)| Record::Header { format, plan: plan.into() }),
        (any::<u64>(), any::<u64>(), prop::collection::vec(a_span(), 1..9))
            .prop_map(|(batch, after, spans)| Record::Intent { batch, after, spans }),
        (any::<u64>(), any::<u64>(), prop::collection::vec(a_run(), 1..9))
            .prop_map(|(batch, after, runs)| Record::Outcome { batch, after, runs }),
        (0..i64::MAX, any::<bool>())
            .prop_map(|(now, trash)| Record::Began { now: Timestamp::from_millis(now), trash }),
        (any::<u64>(), prop::collection::vec(a_marked(), 1..9))
            .prop_map(|(batch, markers)| Record::Markers { batch, markers }),
        Just(Record::Undone),
        (0..Stage::ALL.len()).prop_map(|stage| Record::Ended(Stage::ALL[stage])),
        any::<[u64; 8]>().prop_map(|n| Record::Finished(Fates {
            deleted: Count { objects: n[0], bytes: n[1] },
            rewritten: Count { objects: n[6], bytes: n[7] },
            already_gone: Count { objects: n[2], bytes: n[3] },
            spared: Count { objects: n[4], bytes: n[5] },
            failed: Count::default(),
        })),
    ]
}

proptest! {
    #[test]
    fn a_record_reads_as_it_was_written(record in a_record()) {
        prop_assert_eq!(Record::decode(&record.encode()), Ok(record));
    }

    #[test]
    fn a_cut_record_is_never_read(record in a_record(), cut in 1..40usize) {
        let bytes = record.encode();
        let kept = bytes.len().saturating_sub(cut);
        prop_assert!(Record::decode(&bytes[..kept]).is_err());
    }

    #[test]
    fn any_bytes_are_a_record_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(record) = Record::decode(&bytes) {
            prop_assert_eq!(Record::decode(&record.encode()), Ok(record));
        }
    }
}

#[test]
fn every_failure_keeps_its_kind() {
    for kind in FAILURES {
        assert_eq!(Fate::from_code(Fate::Failed(kind).code()), Some(Fate::Failed(kind)));
    }
    assert_eq!(Fate::from_code(FAILED + FAILURES.len() as u64), None);
}

#[test]
fn spans_are_never_empty_and_never_run_over() {
    for span in [(0, 0, 0), (0, u32::MAX, 1)] {
        let span = Span { segment: span.0, start: span.1, length: span.2 };
        let record = Record::Intent { batch: 0, after: 0, spans: vec![span] };
        assert_eq!(Record::decode(&record.encode()), Err("an impossible span"));
    }
}
