//! Shows how a run goes on, by sampling the monitor: a bar on a terminal, lines elsewhere.

mod words;

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use monitor::{Counter, Monitor, Phase};

use crate::args::{OutputArgs, ProgressKind};
use crate::console::Form;
use crate::{Console, clock};

pub(crate) use words::Words;

/// A display under way; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Progress {
    ending: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How often the monitor is looked at, and a bar drawn anew.
const DRAW: Duration = Duration::from_millis(200);

impl Progress {
    /// Starts to show what `monitor` counts, as the operator wants it.
    #[must_use]
    pub(crate) fn start(
        output: &OutputArgs,
        console: Console,
        words: Words,
        monitor: &Arc<Monitor>,
    ) -> Self {
        let kind = kind(output, console);
        let (monitor, every) = (Arc::clone(monitor), output.progress_every);
        let (ending, ended) = mpsc::channel();
        let thread = (kind != ProgressKind::None).then(|| {
            std::thread::spawn(move || {
                let mut view = View::new(kind, console, words, monitor, every);
                while ended.recv_timeout(DRAW.min(every)) == Err(RecvTimeoutError::Timeout) {
                    view.sample();
                }
                view.finish();
            })
        });
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

/// Machines that read the talk get progress only where they asked for it.
fn kind(output: &OutputArgs, console: Console) -> ProgressKind {
    match output.progress {
        _ if output.quiet => ProgressKind::None,
        Some(asked) => asked,
        None if console.form == Form::Json => ProgressKind::None,
        None if console.stderr_is_terminal => ProgressKind::Bar,
        None => ProgressKind::Lines,
    }
}

/// Where a phase began.
#[derive(Clone, Copy)]
struct Start {
    phase: Phase,
    at: Instant,
    done: u64,
}

struct View {
    monitor: Arc<Monitor>,
    console: Console,
    words: Words,
    bar: Option<ProgressBar>,
    start: Start,
    every: Duration,
    last_line: Instant,
}

impl View {
    fn new(
        kind: ProgressKind,
        console: Console,
        words: Words,
        monitor: Arc<Monitor>,
        every: Duration,
    ) -> Self {
        let at = clock::start();
        let bar = (kind == ProgressKind::Bar)
            .then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5)));
        let start = Start { phase: Phase::Opening, at, done: 0 };
        Self { monitor, console, words, bar, start, every, last_line: at }
    }

    fn sample(&mut self) {
        let (now, phase) = (clock::start(), self.monitor.phase());
        if phase != self.start.phase {
            self.end_phases(phase);
            let (done, _) = words::done(&self.monitor, phase);
            self.start = Start { phase, at: now, done };
            self.last_line = now;
        }
        match &self.bar {
            Some(bar) => self.draw(bar, now),
            None if now.duration_since(self.last_line) >= self.every => {
                self.last_line = now;
                self.say(&self.describe(now));
            }
            None => {}
        }
    }

    /// Sums up the phases that have ended since the last look.
    fn end_phases(&self, now: Phase) {
        for phase in Phase::ALL {
            if (self.start.phase..now).contains(phase) && self.monitor.has_entered(*phase) {
                self.say(&words::summary(&self.monitor, *phase, self.words));
            }
        }
    }

    /// A sweep knows how far it is; the other phases only that they go on.
    fn draw(&self, bar: &ProgressBar, now: Instant) {
        let planned = self.monitor.get(Counter::PlannedObjects);
        let (done, unit) = words::done(&self.monitor, self.start.phase);
        let template = if unit == "objects" {
            bar.set_length(planned);
            bar.set_position(done.min(planned));
            "{bar:20} {percent:>3}% {wide_msg}"
        } else {
            "{spinner} {wide_msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(self.describe(now));
        bar.tick();
    }

    /// A line that stays.
    fn say(&self, line: &str) {
        match &self.bar {
            _ if line.is_empty() => {}
            Some(bar) => bar.suspend(|| self.console.talk(line)),
            None => self.console.talk(line),
        }
    }

    /// Also where a phase ended since the last look.
    fn finish(&self) {
        self.end_phases(Phase::Finished);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn describe(&self, now: Instant) -> String {
        let Start { phase, at, done } = self.start;
        words::description(&self.monitor, phase, self.words, done, now.duration_since(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::LogFormat;

    fn output(progress: Option<ProgressKind>) -> OutputArgs {
        OutputArgs {
            json: false,
            quiet: false,
            progress,
            progress_every: DRAW,
            log: None,
            log_format: LogFormat::Text,
        }
    }

    #[test]
    fn who_watches_gets_a_bar_who_keeps_gets_lines_and_machines_nothing() {
        let console = |stderr_is_terminal, form| Console {
            stderr_is_terminal,
            stdout_has_colour: false,
            stderr_has_colour: false,
            form,
        };
        for (asked, console, shown) in [
            (None, console(true, Form::Text), ProgressKind::Bar),
            (None, console(false, Form::Text), ProgressKind::Lines),
            (None, console(false, Form::Json), ProgressKind::None),
            (Some(ProgressKind::Lines), console(true, Form::Json), ProgressKind::Lines),
            (Some(ProgressKind::None), console(true, Form::Text), ProgressKind::None),
        ] {
            assert_eq!(kind(&output(asked), console), shown);
            let quiet = OutputArgs { quiet: true, ..output(asked) };
            assert_eq!(kind(&quiet, console), ProgressKind::None);
        }
    }
}
