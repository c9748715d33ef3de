//! What ends a collection while people push, and what to do then.

use ledger::LedgerError;
use protocol::Waits;

use super::*;

const WAIT: &str = "wait for it to end; two at once would only be slower";
const GOES_ON_AGAIN: &str = "run it again: it goes on where this ended";

fn ledger(error: LedgerError, code: Code, hint: Option<&'static str>) -> Row {
    (Failure::Ledger(error), code, hint.into_iter().collect())
}

fn records() -> Vec<Row> {
    let (key, path): (Box<str>, Box<str>) = ("a/key".into(), "a/lock".into());
    let lost = ledger::LeaseLost { holder: "me".into() };
    vec![
        ledger(lost.into(), Code::Partial, Some(GOES_ON_AGAIN)),
        ledger(LedgerError::Overtaken { key: key.clone() }, Code::Unsafe, Some(GOES_ON_AGAIN)),
        ledger(LedgerError::Locked { path: path.clone() }, Code::Unsafe, Some(WAIT)),
        ledger(
            LedgerError::Damaged { key: key.clone(), reason: "it has no end".into() },
            Code::Format,
            Some(
                "nothing is deleted as long as it is there: bring the object back as it was, from an older version",
            ),
        ),
        ledger(
            LedgerError::UnknownFormat { key, format: 2 },
            Code::Format,
            Some("use the version that wrote it, or a newer one"),
        ),
        ledger(store_error(ErrorKind::Denied).into(), Code::Store, Some(DENIED)),
        ledger(LedgerError::Lock { path, source: io() }, Code::Usage, None),
    ]
}

pub(super) fn rows() -> Vec<Row> {
    let until = Timestamp::from_seconds(0);
    let mut rows = records();
    rows.extend([
        (
            Refusal::Leased { holder: "another".into(), until }.into(),
            Code::Unsafe,
            vec!["run `regsweep gc config.yml` again then"],
        ),
        (
            Refusal::OpenGeneration { generation: "7".into() }.into(),
            Code::Unsafe,
            vec![
                "`regsweep gc LOCATION --online`, once its waits are over, carries it to its end",
                "or take it back: `regsweep undo LOCATION --generation 7`, then run `gc --online` once",
            ],
        ),
        (
            Refusal::NoUndo { location: "here".into() }.into(),
            Code::Unsafe,
            vec![
                "turn on the bucket's versioning, or collect with --trash",
                "or accept that some image may be lost, and say so: --without-undo",
            ],
        ),
        (
            Refusal::CacheUnproven { why: "nothing is known" }.into(),
            Code::Unsafe,
            vec![
                "give the registry's config.yml as the location, with redis as its cache or none",
                "or say what you know: --registry-cache none, or --restarted-every DURATION",
            ],
        ),
        (
            Refusal::OnlineUntagged { location: "here".into() }.into(),
            Code::Unsafe,
            vec![
                "turn on the bucket's versioning; on files, collect with --trash",
                "or leave out --untagged, or make the registry read-only and run `regsweep gc config.yml`",
            ],
        ),
        (
            Refusal::NoGeneration { location: "here".into() }.into(),
            Code::Unsafe,
            vec![
                "`regsweep gc --online` begins generations; `regsweep undo DIR` takes back what a plan deleted",
            ],
        ),
        (
            Failure::Unlogged { path: "audit".into(), source: io() },
            Code::Partial,
            vec!["check that its disk has room", GOES_ON],
        ),
        (
            Failure::TrashUnlogged { path: "audit".into(), source: io() },
            Code::Partial,
            vec!["check that its disk has room", "the next run with --trash empties what is left"],
        ),
    ]);
    rows
}

/// What was asked for and cannot be.
pub(super) fn settings() -> Vec<Row> {
    let short = Waits::new(Duration::ZERO, Duration::from_secs(1), Duration::ZERO).unwrap_err();
    vec![
        (
            Failure::Lease { life: Duration::from_secs(1) },
            Code::Usage,
            vec!["give --lease more, ten minutes are usual"],
        ),
        (
            Failure::Waits(short),
            Code::Usage,
            vec![
                "give --quarantine more, or --longest-push or --restarted-every less if that is true",
            ],
        ),
    ]
}
