//! The collector, run again and again, and killed now and then.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::Value;

use crate::random::Random;
use crate::registry::Config;
use crate::regsweep;
use crate::tally::{Collected, Shared};

/// What is waited between two runs.
const REST: Duration = Duration::from_millis(500);
/// How long a run may take before something is wrong with it.
const PATIENCE: Duration = Duration::from_mins(2);
/// Runs at the end, without a kill, so that everything is looked at for the last time.
const LAST_RUNS: usize = 3;
/// How long that may take.
const WINDING_DOWN: Duration = Duration::from_mins(3);
/// How often a run is killed, in a thousand.
const KILLED: u64 = 250;
/// What a refusal says where another holds the lease.
const LEASED: &str = "its lease ends at";
/// Failures that are shown; more of the same say no more.
const SHOWN: usize = 10;

/// What the collector is told of pushes.
pub(crate) const LONGEST_PUSH: Duration = Duration::from_secs(3);
/// The quarantine, the longest push and the grace of a collection while people push.
const ONLINE: [&str; 7] =
    ["--online", "--quarantine", "6s", "--longest-push", "3s", "--grace", "4s"];
const OFFLINE: [&str; 3] = ["--offline", "--grace", "0s"];

/// Which collector runs while people push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// The one that is made for it: nothing may break.
    Online,
    /// The one that needs a registry nobody pushes to: something must break, or this soak proves nothing.
    Unsafe,
    /// None: nothing may break, or the fault is not a collector's.
    None,
}

impl Kind {
    fn command(self, config: &Config) -> Command {
        if self == Kind::Unsafe {
            return regsweep::collect(config, &OFFLINE);
        }
        let mut command = regsweep::collect(config, &ONLINE);
        command.arg("--state").arg(config.state());
        command
    }
}

/// Runs the collector on one registry.
#[derive(Debug)]
pub(crate) struct Collector<'a> {
    pub(crate) kind: Kind,
    /// Whether it also collects what no tag leads to.
    pub(crate) untagged: bool,
    pub(crate) config: &'a Config,
    pub(crate) tally: &'a Shared,
    pub(crate) random: Random,
    /// Where each run is written down.
    pub(crate) log: Option<&'a Path>,
    /// How long a run took that was not killed.
    pub(crate) usual: Duration,
}

/// How a run ended.
#[derive(Debug)]
enum Ended {
    /// With a summary.
    Done {
        summary: Value,
        /// Something was left for the next run.
        partial: bool,
    },
    /// Another holds the lease, one that was killed: with what was said.
    Waited,
    /// By our hand.
    Killed,
    /// Otherwise; with what it said.
    Failed(String),
}

impl Collector<'_> {
    /// Runs after run until it is enough, some killed.
    pub(crate) fn collect(&mut self, enough: &AtomicBool) {
        while self.kind != Kind::None && !enough.load(Ordering::Relaxed) {
            let kill = self.kind == Kind::Online && self.random.in_a_thousand(KILLED);
            let after = kill.then(|| self.some_time());
            self.run(after);
            thread::sleep(REST);
        }
    }

    /// Some runs more, until no generation is open.
    pub(crate) fn finish(&mut self) {
        if self.kind != Kind::Online {
            return;
        }
        let (began, mut runs) = (Instant::now(), 0);
        while began.elapsed() < WINDING_DOWN {
            let open = self.run(None).map(|summary| number(&summary, "/generations/open"));
            runs += usize::from(open.is_some());
            if runs >= LAST_RUNS && open == Some(0) {
                return;
            }
            thread::sleep(REST);
        }
        self.fail(format!("a generation is open {WINDING_DOWN:?} after the last push"));
    }

    /// One run, and what it says at its end.
    fn run(&mut self, kill_after: Option<Duration>) -> Option<Value> {
        let began = Instant::now();
        let mut command = self.kind.command(self.config);
        command.args(self.untagged.then_some("--untagged"));
        let ended = Run::start(command).end(kill_after);
        self.write_down(&ended);
        match ended {
            Ended::Done { summary, partial } => {
                self.usual = began.elapsed();
                self.count(&summary, partial);
                return Some(summary);
            }
            Ended::Waited => self.tally.lock().waited += 1,
            Ended::Killed => self.tally.lock().kills += 1,
            Ended::Failed(said) => self.fail(said),
        }
        None
    }

    /// For whoever looks for what went wrong.
    fn write_down(&self, ended: &Ended) {
        let Some(log) = self.log else { return };
        let file = File::options().create(true).append(true).open(log);
        let written = file.and_then(|mut file| writeln!(file, "{} {ended:?}", Timestamp::now()));
        written.expect("the log can be written to");
    }

    fn count(&self, summary: &Value, partial: bool) {
        let collected = if self.kind == Kind::Online { online(summary) } else { offline(summary) };
        let mut tally = self.tally.lock();
        tally.cycles += 1;
        tally.partial += u64::from(partial);
        tally.collected.add(collected);
    }

    /// What an unsafe collector says when the registry changes under it says nothing about us.
    fn fail(&self, said: String) {
        let mut tally = self.tally.lock();
        if self.kind == Kind::Online && tally.failures.len() < SHOWN {
            tally.failures.push(said);
        }
    }

    /// Some time at which a run is probably still running.
    fn some_time(&mut self) -> Duration {
        let usual = u64::try_from(self.usual.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.random.below(usual.max(1)))
    }
}

