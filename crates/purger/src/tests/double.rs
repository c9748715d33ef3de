//! A server that speaks as much of redis's protocol as is needed, and fails as it is told.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What a command is answered with.
pub(super) enum Reply {
    /// These bytes.
    Say(String),
    /// Nothing, ever.
    Silence,
    /// The end of the connection.
    HangUp,
}

type Answerer = Arc<dyn Fn(usize, &str) -> Reply + Send + Sync>;

/// Serves on a free port of the loopback address until it is dropped.
pub(super) struct Double {
    pub(super) port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Double {
    /// Answers each command by its number among all commands of all connections, and its words.
    pub(super) async fn start(
        answer: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::new(answer), Arc::clone(&seen)));
        Self { port, seen, _serving: serving }
    }

    /// All commands that came, in order.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, answer: Answerer, seen: Arc<Mutex<Vec<String>>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, Arc::clone(&answer), Arc::clone(&seen)));
    }
}

async fn converse(mut stream: TcpStream, answer: Answerer, seen: Arc<Mutex<Vec<String>>>) {
    let mut waiting = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    while let Ok(read) = stream.read(&mut chunk).await {
        if read == 0 {
            return;
        }
        waiting.extend_from_slice(&chunk[..read]);
        let mut said = String::new();
        while let Some((words, length)) = command(&waiting) {
            waiting.drain(..length);
            let number = {
                let mut seen = seen.lock().unwrap();
                seen.push(words.clone());
                seen.len() - 1
            };
            match answer(number, &words) {
                Reply::Say(text) => said.push_str(&text),
                Reply::Silence => {}
                Reply::HangUp => return,
            }
        }
        if stream.write_all(said.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The first command of `bytes`, as words, and how long it is; none while it is not whole.
fn command(bytes: &[u8]) -> Option<(String, usize)> {
    let (count, mut at) = number(bytes, 0, b'*')?;
    let mut words = Vec::new();
    for _ in 0..count {
        let (length, start) = number(bytes, at, b'$')?;
        let word = bytes.get(start..start + length)?;
        words.push(String::from_utf8_lossy(word).into_owned());
        at = start + length + 2;
    }
    (at <= bytes.len()).then(|| (words.join(" "), at))
}

/// The number in a line that starts with `mark`, and where the next line starts.
fn number(bytes: &[u8], at: usize, mark: u8) -> Option<(usize, usize)> {
    let line = bytes.get(at..)?;
    let end = line.windows(2).position(|pair| pair == b"\r\n")?;
    // Whatever this is, it is no command, and is waited for in vain.
    (line[0] == mark).then_some(())?;
    let number = std::str::from_utf8(&line[1..end]).unwrap().parse().unwrap();
    Some((number, at + end + 2))
}

pub(super) fn integer(number: u64) -> Reply {
    Reply::Say(format!(":{number}\r\n"))
}

pub(super) fn error(text: &str) -> Reply {
    Reply::Say(format!("-{text}\r\n"))
}

/// Answers what a server answers that knows every digest.
pub(super) fn well(words: &str) -> Reply {
    match words.split(' ').next() {
        Some("PING") => Reply::Say("+PONG\r\n".to_owned()),
        Some("AUTH" | "SELECT") => Reply::Say("+OK\r\n".to_owned()),
        _ => integer(1),
    }
}
