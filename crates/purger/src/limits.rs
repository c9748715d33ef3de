//! How long to wait and how often to try.

use std::time::Duration;

use config::RedisTimeouts;

/// How long to wait and how often to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a connection, with all that is said before the first command.
    pub connect: Duration,
    /// For the answers to a batch.
    pub answer: Duration,
    /// How often a batch is asked for at most, the first time included.
    pub attempts: u32,
    /// Before a batch is asked for a second time; doubled before every further one.
    pub pause: Duration,
}

impl Default for Limits {
    /// Patient: a registry does without a cache that is slow, but what is not forgotten is believed for ever.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            attempts: 5,
            pause: Duration::from_millis(200),
        }
    }
}

impl Limits {
    /// At least as patient as the registry itself.
    pub(crate) fn no_shorter_than(self, registry: RedisTimeouts) -> Self {
        let sum = registry.read.unwrap_or_default() + registry.write.unwrap_or_default();
        Self {
            connect: self.connect.max(registry.dial.unwrap_or_default()),
            answer: self.answer.max(sum),
            ..self
        }
    }

    /// How long to wait after `attempt` attempts.
    pub(crate) fn pause_after(self, attempt: u32) -> Duration {
        self.pause.saturating_mul(1 << attempt.saturating_sub(1).min(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_less_than_the_registry_waits_as_long() {
        let short = RedisTimeouts {
            dial: Some(Duration::from_millis(10)),
            read: Some(Duration::from_millis(10)),
            write: None,
        };
        assert_eq!(Limits::default().no_shorter_than(short), Limits::default());
        let minute = Some(Duration::from_mins(1));
        let long = RedisTimeouts { dial: minute, read: minute, write: minute };
        let limits = Limits::default().no_shorter_than(long);
        assert_eq!(
            (limits.connect, limits.answer),
            (Duration::from_mins(1), Duration::from_mins(2))
        );
    }

    #[test]
    fn pauses_double() {
        let limits = Limits::default();
        let pauses = [1, 2, 3, 4].map(|attempt| limits.pause_after(attempt).as_millis());
        assert_eq!(pauses, [200, 400, 800, 1600]);
        assert!(limits.pause_after(u32::MAX) < Duration::from_hours(1));
    }
}
