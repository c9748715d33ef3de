//! How long answers take.

use std::time::Duration;

use crate::Kind;
use crate::mix::below;
use crate::passing::nanos;

/// How long an answer takes: evenly spread from `fixed` to `fixed + spread`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// At least this long.
    pub fixed: Duration,
    /// At most this much longer.
    pub spread: Duration,
}

/// The latency of each kind of request; none unless told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies([Latency; Kind::ALL.len()]);

impl Latencies {
    /// The same for every kind.
    #[must_use]
    pub fn all(latency: Latency) -> Self {
        Self([latency; Kind::ALL.len()])
    }

    /// Another for one kind.
    #[must_use]
    pub fn on(mut self, kind: Kind, latency: Latency) -> Self {
        self.0[kind as usize] = latency;
        self
    }

    /// How long the answer to request number `ordinal` takes.
    pub(crate) fn draw(&self, kind: Kind, ordinal: u64) -> Duration {
        let Latency { fixed, spread } = self.0[kind as usize];
        fixed + Duration::from_nanos(below(ordinal, nanos(spread)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_take_what_their_kind_takes() {
        let ms = Duration::from_millis;
        let quick = Latency { fixed: ms(10), spread: ms(0) };
        let slow = Latency { fixed: ms(80), spread: ms(40) };
        let latencies = Latencies::all(quick).on(Kind::List, slow);
        let drawn: Vec<Duration> = (0..1000).map(|n| latencies.draw(Kind::List, n)).collect();
        assert!(drawn.iter().all(|latency| (ms(80)..ms(120)).contains(latency)));
        assert!(drawn.iter().any(|latency| *latency < ms(82)));
        assert!(drawn.iter().any(|latency| *latency > ms(118)));
        assert_eq!(latencies.draw(Kind::Get, 7), ms(10));
    }
}
