//! A bucket to measure with: a simulated server in another process, so that its work is not taken for the client's.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use monitor::Monitor;
use simstore::{Options, Server};
use store::{S3Config, S3Store, StaticCredentials};

/// Tells the second process, which is this program again, what to serve.
const SERVE: &str = "WIRE_BENCH_SERVE";

/// What this process is to serve; none where it is to measure.
pub(crate) fn task() -> Option<String> {
    std::env::var(SERVE).ok()
}

/// Serves until nobody wants it any more.
pub(crate) fn serve(options: Options, fill: impl FnOnce(&Server)) {
    let server = Server::start(options).unwrap();
    fill(&server);
    println!("{}", server.endpoint());
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// A server in another process.
pub(crate) struct Bucket {
    server: Child,
    pub(crate) endpoint: String,
}

impl Bucket {
    pub(crate) fn start(task: &str) -> Self {
        let mut server = Command::new(std::env::current_exe().unwrap())
            .env(SERVE, task)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut endpoint = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut endpoint).unwrap();
        Self { server, endpoint: endpoint.trim().to_owned() }
    }

    pub(crate) async fn open(&self, monitor: &Arc<Monitor>) -> S3Store {
        let mut config = S3Config::new("registry");
        config.endpoint_url = Some(self.endpoint.clone());
        config.path_style = true;
        config.credentials = Some(StaticCredentials {
            access_key: "access".into(),
            secret_key: "secret".into(),
            session_token: None,
        });
        S3Store::connect(config, monitor).await.unwrap()
    }

    /// What the server has used of the processors, in seconds.
    pub(crate) fn processor_time(&self) -> f64 {
        processor_time(&self.server.id().to_string())
    }
}

impl Drop for Bucket {
    /// The server ends with its input.
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        self.server.wait().unwrap();
    }
}

/// What a process has used of the processors, user and system, in seconds; Linux counts in hundredths.
///
/// Source: proc(5), `/proc/pid/stat`: fields 14 and 15.
pub(crate) fn processor_time(process: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = text.rsplit_once(") ").unwrap();
    fields.split(' ').skip(11).take(2).map(hundredths).sum()
}

pub(crate) fn hundredths(field: &str) -> f64 {
    field.parse::<f64>().unwrap() / 100.0
}
