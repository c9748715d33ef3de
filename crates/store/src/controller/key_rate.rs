//! How many keys a second to delete.

use std::time::Duration;

use super::granted::Granted;
use crate::{DeleteBatch, Share};

/// Finds out how many keys a second a store deletes, and keeps to it, or to a share of it.
///
/// *Start.* From a rate that one partition of S3 bears, the rate doubles for as long as it is what deletes wait for. A
/// store that never objects is thereby asked as fast as it answers, about a second later than it could be.
///
/// *Event.* Where the store asks to slow down, its limit is read off what it granted: until the first event by
/// [`Granted`]; after that by what it granted since the event before, as nothing was saved up at either. Nothing is
/// asked for a moment, and then a little less than the limit. Answers to requests sent before tell of the same event.
///
/// *Quiet.* The rate stays, then rises, ever faster, until the next event. The better events agree with each other, the
/// longer it stays and the slower it rises, so that events are rare and a limit that has risen is still found.
///
/// *Outage.* Where nothing at all was granted since the last event, there is nothing to learn about the limit: the rate
/// is halved, and doubles up to where it was once the store answers again.
///
/// *Share.* A share of the limit is kept without rising, since no event would end that; instead the start is repeated
/// every ten minutes.
#[derive(Debug)]
pub(crate) struct KeyRate {
    /// Of the limit, above zero and at most one.
    share: f64,
    per_second: f64,
    limit: Option<Limit>,
    /// What may be deleted at once.
    tokens: f64,
    filled: Duration,
    /// Whoever asked last was told to wait.
    is_waiting: bool,
    /// Whoever took keys last had waited for them: the rate is what bounds the deletes.
    is_binding: bool,
    /// How long answers take, in seconds.
    latency: Option<f64>,
    granted: Granted,
}

/// What is known of the store's limit.
#[derive(Clone, Copy, Debug)]
struct Limit {
    /// Keys.
    per_second: f64,
    /// When the start ended.
    found: Duration,
    /// The last event.
    event: Duration,
    /// How well events agree: a place in [`RISES`].
    trust: usize,
}

/// How the rate rises after an event.
struct Rise {
    /// Not for so long.
    quiet: Duration,
    /// Then by this part of itself in a second.
    slope: f64,
    /// Which doubles in as many seconds.
    doubling: f64,
}

const RISES: [Rise; 3] = [
    Rise { quiet: Duration::from_secs(1), slope: 0.08, doubling: 4.0 },
    Rise { quiet: Duration::from_secs(4), slope: 0.02, doubling: 8.0 },
    Rise { quiet: Duration::from_secs(16), slope: 0.01, doubling: 8.0 },
];

impl KeyRate {
    /// Keys a second at the start, and at once before anything is known. A partition of S3 takes 3,500.
    const START: f64 = 3000.0;
    /// How long the rate takes to double, and an answer more.
    const DOUBLING: f64 = 0.25;
    /// How close to the limit the rate is set: what is left pays for deletes that do not come evenly.
    const MARGIN: f64 = 0.99;
    /// How long nothing is asked after an event, in seconds.
    const PAUSE: f64 = 0.1;
    /// What may be saved up for when the machine is late, in seconds; one batch where that is more.
    const SAVED: f64 = 0.1;
    const BATCH: f64 = DeleteBatch::LIMIT as f64;
    /// Keys a second in an outage.
    const LEAST: f64 = 250.0;
    /// The steepest rise: by this part of itself in a second.
    const STEEPEST: f64 = 0.5;
    /// More than this does not come between two questions, in seconds: no rise is that long.
    const LONGEST_STEP: f64 = 0.25;
    /// A limit is known well after so long between two events.
    const WELL_KNOWN: Duration = Duration::from_secs(4);
    /// How long a limit is believed in of which only a share is used.
    const BELIEVED: Duration = Duration::from_mins(10);
    /// The most to wait before asking again, as the rate may have changed.
    const LONGEST_WAIT: f64 = 0.1;
    /// As finely as timers wait.
    const SHORTEST_WAIT: f64 = 0.001;

    /// At the start.
    pub(crate) fn new(share: Share) -> Self {
        Self {
            share: share.part(),
            per_second: Self::START,
            limit: None,
            tokens: Self::START,
            filled: Duration::ZERO,
            is_waiting: false,
            is_binding: false,
            latency: None,
            granted: Granted::default(),
        }
    }

    /// Keys a second, as things stand.
    pub(crate) fn per_second(&self) -> f64 {
        self.per_second
    }

    /// Takes `keys`, at most a batch, or tells how long to wait before asking again. Whoever asks is to take before
    /// another asks.
    pub(crate) fn take(&mut self, keys: u32, now: Duration) -> Option<Duration> {
        self.refill(now);
        let missing = f64::from(keys) - self.tokens;
        if missing > 0.0 {
            self.is_waiting = true;
            let seconds = missing / self.per_second;
            let wait = seconds.clamp(Self::SHORTEST_WAIT, Self::LONGEST_WAIT);
            return Some(Duration::from_secs_f64(wait));
        }
        self.tokens = -missing;
        self.is_binding = std::mem::take(&mut self.is_waiting);
        None
    }

