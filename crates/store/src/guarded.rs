//! The wrappers in the order in which they belong.

use std::sync::Arc;

use monitor::{Monitor, Stop};

use crate::{PaceSettings, Paced, Retried, RetrySettings};

/// A store that is asked again where that may help, each attempt at the pace that the store bears.
pub type Guarded<S> = Retried<Paced<S>>;

/// How to ask a store.
#[derive(Clone, Copy, Debug, Default)]
pub struct GuardSettings {
    /// How much at a time.
    pub pace: PaceSettings,
    /// How long to go on.
    pub retry: RetrySettings,
}

/// Puts the wrappers around `store`. An attempt that waits between two others holds no place among those in flight.
pub fn guarded<S>(
    store: S,
    settings: GuardSettings,
    monitor: &Arc<Monitor>,
    stop: &Arc<Stop>,
) -> Guarded<S> {
    let paced = Paced::new(store, settings.pace, monitor, stop);
    Retried::new(paced, settings.retry, monitor, stop)
}
