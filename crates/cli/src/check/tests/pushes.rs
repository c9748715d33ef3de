//! Somebody pushes while a registry is checked: nothing that is there is called missing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use world::{Content, Image, Index, Mode};

use super::disturbed::Disturbed;
use super::repaired::{DAY, carried_out, mending};
use super::*;

/// Before and after: a push over a tag, an index of a new image and an old one, into repositories old and new.
fn worlds() -> (World, World) {
    let mut world = World::new(T, "");
    let old = world.push_image("app", &Image::new(1, &[Content::new(2, 300)]), Some("v1"));
    for number in 10..20 {
        world.push_image("app", &Image::new(number, &[Content::new(number + 100, 30)]), None);
    }
    let before = world.clone();
    let new = world.push_image("app", &Image::new(3, &[Content::new(4, 300)]), Some("v1"));
    world.push_index("app", &Index::of(&[old, new]), Some("multi"));
    world.push_image("app", &Image::new(5, &[]), Some("a-new-tag"));
    world.push_image("new", &Image::new(6, &[Content::new(4, 300)]), Some("v1"));
    (before, world)
}

#[tokio::test]
async fn a_push_at_any_time_is_no_damage() {
    let (before, after) = worlds();
    let after = Arc::new(after);
    let mut page = 0;
    loop {
        for has_etags in [true, false] {
            let inner = store_of(&before, has_etags);
            let pages = Arc::default();
            let after = Arc::clone(&after);
            let store =
                Disturbed { inner, pages, before: page, after, counts_all: false, refused: None };
            let seen = Arc::clone(&store.pages);
            let report = checked(store, if has_etags { USUAL } else { CLOSE }).await.report;
            assert_eq!(findings(&report), BTreeSet::new(), "pushed before page {page}");
            assert!(report.is_sound());
            if !has_etags && seen.load(Ordering::SeqCst) < page {
                assert!(page > 20, "too few pages to push between: {page}");
                return;
            }
        }
        page += 1;
    }
}

/// Links that can be repaired, and a push that needs each of them: to a layer without data, to a manifest that only the
/// history of a tag names, and to a layer and a manifest whose links are broken.
fn mendable() -> (World, World) {
    let mut world = World::new(T, "");
    let keys = world.keys().clone();
    let (lost, broken) = (Content::new(4, 300), Content::new(7, 300));
    world.put_layer_link("app", lost.digest(), lost.digest());
    let image = Image::new(8, &[broken]);
    let known = world.push_image("app", &image, Some("known"));
    let deleted = world.push_image("app", &Image::new(9, &[]), Some("moved"));
    world.push_image("app", &image, Some("moved"));
    assert!(world.lose(&keys.revision("app", &deleted)));
    assert!(world.damage(&keys.layer("app", &broken.digest()), b""));
    assert!(world.damage(&keys.revision("app", &known), b"sha256:"));
    world.age(2 * DAY);
    let before = world.clone();
    world.push_image("app", &Image::new(3, &[lost]), Some("new"));
    world.push_image("app", &Image::new(9, &[]), Some("moved"));
    world.push_image("app", &image, Some("again"));
    (before, world)
}

#[tokio::test]
async fn whenever_somebody_pushes_a_repair_loses_nothing_of_it() {
    let (before, after) = mendable();
    let pulls = after.pulls(&Mode::default());
    assert!(after.broken_pulls(&pulls).is_empty());
    let after = Arc::new(after);
    let (mut planned, mut page) = (0, 0);
    loop {
        let inner = store_of(&before, true);
        inner.set_now(after.now());
        let (store, folder) = (inner.clone(), tempfile::tempdir().unwrap());
        let disturbed = Disturbed {
            inner,
            pages: Arc::default(),
            before: page,
            after: Arc::clone(&after),
            counts_all: true,
            refused: None,
        };
        let seen = Arc::clone(&disturbed.pages);
        let out = folder.path().join("plan");
        let checked = ask(&Arc::new(disturbed), CLOSE, Some(mending(&out))).await.unwrap();
        if let Some(plan) = checked.repairs {
            planned += plan.totals().all().count;
            // It is refused, since links were written; but what a sweep does must be right all the same.
            carried_out(&store, plan).await;
        }
        if seen.load(Ordering::SeqCst) <= page {
            assert!(page > 20 && planned > 10, "{page} calls, {planned} repairs");
            return;
        }
        let mut left = World::clone(&after);
        let there = store.snapshot();
        let gone: Vec<String> =
            after.objects().keys().filter(|key| !there.contains_key(*key)).cloned().collect();
        left.note_deleted(gone.iter().map(String::as_str));
        for (key, bytes) in there {
            assert!(!left.objects().contains_key(&key) || left.damage(&key, &bytes));
        }
        assert_eq!(left.broken_pulls(&pulls), [""; 0], "pushed before page {page}");
        page += 1;
    }
}
