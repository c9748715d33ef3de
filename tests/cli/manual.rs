//! Completions and the manual: both say every command and every option, because both are made from the arguments.

use std::fs;
use std::process::Command;

use clap::CommandFactory as _;
use regsweep::Args;

use crate::program::{Outcome, Program, Run};

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

/// The program as clap knows it, complete.
fn definition() -> clap::Command {
    let mut program = Args::command().disable_help_subcommand(true);
    program.build();
    program
}

/// The long options of a command, as they are typed.
fn options(command: &clap::Command) -> Vec<String> {
    let names = command.get_arguments().filter_map(clap::Arg::get_long);
    names.map(|name| format!("--{name}")).collect()
}

/// Runs `script` by bash, with the program's completions loaded.
fn complete(program: &Program, script: &str) -> Outcome {
    let completions = program.done(&["completions", "bash"]).stdout;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &format!("{completions}\n{script}")]);
    program.in_home(&mut bash);
    Run::start(bash).end().with_code(0)
}

/// What bash offers after `words`, of which the last is being typed.
fn offered(program: &Program, words: &[&str]) -> Vec<String> {
    let [.., before, last] = words else { panic!("{words:?} are too few") };
    let (all, at) = (words.join("' '"), words.len() - 1);
    let script = format!(
        "COMP_WORDS=('{all}'); COMP_CWORD={at}; _regsweep regsweep '{last}' '{before}'; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    complete(program, &script).stdout.lines().map(str::to_owned).collect()
}

#[test]
fn every_shell_is_told_every_command_and_every_option() {
    let program = Program::new();
    for shell in SHELLS {
        let script = program.done(&["completions", shell]).stdout;
        for command in definition().get_subcommands() {
            let name = command.get_name();
            assert!(script.contains(name), "{shell} does not know {name}");
            for option in options(command) {
                // fish has the names of options without their dashes.
                let long = option.trim_start_matches('-');
                let is_there = script.contains(&option) || script.contains(&format!("-l {long}"));
                assert!(is_there, "{shell} does not know {option} of {name}");
            }
        }
    }
}

#[test]
fn bash_completes_commands_options_and_their_values() {
    let program = Program::new();
    let commands = offered(&program, &["regsweep", ""]);
    for command in definition().get_subcommands() {
        assert!(commands.contains(&command.get_name().to_owned()), "{commands:?}");
        let offered = offered(&program, &["regsweep", command.get_name(), "--"]);
        for option in options(command) {
            assert!(offered.contains(&option), "{}: {option} of {offered:?}", command.get_name());
        }
    }
    assert_eq!(offered(&program, &["regsweep", "show", "--format", "c"]), ["csv"]);
}

#[test]
fn bash_completes_what_no_command_or_option_begins_with_by_the_names_of_files() {
    let script = Program::new().done(&["completions", "bash"]).stdout;
    let last = script.lines().rev().find(|line| line.contains("complete -F _regsweep")).unwrap();
    assert!(last.contains("-o default"), "{last}");
}

#[test]
fn a_shell_that_is_not_known_is_named_with_those_that_are() {
    let wrong = Program::new().run(&["completions", "csh"]).with_code(2);
    assert!(wrong.stderr.contains("bash, elvish, fish, powershell, zsh"), "{}", wrong.stderr);
}

#[test]
fn the_manual_has_a_page_for_the_program_and_one_for_each_command() {
    let program = Program::new();
    program.done(&["man", "--out", "pages"]);
    let mut found: Vec<String> = fs::read_dir(program.home().join("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let commands = definition();
    let names =
        commands.get_subcommands().map(|command| format!("regsweep-{}.1", command.get_name()));
    let mut expected: Vec<String> = names.chain(["regsweep.1".to_owned()]).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_page_tells_every_option_and_what_it_does_also_what_short_help_leaves_out() {
    let program = Program::new();
    program.done(&["man", "--out", "pages"]);
    for command in definition().get_subcommands() {
        let file = format!("pages/regsweep-{}.1", command.get_name());
        let page = fs::read_to_string(program.home().join(&file)).unwrap().replace("\\-", "-");
        for argument in command.get_arguments() {
            let long = argument.get_long().map(|name| format!("--{name}"));
            assert!(long.is_none_or(|long| page.contains(&long)), "{file}: {argument}");
            let help =
                argument.get_long_help().or_else(|| argument.get_help()).unwrap().to_string();
            let first = help.lines().next().unwrap().replace('\'', "\\*(Aq");
            assert!(page.contains(&first), "{file}: {argument}: {first}");
        }
    }
}

#[test]
fn the_page_of_the_program_has_its_examples_and_exit_codes() {
    let program = Program::new();
    program.done(&["man", "--out", "pages"]);
    let page = fs::read_to_string(program.home().join("pages/regsweep.1")).unwrap();
    for heading in ["NAME", "SYNOPSIS", "OUTPUT", "EXAMPLES", "\"EXIT CODES\"", "\"SEE ALSO\""] {
        assert!(page.contains(&format!(".SH {heading}\n")), "{heading}: {page}");
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let program = Program::new();
    fs::write(program.home().join("file"), "").unwrap();
    let wrong = program.run(&["man", "--out", "file/pages"]).with_code(2);
    assert!(wrong.stderr.contains("cannot use file/pages"), "{}", wrong.stderr);
}
