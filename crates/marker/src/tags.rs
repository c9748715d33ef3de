//! What tags point to, without reading what the listing already tells.

use std::fmt::Write as _;

use lister::{RepositoryTree, TagTree};
use md5::{Digest as _, Md5};
use registry::{Digest, link_text};

/// The digest a tag points to, where the entity tag of its link proves it: the MD5 of the link's text.
///
/// Candidates are the tag's own history, then every revision of the repository. A store whose entity tags are
/// something else never matches, and the link is read.
pub(crate) fn by_etag(tree: &RepositoryTree, tag: &TagTree) -> Option<Digest> {
    let etag = tag.current.as_ref()?.etag.as_deref().filter(|etag| etag.len() == 32)?;
    let candidates = tag.index.iter().rev().chain(&tree.revisions);
    candidates.map(|link| link.digest).find(|digest| md5_hex(&link_text(digest)) == etag)
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
    use super::*;

    #[test]
    fn md5_is_the_published_one() {
        assert_eq!(md5_hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
    }
}
