//! Plans that cannot be used: refused before anything is deleted, with what to do.

use std::fs;

use planner::{Plan, PlanWriter, Row, Sealed};
use simstore::{Fault, Faults, Kind, S3Error, Server, When, Which};
use sweeper::Journal;
use world::Mode;

use crate::program::{Outcome, Program};
use crate::registries::{T, bucket, days, keys, left, small};

/// A bucket and a plan for it in `plan`.
fn planned() -> (Server, Program) {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    program.done(&["plan", "s3://registry", "--untagged", "--out", "plan"]);
    (server, program)
}

#[track_caller]
fn assert_unusable(outcome: &Outcome, code: i32, says: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    for words in says {
        assert!(outcome.stderr.contains(words), "{words} is not in {}", outcome.stderr);
    }
}

const APPLY: [&str; 3] = ["apply", "plan", "--offline"];

#[test]
fn what_is_no_plan() {
    let program = Program::new();
    let says = [
        "cannot use the plan\n  plan holds no finished plan\n",
        "hint: `regsweep plan LOCATION --out DIR` writes a plan",
    ];
    assert_unusable(&program.run(&APPLY), 6, &says);
    fs::create_dir(program.home().join("plan")).unwrap();
    assert_unusable(&program.run(&APPLY), 6, &says);
    assert_unusable(&program.run(&["show", "plan"]), 6, &says);
    let object = program.run(&["show", "plan", "--json"]).with_code(6).failure();
    assert_eq!(object["name"], "format");
}

#[test]
fn a_place_that_holds_something_else_is_not_planned_into() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    fs::create_dir(program.home().join("photos")).unwrap();
    fs::write(program.home().join("photos/1.jpg"), "photo").unwrap();
    let wrong = program.run(&["plan", "s3://registry", "--out", "photos"]);
    assert_unusable(
        &wrong,
        2,
        &[
            "photos already holds 1.jpg; a plan needs a directory of its own",
            "hint: give --out a new directory",
        ],
    );
    assert_eq!(fs::read_dir(program.home().join("photos")).unwrap().count(), 1);
}

#[test]
fn a_plan_is_not_written_over_another() {
    let (_server, program) = planned();
    let wrong = program.run(&["plan", "s3://registry", "--out", "plan"]);
    assert_unusable(&wrong, 2, &["plan already holds ", "hint: give --out a new directory"]);
    program.done(&["show", "plan"]);
}

#[test]
fn a_damaged_plan() {
    let (server, program) = planned();
    let before = keys(&server);
    let segment = fs::read_dir(program.home().join("plan")).unwrap();
    let mut files: Vec<_> = walk(segment);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    let mut bytes = fs::read(&files[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&files[0], bytes).unwrap();
    let damaged = program.run(&APPLY);
    assert_unusable(&damaged, 6, &["is damaged: ", "hint: make a new plan with `regsweep plan`"]);
    assert_eq!(keys(&server), before);
}

/// Every file below a directory.
fn walk(entries: fs::ReadDir) -> Vec<std::path::PathBuf> {
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(fs::read_dir(path).unwrap()) } else { vec![path] }
        })
        .collect()
}

