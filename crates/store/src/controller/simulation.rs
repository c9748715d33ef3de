//! The rate of keys against a model of a store's partitions, in virtual time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::Share;

/// What S3 documents: writes a second to a partition.
const WRITES: f64 = 3500.0;
const BATCH: u32 = 1000;

/// A store, and who deletes from it.
#[derive(Clone, Debug)]
struct Course {
    partitions: usize,
    /// Keys a second to each partition.
    per_second: f64,
    /// How many seconds' worth a partition saves up.
    saved: f64,
    /// From a request to its answer, in seconds; half as much more now and then.
    latency: f64,
    /// Everything is refused for so long, in seconds, and twice as much granted from then on.
    split: Range<f64>,
    /// Keys a second that somebody else deletes, who does not slow down.
    foreign: f64,
    share: u8,
    seconds: usize,
}

impl Course {
    fn s3(partitions: usize) -> Self {
        Self {
            partitions,
            per_second: WRITES,
            saved: 1.0,
            latency: 0.05,
            split: f64::INFINITY..f64::INFINITY,
            foreign: 0.0,
            share: 100,
            seconds: 120,
        }
    }

    fn limit(&self) -> f64 {
        self.per_second * self.partitions as f64
    }

    fn run(&self) -> Outcome {
        let mut simulation = Simulation::new(self);
        while let Some(Reverse((now, _, event))) = simulation.events.pop() {
            if now >= Duration::from_secs(self.seconds as u64) {
                break;
            }
            simulation.happen(event, now);
        }
        simulation.outcome
    }
}

/// What came of it.
#[derive(Debug, Default)]
struct Outcome {
    /// Keys, in each second.
    granted: Vec<f64>,
    requests: f64,
    throttled: f64,
    foreign: f64,
    foreign_throttled: f64,
}

impl Outcome {
    /// Keys a second in these seconds.
    fn rate(&self, seconds: Range<usize>) -> f64 {
        let length = seconds.len() as f64;
        self.granted[seconds].iter().sum::<f64>() / length
    }

    fn throttled_share(&self) -> f64 {
        self.throttled / self.requests
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Whoever waits for keys asks again.
    Ask,
    Arrives(Request),
    Answered(Request, bool),
    /// A batch that was refused comes back.
    Again(u32),
    Foreign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Request {
    sent: Duration,
    refused: u32,
}

struct Simulation<'a> {
    course: &'a Course,
    rate: KeyRate,
    /// What each partition has left.
    left: Vec<f64>,
    filled: f64,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    numbered: u64,
    /// How often each of the batches that wait was refused.
    waiting: VecDeque<u32>,
    is_asking: bool,
    chance: u64,
    outcome: Outcome,
}

impl<'a> Simulation<'a> {
    fn new(course: &'a Course) -> Self {
        let mut simulation = Self {
            course,
            rate: KeyRate::new(Share::percent(course.share).unwrap()),
            left: vec![f64::INFINITY; course.partitions],
            filled: 0.0,
            events: BinaryHeap::new(),
            numbered: 0,
            waiting: vec![0; 64].into(),
            is_asking: true,
            chance: 7,
            outcome: Outcome { granted: vec![0.0; course.seconds], ..Outcome::default() },
        };
        simulation.push(Duration::ZERO, Event::Ask);
        if course.foreign > 0.0 {
            simulation.push(Duration::ZERO, Event::Foreign);
        }
        simulation
    }

    fn push(&mut self, at: Duration, event: Event) {
        self.numbered += 1;
        self.events.push(Reverse((at, self.numbered, event)));
    }

    /// Between zero and one; the same again in the next run.
    fn chance(&mut self) -> f64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn happen(&mut self, event: Event, now: Duration) {
        let half = self.course.latency / 2.0;
        match event {
            Event::Ask => self.is_asking = false,
            Event::Arrives(request) => {
                let is_granted = self.grants(f64::from(BATCH), now);
                let back = Duration::from_secs_f64(half * (1.0 + self.chance()));
                self.push(now + back, Event::Answered(request, is_granted));
            }
            Event::Answered(request, true) => {
                self.outcome.requests += 1.0;
                let second = usize::try_from(now.as_secs()).unwrap();
                self.outcome.granted[second] += f64::from(BATCH);
                self.rate.clean(BATCH, request.sent, now);
                self.waiting.push_back(0);
            }
            Event::Answered(request, false) => self.refused(request, now),
            Event::Again(refused) => self.waiting.push_back(refused),
            Event::Foreign => self.foreign(now),
        }
        self.send(now);
    }

    fn refused(&mut self, request: Request, now: Duration) {
        self.outcome.requests += 1.0;
        self.outcome.throttled += 1.0;
        self.rate.throttled(0, request.sent, now);
        let pause = (0.1 * f64::from(request.refused).exp2()).min(20.0) * self.chance();
        self.push(now + Duration::from_secs_f64(pause), Event::Again(request.refused + 1));
    }

