//! Incomplete multipart uploads: listed, and met page by page.

use std::sync::Arc;

use lister::ListError;
use monitor::Stop;
use planner::{Cutoffs, Standing, standing};
use registry::Layout;
use store::{
    ErrorKind, MultipartStep, MultipartStore, MultipartUpload, MultipartWalk, Parts, StoreError,
};

use super::lost;
use crate::Failure;

/// What a store says that has no such listing.
const UNTOLD: &str = "the store does not list them";

/// An upload that was met.
#[derive(Debug)]
pub(crate) struct MetUpload {
    pub(crate) upload: MultipartUpload,
    pub(crate) standing: Standing,
    pub(crate) parts: Weight,
}

/// What is known of the parts of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Nobody source.
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

/// Of whom is asked what uploads there are.
#[derive(Debug)]
pub struct UploadSource<'a, S> {
    /// The store.
    pub store: &'a Arc<S>,
    /// The registry's keys.
    pub layout: &'a Layout,
    /// How many uploads are asked for their parts at once.
    pub width: usize,
    /// Ends it.
    pub stop: &'a Stop,
}

/// Some of the uploads, or the end of them.
#[derive(Debug)]
pub(crate) enum Met {
    /// A page of them.
    Uploads(Vec<MetUpload>),
    /// There are no more.
    End(Sight),
}

/// A way through all uploads below the root of a layout, page by page (G12).
#[derive(Debug)]
pub(crate) struct UploadWalk {
    walk: MultipartWalk,
    cutoffs: Cutoffs,
    weigh: Weigh,
    is_begun: bool,
}

impl UploadWalk {
    /// The time of the cut-offs was told before anything is asked (G1).
    pub(crate) fn new(layout: &Layout, cutoffs: Cutoffs, weigh: Weigh) -> Self {
        Self { walk: MultipartWalk::new(layout.base()), cutoffs, weigh, is_begun: false }
    }

    /// The next of them. One request for each thousand uploads, and those that it weighs.
    ///
    /// # Errors
    /// Where any may have been missed (G3). That the store has no such listing, does not allow it, or gives one that
    /// cannot be believed, is no error: nobody knows then.
    pub(crate) async fn next<S: MultipartStore>(
        &mut self,
        source: &UploadSource<'_, S>,
    ) -> Result<Met, Failure> {
        if source.stop.is_asked() {
            return Err(Failure::Stopped { is_sweeping: false });
        }
        let step = self.walk.next(source.store.as_ref()).await;
        match step {
            Ok(MultipartStep::Uploads(uploads)) => {
                self.is_begun = true;
                Ok(Met::Uploads(self.meet(source, uploads).await?))
            }
            Ok(MultipartStep::End) => Ok(Met::End(Sight::Whole)),
            Ok(MultipartStep::Untold) => Ok(Met::End(Sight::Unknown(UNTOLD.to_owned()))),
            Err(error) if is_final(error.kind) && !self.is_begun => {
                tracing::warn!(%error, source = ?error.source, "multipart uploads are not known");
                Ok(Met::End(Sight::Unknown(error.to_string())))
            }
            Err(error) => Err(source.failed(error)),
        }
    }

    async fn meet<S: MultipartStore>(
        &self,
        source: &UploadSource<'_, S>,
        uploads: Vec<MultipartUpload>,
    ) -> Result<Vec<MetUpload>, Failure> {
        let (store, weigh) = (Arc::clone(source.store), self.weigh);
        let ask = move |(upload, standing): (MultipartUpload, Standing)| {
            let store = Arc::clone(&store);
            async move {
                let parts = if weigh.asks(standing) {
                    store.parts(&upload).await.map(Weight::of)
                } else {
                    Ok(Weight::Unasked)
                };
                Ok::<_, Failure>((upload, standing, parts))
            }
        };
        let stand = |upload: MultipartUpload| {
            let standing = standing(source.layout, &upload, &self.cutoffs);
            (upload, standing)
        };
        let questions = uploads.into_iter().map(stand).collect();
        let answers = crew::each(questions, source.width, ask, lost).await?;
        let met = |(upload, standing, parts)| {
            Ok(MetUpload { upload, standing, parts: source.weight(parts)? })
        };
        answers.into_iter().map(met).collect()
    }
}

impl Weight {
    fn of(parts: Option<Parts>) -> Self {
        parts.map_or(Self::Ended, Self::Known)
    }
}

impl Weigh {
    fn asks(self, standing: Standing) -> bool {
        match standing {
            Standing::Foreign => false,
            Standing::Young => self == Self::All,
            Standing::Old => true,
        }
    }
}

impl<S> UploadSource<'_, S> {
    fn weight(&self, parts: Result<Weight, StoreError>) -> Result<Weight, Failure> {
        match parts {
            Err(error) if is_final(error.kind) => Ok(Weight::Unread),
            parts => parts.map_err(|error| self.failed(error)),
        }
    }

    fn failed(&self, source: StoreError) -> Failure {
        ListError::Uploads { within: self.layout.base().into(), source }.into()
    }
}

/// Whether the store would say the same tomorrow: nobody has to wait for what never comes.
const fn is_final(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Denied | ErrorKind::Malformed)
}
