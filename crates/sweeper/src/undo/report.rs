//! What became of an undo.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use planner::RowKind;
use store::KeyFailure;

use crate::{Cause, Count, Ended};

/// Why an object cannot be brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The store kept nothing of it: the bucket has no versions, or stopped keeping them, and no trash was asked for.
    NothingKept,
    /// The version that the deletion hid is gone: a rule of the bucket, or somebody, removed it.
    VersionGone,
    /// A delete marker hides it that this program did not make: somebody else deleted it too.
    OtherMarker,
    /// It went to the trash, and the trash was emptied.
    TrashEmptied,
    /// A link whose blob cannot be brought back.
    Dangling,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::NothingKept,
        Self::VersionGone,
        Self::OtherMarker,
        Self::TrashEmptied,
        Self::Dangling,
    ];

    /// The name in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NothingKept => "nothing-kept",
            Self::VersionGone => "version-gone",
            Self::OtherMarker => "other-marker",
            Self::TrashEmptied => "trash-emptied",
            Self::Dangling => "dangling",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingKept => "the store kept nothing of it",
            Self::VersionGone => "the version that was deleted is gone",
            Self::OtherMarker => "somebody else deleted it too",
            Self::TrashEmptied => "it is not in the trash any more",
            Self::Dangling => "the blob it names cannot be brought back",
        })
    }
}

/// What became of objects that were deleted, or may have been.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returns {
    /// They are back; in a dry run, they would be.
    pub restored: Count,
    /// They are there: written again since, brought back before, or never deleted.
    pub present: Count,
    /// They cannot be brought back.
    pub lost: BTreeMap<Why, Count>,
    /// The store failed; another undo may bring them back.
    pub failed: Count,
}

impl Returns {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> Count {
        self.restored + self.present + self.all_lost() + self.failed
    }

    /// Those that cannot be brought back, for whatever reason.
    #[must_use]
    pub fn all_lost(&self) -> Count {
        self.lost.values().copied().sum()
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.restored += other.restored;
        self.present += other.present;
        self.failed += other.failed;
        for (why, count) in &other.lost {
            *self.lost.entry(*why).or_default() += *count;
        }
    }
}

/// An object that is not back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its key.
    pub key: Box<str>,
    /// Why.
    pub why: MissingWhy,
}

/// Why an object is not back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MissingWhy {
    /// It cannot be.
    Lost(Why),
    /// The store failed.
    Failed(KeyFailure),
}

impl fmt::Display for MissingWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(why) => why.fmt(f),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

/// What became of all that a plan deleted, or of what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct UndoReport {
    /// How it ended.
    pub ended: Ended,
    /// Whether nothing was changed.
    pub is_dry_run: bool,
    /// How many objects the journal says were deleted, or may have been; none where only some were asked for.
    pub deleted: Option<u64>,
    /// Incomplete multipart uploads that were aborted, which nothing brings back; none of the deleted. Zero where only some
    /// was asked for.
    pub aborted: Count,
    /// Broken links that were written anew, and stay so; none of the deleted. Zero where only some was asked for.
    pub rewritten: Count,
    /// By kind.
    pub kinds: BTreeMap<RowKind, Returns>,
    /// The first objects that are not back, at most [`UndoReport::MISSING`].
    pub missing: Vec<Missing>,
}

impl UndoReport {
    /// How many objects that are not back are kept by name.
    pub const MISSING: usize = 20;

    /// All kinds together.
    #[must_use]
    pub fn total(&self) -> Returns {
        let mut total = Returns::default();
        self.kinds.values().for_each(|returns| total.add(returns));
        total
    }

    /// Whether everything is back or was written again.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let total = self.total();
        let missing = total.all_lost() + total.failed;
        self.ended == Ended::Completed && missing.objects == 0
    }

    /// G10: of all that was deleted, how many objects were looked at in an undo that went through; an error where they are
    /// not as many.
    pub(super) fn check(&self) -> Result<(), Cause> {
        let counted = self.total().total().objects;
        match self.deleted {
            Some(deleted) if self.ended == Ended::Completed && deleted != counted => {
                Err(Cause::Miscounted { deleted, counted })
            }
            _ => Ok(()),
        }
    }
}

/// An undo that came to no good end, and how far it came. Another one goes on.
#[derive(Debug)]
pub struct UndoError {
    /// What went wrong first.
    pub cause: Cause,
    /// What was done by this run.
    pub report: Box<UndoReport>,
}

impl UndoError {
    /// That of a plan that was never carried out.
    #[must_use]
    pub fn nothing_deleted() -> Self {
        let report = UndoReport {
            ended: Ended::Broken,
            is_dry_run: false,
            deleted: Some(0),
            aborted: Count::default(),
            rewritten: Count::default(),
            kinds: BTreeMap::new(),
            missing: Vec::new(),
        };
        Self { cause: Cause::NothingDeleted, report: Box::new(report) }
    }
}

impl fmt::Display for UndoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl Error for UndoError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}
