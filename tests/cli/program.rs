//! The program, run in a home of its own and with nothing else from outside.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use simstore::Server;
use tempfile::TempDir;

/// A home and an environment.
#[derive(Debug)]
pub(crate) struct Program {
    home: TempDir,
    environment: Vec<(String, String)>,
}

/// What a run said and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The exit code; none where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A run under way.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// Between two looks at something that will happen soon.
const LOOK: Duration = Duration::from_millis(5);
/// So often, before it is given up: a minute.
const LOOKS: u32 = 12_000;

/// Waits until `happened`; fails where it does not within a minute.
pub(crate) fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if happened() {
            return;
        }
        std::thread::sleep(LOOK);
    }
    panic!("{what} did not happen within a minute");
}

impl Program {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// With credentials for `server`, and its address.
    pub(crate) fn at(server: &Server) -> Self {
        Self::new()
            .with("AWS_ACCESS_KEY_ID", "ACCESS")
            .with("AWS_SECRET_ACCESS_KEY", "secret")
            .with("AWS_ENDPOINT_URL_S3", &server.endpoint())
    }

    /// With a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its home, for files of the test too.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where `gc` keeps its runs.
    pub(crate) fn state(&self) -> PathBuf {
        self.home().join("state/regsweep")
    }

    /// A command in the home.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regsweep"));
        command.args(arguments);
        self.in_home(&mut command);
        command
    }

    /// Gives any command the home and its environment, and nothing else.
    pub(crate) fn in_home(&self, command: &mut Command) {
        let (home, state) = (self.home(), self.home().join("state"));
        command.current_dir(home).env_clear().stdin(Stdio::null());
        command
            .env("HOME", home)
            .env("XDG_STATE_HOME", state)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
    }

    /// Runs to the end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Run::start(self.command(arguments)).end()
    }

    /// Runs to an end with exit code 0.
    pub(crate) fn done(&self, arguments: &[&str]) -> Outcome {
        self.run(arguments).with_code(0)
    }

    /// Starts, and returns at once.
    pub(crate) fn start(&self, arguments: &[&str]) -> Run {
        Run::start(self.command(arguments))
    }

    /// Runs a command as the program printed it: by a shell.
    pub(crate) fn run_as_printed(&self, printed: &str) -> Outcome {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(printed);
        self.in_home(&mut shell);
        Run::start(shell).end()
    }
}

impl Run {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = reader(child.stdout.take().unwrap());
        let stderr = reader(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Sends a signal by name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("/bin/sh").arg("-c").arg(kill).status().unwrap().success());
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end, which must come within a minute.
    pub(crate) fn end(mut self) -> Outcome {
        let mut status: Option<ExitStatus> = None;
        wait_until("the end of a run", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        Outcome {
            code: status.unwrap().code(),
            stdout: self.stdout.join().unwrap(),
            stderr: self.stderr.join().unwrap(),
        }
    }
}

fn reader(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        pipe.read_to_end(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    })
}

impl Outcome {
    /// The same, having ended with `code`.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The object on stdout.
    #[track_caller]
    pub(crate) fn summary(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The last object on stderr, which is all of stderr where nothing else was to say.
    #[track_caller]
    pub(crate) fn failure(&self) -> Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// What a hint tells to type: the text in backticks of the first one that has any.
    #[track_caller]
    pub(crate) fn command_in_hint(&self) -> String {
        let hints = self.stderr.lines().filter_map(|line| line.strip_prefix("hint: "));
        let mut commands = hints.filter_map(|hint| hint.split('`').nth(1));
        commands.next().unwrap_or_else(|| panic!("no command in {self:?}")).to_owned()
    }
}
