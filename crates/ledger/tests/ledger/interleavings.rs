//! Never do two believe that they hold the lease: all orders of few steps, and many orders of many.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use ledger::{Held, Holder, Lease, LeaseTimes, LedgerError, LocalClock, Moment};
use registry::Layout;

use crate::stepped::{Fate, Stepped};

const SECOND: i64 = 1000;
const FLIGHT: i64 = 5 * SECOND;
const MARGIN: i64 = 4 * SECOND;

fn times() -> LeaseTimes {
    let [life, flight, margin] =
        [20 * SECOND, FLIGHT, MARGIN].map(|time| Duration::from_millis(time.unsigned_abs()));
    LeaseTimes::new(life, flight, margin).unwrap()
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// A collector goes on until its next request waits to take its step; the one that waited takes it so.
    Go(usize, Fate),
    Pass(i64),
    /// The store's clock is set to be so far ahead.
    Ahead(i64),
    Lag(i64),
    /// A write arrives whose sender gave up.
    Land,
}

/// A collector, what it shows of its lease, and when it could last send a request.
struct Collector {
    future: Pin<Box<dyn Future<Output = ()>>>,
    shown: Arc<Mutex<Option<Held>>>,
    last_allowed: Option<i64>,
    /// Its own count of time goes so many thousandths as fast.
    pace: i64,
}

struct World {
    store: Stepped,
    collectors: Vec<Collector>,
    /// How often anybody could send anything.
    allowed: u64,
    /// How many hands the lease went through.
    takeovers: u64,
    last: Option<usize>,
}

fn local(time: i64, pace: i64) -> Moment {
    Moment::new(Duration::from_millis((time * pace / 1000).unsigned_abs()))
}

/// Collects again and again: renews twice, then gives the lease back, or leaves it where it was lost.
async fn collect(store: Arc<Stepped>, clock: LocalClock, shown: Arc<Mutex<Option<Held>>>) {
    let show = |held| *shown.lock().unwrap() = held;
    loop {
        let (holder, layout) = (Holder::new("collector"), Layout::new(""));
        let lease =
            Lease::acquire(Arc::clone(&store), &layout, holder, times(), clock.clone()).await;
        let Ok(mut lease) = lease else { continue };
        show(Some(lease.guard()));
        let (one, two) = (lease.renew().await, lease.renew().await);
        if [one, two].iter().any(|renewed| matches!(renewed, Err(LedgerError::Lost(_)))) {
            continue;
        }
        // From here on nothing is sent any more, and all that was is answered.
        show(None);
        drop(lease.release().await);
    }
}

impl World {
    fn new(collectors: usize) -> Self {
        let store = Stepped::default();
        let collectors = (0..collectors).map(|number| {
            let (shown, pace) = (Arc::<Mutex<Option<Held>>>::default(), [991, 1000, 1200][number]);
            let clock = {
                let store = store.clone();
                LocalClock::new(move || local(store.time(), pace))
            };
            let future = collect(Arc::new(store.clone()), clock, Arc::clone(&shown));
            Collector { future: Box::pin(future), shown, last_allowed: None, pace }
        });
        let collectors = collectors.collect();
        Self { store, collectors, allowed: 0, takeovers: 0, last: None }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Go(number, fate) => {
                self.store.doom(fate);
                let context = &mut Context::from_waker(Waker::noop());
                assert!(self.collectors[number].future.as_mut().poll(context).is_pending());
                self.store.doom(Fate::Fine);
            }
            Action::Pass(millis) => self.store.pass(millis),
            Action::Ahead(millis) => self.store.set_ahead(millis),
            Action::Lag(millis) => self.store.set_lag(millis),
            Action::Land => self.store.land(),
        }
    }

    /// Lets everybody who may send a request; false where another one's may still be under way.
    fn is_safe(&mut self) -> bool {
        let now = self.store.time();
        for number in 0..self.collectors.len() {
            let Collector { shown, pace, .. } = &self.collectors[number];
            let Some(held) = shown.lock().unwrap().clone() else {
                self.collectors[number].last_allowed = None;
                continue;
            };
            if held.check(local(now, *pace)).is_err() {
                continue;
            }
            let others = self.collectors.iter().enumerate().filter(|(other, _)| *other != number);
            if others.filter_map(|(_, other)| other.last_allowed).any(|last| now < last + FLIGHT) {
                return false;
            }
            self.collectors[number].last_allowed = Some(now);
            self.allowed += 1;
            self.takeovers += u64::from(self.last.replace(number) != Some(number));
        }
        true
    }

    /// Plays actions; how many were safe.
    fn play(&mut self, actions: impl IntoIterator<Item = Action>) -> Result<(), usize> {
        for (number, action) in actions.into_iter().enumerate() {
            self.act(action);
            if !self.is_safe() {
                return Err(number);
            }
        }
        Ok(())
    }
}

