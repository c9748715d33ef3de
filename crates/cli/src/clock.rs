//! The only place that asks the machine for the time.

use std::time::{Instant, SystemTime};

use registry::Timestamp;

/// Now, by this machine's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "everything else gets the clock as an argument")]
pub(crate) fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// A point from which to measure how long something took.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "everything else gets the clock as an argument")]
pub(crate) fn start() -> Instant {
    Instant::now()
}
