//! Taking back: what a plan deleted is back byte for byte, or it is said why not.

use std::collections::BTreeMap;

use bytes::Bytes;
use simstore::{Fault, Faults, Kind, Options, S3Error, Server, When};

use crate::expected::{assert_expected, redacted};
use crate::program::Program;
use crate::registries::{T, bucket, bucket_with, days, directory, files, now, small};

pub(crate) const PLAN: [&str; 5] = ["plan", "s3://registry", "--untagged", "--out", "plan"];
pub(crate) const APPLY: [&str; 3] = ["apply", "plan", "--offline"];

pub(crate) fn versioned() -> (Server, Program) {
    let server = bucket_with(&small(T, ""), Options { versioned: true, ..Options::default() });
    let program = Program::at(&server);
    (server, program)
}

/// A versioned bucket, what was in it, and an applied plan.
fn collected() -> (Server, Program, BTreeMap<String, Bytes>) {
    let (server, program) = versioned();
    let before = objects(&server);
    program.done(&PLAN);
    program.done(&APPLY);
    assert_ne!(objects(&server), before);
    (server, program, before)
}

/// Everything but what the program keeps for itself.
pub(crate) fn objects(server: &Server) -> BTreeMap<String, Bytes> {
    let keys = server.keys().into_iter().filter(|key| !key.starts_with("regsweep/"));
    keys.map(|key| (key.clone(), server.content(&key).unwrap())).collect()
}

/// The digests of the rows of a plan that begin like this.
fn digests(program: &Program, start: &str) -> Vec<String> {
    let rows = program.done(&["show", "plan", "--format", "csv"]).stdout;
    let rows = rows.lines().filter(|row| row.starts_with(start));
    rows.map(|row| row.split(',').nth(2).unwrap().to_owned()).collect()
}

#[test]
fn what_a_plan_deleted_is_back_byte_for_byte() {
    let (server, program, before) = collected();
    let undone = program.done(&["undo", "plan"]);
    assert_eq!(objects(&server), before);
    assert_expected("undo-table.txt", &redacted(&undone.stdout, &[]));
    // Again it finds everything there.
    let again = program.done(&["undo", "plan", "--json"]).summary();
    assert_eq!(again["restored"]["count"], 0);
    assert_eq!(again["present"]["count"], again["deleted"]);
    assert_eq!(objects(&server), before);
}

#[test]
fn machines_are_told_by_an_object() {
    let (_server, program, _) = collected();
    let undone = program.done(&["undo", "plan", "--json"]).summary();
    assert_eq!((&undone["type"], &undone["ended"]), (&"undo".into(), &"completed".into()));
    assert_eq!(undone["restored"]["count"], undone["deleted"]);
    assert_eq!(undone["kinds"]["blob"]["failed"]["count"], 0);
    assert_eq!(undone["requests"]["put"], 2);
}

#[test]
fn a_dry_run_says_what_would_be_back_and_changes_nothing() {
    let (server, program, _) = collected();
    let before = server.keys();
    let looked = program.done(&["undo", "plan", "--dry-run"]);
    assert!(looked.stdout.contains("would be back"), "{}", looked.stdout);
    assert_eq!(server.keys(), before);
    let looked = program.done(&["undo", "plan", "--dry-run", "--json"]).summary();
    assert_eq!(looked["restored"]["count"], looked["deleted"]);
    program.done(&["undo", "plan"]);
}

#[test]
fn one_manifest_comes_back_with_all_that_it_refers_to() {
    let (server, program, before) = collected();
    let manifest = digests(&program, "revision_link,library/old,").remove(0);
    program.done(&["undo", "plan", "--digest", &manifest]);
    let back = objects(&server);
    let is_back = |part: &str| back.keys().any(|key| key.contains(part));
    assert!(is_back(&format!("library/old/_manifests/revisions/sha256/{}", &manifest[7..])));
    // Manifest, configuration, layer, and the links to them.
    for digest in digests(&program, "layer_link,library/old,") {
        assert!(is_back(&format!("library/old/_layers/sha256/{}/", &digest[7..])), "{digest}");
        assert!(is_back(&format!("blobs/sha256/{}/{}/", &digest[7..9], &digest[7..])), "{digest}");
    }
    assert!(back.len() < before.len(), "the orphan and the upload stay away");
    program.done(&["undo", "plan"]);
    assert_eq!(objects(&server), before);
}

#[test]
fn one_repository_comes_back_alone() {
    let (server, program, before) = collected();
    program.done(&["undo", "plan", "--repository", "library/old"]);
    let of = |objects: &BTreeMap<String, Bytes>, name: &str| {
        objects.keys().filter(|key| key.contains(name)).count()
    };
    assert_eq!(of(&objects(&server), "library/old/"), of(&before, "library/old/"));
    assert!(of(&objects(&server), "library/app/") < of(&before, "library/app/"));
}