/// A run, and the files that it writes to.
#[derive(Debug)]
struct Run {
    child: Child,
    stdout: File,
    stderr: File,
    began: Instant,
}

impl Run {
    fn start(mut command: Command) -> Run {
        let [stdout, stderr] = [(); 2].map(|()| tempfile::tempfile().expect("a file can be made"));
        let both = [&stdout, &stderr].map(|file| file.try_clone().expect("a file can be shared"));
        let [out, err] = both;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        Run { child: child.expect("regsweep starts"), stdout, stderr, began: Instant::now() }
    }

    /// Waits for the end of the run, or makes it.
    fn end(mut self, kill_after: Option<Duration>) -> Ended {
        loop {
            if let Some(status) = self.child.try_wait().expect("the run is our child") {
                return self.ended(status);
            }
            if self.began.elapsed() >= kill_after.unwrap_or(PATIENCE) {
                self.kill();
                let late = format!("a run was not over after {PATIENCE:?}: {}", self.said());
                return if kill_after.is_some() { Ended::Killed } else { Ended::Failed(late) };
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// SIGKILL on this system.
    fn kill(&mut self) {
        self.child.kill().expect("the run is our child");
        self.child.wait().expect("the run is our child");
    }

    fn ended(mut self, status: ExitStatus) -> Ended {
        let said = self.said();
        match status.code() {
            Some(code @ (0 | 3)) => match serde_json::from_str(&content(&mut self.stdout)) {
                Ok(summary) => Ended::Done { summary, partial: code == 3 },
                Err(error) => Ended::Failed(format!("{error} in the summary of a run: {said}")),
            },
            Some(4) if said.contains(LEASED) => Ended::Waited,
            _ => Ended::Failed(format!("a run ended with {status}: {said}")),
        }
    }

    fn said(&mut self) -> String {
        content(&mut self.stderr)
    }
}

fn content(file: &mut File) -> String {
    let mut content = Vec::new();
    file.rewind().expect("a file can be read from its beginning");
    file.read_to_end(&mut content).expect("a file can be read");
    String::from_utf8_lossy(&content).into_owned()
}

fn online(summary: &Value) -> Collected {
    Collected {
        condemned: number(summary, "/condemned/objects"),
        taken: number(summary, "/taken"),
        rescued: number(summary, "/rescued"),
        deleted: number(summary, "/deleted/objects"),
        deleted_bytes: number(summary, "/deleted/bytes"),
        restored: number(summary, "/restored"),
        lost: number(summary, "/lost"),
    }
}

/// Of a run that finds nothing to do, or only something to resume, there may be less.
fn offline(summary: &Value) -> Collected {
    let number = |pointer| summary.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let deleted = number("/delete/blobs/count");
    let deleted_bytes = number("/delete/blobs/bytes");
    Collected { condemned: deleted, deleted, deleted_bytes, ..Collected::default() }
}

fn number(summary: &Value, pointer: &str) -> u64 {
    let number = summary.pointer(pointer).and_then(Value::as_u64);
    number.unwrap_or_else(|| panic!("no {pointer} in {summary}"))
}
