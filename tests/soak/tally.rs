//! What happened, counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// How many absences of a round are told.
const ABSENCES: usize = 10;

/// What happened in a round of the soak, or in all of it. Its fields are those of the summary.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Tally {
    /// What clients did, by kind.
    pub(crate) events: BTreeMap<&'static str, u64>,
    /// Runs of the collector that ended well.
    pub(crate) cycles: u64,
    /// Runs that were killed.
    pub(crate) kills: u64,
    /// Runs that found the lease of one that was killed.
    pub(crate) waited: u64,
    /// Runs that ended partially.
    pub(crate) partial: u64,
    /// What the collector says of its own: sums over all summaries, so without those of runs that were killed.
    #[serde(flatten)]
    pub(crate) collected: Collected,
    /// Pushes that were refused, and how often they were tried again.
    pub(crate) refused: u64,
    pub(crate) retried: u64,
    /// With what they were refused: a status, or what went wrong before there was one; and what was said first.
    pub(crate) refusals: BTreeMap<String, Refusals>,
    /// Images that did not pull, and did within the time that the protocol has to bring them back.
    pub(crate) restored_in_time: u64,
    /// Some of them, with how long it took and what was wrong.
    pub(crate) absences: Vec<String>,
    /// The longest of these times.
    pub(crate) longest_absence_seconds: u64,
    /// The longest request, from its first byte to the answer's last.
    pub(crate) longest_request_milliseconds: u64,
    /// Images that were pulled at the end, after all that was collected was.
    pub(crate) alive: u64,
    /// Blobs that are left at the end, and those that no image needs.
    pub(crate) blobs: u64,
    pub(crate) garbage: u64,
    /// Images that were acknowledged, were not deleted since, and do not pull; and what is wrong with them.
    pub(crate) broken: BTreeMap<String, String>,
    /// What else went wrong: the soak fails with it.
    pub(crate) failures: Vec<String>,
}

/// Refusals of a kind.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Refusals {
    pub(crate) count: u64,
    pub(crate) first: String,
}

/// Sums over the summaries of the collector.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Collected {
    pub(crate) condemned: u64,
    pub(crate) taken: u64,
    pub(crate) rescued: u64,
    pub(crate) deleted: u64,
    pub(crate) deleted_bytes: u64,
    pub(crate) restored: u64,
    pub(crate) lost: u64,
}

impl Tally {
    /// How many events there were.
    pub(crate) fn all_events(&self) -> u64 {
        self.events.values().sum()
    }

    /// Adds what happened in another round.
    pub(crate) fn add(&mut self, other: &Tally) {
        for (&event, count) in &other.events {
            *self.events.entry(event).or_default() += count;
        }
        for (kind, refusals) in &other.refusals {
            self.refuse(kind, refusals.count, &refusals.first);
        }
        self.cycles += other.cycles;
        self.kills += other.kills;
        self.waited += other.waited;
        self.partial += other.partial;
        self.collected.add(other.collected);
        self.refused += other.refused;
        self.retried += other.retried;
        self.restored_in_time += other.restored_in_time;
        self.alive += other.alive;
        self.blobs += other.blobs;
        self.garbage += other.garbage;
        self.broken.extend(other.broken.clone());
        self.failures.extend_from_slice(&other.failures);
        let most = self.longest_absence_seconds.max(other.longest_absence_seconds);
        self.longest_absence_seconds = most;
        self.absences.extend_from_slice(&other.absences);
        self.asked_for(Duration::from_millis(other.longest_request_milliseconds));
    }

    /// Something was refused, so often.
    pub(crate) fn refuse(&mut self, kind: &str, count: u64, first: &str) {
        let none = || Refusals { count: 0, first: first.to_owned() };
        self.refusals.entry(kind.to_owned()).or_insert_with(none).count += count;
    }

    /// An image does not pull, and nothing will bring it back.
    pub(crate) fn broke(&mut self, image: String, why: String) {
        self.broken.entry(image).or_insert(why);
    }

    /// An image came back after so long.
    pub(crate) fn came_back(&mut self, after: Duration, broken: &str) {
        self.restored_in_time += 1;
        self.longest_absence_seconds = self.longest_absence_seconds.max(after.as_secs());
        if self.absences.len() < ABSENCES {
            self.absences.push(format!("{:.1} s: {broken}", after.as_secs_f64()));
        }
    }

    /// A request took so long.
    pub(crate) fn asked_for(&mut self, time: Duration) {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.longest_request_milliseconds = self.longest_request_milliseconds.max(milliseconds);
    }
}

impl Collected {
    pub(crate) fn add(&mut self, other: Collected) {
        self.condemned += other.condemned;
        self.taken += other.taken;
        self.rescued += other.rescued;
        self.deleted += other.deleted;
        self.deleted_bytes += other.deleted_bytes;
        self.restored += other.restored;
        self.lost += other.lost;
    }
}

/// A tally that all threads write to.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<Tally>);

impl Shared {
    /// For one change or question.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Tally> {
        // A thread that panicked has ended the soak; what it counted is right.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
