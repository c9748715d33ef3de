//! What a run remembers of manifests, where it remembers it, and what that saves the next.

use std::fs;
use std::path::Path;

use simstore::{Kind, Server};

use crate::program::{Outcome, Program};
use crate::registries::{READ_ONLY, T, bucket, bucket_config, directory, now, small};

const PLAN: [&str; 4] = ["plan", "s3://registry", "--json", "--out"];

fn plan(program: &Program, out: &str, more: &[&str]) -> Outcome {
    program.done(&[&PLAN[..], &[out], more].concat())
}

/// Manifests asked for, and those that were not needed.
fn manifests(outcome: &Outcome) -> (u64, u64) {
    let requests = &outcome.summary()["requests"];
    let number = |name: &str| requests[name].as_u64().unwrap();
    (number("manifests"), number("recalled"))
}

fn setting() -> (Server, Program) {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    (server, program)
}

fn has_segment(dir: &Path) -> bool {
    let files = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
    files.into_iter().any(|path| path.extension().is_some_and(|extension| extension == "edges"))
}

#[test]
fn a_second_run_asks_for_no_manifest_and_plans_the_same() {
    let (server, program) = setting();
    let (asked, recalled) = manifests(&plan(&program, "first", &[]));
    assert!(asked > 0 && recalled == 0, "{asked} {recalled}");
    let gets = server.count(Kind::Get);
    server.forget_requests();
    let second = plan(&program, "second", &["--quiet"]);
    assert_eq!(manifests(&second), (0, asked));
    assert_eq!(server.count(Kind::Get), gets - asked);
    let rows = |dir| program.done(&["show", dir, "--format", "csv"]).stdout;
    assert_eq!(rows("first"), rows("second"));
    assert!(has_segment(&program.home().join(".cache/regsweep/manifests")));
}

#[test]
fn the_other_commands_share_what_is_remembered() {
    let (server, program) = setting();
    let (asked, _) = manifests(&plan(&program, "plan", &[]));
    let dry_run = program.done(&["gc", "s3://registry", "--dry-run", "--json"]);
    assert_eq!(manifests(&dry_run), (0, asked));
    let config = bucket_config(program.home(), &server, READ_ONLY);
    let config = config.to_str().unwrap();
    let drop_in = program.done(&["garbage-collect", "--json", "--dry-run", config]);
    assert_eq!(manifests(&drop_in), (0, asked));
    let lines = program.done(&["garbage-collect", "--dry-run", config]);
    let unremembered = ["garbage-collect", "--no-manifest-cache", "--dry-run", config];
    assert_eq!(lines.stdout, program.done(&unremembered).stdout);
}

#[test]
fn where_it_is_remembered_and_whether_is_up_to_the_operator() {
    let (_server, program) = setting();
    let usual = program.home().join(".cache");
    plan(&program, "none", &["--no-manifest-cache"]);
    assert!(!usual.exists());
    let (asked, _) = manifests(&plan(&program, "here", &["--manifest-cache", "here it is"]));
    assert!(has_segment(&program.home().join("here it is")) && !usual.exists());
    let program = program.with("REGSWEEP_MANIFEST_CACHE", "here it is");
    assert_eq!(manifests(&plan(&program, "again", &[])), (0, asked));
    assert_eq!(manifests(&plan(&program, "anew", &["--no-manifest-cache"])), (asked, 0));
    let program = program.with("REGSWEEP_MANIFEST_CACHE", "").with("XDG_CACHE_HOME", "/nowhere");
    let typed = ["--manifest-cache", "here it is", "--manifest-cache-size", "1MiB"];
    assert_eq!(manifests(&plan(&program, "typed", &typed)), (0, asked));
}

#[test]
fn files_are_remembered_too() {
    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    let plan = |out: &str| {
        let planned = program.done(&["plan", root.to_str().unwrap(), "--json", "--out", out]);
        manifests(&planned)
    };
    let (asked, recalled) = plan("first");
    assert!(asked > 0 && recalled == 0);
    assert_eq!(plan("second"), (0, asked));
}

#[test]
fn a_cache_that_cannot_be_is_told_once_and_not_missed() {
    let (_server, program) = setting();
    fs::write(program.home().join("file"), "").unwrap();
    let typed = ["plan", "s3://registry", "--out", "plan", "--quiet", "--manifest-cache", "file/x"];
    let planned = program.done(&typed);
    let said: Vec<&str> = planned.stderr.lines().collect();
    assert_eq!(said.len(), 1, "{said:?}");
    let warning =
        "regsweep: warning: manifests are not remembered: create `file/x`: Not a directory";
    assert!(said[0].starts_with(warning), "{said:?}");
    let mut homeless = program.command(&[&PLAN[..], &["other"]].concat());
    homeless.env_remove("HOME");
    crate::program::Run::start(homeless).end().with_code(0);
}

#[test]
fn damage_is_logged_and_read_past() {
    let (_server, program) = setting();
    let (asked, _) = manifests(&plan(&program, "first", &[]));
    let cache = program.home().join(".cache/regsweep/manifests");
    for entry in fs::read_dir(&cache).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    }
    let second = plan(&program, "second", &["--log", "warn", "--quiet"]);
    assert_eq!(manifests(&second), (asked, 0));
    assert!(second.stderr.contains("a cached segment is not used"), "{}", second.stderr);
    assert_eq!(manifests(&plan(&program, "third", &[])), (0, asked));
}
