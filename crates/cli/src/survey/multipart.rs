//! Incomplete multipart uploads: listed, and shown page by page.

use std::sync::Arc;

use lister::ListError;
use planner::{Cutoffs, Standing, standing};
use store::{
    ErrorKind, MultipartStep, MultipartStore, MultipartUpload, MultipartWalk, Parts, StoreError,
};

use super::{Survey, lost};
use crate::Failure;

/// What a store says that has no such listing.
const UNTOLD: &str = "the store does not list them";

/// An upload that was met.
#[derive(Debug)]
pub(crate) struct Met {
    pub(crate) upload: MultipartUpload,
    pub(crate) standing: Standing,
    pub(crate) parts: Weight,
}

/// What is known of the parts of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Nobody asked.
    Unasked,
    /// The upload ended meanwhile.
    Ended,
    /// They cannot be listed, so that nobody knows how old they are (G4).
    Unread,
    /// These.
    Known(Parts),
}

/// Of which uploads to ask for the parts, one request each. Never of those that are no registry's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weigh {
    /// Of those that were begun long enough ago to go.
    Old,
    /// Of all.
    All,
}

/// Whether all uploads were seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// All of them.
    Whole,
    /// None, and nobody knows how many there are, for this reason.
    Unknown(String),
}

/// Shows every upload below the root of the layout to `see`, a page at a time. One request for each thousand uploads, and
/// those that `weigh` asks for.
///
/// # Errors
/// Where any may have been missed (G3), or `see` fails. That the store has no such listing, does not allow it, or gives one
/// that cannot be believed, is no error: nobody knows then.
pub(crate) async fn visit_uploads<S: MultipartStore>(
    survey: Survey<'_, S>,
    cutoffs: Cutoffs,
    weigh: Weigh,
    mut see: impl FnMut(Vec<Met>) -> Result<(), Failure>,
) -> Result<Sight, Failure> {
    let mut walk = MultipartWalk::new(survey.layout.base());
    let mut is_begun = false;
    loop {
        if survey.stop.is_asked() {
            return Err(Failure::Stopped { is_sweeping: false });
        }
        match walk.next(survey.store.as_ref()).await {
            Ok(MultipartStep::Uploads(uploads)) => {
                see(meet(survey, cutoffs, weigh, uploads).await?)?;
            }
            Ok(MultipartStep::End) => return Ok(Sight::Whole),
            Ok(MultipartStep::Untold) => return Ok(Sight::Unknown(UNTOLD.to_owned())),
            Err(error) if is_final(error.kind) && !is_begun => {
                tracing::warn!(%error, source = ?error.source, "multipart uploads are not known");
                return Ok(Sight::Unknown(error.to_string()));
            }
            Err(error) => return Err(failed(&survey, error)),
        }
        is_begun = true;
    }
}

/// Whether the store would say the same tomorrow: nobody has to wait for what never comes.
const fn is_final(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Denied | ErrorKind::Malformed)
}

fn failed<S>(survey: &Survey<'_, S>, source: StoreError) -> Failure {
    ListError::Uploads { within: survey.layout.base().into(), source }.into()
}

async fn meet<S: MultipartStore>(
    survey: Survey<'_, S>,
    cutoffs: Cutoffs,
    weigh: Weigh,
    uploads: Vec<MultipartUpload>,
) -> Result<Vec<Met>, Failure> {
    let store = Arc::clone(survey.store);
    let ask = move |(upload, standing): (MultipartUpload, Standing)| {
        let store = Arc::clone(&store);
        async move {
            let asked = match standing {
                Standing::Foreign => false,
                Standing::Young => weigh == Weigh::All,
                Standing::Old => true,
            };
            let parts = if asked { store.parts(&upload).await.map(Some) } else { Ok(None) };
            Ok::<_, Failure>((upload, standing, parts))
        }
    };
    let stand = |upload: MultipartUpload| {
        let standing = standing(survey.layout, &upload, &cutoffs);
        (upload, standing)
    };
    let questions = uploads.into_iter().map(stand).collect();
    let answers = crew::each(questions, survey.width, ask, lost).await?;
    let met = |(upload, standing, parts): (_, _, Result<_, StoreError>)| {
        let parts = match parts {
            Ok(None) => Weight::Unasked,
            Ok(Some(None)) => Weight::Ended,
            Ok(Some(Some(parts))) => Weight::Known(parts),
            Err(error) if is_final(error.kind) => Weight::Unread,
            Err(error) => return Err(failed(&survey, error)),
        };
        Ok(Met { upload, standing, parts })
    };
    answers.into_iter().map(met).collect()
}
