//! What the layout lets a listing presume, and what it does not.

use super::*;

/// Keys of repository `foo`.
fn inside(keys: &[String]) -> Vec<String> {
    let mut keys: Vec<String> =
        keys.iter().map(|key| format!("{V2}/repositories/foo/{key}")).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn a_tag_is_listed_by_opening_one_folder_where_it_has_the_usual_ones() {
    let files = Files::of_layout();
    let tag = |tag: &str| {
        let folder = format!("_manifests/tags/{tag}");
        [format!("{folder}/current/link"), format!("{folder}/index/sha256/{}/link", hex(1))]
    };
    let keys = inside(&[tag("v1"), tag("v2"), tag("v2.1")].concat());
    for key in &keys {
        files.put(key, b"x");
    }
    let tags = format!("{V2}/repositories/foo/_manifests/tags/");
    assert_eq!(files.list(&tags, "").await.unwrap(), keys);
    if files.store.tree.folder_count.is_known() {
        assert_eq!(files.monitor.get(Counter::ListRequests), 4);
    }
    for (at, after) in keys.iter().enumerate() {
        assert_eq!(files.list(V2, after).await.unwrap(), keys[at + 1..], "after {after}");
        assert_eq!(files.list(&tags, &format!("{after}0")).await.unwrap(), keys[at + 1..]);
    }
}

#[tokio::test]
async fn g3_what_lies_beside_the_usual_folders_of_a_tag_or_where_a_link_is_missing_is_listed() {
    let files = Files::of_layout();
    let revision = |n| format!("_manifests/revisions/sha256/{}", hex(n));
    let tags = "_manifests/tags";
    let keys = inside(&[
        format!("{}/link", revision(1)),
        format!("{}/link", revision(2)),
        format!("{}/other/link", revision(4)),
        format!("{tags}/a/current/link"),
        format!("{tags}/a/index/sha256/{}/link", hex(1)),
        format!("{tags}/a/index/sha512/{}/link", hex(1)),
        format!("{tags}/b/current/link"),
        format!("{tags}/b/index/sha256/{}/link", hex(1)),
        format!("{tags}/b/other/link"),
        format!("{tags}/c/current/link"),
        format!("{tags}/d/index/sha512/{}/link", hex(1)),
        format!("{tags}/d/current/link"),
        format!("{tags}/e/f"),
        format!("{tags}/g/index/sha256/{}/link", hex(1)),
        format!("{tags}/g/other/link"),
    ]);
    for key in &keys {
        files.put(key, b"x");
    }
    assert_eq!(files.list("", "").await.unwrap(), keys);
    for (at, after) in keys.iter().enumerate() {
        assert_eq!(files.list("", after).await.unwrap(), keys[at + 1..], "after {after}");
    }
}

#[tokio::test]
async fn g3_what_lies_beside_the_link_of_a_manifest_is_listed_by_whoever_lists_there() {
    let files = Files::of_layout();
    let folder = format!("_manifests/revisions/sha256/{}", hex(1));
    let beside = format!("{folder}/signatures/sha256/{}/link", hex(2));
    let keys = inside(&[format!("{folder}/link"), beside]);
    for key in &keys {
        files.put(key, b"x");
    }
    assert!(!files.store.abilities().lists_all);
    assert_eq!(files.list("", "").await.unwrap(), keys[..1]);
    for within in ["link", "signatures/"] {
        let (folder, _) = keys[0].rsplit_once('/').unwrap();
        let expected: &[String] = if within == "link" { &keys[..1] } else { &keys[1..] };
        assert_eq!(files.list(&format!("{folder}/"), "").await.unwrap(), keys);
        assert_eq!(files.list(&format!("{folder}/{within}"), "").await.unwrap(), expected);
    }
}

#[tokio::test]
async fn g7_what_is_presumed_is_found_missing_by_whoever_looks() {
    let files = Files::of_layout();
    let key = |n| format!("{V2}/repositories/foo/_layers/sha256/{}/link", hex(n));
    files.put(&key(1), b"sha256:1");
    fs::create_dir_all(files.path(&key(2)).parent().unwrap()).unwrap();
    let page = files.store.list("", "").next().await.unwrap().unwrap();
    let mut expected = [key(1), key(2)].map(|key| Listed::Presumed((&*key).into()));
    expected.sort_unstable_by(|a, b| a.key().cmp(b.key()));
    assert_eq!(page, expected);
    let absent = "elsewhere/a/b";
    let keys = [&*key(1), &*key(2), absent, V2].map(Box::from).to_vec();
    let looked = files.store.look(keys).await.unwrap();
    let found = Object { key: key(1).into(), size: 8, modified: T0, etag: None };
    assert_eq!(looked, [Some(found), None, None, None]);
    symlink(files.path(&key(1)), files.path(&key(2))).unwrap();
    assert_eq!(files.store.look(vec![key(2).into()]).await.unwrap_err().kind, ErrorKind::Fatal);
}

#[tokio::test]
async fn g2_a_closed_folder_is_one_entry_wherever_a_listing_begins_and_ends() {
    let files = Files::of_layout_without_tags();
    let tag = "_manifests/tags/v1";
    let keys = inside(&[
        format!("_layers/sha256/{}/link", hex(1)),
        format!("{tag}/current/link"),
        format!("{tag}/index/sha256/{}/link", hex(1)),
        "_uploads/1/startedat".to_owned(),
    ]);
    for key in &keys {
        files.put(key, b"x");
    }
    let tags = format!("{V2}/repositories/foo/_manifests/tags/");
    let closed = [keys[0].clone(), tags.clone(), keys[3].clone()];
    assert_eq!(files.list("", "").await.unwrap(), closed);
    assert_eq!(files.list(&tags, "").await.unwrap(), keys[1..3], "who asks for it enters it");
    assert_eq!(files.list(&format!("{tags}v"), "").await.unwrap(), keys[1..3]);
    for after in [&keys[0], &tags[..tags.len() - 1]] {
        assert_eq!(files.list("", after).await.unwrap(), closed[1..], "after {after}");
    }
    for after in [&tags, &keys[1], &keys[2]] {
        assert_eq!(files.list("", after).await.unwrap(), closed[2..], "after {after}");
    }
    let mut cursor = files.store.list("", "");
    cursor.end_at(&keys[1]);
    let page = cursor.next().await.unwrap().unwrap();
    let entries: Vec<&str> = page.iter().map(Listed::key).collect();
    assert_eq!(entries, closed[..2], "a range that ends inside has it");
}

#[tokio::test]
async fn the_only_folder_of_a_folder_is_entered_without_opening_the_other() {
    let files = Files::of_layout_without_tags();
    let keys = inside(&[
        format!("_layers/sha256/{}/link", hex(1)),
        format!("_layers/sha256/{}/link", hex(2)),
        format!("_manifests/revisions/sha256/{}/link", hex(3)),
        "_uploads/1/startedat".to_owned(),
    ]);
    for key in &keys {
        files.put(key, b"x");
    }
    let repository = format!("{V2}/repositories/foo/");
    assert_eq!(files.list(&repository, "").await.unwrap(), keys);
    if files.store.tree.folder_count.is_known() {
        // The repository, layers, `_manifests`, revisions, uploads, an upload.
        assert_eq!(files.monitor.get(Counter::ListRequests), 6);
    }
    for within in ["", "_layers/", "_layers/s", "_manifests/revisions/"] {
        let within = format!("{repository}{within}");
        for after in keys.iter().flat_map(|key| [key.clone(), format!("{key}0")]) {
            let is_asked = |key: &&String| key.starts_with(&within) && **key > after;
            let rest: Vec<String> = keys.iter().filter(is_asked).cloned().collect();
            assert_eq!(files.list(&within, &after).await.unwrap(), rest, "{within} after {after}");
        }
    }
    for at in 0..keys.len() {
        let mut cursor = files.store.list("", "");
        cursor.end_at(&keys[at]);
        assert_eq!(all_keys(cursor).await.unwrap(), keys[..=at], "up to {at}");
    }
}

#[tokio::test]
async fn g3_a_folder_that_has_other_folders_than_the_usual_one_is_listed_whole() {
    let files = Files::of_layout_without_tags();
    let keys = inside(&[
        format!("_layers/sha512/{}/link", hex(1)),
        format!("_manifests/revisions/sha256/{}/link", hex(1)),
        format!("_manifests/revisions/sha512/{}/link", hex(1)),
        format!("other/_layers/elsewhere/{}/link", hex(1)),
        format!("other/_manifests/revisions/sha256/{}/link", hex(1)),
        "other/_manifests/revisions/other/link".to_owned(),
        "third/_layers/sha256".to_owned(),
    ]);
    for key in &keys {
        files.put(key, b"x");
    }
    assert_eq!(files.list("", "").await.unwrap(), keys);
    for (at, after) in keys.iter().enumerate() {
        assert_eq!(files.list("", after).await.unwrap(), keys[at + 1..], "after {after}");
    }
    let (layers, real) = (format!("{V2}/repositories/last/_layers"), files.path("real"));
    files.put(&format!("{layers}/other/x"), b"x");
    fs::create_dir_all(&real).unwrap();
    symlink(real, files.path(&format!("{layers}/sha256"))).unwrap();
    let error = files.list(V2, "").await.unwrap_err();
    assert!(error.to_string().contains("_layers/sha256"), "{error}");
}
