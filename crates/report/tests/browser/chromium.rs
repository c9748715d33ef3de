//! The browser, without a head, without a network, and each time as new.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How people like their screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// A browser.
pub(crate) struct Chromium {
    program: OsString,
}

/// It shows nothing, asks nobody, and has no proxy that could.
const QUIET: [&str; 16] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
];

/// A page takes seconds; a machine may be slow.
const LIMIT: Duration = Duration::from_mins(3);

impl Chromium {
    pub(crate) fn new() -> Self {
        let program = std::env::var_os("REGSWEEP_CHROMIUM").unwrap_or_else(|| "chromium".into());
        Self { program }
    }

    /// The document as the browser has understood it.
    pub(crate) fn dump_dom(&self, html: &str, scheme: Scheme) -> String {
        self.run(html, scheme, &["--dump-dom".into(), "--window-size=1600,1200".into()]).0
    }

    /// What the page says on the console.
    pub(crate) fn console(&self, html: &str) -> String {
        let (_, log) = self.run(html, Scheme::Light, &["--dump-dom".into()]);
        log.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n")
    }

    /// A picture of the page.
    pub(crate) fn screenshot(&self, html: &str, size: (u32, u32), scheme: Scheme, file: &Path) {
        let mut target = OsString::from("--screenshot=");
        target.push(file);
        self.run(html, scheme, &[target, format!("--window-size={},{}", size.0, size.1).into()]);
    }

    /// What it writes on stdout and on stderr.
    fn run(&self, html: &str, scheme: Scheme, options: &[OsString]) -> (String, String) {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::write(at("page.html"), html).unwrap();
        let colours = if scheme == Scheme::Dark { 0 } else { 1 };
        let mut command = Command::new(&self.program);
        command.args(QUIET).args(options);
        command.arg(format!("--blink-settings=preferredColorScheme={colours}"));
        command.arg(format!("--user-data-dir={}", at("profile").display()));
        command.arg(at("page.html")).stdin(Stdio::null()).env("HOME", home.path());
        command.stdout(File::create(at("out")).unwrap()).stderr(File::create(at("log")).unwrap());
        finish(&mut command, &at("log"));
        (read(&at("out")), read(&at("log")))
    }
}

fn read(path: &PathBuf) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

/// Runs to the end, or ends it.
#[expect(
    clippy::disallowed_methods,
    reason = "a program of this machine is waited for, by its clock"
)]
fn finish(command: &mut Command, log: &PathBuf) {
    let mut child = command.spawn().expect("chromium is not here: apt-get install chromium");
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("chromium took longer than {LIMIT:?}: {}", read(log));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "chromium ended with {status}: {}", read(log));
}
