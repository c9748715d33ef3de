//! Watches a run for its report, by sampling the monitor.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use monitor::Monitor;
use report::{Point, Timeline};

use crate::clock;

/// How often the monitor is looked at; a long run keeps fewer points, evenly.
const EVERY: Duration = Duration::from_millis(50);

/// A recording under way; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Recorder {
    ending: Option<Sender<()>>,
    thread: Option<JoinHandle<Timeline>>,
}

impl Recorder {
    /// Starts to record what `monitor` counts.
    #[must_use]
    pub(crate) fn start(monitor: &Arc<Monitor>) -> Self {
        let monitor = Arc::clone(monitor);
        let (ending, ended) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let (start, mut timeline) = (clock::start(), Timeline::default());
            loop {
                let is_over = ended.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout);
                timeline.push(Point::sample(&monitor, clock::start().duration_since(start)));
                if is_over {
                    return timeline;
                }
            }
        });
        Self { ending: Some(ending), thread: Some(thread) }
    }

    /// What was recorded up to now.
    #[must_use]
    pub(crate) fn finish(mut self) -> Timeline {
        self.end()
    }

    /// A recording that panicked has nothing to show.
    fn end(&mut self) -> Timeline {
        self.ending = None;
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use monitor::Counter;

    use super::*;

    #[test]
    fn what_was_counted_last_is_recorded_however_short_the_run() {
        let monitor = Arc::new(Monitor::new());
        let recorder = Recorder::start(&monitor);
        monitor.count(Counter::SweptObjects, 7);
        assert_eq!(recorder.finish().last().map(|point| point.objects), Some(7));
    }
}
