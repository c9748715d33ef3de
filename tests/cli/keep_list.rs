//! Registries with a database: planned and carried out by a list of what that still knows.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use registry::Digest;
use serde_json::Value;
use simstore::{Fault, Faults, Kind, Options, Server, When};
use world::{Content, World};

use crate::expected::{assert_expected, redacted};
use crate::program::{Outcome, Program};
use crate::redis_double::RedisDouble;
use crate::registries::{
    READ_ONLY, T, bucket, bucket_config, bucket_with, days, image, keys, small,
};

/// Says that GitLab's registry keeps in a database what it keeps in links elsewhere.
const DATABASE: &str = "docker/registry/lockfiles/database-in-use";
const FILES: &str = "docker/registry/lockfiles/filesystem-in-use";

const PLAN: [&str; 6] = ["plan", "s3://registry", "--keep-list", "known.txt", "--out", "plan"];
const GC: [&str; 6] = ["gc", "s3://registry", "--offline", "--keep-list", "known.txt", "--json"];

/// The digests of all blobs.
fn blobs(world: &World) -> BTreeSet<String> {
    let hex =
        |key: &String| key.split("/blobs/sha256/").nth(1)?.split('/').nth(1).map(str::to_owned);
    world.objects().keys().filter_map(hex).map(|hex| format!("sha256:{hex}")).collect()
}

/// Garbage of [`small`], which a layer link names.
fn orphan() -> String {
    Content::new(7, 1000).digest().to_string()
}

/// All but that.
fn known() -> BTreeSet<String> {
    let mut known = blobs(&small(T, ""));
    assert!(known.remove(&orphan()));
    known
}

fn write<'a>(program: &Program, digests: impl IntoIterator<Item = &'a String>) {
    let lines: Vec<String> = digests.into_iter().map(|digest| digest.clone() + "\n").collect();
    fs::write(program.home().join("known.txt"), ended(&lines.concat(), lines.len())).unwrap();
}

/// A list that says how much there is, and is as old as its file.
fn ended(lines: &str, digests: usize) -> String {
    format!("{lines}# end: {digests} digests at 4200000000\n")
}

