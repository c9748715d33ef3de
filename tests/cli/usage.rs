//! Who keeps what: told as a table, an object and rows.

use std::fs;

use serde_json::Value;
use simstore::{Fault, Faults, Kind, S3Error, Server, When};
use world::{Content, Image, World};

use crate::expected::{assert_expected, redacted};
use crate::multipart::leave_uploads;
use crate::program::{Outcome, Program};
use crate::registries::{T, bucket, days, directory, keys, now, small};

/// The registry of the other commands, and more: an image that two repositories share, one that cannot be read, and a
/// blob that is gone.
fn shared(world: &mut World) {
    world.age(days(10));
    let base = Content::new(70, 5000);
    for (repository, own) in [("team/one", 71), ("team/two", 72)] {
        let image = Image::new(own * 100, &[base, Content::new(own, 800)]);
        let digest = world.push_image(repository, &image, Some("v1"));
        world.tag(repository, "latest", digest);
    }
    let more = Image::new(7300, &[base, Content::new(73, 300)]);
    world.push_image("team/one", &more, Some("v2"));
    let gone = Content::new(74, 90);
    world.push_image("team/two", &Image::new(7400, &[gone]), Some("broken"));
    world.lose(&world.keys().blob(&gone.digest()));
    world.push_unknown(
        "team/odd-names-are-as-long-as-they-like",
        7,
        &[Content::new(75, 40)],
        Some("x"),
    );
    world.age(days(2));
}

fn registry() -> (World, Server, Program) {
    let mut world = small(T, "");
    shared(&mut world);
    let server = bucket(&world);
    let program = Program::at(&server);
    (world, server, program)
}

const USAGE: [&str; 2] = ["usage", "s3://registry"];

fn pretty(outcome: &Outcome) -> String {
    let mut summary = outcome.summary();
    for kind in ["list", "get"] {
        assert!(summary["requests"][kind].as_u64().unwrap() > 0);
        summary["requests"][kind] = "[n]".into();
    }
    redacted(&serde_json::to_string_pretty(&summary).unwrap(), &[])
}

#[test]
fn a_census_is_told_as_a_table_an_object_and_rows() {
    let (world, server, program) = registry();
    let table = program.done(&USAGE);
    assert!(
        table.stdout.lines().all(|line| line.chars().count() <= 100 || line.contains("in doubt"))
    );
    assert!(table.stderr.contains("weighing: 37 blobs, 14.0 KiB"), "{}", table.stderr);
    assert_expected("usage-table.txt", &table.stdout);
    let object = program.done(&[&USAGE[..], &["--json"]].concat());
    assert_expected("usage.json", &pretty(&object));
    let rows = program.done(&[&USAGE[..], &["--format", "csv", "--tags", "--untagged"]].concat());
    assert_expected("usage.csv", &rows.stdout);
    assert_eq!(keys(&server), world.objects().keys().cloned().collect(), "nothing was deleted");
}

#[test]
fn a_census_by_tag() {
    let (_world, _server, program) = registry();
    let one = program.done(&[&USAGE[..], &["--repository", "team/one", "--untagged"]].concat());
    assert_expected("usage-repository.txt", &one.stdout);
    let all = program.done(&[&USAGE[..], &["--tags", "--top", "2", "--sort", "name"]].concat());
    assert_expected("usage-tags.txt", &all.stdout);
}

#[test]
fn what_is_reclaimable_is_what_a_plan_deletes() {
    let (_world, _server, program) = registry();
    let policy =
        "version: 1\nrules:\n- {name: a, repositories: '**', tags: 'v*', expire: always}\n";
    fs::write(program.home().join("policy.yml"), policy).unwrap();
    for rules in [&[][..], &["--untagged"], &["--grace", "60d"], &["--policy", "policy.yml"]] {
        let usage = program.done(&[&USAGE[..], &["--json"], rules].concat()).summary();
        let out = format!("plan{}", rules.concat());
        let typed = [&["plan", "s3://registry", "--json", "--out", &out][..], rules].concat();
        let plan = program.run(&typed).summary();
        let bytes = |part: &Value| part["bytes"].as_u64().unwrap();
        let links = ["revision_links", "tag_links", "layer_links"];
        let links: u64 = links.iter().map(|kind| bytes(&plan["delete"][kind])).sum();
        let reclaimable = &usage["totals"]["reclaimable"];
        assert_eq!(reclaimable["blobs"], plan["delete"]["blobs"], "{rules:?}");
        assert_eq!(reclaimable["uploads"], plan["delete"]["uploads"], "{rules:?}");
        assert_eq!(bytes(&reclaimable["links"]), links, "{rules:?}");
        assert_eq!(usage["totals"]["blobs"], plan["blobs"], "{rules:?}");
        let takes_tags = plan["delete"]["tag_links"]["count"].as_u64() > Some(0);
        assert_eq!(
            takes_tags,
            rules.contains(&"--policy") || rules.contains(&"--untagged"),
            "{rules:?}"
        );
    }
}

