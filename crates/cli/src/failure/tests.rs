//! Every failure with its exit code and its hints, as a table.

mod caches;
mod keep_lists;
mod online;
mod refusals;
mod sweeps;
mod undos;

use std::collections::BTreeSet;
use std::time::Duration;

use planner::{Breaker, Damage, Note, Severity};
use registry::Timestamp;
use store::{ErrorKind, Operation};
use sweeper::{Cause, Imbalance, SweepReport};

use super::*;

const AGAIN: &str = "regsweep gc config.yml";
const GOES_ON: &str = "`regsweep gc config.yml` goes on where this ended";
const BUG: &str = "this is a bug: please report it";
const NEW_PLAN: &str = "make a new plan with `regsweep plan`";

/// Fails to compile where a variant is new, and [`every_way_to_fail_has_its_row`] fails where it has no row.
fn variant(failure: &Failure) -> usize {
    match failure {
        Failure::Location { .. } => 0,
        Failure::File { .. } => 1,
        Failure::Output(_) => 2,
        Failure::Config { .. } => 3,
        Failure::Refused(Refusal::Online { .. }) => 4,
        Failure::Refused(Refusal::Foreign { .. }) => 5,
        Failure::Refused(Refusal::NotARegistry { .. }) => 6,
        Failure::Refused(Refusal::Audit { .. }) => 7,
        Failure::Busy { .. } => 8,
        Failure::Store { .. } => 9,
        Failure::List(_) => 10,
        Failure::Mark(_) => 11,
        Failure::Changed(_) => 12,
        Failure::Plan(_) => 13,
        Failure::Journal(_) => 14,
        Failure::Sweep(_) => 15,
        Failure::Partial { .. } => 16,
        Failure::Stopped { .. } => 17,
        Failure::Disproved(_) => 18,
        Failure::Internal { .. } => 19,
        Failure::Refused(Refusal::Written { .. }) => 20,
        Failure::Refused(Refusal::Cache { .. }) => 21,
        Failure::Uncleared { .. } => 22,
        Failure::Refused(Refusal::TakenBack { .. }) => 23,
        Failure::Undo(_) => 24,
        Failure::NotBack { .. } => 25,
        Failure::Refused(Refusal::Undoing { .. }) => 26,
        Failure::Refused(Refusal::Leased { .. }) => 27,
        Failure::Refused(Refusal::NoUndo { .. }) => 28,
        Failure::Refused(Refusal::CacheUnproven { .. }) => 29,
        Failure::Refused(Refusal::OnlineUntagged { .. }) => 30,
        Failure::Ledger(_) => 31,
        Failure::Lease { .. } => 32,
        Failure::Waits(_) => 33,
        Failure::Refused(Refusal::NoGeneration { .. }) => 34,
        Failure::Refused(Refusal::OpenGeneration { .. }) => 35,
        Failure::Unreported { .. } => 36,
        Failure::NotReady { .. } => 37,
        Failure::Policy { .. } => 38,
        Failure::Damaged { .. } => 39,
        Failure::KeepList { .. } => 40,
        Failure::Refused(Refusal::KeepListAge { .. }) => 41,
        Failure::Listen { .. } => 42,
        Failure::Unlogged { .. } => 43,
        Failure::TrashUnlogged { .. } => 44,
    }
}

const VARIANTS: usize = 45;

fn io() -> io::Error {
    io::Error::other("no room")
}

fn store_error(kind: ErrorKind) -> StoreError {
    StoreError::new(Operation::List, "key", kind)
}

fn at(location: &str, kind: ErrorKind) -> Failure {
    Failure::Store { location: location.into(), source: store_error(kind) }
}

fn listing(kind: ErrorKind) -> Failure {
    ListError::Store { within: "blobs/".into(), source: store_error(kind) }.into()
}

fn marking(kind: ErrorKind) -> Failure {
    MarkError::Link { key: "link".into(), source: store_error(kind) }.into()
}

fn sweeping(cause: Cause) -> Failure {
    let report = SweepReport {
        ended: sweeper::Ended::Broken,
        total: <_>::default(),
        parts: <_>::default(),
        kinds: <_>::default(),
        held_back: <_>::default(),
        failures: Vec::new(),
    };
    SweepError { cause, report: Box::new(report) }.into()
}

fn journal_io() -> JournalError {
    JournalError::Io { path: "journal".into(), source: io() }
}

fn note(breaker: Breaker) -> Note {
    let severity = Severity::Fatal;
    Note { severity, breaker, found: 1, of: 2, evidence: "half of it".into() }
}

