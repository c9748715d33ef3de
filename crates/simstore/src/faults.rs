//! Ways to misbehave, and when.

use std::time::Duration;

use crate::mix::{GOLDEN, finalize, mix};
use crate::{Kind, S3Error};

/// One way to misbehave. Faults of listings strike listings only, faults of deletions deletions only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Waits before anything else; delays add up.
    Delay(Duration),
    /// Answers with an error, before any effect.
    Refuse(S3Error),
    /// Answers with an error document under status 200, before any effect.
    RefuseWithin200(S3Error),
    /// Closes the connection without an answer, before any effect.
    HangUpBefore,
    /// Closes the connection without an answer, after the effect: the answer is lost.
    HangUpAfter,
    /// Closes the connection in the middle of the body.
    BreakBody,
    /// Sends the first half of the body as if it were all.
    HalfBody,
    /// Answers with status 200 and a page of HTML.
    ForeignBody,
    /// Sends no `Date`.
    NoDate,

    /// Listing: at most this many entries, though there are more.
    ShortPage(usize),
    /// Listing: no entries, truncated, with a fresh token.
    EmptyPage,
    /// Listing: no entries, truncated, with the token that was sent.
    StuckPage,
    /// Listing: the first and the last entry change places.
    Unordered,
    /// Listing: the last entry comes twice.
    Repeated,
    /// Listing: `start-after` is not looked at.
    IgnoreStartAfter,
    /// Listing: the key of `start-after` is listed too.
    InclusiveStartAfter,
    /// Listing: `continuation-token` is not looked at.
    IgnoreToken,
    /// Listing: the first entry lies outside the prefix.
    OutsidePrefix,
    /// Listing: echoes another prefix.
    WrongPrefixEcho,
    /// Listing: echoes another `start-after`.
    WrongStartAfterEcho,
    /// Listing: no `NextContinuationToken`, though truncated.
    NoToken,
    /// Listing: no `IsTruncated`.
    NoIsTruncated,
    /// Listing: `IsTruncated` is not a boolean.
    OddIsTruncated,
    /// Listing: `KeyCount` is one too many.
    WrongKeyCount,
    /// Listing: `encoding-type` is neither obeyed nor echoed.
    IgnoreEncoding,
    /// Listing: `encoding-type` is echoed but not obeyed.
    EchoEncodingOnly,
    /// Listing: spaces are encoded as `%20`, not as `+`.
    PercentSpaces,
    /// Listing: slashes are encoded too.
    PercentSlashes,
    /// Listing: a listed key is broken off in the middle of an escape.
    BrokenEscape,
    /// Listing: no entity tags.
    NoEtags,
    /// Listing: no modification times.
    NoTimes,
    /// Listing: modification times that are none.
    OddTimes,
    /// Listing: no sizes.
    NoSizes,
    /// Listing: sizes that are none.
    OddSizes,

    /// Deletion: some keys fail with an error inside a 200, and are kept.
    FailKeys(Which, S3Error),
    /// Deletion: some keys are deleted, but the answer does not mention them.
    OmitKeys(Which),
    /// Deletion: the answer mentions a key that was not asked for.
    ExtraKey,
    /// Deletion: the answer mentions the first key twice: deleted, and failed.
    TwiceMentioned,
    /// Deletion: mentions deleted keys though asked to be quiet.
    IgnoreQuiet,

    /// Putting: `if-match` and `if-none-match` are not looked at.
    IgnoreConditions,
}

/// Which keys of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Every nth, counted from the first; 1 is all.
    Every(usize),
    /// Those that contain a text.
    Containing(String),
}

impl Which {
    /// Whether the key at `place`, counted from 0, is one.
    pub(crate) fn is(&self, place: usize, key: &str) -> bool {
        match self {
            Self::Every(n) => place.is_multiple_of(*n),
            Self::Containing(text) => key.contains(text.as_str()),
        }
    }
}

/// On which requests of its kind a fault strikes. Requests are counted from 1, anew whenever faults are set.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// All.
    Always,
    /// This one.
    Nth(u64),
    /// This many from the first on.
    First(u64),
    /// All but this many from the first on.
    After(u64),
    /// Each with this probability, drawn from the seed.
    Chance(f64),
    /// Those for exactly this key or prefix.
    Subject(String),
}

#[derive(Clone, Debug)]
struct Rule {
    kind: Kind,
    when: When,
    fault: Fault,
}

/// How the server misbehaves: not at all, unless told.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    seed: u64,
    latency: Duration,
    rules: Vec<Rule>,
    death: Option<Death>,
}

/// The request at which the server dies, of whatever kind, counted from 1, and what that one meets.
#[derive(Clone, Debug)]
struct Death {
    at: u64,
    last: Fault,
}

impl Faults {
    /// Perfect behaviour.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Where [`When::Chance`] draws from.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// How long every answer takes.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// The request of this number, counted from 1 over all kinds, meets `last`, and the server hangs up on all that
    /// follow: whatever a client did after it has no effect, as if the client had died there.
    #[must_use]
    pub fn dies_at(self, at: u64, last: Fault) -> Self {
        Self { death: Some(Death { at, last }), ..self }
    }

