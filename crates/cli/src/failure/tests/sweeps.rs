//! What ends a sweep, and what to do then.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    vec![
        (
            Reappeared { digest: registry::Digest::sha256(b"a manifest") }.into(),
            Code::Incomplete,
            vec!["make the registry read-only, then run `regsweep gc config.yml` again"],
        ),
        (
            sweeping(Cause::AlreadyApplied),
            Code::Unsafe,
            vec!["make a new plan to see what goes now"],
        ),
        (
            sweeping(Cause::Store(store_error(ErrorKind::Unreachable))),
            Code::Store,
            vec!["check --endpoint-url, and that the store runs", GOES_ON],
        ),
        (sweeping(Cause::Store(store_error(ErrorKind::Fatal))), Code::Store, vec![GOES_ON]),
        (
            sweeping(Cause::Journal(journal_io())),
            Code::Partial,
            vec!["check that the plan's directory is writable and has room", GOES_ON],
        ),
        (
            sweeping(Cause::Plan(PlanError::Damaged {
                file: "plan".into(),
                what: Damage::Checksum,
            })),
            Code::Format,
            vec![NEW_PLAN],
        ),
        (sweeping(Cause::JournalClosed), Code::Internal, vec![BUG]),
        (
            sweeping(Cause::Unaccounted(Imbalance::Parts { parts: "shards" }.into())),
            Code::Internal,
            vec![BUG],
        ),
        (sweeping(Cause::StrangeSegment { number: 7 }), Code::Format, vec![NEW_PLAN]),
    ]
}

/// How a run ends that did not do all.
pub(super) fn ends() -> Vec<Row> {
    vec![
        (partial(false), Code::Partial, vec![GOES_ON]),
        (
            partial(true),
            Code::Partial,
            vec![
                "only a new plan can tell what goes now: `regsweep plan`, or the same `regsweep gc` again",
            ],
        ),
        (Failure::Stopped { is_sweeping: true }, Code::Stopped, vec![GOES_ON]),
        (
            Failure::Stopped { is_sweeping: false },
            Code::Stopped,
            vec!["`regsweep gc config.yml` starts over"],
        ),
        (Failure::Disproved("a key".into()), Code::Internal, vec![BUG]),
        (not_ready(Code::Store), Code::Store, vec![]),
        (not_ready(Code::Unsafe), Code::Unsafe, vec![]),
        (
            Failure::Internal { what: "a task ended early", source: io().into() },
            Code::Internal,
            vec![BUG],
        ),
    ]
}
