//! Buckets of the S3 server that the environment names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use tokio::runtime::Runtime;

use crate::http;

/// Requests under way at once where many objects are put.
const AT_ONCE: usize = 16;
/// How long the server may take to write its log.
const PATIENCE: Duration = Duration::from_secs(30);

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Where the S3 server is, and the keys to it.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    pub(crate) endpoint: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    /// Where the server writes a line for each request.
    log: PathBuf,
}

impl Gateway {
    /// The one that the environment names.
    pub(crate) fn from_environment() -> Option<Gateway> {
        Gateway::read(|name| env::var(name).ok())
    }

    /// The one that the values of the variables lead to which `scripts/ceph` prints.
    pub(crate) fn read(value: impl Fn(&str) -> Option<String>) -> Option<Gateway> {
        let read = |name: &str| value(&format!("REGSWEEP_TEST_S3_{name}"));
        Some(Gateway {
            endpoint: read("ENDPOINT")?,
            access_key: read("ACCESS_KEY")?,
            secret_key: read("SECRET_KEY")?,
            log: read("LOG")?.into(),
        })
    }

    fn clock(&self) -> String {
        let (_, port) = self.endpoint.rsplit_once(':').unwrap();
        let answer = http::ask(port.parse().unwrap(), "GET", "/", &[], &[]).unwrap();
        answer.header("Date").unwrap().to_owned()
    }

    fn client(&self) -> Client {
        let keys = Credentials::new(&self.access_key, &self.secret_key, None, None, "test");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(&self.endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(keys)
            .force_path_style(true);
        Client::from_conf(config.build())
    }
}

/// A new bucket, with a runtime of its own so that tests stay plain functions.
#[derive(Debug)]
pub(crate) struct Bucket {
    runtime: Runtime,
    gateway: Gateway,
    client: Client,
    name: String,
}

impl Bucket {
    /// Makes a bucket whose name starts with `purpose`. It ends with the server.
    pub(crate) fn create(purpose: &str) -> Bucket {
        let gateway = Gateway::from_environment();
        Bucket::create_on(gateway.expect("scripts/test real says where the server is"), purpose)
    }

    /// The same on a server.
    pub(crate) fn create_on(gateway: Gateway, purpose: &str) -> Bucket {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{purpose}-{}-{count}", std::process::id());
        let runtime = Runtime::new().unwrap();
        let client = runtime.block_on(async { gateway.client() });
        runtime.block_on(client.create_bucket().bucket(&name).send()).unwrap();
        Bucket { runtime, gateway, client, name }
    }

    /// Keeps versions from now on.
    pub(crate) fn keep_versions(&self) {
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
        let request = self.client.put_bucket_versioning().bucket(&self.name);
        let request = request.versioning_configuration(enabled.build());
        self.runtime.block_on(request.send()).unwrap();
    }

    /// The content of every object below `prefix`.
    pub(crate) fn contents(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let read = |key: &String| {
            let get = self.client.get_object().bucket(&self.name).key(key);
            self.runtime.block_on(async {
                get.send().await.unwrap().body.collect().await.unwrap().to_vec()
            })
        };
        self.objects(prefix).keys().map(|key| (key.clone(), read(key))).collect()
    }

    /// The server this bucket is on.
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The name of this bucket.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Every key below `prefix` and the size of its object.
    pub(crate) fn objects(&self, prefix: &str) -> BTreeMap<String, i64> {
        let listing = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
        let mut pages = listing.into_paginator().send();
        let mut objects = BTreeMap::new();
        while let Some(page) = self.runtime.block_on(pages.next()) {
            for object in page.unwrap().contents() {
                objects.insert(object.key().unwrap().to_owned(), object.size().unwrap());
            }
        }
        objects
    }