    /// Deletes ten keys at a time.
    fn foreign(&mut self, now: Duration) {
        self.outcome.foreign += 1.0;
        self.outcome.foreign_throttled += f64::from(u8::from(!self.grants(10.0, now)));
        self.push(now + Duration::from_secs_f64(10.0 / self.course.foreign), Event::Foreign);
    }

    fn send(&mut self, now: Duration) {
        while !self.is_asking
            && let Some(refused) = self.waiting.front().copied()
        {
            if let Some(wait) = self.rate.take(BATCH, now) {
                self.is_asking = true;
                let late = Duration::from_secs_f64(0.001 * self.chance());
                self.push(now + wait + late, Event::Ask);
            } else {
                self.waiting.pop_front();
                let there = now + Duration::from_secs_f64(self.course.latency / 2.0);
                self.push(there, Event::Arrives(Request { sent: now, refused }));
            }
        }
    }

    fn refill(&mut self, now: Duration) {
        let now = now.as_secs_f64();
        let twice = if now >= self.course.split.end { 2.0 } else { 1.0 };
        let per_second = twice * self.course.per_second;
        let even = f64::from(BATCH) / self.course.partitions as f64;
        let most = (per_second * self.course.saved).max(1.2 * even);
        for left in &mut self.left {
            *left = (*left + (now - self.filled) * per_second).min(most);
        }
        self.filled = now;
    }

