//! Links: which may be broken, and whether they are.

use std::collections::HashSet;

use lister::{Link, RepositoryTree};
use marker::{Evidence, What, link_etag};
use registry::{Algorithm, link_text, parse_link};

use crate::suspects::LinkText;

/// Up to so many links with another entity tag than their text has are read, although no link of the repository shows
/// that the tags of this store say anything.
const UNPROVEN: usize = 16;

/// Which links to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Those whose size or entity tag is not that of their text.
    Doubtful,
    /// All.
    All,
}

/// Every link of a repository whose key tells a digest.
pub(crate) fn all(tree: &RepositoryTree) -> impl Iterator<Item = &Link> {
    let history = tree.tags.iter().flat_map(|tag| &tag.index);
    let signatures = tree.signatures.iter().map(|signature| &signature.link);
    tree.revisions.iter().chain(&tree.layers).chain(history).chain(signatures)
}

/// The keys of links that may be broken, and of tags that were found so.
pub(crate) fn doubtful<'t>(
    tree: &'t RepositoryTree,
    evidence: &'t Evidence,
    links: Links,
) -> HashSet<&'t str> {
    let mut keys: HashSet<&str> = evidence.doubts.iter().filter_map(doubted).collect();
    let is_wanted = |link: &&Link| links == Links::All || has_other_size(link);
    keys.extend(all(tree).filter(is_wanted).map(|link| link.listed.key()));
    if links == Links::Doubtful {
        keys.extend(by_etag(tree));
    }
    keys
}

/// Links whose content did not tell what was asked of them.
fn doubted(what: &What) -> Option<&str> {
    match what {
        What::BrokenLink { key, .. } | What::UnreadableLink { key, .. } => Some(key),
        _ => None,
    }
}

/// A link by another algorithm than sha256 may name either.
fn has_other_size(link: &Link) -> bool {
    link.listed.object().is_some_and(|object| match link.digest.algorithm() {
        Algorithm::Sha256 => object.size != link_text(&link.digest).len() as u64,
        Algorithm::Sha384 | Algorithm::Sha512 => object.size == 0,
    })
}

/// Links whose entity tag is not that of their text, where tags of this store are known to tell, or they are few.
fn by_etag(tree: &RepositoryTree) -> Vec<&str> {
    let (mut others, mut is_proven) = (Vec::new(), false);
    for link in all(tree).filter(|link| link.digest.algorithm() == Algorithm::Sha256) {
        let etag = link.listed.object().and_then(|object| object.etag.as_deref());
        match etag.filter(|etag| etag.len() == 32) {
            Some(etag) if link_etag(&link.digest) == etag => is_proven = true,
            Some(_) => others.push(link.listed.key()),
            None => {}
        }
    }
    if is_proven || others.len() <= UNPROVEN { others } else { Vec::new() }
}

/// Whether a link says what its key tells. Under other algorithms than sha256 registries keep aliases.
pub(crate) fn is_right(link: &Link, text: &LinkText) -> bool {
    match text {
        // What is gone is no broken link.
        LinkText::Gone => true,
        LinkText::Unreadable => false,
        LinkText::Text(text) => parse_link(text).is_ok_and(|digest| {
            digest == link.digest || link.digest.algorithm() != Algorithm::Sha256
        }),
    }
}

#[cfg(test)]
mod tests {
    use registry::{Digest, Layout, RepositoryName, Timestamp};
    use store::Object;

    use super::*;

    fn tree(etags: impl IntoIterator<Item = String>) -> RepositoryTree {
        let mut tree = RepositoryTree::new(RepositoryName::new("a").unwrap());
        for (n, etag) in (0u8..).zip(etags) {
            let hex = Digest::sha256(&[n]).hex();
            let key = format!("docker/registry/v2/repositories/a/_layers/sha256/{hex}/link");
            let etag = Some(etag.as_str().into());
            let object = Object { key: key.into(), size: 71, modified: Timestamp::default(), etag };
            tree.add(&Layout::new(""), object.into());
        }
        tree
    }

    #[test]
    fn entity_tags_that_are_no_md5_do_not_make_every_link_a_suspect() {
        let right = |n: u8| link_etag(&Digest::sha256(&[n]));
        let wrong = |n: u8| right(n + 100);
        assert_eq!(by_etag(&tree((0..50).map(wrong))).len(), 0);
        assert_eq!(by_etag(&tree((0..16).map(wrong))).len(), 16);
        let mixed = (0..50).map(|n| if n == 7 { right(n) } else { wrong(n) });
        assert_eq!(by_etag(&tree(mixed)).len(), 49);
        assert_eq!(by_etag(&tree((0..50).map(right))).len(), 0);
    }
}
