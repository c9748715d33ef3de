//! What a plan says about itself.

use std::collections::BTreeMap;

use registry::Timestamp;
use serde::{Deserialize, Serialize};

use crate::file::time_text;
use crate::{Amount, Facts, Note, Policy, RowKind, Stage};

/// Everything about a plan that is not a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the program that made it.
    pub created_by: String,
    /// The registry it was made for.
    pub location: Location,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Purpose::is_collection")]
    pub purpose: Purpose,
    /// What may go.
    pub policy: Policy,
    /// The retention policy beside it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// What a database still knows, where that decided too. Such a plan holds nothing but blobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_list: Option<KeepList>,
    /// The store's time before anything was listed.
    #[serde(with = "time_text")]
    pub t0: Timestamp,
    /// What could not be understood, and was kept for it (G4).
    pub doubts: Doubts,
    /// What the audit found.
    pub notes: Vec<Note>,
    /// What the run saw.
    pub facts: Facts,
    /// What the run asked of the store.
    pub requests: Requests,
    /// What it saw of incomplete multipart uploads; none where it did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multipart: Option<MultipartSeen>,
}

impl Header {
    /// Whether it is known which incomplete multipart uploads there are; if not, that the plan aborts none says nothing.
    #[must_use]
    pub const fn knows_multipart(&self) -> bool {
        matches!(self.multipart, Some(MultipartSeen::Known { .. }))
    }
}

/// What a run saw of incomplete multipart uploads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum MultipartSeen {
    /// All of them were listed; those that are no rows stay.
    Known {
        /// Uploads below the layout's root.
        listed: u64,
        /// Among them those whose keys no registry writes in parts.
        foreign: u64,
        /// Among them those that are too young.
        young: u64,
        /// Among them those whose parts could not be listed, so that nobody knows how old they are (G4).
        unread: u64,
    },
    /// Nobody knows how many there are: the store has no such listing, or does not allow it.
    Unknown {
        /// Why.
        why: String,
    },
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// To delete what nothing needs.
    #[default]
    Collection,
    /// To mend what a check found: what it does not name stays, needed or not.
    Repair,
}

impl Purpose {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    fn is_collection(&self) -> bool {
        *self == Self::Collection
    }
}

/// A registry, as a plan remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Equal for two ways of naming the same registry; compared before a plan is carried out.
    pub identity: String,
    /// What the operator typed.
    pub source: String,
    /// The key or path below which the layout begins.
    pub base: String,
    /// Options of the store that were typed, by name, so that they need not be typed again. No secrets.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// A retention policy, as a plan remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// The file that the operator named.
    pub file: String,
    /// SHA-256 of its text, in hex. Plans of other texts are not taken for each other.
    pub sha256: String,
    /// Its rules, in the order of the file.
    pub rules: Vec<RuleTold>,
}

/// A list of digests that a database still knows, as a plan remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepList {
    /// The file that the operator named.
    pub file: String,
    /// SHA-256 of its bytes, in hex. Plans by other lists are not taken for each other.
    pub sha256: String,
    /// Distinct digests on it.
    pub digests: u64,
    /// When it was exported: when the file was last written, by the clock of the machine that made the plan, or when the
    /// list itself says, whichever is earlier. Whatever was pushed afterwards is not on it.
    #[serde(with = "time_text")]
    pub modified: Timestamp,
}

/// A rule, what it means, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleTold {
    /// Its name.
    pub name: String,
    /// What it means, in words.
    pub means: String,
    /// Tags that it keeps and no rule before it does.
    pub keeps: u64,
    /// Tags that it lets go, which no rule keeps and none before it lets go.
    pub expires: u64,
    /// Links to manifests that go by it: with all tags that reached them, or for want of one.
    pub manifests: u64,
}

/// Requests sent, retries included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// LIST requests.
    pub list: u64,
    /// GET requests.
    pub get: u64,
    /// HEAD requests.
    pub head: u64,
    /// PUT requests.
    pub put: u64,
    /// Delete requests.
    pub delete: u64,
    /// Manifests that GET requests asked for.
    #[serde(default)]
    pub manifests: u64,
    /// Manifests that an earlier run had read, so that nothing was asked; once for each repository that has them.
    #[serde(default)]
    pub recalled: u64,
}