/// A bucket of GitLab's, and a program with a list of what its database knows.
fn gitlab(options: Options) -> (Server, Program) {
    let server = bucket_with(&small(T, ""), options);
    server.put(DATABASE, r#"{"version":1}"#, T.before(days(90)));
    let program = Program::at(&server);
    write(&program, &known());
    (server, program)
}

#[track_caller]
fn assert_refused(outcome: &Outcome, code: i32, says: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    for words in says {
        assert!(outcome.stderr.contains(words), "{words} is not in {}", outcome.stderr);
    }
}

#[test]
fn what_the_list_does_not_have_goes_and_every_link_stays_and_it_can_be_taken_back() {
    let (server, program) = gitlab(Options { versioned: true, ..Options::default() });
    let before = keys(&server);
    program.done(&PLAN);
    program.done(&["apply", "plan", "--offline"]);
    let left = keys(&server);
    let gone: Vec<&String> = before.difference(&left).collect();
    let hex = orphan().replace("sha256:", "");
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert!(gone[0].contains("/blobs/") && gone[0].contains(&hex), "{gone:?}");
    program.done(&["undo", "plan"]);
    assert!(before.is_subset(&keys(&server)));
}

#[test]
fn gc_does_both_and_says_by_which_list() {
    let (server, program) = gitlab(Options::default());
    let before = keys(&server);
    let done = program.done(&GC).summary();
    assert_eq!(before.difference(&keys(&server)).count(), 1);
    assert_eq!(done["delete"]["blobs"]["count"], 1);
    assert_eq!(done["keep_list"]["digests"], known().len());
    let text = fs::read(program.home().join("known.txt")).unwrap();
    assert_eq!(done["keep_list"]["sha256"], Digest::sha256(&text).hex());
    let again = program.done(&GC).summary();
    assert_eq!(again["delete"]["blobs"]["count"], 0);
}

#[test]
fn a_plan_says_that_it_holds_only_blobs_and_by_which_list() {
    let (_server, program) = gitlab(Options::default());
    let table = program.done(&PLAN).stdout;
    let text = fs::read(program.home().join("known.txt")).unwrap();
    let sha256 = &Digest::sha256(&text).hex()[..12];
    assert_expected("keep-list-table.txt", &redacted(&table, &[(sha256, "[sha256]")]));
    assert_eq!(program.done(&["show", "plan"]).stdout, table);
}

#[test]
fn doctor_says_whether_the_list_will_do() {
    let (_server, program) = gitlab(Options::default());
    let doctor = |more: &[&str]| {
        let asked = ["doctor", "s3://registry", "--offline", "--for", "plan", "--json"];
        let summary = program.run(&[&asked[..], more].concat()).summary();
        let checks = summary["checks"].as_array().unwrap().clone();
        let result = |name: &str| {
            let check = checks.iter().find(|check| check["name"] == name);
            check.map(|check| check["result"].as_str().unwrap().to_owned())
        };
        (result("layout"), result("keep-list"))
    };
    let told =
        |layout: &str, list: Option<&str>| (Some(layout.to_owned()), list.map(str::to_owned));
    let listed = ["--keep-list", "known.txt"];
    assert_eq!(doctor(&[]), told("missing", None));
    assert_eq!(doctor(&listed), told("ok", Some("ok")));
    let online = [&listed[..], &["--for", "gc-online"]].concat();
    assert_eq!(doctor(&online).0, told("missing", None).0, "which goes by no list");
    assert_eq!(doctor(&[&listed[..], &["--grace", "0s"]].concat()), told("ok", Some("missing")));
    fs::write(program.home().join("known.txt"), "").unwrap();
    assert_eq!(doctor(&listed), told("ok", Some("missing")));
}

#[test]
fn g4_a_database_is_refused_without_a_list_and_with_both_of_its_files() {
    let (server, program) = gitlab(Options::default());
    let before = keys(&server);
    let without = program.run(&["gc", "s3://registry", "--offline"]);
    let hint = "`plan` and `gc` with --keep-list FILE";
    assert_refused(&without, 4, &["GitLab's registry in database mode", hint]);
    server.put(FILES, r#"{"version":1}"#, T);
    assert_refused(
        &program.run(&GC),
        4,
        &[DATABASE, FILES, "are both there, of which one is wrong"],
    );
    assert_refused(&program.run(&PLAN), 4, &["are both there"]);
    assert_eq!(keys(&server).difference(&before).collect::<Vec<_>>(), [FILES]);
}

#[test]
fn g4_a_pull_through_cache_is_refused_whatever_is_listed() {
    let (server, program) = gitlab(Options::default());
    server.put("scheduler-state.json", "{}", T);
    assert_refused(&program.run(&GC), 4, &["a pull-through cache"]);
}

#[test]
fn what_cannot_be_said_with_a_list_is_told_in_a_sentence() {
    let program = Program::new();
    let with = "the argument '--keep-list <FILE>' cannot be used with '";
    for typed in [
        &["gc", "here", "--keep-list", "known.txt", "--online"][..],
        &["gc", "here", "--keep-list", "known.txt", "--untagged"],
        &["plan", "here", "--out", "plan", "--keep-list", "known.txt", "--untagged"],
        &["gc", "here", "--keep-list", "known.txt", "--policy", "policy.yml"],
        &["plan", "here", "--out", "plan", "--keep-list", "known.txt", "--policy", "policy.yml"],
    ] {
        assert_refused(&program.run(typed), 2, &[with]);
    }
    let drop_in = program.run(&["garbage-collect", "config.yml", "--keep-list", "known.txt"]);
    assert_refused(&drop_in, 1, &["unexpected argument '--keep-list'"]);
}

#[test]
fn a_list_that_is_none_is_refused_before_anything_is_asked() {
    let program = Program::new();
    let run = |text: &str| {
        fs::write(program.home().join("known.txt"), text).unwrap();
        program.run(&["gc", "s3://nowhere", "--offline", "--keep-list", "known.txt"])
    };
    let line = format!("{}\n", orphan());
    let psql = "`psql -At` writes neither a header nor a footer";
    let header = r#"line 1: "digest" has no `algorithm:hex` form"#;
    assert_refused(&run(&format!(" digest\n---\n{line}")), 2, &[header, psql]);
    assert_refused(&run(&format!("{line}(1 row)\n")), 2, &[r#"line 2: "(1 row)""#, psql]);
    assert_refused(&run(""), 2, &["it names no digest: the query that wrote it may have failed"]);
    assert_refused(&run(line.trim_end()), 2, &["line 1: it does not end with a line break"]);
    assert_refused(
        &run(&line),
        2,
        &["it has no line `# end: COUNT digests at SECONDS`", "cut off"],
    );
    assert_refused(&run(&ended(&line, 2)), 2, &["it has 1 digests, and says 2: it is not whole"]);
    let missing = program.run(&["gc", "s3://nowhere", "--offline", "--keep-list", "missing.txt"]);
    assert_refused(&missing, 2, &["cannot use missing.txt"]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the age of a file is by the machine's clock")]
fn g1_a_list_that_is_older_than_the_grace_is_refused() {
    let (server, program) = gitlab(Options::default());
    let before = keys(&server);
    let list = File::options().write(true).open(program.home().join("known.txt")).unwrap();
    list.set_modified(SystemTime::now() - Duration::from_mins(30)).unwrap();
    let says = ["longer ago than the grace of 20m", "export it again while nobody can push"];
    let with = |typed: &[&'static str], grace| [typed, &["--grace", grace]].concat();
    assert_refused(&program.run(&with(&GC, "20m")), 4, &says);
    assert_refused(&program.run(&with(&PLAN, "20m")), 4, &says);
    program.done(&with(&PLAN, "40m"));
    // What was pushed an hour ago is not on a list that is older.
    list.set_modified(SystemTime::now() - Duration::from_hours(2)).unwrap();
    let says = ["keep-list-outdated: 3 of 23 blobs were written after the keep list was"];
    assert_refused(&program.run(&with(&GC[..5], "24h")), 4, &says);
    list.set_modified(SystemTime::now() + Duration::from_hours(1)).unwrap();
    assert_refused(&program.run(&GC), 4, &["which is later than this machine's time"]);
    assert_eq!(keys(&server), before);
}

#[test]
fn g1_a_plan_by_a_list_that_has_become_too_old_is_not_carried_out() {
    let (server, program) = gitlab(Options::default());
    program.done(&PLAN);
    let path = program.home().join("plan/plan.json");
    let mut plan: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    plan["keep_list"]["modified"] = "2026-01-01T00:00:00Z".into();
    plan["id"] = "".into();
    plan["id"] = Digest::sha256(plan.to_string().as_bytes()).hex().into();
    fs::write(&path, plan.to_string()).unwrap();
    let before = keys(&server);
    let refused = program.run(&["apply", "plan", "--offline"]);
    assert_refused(
        &refused,
        4,
        &["was exported at 2026-01-01T00:00:00Z, longer ago than the grace"],
    );
    assert_eq!(keys(&server), before);
}

/// A push that is told by no link: what it found in its database's place was as old as it was.
#[test]
fn a_plan_is_not_carried_out_over_blobs_that_came_after_it() {
    let (server, program) = gitlab(Options::default());
    program.done(&PLAN);
    let blob = Content::new(77, 64);
    let key = small(T, "").keys().blob(&blob.digest());
    server.put(&key, blob.bytes(), T.after(Duration::from_secs(1)));
    let before = keys(&server);
    let refused = program.run(&["apply", "plan", "--offline"]);
    let says = ["the registry took pushes since the plan was made", "1 blobs were written", &key];
    assert_refused(&refused, 4, &says);
    assert_eq!(keys(&server), before);
}

#[test]
fn a_list_of_another_registry_is_told_by_the_audit() {
    let (server, program) = gitlab(Options::default());
    let before = keys(&server);
    let others = (0..9u8).map(|n| Digest::sha256(&[n]).to_string()).collect::<Vec<_>>();
    write(&program, &others);
    let says = ["keep-list-stranger: 9 of 9 digests on the keep list are not in the store"];
    assert_refused(&program.run(&GC[..5]), 4, &says);
    assert_eq!(keys(&server), before);
}

/// Nothing is linked, as after GitLab's move to a database: all that says what lives is the list.
#[test]
fn a_list_that_was_cut_off_is_told_by_the_audit_where_it_is_all_there_is() {
    let mut world = World::new(T.before(days(10)), "");
    let digests: Vec<String> =
        (0..40).map(|n| world.put_blob(&Content::new(n, 64).bytes()).to_string()).collect();
    world.age(days(10));
    let server = bucket(&world);
    server.put(DATABASE, r#"{"version":1}"#, T);
    let (program, before) = (Program::at(&server), keys(&server));
    write(&program, &digests[..12]);
    let says =
        ["young-orphans: 28 of 40 blobs younger than 30 days", "delete-share: 28 of 40 blobs"];
    assert_refused(&program.run(&GC[..5]), 4, &says);
    assert_eq!(keys(&server), before);
    write(&program, &digests[..39]);
    program.done(&GC);
    assert_eq!(before.difference(&keys(&server)).count(), 1);
}

#[test]
fn g11_a_run_is_taken_up_by_the_same_list_and_by_no_other() {
    let interrupted = || {
        let mut world = small(T.before(days(40)), "");
        for n in 0..4 {
            world.put_blob(&Content::new(1_000_000 + n, 64).bytes());
            world.push_image("library/more", &image(40 + n), None);
        }
        world.age(days(40));
        let server = bucket(&world);
        let program = Program::at(&server);
        write(&program, &known());
        server.set_faults(Faults::none().on(Kind::Delete, When::Always, Fault::HangUpBefore));
        let broken = program.run(&[&GC[..], &["--patience", "1s"]].concat());
        assert_ne!(broken.code, Some(0), "{broken:?}");
        server.set_faults(Faults::none());
        (server, program)
    };
    let (_server, program) = interrupted();
    let resumed = program.done(&GC[..5]);
    assert!(resumed.stderr.contains("going on with the plan in"), "{}", resumed.stderr);
    for other in [&["gc", "s3://registry", "--offline"][..], &GC[..5]] {
        let (_server, program) = interrupted();
        write(&program, known().iter().chain([&orphan()]));
        let anew = program.done(other);
        assert!(anew.stderr.contains("made under another policy"), "{}", anew.stderr);
    }
}

#[test]
fn the_cache_is_cleared_of_every_blob_that_goes_and_of_nothing_else() {
    let (world, redis) = (small(T, ""), RedisDouble::start());
    let (server, program) = (bucket(&world), Program::new());
    bucket_config(program.home(), &server, &format!("{READ_ONLY}{}", redis.config()));
    write(&program, &known());
    program.done(&["gc", "config.yml", "--keep-list", "known.txt"]);
    assert_eq!(redis.cleared(), [orphan()].into());
}
