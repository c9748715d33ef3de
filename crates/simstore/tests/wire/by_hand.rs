//! Requests by hand.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use simstore::Server;

/// Sends a request as it stands and reads until the server closes.
pub(super) fn send(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A reset is an answer too: what came before it.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// Reads.
pub(super) fn get(server: &Server, target: &str) -> String {
    ask(server, "GET", target, "", "")
}

/// Writes.
pub(super) fn put(server: &Server, target: &str, headers: &str, content: &str) -> String {
    ask(server, "PUT", target, headers, content)
}

pub(super) fn ask(
    server: &Server,
    method: &str,
    target: &str,
    headers: &str,
    body: &str,
) -> String {
    let length = body.len();
    send(
        server,
        &format!(
            "{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        ),
    )
}

pub(super) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

/// The texts of every element of a name, in order.
pub(super) fn texts<'a>(answer: &'a str, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    answer.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap()).collect()
}

/// A deletion of these keys.
pub(super) fn delete_body(keys: &[&str]) -> String {
    let objects = keys.iter().map(|key| format!("<Object><Key>{key}</Key></Object>"));
    format!("<Delete>{}</Delete>", objects.collect::<String>())
}

/// A header of an answer.
pub(super) fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The body of an answer.
pub(super) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
