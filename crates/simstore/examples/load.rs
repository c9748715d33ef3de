//! How fast the server lists, serves and deletes from a registry of 10^8 blobs: `cargo run --release -p regsweep-simstore --example load`.
//!
//! Clients are threads that read pages and look at nothing but the token in them. The CPU time is that of the server's
//! thread alone, as Linux tells it.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures, and says so")]

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use std::{fs, thread};

use simstore::{Kind, Options, Server, Shape};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const BLOBS: &str = "docker/registry/v2/blobs/sha256/";
const REPOSITORIES: &str = "docker/registry/v2/repositories/";

/// How long each measurement takes.
const TIME: Duration = Duration::from_secs(4);

fn main() -> Result<()> {
    let started = Instant::now();
    let shape = Shape { blobs: 100_000_000, repositories: 20_000, ..Shape::default() };
    let server = Server::start(Options { procedural: Some(shape), ..Options::default() })?;
    println!(
        "{} objects, {} manifests held, after {:.1?}",
        shape.objects(),
        shape.manifests(),
        started.elapsed()
    );
    for (name, prefix, connections) in [
        ("blobs", BLOBS, 1),
        ("blobs", BLOBS, 16),
        ("repositories", REPOSITORIES, 1),
        ("repositories", REPOSITORIES, 16),
    ] {
        list(&server, name, prefix, connections)?;
    }
    for connections in [1, 16] {
        small(&server, "manifests, GET", connections, manifests, read)?;
    }
    small(&server, "blobs, DELETE of 1,000", 16, blobs, delete)
}

/// Runs clients that ask without end, and says what each of their requests took.
fn small(
    server: &Server,
    name: &str,
    connections: usize,
    find: fn(&Server, usize) -> Result<Vec<String>>,
    client: fn(SocketAddr, &[String], Instant) -> Result<u64>,
) -> Result<()> {
    let parts: Vec<Vec<String>> =
        (0..connections).map(|n| find(server, n)).collect::<Result<_>>()?;
    let (started, cpu) = (Instant::now(), server_cpu()?);
    let requests: u64 = thread::scope(|scope| {
        let clients = parts.iter().map(|keys| {
            let address = server.address();
            scope.spawn(move || client(address, keys, started))
        });
        let clients: Vec<_> = clients.collect();
        let all = clients.into_iter().map(|client| client.join().map_err(|_| "a client broke")?);
        all.sum::<Result<u64>>()
    })?;
    let (time, cpu) = (started.elapsed(), server_cpu()?.saturating_sub(cpu));
    println!(
        "{name}, {connections} connections: {:.0} requests/s; server {:.1} us of CPU per request",
        requests as f64 / time.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / requests as f64,
    );
    Ok(())
}

/// Keys of 50,000 blobs for a client.
fn blobs(server: &Server, client: usize) -> Result<Vec<String>> {
    keys(server, format!("{BLOBS}{:02x}", client * 16), 50)
}

/// Keys of the manifests of some repositories for a client.
fn manifests(server: &Server, client: usize) -> Result<Vec<String>> {
    let links = keys(server, format!("{REPOSITORIES}team-{client:08}"), 4)?;
    let digests = links.iter().filter_map(|key| Some(key.split_once("/revisions/sha256/")?.1));
    Ok(digests.map(|digest| format!("{BLOBS}{}/{}/data", &digest[..2], &digest[..64])).collect())
}

/// Keys of so many pages behind a key.
fn keys(server: &Server, first: String, pages: usize) -> Result<Vec<String>> {
    let (mut stream, mut body) =
        (BufReader::new(TcpStream::connect(server.address())?), Vec::new());
    let mut keys = vec![first];
    for _ in 0..pages {
        let after = keys.last().map_or("", String::as_str);
        let request = format!("GET /registry?list-type=2&start-after={after} HTTP/1.1");
        ask(&mut stream, &request, "", &mut body)?;
        let page = String::from_utf8_lossy(&body);
        keys.extend(
            page.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next()).map(String::from),
        );
    }
    keys.remove(0);
    Ok(keys)
}

/// Reads manifests, again and again.
fn read(address: SocketAddr, keys: &[String], started: Instant) -> Result<u64> {
    let (mut stream, mut body) = (BufReader::new(TcpStream::connect(address)?), Vec::new());
    stream.get_ref().set_nodelay(true)?;
    let mut requests = 0;
    for key in keys.iter().cycle() {
        if started.elapsed() >= TIME {
            break;
        }
        ask(&mut stream, &format!("GET /registry/{key} HTTP/1.1"), "", &mut body)?;
        if !body.starts_with(b"{\"schemaVersion\"") {
            return Err(format!("{key} is no manifest").into());
        }
        requests += 1;
    }
    Ok(requests)
}

