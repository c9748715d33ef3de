//! What is answered.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::Response;
use hyper::body::{Frame, SizeHint};

use crate::{S3Error, xml};

/// An answer before faults of transport.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// For the log.
    pub(crate) keys: usize,
}

impl Reply {
    /// Nothing but a status.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), keys: 0 }
    }

    /// A document.
    pub(crate) fn xml(status: u16, document: String) -> Self {
        Self { body: document.into(), ..Self::empty(status) }
            .with("content-type", "application/xml")
    }

    /// An error document about `subject`.
    pub(crate) fn error(error: &S3Error, subject: &str) -> Self {
        Self::xml(error.status, xml::error(error, subject))
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same answer to a HEAD request: everything but the body.
    pub(crate) fn without_body(self) -> Self {
        let length = self.body.len().to_string();
        Self { body: Bytes::new(), ..self }.with("content-length", length)
    }

    /// The answer as it goes out; fails where a header cannot be sent.
    pub(crate) fn into_response(self, is_broken: bool) -> Result<Response<Body>, HangUp> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let body = if is_broken { Body::broken(&self.body) } else { Body::whole(self.body) };
        response.body(body).map_err(|_| HangUp)
    }
}

/// The server closes the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HangUp;

impl fmt::Display for HangUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server hangs up")
    }
}

impl Error for HangUp {}

#[derive(Debug)]
enum End {
    Clean,
    /// Breaks after what was sent has left the buffers.
    Flush,
    Break,
}

/// A body that may break in the middle.
#[derive(Debug)]
pub(crate) struct Body {
    declared: u64,
    data: Option<Bytes>,
    end: End,
}

impl Body {
    fn whole(body: Bytes) -> Self {
        let declared = body.len() as u64;
        Self { declared, data: (!body.is_empty()).then_some(body), end: End::Clean }
    }

    fn broken(body: &Bytes) -> Self {
        let declared = body.len().max(1) as u64;
        Self { declared, data: Some(body.slice(..body.len() / 2)), end: End::Flush }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = HangUp;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HangUp>>> {
        let body = self.get_mut();
        if let Some(data) = body.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match body.end {
            End::Clean => Poll::Ready(None),
            End::Flush => {
                body.end = End::Break;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Break => Poll::Ready(Some(Err(HangUp))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && matches!(self.end, End::Clean)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.declared)
    }
}
