//! Buckets of the S3 server that the environment names.

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use tokio::runtime::Runtime;

/// Requests under way at once where many objects are put.
const AT_ONCE: usize = 16;

/// Where the S3 server is, and the keys to it.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    pub(crate) endpoint: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
}

impl Gateway {
    fn from_environment() -> Gateway {
        let read = |name: &str| {
            let name = format!("REGSWEEP_TEST_S3_{name}");
            env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/test real"))
        };
        Gateway {
            endpoint: read("ENDPOINT"),
            access_key: read("ACCESS_KEY"),
            secret_key: read("SECRET_KEY"),
        }
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
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{purpose}-{}-{count}", std::process::id());
        let runtime = Runtime::new().unwrap();
        let gateway = Gateway::from_environment();
        let client = runtime.block_on(async { gateway.client() });
        runtime.block_on(client.create_bucket().bucket(&name).send()).unwrap();
        Bucket { runtime, gateway, client, name }
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
}
