//! What the book tells people to type, typed as it stands.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files::populated;
use crate::registry::{Config, free_port};
use crate::regsweep::run;

const PROGRAM: &str = env!("CARGO_BIN_EXE_regsweep");

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All that a page tells to type, as a script that ends at the first failure, and ends what it started.
fn typed(page: &str) -> String {
    let text = fs::read_to_string(project().join("book/src").join(page)).unwrap();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let begin = "set -euo pipefail\ntrap '[[ -z ${registry:-} ]] || kill $registry 2>/dev/null || true' EXIT\n";
    begin.to_owned() + &blocks.collect::<String>()
}

fn in_home(command: &mut Command, home: &Path) {
    let programs = Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    command.current_dir(home).env("PATH", path).env("HOME", home).env_remove("AWS_CA_BUNDLE");
    for name in ["REGSWEEP_STATE", "REGSWEEP_MANIFEST_CACHE", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
        command.env_remove(name);
    }
}

#[test]
fn the_tutorial_does_what_it_says() {
    let home = tempfile::tempdir().unwrap();
    let script = typed("tutorial.md");
    assert!(script.contains("127.0.0.1:5000"));
    let script = script.replace("127.0.0.1:5000", &format!("127.0.0.1:{}", free_port()));
    let mut command = Command::new("timeout");
    command.args(["60", "bash", "-c", &script]);
    in_home(&mut command, home.path());
    let said = String::from_utf8(run(&mut command).stdout).unwrap();
    for words in ["1 repositories, 3 manifests", "no damage", "restored                      7"] {
        assert!(said.contains(words), "{words} is not in {said}");
    }
}

#[test]
fn what_only_the_reference_would_delete_is_explained() {
    let (_, tree) = populated();
    let config = Config::files(tree.path());
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(project().join("scripts/compare"));
    in_home(
        command.arg("--delete-untagged").arg(config.path()).env("REGSWEEP", PROGRAM),
        home.path(),
    );
    let said = String::from_utf8(run(&mut command).stdout).unwrap();
    for words in ["blobs that only docker-registry would delete", "stays: 1 repository keeps it"] {
        assert!(said.contains(words), "{words} is not in {said}");
    }
    assert!(!said.contains("blobs that only regsweep would delete"), "{said}");
}
