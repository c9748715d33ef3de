//! The redis in which a registry remembers its blobs.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = "redis-server";
const PASSWORD: &str = "sesame";
const DATABASE: u8 = 3;
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Redis {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Redis {
    /// Starts a server on a free port and waits until it listens.
    pub(crate) fn start() -> Redis {
        // Between finding a free port and listening on it, another test may take it.
        (0..5)
            .find_map(|_| Redis::try_start())
            .unwrap_or_else(|| panic!("{PROGRAM} does not start"))
    }

    fn try_start() -> Option<Redis> {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(PROGRAM)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--requirepass", PASSWORD])
            .args(["--dir", &folder.path().to_string_lossy()])
            .stdin(Stdio::null())
            .stdout(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{PROGRAM}: {error}"));
        let mut redis = Redis { child, port, folder };
        redis.listens_in_time().then_some(redis)
    }

    /// One that another program took the port from ends by itself.
    fn listens_in_time(&mut self) -> bool {
        let began = Instant::now();
        while began.elapsed() < PATIENCE && matches!(self.child.try_wait(), Ok(None)) {
            let said = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            if said.contains("eady to accept connections") {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// The section of a registry's configuration that leads here: with a password, and to a database of its own.
    pub(crate) fn section(&self) -> String {
        let Redis { port, .. } = self;
        format!("redis:\n  addr: 127.0.0.1:{port}\n  password: {PASSWORD}\n  db: {DATABASE}\n")
    }

    /// What is remembered: keys, and members of sets as `KEY MEMBER`.
    pub(crate) fn remembered(&self) -> BTreeSet<String> {
        let keys = self.ask(&["KEYS", "*"]);
        let mut remembered = BTreeSet::new();
        for key in keys {
            if self.ask(&["TYPE", &key]) == ["set"] {
                let members = self.ask(&["SMEMBERS", &key]);
                remembered.extend(members.iter().map(|member| format!("{key} {member}")));
            } else {
                remembered.insert(key);
            }
        }
        remembered
    }

    fn ask(&self, words: &[&str]) -> Vec<String> {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string(), "-n", &DATABASE.to_string()]);
        command.args(["-a", PASSWORD, "--no-auth-warning"]);
        let output = command.args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
