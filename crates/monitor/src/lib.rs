//! What is going on, and whether to go on: counters, the phase, the stop signal. No dependencies.
//!
//! # Words
//! A *counter* only grows. A *phase* is what the program is doing now. *Drain*: start nothing new, finish what is in
//! flight. *Abort*: leave at once. An *exchange* is a request with its answer, read whole. A *course* is which phases a
//! run came through, and when.
//!
//! # Guarantees
//! Counting is one relaxed atomic addition, so every stage may count per object; an exchange is three. Whoever draws
//! progress samples; no stage ever calls back into a display.
//!
//! # Shape
//! ```text
//! stages ──count, enter, exchanged──▶ Monitor ◀──sample── progress, summary, metrics, tests
//! signal handler ──ask──▶ Stop ◀──asked── every loop that sends work
//! ```
//!
//! # Start reading at
//! [`Monitor`], [`Stop`].

use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU16, AtomicU64, Ordering};
use std::time::{Duration, Instant};

macro_rules! named_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
        }
    };
}

mod course;
mod exchange;

pub use course::{Counts, Step};
pub use exchange::{BOUNDS, Ending, Latencies, RequestKind};

use course::Course;
use exchange::Exchanges;

named_enum! {
    /// What is counted; the last word of the name is the unit.
    Counter {
        /// LIST requests sent, retries included.
        ListRequests,
        /// GET requests sent, retries included.
        GetRequests,
        /// HEAD requests sent, retries included.
        HeadRequests,
        /// PUT requests sent, retries included.
        PutRequests,
        /// Delete requests sent, retries included; on files, one for each file.
        DeleteRequests,
        /// Answers that asked us to slow down, for a request or for one key of it.
        ThrottledAnswers,
        /// Requests sent again after an answer that may pass.
        RetriedRequests,
        /// Ranges into which the listing was cut.
        ListedRanges,
        /// Keys seen below `repositories/`.
        RepositoryKeys,
        /// Keys seen below `blobs/`.
        BlobKeys,
        /// Repositories listed.
        Repositories,
        /// Repositories marked.
        MarkedRepositories,
        /// Revision links seen.
        Revisions,
        /// Tags seen.
        Tags,
        /// Manifests asked of the store.
        AskedManifests,
        /// Manifests read and understood.
        ReadManifests,
        /// Manifests that an earlier run had read, so that the store was not asked; once for each repository that has them.
        RecalledManifests,
        /// Blobs listed.
        Blobs,
        /// Bytes of the blobs listed.
        BlobBytes,
        /// Keys that are not of the layout.
        ForeignKeys,
        /// Objects that the plan deletes.
        PlannedObjects,
        /// Bytes that the plan frees.
        PlannedBytes,
        /// Planned objects that have an outcome.
        SweptObjects,
        /// Objects deleted.
        DeletedObjects,
        /// Bytes freed.
        FreedBytes,
        /// Objects that could not be deleted.
        FailedObjects,
        /// Objects that an undo brought back.
        RestoredObjects,
        /// Objects that went from the trash.
        PurgedObjects,
        /// Bytes of those.
        PurgedBytes,
        /// Blobs whose content was compared with their digest.
        VerifiedBlobs,
        /// Bytes of those.
        VerifiedBytes,
    }
}

named_enum! {
    /// What the program is doing, in the order in which a run may come to it.
    Phase {
        /// Looking at the store and its layout.
        Opening,
        /// Listing blobs, to know which are there.
        ListingBlobs,
        /// Comparing blobs with their digests.
        Verifying,
        /// Listing repositories and reading their manifests.
        Marking,
        /// Sorting the marks.
        Sealing,
        /// Listing blobs and comparing them with the marks.
        Planning,
        /// Listing blobs and summing up who keeps them.
        Weighing,
        /// Deleting links.
        SweepingLinks,
        /// Deleting blobs.
        SweepingBlobs,
        /// Bringing back what was deleted.
        Restoring,
        /// Nothing more.
        Finished,
    }
}

named_enum! {
    /// Of what the oldest is remembered.
    Garbage {
        /// What the plan deletes.
        Planned,
        /// What could not be deleted.
        Failed,
    }
}

/// The blackboard of a run: counters and the phase, written by the stages and sampled by whoever shows them.
#[derive(Debug)]
pub struct Monitor {
    counters: Box<[AtomicU64]>,
    exchanges: Exchanges,
    /// For each kind of garbage the lowest time, [`i64::MAX`] where there is none.
    oldest: [AtomicI64; Garbage::ALL.len()],
    phase: AtomicU8,
    /// A bit for each phase.
    entered: AtomicU16,
    course: Course,
}

impl Default for Monitor {
    fn default() -> Self {
        Self {
            counters: Counter::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            exchanges: Exchanges::default(),
            oldest: [const { AtomicI64::new(i64::MAX) }; Garbage::ALL.len()],
            phase: AtomicU8::new(Phase::Opening as u8),
            entered: AtomicU16::new(1 << Phase::Opening as u8),
            course: Course::default(),
        }
    }
}

