//! Limits over the wire, by a clock held in the hand: nothing here waits.

use std::time::Duration;

use crate::by_hand::{ask, delete_body, get, status, texts};
use simstore::{Clock, Limits, Load, Options, Refusal, Server, Shape};

fn server(limits: Limits) -> (Server, Clock) {
    let clock = Clock::manual();
    let options = Options { limits: Some(limits), clock: clock.clone(), ..Options::default() };
    (Server::start(options).unwrap(), clock)
}

fn limits() -> Limits {
    Limits { reads: 3, writes: 5, boundaries: vec!["m".into()], ..Limits::default() }
}

fn delete(server: &Server, keys: &[&str]) -> String {
    ask(server, "POST", "/registry?delete", "x-amz-checksum-sha256: any\r\n", &delete_body(keys))
}

#[test]
fn too_many_reads_of_a_partition_are_told_to_slow_down_until_time_has_passed() {
    let (server, clock) = server(limits());
    let list = "/registry?list-type=2&prefix=n";
    for (target, expected) in [
        ("/registry/n", "404"),
        (list, "200"),
        ("/registry/z", "404"),
        ("/registry/n", "503"),
        (list, "503"),
        ("/registry/a", "404"),
        ("/registry?list-type=2&start-after=z", "503"),
        ("/registry?list-type=2", "200"),
    ] {
        assert_eq!(status(&get(&server, target)), expected, "{target}");
    }
    let refused = get(&server, "/registry/n");
    assert_eq!(texts(&refused, "Code"), ["SlowDown"]);
    clock.advance(Duration::from_millis(334));
    assert_eq!(status(&get(&server, "/registry/n")), "404");
    assert_eq!(status(&get(&server, "/registry/n")), "503");
    let load = Load { reads: 6, refused_reads: 5, ..Load::default() };
    assert_eq!(server.load(), load);
}

#[test]
fn a_bucket_may_be_looked_at_at_any_rate() {
    let (server, _clock) = server(limits());
    for _ in 0..10 {
        assert_eq!(status(&ask(&server, "HEAD", "/registry", "", "")), "200");
    }
}

#[test]
fn each_key_of_a_deletion_is_a_write_and_a_deletion_that_is_too_much_does_nothing() {
    let (server, clock) = server(limits());
    for key in ["a", "b", "c", "d", "z"] {
        server.put(key, "x", server.now());
    }
    assert_eq!(status(&ask(&server, "PUT", "/registry/e", "", "x")), "200");
    assert_eq!(status(&ask(&server, "DELETE", "/registry/e", "", "")), "204");
    assert_eq!(status(&delete(&server, &["a", "b", "c", "d", "z"])), "503");
    assert_eq!(server.keys().len(), 5);
    assert_eq!(status(&delete(&server, &["a", "b", "c", "z"])), "200");
    clock.advance(Duration::from_secs(1));
    assert_eq!(status(&delete(&server, &["d"])), "200");
    assert!(server.keys().is_empty());
}

#[test]
fn keys_that_are_too_many_may_be_refused_inside_a_200() {
    let (server, _clock) = server(Limits { refusal: Refusal::Keys, ..limits() });
    let keys = ["a", "b", "c", "d", "e", "f", "g", "z"];
    for key in keys {
        server.put(key, "x", server.now());
    }
    let answer = delete(&server, &keys);
    assert_eq!((status(&answer), texts(&answer, "Code")), ("200", vec!["SlowDown"; 2]));
    assert_eq!(server.keys(), ["f", "g"]);
    assert_eq!((server.load().writes, server.load().refused_writes), (6, 2));
}

#[test]
fn partitions_of_the_digests_take_as_much_each() {
    let limits = Limits { writes: 10, ..Limits::default() }.partitions(4);
    let clock = Clock::manual();
    let server = Server::start(Options {
        procedural: Some(Shape { blobs: 1000, repositories: 1, ..Shape::default() }),
        limits: Some(limits),
        clock,
        ..Options::default()
    })
    .unwrap();
    assert_eq!(server.partitions().len(), 4);
    let keys = server.keys();
    let before = server.object_count();
    // Of 1,020 blobs; no run of 8 lies across a boundary of the digests.
    for (first, expected) in [(0, "200"), (0, "503"), (300, "200"), (600, "200"), (900, "200")] {
        let keys: Vec<&str> = keys[first..first + 8].iter().map(String::as_str).collect();
        assert_eq!(status(&delete(&server, &keys)), expected, "{first}");
    }
    assert_eq!(server.object_count(), before - 32);
}
