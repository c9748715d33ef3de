//! `regsweep explain`: who keeps something, or why it would go; never other than what a plan says.

use std::collections::BTreeSet;
use std::time::Duration;

use registry::{Digest, KeyKind, Layout};
use serde_json::Value;
use world::{Content, World};

use crate::expected::{assert_expected, redacted};
use crate::policy::{TEAM, team, with_policy};
use crate::program::Program;
use crate::registries::{T, bucket, days, directory, files, image, keys, now, small};

const MODES: [&[&str]; 2] = [&[], &["--untagged"]];
const POLICY: [&str; 2] = ["--policy", "policy.yml"];

fn explained(program: &Program, location: &str, subject: &str, mode: &[&str]) -> Value {
    let typed = [&["explain", location, subject, "--json"][..], mode].concat();
    serde_json::from_str(&program.done(&typed).stdout).unwrap()
}

/// The blobs among keys, by digest.
fn blobs(keys: impl IntoIterator<Item = String>) -> BTreeSet<Digest> {
    let layout = Layout::new("");
    let digest = |key: String| match layout.classify(&key) {
        KeyKind::Blob(digest) => Some(digest),
        _ => None,
    };
    keys.into_iter().filter_map(digest).collect()
}

/// Lets a tag of `small` go, with what loses its tags.
const LIBRARY: &str = "\
version: 1
rules:
  - {name: latest, repositories: library/*, tags: latest, expire: always}
  - {name: unreached, repositories: library/*, untagged-after: 1d}
";

/// The keys that a plan deletes.
fn planned(program: &Program, location: &str, mode: &[&str]) -> BTreeSet<String> {
    let plan = format!("plan{}", mode.concat());
    let typed = ["plan", location, "--out", &plan, "--max-delete-share", "100"];
    program.done(&[&typed[..], mode].concat());
    let csv = program.done(&["show", &plan, "--format", "csv"]).stdout;
    csv.lines().filter_map(|line| line.split(',').nth(3)).map(str::to_owned).collect()
}

/// That of every blob in `keys`, and of every key that names it, is told what a plan does with it.
fn assert_as_planned(program: &Program, location: &str, keys: BTreeSet<String>, mode: &[&str]) {
    let goes = planned(program, location, mode);
    for digest in blobs(keys) {
        let object = explained(program, location, &digest.to_string(), mode);
        let is_garbage = object["verdict"] == "garbage";
        let key = object["blob"]["key"].as_str().unwrap();
        assert_eq!(is_garbage, goes.contains(key), "{mode:?}: {object:#}");
        let repositories = object["repositories"].as_array().unwrap().iter();
        let named = repositories.flat_map(|repository| repository["keys"].as_array().unwrap());
        for named in named {
            let key = named["key"].as_str().unwrap();
            assert_eq!(named["goes"].is_null(), !goes.contains(key), "{mode:?}: {named:#}");
        }
    }
}

#[test]
fn what_is_explained_as_garbage_is_what_a_plan_would_delete() {
    let server = bucket(&small(T, ""));
    let program = with_policy(Program::at(&server), LIBRARY);
    for mode in [MODES[0], MODES[1], &POLICY] {
        assert_as_planned(&program, "s3://registry", keys(&server), mode);
    }
}

#[test]
fn on_files_too() {
    let program = with_policy(Program::new(), LIBRARY);
    let root = directory(program.home(), &small(now(), ""));
    for mode in [MODES[1], &POLICY] {
        assert_as_planned(&program, root.to_str().unwrap(), files(&root), mode);
    }
}

#[test]
fn every_way_to_say_what_is_asked_about_in_words() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let latest = explained(&program, "s3://registry", "library/app:latest", &[]);
    let manifest = latest["digest"].as_str().unwrap();
    let object = explained(&program, "s3://registry", &format!("library/app@{manifest}"), &[]);
    assert_eq!(object["repositories"], latest["repositories"]);
    let gone = "sha256:".to_owned() + &"0".repeat(64);
    let multi = explained(&program, "s3://registry", "library/app:multi", &[]);
    let layers = blobs(keys(&server)).into_iter().map(|digest| digest.to_string());
    let is_deep = |digest: &String| {
        let object = explained(&program, "s3://registry", digest, &["--untagged"]);
        let steps = object["repositories"][0]["paths"][0]["steps"].as_array();
        steps.is_some_and(|steps| steps.len() == 2)
            && object["repositories"][0]["paths"][0]["root"] == multi["digest"]
    };
    let layer = layers.into_iter().find(is_deep).unwrap();
    let mut said = String::new();
    for (subject, mode) in [
        ("library/app:latest", MODES[0]),
        (&layer, MODES[1]),
        ("library/old:v1", MODES[0]),
        (&gone, MODES[0]),
    ] {
        let typed = [&["explain", "s3://registry", subject][..], mode].concat();
        said += &program.done(&typed).stdout;
        said.push('\n');
    }
    assert_expected("explain.txt", &redacted(&said, &[]));
}

#[test]
fn garbage_is_told_with_its_last_link_and_what_is_young_with_when_it_may_go() {
    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    let root = root.to_str().unwrap();
    let all = blobs(files(root.as_ref()));
    let said: Vec<String> = all
        .iter()
        .map(|digest| program.done(&["explain", root, &digest.to_string(), "--untagged"]).stdout)
        .collect();
    for words in [
        "  garbage: no manifest of any repository that stays refers to it; last linked ",
        ": goes: no tag reaches it, and it refers to no manifest that stays",
        ": goes: no manifest of this repository that stays needs it",
        "  stays: 1 repository keeps it",
        "\nlibrary/app\n  tag multi > sha256:",
    ] {
        assert!(said.iter().any(|said| said.contains(words)), "{words} is not in {said:#?}");
    }
}

#[test]
fn a_tag_that_says_nothing_is_not_taken_for_one_that_is_not_there() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let tag = KeyKind::TagCurrent { repository: "library/app", tag: "latest" };
    server.put(&Layout::new("").key_of(&tag).unwrap(), "sha256:short", T);
    let said = program.done(&["explain", "s3://registry", "library/app:latest"]).stdout;
    assert!(said.contains("  the tag's link ") && said.contains("`regsweep check`"), "{said}");
    for (name, verdict) in [("library/app:latest", "broken-tag"), ("library/app:v0", "no-tag")] {
        assert_eq!(explained(&program, "s3://registry", name, &[])["verdict"], verdict);
    }
}

#[test]
fn a_repository_that_has_nothing_to_do_with_a_digest_is_told_so() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let multi = explained(&program, "s3://registry", "library/app:multi", &[]);
    let digest = multi["digest"].as_str().unwrap();
    for (repository, is_stranger) in [("library/new", true), ("library/app", false)] {
        let subject = format!("{repository}@{digest}");
        let said = program.done(&["explain", "s3://registry", &subject]).stdout;
        let words = format!("  {repository} neither keeps nor names it\n");
        assert_eq!(said.contains(&words), is_stranger, "{said}");
    }
}

/// A rule that waits for a manifest that lost its tag ten days ago.
const WAITING: &str = "- {name: lost its tags, repositories: other/*, untagged-after: 60d}\n";

/// A tag and a layer of it, under every verdict that a policy can have.
fn ruled_subjects(world: &World) -> Vec<String> {
    let digest = |repository: &str, tag: &str| {
        let link = &world.objects()[&world.keys().current(repository, tag)];
        String::from_utf8(link.bytes.clone()).unwrap()
    };
    let signature = format!("sha256-{}.sig", &digest("team/app", "v1.0.0")[7..]);
    let tags = ["build-3", "build-29", "v1.0.0", &signature].map(|tag| format!("team/app:{tag}"));
    let named = digest("other/app", "build-1");
    let lost = world.revisions("other/app").into_iter().map(|digest| digest.to_string());
    let lost = lost.filter(|digest| *digest != named);
    let layer = Content::new(301, 64).digest().to_string();
    tags.into_iter().chain(["other/app:build-1".to_owned(), layer]).chain(lost).collect()
}

#[test]
fn under_a_policy_each_tag_is_told_with_the_rule_that_decides() {
    let world = team(T);
    let server = bucket(&world);
    let program = with_policy(Program::at(&server), &(TEAM.to_owned() + "  " + WAITING));
    let mut said = String::new();
    for subject in ruled_subjects(&world) {
        let typed = ["explain", "s3://registry", &subject, "--policy", "policy.yml"];
        said += &program.done(&typed).stdout;
        said.push('\n');
    }
    assert_expected("explain-policy.txt", &redacted(&said, &[]));
    let tag = "team/app:build-3";
    let object = explained(&program, "s3://registry", tag, &["--policy", "policy.yml"]);
    let pretty = serde_json::to_string_pretty(&object).unwrap();
    assert_expected("explain-policy.json", &redacted(&pretty, &[]));
    let uncovered = with_policy(program, TEAM);
    let typed = ["explain", "s3://registry", "other/app:build-1", "--policy", "policy.yml"];
    let said = uncovered.done(&typed).stdout;
    let words = "  the tag stays: no rule lets anything of this repository go\n";
    assert!(said.contains(words), "{said}");
}

const BY_HAND: &str = "\
version: 1
rules:
  - {name: versions, repositories: team/*, tags: 'v*', expire: always}
  - {name: unreached, repositories: team/*, untagged-after: 1d}
  - {name: only tags, repositories: library/*, tags: '*', expire: always}
";

/// A signed image whose tag goes, a signature of nothing, a young tag, a repository in doubt, and one in which no rule lets
/// manifests go; the tags to ask for.
fn by_hand() -> (World, Vec<String>) {
    let mut world = World::new(T.before(days(30)), "");
    let signed = world.push_image("team/app", &image(1), Some("v1"));
    let signature = |of: Digest| format!("sha256-{}.sig", of.hex());
    let (own, stray) = (signature(signed), signature(Digest::sha256(b"nothing")));
    world.push_image("team/app", &image(2), Some(&own));
    world.push_image("team/app", &image(3), Some(&stray));
    world.push_unknown("team/odd", 4, &[Content::new(5, 40)], Some("v1"));
    world.push_image("library/app", &image(6), Some("v1"));
    world.age(Duration::from_hours(30 * 24 - 1));
    world.push_image("team/app", &image(7), Some("v2"));
    world.age(Duration::from_hours(1));
    let here = ["v1", &own, &stray, "v2"].map(|tag| format!("team/app:{tag}"));
    let others = ["team/odd:v1", "library/app:v1"].map(str::to_owned);
    (world, here.into_iter().chain(others).collect())
}

#[test]
fn tags_that_follow_are_young_in_doubt_or_go_alone_are_told_so() {
    let (world, tags) = by_hand();
    let server = bucket(&world);
    let program = with_policy(Program::at(&server), BY_HAND);
    let mut said = String::new();
    for tag in &tags {
        let typed = ["explain", "s3://registry", tag, "--policy", "policy.yml"];
        said += &program.done(&typed).stdout;
        said.push('\n');
    }
    assert_expected("explain-policy-by-hand.txt", &redacted(&said, &[]));
}

#[test]
fn a_policy_is_no_more_than_what_it_says_and_goes_with_nothing_else() {
    let program = with_policy(Program::new(), "version: 2\n");
    let typed = ["explain", "s3://registry", "team/app:v1", "--policy", "policy.yml"];
    let wrong = program.run(&typed).with_code(2);
    assert!(wrong.stderr.contains("policy.yml"), "{}", wrong.stderr);
    let both = program.run(&[&typed[..], &["--untagged"]].concat()).with_code(2);
    assert!(both.stderr.contains("cannot be used with"), "{}", both.stderr);
}

#[test]
fn what_is_no_digest_and_no_image_is_told_so() {
    let program = Program::new();
    let wrong = program.run(&["explain", "here", "library/app"]).with_code(2);
    let says = "it is no digest, and neither NAME:TAG nor NAME@DIGEST";
    assert!(wrong.stderr.contains(says), "{}", wrong.stderr);
}
