//! Progress: a bar on a terminal, lines elsewhere, none where nobody wants any.

use std::time::Duration;

use simstore::Faults;

use crate::program::Program;
use crate::registries::{T, bucket, directory, now, small};
use crate::streams::on_a_terminal;

const GC: [&str; 3] = ["gc", "s3://registry", "--offline"];

#[test]
fn every_phase_ends_with_a_line() {
    let server = bucket(&small(T, ""));
    let done = Program::at(&server).done(&GC);
    let phases: Vec<&str> =
        done.stderr.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(
        phases,
        ["marking", "comparing", "sweeping links", "sweeping blobs"],
        "{}",
        done.stderr
    );
    assert!(done.stderr.lines().all(|line| line.contains(" LIST")), "{}", done.stderr);
    assert!(done.stderr.lines().last().unwrap().contains(" DELETE"), "{}", done.stderr);
}

#[test]
fn a_phase_that_takes_long_says_how_fast_it_goes() {
    let server = bucket(&small(T, ""));
    server.set_faults(Faults::none().latency(Duration::from_millis(100)));
    let done = Program::at(&server).done(&[&GC[..], &["--progress-every", "20ms"]].concat());
    let under_way = |line: &&str| line.starts_with("marking: ") && line.contains(" keys/s; ");
    assert!(done.stderr.lines().any(|line| under_way(&line)), "{}", done.stderr);
}

#[test]
fn of_directories_folders_and_files_are_told_and_no_requests() {
    let program = Program::new();
    directory(program.home(), &small(now(), ""));
    let done = program.done(&["gc", "registry", "--offline"]);
    assert!(done.stderr.contains(" folders opened, "), "{}", done.stderr);
    assert!(!done.stderr.contains("LIST") && !done.stderr.contains("GET"), "{}", done.stderr);
}

#[test]
fn a_bar_comes_and_goes() {
    let server = bucket(&small(T, ""));
    server.set_faults(Faults::none().latency(Duration::from_millis(150)));
    let program = Program::at(&server);
    let shown = on_a_terminal(&program, "gc s3://registry --offline");
    let (bar, table) = shown.split_once("swept ").unwrap();
    assert!(bar.contains("marking: ") && bar.contains('\r'), "{shown:?}");
    assert!(bar.contains("keys/s"), "{shown:?}");
    let erased = bar.rfind("\x1b[2K").unwrap();
    assert!(!bar[erased..].contains("keys/s"), "the bar is gone before the data comes: {shown:?}");
    assert!(!table.contains("\x1b[2K"), "{shown:?}");
}

#[test]
fn nobody_is_shown_what_he_does_not_want() {
    for typed in [&["-q"][..], &["--progress", "none"], &["--json"]] {
        let server = bucket(&small(T, ""));
        let done = Program::at(&server).done(&[&GC[..], typed].concat());
        assert_eq!(done.stderr, "", "{typed:?}");
    }
    let server = bucket(&small(T, ""));
    let both = Program::at(&server).done(&[&GC[..], &["--json", "--progress", "lines"]].concat());
    assert!(both.stderr.starts_with("marking: "), "{}", both.stderr);
}
