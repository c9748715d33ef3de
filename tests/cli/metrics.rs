//! Metrics: a file that outlives runs, and an address while they go on.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;
use simstore::{Fault, Faults, Kind, S3Error, When, Which};

use crate::program::{Program, wait_until};
use crate::registries::{T, bucket, directory, keys, now, small};
use crate::undo::PLAN;

const GC: [&str; 5] = ["gc", "s3://registry", "--offline", "--metrics-file", "regsweep.prom"];

/// The value of the one sample that begins so.
fn value(program: &Program, series: &str) -> Option<String> {
    let text = fs::read_to_string(program.home().join("regsweep.prom")).unwrap();
    let mut values = text.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = values.next().map(str::to_owned);
    assert!(values.next().is_none(), "{series} is there twice");
    value
}

fn of_gc(program: &Program, name: &str) -> Option<String> {
    value(program, &format!("regsweep_{name}{{command=\"gc\"}}"))
}

#[test]
fn the_file_says_what_the_summary_says() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let summary = program.done(&[&GC[..], &["--json"]].concat()).summary();
    let told = |name: &str| of_gc(&program, name).map(Value::from);
    let number = |value: &Value| Value::from(value.to_string());
    assert_eq!(told("freed_bytes_total"), Some(number(&summary["swept"]["deleted"]["bytes"])));
    assert_eq!(told("deleted_objects_total"), Some(number(&summary["swept"]["deleted"]["count"])));
    assert_eq!(told("last_run_exit_code"), Some("0".into()));
    assert_eq!(told("oldest_garbage_timestamp_seconds"), None, "nothing is left");
    for kind in ["list", "get", "delete"] {
        let of = |name: &str, rest: &str| -> u64 {
            let labels = format!("{{command=\"gc\",kind=\"{kind}\"{rest}}}");
            value(&program, &format!("regsweep_{name}{labels}")).unwrap().parse().unwrap()
        };
        let ended = |outcome| of("request_outcomes_total", &format!(",outcome=\"{outcome}\""));
        let sent = summary["requests"][kind].as_u64().unwrap();
        assert_eq!(of("requests_total", ""), sent, "{kind}");
        assert_eq!(ended("ok") + ended("missing"), sent, "{kind}");
        assert_eq!(of("request_duration_seconds_count", ""), sent, "{kind}");
    }
    let phase = value(&program, "regsweep_phase{command=\"gc\",phase=\"finished\"}");
    assert_eq!(phase.as_deref(), Some("1"));
}

#[test]
fn every_request_that_is_sent_has_an_outcome_and_a_duration() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let file = ["--metrics-file", "regsweep.prom"];
    program.done(&[&PLAN[..], &file].concat());
    let apply = ["apply", "plan", "--offline", "--trash"];
    let mut kinds = BTreeSet::new();
    for typed in [&apply[..], &["undo", "plan"]] {
        program.done(&[typed, &file].concat());
        let text = fs::read_to_string(program.home().join("regsweep.prom")).unwrap();
        let sum = |name: &str, kind: &str| -> u64 {
            let kind = format!("kind=\"{kind}\"");
            let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(&kind));
            lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
        };
        for kind in ["list", "get", "head", "put", "delete"] {
            let sent = sum("regsweep_requests_total", kind);
            assert_eq!(sum("regsweep_request_outcomes_total", kind), sent, "{typed:?} {kind}");
            let taken = sum("regsweep_request_duration_seconds_count", kind);
            assert_eq!(taken, sent, "{typed:?} {kind}");
            kinds.extend((sent > 0).then_some(kind));
        }
    }
    assert_eq!(kinds, BTreeSet::from(["list", "get", "put", "delete"]));
}

#[test]
fn a_run_that_fails_says_so_and_keeps_the_last_success() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    program.done(&GC);
    let success = of_gc(&program, "last_success_timestamp_seconds").unwrap();
    let first = of_gc(&program, "last_run_timestamp_seconds").unwrap();
    assert_eq!(success, first);
    server.set_faults(Faults::none().on(
        Kind::List,
        When::Always,
        Fault::Refuse(S3Error::ACCESS_DENIED),
    ));
    program.run(&GC).with_code(5);
    assert_eq!(of_gc(&program, "last_run_exit_code").unwrap(), "5");
    assert_eq!(of_gc(&program, "last_success_timestamp_seconds").unwrap(), success);
    assert_ne!(of_gc(&program, "last_run_timestamp_seconds").unwrap(), first);
    let refused =
        "regsweep_request_outcomes_total{command=\"gc\",kind=\"list\",outcome=\"refused\"}";
    assert_eq!(value(&program, refused).as_deref(), Some("1"));
    // Not even a location that means nothing leaves the file as it was.
    let nowhere = ["gc", "s3://", "--offline", "--metrics-file", "regsweep.prom"];
    program.run(&nowhere).with_code(2);
    assert_eq!(of_gc(&program, "last_run_exit_code").unwrap(), "2");
    assert_eq!(of_gc(&program, "last_success_timestamp_seconds").unwrap(), success);
}