/// Something that could not be read or understood; all that its repository links is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The repository that it pins.
    pub repository: String,
    /// The digest or key that is in doubt.
    pub what: String,
    /// Why.
    pub message: String,
}

/// All doubts by number, the first of them in full.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubts {
    total: u64,
    sample: Vec<Doubt>,
}

impl Doubts {
    /// The most doubts that are kept in full.
    pub const SAMPLE: usize = 100;

    /// Counts a doubt; keeps it while there is room.
    pub fn add(&mut self, doubt: Doubt) {
        self.total += 1;
        if self.sample.len() < Self::SAMPLE {
            self.sample.push(doubt);
        }
    }

    /// Counts `unseen` doubts of which nothing but their number is known.
    pub fn add_unseen(&mut self, unseen: u64) {
        self.total += unseen;
    }

    /// Number of all doubts.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The doubts that were kept, in the order they came; at most [`Doubts::SAMPLE`].
    #[must_use]
    pub fn sample(&self) -> &[Doubt] {
        &self.sample
    }
}

/// What a plan deletes, and which links it writes anew, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    tag_link: Amount,
    revision_link: Amount,
    layer_link: Amount,
    upload: Amount,
    blob: Amount,
    #[serde(default, skip_serializing_if = "is_nothing")]
    multipart_upload: Amount,
    #[serde(default, skip_serializing_if = "is_nothing")]
    broken_link: Amount,
}

/// Programs that know of no such rows read what they always did.
fn is_nothing(amount: &Amount) -> bool {
    *amount == Amount::default()
}

impl Totals {
    /// What goes of one kind.
    #[must_use]
    pub const fn of(&self, kind: RowKind) -> Amount {
        match kind {
            RowKind::TagLink => self.tag_link,
            RowKind::RevisionLink => self.revision_link,
            RowKind::LayerLink => self.layer_link,
            RowKind::Upload => self.upload,
            RowKind::Blob => self.blob,
            RowKind::MultipartUpload => self.multipart_upload,
            RowKind::BrokenLink => self.broken_link,
        }
    }

    /// What goes in one stage.
    #[must_use]
    pub fn of_stage(&self, stage: Stage) -> Amount {
        RowKind::ALL
            .into_iter()
            .filter(|kind| kind.stage() == stage)
            .map(|kind| self.of(kind))
            .sum()
    }

    /// All that goes.
    #[must_use]
    pub fn all(&self) -> Amount {
        RowKind::ALL.into_iter().map(|kind| self.of(kind)).sum()
    }

    pub(crate) fn add(&mut self, kind: RowKind, bytes: u64) {
        self.of_mut(kind).add(bytes);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for kind in RowKind::ALL {
            *self.of_mut(kind) += other.of(kind);
        }
    }

    const fn of_mut(&mut self, kind: RowKind) -> &mut Amount {
        match kind {
            RowKind::TagLink => &mut self.tag_link,
            RowKind::RevisionLink => &mut self.revision_link,
            RowKind::LayerLink => &mut self.layer_link,
            RowKind::Upload => &mut self.upload,
            RowKind::Blob => &mut self.blob,
            RowKind::MultipartUpload => &mut self.multipart_upload,
            RowKind::BrokenLink => &mut self.broken_link,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_kept_by_the_names_of_the_kinds() {
        let mut totals = Totals::default();
        for (kind, bytes) in RowKind::ALL.into_iter().zip(1..) {
            totals.add(kind, bytes);
            assert_eq!(serde_json::to_value(totals).unwrap()[kind.name()]["bytes"], bytes);
        }
        assert_eq!(totals.of_stage(Stage::Layers), Amount { count: 2, bytes: 9 });
        assert_eq!(totals.all(), Amount { count: 7, bytes: 28 });
    }

    #[test]
    fn doubts_are_counted_past_the_sample() {
        let mut doubts = Doubts::default();
        for number in 0..250 {
            let what = number.to_string();
            doubts.add(Doubt { repository: "a".into(), what, message: "cannot be read".into() });
        }
        doubts.add_unseen(50);
        assert_eq!((doubts.total(), doubts.sample().len()), (300, Doubts::SAMPLE));
        assert_eq!(doubts.sample()[99].what, "99");
    }
}
