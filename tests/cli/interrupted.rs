//! G11: stopped by a signal or killed at any instant, the same command goes on and ends in the same objects.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use simstore::{Fault, Faults, Kind, Need, Options, Server, When};
use world::{Mode, World};

use crate::program::{Outcome, Program, Run, wait_until};
use crate::registries::{
    T, bucket, bucket_with, directory, files, hanging, keys, left, now, small, with_orphans,
};
use crate::registry_files;

/// Three requests or more.
const ORPHANS: u64 = 2500;

const GC: [&str; 7] =
    ["gc", "s3://registry", "--offline", "--accept", "delete-share", "--max-in-flight", "1"];

/// A bucket whose deletes take long.
fn slow() -> (World, Server, Program) {
    let world = with_orphans(T, ORPHANS);
    let server = bucket_with(&world, Options { remembers_needs: true, ..Options::default() });
    let delay = Fault::Delay(Duration::from_millis(300));
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, delay));
    let program = Program::at(&server);
    (world, server, program)
}

/// Starts a sweep, and waits until the first request of it is answered.
fn begun(program: &Program, server: &Server) -> Run {
    let before = server.count(Kind::Delete);
    let mut run = program.start(&GC);
    wait_until("the first delete", || server.count(Kind::Delete) > before || !run.is_running());
    run
}

/// A sweep that was asked to stop: it says so, tells how to go on, and has left something.
#[track_caller]
fn assert_stopped(stopped: &Outcome, is_left: bool) -> String {
    assert_eq!(stopped.code, Some(130), "{stopped:?}");
    assert!(
        stopped
            .stderr
            .contains("regsweep: finishing what is in flight; once more to leave at once\n")
    );
    assert!(stopped.stderr.contains("regsweep: stopped before the end\n"), "{stopped:?}");
    assert!(stopped.stdout.contains("swept "), "what was done is told: {stopped:?}");
    assert!(is_left, "the sweep was in its middle");
    stopped.command_in_hint()
}

fn drained_by(signal: &str) {
    let (world, server, program) = slow();
    let run = begun(&program, &server);
    run.signal(signal);
    let expected = left(&world, &Mode::default());
    let again = assert_stopped(&run.end(), keys(&server).len() > expected.len());
    assert!(expected.is_subset(&keys(&server)));
    let resumed = program.run_as_printed(&again).with_code(0);
    assert!(resumed.stderr.contains("going on with the plan in "), "{resumed:?}");
    assert_eq!(keys(&server), expected);
}

#[test]
fn g11_an_interrupt_drains_and_tells_how_to_go_on() {
    drained_by("INT");
}

#[test]
fn g11_a_request_to_terminate_drains_and_tells_how_to_go_on() {
    drained_by("TERM");
}

#[test]
fn g11_the_second_signal_leaves_at_once_and_loses_nothing() {
    let (world, server, program) = slow();
    let endless = Fault::Delay(Duration::from_mins(10));
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, endless));
    let run = program.start(&GC);
    let is_delete = |need: &Need| need.action == "s3:DeleteObject";
    wait_until("a delete", || server.needs().iter().any(is_delete));
    run.signal("INT");
    run.signal("TERM");
    let aborted = run.end().with_code(130);
    assert!(aborted.stderr.contains("leaving at once; run the same command again"), "{aborted:?}");
    server.set_faults(Faults::none());
    program.done(&GC);
    assert_eq!(keys(&server), left(&world, &Mode::default()));
}

#[test]
fn g11_killed_again_and_again_it_ends_in_the_same_objects() {
    let (world, server, program) = slow();
    let mut kills = 0;
    let done = loop {
        let mut run = begun(&program, &server);
        if !run.is_running() || kills == 2 {
            break run.end().with_code(0);
        }
        run.child.kill().unwrap();
        run.end();
        kills += 1;
    };
    assert_eq!(kills, 2);
    assert!(done.stderr.contains("going on with the plan in "), "{done:?}");
    assert_eq!(keys(&server), left(&world, &Mode::default()));
}

#[test]
fn g11_a_plan_is_applied_in_pieces() {
    let (world, server, program) = slow();
    program.done(&["plan", "s3://registry", "--accept", "delete-share", "--out", "my plan"]);
    let run = program.start(&["apply", "my plan", "--offline", "--max-in-flight", "1"]);
    let journal = program.home().join("my plan/journal");
    wait_until("a grown journal", || {
        std::fs::metadata(&journal).is_ok_and(|file| file.len() > 300)
    });
    wait_until("the first delete", || server.count(Kind::Delete) > 0);
    run.signal("INT");
    let expected = left(&world, &Mode::default());
    let again = assert_stopped(&run.end(), keys(&server).len() > expected.len());
    assert!(again.ends_with("apply 'my plan' --offline --max-in-flight 1"), "{again}");
    program.run_as_printed(&again).with_code(0);
    assert_eq!(keys(&server), expected);
}

fn journals(state: &Path) -> BTreeSet<String> {
    if state.exists() {
        files(state).into_iter().filter(|file| file.ends_with("/journal")).collect()
    } else {
        BTreeSet::new()
    }
}

#[test]
fn g11_a_sweep_of_a_directory_is_stopped_and_taken_up_too() {
    let world = with_orphans(now(), ORPHANS);
    let program = Program::new();
    let root = directory(program.home(), &world);
    let gc = ["gc", "registry", "--offline", "--accept", "delete-share"];
    let slowly = [&gc[..], &["--max-deletes-per-second", "200"]].concat();
    let run = program.start(&slowly);
    wait_until("a journal", || !journals(&program.state()).is_empty());
    let all = world.objects().len();
    // The first thousand goes at once, the second five seconds later. Folders may vanish while they are counted.
    let is_less = || registry_files::keys(&root).is_ok_and(|left| left.len() < all);
    wait_until("the first delete", is_less);
    run.signal("INT");
    let expected = left(&world, &Mode::default());
    assert_stopped(&run.end(), files(&root).len() > expected.len());
    let resumed = program.done(&gc);
    assert!(resumed.stderr.contains("going on with the plan in "), "{resumed:?}");
    assert_eq!(files(&root), expected);
}

#[test]
fn a_stop_before_the_plan_is_whole_deletes_nothing() {
    let world = small(T, "");
    let server = bucket(&world);
    let program = Program::at(&server);
    for typed in
        [&["plan", "s3://registry", "--out", "plan"][..], &["gc", "s3://registry", "--offline"]]
    {
        server.set_faults(hanging());
        server.forget_requests();
        let run = program.start(typed);
        // Whether this is a registry, and what time it is.
        wait_until("the start", || server.count(Kind::List) >= 2);
        run.signal("INT");
        let stopped = run.end().with_code(130);
        assert!(stopped.stderr.contains("regsweep: stopped; nothing was deleted\n"), "{stopped:?}");
        assert!(stopped.stderr.ends_with("` starts over\n"), "{stopped:?}");
        assert_eq!(stopped.stdout, "");
    }
    server.set_faults(Faults::none());
    program.done(&["plan", "s3://registry", "--out", "plan"]);
    assert_eq!(keys(&server).len(), world.objects().len());
}

#[test]
fn machines_are_told_of_a_stop_by_objects() {
    let (_, server, program) = slow();
    let mut command = program.command(&GC);
    command.arg("--json");
    let run = Run::start(command);
    wait_until("the first delete", || server.count(Kind::Delete) > 0);
    run.signal("TERM");
    let stopped = run.end().with_code(130);
    assert_eq!(stopped.failure()["name"], "stopped");
    assert_eq!(stopped.summary()["swept"]["ended"], "stopped");
    for line in stopped.stderr.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}
