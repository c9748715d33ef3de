//! One HTTP request at a time on the loopback address, with nothing between the test and the server.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of the first header of that name, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Asks `127.0.0.1:port` once, on a connection of its own.
///
/// HTTP/1.0, so that the body is what comes until the server hangs up and is never chunked; a body shorter than was
/// announced is an error.
pub(crate) fn ask(
    port: u16,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let headers: Vec<_> = headers.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    let lines = [
        format!("{method} {target} HTTP/1.0"),
        format!("Host: {address}"),
        format!("Content-Length: {}", body.len()),
        headers.join("\r\n"),
    ];
    let head = lines.join("\r\n").trim_end().to_owned() + "\r\n\r\n";
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let answer = parse(&bytes).ok_or_else(|| cut_short(method, target))?;
    let announced = answer.header("Content-Length").and_then(|length| length.parse::<usize>().ok());
    match announced {
        Some(length) if method != "HEAD" && answer.body.len() != length => {
            Err(cut_short(method, target))
        }
        _ => Ok(answer),
    }
}

fn cut_short(method: &str, target: &str) -> std::io::Error {
    let message = format!("the answer to {method} {target} ended early");
    std::io::Error::new(std::io::ErrorKind::UnexpectedEof, message)
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let mut lines = std::str::from_utf8(&bytes[..end]).ok()?.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .map(|line| line.split_once(':').map(|(key, value)| (key.into(), value.trim().into())))
        .collect::<Option<_>>()?;
    Some(Answer { status, headers, body: bytes[end + 4..].to_vec() })
}
