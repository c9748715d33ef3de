//! Locations and `config.yml` files that are wrong, odd, or fine.

use std::fs;

use crate::program::{Outcome, Program};
use crate::registries::{directory, files_config, now, small};

#[track_caller]
fn gc(config: &str) -> Outcome {
    let program = Program::new();
    fs::write(program.home().join("config.yml"), config).unwrap();
    program.run(&["gc", "config.yml", "--offline"])
}

/// What was said after the line that names the file.
#[track_caller]
fn assert_wrong(outcome: &Outcome, cause: &str) {
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert!(
        lines[0].starts_with("regsweep: cannot use /") && lines[0].ends_with("/config.yml"),
        "{outcome:?}"
    );
    assert_eq!(lines[1], format!("  {cause}"));
}

#[test]
fn a_location_that_is_not_there_is_told_as_it_was_typed() {
    let program = Program::new();
    for (typed, problem) in [
        ("nowhere", "No such file or directory"),
        ("s3://", "it names no bucket"),
        ("http://registry.example", "No such file or directory"),
    ] {
        let wrong = program.run(&["gc", typed, "--offline"]).with_code(2);
        let what = format!("regsweep: cannot use location `{typed}`: {problem}\n");
        assert!(wrong.stderr.starts_with(&what), "{wrong:?}");
        assert!(
            wrong
                .stderr
                .contains("hint: a location is a registry's config.yml, a directory, or s3://")
        );
    }
}

#[test]
fn a_configuration_is_wrong_at_a_line_and_column_or_a_field() {
    assert_wrong(
        &gc("version: 0.1\nstorage:\n  filesystem: {rootdirectory: /data\nlog:\n"),
        "configuration: line 4, column 4: while parsing a flow mapping, did not find expected ',' or '}'",
    );
    assert_wrong(
        &gc("storage:\n  filesystem:\n"),
        "version: must be 0.1, the version of both 2.8 and 3, and is missing",
    );
    assert_wrong(&gc("version: 0.1\n"), "storage: no storage driver is configured");
    assert_wrong(
        &gc("version: 0.1\nstorage:\n  s3:\n    region: us-east-1\n"),
        "storage.s3.bucket: is missing",
    );
    assert_wrong(
        &gc("version: 0.1\nstorage:\n  gcs:\n    bucket: b\n"),
        "storage.gcs: the gcs driver is not supported; supported are s3 and filesystem",
    );
}

#[test]
fn a_directory_that_the_configuration_names_must_be_there() {
    let missing = gc("version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /no/such/data\n");
    assert_eq!(missing.code, Some(5), "{missing:?}");
    assert!(missing.stderr.starts_with("regsweep: cannot use /no/such/data\n"), "{missing:?}");
    assert!(
        missing.stderr.contains("hint: check the directory; config.yml calls it rootdirectory")
    );
}

#[test]
fn the_environment_overrides_the_file_as_it_does_for_the_registry() {
    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    files_config(program.home(), "/no/such/data".as_ref(), "");
    let name = "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY";
    let program = program.with(name, root.to_str().unwrap());
    let done = program.done(&["plan", "config.yml", "--out", "plan", "--json"]);
    assert!(done.summary()["blobs"]["count"].as_u64().unwrap() > 0);
}

#[test]
fn what_is_odd_about_a_configuration_is_told_by_every_command_that_reads_it() {
    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    let odd = "  cache:\n    blobdescriptor: memcached\n  maintenance:\n    readonly: true\n";
    files_config(program.home(), &root, odd);
    let config = root.with_file_name("config.yml");
    let config = config.to_str().unwrap();
    let cache = format!(
        "regsweep: warning: {config}: storage.cache: is neither inmemory nor redis; the registry caches nothing\n"
    );
    for typed in [
        &["plan", config, "--out", "plan"][..],
        &["apply", "plan", "--offline"],
        &["gc", config, "--offline"],
        &["garbage-collect", config],
    ] {
        let done = program.done(typed);
        assert!(done.stderr.contains(&cache), "{typed:?}: {}", done.stderr);
        assert_eq!(done.stderr.matches(": warning: ").count(), 2, "{typed:?}: {}", done.stderr);
        assert!(!done.stdout.contains("warning"), "{typed:?}");
    }
    let object = program.run(&["gc", config, "--json"]).with_code(4);
    let warning: serde_json::Value =
        serde_json::from_str(object.stderr.lines().next().unwrap()).unwrap();
    assert_eq!(warning["type"], "warning");
    assert_eq!(object.failure()["name"], "unsafe", "an odd readonly is no readonly");
}

#[test]
fn an_environment_that_is_not_unicode_is_no_failure() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    let mut command = program.command(&["plan", root.to_str().unwrap(), "--out", "plan"]);
    command.env("ODD", OsStr::from_bytes(b"\xff"));
    crate::program::Run::start(command).end().with_code(0);
}
