//! The address and the file, without a run.

use std::fs;
use std::io;
use std::path::Path;

use monitor::Counter;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::Form;

const CONSOLE: Console = Console {
    stderr_is_terminal: false,
    stdout_has_colour: false,
    stderr_has_colour: false,
    form: Form::Text,
};

fn source(file: Option<&Path>, watch: &Watch) -> Arc<Source> {
    let args = MetricsArgs { metrics_file: file.map(Path::to_owned), ..MetricsArgs::default() };
    Arc::new(Source::begin("gc", &args, watch))
}

/// The address of a server that ends with the set.
async fn served(watch: &Watch) -> (JoinSet<()>, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(endpoint::serve(listener, source(None, watch)));
    (tasks, address)
}

async fn ask(address: SocketAddr, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    let read = tokio::time::timeout(LIMIT, stream.read_to_string(&mut answer)).await;
    read.unwrap().map(|_| answer)
}

/// Longer than a connection may last.
const LIMIT: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_scrape_has_the_numbers_of_the_moment() {
    let watch = Watch::timed();
    let (_tasks, address) = served(&watch).await;
    for freed in ["0", "5"] {
        let answer = ask(address, "GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"));
        let line = format!("\nregsweep_freed_bytes_total{{command=\"gc\"}} {freed}\n");
        assert!(answer.contains(&line), "{answer}");
        watch.monitor.count(Counter::FreedBytes, 5);
    }
}

#[tokio::test]
async fn only_what_is_there_can_be_asked_for() {
    let (_tasks, address) = served(&Watch::timed()).await;
    let long = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(64 << 10));
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(200));
    for (request, status) in [
        ("HEAD /metrics HTTP/1.1\r\nhost: a\r\n\r\n", "200"),
        ("GET /metrics?a=b HTTP/1.0\r\n\r\n", "200"),
        ("POST /metrics HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello", "405"),
        ("DELETE /metrics HTTP/1.1\r\nhost: a\r\n\r\n", "405"),
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "404"),
        ("GET /metrics/ HTTP/1.1\r\nhost: a\r\n\r\n", "404"),
        ("nonsense\r\n\r\n", "400"),
        (&many, "431"),
    ] {
        let answer = ask(address, request).await.unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{request}: {answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let has_body = request.starts_with("GET") && status == "200";
        assert_eq!(!body.is_empty(), has_body, "{request}: {answer}");
    }
    // What does not fit is not read to its end, so the answer may be lost.
    if let Ok(answer) = ask(address, &long).await {
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

#[tokio::test]
async fn those_who_say_nothing_do_not_keep_others_away_for_good() {
    let (mut tasks, address) = served(&Watch::timed()).await;
    let mut silent = Vec::new();
    for _ in 0..endpoint::CONNECTIONS {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut asking = JoinSet::new();
    asking.spawn(ask(address, "GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n"));
    for _ in 0..1000 {
        tokio::task::yield_now().await;
        assert!(asking.try_join_next().is_none(), "all connections are taken");
    }
    drop(silent);
    assert!(asking.join_next().await.unwrap().unwrap().unwrap().contains("200 OK"));
    tasks.shutdown().await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens after the end");
}

#[tokio::test]
async fn the_file_is_written_at_once_again_and_again_and_at_the_end() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("regsweep.prom");
    let watch = Watch::timed();
    let args = MetricsArgs { metrics_file: Some(file.clone()), ..MetricsArgs::default() };
    let exposing = Exposing::begin("gc", &args, &watch, CONSOLE).await.unwrap();
    let says = |line: &str| fs::read_to_string(&file).unwrap().contains(line);
    assert!(says("regsweep_blobs_total{command=\"gc\"} 0\n"));
    watch.monitor.count(Counter::Blobs, 3);
    let mut tasks = JoinSet::new();
    let target = exposing.file.clone().unwrap();
    tasks.spawn(keep_writing(target, Arc::clone(&exposing.source), Duration::from_millis(1)));
    let written = async {
        while !says("regsweep_blobs_total{command=\"gc\"} 3\n") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, written).await.unwrap();
    assert!(!says("last_run"));
    tasks.shutdown().await;
    exposing.end(Code::Store).await;
    assert!(says("regsweep_last_run_exit_code{command=\"gc\"} 5\n") && !says("last_success"));
    Exposing::begin("gc", &args, &watch, CONSOLE).await.unwrap().end(Code::Done).await;
    assert!(says("regsweep_last_success_timestamp_seconds{command=\"gc\"} "));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing unfinished stays");
}

#[test]
fn what_was_there_is_read_only_where_it_is_a_file() {
    let home = tempfile::tempdir().unwrap();
    let (file, link) = (home.path().join("a.prom"), home.path().join("b.prom"));
    let watch = Watch::timed();
    fs::write(&file, source(None, &watch).text(Some(Code::Done))).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let success = "regsweep_last_success_timestamp_seconds";
    for (file, is_read) in [(&file, true), (&link, false), (&home.path().to_owned(), false)] {
        assert_eq!(source(Some(file), &watch).text(None).contains(success), is_read);
    }
    fs::write(&file, [0xff, b'\n']).unwrap();
    assert!(!source(Some(&file), &watch).text(None).contains(success));
}
