//! Shows how a run goes on, by sampling the monitor: a bar on a terminal, lines elsewhere.

use std::fmt::Write as _;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use monitor::{Counter, Monitor, Phase};

use crate::args::{OutputArgs, ProgressKind};
use crate::render::{count, size};
use crate::{Console, clock};

/// A display under way; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Progress {
    ending: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How often a bar is drawn anew.
const DRAW: Duration = Duration::from_millis(200);
/// How often a plain line is written.
const LINE: Duration = Duration::from_secs(10);

impl Progress {
    /// Starts to show what `monitor` counts, as the operator wants it.
    #[must_use]
    pub(crate) fn start(output: &OutputArgs, console: Console, monitor: &Arc<Monitor>) -> Self {
        let asked = output.progress.unwrap_or(match console.stderr_is_terminal {
            true => ProgressKind::Bar,
            false => ProgressKind::Lines,
        });
        let monitor = Arc::clone(monitor);
        let (ending, ended) = mpsc::channel();
        let thread = match asked {
            ProgressKind::None => None,
            _ if output.quiet => None,
            kind => Some(std::thread::spawn(move || {
                let (mut view, every) = View::new(kind, console, monitor);
                while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                    view.sample();
                }
                view.finish();
            })),
        };
        Self { ending: Some(ending), thread }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.ending = None;
        if let Some(thread) = self.thread.take() {
            // A display that panicked has nothing more to show.
            let _ = thread.join();
        }
    }
}

/// A point in a run.
#[derive(Clone, Copy)]
struct Sample {
    at: Instant,
    phase: Phase,
    done: u64,
}

struct View {
    monitor: Arc<Monitor>,
    console: Console,
    bar: Option<ProgressBar>,
    /// Where the phase began.
    start: Sample,
    last_line: Instant,
}

impl View {
    fn new(kind: ProgressKind, console: Console, monitor: Arc<Monitor>) -> (Self, Duration) {
        let at = clock::start();
        let bar = (kind == ProgressKind::Bar).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        let start = Sample { at, phase: monitor.phase(), done: 0 };
        (Self { monitor, console, bar, start, last_line: at }, DRAW)
    }

    fn sample(&mut self) {
        let now = Sample { at: clock::start(), phase: self.monitor.phase(), done: self.done() };
        let is_new = now.phase != self.start.phase;
        if is_new {
            self.say(&self.summary(self.start.phase));
            self.start = Sample { done: self.done(), ..now };
            self.last_line = now.at;
        }
        match &self.bar {
            Some(bar) => {
                bar.set_message(self.describe(now));
                bar.tick();
            }
            None if now.at.duration_since(self.last_line) >= LINE => {
                self.last_line = now.at;
                self.say(&self.describe(now));
            }
            None => {}
        }
    }

    /// A line that stays.
    fn say(&self, line: &str) {
        match &self.bar {
            _ if line.is_empty() => {}
            Some(bar) => bar.suspend(|| self.console.talk(line)),
            None => self.console.talk(line),
        }
    }

    fn finish(&self) {
        self.say(&self.summary(self.monitor.phase()));
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn get(&self, counter: Counter) -> u64 {
        self.monitor.get(counter)
    }

    /// What the phase counts.
    fn done(&self) -> u64 {
        match self.monitor.phase() {
            Phase::Opening | Phase::Sealing | Phase::Finished => 0,
            Phase::Marking => self.get(Counter::RepositoryKeys),
            Phase::Planning => self.get(Counter::BlobKeys),
            Phase::SweepingLinks | Phase::SweepingBlobs => self.get(Counter::SweptObjects),
        }
    }

    /// Where the phase stands, with its rate, its requests and what is left.
    fn describe(&self, now: Sample) -> String {
        let mut text = self.summary(now.phase);
        let seconds = now.at.duration_since(self.start.at).as_secs_f64();
        let rate = now.done.saturating_sub(self.start.done) as f64 / seconds.max(0.001);
        let _ = write!(text, ", {}/s", count(whole(rate)));
        if let Some(left) = self.left(now, rate) {
            let _ = write!(text, ", about {} left", humantime::format_duration(left));
        }
        text
    }

    /// Only a sweep knows beforehand how much there is.
    fn left(&self, now: Sample, rate: f64) -> Option<Duration> {
        let sweeps = matches!(now.phase, Phase::SweepingLinks | Phase::SweepingBlobs);
        let left = self.get(Counter::PlannedObjects).saturating_sub(now.done);
        let seconds = left as f64 / rate;
        (sweeps && rate > 0.0 && seconds < 1e9).then(|| Duration::from_secs(whole(seconds)))
    }

    fn summary(&self, phase: Phase) -> String {
        let requests = |counter, name: &str| match self.get(counter) {
            0 => String::new(),
            n => format!(", {} {name}", count(n)),
        };
        let asked = [
            requests(Counter::ListRequests, "LIST"),
            requests(Counter::GetRequests, "GET"),
            requests(Counter::DeleteRequests, "DELETE"),
            requests(Counter::RetriedRequests, "retried"),
            requests(Counter::ThrottledAnswers, "throttled"),
        ]
        .concat();
        match phase {
            Phase::Opening | Phase::Sealing | Phase::Finished => String::new(),
            Phase::Marking => format!(
                "marking: {} repositories, {} keys, {} manifests{asked}",
                count(self.get(Counter::MarkedRepositories)),
                count(self.get(Counter::RepositoryKeys)),
                count(self.get(Counter::ReadManifests)),
            ),
            Phase::Planning => format!(
                "comparing: {} blobs, {}; {} to delete{asked}",
                count(self.get(Counter::Blobs)),
                size(self.get(Counter::BlobBytes)),
                count(self.get(Counter::PlannedObjects)),
            ),
            Phase::SweepingLinks | Phase::SweepingBlobs => format!(
                "sweeping {}: {} of {} objects, {} freed, {} failed{asked}",
                if phase == Phase::SweepingLinks { "links" } else { "blobs" },
                count(self.get(Counter::SweptObjects)),
                count(self.get(Counter::PlannedObjects)),
                size(self.get(Counter::FreedBytes)),
                count(self.get(Counter::FailedObjects)),
            ),
        }
    }
}

/// A figure for a person; never negative, and small enough for the cast.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shown, not computed with")]
fn whole(figure: f64) -> u64 {
    figure.clamp(0.0, 1e15) as u64
}
