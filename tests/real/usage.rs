//! Who keeps how many bytes of a bucket, held against what the manifests say that a real registry serves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::client::Client;
use crate::images::{Blob, Image};
use crate::registry::{Config, Registry};
use crate::regsweep::{run, summary, usage};
use crate::s3::Bucket;
use crate::skopeo;

const MIB: usize = 1 << 20;

/// Blobs by their digests, with their sizes in bytes.
type Blobs = BTreeMap<String, u64>;

/// What each tag keeps, by what the registry serves.
type Tags = BTreeMap<(&'static str, &'static str), Blobs>;

/// All that a manifest leads to: itself, what it names, and what the manifests that it names do.
fn reach(client: Client, repository: &str, reference: &str) -> Blobs {
    let bytes = client.manifest(repository, reference);
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    let mut blobs = Blobs::from([(Blob::new(bytes.clone()).digest, bytes.len() as u64)]);
    let digest_of = |named: &Value| named["digest"].as_str().unwrap().to_owned();
    let list = |name: &str| manifest[name].as_array().cloned().unwrap_or_default();
    for named in list("layers").iter().chain(manifest.get("config")) {
        blobs.insert(digest_of(named), named["size"].as_u64().unwrap());
    }
    for child in list("manifests") {
        blobs.extend(reach(client, repository, &digest_of(&child)));
    }
    blobs
}

/// Pushes images that share layers inside of repositories and across them.
fn push(client: Client) -> Tags {
    let index =
        Image::index(vec![Image::new(6, &[2, 7]), Image::for_architecture(6, &[2, 8], "arm64")]);
    let images = [
        ("team/app", "v1", Image::new(1, &[2, 3])),
        ("team/app", "v2", Image::new(4, &[2, 5])),
        ("team/copy", "v1", Image::new(1, &[2, 3])),
        ("team/other", "multi", index),
        ("team/other", "own", Image::new(9, &[10, 11])),
    ];
    let told = images.map(|(repository, tag, image)| {
        skopeo::push(client, repository, tag, &image);
        ((repository, tag), reach(client, repository, tag))
    });
    told.into()
}

/// An image that was deleted through the registry: what only it kept.
fn delete_one(client: Client, tags: &Tags) -> Blobs {
    let image = Image::new(20, &[2, 21]);
    skopeo::push(client, "team/app", "gone", &image);
    let mut blobs = reach(client, "team/app", "gone");
    client.delete_manifest("team/app", &image.manifest.digest);
    blobs.retain(|digest, _| tags.values().all(|kept| !kept.contains_key(digest)));
    blobs
}

fn union<'b>(of: impl IntoIterator<Item = &'b Blobs>) -> Blobs {
    of.into_iter().flatten().map(|(digest, size)| (digest.clone(), *size)).collect()
}

fn amount<'b>(sizes: impl IntoIterator<Item = &'b u64>) -> Value {
    let sizes: Vec<u64> = sizes.into_iter().copied().collect();
    serde_json::json!({ "count": sizes.len(), "bytes": sizes.iter().sum::<u64>() })
}

/// That what somebody keeps is told: all of it, and apart what none of `others` keeps and what one of them does.
#[track_caller]
fn assert_keeps(told: &Value, kept: &Blobs, others: &Blobs) {
    let is_shared = |(digest, _): &(&String, &u64)| others.contains_key(*digest);
    let (shared, own): (Vec<_>, Vec<_>) = kept.iter().partition(is_shared);
    assert_eq!(told["keeps"], amount(kept.values()), "{told:#}");
    assert_eq!(told["exclusive"], amount(own.into_iter().map(|(_, size)| size)), "{told:#}");
    assert_eq!(told["shared"], amount(shared.into_iter().map(|(_, size)| size)), "{told:#}");
}

/// The entry of `list` whose `key` is `name`.
fn entry<'v>(list: &'v Value, key: &str, name: &str) -> &'v Value {
    let all = list.as_array().unwrap();
    all.iter().find(|entry| entry[key] == name).unwrap_or_else(|| panic!("no {name} in {list:#}"))
}

fn assert_repositories(told: &Value, tags: &Tags) {
    let names: BTreeSet<&str> = tags.keys().map(|(repository, _)| *repository).collect();
    for name in &names {
        let of = |own: bool| tags.iter().filter(move |((other, _), _)| (other == name) == own);
        let (kept, others) = (union(of(true).map(|(_, blobs)| blobs)), of(false));
        let repository = entry(&told["repositories"], "repository", name);
        assert_keeps(repository, &kept, &union(others.map(|(_, blobs)| blobs)));
        for ((_, tag), blobs) in of(true) {
            let others = tags.iter().filter(|(other, _)| **other != (*name, *tag));
            let told = entry(&repository["by_tag"]["tags"], "tag", tag);
            assert_keeps(told, blobs, &union(others.map(|(_, blobs)| blobs)));
        }
    }
}

#[test]
fn the_bytes_are_those_that_the_manifests_of_the_registry_say() {
    let bucket = Bucket::create("usage");
    let config = Config::bucket(&bucket);
    let registry = Registry::start(&config);
    let tags = push(registry.client());
    let gone = delete_one(registry.client(), &tags);
    registry.client().start_upload_with("team/half", &vec![7; 6 * MIB]);
    bucket.let_the_second_pass();
    let told = summary(&run(usage(&config).args(["--tags", "--grace", "0s"])));

    assert_repositories(&told, &tags);
    let totals = &told["totals"];
    let (all, kept) = (bucket.objects("docker/registry/v2/blobs/"), union(tags.values()));
    let sizes: Vec<u64> = all.values().map(|size| u64::try_from(*size).unwrap()).collect();
    assert_eq!(totals["blobs"], amount(&sizes));
    assert_eq!(totals["blobs"], amount(kept.values().chain(gone.values())));
    assert_eq!(totals["reclaimable"]["blobs"], amount(gone.values()));
    assert!(gone.len() == 3 && kept.len() > gone.len(), "{gone:?}");
    let sum = |kind: &str| ["exclusive", "shared"].map(|part| totals[part][kind].as_u64().unwrap());
    for kind in ["count", "bytes"] {
        assert_eq!(sum(kind).iter().sum::<u64>(), amount(kept.values())[kind].as_u64().unwrap());
    }

    let multipart = &totals["multipart_uploads"];
    assert_eq!(multipart["count"], bucket.uploads().len(), "{multipart}");
    assert!(multipart["bytes"].as_u64() >= Some(6 * MIB as u64), "{multipart}");
    assert_eq!(multipart["reclaimable"]["count"], 0, "{multipart}");
    let old = ["--grace", "0s", "--uploads-older-than", "0s"];
    let told = summary(&run(usage(&config).args(old)));
    let later = &told["totals"]["multipart_uploads"];
    assert_eq!(later["reclaimable"]["count"], multipart["count"], "{later}");
    assert_eq!(later["reclaimable"]["bytes"], multipart["bytes"], "{later}");
}
