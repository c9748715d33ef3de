//! Retention policies: checked, planned by, carried out, taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use registry::Timestamp;
use simstore::{Fault, Faults, Kind, Options, When};
use world::World;

use crate::expected::{assert_expected, redacted};
use crate::program::{Program, wait_until};
use crate::registries::{self, T, bucket, bucket_with, days, directory, image, keys};
use crate::undo::objects;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/policies")
}

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    fs::read_to_string(path).unwrap()
}

/// A program with a policy of this text in its home.
pub(crate) fn with_policy(program: Program, text: &str) -> Program {
    fs::write(program.home().join("policy.yml"), text).unwrap();
    program
}

#[test]
fn every_example_means_what_is_written_down() {
    let program = Program::new();
    let mut count = 0;
    for file in fs::read_dir(examples()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        fs::copy(&path, program.home().join(path.file_name().unwrap())).unwrap();
        let said = program.done(&["policy", "check", &format!("{name}.yml")]);
        assert_expected(&format!("policy-{name}.txt"), &said.stdout);
        assert_eq!(said.stderr, "", "{name}");
        count += 1;
    }
    assert!(count >= 4, "{count} examples");
}

#[test]
fn the_policy_of_the_readme_is_sound() {
    let readme = readme();
    let (policy, _) = readme.split_once("```yaml\n").unwrap().1.split_once("```").unwrap();
    let program = with_policy(Program::new(), policy);
    program.done(&["policy", "check", "policy.yml"]);
}

#[test]
fn machines_get_the_rules_as_an_object() {
    let program = Program::new();
    fs::copy(examples().join("team-images.yml"), program.home().join("policy.yml")).unwrap();
    let said = program.done(&["policy", "check", "policy.yml", "--json"]);
    assert_expected("policy.json", &said.stdout);
}

