//! The registry that people run, on files or on a bucket, and its own collector.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::http;
use crate::redis::Redis;
use crate::s3::Bucket;

const PROGRAM: &str = "docker-registry";
const PATIENCE: Duration = Duration::from_secs(30);
/// Proves that the server which answers is the one that was started: another may take the free port first.
const PROOF: &str = "X-Test-Folder";

/// A registry's configuration on disk, in a scratch folder of its own.
#[derive(Debug)]
pub(crate) struct Config {
    folder: tempfile::TempDir,
}

impl Config {
    /// For a registry that keeps its data in the folder `data`.
    pub(crate) fn files(data: &Path) -> Config {
        Config::write(&format!("  filesystem:\n    rootdirectory: {}\n", data.display()))
    }

    /// For a registry that keeps its data in a bucket.
    pub(crate) fn bucket(bucket: &Bucket) -> Config {
        let gateway = bucket.gateway();
        Config::write(&format!(
            "  s3:\n    bucket: {}\n    regionendpoint: {}\n    accesskey: {}\n    secretkey: {}\n    \
             region: us-east-1\n    forcepathstyle: true\n    secure: false\n    v4auth: true\n",
            bucket.name(),
            gateway.endpoint,
            gateway.access_key,
            gateway.secret_key,
        ))
    }

    fn write(storage: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let content = format!(
            "version: 0.1\nlog:\n  level: warn\n  accesslog:\n    disabled: true\nstorage:\n{storage}  \
             delete:\n    enabled: true\n  redirect:\n    disable: true\n  maintenance:\n    \
             uploadpurging:\n      enabled: false\nhttp:\n  secret: test\n  headers:\n    {PROOF}: [{}]\n",
            folder.path().display()
        );
        fs::write(folder.path().join("config.yml"), content).unwrap();
        Config { folder }
    }

    /// The same, with what the registry knows of its blobs remembered in redis.
    pub(crate) fn cached_in(self, redis: &Redis) -> Config {
        let content = fs::read_to_string(self.path()).unwrap();
        let cache = "storage:\n  cache:\n    blobdescriptor: redis\n";
        let content = content.replacen("storage:\n", cache, 1);
        fs::write(self.path(), content + &redis.section()).unwrap();
        self
    }

    /// Where the configuration is.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("config.yml")
    }

    /// A folder of its own for what programs remember between runs.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn log(&self) -> File {
        let path = self.folder.path().join("log");
        File::options().create(true).append(true).open(path).unwrap()
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// A registry that serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Registry {
    child: Child,
    port: u16,
}

impl Registry {
    /// Starts a registry on a free port and waits until it answers.
    pub(crate) fn start(config: &Config) -> Registry {
        // Between finding a free port and listening on it, another test may take it.
        (0..5).find_map(|_| Registry::try_start(config)).unwrap_or_else(|| {
            panic!("{PROGRAM} does not start; it said:\n{}", config.said());
        })
    }

    /// A client of this registry.
    pub(crate) fn client(&self) -> Client {
        Client { port: self.port }
    }

    fn try_start(config: &Config) -> Option<Registry> {
        let port = free_port();
        let child = reference()
            .arg("serve")
            .arg(config.path())
            .env("REGISTRY_HTTP_ADDR", format!("127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(config.log())
            .stderr(config.log())
            .spawn()
            .unwrap_or_else(|error| panic!("{PROGRAM}: {error}"));
        let mut registry = Registry { child, port };
        registry.answers_in_time(&config.folder.path().display().to_string()).then_some(registry)
    }

    fn answers_in_time(&mut self, proof: &str) -> bool {
        let started = Instant::now();
        while started.elapsed() < PATIENCE && matches!(self.child.try_wait(), Ok(None)) {
            match http::ask(self.port, "GET", "/v2/", &[], &[]) {
                Ok(answer) if answer.status == 200 => return answer.header(PROOF) == Some(proof),
                Ok(_) | Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        false
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the registry's own collector to its end.
pub(crate) fn garbage_collect(config: &Config, flags: &[&str]) -> Output {
    let mut command = reference();
    command.arg("garbage-collect").args(flags).arg(config.path());
    command.output().unwrap_or_else(|error| panic!("{PROGRAM}: {error}"))
}

/// The registry panics at start where `AWS_CA_BUNDLE` is set.
fn reference() -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_remove("AWS_CA_BUNDLE");
    command
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
