//! How each request ended and how long it took, whoever sent it.

use std::time::Duration;

use monitor::{Ending, Monitor, RequestKind};
use tokio::time::Instant;

use crate::{ErrorKind, Operation, StoreError};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) kind: RequestKind,
    pub(super) operation: Operation,
    /// What to name in an error.
    pub(super) subject: &'a str,
}

/// Gives a request its time, body included, and enters how it ended.
///
/// What is sent a second time at once, because a clock, credentials or a checksum had to be set right, is one exchange.
pub(super) async fn in_time<T>(
    monitor: &Monitor,
    limit: Duration,
    asked: Asked<'_>,
    request: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let mut exchange = Exchange::begin(monitor, asked.kind);
    let answer = tokio::time::timeout(limit, request).await;
    exchange.ending = ending(answer.as_ref().ok());
    answer.unwrap_or_else(|elapsed| {
        let error = StoreError::new(asked.operation, asked.subject, ErrorKind::Transient);
        Err(error.because(elapsed))
    })
}

/// None where no answer came in time.
fn ending<T>(answer: Option<&Result<T, StoreError>>) -> Ending {
    let kind = match answer {
        None => return Ending::CutOff,
        Some(Ok(_)) => return Ending::Ok,
        Some(Err(error)) => error.kind,
    };
    match kind {
        ErrorKind::NotFound => Ending::Missing,
        ErrorKind::Throttled => Ending::Throttled,
        ErrorKind::NoContainer
        | ErrorKind::Denied
        | ErrorKind::Credentials
        | ErrorKind::WrongAddress
        | ErrorKind::TooLarge
        | ErrorKind::Fatal
        | ErrorKind::Precondition => Ending::Refused,
        ErrorKind::Transient | ErrorKind::Unreachable | ErrorKind::Malformed => Ending::Failed,
        ErrorKind::Stopped => Ending::CutOff,
    }
}

/// A request under way. Where it is dropped before it ended, nobody waits for its answer any more.
struct Exchange<'a> {
    monitor: &'a Monitor,
    kind: RequestKind,
    began: Instant,
    ending: Ending,
}

impl<'a> Exchange<'a> {
    fn begin(monitor: &'a Monitor, kind: RequestKind) -> Self {
        Self { monitor, kind, began: Instant::now(), ending: Ending::CutOff }
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        self.monitor.exchanged(self.kind, self.ending, self.began.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const ASKED: Asked<'_> =
        Asked { kind: RequestKind::Put, operation: Operation::Write, subject: "k" };
    const LIMIT: Duration = Duration::from_secs(5);

    fn told(monitor: &Monitor) -> Vec<(Ending, u64)> {
        let all = Ending::ALL.iter().map(|ending| (*ending, monitor.ended(ASKED.kind, *ending)));
        all.filter(|(_, times)| *times > 0).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_as_what_it_says() {
        for (error, expected) in [
            (None, Ending::Ok),
            (Some(ErrorKind::NotFound), Ending::Missing),
            (Some(ErrorKind::Throttled), Ending::Throttled),
            (Some(ErrorKind::Denied), Ending::Refused),
            (Some(ErrorKind::Malformed), Ending::Failed),
        ] {
            let monitor = Monitor::new();
            let answer =
                error.map_or(Ok(()), |kind| Err(StoreError::new(Operation::Write, "k", kind)));
            let given = in_time(&monitor, LIMIT, ASKED, ready(answer)).await;
            assert_eq!(given.map_err(|error| error.kind), error.map_or(Ok(()), Err));
            assert_eq!(told(&monitor), [(expected, 1)]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_or_is_given_up_is_cut_off_and_its_time_counts() {
        let monitor = Monitor::new();
        let late = in_time(&monitor, LIMIT, ASKED, pending::<Result<(), _>>()).await;
        assert_eq!(late.unwrap_err().kind, ErrorKind::Transient);
        assert_eq!(told(&monitor), [(Ending::CutOff, 1)]);
        assert_eq!(monitor.latencies(ASKED.kind).sum, LIMIT);
        let given_up = in_time(&monitor, LIMIT, ASKED, pending::<Result<(), _>>());
        let second = Duration::from_secs(1);
        assert!(tokio::time::timeout(second, given_up).await.is_err());
        assert_eq!(told(&monitor), [(Ending::CutOff, 2)]);
        assert_eq!(monitor.latencies(ASKED.kind).sum, LIMIT + second);
    }
}