    /// Adds a rule. Every rule that applies to a request strikes; of several refusals the first.
    #[must_use]
    pub fn on(mut self, kind: Kind, when: When, fault: Fault) -> Self {
        self.rules.push(Rule { kind, when, fault });
        self
    }
}

/// Faults, and the requests of each kind that they have seen.
#[derive(Debug, Default)]
pub(crate) struct Injector {
    faults: Faults,
    seen: [u64; Kind::ALL.len()],
    seen_in_all: u64,
}

impl Injector {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }

    /// What strikes the next request.
    pub(crate) fn next(&mut self, kind: Kind, subject: &str) -> Struck {
        self.seen[kind as usize] += 1;
        self.seen_in_all += 1;
        let ordinal = self.seen[kind as usize];
        let strikes = |(place, rule): &(usize, &Rule)| {
            rule.kind == kind && self.strikes(*place, &rule.when, ordinal, subject)
        };
        let rules = self.faults.rules.iter().enumerate();
        let faults = rules.filter(strikes).map(|(_, rule)| rule.fault.clone());
        let faults = faults.chain(self.death()).collect();
        Struck { latency: self.faults.latency, faults }
    }

    fn death(&self) -> Option<Fault> {
        let Death { at, last } = self.faults.death.as_ref()?;
        match self.seen_in_all.cmp(at) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(last.clone()),
            std::cmp::Ordering::Greater => Some(Fault::HangUpBefore),
        }
    }

    fn strikes(&self, place: usize, when: &When, ordinal: u64, subject: &str) -> bool {
        match when {
            When::Always => true,
            When::Nth(n) => ordinal == *n,
            When::First(n) => ordinal <= *n,
            When::After(n) => ordinal > *n,
            When::Chance(chance) => draw(self.faults.seed, place as u64, ordinal) < *chance,
            When::Subject(text) => subject == text,
        }
    }
}

/// A number from 0 to 1, the same for the same arguments.
fn draw(seed: u64, place: u64, ordinal: u64) -> f64 {
    let place = mix(place);
    let bits = finalize(finalize(seed.wrapping_add(GOLDEN) ^ place) ^ ordinal);
    bits as f64 / u64::MAX as f64
}

/// The faults that strike one request.
#[derive(Debug)]
pub(crate) struct Struck {
    latency: Duration,
    faults: Vec<Fault>,
}

impl Struck {
    pub(crate) fn is_nothing(&self) -> bool {
        self.faults.is_empty()
    }

    pub(crate) fn has(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    /// What `pick` finds first.
    pub(crate) fn find<'s, T>(&'s self, pick: impl FnMut(&'s Fault) -> Option<T>) -> Option<T> {
        self.faults.iter().find_map(pick)
    }

    /// How long to wait before anything else.
    pub(crate) fn delay(&self) -> Duration {
        let delays = self.faults.iter().filter_map(|fault| match fault {
            Fault::Delay(delay) => Some(*delay),
            _ => None,
        });
        self.latency + delays.sum::<Duration>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(when: When, requests: u64) -> Vec<u64> {
        let faults = Faults::none().seed(7).on(Kind::Get, when, Fault::HangUpBefore);
        let mut injector = Injector::new(faults);
        let strikes = |_: &u64| injector.next(Kind::Get, "a").has(&Fault::HangUpBefore);
        (1..=requests).filter(strikes).collect()
    }

    #[test]
    fn rules_strike_when_they_say() {
        assert_eq!(struck(When::Always, 3), [1, 2, 3]);
        assert_eq!(struck(When::Nth(2), 3), [2]);
        assert_eq!(struck(When::First(2), 3), [1, 2]);
        assert_eq!(struck(When::After(2), 4), [3, 4]);
        assert_eq!(struck(When::Subject("a".into()), 2), [1, 2]);
        assert_eq!(struck(When::Subject("b".into()), 2), [0; 0]);
    }

    #[test]
    fn chance_is_the_same_again_and_about_as_often_as_said() {
        let first = struck(When::Chance(0.25), 4000);
        assert_eq!(first, struck(When::Chance(0.25), 4000));
        assert!((800..1200).contains(&first.len()), "{}", first.len());
    }

    #[test]
    fn kinds_are_counted_apart() {
        let mut injector =
            Injector::new(Faults::none().on(Kind::Get, When::Nth(1), Fault::HangUpBefore));
        assert!(!injector.next(Kind::List, "").has(&Fault::HangUpBefore));
        assert!(injector.next(Kind::Get, "").has(&Fault::HangUpBefore));
    }

    #[test]
    fn a_server_that_died_hangs_up_on_every_kind() {
        let mut injector = Injector::new(Faults::none().dies_at(2, Fault::HangUpAfter));
        let mut met = |kind| injector.next(kind, "").find(|fault| Some(fault.clone()));
        assert_eq!(met(Kind::Get), None);
        assert_eq!(met(Kind::List), Some(Fault::HangUpAfter));
        assert_eq!(met(Kind::Get), Some(Fault::HangUpBefore));
        assert_eq!(met(Kind::List), Some(Fault::HangUpBefore));
    }

    #[test]
    fn delays_add_up() {
        let second = Duration::from_secs(1);
        let faults =
            Faults::none().latency(second).on(Kind::Get, When::Always, Fault::Delay(2 * second));
        assert_eq!(Injector::new(faults).next(Kind::Get, "").delay(), 3 * second);
    }
}
