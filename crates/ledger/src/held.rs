//! The right to go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{LocalClock, Moment};

/// The lease is lost, or may be: whoever holds this begins nothing more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{holder}` lost the lease, or could not renew it in time: another process may be collecting"
)]
pub struct LeaseLost {
    /// Who had it.
    pub holder: Box<str>,
}

/// What shows that a lease is held, to be asked right before each request that changes something. Clones are one.
#[derive(Clone, Debug)]
pub struct Held {
    holder: Box<str>,
    clock: LocalClock,
    /// In milliseconds of [`Moment`]; 0 where it is lost.
    deadline: Arc<AtomicU64>,
}

impl Held {
    pub(crate) fn new(holder: &str, clock: LocalClock) -> Self {
        Self { holder: holder.into(), clock, deadline: Arc::default() }
    }

    /// What shows that no lease is held: for who only looks.
    #[must_use]
    pub fn by_nobody() -> Self {
        Self::new("nobody", LocalClock::system())
    }

    /// Who holds it.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    pub(crate) fn until(&self, deadline: Moment) {
        self.deadline.store(millis(deadline), Ordering::SeqCst);
    }

    pub(crate) fn always(&self) {
        self.deadline.store(u64::MAX, Ordering::SeqCst);
    }

    /// Whether a lock on this machine shows it, because the store does not look at conditions.
    pub(crate) fn is_local(&self) -> bool {
        self.deadline.load(Ordering::SeqCst) == u64::MAX
    }

    pub(crate) fn lose(&self) {
        self.deadline.store(0, Ordering::SeqCst);
    }

    /// Whether a request that is sent at `now` has ended before anybody else can hold the lease.
    ///
    /// # Errors
    /// [`LeaseLost`] where it may not have, and from then on until the lease is renewed.
    pub fn check(&self, now: Moment) -> Result<(), LeaseLost> {
        if millis(now) < self.deadline.load(Ordering::SeqCst) {
            return Ok(());
        }
        Err(LeaseLost { holder: self.holder.clone() })
    }

    /// The same at this moment.
    ///
    /// # Errors
    /// As [`Held::check`].
    pub fn check_now(&self) -> Result<(), LeaseLost> {
        self.check(self.clock.now())
    }
}

fn millis(moment: Moment) -> u64 {
    u64::try_from(moment.millis()).unwrap_or(u64::MAX)
}
