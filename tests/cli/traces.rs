//! Traces: one document, sent where the variables say, when a run is over.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use serde_json::Value;
use simstore::{Fault, Faults, Kind, S3Error, Server, When};

use crate::program::Program;
use crate::registries::{T, bucket, small};

const GC: [&str; 4] = ["gc", "s3://registry", "--offline", "--otel"];

/// A collector that answers one request with a status, and what it got: head and body.
struct Collector {
    endpoint: String,
    got: JoinHandle<(String, String)>,
}

impl Collector {
    fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let got = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let got = request(&mut stream);
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).unwrap();
            got
        });
        Self { endpoint, got }
    }

    fn program(&self, server: &Server) -> Program {
        Program::at(server).with("OTEL_EXPORTER_OTLP_ENDPOINT", &self.endpoint)
    }

    fn document(self) -> Value {
        serde_json::from_str(&self.got.join().unwrap().1).unwrap()
    }
}

fn request(stream: &mut TcpStream) -> (String, String) {
    let mut got = Vec::new();
    loop {
        let mut some = [0; 4096];
        let read = stream.read(&mut some).unwrap();
        assert!(read > 0, "cut off: {}", String::from_utf8_lossy(&got));
        got.extend_from_slice(&some[..read]);
        let text = String::from_utf8_lossy(&got);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            return (head, body.to_owned());
        }
    }
}

fn spans(document: &Value) -> &Vec<Value> {
    document["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap()
}

fn names(document: &Value) -> Vec<&str> {
    spans(document).iter().map(|span| span["name"].as_str().unwrap()).collect()
}

fn attribute<'v>(span: &'v Value, name: &str) -> Option<&'v str> {
    let mut attributes = span["attributes"].as_array().unwrap().iter();
    let value = &attributes.find(|attribute| attribute["key"] == name)?["value"];
    value["intValue"].as_str().or(value["stringValue"].as_str())
}

#[test]
fn a_collector_gets_the_run_and_its_phases() {
    let server = bucket(&small(T, ""));
    let collector = Collector::answering("200 OK");
    let program = collector
        .program(&server)
        .with("OTEL_SERVICE_NAME", "night")
        .with("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b");
    let done = program.done(&[&GC[..], &["--json"]].concat());
    let (head, body) = collector.got.join().unwrap();
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(head.contains("content-type: application/json") && head.contains("x-key: a b"));
    let document: Value = serde_json::from_str(&body).unwrap();
    let expected = [
        "regsweep gc",
        "opening",
        "marking",
        "sealing",
        "planning",
        "sweeping_links",
        "sweeping_blobs",
        "finished",
    ];
    assert_eq!(names(&document), expected);
    let (spans, summary) = (spans(&document), done.summary());
    let deleted = summary["swept"]["deleted"]["count"].to_string();
    assert_eq!(attribute(&spans[0], "regsweep.deleted_objects"), Some(&*deleted));
    assert_eq!(attribute(&spans[0], "regsweep.outcome"), Some("done"));
    assert!(attribute(&spans[6], "regsweep.requests.delete").is_some(), "{}", spans[6]);
    for span in &spans[1..] {
        assert_eq!(span["parentSpanId"], spans[0]["spanId"]);
        assert_eq!(span["traceId"], spans[0]["traceId"]);
    }
    let service = &document["resourceSpans"][0]["resource"]["attributes"][0];
    assert_eq!(service["value"]["stringValue"], "night");
}

#[test]
fn a_run_that_fails_is_a_trace_with_an_error() {
    let server = bucket(&small(T, ""));
    let refused = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::List, When::Always, refused));
    let collector = Collector::answering("202 Accepted");
    collector.program(&server).run(&GC).with_code(5);
    let document = collector.document();
    assert_eq!(names(&document), ["regsweep gc", "opening"]);
    for span in spans(&document) {
        assert_eq!(span["status"]["code"], 2, "{span}");
        let message = span["status"]["message"].as_str().unwrap();
        assert!(message.contains("permission denied"), "{message}");
    }
}

#[test]
fn a_trace_that_does_not_arrive_is_a_warning() {
    let server = bucket(&small(T, ""));
    let collector = Collector::answering("503 Service Unavailable");
    let done = collector.program(&server).done(&GC);
    assert!(done.stderr.contains("warning: the trace of this run is lost: "), "{}", done.stderr);
    assert!(done.stderr.contains("/v1/traces answers 503"), "{}", done.stderr);
    collector.got.join().unwrap();
    for (value, said) in [
        ("http://127.0.0.1:1", "is lost: cannot reach http://127.0.0.1:1/v1/traces: "),
        ("localhost", "there is no trace of this run: OTEL_EXPORTER_OTLP_ENDPOINT is no http://"),
    ] {
        let program = Program::at(&server).with("OTEL_EXPORTER_OTLP_ENDPOINT", value);
        let done = program.done(&GC);
        assert!(done.stderr.contains(said), "{}", done.stderr);
    }
}

#[test]
fn nobody_has_to_wait_for_a_collector_that_does_not_answer() {
    let server = bucket(&small(T, ""));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let program = || Program::at(&server).with("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
    let late = program().with("OTEL_EXPORTER_OTLP_TIMEOUT", "50").done(&GC);
    assert!(late.stderr.contains("/v1/traces did not answer within 50 ms"), "{}", late.stderr);
    drop(listener.accept().unwrap());
    let run = program().with("OTEL_EXPORTER_OTLP_TIMEOUT", "600000").start(&GC);
    let (mut stream, _) = listener.accept().unwrap();
    request(&mut stream);
    run.signal("INT");
    let done = run.end().with_code(0);
    assert!(done.stderr.contains("is lost: nobody waited for it"), "{}", done.stderr);
}

#[test]
fn nothing_is_sent_that_nobody_asked_for() {
    let server = bucket(&small(T, ""));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let program = Program::at(&server).with("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
    program.done(&GC[..3]);
    program.with("OTEL_SDK_DISABLED", "true").done(&GC);
    assert!(listener.accept().is_err());
}
