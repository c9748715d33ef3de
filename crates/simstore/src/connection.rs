//! Connections, and the way of a request through the server.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::clock::http_date;
use crate::faults::Struck;
use crate::object::Content;
use crate::reply::{Body, HangUp, Reply};
use crate::request::Ask;
use crate::shared::Shared;
use crate::{Fault, Kind, Request, S3Error, handler};

/// Accepts connections until the other end of `stopped` is dropped; then ends them all.
pub(crate) async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve(stream, Arc::clone(&shared)));
            },
        }
    }
    connections.shutdown().await;
}

/// Serves one connection; an error is the client's or a fault's doing, and ends it.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    // Only costs latency where it fails.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(Arc::clone(&shared), request));
    let connection = http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let _ = connection.await;
}

async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Body>, HangUp> {
    let _in_flight = shared.log.enter();
    let is_head = request.method() == Method::HEAD;
    let (reply, struck) = match Ask::read(request).await {
        Ok(ask) => answer_to(&shared, &ask).await?,
        Err(error) => (Reply::error(&error, ""), shared.strike(Kind::Unknown, "")),
    };
    let reply = with_server_headers(&shared, &struck, spoilt(&struck, reply));
    let reply = if is_head { reply.without_body() } else { reply };
    reply.into_response(struck.has(&Fault::BreakBody))
}

/// The answer to a request, and the faults that are still to strike it.
async fn answer_to(shared: &Shared, ask: &Ask) -> Result<(Reply, Struck), HangUp> {
    let (kind, subject) = (ask.kind, ask.subject());
    shared.note_needs(ask);
    let struck = shared.strike(kind, &subject);
    let delay = struck.delay() + shared.latency(kind);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let host = ask.header("host").unwrap_or_default().to_owned();
    let entry = Request { kind, subject, host, keys: ask.keys_to_delete(), status: None };
    if struck.has(&Fault::HangUpBefore) {
        shared.log.write(entry);
        return Err(HangUp);
    }
    shared.prepare();
    let reply =
        refused(&struck, &entry.subject).unwrap_or_else(|| handler::answer(shared, ask, &struck));
    if struck.has(&Fault::HangUpAfter) {
        shared.log.write(entry);
        return Err(HangUp);
    }
    let (keys, status) = (entry.keys.max(reply.keys), Some(reply.status));
    shared.log.write(Request { keys, status, ..entry });
    Ok((reply, struck))
}

fn refused(struck: &Struck, subject: &str) -> Option<Reply> {
    struck.find(|fault| match fault {
        Fault::Refuse(error) => Some(Reply::error(error, subject)),
        Fault::RefuseWithin200(error) => {
            Some(Reply { status: 200, ..Reply::error(error, subject) })
        }
        Fault::ForeignBody => Some(
            Reply {
                body: Content::Held(Bytes::from_static(b"<html><body>Welcome</body></html>")),
                ..Reply::empty(200)
            }
            .with("content-type", "text/html"),
        ),
        _ => None,
    })
}

fn spoilt(struck: &Struck, reply: Reply) -> Reply {
    if struck.has(&Fault::HalfBody) {
        let half = reply.body.slice(0, reply.body.len() / 2);
        return Reply { body: half, ..reply };
    }
    reply
}

fn with_server_headers(shared: &Shared, struck: &Struck, reply: Reply) -> Reply {
    let region = shared.options.region.clone().unwrap_or_else(|| "us-east-1".to_owned());
    let reply = reply
        .with("x-amz-request-id", "0000000000000000")
        .with("x-amz-bucket-region", region)
        .with("server", "simstore");
    if struck.has(&Fault::NoDate) { reply } else { reply.with("date", http_date(shared.now())) }
}

/// Why a request is not let in, where it is not.
pub(crate) fn not_let_in(shared: &Shared, ask: &Ask) -> Option<S3Error> {
    let options = &shared.options;
    let refused = ask
        .access_key()
        .is_some_and(|key| options.refused_access_keys.iter().any(|refused| refused == key));
    if refused {
        return Some(S3Error::INVALID_ACCESS_KEY_ID);
    }
    let elsewhere =
        options.region.as_deref().zip(ask.region()).is_some_and(|(ours, signed)| ours != signed);
    if elsewhere {
        return Some(S3Error::AUTHORIZATION_HEADER_MALFORMED);
    }
    (ask.bucket != options.bucket).then_some(S3Error::NO_SUCH_BUCKET)
}
