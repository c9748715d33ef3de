//! Somebody pushes while a registry is checked: nothing that is there is called missing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use world::{Content, Image, Index};

use super::disturbed::Disturbed;
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
            let store = Disturbed { inner, pages, before: page, after, refused: None };
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
