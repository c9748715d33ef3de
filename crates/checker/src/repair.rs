//! What can be done about findings without asking anybody: what is provably useless is removed, and broken links of
//! which it is provable what they have to say are written anew.
//!
//! Each kind of repair carries its proof. Whatever lacks one stays as it is, since a person may bring back what is
//! missing, and what is there says what that was: a tag that points nowhere, a link to a manifest without its data, a
//! layer that a manifest names.

use registry::Digest;
use store::Object;

/// What to do about a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The link, as it was listed and seen again.
    pub link: Object,
    /// The digest that its key tells; of a tag, the one that its only entry in the history tells.
    pub digest: Digest,
    /// What to do.
    pub remedy: Remedy,
}

/// What to do about a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remedy {
    /// It is useless.
    Remove(Useless),
    /// It is empty, cut off, or otherwise no digest, and has to name [`Repair::digest`]. What it says may be
    /// what is left of that digest, or is no word of any; one that names another is never written over.
    ///
    /// *Proof for the link to a manifest.* Registries write nothing but the digest of its key into a revision link under
    /// sha256. The data is there, hashes to it, and is a manifest.
    ///
    /// *Proof for a layer link.* The same; the data is there, and nothing is known to be wrong with it. Were it cut off,
    /// a broken link would at least have the next push send it anew.
    ///
    /// *Proof for an entry in the history of a tag.* The same; its revision link is right, or written anew
    /// too, and leads to a manifest.
    ///
    /// *Proof for a tag.* A registry writes the entry in the history first and the tag right after it. There is one entry
    /// alone, written with the tag, so the tag had its digest and no other; its revision link is right, or written anew
    /// too, and leads to a manifest. A tag that was moved has two entries, and one that was to be moved when a disk
    /// lost the other entry has one that is older.
    ///
    /// Source: distribution `registry/storage/linkedblobstore.go`, `linkBlob`; `registry/storage/tagstore.go`, `Tag`.
    Rewrite,
}

/// Why a link is useless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Useless {
    /// A layer link whose data is not there, and that no manifest of its repository names.
    ///
    /// Its content is right, or says nothing.
    ///
    /// *Proof.* A registry answers for a layer where its link and its data are there, and without the data as it does
    /// without the link: who pulls does not get it, who pushes sends it, and the link is written again then. Every
    /// manifest of the repository was read and understood, and none names the digest, so no image has more of it where
    /// the data comes back.
    Layer,
    /// An entry in the history of a tag that names a manifest which the repository does not link, while the tag points
    /// to another that it does link.
    ///
    /// *Proof.* No registry reads the history to serve anything: a tag is what its current link says, and that is
    /// there, says something else, and leads to a manifest. A registry that deletes by history finds nothing to delete
    /// by this entry.
    History,
}
