//! Links: which may be broken, and whether they are.

use std::collections::HashSet;

use lister::{Link, RepositoryTree};
use marker::{Evidence, What, link_etag};
use registry::{Algorithm, Digest, link_text, parse_link};

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

/// Up to so many characters of a digest may have rotted; any two digests differ in more.
const ROTTEN: usize = 4;

/// Whether a content that is no digest may be what is left of `digest`, or says nothing of any.
pub(crate) fn names_no_other(content: &[u8], digest: &Digest) -> bool {
    if parse_link(content).is_ok() {
        return false;
    }
    let ours = link_text(digest);
    let blank = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
    let start = content.iter().position(|byte| !blank(byte)).unwrap_or(content.len());
    let end = content.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    let words = &content[start..end];
    let is_cut_off = ours.as_bytes().starts_with(words);
    is_cut_off || is_rotten(words, ours.as_bytes()) || !names_any(after(words, ours.as_bytes()))
}

fn is_rotten(words: &[u8], ours: &[u8]) -> bool {
    let others = words.iter().zip(ours).filter(|(word, our)| word != our).count();
    words.len() == ours.len() && others <= ROTTEN
}

/// What stands behind the digest, or all of it.
fn after<'w>(words: &'w [u8], ours: &[u8]) -> &'w [u8] {
    words.strip_prefix(ours).unwrap_or(words)
}

/// Whether the name of an algorithm is there, or enough of a digest without one.
fn names_any(words: &[u8]) -> bool {
    const TELLING: usize = 8;
    let words = words.to_ascii_lowercase();
    let has_name =
        words.windows(4).any(|four| four == b"sha2" || four == b"sha3" || four == b"sha5");
    has_name || words.windows(TELLING).any(|part| part.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use registry::{Layout, RepositoryName, Timestamp};
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
    fn what_is_left_of_a_link_is_told_from_a_word_of_another_digest() {
        let (digest, other) = (Digest::sha256(b"x"), Digest::sha256(b"other"));
        let (ours, theirs) = (link_text(&digest), link_text(&other));
        let mut rotten = ours.clone().into_bytes();
        rotten[20] = b'~';
        let left: [&[u8]; 9] = [
            b"",
            b"\n",
            &[0; 71],
            b"no digest",
            &ours.as_bytes()[..30],
            &rotten,
            &[ours.as_bytes(), b"\n"].concat(),
            &[ours.as_bytes(), b"\0\0"].concat(),
            b"sha256:",
        ];
        for content in left {
            assert!(names_no_other(content, &digest), "{}", content.escape_ascii());
        }
        let hex = other.hex();
        let words: [&[u8]; 8] = [
            ours.as_bytes(),
            theirs.as_bytes(),
            &theirs.as_bytes()[..15],
            &[theirs.as_bytes(), b"\n"].concat(),
            &[ours.as_bytes(), theirs.as_bytes()].concat(),
            hex.as_bytes(),
            &hex.as_bytes()[20..30],
            b"SHA512:",
        ];
        for content in words {
            assert!(!names_no_other(content, &digest), "{}", content.escape_ascii());
        }
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
