//! The same work done by aws-sdk-s3.

use std::time::{Instant, SystemTime};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig};
use aws_sdk_s3::{Client, Config};
use bytes::Bytes;
use registry::Timestamp;
use tokio::task::JoinSet;
use world::{Bulk, bulk};

use super::bucket::processor_time;

/// A client of a server that lets everybody in.
pub(crate) fn client(endpoint: &str) -> Client {
    client_with(endpoint, "access", "secret")
}

fn client_with(endpoint: &str, access_key: &str, secret_key: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(access_key, secret_key, None, None, "the bench"))
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .force_path_style(true);
    Client::from_conf(config.build())
}

/// How many objects are put at once.
const PUTS: usize = 16;

/// A client of the server whose endpoint and keys are in the usual variables.
fn client_of_environment() -> Client {
    let variable = |name| std::env::var(name).unwrap();
    client_with(
        &variable("AWS_ENDPOINT_URL"),
        &variable("AWS_ACCESS_KEY_ID"),
        &variable("AWS_SECRET_ACCESS_KEY"),
    )
}

/// Makes a bucket and puts so many repositories of a bulk registry into it.
pub(crate) fn fill(bucket: &str, repositories: u64) {
    let usual = Bulk::default();
    let orphans = usual.orphans * repositories / usual.repositories;
    let shape = Bulk { repositories, orphans, ..usual };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let now = Timestamp::from_seconds(now.as_secs().try_into().unwrap());
    let world = bulk(now, &shape);
    let objects =
        world.objects().iter().map(|(key, stored)| (key.to_owned(), stored.bytes.clone().into()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(put_all(&client_of_environment(), bucket, objects));
    println!("{}", world.summary());
}

async fn put_all(client: &Client, bucket: &str, objects: impl Iterator<Item = (String, Bytes)>) {
    client.create_bucket().bucket(bucket).send().await.unwrap();
    let mut puts = JoinSet::new();
    for (key, content) in objects {
        if puts.len() == PUTS {
            puts.join_next().await.unwrap().unwrap();
        }
        let put = client.put_object().bucket(bucket).key(key).body(content.into());
        puts.spawn(async move { drop(put.send().await.unwrap()) });
    }
    puts.join_all().await;
}

/// Lists a bucket page by page, and says what that took.
pub(crate) fn list_serially(bucket: &str) {
    let client = client_of_environment();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (begun, used) = (Instant::now(), processor_time("self"));
    let keys = runtime.block_on(count_keys(&client, bucket));
    println!(
        "serial  {keys} keys in {} ms, {:.2} s of the processor",
        begun.elapsed().as_millis(),
        processor_time("self") - used
    );
}

async fn count_keys(client: &Client, bucket: &str) -> usize {
    let mut pages = client.list_objects_v2().bucket(bucket).into_paginator().send();
    let mut keys = 0;
    while let Some(page) = pages.next().await {
        keys += page.unwrap().contents().len();
    }
    keys
}