#[test]
fn a_run_that_was_stopped_says_so_and_one_that_was_killed_is_told_by_its_beginning() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    program.done(&GC);
    let success = of_gc(&program, "last_success_timestamp_seconds").unwrap();
    let seconds = |name: &str| of_gc(&program, name).unwrap().parse::<f64>().unwrap();
    server.set_faults(Faults::none().latency(Duration::from_millis(200)));
    for (signal, code) in [("INT", Some("130")), ("KILL", None)] {
        let (asked, before) = (server.count(Kind::List), of_gc(&program, "last_run_exit_code"));
        let run = program.start(&GC);
        wait_until("a listing", || server.count(Kind::List) > asked);
        run.signal(signal);
        run.end();
        assert_eq!(of_gc(&program, "last_run_exit_code").as_deref(), code.or(before.as_deref()));
        assert_eq!(of_gc(&program, "last_success_timestamp_seconds").as_ref(), Some(&success));
        let has_ended =
            seconds("last_run_timestamp_seconds") >= seconds("run_start_timestamp_seconds");
        assert_eq!(has_ended, code.is_some(), "{signal}");
    }
}

#[test]
fn the_oldest_garbage_is_told_until_it_is_deleted() {
    let program = Program::new();
    directory(program.home(), &small(now(), ""));
    let file = ["--metrics-file", "regsweep.prom"];
    let oldest = |command: &str| {
        let series = format!("regsweep_oldest_garbage_timestamp_seconds{{command=\"{command}\"}}");
        value(&program, &series)
    };
    program.done(&[&["plan", "registry", "--out", "plan"][..], &file].concat());
    let rows = program.done(&["show", "plan", "--format", "csv"]).stdout;
    assert!(rows.lines().count() > 1);
    let told: f64 = oldest("plan").unwrap().parse().unwrap();
    assert!(told > 0.0 && told < now().as_millis() as f64 / 1000.0, "{told}");
    program.done(&[&["gc", "registry", "--dry-run"][..], &file].concat());
    assert_eq!(oldest("gc-dry-run").unwrap().parse(), Ok(told));
    program.done(&[&["apply", "plan", "--offline"][..], &file].concat());
    assert_eq!(oldest("apply"), None);
}

#[test]
fn what_could_not_be_deleted_is_the_oldest_garbage() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let fails = Fault::FailKeys(Which::Containing("/blobs/".into()), S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, fails));
    program.run(&GC).with_code(3);
    assert!(of_gc(&program, "oldest_garbage_timestamp_seconds").is_some());
    assert_ne!(of_gc(&program, "failed_objects_total").as_deref(), Some("0"));
    server.set_faults(Faults::none());
    program.done(&GC);
    assert_eq!(of_gc(&program, "oldest_garbage_timestamp_seconds"), None);
}

#[test]
fn a_file_that_cannot_be_written_is_one_warning_and_no_more() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let done = program.done(&["gc", "s3://registry", "--offline", "--metrics-file", "no/a.prom"]);
    let warnings = done.stderr.matches("warning: the metrics cannot be written to no/a.prom");
    assert_eq!(warnings.count(), 1, "{}", done.stderr);
    assert!(done.stdout.contains("swept"), "{}", done.stdout);
}

#[test]
fn every_command_that_reads_a_registry_can_be_watched() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let file = ["--metrics-file", "regsweep.prom", "--metrics-label", "registry=a \"b\""];
    for (typed, command) in [
        (&["usage", "s3://registry"][..], "usage"),
        (&["check", "s3://registry"], "check"),
        (
            &["gc", "s3://registry", "--online", "--without-undo", "--registry-cache", "none"],
            "gc-online",
        ),
        (&["undo", "s3://registry", "--generation", "latest", "--dry-run"], "undo-dry-run"),
    ] {
        let outcome = program.run(&[typed, &file].concat());
        let series = format!(
            "regsweep_last_run_exit_code{{command=\"{command}\",registry=\"a \\\"b\\\"\"}}"
        );
        let code = outcome.code.unwrap().to_string();
        assert_eq!(value(&program, &series), Some(code), "{typed:?}: {outcome:?}");
    }
    for wrong in ["registry", "le=1", "a-b=1"] {
        let typed = ["gc", "s3://registry", "--offline", "--metrics-label", wrong];
        let wrong = program.run(&typed).with_code(2);
        assert!(wrong.stderr.contains("'--metrics-label <NAME=VALUE>'"), "{}", wrong.stderr);
    }
}

/// A port that was free a moment ago.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn scraped(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn a_run_can_be_scraped_as_long_as_it_goes_on() {
    let server = bucket(&small(T, ""));
    server.set_faults(Faults::none().latency(Duration::from_millis(50)));
    let program = Program::at(&server);
    let address = free();
    let typed = ["gc", "s3://registry", "--offline", "--metrics-listen", &address.to_string()];
    let run = program.start(&typed);
    let marking = "\nregsweep_phase{command=\"gc\",phase=\"marking\"} 1\n";
    wait_until("a scrape of the marking", || {
        scraped(address).is_some_and(|answer| answer.contains(marking))
    });
    let done = run.end().with_code(0);
    assert!(done.stderr.contains(&format!("metrics are at http://{address}/metrics\n")));
    assert_eq!(scraped(address), None, "it ends with the run");
}

#[test]
fn nothing_is_done_where_the_address_cannot_be_had() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let before = keys(&server);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let wrong = program.run(&[&GC[..], &["--metrics-listen", &address]].concat()).with_code(2);
    assert!(wrong.stderr.contains(&format!("cannot listen at {address}")), "{}", wrong.stderr);
    assert!(!program.home().join("regsweep.prom").exists());
    assert_eq!((keys(&server), server.count(Kind::List)), (before, 0));
    program.run(&[&GC[..], &["--metrics-listen", "localhost"]].concat()).with_code(2);
}
