//! Every command that the README and the book tell is run, as it stands, on a registry where it makes sense.

use std::fs;
use std::path::Path;

use registry::Digest;
use simstore::{Options, Server};
use world::{Content, World};

use crate::book::{between, pages};
use crate::program::Program;
use crate::registries::{READ_ONLY, bucket_config, bucket_with, days, image, now, small};

/// Keeps what is meant to be a digest in an example.
const SOME_DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// The rest of a configuration, without a cache of blobs.
const NO_CACHE: &str = "http:\n  addr: 127.0.0.1:5000\n";
const POLICY: &str =
    "version: 1\nrules:\n- {name: old, repositories: '**', tags: '*', expire: {older-than: 90d}}\n";

/// The lines of all shell blocks that call the program, each with its page.
fn commands() -> Vec<(String, String)> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let mut all = pages();
    all.push((readme.clone(), fs::read_to_string(readme).unwrap()));
    // Its commands are run in their order against a real registry: tests/real/book.rs.
    all.retain(|(page, _)| !page.ends_with("tutorial.md"));
    let lines = all.iter().flat_map(|(page, text)| {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        let lines = between(text, "```sh\n", "```").flat_map(str::lines);
        lines
            .filter(|line| line.starts_with("regsweep "))
            .map(move |line| (name.clone(), line.to_owned()))
    });
    lines.collect()
}

/// A registry of some days ago in the bucket that `line` names.
fn registry(line: &str) -> (Server, World, Digest) {
    let (bucket, root) =
        if line.contains("s3://bucket/prefix") { ("bucket", "prefix") } else { ("registry", "") };
    let mut world = small(now().before(days(10)), root);
    let digest = world.push_image("team/app", &image(7), Some("v1"));
    if line.contains("repairs") {
        let broken = world.keys().layer("team/app", &Content::new(701, 64).digest());
        assert!(world.damage(&broken, b""));
    }
    let options = Options { bucket: bucket.to_owned(), versioned: true, ..Options::default() };
    let server = bucket_with(&world, options);
    server.set_now(None);
    (server, world, digest)
}

/// The words of a line as a shell would pass them on: no comment, and paths below the home.
fn words(line: &str, digest: &Digest) -> Vec<String> {
    let line = line.split(" # ").next().unwrap();
    let line = line.replace("/var/lib/prometheus/node-exporter/", "");
    let line = line.replace(SOME_DIGEST, "sha256:…").replace("sha256:…", &digest.to_string());
    line.split_whitespace().skip(1).map(str::to_owned).collect()
}

/// What a command needs that goes before it.
fn prepare(program: &Program, words: &[&str]) {
    let is_there = |folder: &str| program.home().join(folder).exists();
    let needs = |folder| words.contains(&folder) && words[0] != "plan" && !is_there(folder);
    if needs("plan") {
        program.done(&["plan", "config.yml", "--out", "plan"]);
        if words[0] == "undo" {
            program.done(&["apply", "plan", "--offline"]);
        }
    }
    if needs("repairs") && words[0] != "check" {
        program.run(&["check", "config.yml", "--repair", "repairs"]).with_code(6);
    }
    if words.contains(&"--generation") {
        program.done(&["gc", "config.yml", "--online"]);
    }
}

fn home(server: &Server, world: &World) -> Program {
    let program = Program::at(server).with("AWS_REGION", "us-east-1");
    bucket_config(program.home(), server, &format!("{READ_ONLY}{NO_CACHE}"));
    let blobs = world.objects().keys().filter(|key| key.contains("/blobs/sha256/"));
    let hex = |key: &String| key.rsplit('/').nth(1).map(|hex| format!("sha256:{hex}\n"));
    let blobs: Vec<String> = blobs.filter_map(hex).collect();
    let list = format!(
        "{}# end: {} digests at {}\n",
        blobs.concat(),
        blobs.len(),
        now().as_millis() / 1000
    );
    fs::write(program.home().join("known.txt"), list).unwrap();
    fs::write(program.home().join("retention.yml"), POLICY).unwrap();
    program
}

/// How it ends: a check of what is broken says so.
fn code_of(words: &[&str]) -> i32 {
    if words[0] == "check" && words.contains(&"repairs") { 6 } else { 0 }
}

#[test]
fn every_command_that_is_told_runs() {
    let commands = commands();
    assert!(commands.len() > 50, "{}", commands.len());
    let mut wrong = Vec::new();
    for (page, line) in &commands {
        let (server, world, digest) = registry(line);
        let program = home(&server, &world);
        let words = words(line, &digest);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        prepare(&program, &words);
        let outcome = program.run(&words);
        if outcome.code != Some(code_of(&words)) {
            wrong.push(format!("{page}: {line}\n{outcome:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
