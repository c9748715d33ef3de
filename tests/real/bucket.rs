//! A registry on a real S3 server: collected, killed in the middle, resumed, and its requests counted.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::files::blob_digest;
use crate::harness::{assert_done, assert_pulls, assert_same};
use crate::images::Blob;
use crate::population::Population;
use crate::registry::{self, Config, Registry};
use crate::regsweep::{self, gc, run, summary};
use crate::s3::Bucket;

/// Blobs that no repository knows: more than two batches.
const ORPHANS: u64 = 2400;
/// Deletes per second where a sweep is to be caught in the middle: the first batch goes at once, the second 5 s later.
const SLOW: &str = "200";
const PATIENCE: Duration = Duration::from_mins(2);

#[test]
fn what_remains_is_what_the_reference_leaves() {
    let (population, reference) = populated("theirs");
    let (_, ours) = populated("ours");
    assert_done(&registry::garbage_collect(&Config::bucket(&reference), &[]));
    assert_done(&regsweep::garbage_collect(&Config::bucket(&ours), &[]));
    assert_same(&blobs(&ours), &blobs(&reference));
    assert_same(&blobs(&ours), &population.linked());
    assert_pulls(&Config::bucket(&ours), &population.pullable());
}

#[test]
fn images_of_a_tagged_index_stay() {
    let (population, bucket) = populated("untagged");
    assert_done(&regsweep::garbage_collect(&Config::bucket(&bucket), &["-m"]));
    assert_same(&blobs(&bucket), &population.reachable_from_tags());
    assert_pulls(&Config::bucket(&bucket), &population.alive());
}

#[test]
fn g11_a_sweep_killed_in_the_middle_ends_in_the_same_set_when_resumed() {
    let (population, bucket) = (Population::typical(), Bucket::create("killed"));
    let orphans = put_orphans(&bucket, ORPHANS);
    populate(&population, &bucket);
    let config = Config::bucket(&bucket);
    let left = || blobs(&bucket).intersection(&orphans).count();
    let command = || {
        let mut command = gc(&config);
        command.args(["--max-deletes-per-second", SLOW]);
        command
    };
    let sweep = command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    kill_when(sweep, || left() < orphans.len());
    assert!(left() > orphans.len() / 4, "the sweep was nearly over before it was killed");
    run(&mut command());
    assert_same(&blobs(&bucket), &population.linked());
    assert_pulls(&config, &population.pullable());
}

#[test]
fn data_is_compared_in_parts_to_its_last_byte() {
    let (bucket, mut data) = (Bucket::create("parts"), vec![7; (32 << 20) + 1]);
    let key = Blob::new(data.clone()).key();
    let check = || {
        let checked = regsweep::check(&Config::bucket(&bucket)).output().unwrap();
        (checked.status.code(), summary(&checked))
    };
    bucket.put_all(&[(key.clone(), data.clone())]);
    let (code, sound) = check();
    assert_eq!((code, number(&sound, "/verified/bytes")), (Some(0), data.len()));
    assert!(number(&sound, "/requests/get") >= 3, "{sound}");
    *data.last_mut().unwrap() ^= 1;
    bucket.put_all(&[(key.clone(), data)]);
    let (code, damaged) = check();
    assert_eq!((code, &damaged["findings"][0]["kind"]), (Some(6), &"wrong-content".into()));
}

#[test]
fn what_was_collected_from_a_versioned_bucket_is_taken_back_and_pulls_again() {
    let (population, bucket) = (Population::typical(), Bucket::create("undo"));
    bucket.keep_versions();
    put_orphans(&bucket, 1100);
    populate(&population, &bucket);
    let (config, before) = (Config::bucket(&bucket), bucket.contents("docker/"));
    let collected = summary(&run(gc(&config).arg("--untagged")));
    let after = bucket.objects("docker/").len();
    assert!(before.len() - after > 1100, "{collected}");
    assert_same(&blobs(&bucket), &population.reachable_from_tags());
    let undo = || summary(&run(&mut regsweep::undo(&config, collected["plan"].as_str().unwrap())));
    let undone = undo();
    assert_eq!(number(&undone, "/restored/count"), before.len() - after);
    assert!(bucket.contents("docker/") == before, "not byte for byte");
    assert_pulls(&config, &population.pullable());
    let again = undo();
    assert_eq!(number(&again, "/present/count"), before.len() - after);
}

