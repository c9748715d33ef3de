//! Where listings are cut.

use registry::{Algorithm, Digest};

use super::*;
use crate::testing::{Unhurried, ends, runtimes};

fn cuts_of(seeder: &impl Seeder, position: &str) -> Vec<String> {
    ends(&runtimes()[0], seeder.cuts(position)).unwrap()
}

fn folders(keys: &[&str], enough: usize, position: &str) -> (Vec<String>, u64) {
    let store = Unhurried::new(10, keys);
    let seeder = FolderSeeder { enough, ..FolderSeeder::new(Arc::new(store.clone()), "r/", 3) };
    let cuts = cuts_of(&seeder, position);
    (cuts, store.folders_asked())
}

#[test]
fn blobs_are_cut_evenly_into_parts_of_eight_pages() {
    let layout = Layout::new("");
    let position = |hex: &str| {
        let digest = Digest::from_parts("sha256", &format!("{hex:0<64}")).unwrap();
        layout.blob(&digest)
    };
    let seeder = BlobSeeder::new(&layout);
    for (last, parts) in [("ffff", 1), ("0fff", 2), ("01ff", 16), ("001f", 256), ("0000", 1024)] {
        let cuts = cuts_of(&seeder, &position(last));
        assert_eq!(cuts.len() + 1, parts, "{last}");
        let is_at = |(n, cut): (usize, &String)| {
            position(&format!("{:04x}", (n + 1) * 0x1_0000 / parts)).starts_with(cut)
        };
        assert!(cuts.iter().enumerate().all(is_at), "{cuts:?}");
    }
    let sha512 = Digest::of(Algorithm::Sha512, b"x");
    let cuts = cuts_of(&seeder, &layout.blob(&sha512));
    assert!(cuts.iter().all(|cut| cut.contains("/sha512/")));
    assert!(cuts_of(&seeder, "docker/registry/v2/blobs/odd").is_empty());
    let cuts = cuts_of(&seeder, "");
    assert_eq!(cuts.len(), 16, "nothing is listed yet");
    assert_eq!(cuts[15], "docker/registry/v2/blobs/sha256/f");
}

#[test]
fn folders_are_cut_level_by_level_and_each_gets_its_share() {
    let keys: Vec<String> = (0..40)
        .map(|n| format!("r/a/{n:02}/_layers/x"))
        .chain(["r/b/one/_layers/x".to_owned(), "r/c/_layers/x".to_owned()])
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (cuts, asked) = folders(&keys, 12, "r/a/00/_layers/x");
    for cut in ["r/b/", "r/b/one/", "r/c/", "r/c/_layers/"] {
        assert!(cuts.iter().any(|other| other == cut), "{cut} in {cuts:?}");
    }
    let applications = cuts.iter().filter(|cut| cut.starts_with("r/a/") && cut.len() == 7);
    assert_eq!(applications.count(), 3, "{cuts:?}");
    assert_eq!(asked, 1 + 3 + 5, "each folder of the levels above the cuts");
}

#[test]
fn g12_as_many_folders_of_a_level_are_looked_into_at_once_as_there_are_workers() {
    let keys: Vec<String> = (0..9).map(|n| format!("r/{n}/x/_layers/x")).collect();
    for (workers, in_place, at_once) in [(1, false, 1), (4, false, 4), (20, false, 9), (4, true, 1)]
    {
        let store = Unhurried::new(2, keys.clone()).in_place(in_place);
        cuts_of(&FolderSeeder::new(Arc::new(store.clone()), "r/", workers), "r/");
        assert_eq!(store.folders_at_once(), at_once, "{workers} workers");
    }
}

#[test]
fn one_large_repository_is_cut_by_digest_without_a_request() {
    let keys = ["r/a/_layers/sha256/00", "r/a/_manifests/x", "r/a/_uploads/x"];
    let (cuts, asked) = folders(&keys, 64, "r/a/_layers/sha256/00");
    assert_eq!(asked, 2);
    for cut in ["r/a/_layers/sha256/1", "r/a/_manifests/revisions/sha256/f", "r/a/_manifests/tags/"]
    {
        assert!(cuts.iter().any(|other| other == cut), "{cut} in {cuts:?}");
    }
}

#[test]
fn a_listing_of_a_few_pages_gets_a_few_cuts() {
    let keys: Vec<String> = (0..60).map(|n| format!("r/{n:02}/_layers/x")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for (position, count) in [("r/01/_layers/x", 6), ("r/03/_layers/x", 1), ("r/20/_layers/x", 0)] {
        let (cuts, asked) = folders(&keys, 256, position);
        assert_eq!((cuts.len(), asked), (count, 1), "{cuts:?}");
        assert!(cuts.iter().all(|cut| cut.as_str() > &position[..5]), "{cuts:?}");
    }
}

#[test]
fn looking_for_cuts_is_bounded() {
    let keys: Vec<String> = (0..100).map(|n| format!("r/{n:02}/x/y/z/_layers/x")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (_, asked) = folders(&keys, 100_000, "r/00/");
    assert!(asked <= 1 + PROBES as u64, "{asked}");
    assert!(folders(&[], 8, "r/").0.is_empty());
}