fn partial(needs_new_plan: bool) -> Failure {
    let first = FailedKey { key: "blob".into(), message: "permission denied".into() };
    Failure::Partial { failed: 1, held_back: 2, first: Some(first), needs_new_plan }
}

fn not_ready(code: Code) -> Failure {
    Failure::NotReady { missing: "read, delete".into(), code }
}

type Row = (Failure, Code, Vec<&'static str>);

fn operators() -> Vec<Row> {
    vec![
        (
            Failure::Location { location: "here".into(), problem: "no such file".into() },
            Code::Usage,
            vec![
                "a location is a registry's config.yml, a directory, or s3://bucket/rootdirectory",
            ],
        ),
        (Failure::File { path: "plan".into(), source: io() }, Code::Usage, vec![]),
        (Failure::Output(io()), Code::Internal, vec![]),
        (
            Failure::Unreported { path: "report.html".into(), source: io(), has_plan: true },
            Code::Partial,
            vec!["`regsweep show PLAN --report FILE` writes what the plan says"],
        ),
        (
            Failure::Unreported { path: "report.html".into(), source: io(), has_plan: false },
            Code::Partial,
            vec!["nothing else is amiss; the summary has the same numbers"],
        ),
        (
            Failure::Listen { address: ([127, 0, 0, 1], 9464).into(), source: io() },
            Code::Usage,
            vec![
                "give --metrics-listen an address of this machine with a port that is free; port 0 takes one",
            ],
        ),
        (
            Failure::Damaged { tags: 1, manifests: 2, findings: 3 },
            Code::Format,
            vec![
                "each kind says what mends it; what regsweep deleted, `regsweep undo` may bring back",
            ],
        ),
        (
            Failure::Config { path: "config.yml".into(), source: ConfigError::NoDriver },
            Code::Usage,
            vec![],
        ),
        (
            Failure::Policy {
                path: "policy.yml".into(),
                source: policy::Retention::parse(b"").unwrap_err(),
            },
            Code::Usage,
            vec![
                "`regsweep policy check FILE` says what a policy means; examples lie in examples/policies",
            ],
        ),
    ]
}

const SLOW: &str = "the store failed all the while; try again later, with a lower --max-in-flight, or with more \
                    --patience";
const DENIED: &str = "whoever runs this must be allowed to list, read and delete here";

fn stores() -> Vec<Row> {
    let bucket = |kind, hint: Option<&'static str>| {
        (at("s3://bucket", kind), Code::Store, hint.into_iter().collect())
    };
    vec![
        bucket(ErrorKind::NotFound, None),
        bucket(ErrorKind::NoContainer, Some("check the name of the bucket, and --endpoint-url")),
        bucket(ErrorKind::Denied, Some(DENIED)),
        bucket(
            ErrorKind::Credentials,
            Some("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"),
        ),
        bucket(ErrorKind::Throttled, Some(SLOW)),
        bucket(ErrorKind::Transient, Some(SLOW)),
        bucket(ErrorKind::Unreachable, Some("check --endpoint-url, and that the store runs")),
        bucket(ErrorKind::WrongAddress, Some("give the bucket's own --region or --endpoint-url")),
        bucket(ErrorKind::TooLarge, None),
        bucket(ErrorKind::Malformed, Some("the store does not answer as S3 does")),
        bucket(ErrorKind::Fatal, None),
        (at("s3://bucket", ErrorKind::Stopped), Code::Stopped, vec![]),
        (
            at("/data", ErrorKind::NoContainer),
            Code::Store,
            vec!["check the directory; config.yml calls it rootdirectory"],
        ),
        (
            at("/data", ErrorKind::Denied),
            Code::Store,
            vec!["run as the user of the registry, or as root"],
        ),
    ]
}

fn readings() -> Vec<Row> {
    vec![
        (listing(ErrorKind::Throttled), Code::Incomplete, vec![SLOW]),
        (listing(ErrorKind::Transient), Code::Incomplete, vec![SLOW]),
        (
            listing(ErrorKind::Malformed),
            Code::Incomplete,
            vec!["the store does not answer as S3 does"],
        ),
        (listing(ErrorKind::Denied), Code::Store, vec![DENIED]),
        (listing(ErrorKind::Stopped), Code::Stopped, vec![]),
        (ListError::Stopped { within: "blobs/".into() }.into(), Code::Stopped, vec![]),
        (ListError::Abandoned { within: "blobs/".into() }.into(), Code::Incomplete, vec![]),
        (
            ListError::Order { within: "blobs/".into(), key: "a".into() }.into(),
            Code::Incomplete,
            vec![],
        ),
        (marking(ErrorKind::Transient), Code::Incomplete, vec![SLOW]),
        (marking(ErrorKind::Denied), Code::Store, vec![DENIED]),
        (
            SpillError::Write { folder: PathBuf::from("plan").into(), source: io() }.into(),
            Code::Usage,
            vec!["check that the disk there has room, or raise --memory"],
        ),
        (
            JudgeError::Marks(SpillError::Damaged { folder: PathBuf::from("plan").into() }).into(),
            Code::Incomplete,
            vec!["check that the disk there has room, or raise --memory"],
        ),
        (
            MarkError::Unresolved { unresolved: std::num::NonZeroU64::MIN }.into(),
            Code::Incomplete,
            vec![],
        ),
    ]
}

