//! As much of redis as a cache needs to be cleared: it notes every command, and refuses what it is told to refuse.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Serves on a free port of the loopback address until it is dropped.
pub(crate) struct RedisDouble {
    port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<String>>,
    /// Checks pass, and nothing else does.
    refuses: AtomicBool,
    ends: AtomicBool,
}

impl RedisDouble {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.ends.load(Ordering::SeqCst) {
                    return;
                }
                let own = Arc::clone(&own);
                std::thread::spawn(move || converse(stream.unwrap(), &own));
            }
        });
        Self { port, shared, accepting: Some(accepting) }
    }

    /// The lines of a `config.yml` that make this the cache; they come last.
    pub(crate) fn config(&self) -> String {
        format!("  cache:\n    blobdescriptor: redis\nredis:\n  addr: 127.0.0.1:{}\n", self.port)
    }

    /// From now on checks pass, and clearing does not, or does again.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.shared.refuses.store(refuses, Ordering::SeqCst);
    }

    /// The entries that were cleared since the last time, as `REPOSITORY DIGEST` and as `DIGEST` for the store.
    pub(crate) fn cleared(&self) -> BTreeSet<String> {
        let seen = std::mem::take(&mut *self.shared.seen.lock().unwrap());
        seen.iter().filter_map(|words| entry(words)).collect()
    }

    /// How many commands came since the last time.
    pub(crate) fn commands(&self) -> usize {
        std::mem::take(&mut *self.shared.seen.lock().unwrap()).len()
    }
}

impl Drop for RedisDouble {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

fn entry(words: &str) -> Option<String> {
    let words: Vec<&str> = words.split(' ').collect();
    match words[..] {
        ["SREM", set, digest] => {
            let name = set.strip_prefix("repository::")?.strip_suffix("::blobs")?;
            Some(format!("{name} {digest}"))
        }
        ["HDEL", hash, ..] => Some(hash.strip_prefix("blobs::")?.to_owned()),
        _ => None,
    }
}

fn converse(mut stream: TcpStream, shared: &Shared) {
    let mut waiting = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    let mut is_probe = false;
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        waiting.extend_from_slice(&chunk[..read]);
        let mut said = String::new();
        while let Some((words, length)) = command(&waiting) {
            waiting.drain(..length);
            // A check is one PING and what follows it up to the hash.
            let is_of_probe = is_probe || words == "PING";
            is_probe = is_of_probe && !words.starts_with("HDEL");
            let refuses = shared.refuses.load(Ordering::SeqCst) && !is_of_probe;
            said.push_str(answer(&words, refuses));
            let seen = if is_of_probe { "check".to_owned() } else { words };
            shared.seen.lock().unwrap().push(seen);
        }
        if stream.write_all(said.as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(words: &str, refuses: bool) -> &'static str {
    match words {
        "PING" => "+PONG\r\n",
        _ if refuses => "-NOPERM this user has no permissions\r\n",
        _ => ":1\r\n",
    }
}

/// The first command of `bytes`, as words, and how long it is; none while it is not whole.
fn command(bytes: &[u8]) -> Option<(String, usize)> {
    let (count, mut at) = number(bytes, 0)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let (length, start) = number(bytes, at)?;
        words.push(String::from_utf8_lossy(bytes.get(start..start + length)?).into_owned());
        at = start + length + 2;
    }
    (at <= bytes.len()).then(|| (words.join(" "), at))
}

/// The number in a line, after its mark, and where the next line starts.
fn number(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let line = bytes.get(at..)?;
    let end = line.windows(2).position(|pair| pair == b"\r\n")?;
    Some((std::str::from_utf8(&line[1..end]).unwrap().parse().unwrap(), at + end + 2))
}
