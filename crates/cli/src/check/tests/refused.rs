//! What the store does not let us read is damage; what it fails to read for a while leaves the check without an end.

use std::sync::Arc;

use registry::Digest;
use store::ErrorKind;
use world::{Content, Image};

use super::disturbed::Disturbed;
use super::*;
use crate::Code;

const LAYER: Content = Content::new(1, 90);

fn world() -> (World, Digest) {
    let mut world = World::new(T, "");
    let digest = world.push_image("app", &Image::new(2, &[LAYER]), Some("v1"));
    (world, digest)
}

fn refusing(world: &World, key: &str, kind: ErrorKind) -> Disturbed {
    Disturbed {
        inner: store_of(world, false),
        pages: Arc::default(),
        before: usize::MAX,
        after: Arc::new(world.clone()),
        counts_all: false,
        refused: Some((key.to_owned(), kind)),
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_told() {
    let (world, digest) = world();
    let keys = world.keys();
    let (data, link) = (keys.blob(&LAYER.digest()), keys.layer("app", &LAYER.digest()));
    for (key, close) in [
        (keys.blob(&digest), USUAL),
        (keys.blob(&digest), CLOSE),
        (data, CLOSE),
        (link, CLOSE),
        (keys.current("app", "v1"), USUAL),
        (keys.revision("app", &digest), CLOSE),
    ] {
        let store = refusing(&world, &key, ErrorKind::Denied);
        let report = checked(store, close).await.report;
        assert_eq!(findings(&report), [(Kind::Unreadable, key.clone())].into());
        assert!(images(&report).contains("app:v1"), "{key}");
    }
}

#[tokio::test]
async fn g4_what_cannot_be_read_for_a_while_leaves_the_check_without_an_end() {
    let (world, digest) = world();
    let keys = world.keys();
    let layer = LAYER.digest();
    for key in [keys.blob(&digest), keys.blob(&layer), keys.layer("app", &layer)] {
        let outcome = try_check(refusing(&world, &key, ErrorKind::Transient), CLOSE).await;
        assert_eq!(outcome.unwrap_err().code(), Code::Incomplete, "{key}");
    }
}
