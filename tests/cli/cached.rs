//! The registry's redis: looked at before anything is deleted, cleared afterwards, whatever ended the sweep.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use simstore::{Fault, Faults, Kind, Server, When};
use world::{Mode, World};

use crate::program::{Outcome, Program, Run, wait_until};
use crate::redis_double::RedisDouble;
use crate::registries::{
    READ_ONLY, T, bucket, bucket_config, days, keys, left, small, with_orphans,
};

/// A bucket, a program, and a `config.yml` with `more` in its home.
fn in_a_bucket(world: &World, more: &str) -> (Server, Program) {
    let (server, program) = (bucket(world), Program::new());
    bucket_config(program.home(), &server, more);
    (server, program)
}

fn with(redis: &RedisDouble) -> String {
    format!("{READ_ONLY}{}", redis.config())
}

/// A redis that nobody serves.
fn nowhere() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    format!(
        "{READ_ONLY}  cache:\n    blobdescriptor: redis\nredis:\n  addrs: ['127.0.0.1:{port}']\n"
    )
}

const GC: [&str; 4] = ["gc", "config.yml", "--untagged", "--json"];

/// What the plan in `dir` may take out of a cache.
fn planned(program: &Program, dir: &str) -> BTreeSet<String> {
    let csv = program.done(&["show", dir, "--format", "csv"]).stdout;
    let mut entries = BTreeSet::new();
    for line in csv.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (kind, repository, digest) = (fields[0], fields[1], fields[2]);
        if matches!(kind, "revision_link" | "layer_link") {
            entries.insert(format!("{repository} {digest}"));
        }
        if matches!(kind, "revision_link" | "layer_link" | "blob") {
            entries.insert(digest.to_owned());
        }
    }
    assert!(entries.len() > 3, "{csv}");
    entries
}

fn plan_of(outcome: &Outcome) -> String {
    outcome.summary()["plan"].as_str().unwrap().to_owned()
}

/// Exactly these entries were cleared since the last time.
#[track_caller]
fn assert_cleared(redis: &RedisDouble, entries: &BTreeSet<String>) {
    let cleared = redis.cleared();
    let left: Vec<_> = entries.difference(&cleared).take(3).collect();
    let other: Vec<_> = cleared.difference(entries).take(3).collect();
    assert!(left.is_empty() && other.is_empty(), "not cleared: {left:?}, cleared too: {other:?}");
}

#[test]
fn gc_clears_exactly_what_its_plan_names() {
    let (world, redis) = (small(T, ""), RedisDouble::start());
    let (server, program) = in_a_bucket(&world, &with(&redis));
    let done = program.done(&GC);
    let entries = planned(&program, &plan_of(&done));
    assert_cleared(&redis, &entries);
    let cache = &done.summary()["registry_cache"];
    assert_eq!(cache["kind"], "redis");
    assert!(cache["cleared"].as_u64().unwrap() > 3, "{cache}");
    assert_eq!(keys(&server), left(&world, &Mode::untagged()));
    let people = in_a_bucket(&world, &with(&redis)).1.done(&["gc", "config.yml"]);
    assert!(people.stderr.contains(" entries of the registry's cache\n"), "{people:?}");
}

#[test]
fn a_cache_that_cannot_be_reached_forbids_to_delete_and_says_how_to_go_on() {
    let world = small(T, "");
    let (server, program) = in_a_bucket(&world, &nowhere());
    program.done(&["plan", "config.yml", "--out", "plan"]);
    for command in [&["gc", "config.yml"][..], &["apply", "plan"]] {
        let refused = program.run(command).with_code(4);
        let says = "regsweep: the registry's cache could not be cleared of what is deleted, so nothing was deleted\n  \
                    cannot reach redis at 127.0.0.1:";
        assert!(refused.stderr.contains(says), "{refused:?}");
        assert!(refused.stderr.contains("--registry-cache restart"), "{refused:?}");
    }
    let refused = program.run(&["garbage-collect", "config.yml"]).with_code(1);
    assert!(refused.stderr.contains("cannot reach redis at"), "{refused:?}");
    assert_eq!(server.count(Kind::Delete), 0);
    program.done(&["gc", "config.yml", "--dry-run"]);
    let done = program.done(&["gc", "config.yml", "--registry-cache", "restart", "--json"]);
    assert_eq!(done.summary()["registry_cache"]["kind"], "restart");
    assert_eq!(keys(&server), left(&world, &Mode::default()));
}

#[test]
fn a_cache_that_may_not_be_cleared_forbids_to_delete() {
    let (world, redis) = (small(T, ""), RedisDouble::start());
    let more = with(&redis).replace("addr:", "password: hidden\n  addr:");
    let (server, program) = in_a_bucket(&world, &more);
    // The double takes no password: it answers with a number.
    let refused = program.run(&GC).with_code(4);
    assert!(!refused.stderr.contains("hidden"), "{refused:?}");
    assert_eq!(server.count(Kind::Delete), 0);
}

