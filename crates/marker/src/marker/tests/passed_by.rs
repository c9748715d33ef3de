//! What a listing of files passes by, and who has to find it.

use super::*;
use crate::testing::signature;

const PLAIN: &str = r#"{"schemaVersion":2,"layers":[]}"#;
const SCHEMA_1: &str = r#"{"schemaVersion":1,"name":"team/app","fsLayers":[]}"#;
const NOT_UNDERSTOOD: &str = "{";

/// Manifests, each with a signature.
fn signed<const N: usize>(texts: [&str; N]) -> (Registry, [Digest; N]) {
    let registry = Registry::new();
    let revisions = texts.map(|text| {
        let digest = registry.blob(text);
        registry.link(&revision(digest), digest);
        let content = registry.blob(&format!("signature of {digest}"));
        registry.link(&signature(digest, content), content);
        digest
    });
    (registry, revisions)
}

/// Marks what is in `store` as if the listing had passed by all that lies beside links, where it `passes_by`.
async fn marked(registry: &Registry, passes_by: bool) -> Marked {
    let (complete, mut trees) = list(&Arc::new(registry.store.clone())).await;
    if passes_by {
        for tree in &mut trees {
            tree.signatures.clear();
            tree.odd_links.clear();
        }
    }
    let store = Watched::passing_by(registry.store.clone());
    let (marked, is_sealed) = mark_listed((complete, trees), Arc::new(store), false).await;
    assert!(is_sealed);
    marked.unwrap().remove(0)
}

fn revisions_of(marked: &Marked) -> HashSet<Digest> {
    marked.tree.signatures.iter().map(|signature| signature.revision).collect()
}

#[tokio::test]
async fn g4_signatures_are_found_where_a_manifest_may_have_some() {
    let (registry, [_, schema_1, odd]) = signed([PLAIN, SCHEMA_1, NOT_UNDERSTOOD]);
    let marked = marked(&registry, true).await;
    assert_eq!(revisions_of(&marked), HashSet::from_iter([schema_1, odd]));
    assert_eq!(marked.tree.signatures.len(), 2);
    for signature in &marked.tree.signatures {
        assert!(marks_of(&marked.reach).contains(&signature.link.digest));
    }
}

#[tokio::test]
async fn what_the_listing_told_is_not_taken_twice() {
    let (registry, revisions) = signed([PLAIN, SCHEMA_1, NOT_UNDERSTOOD]);
    let marked = marked(&registry, false).await;
    assert_eq!(revisions_of(&marked), HashSet::from_iter(revisions));
    assert_eq!(marked.tree.signatures.len(), 3);
}

#[tokio::test]
async fn g4_an_odd_link_beside_a_manifest_that_may_be_signed_pins_the_repository() {
    for (text, is_pinned) in [(PLAIN, false), (SCHEMA_1, true)] {
        let (registry, [digest]) = signed([text]);
        assert!(!marked(&registry, true).await.reach.is_pinned());
        registry.put(&revision(digest).replace("link", "others/link"), "x");
        assert_eq!(marked(&registry, true).await.reach.is_pinned(), is_pinned);
    }
}
