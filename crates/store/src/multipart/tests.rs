use super::*;
use crate::MemoryStore;

const T: Timestamp = Timestamp::from_seconds(1);

fn upload(key: &str, id: &str) -> MultipartUpload {
    MultipartUpload { key: key.into(), id: id.into(), initiated: T }
}

fn page(uploads: &[(&str, &str)], next: Option<&str>) -> MultipartPage {
    let uploads = uploads.iter().map(|(key, id)| upload(key, id)).collect();
    let next = next.map(|key| MultipartPlace { key: key.into(), id: "1".into() });
    MultipartPage { uploads, next }
}

/// What a walk over `a/` says of these pages, one after the other.
fn taken(pages: &[MultipartPage]) -> Result<(), Oddity> {
    let mut walk = MultipartWalk::new("a/");
    pages.iter().try_for_each(|page| {
        walk.take(page)?;
        walk.next.clone_from(&page.next);
        Ok(())
    })
}

#[test]
fn uploads_of_one_key_may_come_in_any_order_and_over_several_pages() {
    let first = page(&[("a/b", "9"), ("a/b", "1")], Some("a/b"));
    let rest = page(&[("a/b", "5"), ("a/c", "1")], None);
    assert_eq!(taken(&[first, rest]), Ok(()));
    assert_eq!(taken(&[page(&[], Some("a/b")), page(&[], Some("a/c"))]), Ok(()));
}

#[test]
fn g3_what_is_told_twice_out_of_order_or_of_elsewhere_is_refused() {
    let first = || page(&[("a/b", "1")], Some("a/b"));
    let twice = Oddity::Twice { key: "a/b".into(), id: "1".into() };
    assert_eq!(taken(&[first(), page(&[("a/b", "1")], None)]), Err(twice));
    let late = Oddity::OutOfOrder { after: "a/b".into(), key: "a/a".into() };
    assert_eq!(taken(&[first(), page(&[("a/a", "2")], None)]), Err(late));
    let outside = Oddity::Outside("b".into());
    assert_eq!(taken(&[first(), page(&[("b", "2")], None)]), Err(outside));
}

#[test]
fn g3_a_page_that_holds_nothing_has_to_lead_on() {
    let stuck = Oddity::NoWayOn("a/b".into());
    assert_eq!(taken(&[page(&[], Some("a/b")), page(&[], Some("a/b"))]), Err(stuck));
}

#[tokio::test]
async fn a_walk_tells_every_upload_below_its_prefix_once_and_ends() {
    for size in [1, 2, 1000] {
        let store = MemoryStore::new().with_page(size);
        for key in ["a", "a/b", "a/b", "a/b", "a/c", "b"] {
            drop(store.begin_upload(key, T));
        }
        let (mut walk, mut keys) = (MultipartWalk::new("a/"), Vec::new());
        while let MultipartStep::Uploads(uploads) = walk.next(&store).await.unwrap() {
            assert!((1..=size).contains(&uploads.len()));
            keys.extend(uploads.into_iter().map(|upload| upload.key));
        }
        assert_eq!(keys, ["a/b", "a/b", "a/b", "a/c"].map(Box::from));
        assert_eq!(walk.next(&store).await.unwrap(), MultipartStep::End);
    }
}