#[test]
fn a_header_that_was_changed_by_hand() {
    let (_server, program) = planned();
    let path = program.home().join("plan/plan.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("s3://registry", "s3://another!")).unwrap();
    assert_unusable(
        &program.run(&APPLY),
        6,
        &["plan.json is damaged: its id does not match its content"],
    );
}

#[test]
fn a_stale_plan() {
    let (server, program) = planned();
    let before = keys(&server);
    server.set_now(Some(T.after(days(2))));
    let stale = program.run(&APPLY);
    assert_unusable(
        &stale,
        4,
        &["the plan is 48h 00m old; at most 24h 00m are allowed", "hint: make a new plan"],
    );
    assert_eq!(keys(&server), before);
    program.done(&[&APPLY[..], &["--max-age", "3d"]].concat());
}

#[test]
fn a_plan_from_the_future() {
    let (server, program) = planned();
    server.set_now(Some(T.before(days(1))));
    assert_unusable(&program.run(&APPLY), 4, &["which is later than the store's time"]);
}

#[test]
fn a_plan_of_another_bucket() {
    let (_server, program) = planned();
    let other = bucket(&small(T, ""));
    let before = keys(&other);
    let endpoint = other.endpoint();
    let wrong = program.run(&[&APPLY[..], &["--endpoint-url", &endpoint]].concat());
    assert_unusable(
        &wrong,
        4,
        &[
            "the plan was made for s3://registry at ",
            "hint: make a plan for this registry with `regsweep plan`",
        ],
    );
    assert_eq!(keys(&other), before);
}

#[test]
fn a_plan_over_which_somebody_pushed() {
    let (server, program) = planned();
    let (before, later) = (keys(&server), T.after(days(1) / 2));
    let tag = small(T, "").keys().current("library/new", "v1");
    server.set_now(Some(later));
    server.put(&tag, server.content(&tag).unwrap(), later);
    let pushed = program.run(&APPLY);
    assert_unusable(
        &pushed,
        4,
        &[
            "the registry took pushes since the plan was made",
            &tag,
            "make a new plan with `regsweep plan`",
        ],
    );
    assert_eq!(keys(&server), before);
}

#[test]
fn a_plan_that_was_applied_before() {
    let (server, program) = planned();
    program.done(&APPLY);
    let after = keys(&server);
    let again = program.run(&APPLY);
    assert_unusable(
        &again,
        4,
        &[
            "regsweep: there is nothing left to do\n  the plan has been carried out before\n",
            "hint: make a new plan to see what goes now",
        ],
    );
    assert_eq!(again.stdout, "", "nothing was swept, so there is nothing to report");
    assert_eq!(keys(&server), after);
}

#[test]
fn a_plan_that_somebody_else_carries_out() {
    let (server, program) = planned();
    let dir = program.home().join("plan");
    let id = Plan::open(&dir).unwrap().id();
    let journal = Journal::open(&dir, id).unwrap();
    let busy = program.run(&APPLY);
    assert_unusable(
        &busy,
        4,
        &[
            "plan/journal` is in use by another process",
            "hint: another regsweep carries out this plan; wait for it to end",
        ],
    );
    drop(journal);
    program.done(&APPLY);
    assert_eq!(keys(&server), left(&small(T, ""), &Mode::untagged()));
}

struct Marks;

impl Sealed for Marks {}

/// The same plan in a folder `other`, with this entity tag in the place of all, or as it was written before plans knew any.
fn rewrite_with_etag(program: &Program, etag: Option<&str>) {
    let plan = Plan::open(&program.home().join("plan")).unwrap();
    let rows = plan.segments().iter().flat_map(|segment| plan.rows(segment).unwrap());
    let rows: Vec<Row> = rows.map(Result::unwrap).collect();
    assert!(plan.has_etags() && rows.iter().all(|row| row.etag.is_some()));
    let rows = rows.into_iter().map(|row| Row { etag: etag.map(Into::into), ..row });
    let writer = PlanWriter::create(&program.home().join("other")).unwrap();
    let writer = if etag.is_some() { writer.with_etags() } else { writer };
    writer.add(rows.collect()).unwrap();
    let other = writer.finish(plan.header(), &Marks).unwrap();
    assert_eq!(other.has_etags(), etag.is_some());
    assert_ne!(other.id(), plan.id());
}

#[test]
fn g11_a_plan_of_a_format_without_entity_tags_is_carried_out_and_taken_up() {
    let (server, program) = planned();
    rewrite_with_etag(&program, None);
    let shown = program.done(&["show", "other", "--format", "csv"]).stdout;
    assert!(
        shown.starts_with("kind,repository,digest,key,bytes,last_modified,reason\n"),
        "{shown}"
    );
    let apply = ["apply", "other", "--offline", "--audit-log", "audit"];
    let fails = Fault::FailKeys(Which::Containing("/blobs/".into()), S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, fails));
    program.run(&apply).with_code(3);
    server.set_faults(Faults::none());
    program.done(&apply);
    assert_eq!(keys(&server), left(&small(T, ""), &Mode::untagged()));
    let log = fs::read_to_string(program.home().join("audit")).unwrap();
    assert!(log.lines().all(|line| line.contains("\"etag\":null")), "{log}");
}

#[test]
fn g6_nothing_is_decided_by_an_entity_tag() {
    let (server, program) = planned();
    rewrite_with_etag(&program, Some("another"));
    let shown = program.done(&["show", "other", "--format", "csv"]).stdout;
    assert!(shown.lines().skip(1).all(|row| row.ends_with(",another")), "{shown}");
    program.done(&["apply", "other", "--offline"]);
    assert_eq!(keys(&server), left(&small(T, ""), &Mode::untagged()));
}

#[test]
fn a_plan_remembers_how_its_bucket_is_reached() {
    let server = bucket(&small(T, ""));
    let endpoint = server.endpoint();
    let program =
        Program::new().with("AWS_ACCESS_KEY_ID", "ACCESS").with("AWS_SECRET_ACCESS_KEY", "s");
    program.done(&[
        "plan",
        "s3://registry",
        "--endpoint-url",
        &endpoint,
        "--untagged",
        "--out",
        "plan",
    ]);
    program.done(&APPLY);
    assert_eq!(keys(&server), left(&small(T, ""), &Mode::untagged()));
    let text = fs::read_to_string(program.home().join("plan/plan.json")).unwrap();
    assert!(!text.contains("ACCESS"), "a plan holds no credentials");
}
