//! What can be done about findings without asking anybody: what is provably useless is removed.
//!
//! Each kind of repair carries its proof. Whatever lacks one stays as it is, since a person may bring back what is
//! missing, and what is there says what that was: a tag that points nowhere, a link to a manifest without its data, a
//! layer that a manifest names.

use registry::Digest;
use store::Object;

/// What to do about a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The link, as both looks saw it.
    pub link: Object,
    /// The digest that its key tells.
    pub digest: Digest,
    /// What to do.
    pub remedy: Remedy,
}

/// What to do about a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remedy {
    /// It is useless.
    Remove(Useless),
}

/// Why a link is useless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Useless {
    /// A layer link whose data is not there, and that no manifest of its repository names.
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