#[test]
fn a_store_that_kept_nothing_is_a_refusal_with_its_evidence() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    program.done(&PLAN);
    let nothing = program.run(&["undo", "plan"]).with_code(4);
    assert!(nothing.stderr.contains("the plan has deleted nothing"), "{}", nothing.stderr);
    assert!(!program.home().join("plan/journal").exists(), "a look makes no journal");
    program.done(&APPLY);
    let left = server.keys();
    let refused = program.run(&["undo", "plan"]).with_code(4);
    assert!(refused.stderr.contains("objects were deleted, and the store kept none of them"));
    assert!(refused.stderr.contains("hint: "), "{}", refused.stderr);
    assert_eq!((server.keys(), refused.stdout.as_str()), (left, ""));
}

#[test]
fn what_cannot_be_brought_back_is_partial_and_named() {
    let (server, program, before) = collected();
    // A rule of the bucket removed what the markers hide.
    let digest = digests(&program, "blob,").remove(0);
    let key = format!("docker/registry/v2/blobs/sha256/{}/{}/data", &digest[7..9], &digest[7..]);
    server.expire(&key);
    let partial = program.run(&["undo", "plan"]).with_code(3);
    assert!(partial.stderr.contains("cannot be brought back"), "{}", partial.stderr);
    assert!(partial.stderr.contains("the version that was deleted is gone"), "{}", partial.stderr);
    assert!(partial.stdout.contains(&key), "{}", partial.stdout);
    assert!(!objects(&server).contains_key(&key));
    assert!(objects(&server).len() < before.len());
}

#[test]
fn a_plan_that_was_taken_back_and_one_made_meanwhile_are_not_carried_out() {
    let (server, program, before) = collected();
    program.done(&["plan", "s3://registry", "--untagged", "--out", "meanwhile"]);
    program.done(&["undo", "plan"]);
    for plan in ["plan", "meanwhile"] {
        let refused = program.run(&["apply", plan, "--offline"]).with_code(4);
        assert!(refused.stderr.contains("was taken back at"), "{}", refused.stderr);
        assert_eq!(objects(&server), before);
    }
    server.set_now(Some(T.after(days(1) / 24)));
    program.done(&["plan", "s3://registry", "--untagged", "--out", "later"]);
    program.done(&["apply", "later", "--offline"]);
}

#[test]
fn no_collection_deletes_what_an_undo_that_was_cut_off_brought_back() {
    let (server, program, before) = collected();
    // Blobs are back, and no link to them.
    let denied = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::After(1), denied));
    program.run(&["undo", "plan"]).with_code(5);
    server.set_faults(Faults::none());
    server.set_now(Some(T.after(days(1) / 24)));
    let between = objects(&server);
    assert!(digests(&program, "blob,").iter().all(|digest| {
        between.keys().any(|key| key.contains(&digest[7..]) && key.ends_with("/data"))
    }));
    program.done(&["plan", "s3://registry", "--untagged", "--out", "later"]);
    let collections =
        [&["gc", "s3://registry", "--untagged", "--offline"][..], &["apply", "later", "--offline"]];
    for collection in collections {
        let refused = program.run(collection).with_code(4);
        assert!(refused.stderr.contains("an undo has not ended"), "{}", refused.stderr);
        assert_eq!(objects(&server), between);
    }
    // An undo of some does not end that of all.
    program.done(&["undo", "plan", "--repository", "library/old"]);
    program.run(collections[0]).with_code(4);
    program.done(&["undo", "plan"]);
    assert_eq!(objects(&server), before);
    server.set_now(Some(T.after(days(1) / 12)));
    program.done(collections[0]);
}

#[test]
fn what_an_undo_wrote_can_be_removed_where_its_plan_is_lost() {
    let (server, program, _) = collected();
    let denied = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::After(1), denied));
    let some = ["undo", "plan", "--repository", "library/old"];
    program.run(&some).with_code(5);
    server.set_faults(Faults::none());
    let gc = ["gc", "s3://registry", "--untagged", "--offline"];
    let refused = program.run(&gc).with_code(4);
    let note = server.keys().into_iter().find(|key| key.contains("regsweep/undone/")).unwrap();
    assert!(refused.stderr.contains(&format!("remove `{note}`")), "{}", refused.stderr);
    server.remove(&note);
    program.done(&gc);
}

#[test]
fn what_gc_deleted_is_taken_back_too_and_its_next_run_begins_anew() {
    let (server, program) = versioned();
    let before = objects(&server);
    let gc = ["gc", "s3://registry", "--untagged", "--offline", "--json"];
    let plan = program.done(&gc).summary()["plan"].as_str().unwrap().to_owned();
    let after = objects(&server);
    program.done(&["undo", &plan]);
    assert_eq!(objects(&server), before);
    server.set_now(Some(T.after(days(1) / 24)));
    program.done(&gc);
    assert_eq!(objects(&server), after);
}

