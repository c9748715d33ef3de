//! Time that passed here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment by this machine's own count, which no step of its clock changes. Says nothing about the store's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// So long after the count began.
    #[must_use]
    pub const fn new(since: Duration) -> Self {
        Self(since)
    }

    pub(crate) fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }

    pub(crate) const fn millis(self) -> u128 {
        self.0.as_millis()
    }
}

/// Where moments come from. Cheap to clone.
#[derive(Clone)]
pub struct LocalClock(Arc<dyn Fn() -> Moment + Send + Sync>);

impl LocalClock {
    /// A clock for tests.
    pub fn new(now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// This machine's count since it started, which goes on while it sleeps: a machine that slept must not believe that
    /// it holds a lease.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| {
            let since = clock_gettime(ClockId::Boottime);
            let seconds = u64::try_from(since.tv_sec).unwrap_or(0); // never negative
            let nanos = u32::try_from(since.tv_nsec).unwrap_or(0); // below 10^9
            Moment(Duration::new(seconds, nanos))
        })
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        (self.0)()
    }
}

impl fmt::Debug for LocalClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalClock").field(&self.now()).finish()
    }
}