    /// The store granted `keys` of a request sent at `sent`, and did not ask to slow down.
    pub(crate) fn clean(&mut self, keys: u32, sent: Duration, now: Duration) {
        self.answered(sent, now);
        self.granted.add(keys, now);
    }

    /// The store asked to slow down in its answer to a request sent at `sent`, of which it granted `keys`. Says whether
    /// that was news.
    pub(crate) fn throttled(&mut self, keys: u32, sent: Duration, now: Duration) -> bool {
        self.answered(sent, now);
        self.granted.add(keys, now);
        let is_known = self.limit.is_some_and(|limit| sent < limit.event);
        if !is_known {
            self.slow_down(now);
        }
        !is_known
    }

    fn answered(&mut self, sent: Duration, now: Duration) {
        let seconds = now.saturating_sub(sent).as_secs_f64();
        self.latency = Some(self.latency.map_or(seconds, |mean| 0.9 * mean + 0.1 * seconds));
    }

    fn slow_down(&mut self, now: Duration) {
        let (limit, per_second) = match self.limit {
            None => self.first_found(now),
            Some(limit) if self.granted.keys() == 0 => {
                (Limit { event: now, trust: 0, ..limit }, self.per_second / 2.0)
            }
            Some(limit) => self.found_again(limit, now),
        };
        (self.limit, self.per_second) = (Some(limit), per_second.max(Self::LEAST));
        self.granted.forget();
        self.tokens = self.tokens.min(0.0) - Self::PAUSE * self.per_second;
    }

    /// The limit, and the rate to go on with, after the first event.
    fn first_found(&self, now: Duration) -> (Limit, f64) {
        let proven = self.granted.proven(now);
        let per_second =
            if proven > 0.0 { proven.min(self.per_second) } else { self.per_second / 2.0 };
        let limit = Limit { per_second, found: now, event: now, trust: 0 };
        (limit, self.target(limit))
    }

    /// The same after an event that was not the first. One event says at most half of what was believed.
    fn found_again(&self, limit: Limit, now: Duration) -> (Limit, f64) {
        let since = now.saturating_sub(limit.event);
        let between = self.granted.keys() as f64 / since.as_secs_f64().max(Self::SHORTEST_WAIT);
        let found = between.max(self.granted.proven(now)).min(self.per_second);
        let per_second = found.max(limit.per_second / 2.0);
        let agrees = (per_second / limit.per_second - 1.0).abs() < 0.1;
        let has_risen_far = self.per_second > 2.0 * self.target(limit);
        let trust = match limit.trust {
            trust if agrees => (trust + 1).min(RISES.len() - 1),
            _ if since >= Self::WELL_KNOWN && !has_risen_far => 1,
            _ => 0,
        };
        let limit = Limit { per_second, event: now, trust, ..limit };
        (limit, self.target(limit).min(self.per_second))
    }

    /// How much of a limit is used.
    fn target(&self, limit: Limit) -> f64 {
        Self::MARGIN * self.share * limit.per_second
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.filled).as_secs_f64();
        self.filled = self.filled.max(now);
        if self.is_waiting || self.is_binding {
            self.rise(passed.min(Self::LONGEST_STEP), now);
        }
        let most = Self::BATCH.max(Self::SAVED * self.per_second).max(self.tokens);
        self.tokens = passed.mul_add(self.per_second, self.tokens).min(most);
    }

    fn rise(&mut self, seconds: f64, now: Duration) {
        self.limit = self.limit.filter(|limit| !self.is_stale(*limit, now));
        let doubled = self.doubled(seconds);
        self.per_second = match self.limit {
            None => doubled.min(f64::from(u32::MAX)),
            Some(limit) if self.per_second < self.target(limit) => doubled.min(self.target(limit)),
            Some(_) if self.share < 1.0 => self.per_second,
            Some(limit) => self.per_second * limit.slope(now).mul_add(seconds, 1.0),
        };
    }

    fn is_stale(&self, limit: Limit, now: Duration) -> bool {
        self.share < 1.0 && now >= limit.found + Self::BELIEVED
    }

    /// The rate after so many seconds of doubling; answers have to tell of one doubling before the next.
    fn doubled(&self, seconds: f64) -> f64 {
        let times = self.latency.map_or(0.0, |latency| seconds / (Self::DOUBLING + latency));
        self.per_second * times.exp2()
    }
}

impl Limit {
    /// By what part of itself the rate rises in a second.
    fn slope(&self, now: Duration) -> f64 {
        let rise = &RISES[self.trust];
        match now.checked_sub(self.event + rise.quiet) {
            None => 0.0,
            Some(risen) => {
                let steeper = (risen.as_secs_f64() / rise.doubling).exp2();
                (rise.slope * steeper).min(KeyRate::STEEPEST)
            }
        }
    }
}
