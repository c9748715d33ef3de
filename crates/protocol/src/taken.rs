//! Links that were taken, and which of them come back.

use registry::{Digest, RepositoryName, Tag, Timestamp};

/// Which kind of link. A tag's `current` link is never taken while people push: what it says is the push.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkKind {
    /// A repository has a layer.
    Layer,
    /// A repository has a manifest.
    Revision,
    /// A tag once named a manifest.
    TagIndex(Tag),
}

/// A link that a generation took: removed so that what was removed can be looked at, and written back. Its text
/// follows from its target, so it can always be written back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TakenLink {
    /// Which kind.
    pub kind: LinkKind,
    /// Whose it was.
    pub repository: RepositoryName,
    /// The digest in its key.
    pub digest: Digest,
    /// The blob it leads to: the digest in its text, another one where a layer was sent under sha512.
    pub target: Digest,
    /// When it was last written, as it was listed.
    pub listed: Timestamp,
    /// When what was in its place was last written, read after it was taken; none where that is not known.
    pub removed: Option<Timestamp>,
}

impl TakenLink {
    /// Whether somebody wrote it between being listed and being taken, or may have (G4). The push that did so was
    /// perhaps acknowledged and left no other trace: a manifest sent by its digest alone is named by nothing but its
    /// revision link.
    #[must_use]
    pub fn was_overtaken(&self) -> bool {
        self.removed.is_none_or(|removed| removed > self.listed)
    }
}

/// The links to write back for what `is_given_back`: all that lead to it, in every repository, needed there now or
/// not. A push that believes a cache may need one without a trace until its manifest is there, and nobody looks again
/// after what is given back.
pub fn links_to_give_back<'a>(
    taken: impl IntoIterator<Item = &'a TakenLink>,
    is_given_back: impl Fn(&Digest) -> bool,
) -> impl Iterator<Item = &'a TakenLink> {
    taken.into_iter().filter(move |link| is_given_back(&link.target))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(repository: &str, digest: Digest, target: Digest) -> TakenLink {
        TakenLink {
            kind: LinkKind::Layer,
            repository: RepositoryName::new(repository).unwrap(),
            digest,
            target,
            listed: Timestamp::from_seconds(10),
            removed: Some(Timestamp::from_seconds(10)),
        }
    }

    #[test]
    fn a_link_written_after_it_was_listed_was_overtaken_and_so_perhaps_was_an_unknown_one() {
        let digest = Digest::sha256(b"a");
        let taken = link("a", digest, digest);
        assert!(!taken.was_overtaken());
        let later = Some(Timestamp::from_seconds(11));
        assert!(TakenLink { removed: later, ..taken.clone() }.was_overtaken());
        assert!(TakenLink { removed: None, ..taken }.was_overtaken());
    }

    #[test]
    fn every_link_to_what_is_given_back_comes_back_also_under_another_digest() {
        let [a, b] = [b"a", b"b"].map(|content| Digest::sha256(content));
        let alias = Digest::of(registry::Algorithm::Sha512, b"a");
        let taken = [link("x", a, a), link("y", a, a), link("x", alias, a), link("x", b, b)];
        let back: Vec<_> = links_to_give_back(&taken, |digest| *digest == a).collect();
        assert_eq!(back, [&taken[0], &taken[1], &taken[2]]);
    }
}
