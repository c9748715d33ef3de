//! How many requests a store is asked at a time.

use std::time::Duration;

/// Adapts the number of requests in flight to what the store bears.
///
/// Doubles with every window of answers until the store first asks to slow down, and grows by one from then on. The
/// limit halves once for each *event*: answers to requests sent before the last halving, or within a second after it,
/// tell of the same overload and halve nothing. After an event the limit stays for a quiet period, which doubles from
/// event to event, so that a store at its limit is seldom pushed over it.
#[derive(Debug)]
pub(crate) struct Controller {
    limit: usize,
    maximum: usize,
    is_starting: bool,
    /// Clean answers since the limit last changed.
    clean_answers: usize,
    /// When the limit was last halved.
    halved: Option<Duration>,
    quiet: Duration,
}

impl Controller {
    /// Where a slow start begins.
    const START: usize = 4;
    /// How long after a halving a throttled answer still tells of the same event.
    const EVENT: Duration = Duration::from_secs(1);
    const SHORTEST_QUIET: Duration = Duration::from_secs(1);
    const LONGEST_QUIET: Duration = Duration::from_secs(32);

    /// Starts low; `maximum` is at least one.
    pub(crate) fn new(maximum: usize) -> Self {
        let maximum = maximum.max(1);
        Self {
            limit: Self::START.min(maximum),
            maximum,
            is_starting: true,
            clean_answers: 0,
            halved: None,
            quiet: Self::SHORTEST_QUIET,
        }
    }

    /// How many requests may be in flight.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// The store answered without asking to slow down.
    pub(crate) fn clean(&mut self, now: Duration) {
        if self.halved.is_some_and(|halved| now < halved + self.quiet) {
            return;
        }
        self.clean_answers += 1;
        if self.clean_answers >= self.limit {
            let more = if self.is_starting { self.limit } else { 1 };
            self.resize(self.limit + more);
        }
    }

    /// The store asked to slow down in its answer to a request sent at `sent`.
    pub(crate) fn throttled(&mut self, sent: Duration, now: Duration) {
        let Some(halved) = self.halved else { return self.halve(now) };
        if sent < halved || now < halved + Self::EVENT {
            return;
        }
        // Trouble soon after the quiet period means that it was too short; trouble long after it is news.
        let soon = now < halved + self.quiet * 2;
        let next = if soon { self.quiet * 2 } else { Self::SHORTEST_QUIET };
        self.quiet = next.min(Self::LONGEST_QUIET);
        self.halve(now);
    }

    fn halve(&mut self, now: Duration) {
        self.halved = Some(now);
        self.is_starting = false;
        self.resize(self.limit / 2);
    }

    fn resize(&mut self, limit: usize) {
        self.limit = limit.clamp(1, self.maximum);
        self.clean_answers = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// The limits after each of `answers` clean answers.
    fn limits(controller: &mut Controller, answers: usize, now: Duration) -> Vec<usize> {
        let limit = |_| {
            controller.clean(now);
            controller.limit()
        };
        (0..answers).map(limit).collect()
    }

    #[test]
    fn a_slow_start_doubles_with_every_window_up_to_the_maximum() {
        let mut controller = Controller::new(20);
        assert_eq!(controller.limit(), 4);
        assert_eq!(limits(&mut controller, 4, at(0)), [4, 4, 4, 8]);
        assert_eq!(limits(&mut controller, 8, at(0))[6..], [8, 16]);
        assert_eq!(limits(&mut controller, 16, at(0))[14..], [16, 20]);
        assert!(limits(&mut controller, 100, at(0)).iter().all(|limit| *limit == 20));
    }

    #[test]
    fn the_maximum_holds_from_the_start() {
        assert_eq!(Controller::new(2).limit(), 2);
        assert_eq!(Controller::new(0).limit(), 1);
    }

    #[test]
    fn one_event_halves_once_however_many_answers_tell_of_it() {
        let mut controller = Controller::new(64);
        limits(&mut controller, 28, at(0));
        assert_eq!(controller.limit(), 32);
        for answer in 0..32 {
            controller.throttled(at(90), at(100 + answer));
        }
        assert_eq!(controller.limit(), 16);
        controller.throttled(at(150), at(1_099));
        assert_eq!(controller.limit(), 16, "within a second after the halving");
        controller.throttled(at(99), at(5_000));
        assert_eq!(controller.limit(), 16, "sent before the halving, answered long after");
        controller.throttled(at(200), at(1_100));
        assert_eq!(controller.limit(), 8, "sent after the halving, a second later");
    }

    #[test]
    fn after_an_event_the_limit_grows_by_one_and_only_after_the_quiet_period() {
        let mut controller = Controller::new(64);
        controller.throttled(at(0), at(0));
        assert_eq!(controller.limit(), 2);
        assert_eq!(limits(&mut controller, 50, at(999)), [2; 50]);
        assert_eq!(limits(&mut controller, 5, at(1_000)), [2, 3, 3, 3, 4]);
    }

    #[test]
    fn quiet_periods_double_from_event_to_event_up_to_32_seconds() {
        let mut controller = Controller::new(64);
        let mut now = Duration::ZERO;
        controller.throttled(now, now);
        for quiet in [1, 2, 4, 8, 16, 32, 32] {
            let end = now + Duration::from_secs(quiet);
            controller.clean(end.saturating_sub(at(1)));
            assert_eq!(controller.clean_answers, 0, "quiet for {quiet} s");
            controller.clean(end);
            assert!(controller.clean_answers == 1 || controller.limit() > 1, "after {quiet} s");
            now = end;
            controller.throttled(now, now);
        }
        let later = now + Duration::from_secs(100);
        controller.throttled(later, later);
        controller.clean(later + Duration::from_secs(1));
        assert!(controller.limit() > 1, "news after a long time: quiet for one second only");
    }

    #[test]
    fn the_limit_never_falls_below_one() {
        let mut controller = Controller::new(64);
        for second in 0..20 {
            controller.throttled(at(second * 2_000), at(second * 2_000));
        }
        assert_eq!(controller.limit(), 1);
    }
}