#[test]
fn what_went_to_the_trash_of_a_bucket_is_taken_back_and_pulls_again() {
    let (population, bucket) = populated("trash");
    let (config, before) = (Config::bucket(&bucket), bucket.contents("docker/"));
    let collected = summary(&run(gc(&config).args(["--untagged", "--trash"])));
    assert_same(&blobs(&bucket), &population.reachable_from_tags());
    let gone = before.len() - bucket.objects("docker/").len();
    assert_eq!(bucket.objects("regsweep/trash/").len(), gone + 1, "{collected}");
    let undo = || summary(&run(&mut regsweep::undo(&config, collected["plan"].as_str().unwrap())));
    assert_eq!(number(&undo(), "/restored/count"), gone);
    assert!(bucket.contents("docker/") == before, "not byte for byte");
    assert_pulls(&config, &population.pullable());
    assert_eq!(number(&undo(), "/present/count"), gone);
}

#[test]
fn g10_the_summary_accounts_for_every_blob_and_byte() {
    let (population, bucket) = populated("account");
    let before = bucket.objects("docker/registry/v2/blobs/");
    let answer = summary(&run(&mut gc(&Config::bucket(&bucket))));
    let after = bucket.objects("docker/registry/v2/blobs/");
    let bytes: i64 = before.values().sum::<i64>() - after.values().sum::<i64>();
    assert_eq!(number(&answer, "/blobs/count"), before.len());
    assert_eq!(number(&answer, "/delete/blobs/count"), before.len() - after.len());
    assert_eq!(number(&answer, "/delete/blobs/bytes"), usize::try_from(bytes).unwrap());
    assert_same(&blobs(&bucket), &population.linked());
}

#[test]
fn a_run_asks_for_no_more_than_its_keys_and_manifests_need() {
    let (population, bucket) = populated("requests");
    let (keys, before) = (bucket.objects("").len(), bucket.requests_seen());
    let answer = summary(&run(&mut gc(&Config::bucket(&bucket))));
    let after = bucket.requests_seen();
    let seen = |kind: &str| after.get(kind).unwrap_or(&0) - before.get(kind).unwrap_or(&0);
    for kind in ["list", "get", "head", "put", "delete"] {
        assert_eq!(
            number(&answer, &format!("/requests/{kind}")),
            seen(kind),
            "{kind} of {before:?} to {after:?}: {answer}"
        );
    }
    let unique = population.unique_manifests();
    assert!((1..=keys / 1000 + SHARDS).contains(&seen("list")), "{answer}");
    assert!((unique..=unique + unique / 20 + FIXED).contains(&seen("get")), "{answer}");
    assert!((1..=FIXED).contains(&seen("delete")), "{answer}");
}

/// One LIST for each shard of the blobs, and some to find the way.
const SHARDS: usize = 256 + FIXED;
/// Requests that a run may make whatever the registry's size: clock, layout, probes, state.
const FIXED: usize = 16;

/// The digests of the blobs of the registry in a bucket.
pub(crate) fn blobs(bucket: &Bucket) -> BTreeSet<String> {
    let objects = bucket.objects("docker/registry/v2/blobs/");
    objects.keys().filter_map(|key| blob_digest(key)).collect()
}

fn populated(purpose: &str) -> (Population, Bucket) {
    let (population, bucket) = (Population::typical(), Bucket::create(purpose));
    populate(&population, &bucket);
    (population, bucket)
}

fn populate(population: &Population, bucket: &Bucket) {
    let registry = Registry::start(&Config::bucket(bucket));
    population.enact_fast(registry.client());
    bucket.let_the_second_pass();
}

fn put_orphans(bucket: &Bucket, count: u64) -> BTreeSet<String> {
    let orphans: Vec<Blob> = (10_000..10_000 + count).map(Blob::layer).collect();
    let objects: Vec<_> = orphans.iter().map(|blob| (blob.key(), blob.bytes.clone())).collect();
    bucket.put_all(&objects);
    orphans.into_iter().map(|blob| blob.digest).collect()
}

/// Kills a process, with no chance to tidy up, once something has happened.
#[track_caller]
fn kill_when(mut child: Child, happened: impl Fn() -> bool) {
    let started = Instant::now();
    while !happened() {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended with {ended:?} before it was killed");
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("nothing happened in {PATIENCE:?}");
        }
    }
    // SIGKILL on this system.
    child.kill().unwrap();
    child.wait().unwrap();
}

fn number(summary: &Value, pointer: &str) -> usize {
    let number = summary.pointer(pointer).and_then(Value::as_u64);
    usize::try_from(number.unwrap_or_else(|| panic!("no {pointer} in {summary}"))).unwrap()
}
