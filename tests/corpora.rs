//! Every file of the fuzz corpora, without a fuzzer: a name that begins with `valid-` must be accepted, one that begins
//! with `broken-` must be refused, and no law may break on the way.

#![expect(clippy::expect_used, reason = "a test")]

use std::fs;
use std::path::Path;

#[path = "../fuzz/entry.rs"]
#[expect(unreachable_pub, reason = "the library of the fuzz package, too")]
mod entry;

fn run(target: &str, accepts: fn(&[u8]) -> bool) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files = 0;
    for file in fs::read_dir(&corpus).expect("the corpus is committed") {
        let path = file.expect("a folder that can be read").path();
        let data = fs::read(&path).expect("a file that can be read");
        let name = path.file_name().expect("an entry has a name").to_string_lossy();
        let is_valid = name.starts_with("valid-");
        assert!(is_valid || name.starts_with("broken-"), "{name} says neither valid nor broken");
        assert_eq!(accepts(&data), is_valid, "{target}/{name}");
        files += 1;
    }
    assert!(files >= 8, "the corpus of {target} has only {files} files");
}

#[test]
fn manifests() {
    run("manifest", entry::manifest);
}

#[test]
fn keys() {
    run("key", entry::key);
}

#[test]
fn links() {
    run("link", entry::link);
}

#[test]
fn configurations() {
    run("configuration", entry::configuration);
}

#[test]
fn policies() {
    run("policy", entry::policy);
}

#[test]
fn plans() {
    run("plan", entry::plan);
}

#[test]
fn segments() {
    run("segment", entry::segment);
}

#[test]
fn journals() {
    run("journal", entry::journal);
}
