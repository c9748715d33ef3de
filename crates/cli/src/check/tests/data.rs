//! Data is compared with its digests where that is asked for.

use checker::Kind;
use registry::Digest;

use super::damage::{LAYER, blob, first, sound};
use super::*;

#[tokio::test]
async fn a_wrong_bit_in_data_is_found_where_data_is_read() {
    let mut registry = sound();
    assert!(registry.world.corrupt(&blob(LAYER.digest())));
    let usual = checked(store_of(&registry.world, true), USUAL).await.report;
    assert!(usual.is_sound(), "{usual:?}");
    let close = checked(store_of(&registry.world, true), CLOSE).await.report;
    assert_eq!(findings(&close), [(Kind::WrongContent, blob(LAYER.digest()))].into());
    assert_eq!(images(&close), first(&registry).into_iter().collect());
}

#[tokio::test]
async fn a_blob_of_several_parts_is_compared_whole_and_what_is_behind_it_too() {
    // Half of the memory of these checks, one byte less and one more, and many times that.
    for size in [(512 << 10) - 1, 512 << 10, (512 << 10) + 1, 3 << 20] {
        let content: Vec<u8> = (0..251).cycle().take(size).collect();
        let damaged = |at: usize| {
            let mut other = content.clone();
            other[at] ^= 1;
            other
        };
        let longer = [&content[..], b"x"].concat();
        let shorter = content[..size - 1].to_vec();
        for (stored, is_right) in [
            (content.clone(), true),
            (damaged(0), false),
            (damaged(size / 2), false),
            (damaged(size - 1), false),
            (longer, false),
            (shorter, false),
        ] {
            let store = store_of(&sound().world, true);
            let key = blob(Digest::sha256(&content));
            store.put(&key, stored, T);
            let report = checked(store, CLOSE).await.report;
            let is_found = findings(&report).contains(&(Kind::WrongContent, key));
            assert_eq!(is_found, !is_right, "{size} bytes");
        }
    }
}

#[tokio::test]
async fn a_part_every_day_compares_all_data_in_as_many_days() {
    let mut registry = sound();
    assert!(registry.world.corrupt(&blob(LAYER.digest())));
    let close = Close { percent: Some(25), ..USUAL };
    let (mut compared, mut found) = (0, 0);
    for _ in 0..4 {
        let checked = checked(store_of(&registry.world, true), close).await;
        compared += checked.verified.unwrap().blobs;
        found += findings(&checked.report).len();
        registry.world.age(std::time::Duration::from_hours(24));
    }
    let blobs = checked(store_of(&registry.world, true), USUAL).await.blobs.count;
    assert_eq!((compared, found), (blobs, 1));
}