    /// Puts objects, many at once, past the registry.
    pub(crate) fn put_all(&self, objects: &[(String, Vec<u8>)]) {
        for chunk in objects.chunks(AT_ONCE) {
            let put = |(key, bytes): &(String, Vec<u8>)| {
                let request = self.client.put_object().bucket(&self.name).key(key);
                self.runtime.spawn(request.body(bytes.clone().into()).send())
            };
            let under_way: Vec<_> = chunk.iter().map(put).collect();
            for request in under_way {
                self.runtime.block_on(request).unwrap().unwrap();
            }
        }
    }

    /// Begins an upload in parts past the registry, and puts one part; its id.
    pub(crate) fn begin_upload(&self, key: &str, part: Vec<u8>) -> String {
        let begin = self.client.create_multipart_upload().bucket(&self.name).key(key);
        let begun = self.runtime.block_on(begin.send()).unwrap();
        let id = begun.upload_id().unwrap();
        let put = self.client.upload_part().bucket(&self.name).key(key).upload_id(id);
        self.runtime.block_on(put.part_number(1).body(part.into()).send()).unwrap();
        id.to_owned()
    }

    /// The keys of all uploads in parts that nobody ended, ascending.
    pub(crate) fn uploads(&self) -> Vec<String> {
        let listing = self.client.list_multipart_uploads().bucket(&self.name);
        let page = self.runtime.block_on(listing.send()).unwrap();
        assert_ne!(page.is_truncated(), Some(true));
        let mut keys: Vec<String> =
            page.uploads().iter().map(|upload| upload.key().unwrap().to_owned()).collect();
        keys.sort_unstable();
        keys
    }

    /// Waits until all that was put is older than any collection that begins now: the server's clock shows whole
    /// seconds, and what is not older than the beginning is kept (G1).
    pub(crate) fn let_the_second_pass(&self) {
        let begun = Instant::now();
        for _ in 0..2 {
            let shown = self.gateway.clock();
            while self.gateway.clock() == shown {
                assert!(begun.elapsed() < PATIENCE, "the server's clock stands still");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// How many requests of each kind the server has answered for this bucket, by its own log: the kinds are those of
    /// the summary.
    pub(crate) fn requests_seen(&self) -> BTreeMap<&'static str, usize> {
        let mut seen = BTreeMap::new();
        for line in self.log_so_far().lines() {
            if let Some(kind) = kind_of_request(line, &self.name) {
                *seen.entry(kind).or_default() += 1;
            }
        }
        seen
    }

    /// The server's log, up to a request that is made for this and that its lines are not counted for.
    fn log_so_far(&self) -> String {
        let mark = format!("{MARK}{}-", COUNT.fetch_add(1, Ordering::Relaxed));
        let request = self.client.get_object().bucket(&self.name).key(&mark);
        assert!(self.runtime.block_on(request.send()).is_err(), "nobody put {mark}");
        let asked = Instant::now();
        loop {
            let log = fs::read_to_string(&self.gateway.log).unwrap();
            if log.contains(&format!("/{}/{mark}", self.name)) {
                return log;
            }
            assert!(asked.elapsed() < PATIENCE, "the server does not log its requests");
        }
    }
}

/// Starts the keys that are asked for to find the place in the log.
const MARK: &str = "mark-";

/// What a line of the log says was asked of a bucket; `None` for other lines and for marks.
fn kind_of_request(line: &str, bucket: &str) -> Option<&'static str> {
    let (_, request) = line.split_once("] \"")?;
    let (method, rest) = request.split_once(' ')?;
    let target = rest.split(' ').next()?.strip_prefix(&format!("/{bucket}"))?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let key = path.strip_prefix('/').unwrap_or(path);
    match (method, key.is_empty()) {
        ("GET", false) if key.starts_with(MARK) => None,
        ("GET", true) => Some("list"),
        ("GET", false) => Some("get"),
        ("HEAD", _) => Some("head"),
        ("DELETE", _) => Some("delete"),
        ("POST", true) if query.split('&').any(|part| part.starts_with("delete")) => Some("delete"),
        ("PUT" | "POST", _) => Some("put"),
        _ => panic!("an unknown request: {line}"),
    }
}