/// Deletes blobs, a thousand at a time, until none of those that were listed is left.
fn delete(address: SocketAddr, keys: &[String], _: Instant) -> Result<u64> {
    let (mut stream, mut body) = (BufReader::new(TcpStream::connect(address)?), Vec::new());
    stream.get_ref().set_nodelay(true)?;
    for keys in keys.chunks(1000) {
        let objects = keys.iter().map(|key| format!("<Object><Key>{key}</Key></Object>"));
        let objects = objects.collect::<Vec<_>>().concat();
        let request = format!("<Delete><Quiet>true</Quiet>{objects}</Delete>");
        let head = "POST /registry?delete HTTP/1.1\r\nx-amz-checksum-sha256: any";
        ask(&mut stream, head, &request, &mut body)?;
        if body.windows(7).any(|window| window == b"<Error>") {
            return Err("a key was not deleted".into());
        }
    }
    Ok(keys.chunks(1000).len() as u64)
}

fn ask(
    stream: &mut BufReader<TcpStream>,
    head: &str,
    content: &str,
    body: &mut Vec<u8>,
) -> Result<()> {
    let length = content.len();
    let request = format!("{head}\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{content}");
    stream.get_mut().write_all(request.as_bytes())?;
    read_body(stream, body)
}

fn list(server: &Server, name: &str, prefix: &str, connections: u32) -> Result<()> {
    // Once it has answered, its thread has a name.
    walk(server.address(), prefix, Instant::now(), Duration::ZERO)?;
    server.forget_requests();
    let (started, cpu) = (Instant::now(), server_cpu()?);
    let address = server.address();
    let keys: u64 = thread::scope(|scope| {
        let clients = (0..connections).map(|n| {
            let start = if prefix == BLOBS {
                format!("{BLOBS}{:02x}", n * 256 / connections)
            } else {
                format!("{REPOSITORIES}team-{:08}", n * 20 / connections)
            };
            scope.spawn(move || walk(address, &start, started, TIME))
        });
        let clients: Vec<_> = clients.collect();
        let all = clients.into_iter().map(|client| client.join().map_err(|_| "a client broke")?);
        all.sum::<Result<u64>>()
    })?;
    let (time, cpu) = (started.elapsed(), server_cpu()?.saturating_sub(cpu));
    let pages = server.count(Kind::List);
    println!(
        "{name}, {connections} connections: {:.0} pages/s, {:.2} M keys/s; server {:.0} us of CPU per page: {:.2} M keys per CPU second",
        pages as f64 / time.as_secs_f64(),
        keys as f64 / time.as_secs_f64() / 1e6,
        cpu.as_secs_f64() * 1e6 / pages as f64,
        keys as f64 / cpu.as_secs_f64() / 1e6,
    );
    Ok(())
}

/// Reads page after page behind a key; how many keys.
fn walk(address: SocketAddr, start: &str, started: Instant, time: Duration) -> Result<u64> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(1 << 20, stream.try_clone()?);
    let (mut place, mut keys) = (format!("start-after={start}"), 0);
    let mut body = Vec::new();
    loop {
        write!(
            stream,
            "GET /registry?list-type=2&encoding-type=url&{place} HTTP/1.1\r\nhost: x\r\n\r\n"
        )?;
        read_body(&mut reader, &mut body)?;
        let head = String::from_utf8_lossy(&body[..body.len().min(2000)]);
        keys += between(&head, "KeyCount")?.parse::<u64>()?;
        if started.elapsed() >= time {
            return Ok(keys);
        }
        place = match between(&head, "NextContinuationToken") {
            Ok(token) => format!("continuation-token={}", token.replace('%', "%25")),
            Err(_) => format!("start-after={start}"),
        };
    }
}

fn read_body(reader: &mut impl BufRead, body: &mut Vec<u8>) -> Result<()> {
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line)? > 2 {
        if let Some(found) = line.strip_prefix("content-length: ") {
            length = found.trim().parse()?;
        }
        line.clear();
    }
    body.resize(length, 0);
    Ok(reader.read_exact(body)?)
}

fn between<'a>(text: &'a str, element: &str) -> Result<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let rest = text.split_once(&open).ok_or("no such element")?.1;
    Ok(rest.split_once(&close).ok_or("no end of an element")?.0)
}

/// User and system time of the thread that answers.
///
/// Source: `proc(5)`, `/proc/pid/task/tid/schedstat`: nanoseconds on a processor.
fn server_cpu() -> Result<Duration> {
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        if fs::read_to_string(task.join("comm"))?.trim() == "simstore" {
            let times = fs::read_to_string(task.join("schedstat"))?;
            let nanos = times.split(' ').next().ok_or("no time")?.parse()?;
            return Ok(Duration::from_nanos(nanos));
        }
    }
    Err("no thread of the server".into())
}
