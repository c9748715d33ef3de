//! The S3 server: the one that the environment names, or one of our own for each round.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::s3::Gateway;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/ceph");

/// By which `scripts/soak` finds servers that were left.
const PREFIX: &str = "server-";
/// Between finding free ports and listening on them, another program may take them.
const TRIES: usize = 3;

/// A server that serves until it is dropped, where it is our own.
#[derive(Debug)]
pub(crate) struct Server {
    gateway: Gateway,
    own: Option<TempDir>,
}

impl Server {
    /// Starts a server, unless one is there.
    pub(crate) fn start() -> Server {
        match Gateway::from_environment() {
            Some(gateway) => Server { gateway, own: None },
            None => (0..TRIES).find_map(|_| Server::start_own()).expect("the S3 server starts"),
        }
    }

    /// Where it is.
    pub(crate) fn gateway(&self) -> Gateway {
        self.gateway.clone()
    }

    fn start_own() -> Option<Server> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir();
        let folder = folder.expect("a folder can be made");
        let output = ceph("start", folder.path());
        if !output.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
            return None;
        }
        let lines = String::from_utf8_lossy(&output.stdout);
        let value = |name: &str| {
            let mut values = lines.lines().filter_map(|line| line.strip_prefix(name));
            values.find_map(|rest| rest.strip_prefix('=')).map(str::to_owned)
        };
        let gateway = Gateway::read(value).expect("scripts/ceph says where its server is");
        Some(Server { gateway, own: Some(folder) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(folder) = &self.own {
            let output = ceph("stop", folder.path());
            if !output.status.success() {
                eprintln!("the S3 server does not stop: {output:?}");
            }
        }
    }
}

fn ceph(action: &str, folder: &Path) -> Output {
    let mut command = Command::new(SCRIPT);
    command.arg(action).arg(folder.join("ceph")).output().expect("scripts/ceph can be run")
}
