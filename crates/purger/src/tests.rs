//! Against a server double: what is asked for, what happens when it fails, and in which words it is told.

mod believing;
mod double;
mod faults;
mod route;

use std::time::Duration;

use config::{Redis, RedisAddress, RedisServers, RedisTimeouts, Secret};
use registry::{Digest, RepositoryName};

use crate::{Entry, Limits};

const SECRET: &str = "a-password-that-must-not-show";

fn redis(servers: RedisServers) -> Redis {
    Redis {
        servers,
        username: None,
        password: None,
        database: 0,
        tls: None,
        timeouts: RedisTimeouts::default(),
    }
}

fn single(port: u16) -> Redis {
    redis(RedisServers::Single(local(port)))
}

fn local(port: u16) -> RedisAddress {
    RedisAddress::Network { host: "127.0.0.1".to_owned(), port }
}

fn secret() -> Secret {
    Secret::new(SECRET.to_owned())
}

/// Pauses that nobody notices.
fn hasty() -> Limits {
    Limits { pause: Duration::from_millis(1), ..Limits::default() }
}

/// As many entries, every other one of a repository.
fn entries(count: usize) -> Vec<Entry> {
    let repository = RepositoryName::new("team/app").unwrap();
    let entry = |number: usize| Entry {
        repository: number.is_multiple_of(2).then(|| repository.clone()),
        digest: Digest::sha256(&number.to_be_bytes()),
    };
    (0..count).map(entry).collect()
}