#[test]
fn what_gc_could_not_clear_the_same_command_clears() {
    let (world, redis) = (small(T, ""), RedisDouble::start());
    let (server, program) = in_a_bucket(&world, &with(&redis));
    redis.refuse(true);
    let partial = program.run(&["gc", "config.yml", "--untagged"]).with_code(3);
    assert!(partial.stdout.contains("swept "), "what was done is told: {partial:?}");
    assert!(partial.stderr.contains("NOPERM this user has no permissions"), "{partial:?}");
    assert_eq!(keys(&server), left(&world, &Mode::untagged()));
    let refused = program.run(&["gc", "config.yml", "--untagged"]).with_code(4);
    assert!(refused.stderr.contains("NOPERM"), "nothing more is deleted before: {refused:?}");

    redis.refuse(false);
    let wanted = redis.cleared();
    assert!(partial.stderr.contains(" gc config.yml --untagged` clears it"), "{partial:?}");
    let again = program.run_as_printed(&partial.command_in_hint()).with_code(0);
    assert!(again.stderr.contains("of the registry's cache"), "{again:?}");
    let run = std::fs::read_dir(program.state()).unwrap().next().unwrap().unwrap().path();
    let mut plans: Vec<_> = std::fs::read_dir(run).unwrap().map(|it| it.unwrap().path()).collect();
    plans.retain(|path| path.is_dir());
    plans.sort();
    let first = planned(&program, &plans[0].to_string_lossy());
    assert!(first.is_superset(&wanted) && redis.cleared().is_superset(&first));
    program.done(&GC);
    assert!(redis.cleared().is_empty(), "it is cleared once");
}

#[test]
fn what_apply_could_not_clear_it_clears_where_the_plan_is_applied_already() {
    let (world, redis) = (small(T, ""), RedisDouble::start());
    let (server, program) = in_a_bucket(&world, &with(&redis));
    program.done(&["plan", "config.yml", "--out", "plan", "--untagged"]);
    let entries = planned(&program, "plan");
    redis.refuse(true);
    let partial = program.run(&["apply", "plan", "--json"]).with_code(3);
    let failure = partial.failure();
    assert_eq!((failure["code"].as_u64(), failure["name"].as_str()), (Some(3), Some("partial")));
    assert_eq!(partial.summary()["swept"]["ended"], "completed");
    redis.refuse(false);
    redis.cleared();
    let again = program.run(&["apply", "plan", "--json"]).with_code(0);
    assert_cleared(&redis, &entries);
    assert_eq!(again.summary()["registry_cache"]["kind"], "redis");
    let deletes = server.count(Kind::Delete);
    let third = program.run(&["apply", "plan"]).with_code(4);
    assert!(third.stderr.contains("there is nothing left to do"), "{third:?}");
    assert_cleared(&redis, &entries);
    assert_eq!(server.count(Kind::Delete), deletes);
}

#[test]
fn what_was_left_in_a_cache_is_the_operators_where_he_says_so() {
    let (world, redis) = (small(T, ""), RedisDouble::start());
    let (_server, program) = in_a_bucket(&world, &with(&redis));
    redis.refuse(true);
    program.run(&GC).with_code(3);
    let restart = [&GC[..], &["--registry-cache", "restart"]].concat();
    program.done(&restart);
    redis.refuse(false);
    redis.cleared();
    program.done(&GC);
    assert!(redis.cleared().is_empty(), "nothing is left to be cleared");
}

#[test]
fn what_was_left_in_a_cache_is_cleared_also_where_the_plan_is_past_use() {
    let (world, redis) = (small(T, ""), RedisDouble::start());
    let (server, program) = in_a_bucket(&world, &with(&redis));
    program.done(&["plan", "config.yml", "--out", "plan", "--untagged"]);
    redis.refuse(true);
    program.run(&["apply", "plan"]).with_code(3);
    redis.refuse(false);
    redis.cleared();
    let (tag, later) = (world.keys().current("library/new", "v1"), T.after(days(1) / 2));
    server.set_now(Some(later));
    server.put(&tag, server.content(&tag).unwrap(), later);
    let pushed = program.run(&["apply", "plan"]).with_code(4);
    assert!(pushed.stderr.contains("the registry took pushes"), "{pushed:?}");
    assert_cleared(&redis, &planned(&program, "plan"));
}

