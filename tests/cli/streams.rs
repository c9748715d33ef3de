//! stdout is data, stderr is talk, and a reader may go away.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::program::{Program, Run};
use crate::registries::{T, bucket, small};

/// Runs a command on a pseudo-terminal of 100 columns; everything it writes comes back as one text.
pub(crate) fn on_a_terminal(program: &Program, arguments: &str) -> String {
    let mut script = Command::new("/usr/bin/script");
    let binary = env!("CARGO_BIN_EXE_regsweep");
    script.args([
        "-q",
        "-e",
        "-c",
        &format!("stty cols 100; exec {binary} {arguments}"),
        "/dev/null",
    ]);
    program.in_home(&mut script);
    script.env("TERM", "xterm").env("PATH", "/usr/bin:/bin");
    let outcome = Run::start(script).end().with_code(0);
    outcome.stdout + &outcome.stderr
}

#[test]
fn data_goes_to_stdout_and_talk_to_stderr() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let done = program.done(&["gc", "s3://registry", "--offline", "--progress", "lines"]);
    assert!(done.stdout.starts_with("swept "), "{}", done.stdout);
    assert!(done.stdout.ends_with('\n') && done.stderr.ends_with('\n'));
    assert!(done.stderr.starts_with("marking: "), "{}", done.stderr);
    let quiet = program.done(&["gc", "s3://registry", "--offline", "-q"]);
    assert_eq!(quiet.stderr, "");
    let refused = program.run(&["gc", "s3://registry"]).with_code(4);
    assert_eq!(refused.stdout, "");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    program.done(&["plan", "s3://registry", "--untagged", "--out", "plan"]);
    for typed in [
        &["show", "plan", "--format", "csv"][..],
        &["show", "plan"],
        &["show", "plan", "--json"],
        &["usage", "s3://registry", "--tags", "--json"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = program.command(typed);
        let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{typed:?}");
        assert_eq!(output.stderr, b"", "{typed:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_a_failure() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    program.done(&["plan", "s3://registry", "--untagged", "--out", "plan"]);
    for typed in [
        &["show", "plan"][..],
        &["show", "plan", "--format", "csv"],
        &["show", "plan", "--json"],
        &["usage", "s3://registry", "--tags", "--json", "-q"],
    ] {
        let mut command = program.command(typed);
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        let output = command.stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let says = |words| said.contains(words);
        assert!(says("cannot write to standard output") && says("No space left"), "{said}");
    }
}

#[test]
fn colours_are_for_terminals_without_no_color() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    program.done(&["plan", "s3://registry", "--untagged", "--out", "plan"]);
    assert!(!program.done(&["show", "plan"]).stdout.contains('\x1b'));
    assert!(on_a_terminal(&program, "show plan").contains("\x1b[1m"));
    let plain = program.with("NO_COLOR", "1");
    assert!(!on_a_terminal(&plain, "show plan").contains("\x1b["));
}
