//! Keys and what they mean.

use proptest::prelude::*;

use super::*;

fn layout() -> Layout {
    Layout::new("")
}

#[test]
fn rootdirectory_forms_give_the_keys_that_the_registry_writes() {
    for (root, base) in [
        ("", "docker/registry/v2/"),
        ("/", "docker/registry/v2/"),
        ("/a/b/", "a/b/docker/registry/v2/"),
        ("a/b", "a/b/docker/registry/v2/"),
        ("/a//b///", "a//b/docker/registry/v2/"),
    ] {
        assert_eq!(Layout::new(root).base(), base, "{root}");
    }
    assert_eq!(Layout::new("/a/b/").root(), "a/b/");
    assert_eq!(layout().root(), "");
}

#[test]
fn every_kind_of_key_is_known() {
    let (a, b) = (Digest::sha256(b"a"), Digest::of(Algorithm::Sha512, b"b"));
    let repository = "foo/bar";
    for kind in [
        KeyKind::Blob(a),
        KeyKind::Blob(b),
        KeyKind::Revision { repository, digest: a },
        KeyKind::Signature { repository, revision: a, digest: b },
        KeyKind::TagCurrent { repository, tag: "_v1.0" },
        KeyKind::TagIndex { repository, tag: "index", digest: b },
        KeyKind::Layer { repository: "foo-bar", digest: a },
    ] {
        let key = layout().key_of(&kind).unwrap();
        assert_eq!(layout().classify(&key), kind, "{key}");
    }
}

#[test]
fn uploads_and_markers_are_known() {
    let id = "0198c7a4-0000-7000-8000-000000000000";
    let base = format!("docker/registry/v2/repositories/foo/_uploads/{id}");
    let upload = |part| KeyKind::Upload { repository: "foo", id, part };
    for (key, kind) in [
        (format!("{base}/startedat"), upload(UploadPart::StartedAt)),
        (format!("{base}/data"), upload(UploadPart::Other)),
        (format!("{base}/hashstates/sha256/0"), upload(UploadPart::Other)),
        (format!("{base}/"), upload(UploadPart::Other)),
        (base.replace(id, ""), KeyKind::Marker { repository: Some("foo") }),
        ("docker/registry/v2/blobs/04/".to_owned(), KeyKind::Marker { repository: None }),
        ("docker/registry/v2/".to_owned(), KeyKind::Marker { repository: None }),
        ("docker/registry/v2/repositories/a/".to_owned(), KeyKind::Marker { repository: None }),
    ] {
        assert_eq!(layout().classify(&key), kind, "{key}");
    }
}

#[test]
fn g4_everything_else_is_foreign_and_odd_links_say_so() {
    let hex = Digest::sha256(b"a").hex();
    let v2 = "docker/registry/v2";
    for (key, repository, is_link) in [
        ("README".to_owned(), None, false),
        (format!("{v2}/lockfiles/database-in-use"), None, false),
        (format!("{v2}/blobs/sha256/{hex}/data"), None, false),
        (format!("{v2}/blobs/sha256/00/{hex}/data"), None, false),
        (format!("{v2}/blobs/md5/aa/{hex}/data"), None, false),
        (format!("{v2}/blobs/sha256/{}/{hex}/data.tmp", &hex[..2]), None, false),
        (format!("{v2}/repositories/foo/file"), None, false),
        (format!("{v2}/repositories/foo/_layers/sha256/{hex}/link.x.tmp"), Some("foo"), false),
        (format!("{v2}/repositories/foo/_layers/sha256/{}/link", &hex[1..]), Some("foo"), true),
        (format!("{v2}/repositories/foo/_manifests/revisions/x/link"), Some("foo"), true),
        (format!("{v2}/repositories/foo/_manifests/tags/-x/current/link"), Some("foo"), true),
        (format!("{v2}/repositories/foo/_uploads/x/link"), Some("foo"), false),
        (format!("{v2}/repositories/foo//_layers/sha256/{hex}/link"), None, true),
        (format!("{v2}/repositories/_layers/sha256/{hex}/link"), None, true),
    ] {
        assert_eq!(
            layout().classify(&key),
            KeyKind::Foreign(Foreign { repository, is_link }),
            "{key}"
        );
    }
}

