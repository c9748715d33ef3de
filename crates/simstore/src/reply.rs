//! What is answered.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::Response;
use hyper::body::{Frame, SizeHint};

use crate::object::Content;
use crate::{S3Error, xml};

/// An answer before faults of transport.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Content,
    /// For the log.
    pub(crate) keys: usize,
}

impl Reply {
    /// Nothing but a status.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Content::Held(Bytes::new()), keys: 0 }
    }

    /// A document.
    pub(crate) fn xml(status: u16, document: impl Into<Bytes>) -> Self {
        Self { body: Content::Held(document.into()), ..Self::empty(status) }
            .with("content-type", "application/xml")
    }

    /// An error document about `subject`.
    pub(crate) fn error(error: &S3Error, subject: &str) -> Self {
        match error.status {
            // HTTP allows it no body.
            304 => Self::empty(304),
            status => Self::xml(status, xml::error(error, subject)),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same answer to a HEAD request: everything but the body.
    pub(crate) fn without_body(self) -> Self {
        let length = self.body.len().to_string();
        Self { body: Content::Held(Bytes::new()), ..self }.with("content-length", length)
    }

    /// The answer as it goes out; fails where a header cannot be sent.
    pub(crate) fn into_response(self, is_broken: bool) -> Result<Response<Body>, HangUp> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let body = if is_broken { Body::broken(&self.body) } else { Body::whole(&self.body) };
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

/// What zeros are sent from.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// A body that may break in the middle.
#[derive(Debug)]
pub(crate) struct Body {
    declared: u64,
    /// What is left to send.
    left: Content,
    end: End,
}

impl Body {
    fn whole(body: &Content) -> Self {
        Self { declared: body.len(), left: body.clone(), end: End::Clean }
    }

    fn broken(body: &Content) -> Self {
        let left = body.slice(0, body.len() / 2);
        Self { declared: body.len().max(1), left, end: End::Flush }
    }

    /// The next piece of what is left.
    fn next(&mut self) -> Option<Bytes> {
        match &mut self.left {
            Content::Held(content) => {
                Some(std::mem::take(content)).filter(|content| !content.is_empty())
            }
            Content::Zeros(0) => None,
            Content::Zeros(left) => {
                let piece = (*left).min(ZEROS.len() as u64);
                *left -= piece;
                let piece = usize::try_from(piece).unwrap_or(ZEROS.len());
                Some(Bytes::from_static(&ZEROS[..piece]))
            }
        }
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
        if let Some(data) = body.next() {
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
        self.left.len() == 0 && matches!(self.end, End::Clean)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.declared)
    }
}
