//! `gc` again and again: what is left of a run is taken up, and two runs never sweep one registry.

use std::fs;
use std::path::{Path, PathBuf};

use simstore::{Fault, Faults, Kind, S3Error, Server, When};
use world::Mode;

use crate::program::{Program, wait_until};
use crate::registries::{T, bucket, days, hanging, keys, left, small};

const GC: [&str; 4] = ["gc", "s3://registry", "--offline", "--untagged"];

/// A bucket whose last `gc` could not delete, and whose store is well again.
fn broken_off() -> (Server, Program) {
    let server = bucket(&small(T, ""));
    let denied = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::After(1), denied));
    let program = Program::at(&server);
    program.run(&GC).with_code(5);
    server.set_faults(Faults::none());
    (server, program)
}

#[test]
fn an_unfinished_run_is_taken_up_by_the_next() {
    let (server, program) = broken_off();
    server.forget_requests();
    let done = program.done(&GC);
    assert!(done.stderr.contains("regsweep: going on with the plan in "), "{}", done.stderr);
    assert_eq!(keys(&server), left(&small(T, ""), &Mode::untagged()));
    // Whether this is a registry of ours is looked up by two names, and twice whether somebody holds its lease.
    assert!(server.count(Kind::Get) <= 4, "no manifest was read again");
    let done = program.done(&GC);
    assert!(!done.stderr.contains("going on"), "what is finished is not taken up: {}", done.stderr);
}

#[test]
fn a_run_under_another_policy_is_not_taken_up() {
    let (server, program) = broken_off();
    let done = program.done(&["gc", "s3://registry", "--offline"]);
    assert!(
        done.stderr.contains("is past use: it was made under another policy"),
        "{}",
        done.stderr
    );
    assert!(
        left(&small(T, ""), &Mode::default()).is_subset(&keys(&server)) || done.code == Some(0)
    );
}

#[test]
fn a_run_that_is_too_old_or_damaged_stands_in_nobodys_way() {
    let (server, program) = broken_off();
    server.set_now(Some(T.after(days(2))));
    let done = program.done(&GC);
    assert!(done.stderr.contains("is past use: the plan is 48h 00m old"), "{}", done.stderr);

    let (server, program) = broken_off();
    let run = plans(&program).remove(0);
    fs::write(run.join("plan.json"), "{").unwrap();
    let done = program.done(&GC);
    assert!(done.stderr.contains(" is past use: "), "{}", done.stderr);
    assert_eq!(keys(&server), left(&small(T, ""), &Mode::untagged()));
}

#[test]
fn a_run_over_which_somebody_pushed_is_planned_anew() {
    let (server, program) = broken_off();
    let (tag, later) = (small(T, "").keys().current("library/new", "v1"), T.after(days(1) / 2));
    server.set_now(Some(later));
    server.put(&tag, server.content(&tag).unwrap(), later);
    let done = program.done(&GC);
    assert!(done.stderr.contains(" is past use: the registry took pushes"), "{}", done.stderr);
    assert_eq!(keys(&server), left(&small(T, ""), &Mode::untagged()));
}

#[test]
fn registries_in_one_bucket_do_not_take_up_each_others_runs() {
    let (server, program) = broken_off();
    let before = keys(&server);
    let other = program.done(&["gc", "s3://registry/elsewhere", "--offline", "--untagged"]);
    assert!(!other.stderr.contains("going on"), "{}", other.stderr);
    assert_eq!(keys(&server), before);
}

#[test]
fn two_runs_never_sweep_one_registry() {
    let world = small(T, "");
    let server = bucket(&world);
    let program = Program::at(&server);
    // The first run waits for its first listing, before there is any journal.
    server.set_faults(hanging());
    let mut first = program.start(&GC);
    wait_until("the plan of the first run", || !plans(&program).is_empty());
    let second = program.run(&GC).with_code(4);
    assert!(second.stderr.contains("another regsweep collects this registry"), "{second:?}");
    assert!(second.stderr.contains("hint: wait for it to end"), "{second:?}");
    assert_eq!(keys(&server).len(), world.objects().len());
    assert!(first.is_running(), "the second was refused while the first ran");
    first.child.kill().unwrap();
    first.end();
    server.set_faults(Faults::none());
    program.done(&GC);
    assert_eq!(keys(&server), left(&world, &Mode::untagged()));
}

/// The directories in which `gc` makes plans.
fn plans(program: &Program) -> Vec<PathBuf> {
    let inside = |dir: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
    };
    inside(&program.state()).iter().flat_map(|registry| inside(registry)).collect()
}

#[test]
fn without_a_home_the_state_directory_must_be_given() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let mut command = program.command(&GC);
    command.env_remove("HOME").env_remove("XDG_STATE_HOME");
    let homeless = crate::program::Run::start(command).end().with_code(2);
    assert!(homeless.stderr.contains("HOME is not set; give --state"), "{}", homeless.stderr);
    let mut command = program.command(&[&GC[..], &["--state", "here"]].concat());
    command.env_remove("HOME").env_remove("XDG_STATE_HOME");
    crate::program::Run::start(command).end().with_code(0);
    assert!(program.home().join("here").is_dir());
}