impl Monitor {
    /// A fresh blackboard: all zero, [`Phase::Opening`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with a clock by which it remembers its course.
    #[must_use]
    pub fn timed(clock: fn() -> Instant) -> Self {
        let course = Course::by(clock, Phase::Opening);
        Self { course, ..Self::default() }
    }

    /// Adds `n` to a counter.
    pub fn count(&self, counter: Counter, n: u64) {
        self.counters[counter as usize].fetch_add(n, Ordering::Relaxed);
    }

    /// The value of a counter now.
    #[must_use]
    pub fn get(&self, counter: Counter) -> u64 {
        self.counters[counter as usize].load(Ordering::Relaxed)
    }

    /// The values of all counters now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(self)
    }

    /// Enters how a request ended, and how long it took with its answer.
    pub fn exchanged(&self, kind: RequestKind, ending: Ending, took: Duration) {
        self.exchanges.add(kind, ending, took);
    }

    /// How many requests of this kind ended so.
    #[must_use]
    pub fn ended(&self, kind: RequestKind, ending: Ending) -> u64 {
        self.exchanges.ended(kind, ending)
    }

    /// How long requests of this kind took, however they ended.
    #[must_use]
    pub fn latencies(&self, kind: RequestKind) -> Latencies {
        self.exchanges.latencies(kind)
    }

    /// Remembers garbage that was last written `millis` milliseconds after 1970-01-01T00:00:00Z, if it is the oldest.
    pub fn note(&self, garbage: Garbage, millis: i64) {
        self.oldest[garbage as usize].fetch_min(millis, Ordering::Relaxed);
    }

    /// When the oldest such garbage was last written, as noted; none where nothing was.
    #[must_use]
    pub fn oldest(&self, garbage: Garbage) -> Option<i64> {
        let millis = self.oldest[garbage as usize].load(Ordering::Relaxed);
        (millis != i64::MAX).then_some(millis)
    }

    /// The phases so far, in the order of time; none without a clock.
    #[must_use]
    pub fn course(&self) -> Vec<Step> {
        self.course.steps()
    }

    /// Says what the program does from now on.
    pub fn enter(&self, phase: Phase) {
        self.course.enter(phase, self);
        self.entered.fetch_or(1 << phase as u8, Ordering::AcqRel);
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// What the program does now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        Phase::ALL[usize::from(self.phase.load(Ordering::Acquire))]
    }

    /// Whether the program does this now or did it before: whoever samples may miss a short phase.
    #[must_use]
    pub fn has_entered(&self, phase: Phase) -> bool {
        self.entered.load(Ordering::Acquire) & (1 << phase as u8) != 0
    }
}

/// How urgently to stop; ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// Go on.
    Nothing,
    /// Start nothing new, finish what is in flight, keep the journal whole.
    Drain,
    /// Leave at once; the journal is whole all the same.
    Abort,
}

/// The stop signal: asked once, remembered, never taken back.
#[derive(Debug, Default)]
pub struct Stop(AtomicU8);

impl Stop {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop; a weaker request never weakens a stronger one.
    pub fn ask(&self, asked: Asked) {
        self.0.fetch_max(asked as u8, Ordering::AcqRel);
    }

    /// What has been asked so far.
    #[must_use]
    pub fn asked(&self) -> Asked {
        match self.0.load(Ordering::Acquire) {
            0 => Asked::Nothing,
            1 => Asked::Drain,
            _ => Asked::Abort,
        }
    }

    /// Whether anything has been asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked() > Asked::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_apart_and_phases_round_trip() {
        let monitor = Monitor::new();
        for (n, counter) in (1..).zip(Counter::ALL) {
            monitor.count(*counter, n);
        }
        for (n, counter) in (1..).zip(Counter::ALL) {
            assert_eq!(monitor.get(*counter), n);
        }
        for phase in Phase::ALL {
            assert_eq!(monitor.has_entered(*phase), *phase == Phase::Opening);
            monitor.enter(*phase);
            assert_eq!(monitor.phase(), *phase);
            assert!(monitor.has_entered(*phase));
        }
    }

    #[test]
    fn the_oldest_garbage_of_each_kind_is_remembered() {
        let monitor = Monitor::new();
        assert_eq!(Garbage::ALL.iter().find_map(|kind| monitor.oldest(*kind)), None);
        for millis in [7, -3, 5] {
            monitor.note(Garbage::Planned, millis);
        }
        assert_eq!(monitor.oldest(Garbage::Planned), Some(-3));
        assert_eq!(monitor.oldest(Garbage::Failed), None);
    }

    #[test]
    fn a_stop_is_never_taken_back() {
        let stop = Stop::new();
        assert!(!stop.is_asked());
        stop.ask(Asked::Abort);
        stop.ask(Asked::Drain);
        assert_eq!(stop.asked(), Asked::Abort);
    }
}