const BROKEN: &str = "\
version: 1
rules:
  - name: old
    repositories: team/**
    tags: v*
    keep:
      last-pulled: 30d
  - name: all
    repositories: team**
    tags: [\"*\"]
    expire: {older-than: 6m}
";

#[test]
fn what_is_wrong_is_told_with_line_and_column_and_exit_code_2() {
    let program = with_policy(Program::new(), BROKEN);
    let wrong = program.run(&["policy", "check", "policy.yml"]).with_code(2);
    assert_eq!(wrong.stdout, "");
    assert_expected("policy-broken.txt", &wrong.stderr);
    let failure = program.run(&["policy", "check", "policy.yml", "--json"]).with_code(2).failure();
    assert_eq!(failure["name"], "usage");
    assert_eq!(failure["causes"].as_array().unwrap().len(), 3);
    let missing = program.run(&["policy", "check", "none.yml"]).with_code(2);
    assert!(missing.stderr.contains("cannot use none.yml"), "{}", missing.stderr);
}

#[test]
fn tags_can_be_tried() {
    let program = Program::new();
    fs::copy(examples().join("quota.yml"), program.home().join("quota.yml")).unwrap();
    let signature = format!("sha256-{}.sig=200d", "0".repeat(64));
    let mut typed =
        vec!["policy", "check", "quota.yml", "--repository", "a/b", "--tag", &signature];
    let old: Vec<String> = (100..112).map(|days| format!("build-{days}={days}d")).collect();
    typed.extend(old.iter().flat_map(|tag| ["--tag", tag.as_str()]));
    typed.extend(["--tag", "v1=1h", "--tag", "v2=2020-01-01T00:00:00Z"]);
    let said = program.done(&typed);
    let table = said.stdout.split_once("\na/b").unwrap().1;
    assert_expected("policy-tags.txt", table);
    let wrong = program.run(&["policy", "check", "quota.yml", "--repository", "a", "--tag", "v1"]);
    assert!(wrong.with_code(2).stderr.contains("must be TAG=TIME"));
}

#[test]
fn a_policy_excludes_what_it_does_not_go_with() {
    let program = with_policy(Program::new(), BROKEN);
    let online = ["gc", "here", "--online", "--policy", "policy.yml"];
    let said = program.run(&online).with_code(2).stderr;
    let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).take(2).collect();
    assert!(
        lines[0].ends_with("with '--online': tags are taken only while nobody pushes"),
        "{said}"
    );
    assert!(lines[1].starts_with("  tip: make the registry read-only"), "{said}");
    assert!(lines[1].ends_with("run 'regsweep gc --policy <FILE>' without '--online'"), "{said}");
    let failure = program.run(&[&online[..], &["--json"]].concat()).with_code(2).failure();
    assert!(
        failure["hints"][0].as_str().unwrap().starts_with("tip: make the registry"),
        "{failure}"
    );
    let both = program.run(&["gc", "here", "--untagged", "--policy", "policy.yml"]).with_code(2);
    assert!(both.stderr.contains("cannot be used with"), "{}", both.stderr);
}

/// Two repositories of a team with releases and builds of many days, and one of others.
pub(crate) fn team(now: Timestamp) -> World {
    let mut world = World::new(now.before(days(100)), "");
    for number in 0..30 {
        world.push_image("team/app", &image(number), Some(&format!("build-{number}")));
        world.age(days(3));
    }
    let release = world.push_image("team/app", &image(50), Some("v1.0.0"));
    world.push_image("team/app", &image(51), Some(&format!("sha256-{}.sig", release.hex())));
    world.push_image("other/app", &image(60), Some("build-1"));
    world.push_image("other/app", &image(61), Some("build-1"));
    world.age(days(10));
    world
}

pub(crate) const TEAM: &str = "\
version: 1
rules:
  - {name: releases, repositories: team/*, semver: '>=1', keep: always}
  - {name: last builds, repositories: team/*, tags: 'build-*', keep: {last: 5}}
  - {name: \"old, all\", repositories: team/*, tags: '*', expire: {older-than: 20d}}
  - {name: untagged, repositories: team/*, untagged-after: 1d}
";

const MUCH: [&str; 2] = ["--max-delete-share", "90"];

/// The rules by which rows of a plan go, counted by kind and reason.
fn rules(csv: &str) -> BTreeMap<String, usize> {
    let mut rules = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let kind = line.split(',').next().unwrap();
        let rest = line.split(",expired,").nth(1).unwrap_or("");
        let rule = rest.rsplit_once(',').map_or("", |(rule, _etag)| rule);
        *rules.entry(format!("{kind} {rule}")).or_default() += 1;
    }
    rules
}

#[test]
fn a_plan_says_which_rule_decided() {
    let server = bucket(&team(T));
    let program = with_policy(Program::at(&server), TEAM);
    let typed = ["plan", "s3://registry", "--out", "plan", "--policy", "policy.yml"];
    let said = program.done(&[&typed[..], &MUCH].concat());
    assert_expected("policy-plan.txt", &redacted(&said.stdout, &[]));
    let csv = program.done(&["show", "plan", "--format", "csv"]).stdout;
    assert!(csv.starts_with("kind,repository,digest,key,bytes,last_modified,reason,rule,etag\n"));
    assert_eq!(
        rules(&csv),
        BTreeMap::from([
            ("blob ".to_owned(), 75),
            ("layer_link ".to_owned(), 50),
            ("revision_link \"old, all\"".to_owned(), 25),
            ("tag_link \"old, all\"".to_owned(), 50),
        ])
    );
    let summary = program.done(&["show", "plan", "--json"]).summary();
    assert_eq!(summary["retention"]["rules"][1]["keeps"], 5);
    assert_eq!(summary["retention"]["rules"][2]["expires"], 25);
    assert!(!csv.contains("other/app"));
}

#[test]
fn a_policy_is_carried_out_on_files_and_can_be_taken_back_byte_for_byte() {
    let now = registries::now();
    let program = with_policy(Program::new(), TEAM);
    let root = directory(program.home(), &team(now));
    let before = registries::files(&root);
    let bytes = |root: &Path| -> BTreeMap<String, Vec<u8>> {
        let read = |key: String| (key.clone(), fs::read(root.join(key)).unwrap());
        registries::files(root).into_iter().map(read).collect()
    };
    let content = bytes(&root);
    let root_text = root.to_str().unwrap();
    let typed = ["gc", root_text, "--offline", "--trash", "--policy", "policy.yml", "--json"];
    let summary = program.done(&[&typed[..], &MUCH].concat()).summary();
    let deleted = summary["swept"]["deleted"]["count"].as_u64().unwrap();
    assert_eq!(deleted, 25 * 2 + 25 + 50 + 75);
    let tags = |files: &BTreeSet<String>| {
        let tags = files.iter().filter(|key| key.ends_with("/current/link"));
        tags.filter(|key| !key.starts_with("regsweep/")).count()
    };
    assert_eq!((tags(&before), tags(&registries::files(&root))), (33, 8));
    let plan = summary["plan"].as_str().unwrap();
    program.done(&["undo", plan]);
    let mut back = bytes(&root);
    back.retain(|key, _| !key.starts_with("regsweep/"));
    assert!(back == content, "byte for byte");
}

#[test]
fn a_policy_is_carried_out_in_a_bucket_and_has_nothing_left_to_do() {
    let server = bucket(&team(T));
    let program = with_policy(Program::at(&server), TEAM);
    let typed = ["gc", "s3://registry", "--offline", "--json", "--policy", "policy.yml"];
    let typed = [&typed[..], &MUCH].concat();
    let before = keys(&server);
    program.done(&typed);
    assert_eq!(before.len() - keys(&server).len(), 200);
    assert_eq!(program.done(&typed).summary()["swept"]["deleted"]["count"], 0);
}

#[test]
fn a_policy_that_cannot_be_read_is_refused_before_anything_is_asked() {
    let program = with_policy(Program::new(), BROKEN);
    let wrong = program.run(&["gc", "s3://registry", "--offline", "--policy", "policy.yml"]);
    assert!(wrong.with_code(2).stderr.contains("line 7, column 7: rules[1].keep.last-pulled"));
}

#[test]
fn g11_a_run_that_was_cut_off_goes_on_under_the_same_policy_and_begins_anew_under_another() {
    let other = TEAM.replace("20d", "21d");
    for (text, says) in [
        (TEAM, "going on with the plan in "),
        (&*other, "is past use: it was made under another policy"),
    ] {
        let server = bucket(&team(T));
        let all = keys(&server).len();
        let delay = Fault::Delay(Duration::from_millis(300));
        server.set_faults(Faults::none().on(Kind::Delete, When::Always, delay));
        let program = with_policy(Program::at(&server), TEAM);
        let typed = ["gc", "s3://registry", "--offline", "--policy", "policy.yml"];
        let typed = [&typed[..], &MUCH].concat();
        let mut run = program.start(&typed);
        wait_until("the first delete", || server.count(Kind::Delete) > 0 || !run.is_running());
        run.signal("INT");
        run.end().with_code(130);
        let program = with_policy(program, text);
        let again = program.run(&typed).with_code(0);
        assert!(again.stderr.contains(says), "{again:?}");
        assert_eq!(all - keys(&server).len(), 200, "{says}");
    }
}

#[test]
fn what_a_policy_let_go_of_a_bucket_with_versions_is_back_byte_for_byte() {
    let server = bucket_with(&team(T), Options { versioned: true, ..Options::default() });
    let program = with_policy(Program::at(&server), TEAM);
    let before = objects(&server);
    let typed = ["plan", "s3://registry", "--out", "plan", "--policy", "policy.yml"];
    program.done(&[&typed[..], &MUCH].concat());
    program.done(&["apply", "plan", "--offline"]);
    assert_eq!(before.len() - objects(&server).len(), 200);
    program.done(&["undo", "plan"]);
    assert_eq!(objects(&server), before);
}
