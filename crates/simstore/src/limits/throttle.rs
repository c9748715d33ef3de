//! Which requests are let through: a decision about times and keys, apart from any I/O.

use std::collections::BTreeMap;

use super::partition::Partition;
use super::{Class, Limits, Load, Refusal};

/// The limits, and what was asked so far.
#[derive(Debug)]
pub(crate) struct Throttle {
    limits: Limits,
    /// By the first key of each, ascending; the first begins before all keys.
    partitions: Vec<Partition>,
    load: Load,
}

impl Throttle {
    pub(crate) fn new(limits: Limits) -> Self {
        let mut starts = limits.boundaries.clone();
        starts.push(String::new());
        starts.sort_unstable();
        starts.dedup();
        let partitions = starts.into_iter().map(|start| Partition::new(start, &limits)).collect();
        Self { limits, partitions, load: Load::default() }
    }

    pub(crate) fn load(&self) -> Load {
        self.load
    }

    /// The first key of each partition.
    pub(crate) fn starts(&self) -> Vec<String> {
        self.partitions.iter().map(|partition| partition.start.clone()).collect()
    }

    /// Whether a request for one key is let through, `now` nanoseconds after the start.
    pub(crate) fn one(&mut self, now: u64, class: Class, key: &str) -> bool {
        self.settle(now);
        let place = self.place(key);
        self.note(now, class, &BTreeMap::from([(place, 1)]), [key].into_iter());
        let is_let = self.take(now, class, place, 1);
        self.count(class, is_let, 1);
        is_let
    }

    /// Which keys of one request are let through: all or none where the limits refuse whole requests.
    pub(crate) fn many(&mut self, now: u64, class: Class, keys: &[&str]) -> Vec<bool> {
        self.settle(now);
        let places: Vec<usize> = keys.iter().map(|key| self.place(key)).collect();
        let mut shares = BTreeMap::new();
        for place in &places {
            *shares.entry(*place).or_insert(0) += 1;
        }
        self.note(now, class, &shares, keys.iter().copied());
        let let_through = match self.limits.refusal {
            Refusal::Request => vec![self.take_all(now, class, &shares); keys.len()],
            Refusal::Keys => places.iter().map(|place| self.take(now, class, *place, 1)).collect(),
        };
        let granted = let_through.iter().filter(|is_let| **is_let).count();
        self.count(class, true, granted as u64);
        self.count(class, false, (keys.len() - granted) as u64);
        let_through
    }

    /// The partition in which a key lies.
    fn place(&self, key: &str) -> usize {
        self.partitions.partition_point(|partition| partition.start.as_str() <= key) - 1
    }

    /// Ends the splits that are over: both halves begin with rates of their own.
    fn settle(&mut self, now: u64) {
        for place in (0..self.partitions.len()).rev() {
            if let Some(middle) = self.partitions[place].finish_split(now) {
                let start = self.partitions[place].start.clone();
                self.partitions[place] = Partition::new(start, &self.limits);
                self.partitions.insert(place + 1, Partition::new(middle, &self.limits));
            }
        }
    }

