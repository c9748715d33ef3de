//! Help, and words that are no command.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::expected::assert_expected;
use crate::program::Program;

pub(crate) const COMMANDS: [&str; 15] = [
    "plan",
    "show",
    "policy",
    "apply",
    "gc",
    "undo",
    "usage",
    "explain",
    "check",
    "garbage-collect",
    "demo",
    "doctor",
    "iam",
    "completions",
    "man",
];

#[test]
fn the_short_help_of_every_command_fits_a_screen() {
    let program = Program::new();
    for command in COMMANDS {
        let help = program.done(&[command, "-h"]).stdout;
        assert!(help.lines().count() <= 40, "{command} has {} lines", help.lines().count());
        assert!(help.lines().all(|line| line.len() <= 100), "{command}:\n{help}");
    }
    assert!(program.done(&["-h"]).stdout.lines().count() <= 40);
}

#[test]
fn help_says_what_it_should() {
    let program = Program::new();
    for command in COMMANDS {
        let help = program.done(&[command, "-h"]).stdout;
        assert_expected(&format!("help-{command}.txt"), &help);
        let long = program.done(&[command, "--help"]).stdout;
        assert_expected(&format!("help-long-{command}.txt"), &long);
    }
    assert_expected("help.txt", &program.done(&["-h"]).stdout);
}

#[test]
fn help_goes_to_stdout_and_complaints_to_stderr() {
    let program = Program::new();
    assert_eq!(program.done(&["--help"]).stderr, "");
    assert!(program.done(&["--version"]).stdout.starts_with("regsweep "));
    for typed in [&["gc", "here", "--ofline"][..], &["colect"], &["plan", "here"], &[]] {
        let wrong = program.run(typed).with_code(2);
        assert_eq!(wrong.stdout, "", "{typed:?}");
        assert!(wrong.stderr.contains("Usage: "), "{typed:?}: {}", wrong.stderr);
    }
}

#[test]
fn a_value_that_cannot_be_is_told_with_its_option() {
    let program = Program::new();
    for (typed, said) in [
        (&["--grace", "24"][..], "'--grace <DURATION>': time unit needed"),
        (&["--max-delete-share", "101"], "'--max-delete-share <PERCENT>': 101 is not in 0..=100"),
        (&["--accept", "all"], "\"all\" is none of stale-links, young-orphans"),
        (&["--max-in-flight", "0"], "'--max-in-flight <N>': 0 is not in 1..=65535"),
        (&["--log", "loud"], "`loud` is none of error, warn, info"),
        (&["--offline", "--max-deletes-per-second", "0"], "0 is not in 1.."),
        (&["--offline", "--share", "0"], "'--share <PERCENT>': 0 is not in 1..=100"),
    ] {
        let typed: Vec<&str> = ["gc", "here"].iter().chain(typed).copied().collect();
        let wrong = program.run(&typed).with_code(2);
        assert!(wrong.stderr.contains(said), "{typed:?}: {}", wrong.stderr);
    }
}

#[test]
fn machines_are_told_of_wrong_words_by_an_object() {
    let wrong = Program::new().run(&["gc", "here", "--ofline", "--json"]).with_code(2);
    assert_eq!(wrong.stderr.lines().count(), 1);
    let failure = wrong.failure();
    assert_eq!(failure["type"], "failure");
    assert_eq!((failure["code"].as_u64(), failure["name"].as_str()), (Some(2), Some("usage")));
    assert_eq!(failure["message"], "unexpected argument '--ofline' found");
}

#[test]
fn the_drop_in_ends_with_1_where_the_others_end_with_2() {
    let program = Program::new();
    let wrong = program.run(&["garbage-collect", "--delete-everything", "config.yml"]).with_code(1);
    assert!(wrong.stderr.contains("unexpected argument '--delete-everything'"));
    program.done(&["garbage-collect", "--help"]);
}

#[test]
fn every_command_in_the_readme_is_one_and_every_command_is_in_the_readme() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(path).unwrap();
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let typed = blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("regsweep "));
    let named: BTreeSet<&str> = typed.filter_map(|line| line.split_whitespace().next()).collect();
    let is_prose = ["completions", "man"];
    let all: BTreeSet<&str> =
        COMMANDS.into_iter().filter(|name| !is_prose.contains(name)).collect();
    assert_eq!(named, all);
}
