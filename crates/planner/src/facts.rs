//! What a run saw: the numbers that the audit judges.

use std::iter::Sum;
use std::ops::AddAssign;

use registry::Timestamp;
use serde::{Deserialize, Serialize};

use crate::FreshLinks;
use crate::file::time_text;

/// Objects and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Number of objects.
    pub count: u64,
    /// Sum of their sizes.
    pub bytes: u64,
}

impl Amount {
    /// Counts one object of `bytes`.
    pub fn add(&mut self, bytes: u64) {
        *self += Self { count: 1, bytes };
    }
}

impl AddAssign for Amount {
    /// Saturates: sizes come from a store, and a sum that wraps would look small.
    fn add_assign(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |mut sum, amount| {
            sum += amount;
            sum
        })
    }
}

/// What a run saw. Every part of a run fills its own and they are merged, in any order.
///
/// A *link* is a layer link, a revision link or a tag link; uploads do not count, because a registry that keeps its
/// links elsewhere still writes uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// When the newest link was written; none where there is no link at all.
    #[serde(with = "time_text::option")]
    pub newest_link: Option<Timestamp>,
    /// When the newest blob was written; none where there is no blob.
    #[serde(with = "time_text::option")]
    pub newest_blob: Option<Timestamp>,
    /// Unneeded blobs written more than an hour after the newest link, and before T0: what is pushed while the run lists
    /// says nothing. Every unneeded blob before T0 where there is no link. To be counted once all links are listed.
    pub late_blobs: u64,
    /// Blobs listed. The bytes are those of the blobs that were looked at.
    pub blobs: Amount,
    /// Blobs among them that were listed and not looked at: they are needed, and the run does not say what they weigh.
    pub unweighed_blobs: u64,
    /// Blobs that the plan deletes.
    pub deleted_blobs: Amount,
    /// Blobs aged between the grace and 30 days, as far as they were looked at.
    pub young_blobs: u64,
    /// Young blobs that the plan deletes and that no repository links.
    pub young_orphans: u64,
    /// Repositories listed.
    pub repositories: u64,
    /// Repositories with at least one revision.
    pub repositories_with_revisions: u64,
    /// Repositories with at least one revision and no tag.
    pub untagged_repositories: u64,
    /// Revisions listed.
    pub revisions: u64,
    /// Revisions whose links are aged between the grace and 30 days.
    pub young_revisions: u64,
    /// Revisions that no tag reaches, not even one that a retention policy lets go.
    pub untagged_revisions: u64,
    /// Links written since the run began.
    #[serde(default)]
    pub fresh_links: FreshLinks,
    /// Tags listed.
    pub tags: u64,
    /// Distinct digests marked.
    pub marked: u64,
    /// Keys listed below the layout's root.
    pub keys: u64,
    /// Keys among them that are no part of the layout.
    pub foreign_keys: u64,
    /// Links among the foreign keys that lie outside every repository: another program's layout.
    pub stray_links: u64,
    /// Distinct digests on the keep list; none where there is no list, since an empty one is no list.
    pub keep_list: u64,
    /// Blobs listed that are on it.
    pub keep_list_blobs: u64,
    /// Revisions whose links are aged between the grace and 30 days, and that are not on it, nor is all that they name.
    pub keep_list_gaps: u64,
    /// Blobs listed that were written after the keep list was: somebody pushed since.
    pub keep_list_late_blobs: u64,
}

impl Facts {
    /// Whether a keep list says what a database knows, so that links are not all of the truth.
    #[must_use]
    pub const fn have_keep_list(&self) -> bool {
        self.keep_list > 0
    }

    /// Adds what another part of the run saw. Commutative and associative; `Facts::default()` changes nothing.
    pub fn merge(&mut self, other: &Self) {
        self.newest_link = self.newest_link.max(other.newest_link);
        self.newest_blob = self.newest_blob.max(other.newest_blob);
        self.blobs += other.blobs;
        self.unweighed_blobs += other.unweighed_blobs;
        self.deleted_blobs += other.deleted_blobs;
        self.late_blobs += other.late_blobs;
        self.young_blobs += other.young_blobs;
        self.young_orphans += other.young_orphans;
        self.repositories += other.repositories;
        self.repositories_with_revisions += other.repositories_with_revisions;
        self.untagged_repositories += other.untagged_repositories;
        self.revisions += other.revisions;
        self.young_revisions += other.young_revisions;
        self.untagged_revisions += other.untagged_revisions;
        self.fresh_links.merge(other.fresh_links);
        self.tags += other.tags;
        self.marked += other.marked;
        self.keys += other.keys;
        self.foreign_keys += other.foreign_keys;
        self.stray_links += other.stray_links;
        self.keep_list += other.keep_list;
        self.keep_list_blobs += other.keep_list_blobs;
        self.keep_list_gaps += other.keep_list_gaps;
        self.keep_list_late_blobs += other.keep_list_late_blobs;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts() -> impl Strategy<Value = Facts> {
        let time =
            || proptest::option::of(any::<i32>().prop_map(|s| Timestamp::from_seconds(s.into())));
        (time(), time(), prop::array::uniform23(0..u64::from(u32::MAX))).prop_map(
            |(newest_link, newest_blob, n)| Facts {
                newest_link,
                newest_blob,
                late_blobs: n[0],
                blobs: Amount { count: n[1], bytes: n[2] },
                deleted_blobs: Amount { count: n[3], bytes: n[4] },
                young_blobs: n[5],
                young_orphans: n[6],
                repositories: n[7],
                repositories_with_revisions: n[8],
                untagged_repositories: n[9],
                revisions: n[10],
                untagged_revisions: n[11],
                keys: n[12],
                foreign_keys: n[13],
                stray_links: n[14],
                fresh_links: FreshLinks { count: n[3], keys: n[4] },
                tags: n[15],
                marked: n[16],
                unweighed_blobs: n[17],
                young_revisions: n[18],
                keep_list: n[19],
                keep_list_blobs: n[20],
                keep_list_gaps: n[21],
                keep_list_late_blobs: n[22],
            },
        )
    }

    fn merged(left: &Facts, right: &Facts) -> Facts {
        let mut sum = left.clone();
        sum.merge(right);
        sum
    }

    proptest! {
        #[test]
        fn merging_needs_no_order(a in facts(), b in facts(), c in facts()) {
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
            prop_assert_eq!(merged(&a, &Facts::default()), a);
        }

        #[test]
        fn merging_forgets_no_field(a in facts()) {
            let text = serde_json::to_value(merged(&Facts::default(), &a)).unwrap();
            prop_assert_eq!(text, serde_json::to_value(&a).unwrap());
        }

        #[test]
        fn json_round_trips(a in facts()) {
            let text = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), a);
        }
    }
}
