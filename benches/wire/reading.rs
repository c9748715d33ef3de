//! What a page of a listing and a manifest cost the client, by our own requests and by the SDK's.
//!
//! Processor time and not wall time, user and system together, of the one thread that asks.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::EncodingType;
use monitor::Monitor;
use registry::{Digest, Manifest, Timestamp};
use simstore::{Options, registry_objects};
use store::{Cursor as _, ReadStore as _, S3Store};
use tokio::task::LocalSet;

use super::bucket::{self, Bucket};
use super::sdk::client;

const OBJECTS: usize = 20_000;
const BLOBS: &str = "docker/registry/v2/blobs/sha256/";
const MANIFEST: &str = "manifest";
const ROUNDS: usize = 401;

pub(crate) fn measure() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure_all(&Bucket::start("reading")));
}

pub(crate) fn serve() {
    bucket::serve(Options::default(), |server| {
        let modified = Timestamp::from_seconds(1_787_000_000);
        for (key, content) in registry_objects(OBJECTS) {
            server.put(&key, content, modified);
        }
        server.put(MANIFEST, manifest().into_bytes(), modified);
    });
}

/// An image of ten layers, about 2 kB.
fn manifest() -> String {
    let descriptor = |kind: &str, n: u32| {
        let digest = Digest::sha256(&n.to_be_bytes());
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.{kind}","size":{},"digest":"{digest}"}}"#,
            30_000_000 + n
        )
    };
    let mut text = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":["#,
        descriptor("config.v1+json", 0)
    );
    for n in 1..=10 {
        let separator = if n > 1 { "," } else { "" };
        write!(text, "{separator}{}", descriptor("layer.v1.tar+gzip", n)).unwrap();
    }
    text + "]}"
}

async fn measure_all(bucket: &Bucket) {
    let (ours, sdk) = (bucket.open(&Arc::new(Monitor::new())).await, client(&bucket.endpoint));
    report("LIST, SDK ", 1, || by_the_sdk(sdk.clone(), 1)).await;
    report("LIST, ours", 1, || by_us(ours.clone(), 1)).await;
    report("GET, SDK  ", 8, || manifest_by_the_sdk(sdk.clone(), 5)).await;
    report("GET, ours ", 8, || manifest_by_us(ours.clone(), 5)).await;
}

/// Has so many tasks send requests at a time and prints what one request cost. The least of the rounds is what it costs
/// where nothing else uses the machine. Pages are asked for one after the other, as the server works harder on them
/// than the client.
async fn report<F>(name: &str, at_a_time: usize, ask: impl Fn() -> F)
where
    F: Future<Output = usize> + 'static,
{
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let before = processor_time();
        let tasks = LocalSet::new();
        let asking: Vec<_> = (0..at_a_time).map(|_| tasks.spawn_local(ask())).collect();
        tasks.await;
        let mut sent = 0;
        for asked in asking {
            sent += asked.await.unwrap();
        }
        let used = processor_time().checked_sub(before).unwrap();
        rounds.push(used.as_nanos() as f64 / sent as f64 / 1000.0);
    }
    rounds.sort_unstable_by(f64::total_cmp);
    let (least, median) = (rounds[0], rounds[ROUNDS / 2]);
    println!("{name}  least {least:7.1} us, median {median:7.1} us");
}

/// What this thread has used so far; the main thread is the only one that works.
fn processor_time() -> Duration {
    // The kernel brings the account up to date only when it looks at the thread.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

async fn by_us(store: S3Store, times: usize) -> usize {
    for _ in 0..times {
        let page = store.list(BLOBS, "").next().await.unwrap().unwrap();
        assert_eq!(black_box(page).len(), 1000);
    }
    times
}

async fn by_the_sdk(client: Client, times: usize) -> usize {
    for _ in 0..times {
        let request = client.list_objects_v2().bucket("registry").prefix(BLOBS);
        let page = request.encoding_type(EncodingType::Url).send().await.unwrap();
        assert_eq!(black_box(page).contents().len(), 1000);
    }
    times
}

async fn manifest_by_us(store: S3Store, times: usize) -> usize {
    for _ in 0..times {
        understand(&store.get(MANIFEST, 4096).await.unwrap());
    }
    times
}

async fn manifest_by_the_sdk(client: Client, times: usize) -> usize {
    for _ in 0..times {
        let answer = client.get_object().bucket("registry").key(MANIFEST).send().await.unwrap();
        understand(&answer.body.collect().await.unwrap().into_bytes());
    }
    times
}

/// What a marker does with what it read.
fn understand(content: &[u8]) {
    black_box(Digest::sha256(content));
    assert_eq!(black_box(Manifest::parse(content)).unwrap().references().count(), 11);
}
