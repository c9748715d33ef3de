//! Waiting that ends when the run is asked to stop.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use monitor::Stop;

use crate::{ErrorKind, Operation, StoreError};

/// How long a wait may go on after the run was asked to stop.
const SLICE: Duration = Duration::from_millis(100);

/// The run was asked to stop while something waited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped;

impl Stopped {
    /// The error of what waited.
    pub(crate) fn at(operation: Operation, subject: &str) -> StoreError {
        StoreError::new(operation, subject, ErrorKind::Stopped)
    }
}

/// Waits for `wait`, and no longer than [`SLICE`] once the run is asked to stop. What need not wait is not stopped.
pub(crate) async fn unless_stopped<T>(
    stop: &Stop,
    wait: impl Future<Output = T>,
) -> Result<T, Stopped> {
    let mut wait = pin!(wait);
    loop {
        tokio::select! {
            biased;
            done = &mut wait => return Ok(done),
            () = tokio::time::sleep(SLICE) => {}
        }
        if stop.is_asked() {
            return Err(Stopped);
        }
    }
}
