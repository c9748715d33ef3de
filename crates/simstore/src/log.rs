//! What the server was asked.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Kind;

/// How many requests the log remembers.
const LIMIT: usize = 65_536;

/// A request that was answered, or hung up on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What it did.
    pub kind: Kind,
    /// The key of an object, the prefix of a listing, empty for the bucket.
    pub subject: String,
    /// What the client called the server: the `Host` header.
    pub host: String,
    /// Keys and folders listed; keys to delete; otherwise 0.
    pub keys: usize,
    /// The HTTP status; `None` where the server hung up instead.
    pub status: Option<u16>,
}

#[derive(Debug, Default)]
struct Entries {
    last: VecDeque<Request>,
    by_kind: [u64; Kind::ALL.len()],
    in_flight: usize,
    most_in_flight: usize,
}

/// The log, shared by all connections.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Entries>);

/// A request in flight, until dropped.
pub(crate) struct InFlight<'l>(&'l Log);

impl Log {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self) -> InFlight<'_> {
        let mut entries = self.entries();
        entries.in_flight += 1;
        entries.most_in_flight = entries.most_in_flight.max(entries.in_flight);
        InFlight(self)
    }

    pub(crate) fn write(&self, request: Request) {
        let mut entries = self.entries();
        entries.by_kind[request.kind as usize] += 1;
        if entries.last.len() == LIMIT {
            entries.last.pop_front();
        }
        entries.last.push_back(request);
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.entries().last.iter().cloned().collect()
    }

    pub(crate) fn count(&self, kind: Kind) -> u64 {
        self.entries().by_kind[kind as usize]
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.entries().most_in_flight
    }

    /// Forgets everything but what is in flight.
    pub(crate) fn clear(&self) {
        let mut entries = self.entries();
        let in_flight = entries.in_flight;
        *entries = Entries { in_flight, most_in_flight: in_flight, ..Entries::default() };
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.entries().in_flight -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_counts_what_it_no_longer_remembers() {
        let log = Log::default();
        let (subject, host) = (String::new(), String::new());
        let request = Request { kind: Kind::Get, subject, host, keys: 0, status: None };
        for _ in 0..=LIMIT {
            log.write(request.clone());
        }
        assert_eq!(log.requests().len(), LIMIT);
        assert_eq!(log.count(Kind::Get), LIMIT as u64 + 1);
        log.clear();
        assert_eq!(log.count(Kind::Get), 0);
    }

    #[test]
    fn the_most_in_flight_is_remembered() {
        let log = Log::default();
        let two = (log.enter(), log.enter());
        drop(two);
        drop(log.enter());
        assert_eq!(log.most_in_flight(), 2);
    }
}
