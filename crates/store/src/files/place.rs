//! Where work on files is done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use registry::Timestamp;
use tokio::task::{JoinError, spawn_blocking, yield_now};

/// Work that takes longer waits for the disk.
const AT_ONCE: Duration = Duration::from_millis(8);

/// Does work where the caller stands, for as long as the disk answers at once; else in a thread that may wait.
///
/// A page of a listing takes a millisecond where the system remembers the folders, and handing it to another thread and
/// back takes a tenth of that. Where it does not remember them, or has to ask over a network, many threads that wait are
/// many requests at once.
#[derive(Debug)]
pub(super) struct Place {
    clock: fn() -> Timestamp,
    /// Whether the last piece of work, of whomever, took its time.
    is_slow: AtomicBool,
}

impl Place {
    pub(super) const fn new(clock: fn() -> Timestamp) -> Self {
        Self { clock, is_slow: AtomicBool::new(false) }
    }

    pub(super) fn is_slow(&self) -> bool {
        self.is_slow.load(Ordering::Relaxed)
    }

    /// Does `work`, which watches itself ([`Place::watch`]).
    ///
    /// # Errors
    /// Where the thread did not come to its end.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        if self.is_slow() {
            return spawn_blocking(work).await;
        }
        let done = work();
        // Who lists on and on would keep this thread for itself.
        yield_now().await;
        Ok(done)
    }

    /// Does `work`, and remembers whether that took its time.
    pub(super) fn watch<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = (self.clock)();
        let done = work();
        self.is_slow.store((self.clock)().since(before) > AT_ONCE, Ordering::Relaxed);
        done
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;
    use std::thread;

    use super::*;

    static NOW: AtomicI64 = AtomicI64::new(0);
    static STEP: AtomicI64 = AtomicI64::new(0);

    fn clock() -> Timestamp {
        Timestamp::from_millis(NOW.fetch_add(STEP.load(Ordering::Relaxed), Ordering::Relaxed))
    }

    #[tokio::test]
    async fn work_is_handed_over_while_the_disk_is_slow_and_no_longer() {
        let place: &'static Place = Box::leak(Box::new(Place::new(clock)));
        let here = thread::current().id();
        let is_here = || async {
            place.run(|| place.watch(|| thread::current().id())).await.unwrap() == here
        };
        assert!(is_here().await);
        assert!(is_here().await, "it took no time");
        STEP.store(9, Ordering::Relaxed);
        assert!(is_here().await, "nobody knows before");
        assert!(!is_here().await && !is_here().await);
        STEP.store(8, Ordering::Relaxed);
        assert!(!is_here().await, "nobody knows before");
        assert!(is_here().await);
    }
}
