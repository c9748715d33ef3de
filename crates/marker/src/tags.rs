//! What tags point to, without reading what the listing already tells.

use std::collections::HashSet;
use std::fmt::Write as _;

use lister::{RepositoryTree, TagTree};
use md5::{Digest as _, Md5};
use registry::{Digest, link_text};

use crate::{TagTarget, What};

/// The digest a tag points to, where the entity tag of its link proves it: the MD5 of the link's text.
///
/// Candidates are the tag's own history, which a registry writes before it moves the tag. A store whose entity tags are
/// something else never matches, and the link is read.
pub(crate) fn by_etag(tag: &TagTree) -> Option<Digest> {
    let etag = tag.current.as_ref()?.object()?.etag.as_deref().filter(|etag| etag.len() == 32)?;
    let mut candidates = tag.index.iter().map(|link| link.digest);
    candidates.find(|digest| link_etag(digest) == etag)
}

/// Doubts about tags that point to what no other key of the repository names (G4).
pub(crate) fn strays(tree: &RepositoryTree, targets: &[TagTarget]) -> Vec<What> {
    let links = tree.revisions.iter().chain(&tree.layers);
    let history = tree.tags.iter().flat_map(|tag| &tag.index);
    let named: HashSet<Digest> = links.chain(history).map(|link| link.digest).collect();
    let stray = |target: &TagTarget| {
        let current = tree.tags.get(target.tag)?.current.as_ref()?;
        let (key, digest) = (current.key().into(), target.digest);
        (!named.contains(&digest)).then_some(What::StrayTag { key, digest })
    };
    targets.iter().filter_map(stray).collect()
}

/// The entity tag of a link to `digest`, where those of a store are MD5.
#[must_use]
pub fn link_etag(digest: &Digest) -> String {
    md5_hex(&link_text(digest))
}

fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use lister::Link;
    use registry::{RepositoryName, Timestamp};
    use store::{Listed, Object};

    use super::*;

    fn object(etag: Option<&str>) -> Listed {
        let etag = etag.map(Into::into);
        Object { key: "link".into(), size: 71, modified: Timestamp::default(), etag }.into()
    }

    fn tag(history: &[Digest], etag: Option<&str>) -> TagTree {
        let link = |digest: &Digest| Link { digest: *digest, listed: object(None) };
        TagTree {
            name: "v1".into(),
            current: Some(object(etag)),
            index: history.iter().map(link).collect(),
        }
    }

    #[test]
    fn md5_is_the_published_one() {
        assert_eq!(md5_hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn an_entity_tag_tells_which_of_its_manifests_a_tag_points_to() {
        let digests: Vec<Digest> = (0..5u8).map(|n| Digest::sha256(&[n])).collect();
        for digest in &digests {
            let etag = md5_hex(&digest.to_string());
            assert_eq!(by_etag(&tag(&digests, Some(&etag))), Some(*digest));
        }
    }

    #[test]
    fn g4_a_tag_is_in_doubt_where_no_other_key_names_what_it_points_to() {
        let [known, linked, layer, rotten] = [1, 2, 3, 4].map(|n| Digest::sha256(&[n]));
        let mut tree = RepositoryTree::new(RepositoryName::new("a").unwrap());
        let link = |digest| Link { digest, listed: object(None) };
        tree.tags = vec![tag(&[known], None), tag(&[], None)];
        tree.revisions = vec![link(linked)];
        tree.layers = vec![link(layer)];
        for (digest, doubts) in [(known, 0), (linked, 0), (layer, 0), (rotten, 1)] {
            let found = strays(&tree, &[TagTarget { tag: 1, digest }]);
            assert_eq!(found.len(), doubts);
            assert!(found.iter().all(What::pins));
        }
    }

    #[test]
    fn g4_nothing_is_guessed_where_the_entity_tag_proves_nothing() {
        let digest = Digest::sha256(b"x");
        let etag = md5_hex(&digest.to_string());
        let other = md5_hex("other");
        assert_eq!(by_etag(&tag(&[], Some(&etag))), None, "not in the history");
        assert_eq!(by_etag(&tag(&[digest], Some(&other))), None, "not the MD5 of any");
        assert_eq!(by_etag(&tag(&[digest], Some(&format!("{other}-1")))), None, "not an MD5");
        assert_eq!(by_etag(&tag(&[digest], None)), None, "no entity tag");
        let history = TagTree { current: None, ..tag(&[digest], Some(&etag)) };
        assert_eq!(by_etag(&history), None, "only a history");
    }
}
