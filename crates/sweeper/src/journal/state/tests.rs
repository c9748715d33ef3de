use store::ErrorKind;

use super::*;

fn span(segment: u32, start: u32, length: u32) -> Span {
    Span { segment, start, length }
}

fn run(span: Span, fate: Fate) -> Run {
    Run { span, kind: RowKind::Blob, fate, bytes: u64::from(span.length) * 10 }
}

fn intent(batch: u64, spans: &[Span]) -> Record {
    Record::Intent { batch, after: 0, spans: spans.to_vec() }
}

fn outcome(batch: u64, runs: &[Run]) -> Record {
    Record::Outcome { batch, after: 1, runs: runs.to_vec() }
}

fn after(records: &[Record]) -> Result<JournalState, Nonsense> {
    let mut state = JournalState::default();
    state.apply(&Record::Began { now: Timestamp::default(), trash: false })?;
    records.iter().try_for_each(|record| state.apply(record))?;
    Ok(state)
}

#[test]
fn rows_that_failed_are_not_done_and_all_others_are() {
    let failed = Fate::Failed(ErrorKind::Denied);
    let state = after(&[
        intent(0, &[span(0, 0, 4), span(3, 7, 2)]),
        outcome(
            0,
            &[
                run(span(0, 0, 1), Fate::Deleted),
                run(span(0, 1, 1), failed),
                run(span(0, 2, 2), Fate::Gone),
                run(span(3, 7, 2), Fate::Spared),
            ],
        ),
        intent(1, &[span(0, 1, 1)]),
    ])
    .unwrap();
    assert_eq!(state.done(0), Some(&[0, 2, 3].into_iter().collect()));
    assert_eq!(state.done(3), Some(&[7, 8].into_iter().collect()));
    assert_eq!(state.done(4), None);
    assert_eq!((state.done_rows(0), state.done_rows(4)), (3, 0));
    assert_eq!(state.uncertain_rows(), 1);
    assert_eq!(state.next_batch(), 2);
    let fates = state.fates();
    assert_eq!(fates.deleted, Count { objects: 1, bytes: 10 });
    assert_eq!(fates.already_gone, Count { objects: 2, bytes: 20 });
    assert_eq!(fates.spared, Count { objects: 2, bytes: 20 });
    assert_eq!(fates.failed, Count::default());
}

#[test]
fn g4_a_row_that_was_gone_when_it_was_asked_for_again_may_have_been_deleted_by_us() {
    let failed = run(span(0, 1, 1), Fate::Failed(ErrorKind::Transient));
    let first = [intent(0, &[span(0, 0, 1)]), intent(1, &[span(0, 1, 1)])];
    let again = [outcome(1, &[failed]), intent(2, &[span(0, 0, 3)])];
    let state = after(&[&first[..], &again[..]].concat()).unwrap();
    assert_eq!(state.unsettled_rows(), 3);
    let gone = outcome(2, &[run(span(0, 0, 3), Fate::Gone)]);
    let state = after(&[&first[..], &again[..], &[gone]].concat()).unwrap();
    assert_eq!((state.done_rows(0), state.unsettled_rows()), (3, 2));
}

#[test]
fn what_contradicts_itself_is_nonsense() {
    let row = span(0, 0, 1);
    let deleted = run(row, Fate::Deleted);
    let done = || vec![intent(0, &[row]), outcome(0, &[deleted])];
    let with = |more: Vec<Record>| after(&[done(), more].concat()).unwrap_err();
    assert_eq!(with(vec![intent(0, &[span(0, 1, 1)])]), "a batch that was there before");
    assert_eq!(with(vec![intent(1, &[row])]), "an intent for a row that has its outcome");
    assert_eq!(with(vec![outcome(1, &[deleted])]), "an outcome without an intent");
    assert_eq!(
        with(vec![intent(1, &[span(0, 1, 2)]), outcome(1, &[run(span(0, 1, 1), Fate::Gone)])]),
        "an outcome for other rows than intended"
    );
    let again = span(0, 5, 1);
    let twice = [intent(1, &[again]), intent(2, &[again])];
    let settled = |batch| outcome(batch, &[run(again, Fate::Gone)]);
    assert_eq!(
        with([twice.to_vec(), vec![settled(1), settled(2)]].concat()),
        "two outcomes for one row"
    );
    let ended = Record::Ended(Stage::Blobs);
    assert_eq!(with(vec![ended.clone(), ended.clone()]), "a stage that ends twice");
    assert_eq!(
        with(vec![intent(1, &[again]), ended, settled(1)]),
        "an outcome in a stage that had ended"
    );
    let header = Record::Header { format: 1, plan: "p".into() };
    assert_eq!(with(vec![header]), "a second header");
    let totals = Record::Finished(Fates::default());
    assert_eq!(with(vec![totals]), "totals that are not the sum of the outcomes");
    let totals = Record::Finished(after(&done()).unwrap().fates());
    assert_eq!(with(vec![totals.clone(), totals.clone()]), "a record after the last");
    let undone = Record::Undone;
    assert_eq!(with(vec![totals, undone.clone(), undone]), "a record after the last");
    let marked = Marked { segment: 0, ordinal: 0, id: "m".into() };
    let markers = Record::Markers { batch: 0, markers: vec![marked] };
    assert_eq!(with(vec![markers]), "markers without an intent");
    assert_eq!(
        JournalState::default().apply(&intent(0, &[row])),
        Err("a batch before a sweep began")
    );
}

#[test]
fn neighbours_are_joined_and_nothing_else_is() {
    let spans = [span(0, 0, 2), span(0, 2, 1), span(0, 4, 1), span(1, 5, 1), span(1, 3, 2)];
    assert_eq!(joined(spans), [span(0, 0, 3), span(0, 4, 1), span(1, 5, 1), span(1, 3, 2)]);
}
