//! Incomplete multipart uploads: how many there are, how large, and how many of them could go.

use planner::{Amount, Cutoffs, Standing, judge_multipart};
use registry::Layout;
use store::MultipartStore;

use crate::Failure;
use crate::survey::{Met, MetUpload, Sight, Survey, UploadWalk, Weigh, Weight};

/// Incomplete multipart uploads of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MultipartUsage {
    /// All of them were listed.
    Known(MultipartTotals),
    /// Nobody knows how many there are: the store has no such listing, or does not allow it.
    Unknown {
        /// Why.
        why: String,
    },
}

/// Sums over incomplete multipart uploads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MultipartTotals {
    /// Those of the registry, with the bytes of their parts.
    pub all: Amount,
    /// Among them what a plan would abort.
    pub reclaimable: Amount,
    /// Among them those whose parts could not be listed: their bytes are not known.
    pub unread: u64,
    /// Beside them: those whose keys no registry writes in parts.
    pub foreign: u64,
}

/// Counts them. One request for each thousand uploads, and one for each of the registry's own.
///
/// # Errors
/// Where any may have been missed (G3).
pub(super) async fn count_uploads<S: MultipartStore>(
    survey: Survey<'_, S>,
    cutoffs: Cutoffs,
) -> Result<MultipartUsage, Failure> {
    let mut totals = MultipartTotals::default();
    let mut walk = UploadWalk::new(survey.layout, cutoffs, Weigh::All);
    loop {
        match walk.next(&survey.uploads()).await? {
            Met::Uploads(uploads) => {
                for met in &uploads {
                    totals.see(survey.layout, met, &cutoffs);
                }
            }
            Met::End(Sight::Whole) => return Ok(MultipartUsage::Known(totals)),
            Met::End(Sight::Unknown(why)) => return Ok(MultipartUsage::Unknown { why }),
        }
    }
}

impl MultipartTotals {
    fn see(&mut self, layout: &Layout, met: &MetUpload, cutoffs: &Cutoffs) {
        match (met.standing, met.parts) {
            (Standing::Foreign, _) => self.foreign += 1,
            (_, Weight::Ended) => {}
            (_, Weight::Unread | Weight::Unasked) => {
                self.all.add(0);
                self.unread += 1;
            }
            (_, Weight::Known(parts)) => {
                self.all.add(parts.bytes);
                let row = judge_multipart(layout, &met.upload, &parts, cutoffs);
                if let Some(row) = row {
                    self.reclaimable.add(row.bytes);
                }
            }
        }
    }
}
