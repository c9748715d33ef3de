//! What is seen of a repository: by listing, and where that leaves a doubt by a second look.

use lister::Link;
use marker::{DigestReader, Known, SpillError, What};
use registry::Digest;
use store::{Listed, Object};

use crate::blobs::{Rot, has_data, sized};
use crate::image::{Part, Trouble};
use crate::links::{is_right, names_no_other};
use crate::repository::Reference;
use crate::suspects::LinkText;
use crate::{Repository, Seen, Suspects};

/// Looks at a repository. Without a second look everything that is suspected is taken for true and noted.
pub(crate) struct Sight<'a> {
    pub(crate) repository: &'a Repository<'a>,
    seen: Option<&'a Seen>,
    present: DigestReader<'a>,
    sized: DigestReader<'a>,
    pub(crate) suspects: Suspects,
}

impl<'a> Sight<'a> {
    pub(crate) fn new(repository: &'a Repository<'a>, seen: Option<&'a Seen>) -> Self {
        let (present, sized) = (repository.blobs.present.reader(), repository.blobs.sized.reader());
        Self { repository, seen, present, sized, suspects: Suspects::default() }
    }

    /// Whether nobody looked a second time yet, so that all that may matter has to be asked for.
    pub(crate) fn is_first(&self) -> bool {
        self.seen.is_none()
    }

    /// What is wrong with a blob that should have `size` bytes, where that is known.
    pub(crate) fn blob(
        &mut self,
        digest: &Digest,
        size: Option<u64>,
    ) -> Result<Option<Trouble>, SpillError> {
        if let Some(rot) = self.repository.blobs.rotten.get(digest) {
            return Ok(Some(match rot {
                Rot::Other => Trouble::Content,
                Rot::Unreadable => Trouble::Unreadable,
            }));
        }
        let listed = if !self.present.contains(digest)? {
            Some(Trouble::Missing)
        } else if let Some(size) = size
            && !self.sized.contains(&sized(digest, size))?
        {
            Some(Trouble::Size)
        } else {
            None
        };
        Ok(listed.and_then(|trouble| self.look_at_blob(digest, size, trouble)))
    }

    fn look_at_blob(
        &mut self,
        digest: &Digest,
        size: Option<u64>,
        listed: Trouble,
    ) -> Option<Trouble> {
        let key = self.repository.layout.blob(digest);
        let Some(seen) = self.seen else {
            self.suspects.looks.insert(key.into());
            return Some(listed);
        };
        // What was not looked at is not judged (G4).
        match seen.looked.get(key.as_str())? {
            None => Some(Trouble::Missing),
            Some(object) if !has_data(digest, object.size) => Some(Trouble::Empty),
            Some(object) => size.filter(|size| *size != object.size).map(|_| Trouble::Size),
        }
    }

    /// How many bytes a blob has, where somebody looked.
    pub(crate) fn size_of(&self, digest: &Digest) -> Option<u64> {
        let key = self.repository.layout.blob(digest);
        Some(self.seen?.looked.get(key.as_str())?.as_ref()?.size)
    }

    /// What is wrong with a link; nothing where it is not there.
    pub(crate) fn link(&mut self, link: &Link) -> Option<Trouble> {
        self.text(link.listed.key(), |text| is_right(link, text))
    }

    /// What is wrong with a link that is right where `is_right` says so.
    pub(crate) fn text(
        &mut self,
        key: &str,
        is_right: impl Fn(&LinkText) -> bool,
    ) -> Option<Trouble> {
        if !self.repository.doubtful.contains(key) {
            return None;
        }
        let Some(seen) = self.seen else {
            self.suspects.reads.insert(key.into());
            return Some(Trouble::BrokenLink);
        };
        let text = seen.read.get(key)?;
        match text {
            LinkText::Unreadable => Some(Trouble::Unreadable),
            text => (!is_right(text)).then_some(Trouble::BrokenLink),
        }
    }

    /// Whether a key that was not listed is not there.
    pub(crate) fn is_absent(&mut self, key: String) -> bool {
        let Some(seen) = self.seen else {
            self.suspects.looks.insert(key.into());
            return true;
        };
        matches!(seen.looked.get(key.as_str()), Some(None))
    }

    /// Whether a key that was listed is there; asked only of those whose loss would explain another.
    pub(crate) fn is_there(&mut self, key: &str) -> bool {
        let Some(seen) = self.seen else {
            self.suspects.looks.insert(key.into());
            return true;
        };
        !matches!(seen.looked.get(key), Some(None))
    }

    /// A broken link that says nothing of another digest than `digest`, as it was listed; nothing before a second look.
    pub(crate) fn broken(&self, listed: &Listed, digest: &Digest) -> Option<Object> {
        let object = listed.object()?;
        match self.seen?.read.get(&*object.key)? {
            LinkText::Text(text) if text.len() as u64 == object.size => {
                names_no_other(text, digest).then(|| object.clone())
            }
            _ => None,
        }
    }

    /// An entry as it was listed, where a second look saw the same.
    pub(crate) fn unchanged(&self, listed: &Listed) -> Option<Object> {
        let object = listed.object()?;
        let again = self.seen?.looked.get(&*object.key)?.as_ref()?;
        let is_same = (again.size, again.modified) == (object.size, object.modified);
        is_same.then(|| object.clone())
    }

    /// What is wrong with the link that serves what a manifest names.
    pub(crate) fn link_of(&mut self, reference: &Reference) -> Option<Trouble> {
        let digest = &reference.digest;
        let repository = self.repository;
        let (link, key) = if reference.part == Part::Manifest {
            (repository.manifest_link(digest), repository.revision_key(digest))
        } else {
            (repository.layers.get(digest).copied(), repository.layer_key(digest))
        };
        match link {
            Some(link) => self.link(link),
            None => self.is_absent(key).then_some(Trouble::Unlinked),
        }
    }

    /// What is wrong with a manifest that is linked.
    pub(crate) fn manifest(&mut self, digest: &Digest, known: &Known) -> Option<Trouble> {
        match known {
            Known::Missing => self.look_at_blob(digest, None, Trouble::Missing),
            Known::Doubtful(what) => trouble(what),
            Known::Manifest(_) => None,
        }
    }
}

/// What is wrong with data about which there is doubt.
fn trouble(what: &What) -> Option<Trouble> {
    match what {
        What::OtherContent { digest, actual } => {
            let is_empty = *actual == Digest::of(digest.algorithm(), b"");
            Some(if is_empty { Trouble::Empty } else { Trouble::Content })
        }
        What::Unreadable { .. } => Some(Trouble::Unreadable),
        // What is not understood a client may understand.
        _ => None,
    }
}
