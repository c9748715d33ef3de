//! Links: what their keys leave in doubt, and what their contents say.

use foldhash::HashSet;
use lister::{Link, RepositoryTree};
use registry::{Algorithm, Digest, Manifest, Role, Timestamp, parse_link};
use store::{ErrorKind, Listed, ReadStore, StoreError};

use crate::{Evidence, Known, Library, MarkError, What};

/// The longest content of any link: a sha512 digest with room for what was appended by mistake.
const LINK_LIMIT: u64 = 1024;

/// What the content of a link says.
pub(crate) enum Content {
    /// It names a digest.
    Digest(Digest),
    /// The link is gone, and names nothing any more.
    Gone,
    /// It cannot be understood (G4).
    Doubtful(What),
    /// The store says no (G4).
    Unreadable {
        /// The link.
        key: Box<str>,
        /// How it said so.
        source: StoreError,
    },
}

/// Reads a link.
///
/// # Errors
/// [`MarkError::Link`] where the store failed in a way that may pass.
pub(crate) async fn read<S: ReadStore>(
    library: &Library<S>,
    key: Box<str>,
) -> Result<Content, MarkError> {
    let content = match library.get(&key, LINK_LIMIT).await {
        Ok(content) => content,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Content::Gone),
        Err(source) if says_no(source.kind) => return Ok(Content::Unreadable { key, source }),
        Err(source) => return Err(MarkError::Link { key, source }),
    };
    Ok(match parse_link(&content) {
        Ok(digest) => Content::Digest(digest),
        Err(error) => Content::Doubtful(What::BrokenLink { key, error }),
    })
}

/// Reads when an upload started. The registry takes a start that it cannot read for one that has not come yet; so
/// `None` keeps the upload.
///
/// # Errors
/// [`MarkError::Link`] where the store failed in a way that may pass.
pub(crate) async fn read_start<S: ReadStore>(
    library: &Library<S>,
    key: Box<str>,
) -> Result<Option<Timestamp>, MarkError> {
    match library.get(&key, LINK_LIMIT).await {
        Ok(content) => Ok(std::str::from_utf8(&content).ok().and_then(|text| text.parse().ok())),
        Err(error) if error.kind == ErrorKind::NotFound || says_no(error.kind) => Ok(None),
        Err(source) => Err(MarkError::Link { key, source }),
    }
}

/// Whether a failure says something definite about an object that is there.
pub(crate) fn says_no(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Denied | ErrorKind::TooLarge)
}

/// Layer links whose key does not tell what they serve: another algorithm, or content of another length. What was not
/// looked at is taken for what a registry writes.
pub(crate) fn unclear_layers(tree: &RepositoryTree) -> impl Iterator<Item = &Link> {
    let is_other = |link: &&Link| link.digest.algorithm() != Algorithm::Sha256;
    let is_empty = |link: &&Link| size(link) == Some(0);
    tree.layers.iter().filter(move |link| is_other(link) || (is_irregular(link) && !is_empty(link)))
}

/// Revision links under another algorithm, which no registry writes: their content may name a manifest that is
/// served under this digest.
pub(crate) fn unclear_revisions(tree: &RepositoryTree) -> impl Iterator<Item = &Link> {
    tree.revisions.iter().filter(|link| link.digest.algorithm() != Algorithm::Sha256)
}

/// The length of a link, where it was looked at.
fn size(link: &Link) -> Option<u64> {
    link.listed.object().map(|object| object.size)
}

/// The length of a link that says what its key says.
fn length(link: &Link) -> u64 {
    let digest = &link.digest;
    (digest.algorithm().name().len() + 1 + digest.as_bytes().len() * 2) as u64
}

/// Whether a link is known to say something else than its key.
pub(crate) fn is_irregular(link: &Link) -> bool {
    size(link).is_some_and(|size| size != length(link))
}

/// What the keys of a repository alone leave in doubt.
pub(crate) fn doubts_of_keys(tree: &RepositoryTree) -> Vec<What> {
    let key = |listed: &Listed| listed.key().into();
    let irregular = (!tree.name.is_regular()).then_some(What::IrregularName);
    let odd = tree.odd_links.iter().map(|listed| What::OddLink { key: key(listed) });
    let links = tree.revisions.iter().chain(&tree.layers).filter(|link| is_half_written(link));
    let broken = links.map(|link| What::HalfWrittenLink { key: key(&link.listed) });
    irregular.into_iter().chain(odd).chain(broken).collect()
}

fn is_half_written(link: &Link) -> bool {
    match link.digest.algorithm() {
        Algorithm::Sha256 => is_irregular(link),
        Algorithm::Sha384 | Algorithm::Sha512 => size(link) == Some(0),
    }
}

/// The digest that a link names; a doubt is noted.
pub(crate) fn named(content: Content, evidence: &mut Evidence) -> Option<Digest> {
    match content {
        Content::Digest(digest) => Some(digest),
        Content::Gone => None,
        Content::Doubtful(what) => {
            evidence.doubts.push(what);
            None
        }
        Content::Unreadable { key, source } => {
            let message = source.kind.to_string().into();
            evidence.doubts.push(What::UnreadableLink { key, message });
            None
        }
    }
}

/// Manifests not yet read that no revision link serves but a layer link does, as registry 2.1 kept them: what tags
/// point to or once pointed to, and children that say they are manifests.
pub(crate) fn served_by_layer_links(tree: &RepositoryTree, evidence: &Evidence) -> Vec<Digest> {
    let tagged = tree.tags.iter().flat_map(|tag| &tag.index).map(|link| link.digest);
    let targets = evidence.targets.iter().map(|target| target.digest);
    let manifests = evidence.manifests.values().filter_map(|known| match known {
        Known::Manifest(manifest) => Some(manifest),
        Known::Missing | Known::Doubtful(_) => None,
    });
    let children = manifests.flat_map(Manifest::references);
    let children = children
        .filter(|edge| edge.role == Role::Child && edge.target.is_some())
        .map(|edge| edge.digest);
    let unread = |digest: &Digest| !evidence.manifests.contains_key(digest);
    let distinct: HashSet<Digest> = tagged.chain(targets).chain(children).filter(unread).collect();
    if distinct.is_empty() {
        return Vec::new();
    }
    let layers: HashSet<Digest> = tree.layers.iter().map(|link| link.digest).collect();
    distinct.intersection(&layers).copied().collect()
}
