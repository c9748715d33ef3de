//! The clock that requests are signed by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use registry::Timestamp;

/// How wrong the clock must be for a server to mind.
///
/// Servers take signatures that are up to 15 minutes old.
/// Source: Amazon S3 API, "Error responses", `RequestTimeTooSkewed`.
const MINDED: Duration = Duration::from_mins(4);

/// This machine's clock, set right by what servers say. Clones are one clock.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    system: SharedTimeSource,
    /// By how many milliseconds the server is ahead.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    pub(super) fn new(system: SharedTimeSource) -> Self {
        Self { system, ahead: Arc::default() }
    }

    /// Takes the server's time over; false where the clock told that time already, so that nothing is gained by asking
    /// again.
    pub(super) fn set(&self, server: Timestamp) -> bool {
        let is_off = |one: Timestamp, other| one.since(other) > MINDED;
        let told = Timestamp::from(self.now());
        if !is_off(told, server) && !is_off(server, told) {
            return false;
        }
        let system = Timestamp::from(self.system.now());
        let ahead = server.as_millis().saturating_sub(system.as_millis());
        self.ahead.store(ahead, Ordering::Relaxed);
        true
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let by = Duration::from_millis(ahead.unsigned_abs());
        let now = self.system.now();
        let right = if ahead < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        right.unwrap_or(now)
    }
}

/// The `Date` header of an answer.
pub(super) fn date(headers: &Headers) -> Option<Timestamp> {
    let date = DateTime::from_str(headers.get("date")?, Format::HttpDate).ok()?;
    Some(Timestamp::from_seconds(date.secs()))
}

#[cfg(test)]
mod tests {
    use aws_smithy_async::time::StaticTimeSource;

    use super::*;

    #[test]
    fn the_clock_follows_the_server_where_it_is_minutes_off() {
        let clock = Clock::new(SharedTimeSource::new(StaticTimeSource::from_secs(10_000)));
        let told = |clock: &Clock| Timestamp::from(clock.now());
        for (server, is_news) in
            [(10_100, false), (20_000, true), (20_100, false), (5_000, true), (5_000, false)]
        {
            let server = Timestamp::from_seconds(server);
            assert_eq!(clock.set(server), is_news, "{server}");
            assert!(!is_news || told(&clock) == server, "{server}");
        }
        assert_eq!(told(&clock.clone()), Timestamp::from_seconds(5_000));
    }

    #[test]
    fn the_date_header_is_the_time() {
        let told = |text: &'static str| {
            let mut headers = Headers::new();
            headers.insert("date", text);
            date(&headers)
        };
        assert_eq!(told("Tue, 18 Aug 2026 10:00:00 GMT"), "2026-08-18T10:00:00Z".parse().ok());
        assert_eq!(told("yesterday"), None);
        assert_eq!(date(&Headers::new()), None);
    }
}
