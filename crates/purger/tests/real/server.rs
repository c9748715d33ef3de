//! A redis-server that serves until it is dropped, in a scratch folder.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use config::{Redis, RedisAddress, RedisServers, RedisTimeouts, RedisTls};
use redis::aio::MultiplexedConnection;
use redis::{Client, cmd};

const PROGRAM: &str = "redis-server";
const PATIENCE: Duration = Duration::from_secs(30);

/// A server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts it with further arguments.
    pub(crate) fn start(arguments: &[&str]) -> Server {
        Server::start_by(|port| {
            let port = port.to_string();
            let own = ["--port", &port].into_iter().chain(arguments.iter().copied());
            own.map(str::to_owned).collect()
        })
    }

    /// Starts it with the arguments made for a port, and waits until somebody listens there.
    pub(crate) fn start_by(arguments: impl Fn(u16) -> Vec<String>) -> Server {
        // Between finding a free port and listening on it, another test may take it.
        (0..5).find_map(|_| Server::try_start(&arguments)).unwrap()
    }

    fn try_start(arguments: &impl Fn(u16) -> Vec<String>) -> Option<Server> {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(PROGRAM)
            .args(arguments(port))
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--dir", &folder.path().to_string_lossy()])
            .stdin(Stdio::null())
            .stdout(log)
            .spawn()
            .unwrap();
        let mut server = Server { child, port, folder };
        server.listens_in_time().then_some(server)
    }

    /// One that another program took the port from ends by itself.
    fn listens_in_time(&mut self) -> bool {
        let began = Instant::now();
        while began.elapsed() < PATIENCE && matches!(self.child.try_wait(), Ok(None)) {
            let said = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            if said.contains("eady to accept connections") || said.contains("Sentinel ID is") {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// The configuration that leads here.
    pub(crate) fn redis(&self) -> Redis {
        redis_at(RedisServers::Single(self.address()))
    }

    /// The same with TLS.
    pub(crate) fn redis_with(&self, tls: RedisTls) -> Redis {
        Redis { tls: Some(tls), ..self.redis() }
    }

    pub(crate) fn address(&self) -> RedisAddress {
        RedisAddress::Network { host: "127.0.0.1".to_owned(), port: self.port }
    }

    /// A connection to look and to write with.
    pub(crate) async fn client(&self) -> Connection {
        let client = Client::open(("127.0.0.1", self.port)).unwrap();
        Connection(client.get_multiplexed_async_connection().await.unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The configuration of nothing but servers.
pub(crate) fn redis_at(servers: RedisServers) -> Redis {
    Redis {
        servers,
        username: None,
        password: None,
        database: 0,
        tls: None,
        timeouts: RedisTimeouts::default(),
    }
}

/// What a test says to a server itself.
pub(crate) struct Connection(MultiplexedConnection);

impl Connection {
    /// A command, its words divided by spaces.
    pub(crate) async fn say<T: redis::FromRedisValue>(&mut self, words: &str) -> T {
        self.try_say(words).await.unwrap()
    }

    /// The same where the answer may be an error, such as that a key is on another server.
    pub(crate) async fn try_say<T: redis::FromRedisValue>(
        &mut self,
        words: &str,
    ) -> redis::RedisResult<T> {
        let mut words = words.split(' ');
        let mut command = cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        command.query_async(&mut self.0).await
    }

    /// All keys, sorted.
    pub(crate) async fn keys(&mut self) -> Vec<String> {
        let mut keys: Vec<String> = self.say("KEYS *").await;
        keys.sort_unstable();
        keys
    }

    /// Remembers a digest of a repository as the registry does.
    pub(crate) async fn remember(&mut self, repository: &str, digest: &str) {
        let () = self.say(&format!("HMSET blobs::{digest} digest {digest} size 7")).await;
        let _: u64 = self.say(&format!("HSETNX blobs::{digest} mediatype application/x")).await;
        let set = format!("repository::{repository}::blobs");
        let _: u64 = self.say(&format!("SADD {set} {digest}")).await;
        let _: u64 = self.say(&format!("HSET {set}::{digest} mediatype application/x")).await;
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