fn plans() -> Vec<Row> {
    let dir = || PathBuf::from("plan");
    let hour = Duration::from_hours(1);
    vec![
        (
            PlanError::NotAPlan { dir: dir() }.into(),
            Code::Format,
            vec!["`regsweep plan LOCATION --out DIR` writes a plan"],
        ),
        (
            PlanError::OtherFormat { written_by: "9".into(), major: 9, minor: 0, reads: 1 }.into(),
            Code::Format,
            vec!["use the version that wrote it, or make a new plan"],
        ),
        (
            PlanError::Damaged { file: dir(), what: Damage::Checksum }.into(),
            Code::Format,
            vec![NEW_PLAN],
        ),
        (
            PlanError::Io { path: dir(), source: io() }.into(),
            Code::Usage,
            vec!["check that the directory exists, is writable, and has room"],
        ),
        (
            PlanError::Occupied { dir: dir(), found: "photo.jpg".into() }.into(),
            Code::Usage,
            vec!["give --out a new directory"],
        ),
        (PlanError::Stale { age: hour, max: hour }.into(), Code::Unsafe, vec![NEW_PLAN]),
        (
            PlanError::OtherLocation { plan: "here".into(), given: "there".into() }.into(),
            Code::Unsafe,
            vec!["make a plan for this registry with `regsweep plan`"],
        ),
        (
            Failure::Journal(JournalError::Locked { path: dir() }),
            Code::Unsafe,
            vec!["another regsweep carries out this plan; wait for it to end"],
        ),
        (
            Failure::Journal(journal_io()),
            Code::Usage,
            vec!["check that the plan's directory is writable and has room"],
        ),
        (
            Failure::Journal(JournalError::OtherPlan {
                path: dir(),
                found: "a".into(),
                expected: "b".into(),
            }),
            Code::Format,
            vec!["make a new plan with `regsweep plan`, in another directory"],
        ),
    ]
}

fn all() -> Vec<Row> {
    let groups = [
        operators(),
        refusals::rows(),
        refusals::places(),
        stores(),
        readings(),
        plans(),
        sweeps::rows(),
        sweeps::ends(),
        caches::rows(),
        undos::rows(),
        online::rows(),
        online::settings(),
        keep_lists::rows(),
    ];
    groups.into_iter().flatten().collect()
}

#[test]
fn every_way_to_fail_has_its_row() {
    let seen: BTreeSet<usize> = all().iter().map(|(failure, ..)| variant(failure)).collect();
    assert_eq!(seen, (0..VARIANTS).collect());
}

#[test]
fn every_failure_has_its_exit_code_and_its_hints() {
    for (failure, code, hints) in all() {
        assert_eq!(failure.code(), code, "{failure:?}");
        assert_eq!(failure.hints(AGAIN), hints, "{failure:?}");
    }
}

#[test]
fn a_failure_says_in_one_line_what_failed_and_never_twice_why() {
    for (failure, ..) in all() {
        let said = failure.to_string();
        assert!(!said.is_empty() && !said.contains('\n') && !said.ends_with('.'), "{said}");
        assert!(!failure.causes().contains(&said), "{said}");
    }
}

#[test]
fn a_refused_plan_tells_its_evidence_by_test() {
    let notes = vec![note(Breaker::DeleteShare), note(Breaker::StaleLinks)];
    let failure = Failure::from(Refusal::Audit { notes, plan: None });
    assert_eq!(failure.causes(), ["delete-share: half of it", "stale-links: half of it"]);
}

#[test]
fn what_is_left_over_is_told_with_the_first_key_that_failed() {
    assert_eq!(
        partial(false).to_string(),
        "could not delete 1 object, and kept 2 objects that they may lead to"
    );
    assert_eq!(partial(false).causes(), ["`blob`: permission denied"]);
}
