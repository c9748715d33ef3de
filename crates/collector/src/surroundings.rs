//! What a collection needs beside the store.

use std::future::Future;

use ledger::GenerationId;
use marker::MarkSet;
use planner::{MultipartSeen, Plan, Row};
use registry::{Digest, RepositoryName};
use store::{KeyOutcome, Trash};

/// What a look is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To condemn what nothing needs.
    Condemn,
    /// To see what is needed, or linked at all, of what was condemned.
    Again,
}

/// What was seen of a registry.
#[derive(Debug)]
pub struct Look<E> {
    /// What nothing needs, and is too old to be in use.
    pub plan: Plan,
    /// What is needed; for [`Purpose::Again`] also whatever a link names.
    pub marks: MarkSet,
    /// Repositories in which something could not be read or understood (G4).
    pub pinned: Vec<RepositoryName>,
    /// Why nothing may be deleted by this look: it looks wrong. It may give back all the same.
    pub objection: Option<E>,
}

/// What the registry may remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The repository that serves it; none for what is known of the store alone.
    pub repository: Option<RepositoryName>,
    /// The digest.
    pub digest: Digest,
}

/// Some of the incomplete multipart uploads of a registry, or the end of them.
#[derive(Debug)]
pub enum Uploads {
    /// Those that are old enough to go, with the time of their newest part; there may be none.
    Old(Vec<Row>),
    /// There are no more: what was seen of all of them.
    End(MultipartSeen),
}

/// What became of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It was condemned, and the links to it are about to be taken.
    Condemned,
    /// It was deleted; the links to it went when it was condemned.
    Deleted,
}

/// What a collection needs beside the store.
pub trait Surroundings {
    /// Why any of it failed.
    type Error;

    /// Looks at the whole registry; whatever it lists, it lists after it was called. Blobs that are `held` by generations
    /// have no links any more, and that says nothing of the registry.
    ///
    /// # Errors
    /// Where anything may have been missed: nothing is concluded then.
    fn look(
        &mut self,
        purpose: Purpose,
        held: &[Digest],
    ) -> impl Future<Output = Result<Look<Self::Error>, Self::Error>>;

    /// Makes the registry's cache forget.
    ///
    /// # Errors
    /// Where anything of it may still be remembered.
    fn purge(&mut self, remembered: &[Remembered])
    -> impl Future<Output = Result<(), Self::Error>>;

    /// Which of these the registry's cache believes to be there, in their order; none where no cache can be asked.
    ///
    /// # Errors
    /// Where there is a cache that does not say.
    fn believes(
        &mut self,
        digests: &[Digest],
    ) -> impl Future<Output = Result<Vec<bool>, Self::Error>>;

    /// Where the data of a generation goes, ready to be filled; `None` where deleting it leaves a version, or where the
    /// operator takes the risk.
    ///
    /// # Errors
    /// Where it cannot be made ready: nothing is deleted then.
    fn trash(
        &mut self,
        generation: &GenerationId,
    ) -> impl Future<Output = Result<Option<Trash>, Self::Error>>;

    /// Where the data of a generation would have gone, filled or not.
    fn trash_of(&self, generation: &GenerationId) -> Trash;

    /// Whether anybody wants to hear of deletions; otherwise [`Surroundings::witness`] is not called.
    fn hears(&self) -> bool;

    /// Hears what became of objects that a generation wanted gone, or of multipart uploads, which are of none: as soon as
    /// all requests that were in flight together were answered, and before the ledger does (G11).
    ///
    /// A blob of which it did not hear, because the process died, is not on record as deleted: the next run gives it
    /// back, deletes it, or finds it gone and says that. Of links nothing is promised then: a generation in which they
    /// are being taken is given up by the next run, which writes back all of them, and nobody hears of those that were
    /// taken. Nor does anybody of an upload that was aborted just then: no list shows it any more.
    ///
    /// # Errors
    /// Where that cannot be kept: nothing more is deleted then.
    fn witness(
        &mut self,
        generation: Option<&GenerationId>,
        outcomes: Vec<(Row, KeyOutcome)>,
    ) -> impl Future<Output = Result<(), Self::Error>>;

    /// The next of the incomplete multipart uploads, until their end. No part of one that goes came since a time that the
    /// store told before it was asked (G1), and so long ago that no push takes as long.
    ///
    /// # Errors
    /// Where any may have been missed (G3).
    fn uploads(&mut self) -> impl Future<Output = Result<Uploads, Self::Error>>;

    /// Whether anybody notes, blob by blob, what this became of; otherwise [`Surroundings::note`] is not called for it.
    fn notes(&self, what: Noted) -> bool;

    /// Notes what became of a blob, with the links to it. Decides nothing; what is noted adds up to
    /// [`Report::condemned`](crate::Report::condemned) and [`Report::deleted`](crate::Report::deleted).
    fn note(&mut self, what: Noted, blob: &Row, links: &[Row]);

    /// Says that a generation is closed, and its trash may be emptied in time.
    ///
    /// # Errors
    /// Where that cannot be said; said again, it is harmless.
    fn closed(
        &mut self,
        generation: &GenerationId,
    ) -> impl Future<Output = Result<(), Self::Error>>;
}
