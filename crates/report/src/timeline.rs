//! How a run went on: samples of its counters, a bounded number of them.

use std::time::Duration;

use monitor::{Counter, Monitor, Phase};

/// What was counted up to one moment. All counters only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// How long after the start.
    pub at: Duration,
    /// What the program did then.
    pub phase: Phase,
    /// Keys listed.
    pub keys: u64,
    /// Planned objects that have an outcome.
    pub objects: u64,
    /// Bytes freed.
    pub bytes: u64,
    /// Answers that asked to slow down.
    pub throttled: u64,
    /// Requests that were sent again.
    pub retried: u64,
}

impl Point {
    /// What `monitor` has counted, `at` so long after the start.
    #[must_use]
    pub fn sample(monitor: &Monitor, at: Duration) -> Self {
        let get = |counter| monitor.get(counter);
        Self {
            at,
            phase: monitor.phase(),
            keys: get(Counter::RepositoryKeys) + get(Counter::BlobKeys),
            objects: get(Counter::SweptObjects),
            bytes: get(Counter::FreedBytes),
            throttled: get(Counter::ThrottledAnswers),
            retried: get(Counter::RetriedRequests),
        }
    }
}

/// Points of a run, in the order of time.
///
/// Holds at most [`Timeline::POINTS`]: when they are full, every second one goes, and from then on only half as many
/// are kept (G12). The last one is always there.
#[derive(Clone, Debug)]
pub struct Timeline {
    kept: Vec<Point>,
    last: Option<Point>,
    /// One of so many is kept.
    stride: u64,
    seen: u64,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { kept: Vec::new(), last: None, stride: 1, seen: 0 }
    }
}

impl Timeline {
    /// The most points that are kept.
    pub const POINTS: usize = 240;

    /// The most rates that are told of a timeline, about.
    const RATES: usize = 90;

    /// Adds a point; none that lies before the last one.
    pub fn push(&mut self, point: Point) {
        if self.last.is_some_and(|last| point.at <= last.at) {
            return;
        }
        self.last = Some(point);
        if self.seen.is_multiple_of(self.stride) {
            self.make_room();
        }
        if self.seen.is_multiple_of(self.stride) {
            self.kept.push(point);
        }
        self.seen += 1;
    }

    fn make_room(&mut self) {
        if self.kept.len() < Self::POINTS - 1 {
            return;
        }
        let mut is_kept = false;
        self.kept.retain(|_| {
            is_kept = !is_kept;
            is_kept
        });
        self.stride *= 2;
    }

    /// The points, in the order of time; at most [`Timeline::POINTS`].
    pub fn points(&self) -> impl Iterator<Item = Point> {
        let last = self.last.filter(|last| self.kept.last() != Some(last));
        self.kept.iter().copied().chain(last)
    }

    /// How long the run took; none where nothing was sampled.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        self.last.map(|last| last.at)
    }

    /// What was counted in all.
    #[must_use]
    pub fn last(&self) -> Option<Point> {
        self.last
    }

    /// How fast something grew: seconds since the start, and by how much in a second up to then. Neighbours lie so far
    /// apart that a batch more or less, or the moment in which the run ended, makes no peak.
    pub(crate) fn rates(&self, of: impl Fn(&Point) -> u64) -> Vec<(f64, f64)> {
        let chosen = self.evenly();
        let rate = |pair: &[Point]| {
            let seconds = pair[1].at.saturating_sub(pair[0].at).as_secs_f64();
            let grown = of(&pair[1]).saturating_sub(of(&pair[0])) as f64;
            (pair[1].at.as_secs_f64(), grown / seconds)
        };
        chosen.windows(2).map(rate).collect()
    }

    /// Points that lie evenly, the first and the last among them.
    fn evenly(&self) -> Vec<Point> {
        let points: Vec<Point> = self.points().collect();
        let parts = points.len().clamp(2, Self::RATES);
        let step = self.length().unwrap_or_default().mul_f64(0.75 / parts as f64);
        let mut chosen: Vec<Point> = Vec::with_capacity(points.len());
        for point in &points {
            if chosen.last().is_none_or(|end| point.at.saturating_sub(end.at) >= step) {
                chosen.push(*point);
            }
        }
        match (&mut chosen[..], points.last()) {
            ([_, .., end], Some(last)) => *end = *last,
            ([_], Some(last)) if points.len() > 1 => chosen.push(*last),
            _ => {}
        }
        chosen
    }

    /// When each phase began, as far as it was seen.
    pub(crate) fn phases(&self) -> Vec<(f64, Phase)> {
        let mut phases: Vec<(f64, Phase)> =
            self.points().map(|point| (point.at.as_secs_f64(), point.phase)).collect();
        phases.dedup_by_key(|(_, phase)| *phase);
        phases
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(millis: u64) -> Point {
        Point {
            at: Duration::from_millis(millis),
            phase: if millis < 500 { Phase::Marking } else { Phase::Planning },
            keys: millis * 3,
            objects: 0,
            bytes: 0,
            throttled: 0,
            retried: 0,
        }
    }

    proptest! {
        #[test]
        fn g12_points_are_bounded_ordered_and_end_with_the_last(number in 1..5000_u64) {
            let mut timeline = Timeline::default();
            (0..number).for_each(|millis| timeline.push(point(millis)));
            let points: Vec<Point> = timeline.points().collect();
            prop_assert!(points.len() <= Timeline::POINTS);
            prop_assert!(points.is_sorted_by(|a, b| a.at < b.at));
            prop_assert_eq!(points[0], point(0));
            prop_assert_eq!(points.last().copied(), Some(point(number - 1)));
            let coarsest = points.windows(2).map(|pair| pair[1].at.saturating_sub(pair[0].at).as_millis()).max();
            prop_assert!(coarsest.unwrap_or(0) <= u128::from(number / 60 + 1));
        }
    }

    #[test]
    fn what_grows_evenly_has_one_rate() {
        let mut timeline = Timeline::default();
        [0, 200, 900, 1000].map(point).into_iter().for_each(|point| timeline.push(point));
        let rates = timeline.rates(|point| point.keys);
        assert_eq!(rates.len(), 2, "the last is too short to have a rate of its own");
        assert!(rates.iter().all(|(_, rate)| (rate - 3000.0).abs() < 1e-6), "{rates:?}");
        assert_eq!(timeline.phases(), [(0.0, Phase::Marking), (0.9, Phase::Planning)]);
    }

    #[test]
    fn neither_a_batch_nor_the_moment_of_the_end_makes_a_peak() {
        let mut timeline = Timeline::default();
        let batch = |step: u64| Point { keys: step / 4 * 1000, ..point(step * 100) };
        (0..2000).for_each(|step| timeline.push(batch(step)));
        timeline.push(Point { at: Duration::from_millis(199_901), ..batch(2000) });
        let rates = timeline.rates(|point| point.keys);
        assert!((40..=130).contains(&rates.len()), "{}", rates.len());
        assert!(rates.iter().all(|(_, rate)| (1200.0..3800.0).contains(rate)), "{rates:?}");
        assert!(rates.last().is_some_and(|(seconds, _)| (seconds - 199.901).abs() < 1e-9));
    }

    #[test]
    fn a_point_of_the_past_is_no_point() {
        let mut timeline = Timeline::default();
        [5, 5, 3].map(point).into_iter().for_each(|point| timeline.push(point));
        assert_eq!(timeline.points().collect::<Vec<_>>(), [point(5)]);
    }
}
