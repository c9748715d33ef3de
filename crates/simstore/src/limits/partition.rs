//! One partition of the key space.

use super::rate::{Rate, SECOND};
use super::{Class, Limits, Split};
use crate::passing::nanos;

/// Of so many keys one is remembered.
const SAMPLED: u64 = 8;

/// So many keys are remembered.
const SAMPLES: usize = 64;

/// A range of keys with rates of its own.
#[derive(Debug)]
pub(super) struct Partition {
    /// The first key that may lie in it.
    pub(super) start: String,
    reads: Meter,
    writes: Meter,
    /// Where it is splitting: until then.
    splitting: Option<u64>,
    asked: u64,
    samples: Vec<String>,
}

/// A rate, and how long it has been busy.
#[derive(Debug)]
struct Meter {
    rate: Rate,
    /// What makes a second busy.
    busy_from: u64,
    second: u64,
    /// What was asked in this second.
    asked: u64,
    /// How many seconds before this were busy, without a pause.
    busy: u64,
}

impl Meter {
    fn new(per_second: u32) -> Self {
        let busy_from = u64::from(per_second).div_ceil(2).max(1);
        Self { rate: Rate::new(per_second), busy_from, second: 0, asked: 0, busy: 0 }
    }

    fn note(&mut self, now: u64, count: u64) {
        let second = now / SECOND;
        if second != self.second {
            let goes_on = self.asked >= self.busy_from && second == self.second + 1;
            self.busy = if goes_on { self.busy + 1 } else { 0 };
            (self.second, self.asked) = (second, 0);
        }
        self.asked += count;
    }
}

impl Partition {
    pub(super) fn new(start: String, limits: &Limits) -> Self {
        let (reads, writes) = (Meter::new(limits.reads), Meter::new(limits.writes));
        Self { start, reads, writes, splitting: None, asked: 0, samples: Vec::new() }
    }

    fn meter(&mut self, class: Class) -> &mut Meter {
        match class {
            Class::Read => &mut self.reads,
            Class::Write => &mut self.writes,
        }
    }

    pub(super) fn allows(&mut self, now: u64, class: Class, count: u64) -> bool {
        self.splitting.is_none() && self.meter(class).rate.allows(now, count)
    }

    pub(super) fn take(&mut self, now: u64, class: Class, count: u64) {
        self.meter(class).rate.take(now, count);
    }

    /// Remembers what was asked, allowed or not.
    pub(super) fn note(&mut self, now: u64, class: Class, count: u64) {
        self.meter(class).note(now, count);
    }

    /// Remembers some of the keys: where a split is fair.
    pub(super) fn sample(&mut self, key: &str) {
        self.asked += 1;
        if !self.asked.is_multiple_of(SAMPLED) {
            return;
        }
        if self.samples.len() < SAMPLES {
            self.samples.push(key.to_owned());
        } else {
            let oldest = usize::try_from(self.asked / SAMPLED).unwrap_or(0) % SAMPLES;
            key.clone_into(&mut self.samples[oldest]);
        }
    }

    /// Begins to split where it has been busy for long enough.
    pub(super) fn consider_split(&mut self, now: u64, split: Split) {
        let after = nanos(split.after).div_ceil(SECOND).max(1);
        let is_busy = self.reads.busy.max(self.writes.busy) >= after;
        if self.splitting.is_none() && is_busy && self.middle().is_some() {
            self.splitting = Some(now.saturating_add(nanos(split.lasts)));
        }
    }

    /// Where the upper half begins, once a split is over.
    pub(super) fn finish_split(&mut self, now: u64) -> Option<String> {
        self.splitting.filter(|until| *until <= now)?;
        self.middle()
    }

    /// The key in the middle of what was asked; `None` where no key has another below it.
    fn middle(&self) -> Option<String> {
        let mut samples: Vec<&String> = self.samples.iter().collect();
        samples.sort_unstable();
        let (least, middle) = (samples.first()?, samples[samples.len() / 2]);
        (middle > *least && *middle > self.start).then(|| middle.clone())
    }
}
