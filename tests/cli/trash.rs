//! The trash: filled by who deletes, kept as long as was promised, and emptied by later runs.

use simstore::{Fault, Faults, Kind, S3Error, Server, When};

use crate::program::Program;
use crate::registries::{T, bucket, days, small};
use crate::undo::{APPLY, PLAN, objects, versioned};

/// A bucket without versions, and what is in its trash.
fn trashing() -> (Server, Program) {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    (server, program)
}

fn trash(server: &Server) -> Vec<String> {
    let keys = server.keys().into_iter();
    keys.filter(|key| key.starts_with("regsweep/trash/") && !key.ends_with("/filled")).collect()
}

#[test]
fn a_trash_is_kept_as_long_as_was_promised_when_it_was_filled() {
    let (server, program) = trashing();
    program.done(&PLAN);
    program.done(&["apply", "plan", "--offline", "--trash", "--trash-for", "90d"]);
    let note = server.keys().into_iter().find(|key| key.ends_with("/filled")).unwrap();
    let promise = server.content(&note).unwrap();
    let filled = trash(&server);
    let gc = ["gc", "s3://registry", "--untagged", "--offline", "--trash"];
    server.set_now(Some(T.after(days(89))));
    program.done(&gc);
    assert_eq!(trash(&server), filled);
    // A promise that nobody understands is kept for ever.
    assert_eq!(promise, "{\"format\":1,\"keep\":7776000}\n");
    server.put(&note, "{\"format\":2}\n", T);
    server.set_now(Some(T.after(days(91))));
    program.done(&gc);
    assert_eq!(trash(&server), filled);
    server.put(&note, promise, T);
    program.done(&gc);
    assert_eq!(trash(&server), Vec::<String>::new());
}

#[test]
fn a_trash_that_cannot_be_emptied_does_not_hide_what_the_sweep_did() {
    let (server, program) = trashing();
    let gc = ["gc", "s3://registry", "--untagged", "--offline", "--trash"];
    program.done(&gc);
    server.set_now(Some(T.after(days(8))));
    let denied = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, denied));
    let swept = program.done(&gc);
    assert!(swept.stdout.contains("swept "), "{}", swept.stdout);
    assert!(swept.stderr.contains("warning: older trash was not emptied"), "{}", swept.stderr);
    assert_ne!(trash(&server), Vec::<String>::new());
}

#[test]
fn an_undo_keeps_the_trash_from_being_emptied_under_it() {
    let (server, program) = trashing();
    program.done(&PLAN);
    program.done(&["apply", "plan", "--offline", "--trash"]);
    let note = server.keys().into_iter().find(|key| key.ends_with("/filled")).unwrap();
    let promise = server.content(&note).unwrap();
    server.set_now(Some(T.after(days(8))));
    program.done(&["undo", "plan", "--repository", "library/old"]);
    assert_eq!(server.content(&note), Some(promise));
    let filled = trash(&server);
    server.set_now(Some(T.after(days(9))));
    program.done(&["gc", "s3://registry", "--untagged", "--offline", "--trash"]);
    let left = trash(&server);
    assert!(filled.iter().all(|key| left.contains(key)), "{left:?}");
}

#[test]
fn a_bucket_with_versions_needs_no_trash_and_says_so() {
    let (server, program) = versioned();
    let before = objects(&server);
    program.done(&PLAN);
    let applied = program.done(&["apply", "plan", "--offline", "--trash"]);
    assert!(applied.stderr.contains("the bucket keeps versions"), "{}", applied.stderr);
    assert!(server.keys().iter().all(|key| !key.starts_with("regsweep/")));
    program.done(&["undo", "plan"]);
    assert_eq!(objects(&server), before);
}

#[test]
fn what_cannot_be_copied_is_not_deleted() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let before = objects(&server);
    program.done(&PLAN);
    let denied = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Copy, When::Always, denied));
    program.run(&["apply", "plan", "--offline", "--trash"]).with_code(3);
    assert_eq!(objects(&server), before);
}

#[test]
fn a_sweep_that_is_taken_up_goes_on_filling_its_trash() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let before = objects(&server);
    program.done(&PLAN);
    let denied = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Copy, When::After(3), denied));
    program.run(&["apply", "plan", "--offline", "--trash"]).with_code(3);
    server.set_faults(Faults::none());
    program.done(&APPLY);
    assert_ne!(objects(&server), before);
    program.done(&["undo", "plan"]);
    assert_eq!(objects(&server), before);
}
