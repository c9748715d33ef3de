//! Registries to collect: worlds, as directories and as buckets.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use registry::Timestamp;
use simstore::{Fault, Faults, Kind, Options, Server, When};
use world::{Content, Image, Index, World};

use crate::registry_files;

/// When simulated buckets are collected.
pub(crate) const T: Timestamp = Timestamp::from_seconds(1_787_000_000);

/// So many days.
pub(crate) const fn days(count: u64) -> Duration {
    Duration::from_hours(24 * count)
}

/// The time of files, in whole seconds, which are always written in the same length.
#[expect(clippy::disallowed_methods, reason = "files have the time of the machine")]
pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(Timestamp::from(SystemTime::now()).as_millis() / 1000)
}

/// An image with a configuration and a layer of its own.
pub(crate) fn image(number: u64) -> Image {
    Image::new(number * 100, &[Content::new(number * 100 + 1, 64)])
}

/// Something of everything, 30 days old at `now`, and one push of the last hour: in `library/app` a tag that moved on,
/// an index of two images and a referrer; in `library/old` an image without a tag; an orphan; an abandoned upload.
pub(crate) fn small(now: Timestamp, rootdirectory: &str) -> World {
    let mut world = World::new(now.before(days(30)), rootdirectory);
    world.push_image("library/app", &image(1), Some("latest"));
    let latest = world.push_image("library/app", &image(2), Some("latest"));
    let children = [3, 4].map(|number| world.push_image("library/app", &image(number), None));
    world.push_index("library/app", &Index::of(&children), Some("multi"));
    world.push_artifact("library/app", latest, Content::new(5, 64), None);
    world.push_image("library/old", &image(6), None);
    world.upload_orphan("library/app", Content::new(7, 1000));
    world.start_upload("library/app", Content::new(8, 300));
    world.age(Duration::from_hours(30 * 24 - 1));
    world.push_image("library/new", &image(9), Some("v1"));
    world.age(Duration::from_hours(1));
    world
}

/// A repository with a tagged image and `orphans` blobs of nobody, 60 days old at `now`: older than what the audit
/// takes for signs of links that are kept elsewhere.
pub(crate) fn with_orphans(now: Timestamp, orphans: u64) -> World {
    let mut world = World::new(now.before(days(60)), "");
    world.push_image("library/app", &image(1), Some("latest"));
    for orphan in 0..orphans {
        world.put_blob(&Content::new((1 << 40) | orphan, 64).bytes());
    }
    world.age(days(60));
    world
}

/// Writes a world into a new directory of `home`; gives its path.
pub(crate) fn directory(home: &Path, world: &World) -> PathBuf {
    let root = home.join("registry");
    registry_files::write(world, &root).unwrap();
    root
}

/// Every file below a directory, as keys.
pub(crate) fn files(root: &Path) -> BTreeSet<String> {
    registry_files::keys(root).unwrap()
}

/// A bucket named `registry` with a world, at the world's time.
pub(crate) fn bucket(world: &World) -> Server {
    bucket_with(world, Options::default())
}

pub(crate) fn bucket_with(world: &World, options: Options) -> Server {
    let server = Server::start(options).unwrap();
    for (key, stored) in world.objects() {
        server.put(key, stored.bytes.clone(), stored.modified);
    }
    server.set_now(Some(world.now()));
    server
}

/// The prefix that a collection lists first, once it knows that this is a registry.
pub(crate) const REPOSITORIES: &str = "docker/registry/v2/repositories/";

/// Listing hangs as soon as a collection has begun.
pub(crate) fn hanging() -> Faults {
    misbehaving(Fault::Delay(Duration::from_mins(10)))
}

/// Listing misbehaves as soon as a collection has begun.
pub(crate) fn misbehaving(fault: Fault) -> Faults {
    Faults::none().on(Kind::List, When::Subject(REPOSITORIES.into()), fault)
}

/// What a bucket holds.
pub(crate) fn keys(server: &Server) -> BTreeSet<String> {
    server.keys().into_iter().collect()
}

/// What should be left of a world.
pub(crate) fn left(world: &World, mode: &world::Mode) -> BTreeSet<String> {
    let garbage = world.garbage(mode);
    world.objects().keys().filter(|key| !garbage.contains(*key)).cloned().collect()
}

/// Writes a `config.yml` for a directory.
pub(crate) fn files_config(home: &Path, root: &Path, more: &str) -> PathBuf {
    config(home, &format!("  filesystem:\n    rootdirectory: {}\n", root.display()), more)
}

/// Writes a `config.yml` for a simulated bucket.
pub(crate) fn bucket_config(home: &Path, server: &Server, more: &str) -> PathBuf {
    let (endpoint, bucket) = (server.endpoint(), server.bucket());
    let driver = format!(
        "  s3:\n    regionendpoint: {endpoint}\n    region: us-east-1\n    bucket: {bucket}\n    \
         accesskey: ACCESS\n    secretkey: secret\n    forcepathstyle: true\n"
    );
    config(home, &driver, more)
}

/// `more` may go on in the storage section, or begin others.
fn config(home: &Path, driver: &str, more: &str) -> PathBuf {
    let path = home.join("config.yml");
    std::fs::write(&path, format!("version: 0.1\nstorage:\n{driver}{more}")).unwrap();
    path
}

/// For the storage section of a `config.yml`.
pub(crate) const READ_ONLY: &str = "  maintenance:\n    readonly:\n      enabled: true\n";
