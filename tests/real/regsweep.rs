//! The program under test, run as people run it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::registry::Config;

/// The drop-in for the registry's own command.
pub(crate) fn garbage_collect(config: &Config, flags: &[&str]) -> Output {
    run(program(config).arg("garbage-collect").args(flags).arg(config.path()))
}

/// `gc` with nobody pushing and no grace, all breakers told to let a small registry's large changes through.
pub(crate) fn gc(config: &Config) -> Command {
    collect(config, &["--offline", "--grace", "0s"])
}

/// `gc` with `flags`, and with all breakers told to let a small registry's large changes through.
pub(crate) fn collect(config: &Config, flags: &[&str]) -> Command {
    let mut command = program(config);
    command.arg("gc").arg(config.path()).args(flags).args(["--json", "--max-delete-share", "100"]);
    for breaker in ["stale-links", "young-orphans", "untagged-share", "delete-share"] {
        command.args(["--accept", breaker]);
    }
    command
}

/// Takes back what the plan in `dir` deleted.
pub(crate) fn undo(config: &Config, dir: &str) -> Command {
    let mut command = program(config);
    command.args(["undo", dir, "--json"]);
    command
}

/// Says what is wrong, by all that can be read.
pub(crate) fn check(config: &Config) -> Command {
    let mut command = program(config);
    command.arg("check").arg(config.path()).args(["--json", "--verify-data", "--verify-links"]);
    command
}

/// Says who keeps how much.
pub(crate) fn usage(config: &Config) -> Command {
    let mut command = program(config);
    command.arg("usage").arg(config.path()).arg("--json");
    command
}

/// Carries out the plan in a folder, with nobody pushing.
pub(crate) fn apply(config: &Config, plan: &Path) -> Command {
    let mut command = program(config);
    command.arg("apply").arg(plan).args(["--offline", "--json"]);
    command
}

/// Runs a command to its end, which must be a good one.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ends with {}: {said}", output.status);
    output
}

/// The summary that `--json` prints.
pub(crate) fn summary(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error} in the summary {}", String::from_utf8_lossy(&output.stdout))
    })
}

fn program(config: &Config) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regsweep"));
    command.env_remove("AWS_CA_BUNDLE").env_remove("REGSWEEP_STATE");
    command.env_remove("REGSWEEP_MANIFEST_CACHE").env("XDG_CACHE_HOME", config.state());
    command.env("XDG_STATE_HOME", config.state());
    command
}
