//! The ways in which an undo fails, or is refused.

use sweeper::{Count, UndoReport};

use super::*;

fn undoing(cause: Cause) -> Failure {
    let report = UndoReport {
        ended: sweeper::Ended::Broken,
        is_dry_run: false,
        deleted: None,
        aborted: Count::default(),
        rewritten: <_>::default(),
        kinds: <_>::default(),
        missing: Vec::new(),
    };
    UndoError { cause, report: Box::new(report) }.into()
}

fn not_back(lost: u64, failed: u64) -> Failure {
    let first = FailedKey { key: "blob".into(), message: "it is gone".into() };
    Failure::NotBack { lost, failed, may_go_on: failed > 0, first: Some(first) }
}

pub(super) fn rows() -> Vec<Row> {
    let deleted = Count { objects: 3, bytes: 30 };
    vec![
        (undoing(Cause::NothingDeleted), Code::Unsafe, vec![]),
        (
            undoing(Cause::NothingKept { deleted }),
            Code::Unsafe,
            vec![
                "turn on the bucket's versioning, or collect with --trash, so that the next one can be taken back",
            ],
        ),
        (undoing(Cause::Store(store_error(ErrorKind::Fatal))), Code::Store, vec![GOES_ON]),
        (undoing(Cause::Miscounted { deleted: 3, counted: 2 }), Code::Internal, vec![BUG]),
        (not_back(0, 1), Code::Partial, vec![GOES_ON]),
        (
            not_back(2, 0),
            Code::Partial,
            vec!["what is back stays; what is lost has to be pushed again"],
        ),
        (
            Refusal::TakenBack {
                at: Timestamp::from_seconds(9),
                since: Timestamp::from_seconds(0),
            }
            .into(),
            Code::Unsafe,
            vec!["what was garbage then may be needed now: make a new plan with `regsweep plan`"],
        ),
        (
            Refusal::Undoing { note: "regsweep/undone/0".into() }.into(),
            Code::Unsafe,
            vec![
                "`regsweep undo DIR`, with the directory of the plan that is taken back, goes on",
                "where that plan is lost, remove `regsweep/undone/0`: what is back without a link to it is collected then",
            ],
        ),
        (sweeping(Cause::TakenBack), Code::Unsafe, vec!["make a new plan to see what goes now"]),
    ]
}
