//! Answers who asks for metrics over HTTP: one path, GET and HEAD, a few connections at a time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::source::Source;

/// Where metrics are.
pub(super) const PATH: &str = "/metrics";

/// The most connections at a time; who comes then waits.
pub(super) const CONNECTIONS: usize = 8;
/// How long one may last, from its first byte to its last.
const LIFE: Duration = Duration::from_secs(10);
/// How long to wait where the system has no connection to give.
const PAUSE: Duration = Duration::from_millis(100);
/// The most bytes of a request's head; the least that the server takes as a limit.
const HEAD: usize = 8 << 10;
/// The most lines of it.
const HEADERS: usize = 64;

/// Answers until it is dropped, and all connections with it.
pub(super) async fn serve(listener: TcpListener, source: Arc<Source>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&source)));
                }
                Err(error) => {
                    tracing::debug!(%error, "nobody can ask for metrics");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
}

/// One request and its answer. What goes wrong is the client's doing, and ends the connection.
async fn converse(stream: TcpStream, source: Arc<Source>) {
    let service = service_fn(|request| {
        let answer = answer(&request, &source);
        async { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(LIFE)
        .max_buf_size(HEAD)
        .max_headers(HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(LIFE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "who asked for metrics broke off"),
        Err(_) => tracing::debug!("who asked for metrics took too long"),
    }
}

fn answer<B>(request: &Request<B>, source: &Source) -> Response<Full<Bytes>> {
    if request.uri().path() != PATH {
        return refusal(StatusCode::NOT_FOUND);
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut answer = refusal(StatusCode::METHOD_NOT_ALLOWED);
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let mut answer = Response::new(Full::from(source.text(None)));
    let kind = HeaderValue::from_static(metrics::CONTENT_TYPE);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}