#[test]
fn a_run_that_is_damaged_stands_in_nobodys_way_and_is_told() {
    let (world, redis) = (small(T, ""), RedisDouble::start());
    let (server, program) = in_a_bucket(&world, &with(&redis));
    redis.refuse(true);
    let plan = plan_of(&program.run(&GC).with_code(3));
    redis.refuse(false);
    std::fs::write(std::path::Path::new(&plan).join("plan.json"), "{").unwrap();
    let done = program.done(&["gc", "config.yml", "--untagged"]);
    let told = "warning: the registry may still remember what was deleted by ";
    assert!(done.stderr.contains(told) && done.stderr.contains("`blobs::`"), "{done:?}");
    assert_eq!(keys(&server), left(&world, &Mode::untagged()));
}

#[test]
fn g11_a_sweep_that_was_stopped_or_killed_is_cleared_as_a_whole() {
    for signal in ["INT", "KILL"] {
        let (world, redis) = (with_orphans(T, 2500), RedisDouble::start());
        let (server, program) = in_a_bucket(&world, &with(&redis));
        let delay = Fault::Delay(Duration::from_millis(300));
        server.set_faults(Faults::none().on(Kind::Delete, When::Always, delay));
        let gc = ["gc", "config.yml", "--accept", "delete-share", "--max-in-flight", "1", "--json"];
        let mut run = program.start(&gc);
        wait_until("the first delete", || server.count(Kind::Delete) > 0 || !run.is_running());
        run.signal(signal);
        let stopped = run.end();
        if signal == "INT" {
            let entries = planned(&program, &plan_of(&stopped.with_code(130)));
            assert_cleared(&redis, &entries);
        } else {
            assert!(redis.cleared().is_empty());
        }
        server.set_faults(Faults::none());
        let done = program.done(&gc);
        assert_cleared(&redis, &planned(&program, &plan_of(&done)));
        assert_eq!(keys(&server), left(&world, &Mode::default()));
    }
}

#[test]
fn the_drop_in_clears_too_and_says_what_remains_to_be_done() {
    let (world, redis) = (small(T, ""), RedisDouble::start());
    let (_server, program) = in_a_bucket(&world, &redis.config());
    let done = program.done(&["garbage-collect", "-m", "config.yml"]);
    let quiet = "regsweep: the registry must be stopped or read-only while this runs\n";
    assert!(done.stderr.starts_with(quiet), "{done:?}");
    let eligible = done.stdout.matches("blob eligible for deletion").count();
    let cleared = redis.cleared();
    assert!(eligible > 0 && cleared.len() > eligible, "{cleared:?}");

    let (server, program) = in_a_bucket(&world, &redis.config());
    redis.refuse(true);
    let refused = program.run(&["garbage-collect", "-m", "config.yml"]).with_code(1);
    assert!(refused.stderr.contains("so nothing was deleted"), "{refused:?}");
    assert_eq!(server.count(Kind::Delete), 0);

    redis.refuse(false);
    let run = start_until_the_first_delete(&server, &program);
    redis.refuse(true);
    let failed = run.end().with_code(1);
    assert!(failed.stderr.contains("that begin with `blobs::` or `repository::`"), "{failed:?}");
}

/// The drop-in, where each delete takes its time.
fn start_until_the_first_delete(server: &Server, program: &Program) -> Run {
    let delay = Fault::Delay(Duration::from_millis(300));
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, delay));
    let mut run = program.start(&["garbage-collect", "-m", "config.yml"]);
    wait_until("the first delete", || server.count(Kind::Delete) > 0 || !run.is_running());
    run
}

#[test]
fn a_drop_in_that_is_killed_leaves_nothing_of_its_plan_in_the_cache() {
    let (world, redis) = (small(T, ""), RedisDouble::start());
    let (server, program) = in_a_bucket(&world, &with(&redis));
    program.done(&["plan", "config.yml", "--untagged", "--grace", "0s", "--out", "plan"]);
    let run = start_until_the_first_delete(&server, &program);
    run.signal("KILL");
    drop(run.end());
    let entries = planned(&program, "plan");
    assert!(redis.cleared().is_superset(&entries), "nobody takes it up to clear the rest");
}

#[test]
fn a_cache_in_memory_asks_for_a_restart_where_something_was_deleted() {
    const RESTART: &str =
        "regsweep: restart the registry before anybody pushes: it remembers what was deleted\n";
    let world = small(T, "");
    let in_memory = format!("{READ_ONLY}  cache:\n    blobdescriptor: inmemory\n");
    let (_server, program) = in_a_bucket(&world, &in_memory);
    assert!(program.done(&["gc", "config.yml"]).stderr.contains(RESTART));
    assert!(!program.done(&["gc", "config.yml"]).stderr.contains(RESTART), "nothing was deleted");
    let (_server, program) = in_a_bucket(&world, READ_ONLY);
    let done = program.done(&GC);
    assert_eq!(done.summary()["registry_cache"]["kind"], "none");
    let redis = RedisDouble::start();
    let (_server, program) = in_a_bucket(&world, &with(&redis));
    program.done(&["gc", "config.yml", "--registry-cache", "none"]);
    assert_eq!(redis.commands(), 0);
}
