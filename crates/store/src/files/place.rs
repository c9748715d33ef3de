//! Where work on files is done.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use registry::Timestamp;
use tokio::task::{JoinError, spawn_blocking, yield_now};

/// Work that takes longer waits for the disk.
const AT_ONCE: Duration = Duration::from_millis(8);

/// So many telling pieces of work have to be quick, one after the other, before a disk that was slow is believed.
const QUICK: u32 = 16;

/// Does work where the caller stands, for as long as the disk answers at once; else in a thread that may wait.
///
/// A page of a listing takes a millisecond where the system remembers the folders, and handing it to another thread and
/// back takes a tenth of that. Where it does not remember them, or has to ask over a network, many threads that wait are
/// many requests at once. A call that never comes back holds the thread that made it, whichever it is.
#[derive(Debug)]
pub(super) struct Place {
    clock: fn() -> Timestamp,
    /// How many pieces of work have yet to be quick.
    distrust: AtomicU32,
}

impl Place {
    pub(super) const fn new(clock: fn() -> Timestamp) -> Self {
        Self { clock, distrust: AtomicU32::new(0) }
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

    /// Whether work waits for the disk, as far as is known.
    pub(super) fn is_slow(&self) -> bool {
        self.distrust.load(Ordering::Relaxed) > 0
    }

    /// Does `work`, and remembers whether that took its time. That little was quick says nothing of much: `is_telling`
    /// says whether this was enough.
    pub(super) fn watch<T>(
        &self,
        work: impl FnOnce() -> T,
        is_telling: impl FnOnce(&T) -> bool,
    ) -> T {
        let before = (self.clock)();
        let done = work();
        if (self.clock)().since(before) > AT_ONCE {
            self.distrust.store(QUICK, Ordering::Relaxed);
        } else if is_telling(&done) {
            let less = |distrust: u32| distrust.checked_sub(1);
            // Nobody is distrusted any more: that is no failure.
            let _ = self.distrust.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
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
    async fn work_is_handed_over_while_the_disk_is_slow_and_until_it_was_quick_for_long() {
        let place: &'static Place = Box::leak(Box::new(Place::new(clock)));
        let here = thread::current().id();
        let is_here = |is_telling| async move {
            let work = move || place.watch(|| thread::current().id(), move |_| is_telling);
            place.run(work).await.unwrap() == here
        };
        assert!(is_here(true).await);
        assert!(is_here(false).await, "it took no time");
        STEP.store(9, Ordering::Relaxed);
        assert!(is_here(false).await, "nobody knows before");
        assert!(!is_here(true).await);
        STEP.store(8, Ordering::Relaxed);
        for telling in 0..QUICK {
            assert!(!is_here(false).await, "little was quick, after {telling}");
            assert!(!is_here(true).await, "{telling} of {QUICK}");
        }
        assert!(is_here(false).await);
    }
}
