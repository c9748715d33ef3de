//! How many workers of a walk are at work.

use std::sync::atomic::{AtomicUsize, Ordering};

use store::Abilities;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Lets as many workers begin as are of use: one for each thread that can do the work while the store answers at once, as
/// every other would only want memory, and all of them from when on it keeps one waiting.
#[derive(Debug)]
pub(crate) struct Hands {
    wanted: Semaphore,
    /// So many are not wanted yet.
    reserve: AtomicUsize,
}

impl Hands {
    /// Of so many workers, on the runtime that runs this.
    pub(crate) fn of(workers: usize, store: &Abilities) -> Self {
        let first = Self::at_first(workers, store);
        Self { wanted: Semaphore::new(first), reserve: AtomicUsize::new(workers - first) }
    }

    /// How many of so many workers begin at once, on the runtime that runs this.
    pub(crate) fn at_first(workers: usize, store: &Abilities) -> usize {
        let threads = Handle::current().metrics().num_workers();
        if store.keeps_waiting { workers } else { threads.min(workers) }
    }

    /// Waits until one more is wanted, at the latest when one of the others has nothing left to do.
    pub(crate) async fn wanted(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes it; if somebody did, all might begin.
        self.wanted.acquire().await.ok()
    }

    /// Wants all of them where the store keeps one waiting.
    pub(crate) fn call_where_one_waits(&self, store: &Abilities) {
        if store.keeps_waiting && self.reserve.load(Ordering::Relaxed) > 0 {
            self.wanted.add_permits(self.reserve.swap(0, Ordering::Relaxed));
        }
    }
}
