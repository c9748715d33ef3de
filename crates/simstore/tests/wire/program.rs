//! The server as people run it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_regsweep-simstore");

/// A server on a free port; the first line it says.
fn start(arguments: &[&str]) -> (Child, String) {
    let mut child = Command::new(PROGRAM)
        .args(["--port", "0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line)
}

/// Sends a signal, and tells whether the server ended well, and what it said.
fn end(mut child: Child, signal: &str) -> (bool, String) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    let is_well = child.wait().unwrap().success();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (is_well, said)
}

#[test]
fn it_says_where_it_listens_and_ends_when_asked_to() {
    for signal in ["-INT", "-TERM"] {
        let (child, line) = start(&["--fill", "5", "--bucket", "b"]);
        let address = line.strip_prefix("http://").unwrap().strip_suffix("/b\n").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /b?list-type=2 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.matches("<Key>").count(), 5);
        assert_eq!(end(child, signal), (true, String::new()), "{signal}");
    }
}

#[test]
fn it_says_what_it_computes_and_what_it_let_through() {
    let (child, _) = start(&["--blobs", "2000", "--repositories", "10", "--limits"]);
    let (is_well, said) = end(child, "-TERM");
    let expected = "3760 objects, of which 200 manifests; 990 blobs are garbage\n\
                    0 reads and 0 writes let through, 0 and 0 refused; 1 partitions\n";
    assert!(is_well);
    assert_eq!(said, expected);
}

#[test]
fn its_help_fits_a_screen() {
    let help = Command::new(PROGRAM).arg("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    assert!(help.lines().count() <= 40, "{help}");
    assert!(help.contains("--limits"));
}