#[test]
fn g11_a_sweep_whose_answers_are_lost_is_taken_back_whole() {
    let (server, program) = versioned();
    let before = objects(&server);
    program.done(&PLAN);
    let lost = Faults::none().on(Kind::Delete, When::Nth(2), Fault::HangUpAfter);
    server.set_faults(lost.on(
        Kind::Delete,
        When::Nth(4),
        Fault::RefuseWithin200(S3Error::INTERNAL_ERROR),
    ));
    program.done(&APPLY);
    server.set_faults(Faults::none().on(Kind::Delete, When::Nth(1), Fault::HangUpAfter));
    program.done(&["undo", "plan"]);
    assert_eq!(objects(&server), before);
}

#[test]
fn a_bucket_without_versions_keeps_what_it_deletes_in_its_trash() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let before = objects(&server);
    program.done(&PLAN);
    program.done(&["apply", "plan", "--offline", "--trash"]);
    assert_ne!(objects(&server), before);
    program.done(&["undo", "plan"]);
    assert_eq!(objects(&server), before);
}

#[test]
fn a_directory_keeps_what_it_deletes_in_its_trash() {
    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    let before = contents(&root);
    let location = root.to_str().unwrap();
    program.done(&["plan", location, "--untagged", "--out", "plan"]);
    program.done(&["apply", "plan", "--offline", "--trash"]);
    assert_ne!(contents(&root), before);
    let undone = program.done(&["undo", "plan", "--json"]).summary();
    assert_eq!(undone["restored"]["count"], undone["deleted"]);
    assert_eq!(contents(&root), before);
}

/// Every file but the program's own.
fn contents(root: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let keys = files(root).into_iter().filter(|key| !key.starts_with("regsweep/"));
    keys.map(|key| (key.clone(), std::fs::read(root.join(&key)).unwrap())).collect()
}

#[test]
fn the_trash_is_emptied_after_its_time_and_no_collection_touches_it_before() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let gc = |more: &[&str]| {
        let all = ["gc", "s3://registry", "--untagged", "--offline", "--json"];
        program.done(&[&all[..], more].concat()).summary()
    };
    gc(&["--trash"]);
    let trash = || server.keys().iter().filter(|key| key.starts_with("regsweep/trash/")).count();
    let filled = trash();
    assert!(filled > 10);
    server.set_now(Some(T.after(days(6))));
    gc(&[]);
    assert_eq!(gc(&["--trash"])["swept"]["purged"]["count"], 0);
    assert!(trash() >= filled);
    server.set_now(Some(T.after(days(8))));
    let purged = gc(&["--trash"]);
    assert_eq!(purged["swept"]["purged"]["count"], filled);
}

#[test]
fn a_run_of_gc_can_be_taken_back_after_many_others() {
    let (server, program) = versioned();
    let before = objects(&server);
    let gc = ["gc", "s3://registry", "--untagged", "--offline", "--json"];
    let plan = program.done(&gc).summary()["plan"].as_str().unwrap().to_owned();
    for _ in 0..7 {
        program.done(&gc);
    }
    let runs = std::path::Path::new(&plan).parent().unwrap().to_owned();
    let kept = std::fs::read_dir(runs)
        .unwrap()
        .filter(|run| run.as_ref().unwrap().file_name().to_string_lossy().starts_with("run-"));
    assert_eq!(kept.count(), 6, "five, and the one that deleted");
    program.done(&["undo", &plan]);
    assert_eq!(objects(&server), before);
}

#[test]
fn gc_gives_up_a_run_that_an_undo_overtook() {
    let (server, program, _) = collected();
    let gc = ["gc", "s3://registry", "--offline", "--untagged"];
    program.done(&["undo", "plan"]);
    let denied = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_now(Some(T.after(days(1) / 24)));
    server.set_faults(Faults::none().on(Kind::Delete, When::After(1), denied));
    program.run(&gc).with_code(5);
    server.set_faults(Faults::none());
    server.set_now(Some(T.after(days(1) / 12)));
    // The tag has a marker of another plan on it.
    program.run(&["undo", "plan"]).with_code(3);
    server.set_now(Some(T.after(days(1) / 8)));
    let anew = program.done(&gc);
    assert!(
        anew.stderr.contains("is past use: what was deleted was taken back"),
        "{}",
        anew.stderr
    );
}

#[test]
fn an_undo_that_breaks_off_says_how_much_it_did_not_look_at() {
    let (server, program, _) = collected();
    let denied = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::After(1), denied));
    let broken = program.run(&["undo", "plan"]).with_code(5);
    assert!(broken.stdout.contains("not looked at"), "{}", broken.stdout);
    assert!(broken.stdout.contains("deleted                      18\n"), "{}", broken.stdout);
}
