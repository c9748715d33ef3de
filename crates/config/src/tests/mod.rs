//! One test for each rule and quirk of the registry.

mod environment;
mod fixtures;
mod general;
mod redis;
mod s3;
mod storage;

use crate::{
    Cache, ConfigError, Configuration, Filesystem, Redis, RedisAddress, RedisServers,
    RedisTimeouts, S3, Storage,
};

fn read(yaml: &str) -> Result<Configuration, ConfigError> {
    Configuration::parse(yaml, [])
}

/// Reads with variables in the given order.
fn read_with(yaml: &str, variables: &[(&str, &str)]) -> Result<Configuration, ConfigError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Configuration::parse(yaml, variables.iter().map(owned))
}

/// The message of the error that the file is refused with.
fn refusal(yaml: &str) -> String {
    read(yaml).unwrap_err().to_string()
}

/// A file with `lines` as the fields of the `s3` driver.
fn s3_file(lines: &[&str]) -> String {
    let mut file = "version: 0.1\nstorage:\n  s3:\n".to_owned();
    for line in lines {
        file.push_str("    ");
        file.push_str(line);
        file.push('\n');
    }
    file
}

fn s3_of(configuration: Configuration) -> S3 {
    match configuration.storage {
        Storage::S3(s3) => *s3,
        Storage::Filesystem(_) => panic!("not s3"),
    }
}

/// Redis at port 6379 of `host`, without anything else.
fn cached_by(host: &str) -> Cache {
    let address = RedisAddress::Network { host: host.to_owned(), port: 6379 };
    Cache::Redis(Box::new(Redis {
        servers: RedisServers::Single(address),
        username: None,
        password: None,
        database: 0,
        tls: None,
        timeouts: RedisTimeouts::default(),
    }))
}

fn filesystem(root_directory: &str) -> Storage {
    Storage::Filesystem(Filesystem { root_directory: root_directory.to_owned() })
}

fn warnings(configuration: &Configuration) -> Vec<String> {
    configuration.warnings.iter().map(ToString::to_string).collect()
}
