//! Requests with their answers: how they ended, and how long they took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Counter;

named_enum! {
    /// What is asked of a store.
    RequestKind {
        /// Keys.
        List,
        /// An object, or a setting of the bucket.
        Get,
        /// Whether an object is there.
        Head,
        /// To write or copy an object.
        Put,
        /// To delete objects.
        Delete,
    }
}

impl RequestKind {
    /// Counts the requests of this kind that are sent.
    #[must_use]
    pub const fn counter(self) -> Counter {
        match self {
            Self::List => Counter::ListRequests,
            Self::Get => Counter::GetRequests,
            Self::Head => Counter::HeadRequests,
            Self::Put => Counter::PutRequests,
            Self::Delete => Counter::DeleteRequests,
        }
    }
}

named_enum! {
    /// How a request ended.
    Ending {
        /// As it should. What an answer says of single keys does not count here.
        Ok,
        /// The object is not there, which is an answer too.
        Missing,
        /// The store asked to slow down.
        Throttled,
        /// The store said no.
        Refused,
        /// The store failed, nobody answered, or the answer cannot be believed.
        Failed,
        /// The answer did not come in time, or nobody waited for it any more.
        CutOff,
    }
}

/// The most that a request of each bucket of a histogram took. What took longer has a bucket of its own.
///
/// An answer of S3 takes some ten milliseconds, and no request has more than a minute by default.
pub const BOUNDS: [Duration; 13] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
];

const BUCKETS: usize = BOUNDS.len() + 1;

/// How long requests took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    /// How many took no longer than the bound at the same place of [`BOUNDS`], and longer than the one before; last
    /// those that took longer than all.
    pub buckets: [u64; BUCKETS],
    /// How long all of them took together.
    pub sum: Duration,
}

impl Latencies {
    /// How many requests there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// The exchanges of each kind.
#[derive(Debug, Default)]
pub(crate) struct Exchanges([Exchanged; RequestKind::ALL.len()]);

#[derive(Debug, Default)]
struct Exchanged {
    endings: [AtomicU64; Ending::ALL.len()],
    buckets: [AtomicU64; BUCKETS],
    /// Nanoseconds; enough for 584 years.
    sum: AtomicU64,
}

impl Exchanges {
    pub(crate) fn add(&self, kind: RequestKind, ending: Ending, took: Duration) {
        let exchanged = &self.0[kind as usize];
        let bucket = BOUNDS.partition_point(|bound| *bound < took);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        exchanged.endings[ending as usize].fetch_add(1, Ordering::Relaxed);
        exchanged.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        exchanged.sum.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, kind: RequestKind, ending: Ending) -> u64 {
        self.0[kind as usize].endings[ending as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn latencies(&self, kind: RequestKind) -> Latencies {
        let Exchanged { buckets, sum, .. } = &self.0[kind as usize];
        let mut latencies = Latencies::default();
        for (told, bucket) in latencies.buckets.iter_mut().zip(buckets) {
            *told = bucket.load(Ordering::Relaxed);
        }
        latencies.sum = Duration::from_nanos(sum.load(Ordering::Relaxed));
        latencies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_exchange_is_in_the_bucket_of_the_next_bound() {
        let exchanges = Exchanges::default();
        let nanosecond = Duration::from_nanos(1);
        for bound in BOUNDS {
            exchanges.add(RequestKind::Get, Ending::Ok, bound);
            exchanges.add(RequestKind::Get, Ending::Ok, bound + nanosecond);
        }
        let latencies = exchanges.latencies(RequestKind::Get);
        let mut expected = [2; BUCKETS];
        (expected[0], expected[BUCKETS - 1]) = (1, 1);
        assert_eq!(latencies.buckets, expected);
        assert_eq!(latencies.count(), 26);
        let sum = BOUNDS.iter().sum::<Duration>() * 2 + nanosecond * 13;
        assert_eq!(latencies.sum, sum);
        assert_eq!(exchanges.latencies(RequestKind::List), Latencies::default());
    }

    #[test]
    fn kinds_and_endings_are_apart() {
        let exchanges = Exchanges::default();
        let all = || {
            let endings = |kind| Ending::ALL.iter().map(move |ending| (kind, *ending));
            RequestKind::ALL.iter().flat_map(move |kind| endings(*kind))
        };
        for (times, (kind, ending)) in (1..).zip(all()) {
            (0..times).for_each(|_| exchanges.add(kind, ending, Duration::ZERO));
        }
        for (times, (kind, ending)) in (1..).zip(all()) {
            assert_eq!(exchanges.ended(kind, ending), times, "{kind:?} {ending:?}");
        }
    }

    #[test]
    fn every_kind_has_a_counter_of_its_own() {
        let mut counters: Vec<Counter> =
            RequestKind::ALL.iter().map(|kind| kind.counter()).collect();
        counters.dedup();
        assert_eq!(counters.len(), RequestKind::ALL.len());
    }
}