fn go(number: usize) -> Action {
    Action::Go(number, Fate::Fine)
}

#[test]
fn all_orders_of_ten_steps_of_two_collectors_are_safe() {
    const CHOICES: [Action; 3] =
        [Action::Go(0, Fate::Fine), Action::Go(1, Fate::Fine), Action::Pass(12 * SECOND)];
    let mut takeovers = 0;
    for begins in [&[][..], &[go(0), go(0), go(0), go(0), Action::Pass(13 * SECOND)]] {
        for order in 0..3_usize.pow(10) {
            let steps = (0..10).map(|step| CHOICES[order / 3_usize.pow(step) % 3]);
            let mut world = World::new(2);
            let played = world.play(begins.iter().copied().chain(steps));
            assert_eq!(played, Ok(()), "order {order} after {begins:?}");
            takeovers += u64::from(world.takeovers > 1);
        }
    }
    assert!(takeovers > 100, "the lease changed hands: {takeovers}");
}

#[test]
fn at_the_worst_of_all_clocks_one_ends_just_before_the_other_begins() {
    let mut world = World::new(2);
    let taken =
        [Action::Lag(999), go(0), go(0), go(0), go(0), Action::Ahead(MARGIN), Action::Lag(0)];
    let goes_on = std::iter::repeat_n([Action::Pass(10), go(1), go(1)], 2400).flatten();
    assert_eq!(world.play(taken.into_iter().chain(goes_on)), Ok(()));
    assert_eq!(world.takeovers, 2, "first one, then the other");
}

/// Numbers that nobody chose; the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % limit
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    /// The store's clock is never more than `ahead` ahead. One collector is quick while the others stall: what one
    /// relies on for longest and what another takes first then come close.
    fn action(&mut self, ahead: i64, quick: &mut usize) -> Action {
        if self.below(30) == 0 {
            *quick = self.pick(&[0, 1, 2]);
        }
        match self.below(100) {
            0..3 => Action::Ahead(self.pick(&[0, ahead])),
            3..6 => Action::Lag(self.pick(&[0, 999])),
            6..8 => Action::Land,
            8..30 => Action::Pass(self.pick(&[250, 500, SECOND])),
            30..32 => Action::Pass(self.pick(&[5 * SECOND, 12 * SECOND])),
            32..36 => {
                Action::Go(*quick, self.pick(&[Fate::Unserved, Fate::Unanswered, Fate::Late]))
            }
            36..38 => go(self.pick(&[0, 1, 2])),
            _ => go(*quick),
        }
    }
}

/// Plays random orders; how many were unsafe, and through how many hands the lease went in all.
fn random_orders(orders: u64, ahead: i64) -> (u64, u64) {
    let (mut is_unsafe, mut takeovers) = (0, 0);
    for seed in 0..orders {
        let (mut dice, mut world, mut quick) = (Dice(seed << 32), World::new(3), 0);
        if dice.below(2) == 0 {
            world.store.slow_answers();
        }
        let actions: Vec<Action> = (0..400).map(|_| dice.action(ahead, &mut quick)).collect();
        is_unsafe += u64::from(world.play(actions).is_err());
        takeovers += world.takeovers;
    }
    (is_unsafe, takeovers)
}

#[test]
fn many_orders_of_three_collectors_with_faults_slow_requests_and_clock_steps_are_safe() {
    let (is_unsafe, takeovers) = random_orders(3000, MARGIN);
    assert_eq!(is_unsafe, 0);
    assert!(takeovers > 8000, "the lease changed hands: {takeovers}");
}

#[test]
fn a_clock_that_is_set_forward_by_more_than_the_margin_breaks_it_and_is_found() {
    let (is_unsafe, _) = random_orders(500, MARGIN + 2 * SECOND);
    assert!(is_unsafe > 0, "or these tests see nothing");
}
