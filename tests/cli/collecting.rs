//! Collecting a registry, and what is said of it.

use serde_json::Value;
use world::Mode;

use crate::expected::{assert_expected, redacted};
use crate::program::{Outcome, Program};
use crate::registries::{T, bucket, directory, files, keys, left, now, small};

/// What a run said, with what differs from run to run replaced.
fn said(program: &Program, text: &str) -> String {
    let binary = env!("CARGO_BIN_EXE_regsweep");
    let home = program.home().to_string_lossy();
    redacted(text, &[(binary, "regsweep"), (&home, "[home]")])
}

/// Lines of progress without how many requests were sent, and how far a phase was when its end was noticed.
fn without_numbers(text: &str) -> String {
    let line = |line: &str| match line.split_once("; ") {
        Some((done, requests)) if requests.contains(" LIST") => match done.split_once(": ") {
            Some(("sweeping links", _)) => "sweeping links: [done]; [requests]\n".to_owned(),
            _ => format!("{done}; [requests]\n"),
        },
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// An object on many lines, without what differs from run to run.
fn pretty(program: &Program, outcome: &Outcome) -> String {
    let mut summary = outcome.summary();
    summary["plan_id"] = "[id]".into();
    // How many they are depends on who steals from whom; tests of the whole collector bound them.
    for kind in ["list", "get"] {
        assert!(summary["requests"][kind].as_u64().unwrap() > 0);
        summary["requests"][kind] = "[n]".into();
    }
    said(program, &serde_json::to_string_pretty(&summary).unwrap())
}

#[test]
fn a_plan_of_a_bucket_is_told_as_a_table_an_object_and_rows() {
    let world = small(T, "");
    let server = bucket(&world);
    let program = Program::at(&server);
    let plan = program.done(&["plan", "s3://registry", "--untagged", "--out", "plan"]);
    assert_expected("plan-table.txt", &said(&program, &plan.stdout));
    assert_expected("plan-stderr.txt", &without_numbers(&said(&program, &plan.stderr)));
    let table = program.done(&["show", "plan"]);
    assert_eq!((&*table.stdout, &*table.stderr), (&*plan.stdout, ""), "show says what plan said");
    let object = program.done(&["show", "plan", "--format", "json"]);
    assert_expected("plan.json", &pretty(&program, &object));
    assert_eq!(program.done(&["show", "plan", "--json"]).stdout, object.stdout);
    let rows = program.done(&["show", "plan", "--format", "csv"]);
    assert_expected("plan.csv", &said(&program, &rows.stdout));
    assert_eq!(keys(&server), world.objects().keys().cloned().collect(), "nothing was deleted");
}

#[test]
fn rows_are_the_keys_that_go_and_no_others() {
    let world = small(T, "/root/dir");
    let server = bucket(&world);
    let program = Program::at(&server);
    program.done(&["plan", "s3://registry/root/dir", "--untagged", "--out", "plan"]);
    let rows = program.done(&["show", "plan", "--format", "csv"]).stdout;
    let mut lines = rows.lines();
    assert_eq!(lines.next(), Some("kind,repository,digest,key,bytes,last_modified,reason,etag"));
    let listed: Vec<&str> = lines.map(|line| line.split(',').nth(3).unwrap()).collect();
    let garbage = world.garbage(&Mode::untagged());
    assert_eq!(listed.len(), garbage.len());
    assert!(listed.iter().all(|key| garbage.contains(*key)));
}

#[test]
fn a_plan_is_applied_as_it_was_shown() {
    let world = small(T, "");
    let server = bucket(&world);
    let program = Program::at(&server);
    program.done(&["plan", "s3://registry", "--untagged", "--out", "plan"]);
    let applied = program.done(&["apply", "plan", "--offline"]);
    assert_expected("apply-table.txt", &said(&program, &applied.stdout));
    assert_expected("apply-stderr.txt", &without_numbers(&said(&program, &applied.stderr)));
    assert_eq!(keys(&server), left(&world, &Mode::untagged()));
}

#[test]
fn the_command_that_plan_prints_applies_it() {
    let world = small(T, "");
    let server = bucket(&world);
    let program = Program::at(&server);
    let plan = program.done(&["plan", "s3://registry", "--untagged", "--out", "my plan"]);
    let printed = plan.stderr.lines().last().unwrap().split('`').nth(1).unwrap();
    assert_eq!(printed, "regsweep apply 'my plan' --offline");
    let binary = env!("CARGO_BIN_EXE_regsweep");
    program.run_as_printed(&printed.replacen("regsweep", binary, 1)).with_code(0);
    assert_eq!(keys(&server), left(&world, &Mode::untagged()));
}

#[test]
fn gc_plans_and_sweeps_a_bucket() {
    let world = small(T, "");
    let server = bucket(&world);
    let program = Program::at(&server);
    let done = program.done(&["gc", "s3://registry", "--offline"]);
    assert_expected("gc-table.txt", &said(&program, &done.stdout));
    assert_eq!(keys(&server), left(&world, &Mode::default()));
    let done = program.done(&["gc", "s3://registry", "--offline", "--untagged", "--json"]);
    assert_eq!(done.stderr, "", "with --json, stderr is for warnings and failures");
    assert_expected("gc.json", &pretty(&program, &run_named(done)));
    assert_eq!(keys(&server), left(&world, &Mode::untagged()));
}

/// With the plan of a run of `gc` under a name that is always the same.
fn run_named(outcome: Outcome) -> Outcome {
    let mut summary = outcome.summary();
    assert!(summary["plan"].as_str().unwrap().contains("/state/regsweep/"));
    summary["plan"] = "[plan]".into();
    Outcome { stdout: summary.to_string(), ..outcome }
}

#[test]
fn a_dry_run_plans_and_deletes_nothing() {
    let world = small(T, "");
    let server = bucket(&world);
    let program = Program::at(&server);
    let done = program.done(&["gc", "s3://registry", "--untagged", "--dry-run"]);
    assert!(done.stdout.contains("to delete"), "{}", done.stdout);
    assert!(done.stderr.contains("nothing was deleted; the plan is in "), "{}", done.stderr);
    assert_eq!(keys(&server).len(), world.objects().len());
    let dir = done.stderr.trim_end().rsplit(' ').next().unwrap().to_owned();
    program.done(&["apply", &dir, "--offline"]);
    assert_eq!(keys(&server), left(&world, &Mode::untagged()));
}

#[test]
fn a_directory_is_collected_as_a_bucket_is() {
    let world = small(now(), "");
    let program = Program::new();
    let root = directory(program.home(), &world);
    let typed = root.to_str().unwrap();
    let plan = program.done(&["plan", typed, "--untagged", "--out", "plan"]);
    assert_expected("plan-directory-table.txt", &said(&program, &plan.stdout));
    assert_eq!(files(&root), world.objects().keys().cloned().collect());
    let rows = program.done(&["show", "plan", "--format", "csv"]);
    assert_expected("plan-directory.csv", &said(&program, &rows.stdout));
    let done = program.done(&["gc", typed, "--untagged", "--offline"]);
    assert_expected("gc-directory-table.txt", &said(&program, &done.stdout));
    assert_eq!(files(&root), left(&world, &Mode::untagged()));
    let again = program.done(&["gc", typed, "--untagged", "--offline", "--json"]).summary();
    assert_eq!(again["swept"]["planned"]["count"], 0, "nothing is left to do");
}

#[test]
fn the_summary_has_the_names_and_types_that_are_promised() {
    let world = small(T, "");
    let server = bucket(&world);
    let program = Program::at(&server);
    let done = program.done(&["gc", "s3://registry", "--offline", "--untagged", "--json"]);
    let summary = done.summary();
    let is_amount = |value: &Value| value["count"].is_u64() && value["bytes"].is_u64();
    for number in ["repositories", "manifests", "tags", "marked"] {
        assert!(summary[number].is_u64(), "{number}: {summary}");
    }
    for kind in ["blobs", "revision_links", "tag_links", "layer_links", "uploads"] {
        assert!(is_amount(&summary["delete"][kind]), "{kind}: {summary}");
    }
    for kind in ["list", "get", "head", "put", "delete"] {
        assert!(summary["requests"][kind].is_u64(), "{kind}: {summary}");
    }
    for fate in ["planned", "deleted", "already_gone", "spared", "failed", "left"] {
        assert!(is_amount(&summary["swept"][fate]), "{fate}: {summary}");
    }
    assert!(is_amount(&summary["blobs"]) && summary["plan"].is_string());
    let cache = &summary["registry_cache"];
    assert!(cache["kind"].is_string() && cache["cleared"].is_u64(), "{cache}");
    assert!(summary["doubts"].is_array() && summary["notes"].is_array());
    assert_eq!(
        (&summary["type"], &summary["swept"]["ended"]),
        (&"summary".into(), &"completed".into())
    );
}

#[test]
fn an_empty_registry_is_no_failure_and_is_called_empty() {
    let program = Program::new();
    let root = program.home().join("empty");
    std::fs::create_dir(&root).unwrap();
    for typed in [&["plan", "empty", "--out", "plan"][..], &["gc", "empty", "--offline"]] {
        let done = program.done(typed);
        assert!(done.stderr.contains("/empty is empty: nobody has pushed to it yet"), "{done:?}");
    }
    let server = bucket(&small(T, "elsewhere"));
    let done = Program::at(&server).done(&["gc", "s3://registry/here", "--offline", "--json"]);
    assert_eq!(
        done.failure()["message"],
        "the registry at s3://registry/here is empty: nobody has pushed to it yet"
    );
    assert_eq!(done.summary()["blobs"]["count"], 0);
}

#[test]
fn what_is_in_doubt_is_kept_and_told() {
    let mut world = small(T, "");
    let keys = world.keys().clone();
    let manifest = world.revisions("library/old")[0];
    world.corrupt(&keys.blob(&manifest));
    world.damage(&keys.current("library/app", "latest"), b"sha256:ab");
    let server = bucket(&world);
    let program = Program::at(&server);
    let done = program.done(&["plan", "s3://registry", "--untagged", "--out", "plan"]);
    assert_expected("doubts-table.txt", &said(&program, &done.stdout));
    let rows = program.done(&["show", "plan", "--format", "csv"]).stdout;
    assert!(!rows.contains("library/old,"), "what a doubtful repository links is kept");
    let summary = program.done(&["show", "plan", "--json"]).summary();
    assert_eq!(summary["doubts"].as_array().unwrap().len(), 2);
    assert_eq!(summary["doubts_total"], 2);
}

#[test]
fn the_first_command_of_the_readme_proves_itself() {
    let program = Program::new();
    let demo = program.done(&["demo"]);
    let proof = demo.stdout.lines().last().unwrap();
    assert!(proof.starts_with("Proved against an independent model: "), "{}", demo.stdout);
    assert!(demo.stdout.ends_with('\n') && !demo.stdout.contains("marking: "), "{}", demo.stdout);
}