    /// Takes `keys` from all partitions, not quite evenly, or nothing.
    fn grants(&mut self, keys: f64, now: Duration) -> bool {
        self.refill(now);
        if self.course.split.contains(&now.as_secs_f64()) {
            return false;
        }
        let even = keys / self.course.partitions as f64;
        let takes = (0..self.left.len()).map(|_| even * (0.9 + 0.2 * self.chance()));
        let takes: Vec<f64> = takes.collect();
        let is_granted = takes.iter().zip(&self.left).all(|(take, left)| take <= left);
        if is_granted {
            takes.iter().zip(&mut self.left).for_each(|(take, left)| *left -= take);
        }
        is_granted
    }
}

#[test]
fn deletes_reach_the_limit_of_1_4_and_16_partitions_and_are_seldom_refused() {
    for (partitions, latency) in [1, 4, 16].map(|n| [(n, 0.01), (n, 0.3)]).concat() {
        let course = Course { latency, seconds: 300, ..Course::s3(partitions) };
        let outcome = course.run();
        let share = outcome.rate(0..300) / course.limit();
        let throttled = outcome.throttled_share();
        assert!((0.95..1.01).contains(&share), "{partitions}, {latency}: {share}");
        assert!(throttled < 0.02, "{partitions}, {latency}: {throttled}");
    }
}

#[test]
fn a_limit_that_doubles_is_found_within_a_minute_and_an_outage_on_the_way_forgotten() {
    for partitions in [1, 4, 16] {
        let course = Course { split: 60.0..70.0, seconds: 240, ..Course::s3(partitions) };
        let outcome = course.run();
        let (before, back, after) =
            (outcome.rate(10..60), outcome.rate(78..80), outcome.rate(130..240));
        assert!(before / course.limit() > 0.95, "{partitions}: {before}");
        assert!(back / course.limit() > 0.95, "{partitions}: {back}");
        assert!(after / course.limit() > 1.9, "{partitions}: {after}");
    }
}

#[test]
fn other_partitions_with_a_limit_sixteen_times_as_high_are_found_out_within_a_minute() {
    // As where a sweep goes on from the links, in one partition, to the blobs, in sixteen.
    let (mut rate, mut now) = (KeyRate::new(Share::ALL), Duration::ZERO);
    for _ in 0..3 {
        rate.clean(3500, now, now);
        now += Duration::from_secs(1);
        assert!(rate.throttled(0, now, now));
    }
    assert!(rate.per_second() < 3500.0);
    let end = now + Duration::from_mins(1);
    while now < end {
        now += rate.take(BATCH, now).unwrap_or_default();
    }
    assert!(rate.per_second() > 56_000.0, "{rate:?}");
}

#[test]
fn with_a_share_of_half_somebody_else_is_served_with_the_other_half() {
    for (partitions, latency) in [1, 4, 16].map(|n| [(n, 0.01), (n, 0.3)]).concat() {
        let s3 = Course { latency, share: 50, ..Course::s3(partitions) };
        let course = Course { foreign: 0.5 * s3.limit(), seconds: 300, ..s3 };
        let outcome = course.run();
        let throttled = outcome.foreign_throttled / outcome.foreign;
        assert!(throttled < 0.02, "{partitions}, {latency}: {throttled}");
        assert!(outcome.throttled_share() < 0.02, "{partitions}, {latency}: {outcome:?}");
    }
}

#[test]
fn a_share_is_one_of_the_limit_that_was_observed() {
    for (share, part) in [(10, 0.1), (50, 0.5), (90, 0.9)] {
        let course = Course { share, ..Course::s3(16) };
        let used = course.run().rate(10..120) / course.limit();
        assert!((0.9 * part..part).contains(&used), "{share}: {used}");
    }
}

#[test]
fn a_limit_of_which_a_share_is_used_is_looked_for_again_after_ten_minutes() {
    let course = Course { share: 50, split: 30.0..30.0, seconds: 700, ..Course::s3(4) };
    let outcome = course.run();
    let rates = (outcome.rate(60..590) / course.limit(), outcome.rate(620..700) / course.limit());
    assert!((0.45..0.5).contains(&rates.0) && (0.9..1.0).contains(&rates.1), "{rates:?}");
    assert!(outcome.throttled_share() < 0.02, "{}", outcome.throttled_share());
}

#[test]
fn without_a_share_somebody_else_and_we_get_what_there_is() {
    let course = Course { foreign: 3500.0, seconds: 300, ..Course::s3(4) };
    let used = course.run().rate(10..300) / course.limit();
    assert!((0.7..0.77).contains(&used), "{used}");
}

#[test]
fn a_store_that_never_objects_is_asked_as_fast_as_it_answers_a_second_later() {
    let mut rate = KeyRate::new(Share::ALL);
    let (mut now, mut keys) = (Duration::ZERO, 0);
    while keys < 500_000 {
        if let Some(wait) = rate.take(BATCH, now) {
            now += wait;
        } else {
            let sent = now;
            now += Duration::from_millis(20);
            keys += BATCH;
            rate.clean(BATCH, sent, now);
        }
    }
    assert!(now < Duration::from_secs(11), "{now:?}, and 10 s at best");
    assert!(rate.per_second() > 50_000.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_the_store_most_of_its_limit_is_used_and_few_requests_are_refused(
        partitions in 1..16_usize,
        per_second in 2000..8000_u32,
        saved in 1.0..4.0_f64,
        latency in 0.005..0.4_f64,
    ) {
        let per_second = f64::from(per_second);
        let s3 = Course::s3(partitions);
        let course = Course { per_second, saved, latency, seconds: 150, ..s3 };
        let outcome = course.run();
        // 64 requests in flight may be too few.
        let limit = course.limit().min(0.9 * 64_000.0 / (1.25 * latency));
        prop_assert!(outcome.rate(30..150) > 0.9 * limit, "{}", outcome.rate(30..150) / limit);
        prop_assert!(outcome.throttled_share() < 0.06, "{}", outcome.throttled_share());
    }

    #[test]
    fn whatever_is_answered_the_rate_stays_between_its_bounds_and_one_event_is_told_once(
        share in 1..=100_u8,
        answers in prop::collection::vec((0..2000_u64, 0..1500_u64, 0..=1000_u32, any::<bool>()), 1..300),
    ) {
        let mut rate = KeyRate::new(Share::percent(share).unwrap());
        let mut now = Duration::ZERO;
        for (pause, ago, keys, is_clean) in answers {
            now += Duration::from_millis(pause);
            if let Some(wait) = rate.take(BATCH, now) {
                prop_assert!(!wait.is_zero() && wait <= Duration::from_millis(100));
            }
            let sent = now.saturating_sub(Duration::from_millis(ago));
            let before = rate.per_second();
            if is_clean {
                rate.clean(keys, sent, now);
                prop_assert!(rate.per_second() >= before);
            } else if rate.throttled(keys, sent, now) {
                prop_assert!(rate.per_second() < before.max(251.0));
                let after = rate.per_second();
                let earlier = now.saturating_sub(Duration::from_millis(1));
                prop_assert!(now.is_zero() || !rate.throttled(0, earlier, now));
                prop_assert!((after - rate.per_second()).abs() < 1e-9);
            }
            prop_assert!(rate.per_second() >= 250.0 && rate.per_second().is_finite());
        }
    }

    #[test]
    fn no_stretch_of_time_sees_more_keys_than_the_rate_and_what_was_saved_up(
        pauses in prop::collection::vec(0..400_u64, 1..200),
    ) {
        let mut rate = KeyRate::new(Share::ALL);
        rate.throttled(500, Duration::ZERO, Duration::ZERO);
        let (mut now, mut taken, mut borne) = (0, 0, 3000.0);
        for pause in pauses {
            // A clock that seems to step back gives nothing away.
            rate.take(u32::MAX, Duration::from_millis(now / 2));
            now += pause;
            let gone = rate.take(BATCH, Duration::from_millis(now)).is_none();
            borne += rate.per_second() * pause as f64 / 1000.0;
            taken += if gone { BATCH } else { 0 };
            prop_assert!(f64::from(taken) <= borne, "{taken} of {borne}");
        }
    }
}