#[test]
fn folders_are_known_for_exactly_the_places_of_the_layout() {
    use FolderKind::{Blob, Layer, Revision, Tag, TagIndex};
    let v2 = "docker/registry/v2";
    for (folder, kind) in [
        (format!("{v2}/blobs/sha256/ab/"), Some(Blob)),
        (format!("{v2}/blobs/sha256/"), None),
        (format!("{v2}/blobs/"), None),
        (format!("{v2}/repositories/foo/_layers/sha256/"), Some(Layer(Algorithm::Sha256))),
        (format!("{v2}/repositories/foo/_layers/sha512/"), Some(Layer(Algorithm::Sha512))),
        (format!("{v2}/repositories/foo/_layers/tarsum/"), None),
        (format!("{v2}/repositories/foo/_layers/"), Some(FolderKind::Algorithm)),
        (format!("{v2}/repositories/foo/"), None),
        (format!("{v2}/repositories/foo/_manifests/"), None),
        (format!("{v2}/repositories/foo/_manifests/tags/v1/index/sha512/"), Some(TagIndex)),
        (format!("{v2}/repositories/foo/_manifests/tags/v1/index/"), None),
        (format!("{v2}/repositories/foo/_manifests/tags/v1/"), None),
        (format!("{v2}/repositories/foo/_manifests/tags/"), Some(Tag)),
        (format!("{v2}/repositories/foo/_manifests/tags/v1/current/"), None),
        (format!("{v2}/repositories/foo/_manifests/revisions/sha256/"), Some(Revision)),
        (format!("{v2}/repositories/foo/_manifests/revisions/"), Some(FolderKind::Algorithm)),
        (format!("{v2}/repositories/foo/_uploads/_layers/"), None),
        (format!("{v2}/repositories/foo/_manifests/tags/sha256/"), None),
        (format!("{v2}/repositories/blobs/sha256/ab/"), None),
        (format!("{v2}/repositories/foo/index/sha256/"), None),
        (format!("{v2}/repositories/foo/_uploads/index/sha256/"), None),
        ("elsewhere/_layers/sha256/".to_owned(), None),
    ] {
        assert_eq!(layout().folders_in(&folder), kind, "{folder}");
    }
}

proptest! {
    #[test]
    fn g7_a_key_that_is_understood_is_given_back_byte_for_byte(
        key in "(docker/registry/v2/)?(blobs|repositories)/([a-z0-9_]{1,4}/){0,3}(_layers|_manifests/revisions|_manifests/tags/v1/index|sha256)?/?(sha256|sha512)?/?[0-9a-f]{2,64}/(link|data|)"
    ) {
        let layout = layout();
        if let Some(again) = layout.key_of(&layout.classify(&key)) {
            prop_assert_eq!(again, key);
        }
    }

    #[test]
    fn a_key_means_the_same_where_its_repository_is_known(
        name in "[a-zé.]{0,2}(/[a-z_]{0,2}){0,2}",
        inside in "_?(layers|manifests/revisions|manifests/tags/v1/index|uploads|\\PC{0,6})(/sha256)?/?[0-9a-f]{0,64}/(link|data|)",
    ) {
        if let (Ok(repository), true) = (RepositoryName::new(&name), inside.starts_with('_')) {
            let key = format!("{}{inside}", layout().repository(&repository));
            prop_assert_eq!(Layout::classify_inside(&repository, &inside), layout().classify(&key));
            prop_assert_eq!(layout().repository_of(&key), Some(&*name));
        }
    }

    #[test]
    fn classifying_never_panics(key in "\\PC{0,200}") {
        let layout = layout();
        let _ = layout.classify(&key);
        let _ = layout.classify(&format!("{}{key}", layout.base()));
        let _ = layout.classify(&format!("{}{key}", layout.repositories()));
        let _ = layout.folders_in(&format!("{}{key}", layout.base()));
    }
}