#[test]
fn multipart_uploads_are_counted_with_their_bytes_apart_from_other_uploads() {
    let (_world, server, program) = registry();
    let without = program.done(&[&USAGE[..], &["--json"]].concat()).summary();
    leave_uploads(&server);
    server.forget_requests();
    // The registry was used for another twelve days.
    let old = ["--uploads-older-than", "16d"];
    let usage = program.done(&[&USAGE[..], &["--json"], &old].concat()).summary();
    let told = serde_json::json!({
        "state": "known", "count": 4, "bytes": 1040,
        "reclaimable": {"count": 2, "bytes": 1024}, "unread": 0, "foreign": 1,
    });
    assert_eq!(usage["totals"]["multipart_uploads"], told);
    assert_eq!(usage["totals"]["uploads"], without["totals"]["uploads"]);
    assert_eq!(usage["repositories"], without["repositories"]);
    assert_eq!((server.count(Kind::ListUploads), server.count(Kind::ListParts)), (1, 4));
    program.done(&[&["plan", "s3://registry", "--out", "plan"], &old[..]].concat());
    let plan = program.done(&["show", "plan", "--json"]).summary();
    let planned = &plan["delete"]["multipart_uploads"];
    assert_eq!(usage["totals"]["multipart_uploads"]["reclaimable"], *planned);
    assert_expected("usage-multipart.txt", &program.done(&[&USAGE[..], &old].concat()).stdout);
}

#[test]
fn multipart_uploads_that_cannot_be_listed_are_not_known_and_never_none() {
    let (_world, server, program) = registry();
    leave_uploads(&server);
    let refuse = Fault::Refuse(S3Error::ACCESS_DENIED);
    let faults = |kind| Faults::none().on(kind, When::Always, refuse.clone());
    server.set_faults(faults(Kind::ListParts));
    let usage = program.done(&[&USAGE[..], &["--json"]].concat()).summary();
    let told = &usage["totals"]["multipart_uploads"];
    assert_eq!(
        (&told["count"], &told["bytes"], &told["unread"]),
        (&4.into(), &0.into(), &4.into())
    );
    let said = program.done(&USAGE).stdout;
    assert!(said.contains("multipart uploads of unknown size"), "{said}");
    server.set_faults(faults(Kind::ListUploads));
    let usage = program.done(&[&USAGE[..], &["--json"]].concat()).summary();
    let told = &usage["totals"]["multipart_uploads"];
    assert_eq!((told["state"].as_str(), told.get("count")), (Some("unknown"), None));
    let said = program.done(&USAGE).stdout;
    let row = said.lines().find(|line| line.starts_with("incomplete multipart uploads ")).unwrap();
    assert_eq!(row.matches("not known").count(), 2, "{said}");
    assert!(said.ends_with(": permission denied\n"), "{said}");
    let broken = Fault::Refuse(S3Error::INTERNAL_ERROR);
    server.set_faults(Faults::none().on(Kind::ListParts, When::Always, broken));
    program.run(&[&USAGE[..], &["--patience", "0s"]].concat()).with_code(7);
}

#[test]
fn a_directory_gives_the_same_numbers_as_a_bucket() {
    let told = |outcome: &Outcome| {
        let summary = outcome.summary();
        (summary["totals"].clone(), summary["repositories"].clone())
    };
    let more = ["--json", "--tags", "--memory", "1KiB"];
    let program = Program::new();
    let mut world = small(now().before(days(12)), "");
    shared(&mut world);
    let root = directory(program.home(), &world);
    let root = root.to_string_lossy();
    let files = program.done(&[&["usage", &root][..], &more].concat());
    let (_world, _server, program) = registry();
    let objects = program.done(&[&USAGE[..], &more].concat());
    assert_eq!(told(&files), told(&objects));
}

#[test]
fn a_repository_that_is_not_there_is_told() {
    let (_world, _server, program) = registry();
    for name in ["team/none", "_team"] {
        let wrong = program.run(&[&USAGE[..], &["--repository", name]].concat()).with_code(2);
        assert!(wrong.stderr.contains(&format!("it has no repository `{name}`")), "{wrong:?}");
    }
}

#[test]
fn a_scratch_that_is_not_there_is_told_and_one_that_is_holds_nothing_afterwards() {
    let (_world, _server, program) = registry();
    let wrong = program.run(&[&USAGE[..], &["--scratch", "none"]].concat()).with_code(2);
    assert!(wrong.stderr.contains("cannot use none"), "{wrong:?}");
    let scratch = program.home().join("scratch");
    fs::create_dir(&scratch).unwrap();
    program.done(&[&USAGE[..], &["--scratch", "scratch", "--memory", "1KiB"]].concat());
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
}

#[test]
fn an_empty_registry_keeps_nothing() {
    let server = bucket(&World::new(T, ""));
    let empty = Program::at(&server).run(&[&USAGE[..], &["--json"]].concat());
    assert_eq!(empty.code, Some(0), "{empty:?}");
    assert_eq!(empty.summary()["totals"]["blobs"]["count"], 0);
}
