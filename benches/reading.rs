//! What a page of a listing and a small object cost the client, by our own requests and by the SDK's:
//! `cargo bench -p regsweep-store --features s3 --bench reading`; a part of a name as an argument picks.
//!
//! Processor time and not wall time, user and system together, of the one thread that asks; a simulated server answers
//! from another process over the loopback.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::hint::black_box;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig};
use aws_sdk_s3::types::EncodingType;
use aws_sdk_s3::{Client, Config};
use monitor::Monitor;
use registry::{Digest, Timestamp};
use simstore::{Options, Server, registry_objects};
use store::{Cursor as _, ReadStore as _, S3Config, S3Store, StaticCredentials};
use tokio::task::LocalSet;

/// Tells the second process, which is this program again, to be the server.
const SERVE: &str = "READING_BENCH_SERVE";

const OBJECTS: usize = 20_000;
const BLOBS: &str = "docker/registry/v2/blobs/sha256/";
const SMALL: &str = "small";
const ROUNDS: usize = 401;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if std::env::var_os(SERVE).is_some() {
        return serve();
    }
    let mut server = Command::new(std::env::current_exe().unwrap())
        .env(SERVE, "")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let endpoint = endpoint(&mut server);
    runtime.block_on(measure(&endpoint));
    // The server ends with its input.
    drop(server.stdin.take());
    server.wait().unwrap();
}

fn serve() {
    let server = Server::start(Options::default()).unwrap();
    let modified = Timestamp::from_seconds(1_787_000_000);
    for (key, content) in registry_objects(OBJECTS) {
        server.put(&key, content, modified);
    }
    server.put(SMALL, vec![b'x'; 2000], modified);
    println!("{}", server.endpoint());
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn endpoint(server: &mut Child) -> String {
    let mut line = String::new();
    let output = server.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
    line.trim().to_owned()
}

async fn measure(endpoint: &str) {
    let (ours, sdk) = (store(endpoint).await, client(endpoint));
    report("LIST, SDK ", 1, || by_the_sdk(sdk.clone(), 1)).await;
    report("LIST, ours", 1, || by_us(ours.clone(), 1)).await;
    report("GET, SDK  ", 8, || object_by_the_sdk(sdk.clone(), 5)).await;
    report("GET, ours ", 8, || object_by_us(ours.clone(), 5)).await;
}

/// Has so many tasks send requests at a time and prints what one request cost. The least of the rounds is what it costs
/// where nothing else uses the machine. Pages are asked for one after the other, as the server works harder on them
/// than the client.
async fn report<F>(name: &str, at_a_time: usize, ask: impl Fn() -> F)
where
    F: Future<Output = usize> + 'static,
{
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    if wanted.is_some_and(|wanted| !name.contains(&wanted)) {
        return;
    }
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

async fn store(endpoint: &str) -> S3Store {
    let mut config = S3Config::new("registry");
    config.endpoint_url = Some(endpoint.into());
    config.path_style = true;
    config.credentials = Some(StaticCredentials {
        access_key: "access".into(),
        secret_key: "secret".into(),
        session_token: None,
    });
    S3Store::connect(config, &Arc::new(Monitor::new())).await.unwrap()
}

fn client(endpoint: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("access", "secret", None, None, "the bench"))
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .force_path_style(true);
    Client::from_conf(config.build())
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

async fn object_by_us(store: S3Store, times: usize) -> usize {
    for _ in 0..times {
        let content = store.get(SMALL, 4096).await.unwrap();
        black_box(Digest::sha256(&content));
    }
    times
}

async fn object_by_the_sdk(client: Client, times: usize) -> usize {
    for _ in 0..times {
        let answer = client.get_object().bucket("registry").key(SMALL).send().await.unwrap();
        let content = answer.body.collect().await.unwrap().into_bytes();
        black_box(Digest::sha256(&content));
    }
    times
}
