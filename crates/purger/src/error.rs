//! Why a cache cannot be cleared.

use std::io;
use std::path::PathBuf;

use redis::{ErrorKind, RedisError};

/// Why a cache cannot be cleared. Every message names the server, none holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PurgeError {
    /// A file that the configuration names for TLS cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A certificate or key cannot be used.
    #[error("cannot speak TLS with redis at {server}: {message}")]
    Tls {
        /// The server.
        server: String,
        /// What is wrong.
        message: String,
    },
    /// No server of a cluster tells how the keys are divided.
    #[error("no server of the cluster tells where the keys are: {}", .asked.join("; "))]
    NoSlots {
        /// What each of them said.
        asked: Vec<String>,
    },
    /// No sentinel tells where the server is.
    #[error("no sentinel tells where `{master}` is: {}", .asked.join("; "))]
    NoMaster {
        /// What the sentinels should know it by.
        master: String,
        /// What each of them said.
        asked: Vec<String>,
    },
    /// No connection, or one that broke, or no answer in time.
    #[error("cannot reach redis at {server}: {message}")]
    Unreachable {
        /// The server.
        server: String,
        /// What happened.
        message: String,
    },
    /// The server does not let us in, or does not let us write.
    #[error("redis at {server} does not permit it: {message}")]
    Denied {
        /// The server.
        server: String,
        /// What it said.
        message: String,
    },
    /// The server cannot do it now: it is a replica, or loads its data, or the keys have moved to another.
    #[error("redis at {server} cannot do it: {message}")]
    NotReady {
        /// The server.
        server: String,
        /// What it said.
        message: String,
    },
    /// The server said something else.
    #[error("redis at {server} answers: {message}")]
    Answer {
        /// The server.
        server: String,
        /// What it said.
        message: String,
    },
}

impl PurgeError {
    pub(crate) fn new(server: &str, error: &RedisError) -> Self {
        let server = server.to_owned();
        let (code, message) = said(error);
        match (error.kind(), code.as_deref()) {
            (ErrorKind::AuthenticationFailed, _) => Self::Denied { server, message },
            // The library does not tell the code where a database is not to be had.
            _ if message.contains("Authentication required") => Self::Denied { server, message },
            (_, Some("NOAUTH" | "WRONGPASS" | "NOPERM" | "DENIED")) => {
                Self::Denied { server, message }
            }
            (
                _,
                Some(
                    "READONLY" | "LOADING" | "MASTERDOWN" | "TRYAGAIN" | "NOREPLICAS" | "MOVED"
                    | "ASK" | "CLUSTERDOWN",
                ),
            ) => Self::NotReady { server, message },
            (ErrorKind::Io, _) => Self::Unreachable { server, message },
            (ErrorKind::InvalidClientConfig, _) => Self::Tls { server, message },
            _ => Self::Answer { server, message },
        }
    }

    /// Whether asking again, on a new connection, may help.
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::NoMaster { .. }
            | Self::NoSlots { .. }
            | Self::Unreachable { .. }
            | Self::NotReady { .. } => true,
            Self::File { .. } | Self::Tls { .. } | Self::Denied { .. } | Self::Answer { .. } => {
                false
            }
        }
    }
}

/// The code and the words of an error; of several the first, for a batch may have thousands.
fn said(error: &RedisError) -> (Option<String>, String) {
    let first = error.clone().into_server_errors().and_then(|errors| errors.first().cloned());
    match first {
        Some((_, error)) => {
            let code = error.code().to_owned();
            let message = format!("{code} {}", error.details().unwrap_or_default());
            (Some(code), message.trim_end().to_owned())
        }
        None => (error.code().map(str::to_owned), words(error)),
    }
}

/// What the library says, without its own name of the kind.
fn words(error: &RedisError) -> String {
    match error.kind() {
        ErrorKind::AuthenticationFailed => "it does not take this user and password".to_owned(),
        ErrorKind::Server(_) => error.detail().map_or_else(|| error.to_string(), str::to_owned),
        _ => error.to_string(),
    }
}