    fn note<'k>(
        &mut self,
        now: u64,
        class: Class,
        shares: &BTreeMap<usize, u64>,
        keys: impl Iterator<Item = &'k str>,
    ) {
        let Some(split) = self.limits.split else { return };
        for key in keys {
            let place = self.place(key);
            self.partitions[place].sample(key);
        }
        for (place, share) in shares {
            self.partitions[*place].note(now, class, *share);
            self.partitions[*place].consider_split(now, split);
        }
    }

    fn take(&mut self, now: u64, class: Class, place: usize, count: u64) -> bool {
        let partition = &mut self.partitions[place];
        let is_let = partition.allows(now, class, count);
        if is_let {
            partition.take(now, class, count);
        }
        is_let
    }

    fn take_all(&mut self, now: u64, class: Class, shares: &BTreeMap<usize, u64>) -> bool {
        let mut shares_left = shares.iter();
        let are_let =
            shares_left.all(|(place, share)| self.partitions[*place].allows(now, class, *share));
        if are_let {
            for (place, share) in shares {
                self.partitions[*place].take(now, class, *share);
            }
        }
        are_let
    }

    fn count(&mut self, class: Class, is_let: bool, count: u64) {
        let load = &mut self.load;
        *match (class, is_let) {
            (Class::Read, true) => &mut load.reads,
            (Class::Write, true) => &mut load.writes,
            (Class::Read, false) => &mut load.refused_reads,
            (Class::Write, false) => &mut load.refused_writes,
        } += count;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::Split;
    use super::super::rate::SECOND;
    use super::*;

    fn limits(boundaries: &[&str]) -> Limits {
        let boundaries = boundaries.iter().map(ToString::to_string).collect();
        Limits { reads: 5, writes: 10, boundaries, ..Limits::default() }
    }

    fn granted(throttle: &mut Throttle, now: u64, class: Class, key: &str, asks: usize) -> usize {
        (0..asks).filter(|_| throttle.one(now, class, key)).count()
    }

    #[test]
    fn reads_and_writes_have_rates_of_their_own_in_each_partition() {
        let mut throttle = Throttle::new(limits(&["m"]));
        for key in ["a", "m", "z"] {
            let rest = usize::from(key != "z");
            assert_eq!(granted(&mut throttle, 0, Class::Read, key, 20), 5 * rest, "{key}");
            assert_eq!(granted(&mut throttle, 0, Class::Write, key, 20), 10 * rest, "{key}");
        }
        assert_eq!(granted(&mut throttle, SECOND / 2, Class::Write, "z", 20), 5);
        let load = Load { reads: 10, writes: 25, refused_reads: 50, refused_writes: 55 };
        assert_eq!(throttle.load(), load);
    }

    #[test]
    fn a_request_of_many_keys_is_refused_whole_and_costs_nothing_then() {
        let mut throttle = Throttle::new(limits(&["m"]));
        assert_eq!(granted(&mut throttle, 0, Class::Write, "z", 9), 9);
        assert_eq!(throttle.many(0, Class::Write, &["a", "b", "y", "z"]), [false; 4]);
        assert_eq!(throttle.many(0, Class::Write, &["a", "b", "z"]), [true; 3]);
        assert_eq!(granted(&mut throttle, 0, Class::Write, "a", 20), 8);
    }

    #[test]
    fn a_request_of_many_keys_may_be_refused_key_by_key() {
        let mut throttle = Throttle::new(Limits { refusal: Refusal::Keys, ..limits(&["m"]) });
        assert_eq!(granted(&mut throttle, 0, Class::Write, "z", 9), 9);
        let keys = ["a", "y", "b", "z"];
        assert_eq!(throttle.many(0, Class::Write, &keys), [true, true, true, false]);
    }

    fn splitting() -> Throttle {
        let split = Split { after: Duration::from_secs(3), lasts: Duration::from_secs(2) };
        Throttle::new(Limits { split: Some(split), ..limits(&[]) })
    }

    /// What is granted in each of the seconds of `times`, of 20 writes to each of 26 keys.
    fn load(throttle: &mut Throttle, times: std::ops::Range<u64>) -> Vec<usize> {
        let keys: Vec<String> = ('a'..='z').map(String::from).collect();
        times
            .map(|time| {
                let asks = keys.iter().cycle().take(keys.len() * 20);
                asks.filter(|key| throttle.one(time * SECOND, Class::Write, key)).count()
            })
            .collect()
    }

    #[test]
    fn sustained_load_splits_a_partition_which_then_takes_twice_as_much() {
        let mut throttle = splitting();
        assert_eq!(load(&mut throttle, 0..7), [10, 10, 10, 0, 0, 20, 20]);
        let starts = throttle.starts();
        assert!(starts.len() == 2 && ("j".."r").contains(&starts[1].as_str()), "{starts:?}");
    }

    #[test]
    fn a_pause_or_little_load_splits_nothing() {
        let mut throttle = splitting();
        for from in [0, 4, 8] {
            load(&mut throttle, from..from + 3);
        }
        for time in 20..40 {
            granted(&mut throttle, time * SECOND, Class::Write, "a", 4);
        }
        assert_eq!(throttle.starts(), [""]);
    }

    #[test]
    fn one_hot_key_cannot_be_split() {
        let mut throttle = splitting();
        for time in 0..10 {
            assert_eq!(granted(&mut throttle, time * SECOND, Class::Write, "a", 50), 10);
        }
        assert_eq!(throttle.starts(), [""]);
    }

    proptest! {
        #[test]
        fn partitions_stay_in_order_and_grant_no_more_than_their_rates(
            boundaries in prop::collection::vec("[a-z]{0,2}", 0..5),
            asks in prop::collection::vec((0..SECOND / 2, "[a-z]{1,3}", 1..20_usize), 1..200),
        ) {
            let split = Split { after: Duration::from_secs(2), lasts: Duration::from_secs(1) };
            let boundaries: Vec<&str> = boundaries.iter().map(String::as_str).collect();
            let limits = Limits { split: Some(split), ..limits(&boundaries) };
            let mut throttle = Throttle::new(limits);
            let mut now = 0;
            for (pause, key, count) in asks {
                now += pause;
                let let_through = throttle.many(now, Class::Write, &vec![key.as_str(); count]);
                prop_assert_eq!(let_through.len(), count);
                let starts = throttle.starts();
                prop_assert!(starts[0].is_empty() && starts.is_sorted_by(|a, b| a < b));
            }
            let seconds = now / SECOND + 1;
            let most = 10 * (seconds + 2) * throttle.starts().len() as u64 * 2;
            prop_assert!(throttle.load().writes <= most);
        }
    }
}
