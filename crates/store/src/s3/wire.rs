//! Signed GETs: the way of every request that reads.
//!
//! The SDK's client spends many times the processor time of the answer on anything else, and registries have millions of
//! keys. Connections, TLS and proxies are the SDK's own.

use std::sync::Arc;

use aws_smithy_async::time::TimeSource as _;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::HttpError;
use aws_smithy_types::body::SdkBody;
use monitor::{Monitor, RequestKind};

use super::address::Address;
use super::body::{self, BodyError};
use super::classify::{Answer, no_answer, no_credentials, refused};
use super::clock::Clock;
use super::credentials::Keyring;
use super::exchange::Asked;
use super::percent;
use super::sign::{NO_BODY, Signed, Signer, wire_time};
use crate::{ErrorKind, Operation, StoreError};

/// The most bytes of an error document that are read.
const REFUSAL_LIMIT: u64 = 64 << 10;

/// A request for an object or, without a key, for the bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Get<'a> {
    pub(super) operation: Operation,
    /// What to name in an error.
    pub(super) subject: &'a str,
    /// As the store has it, not encoded.
    pub(super) key: &'a str,
    /// Encoded and sorted.
    pub(super) query: &'a str,
    /// The header of that name, where a part is asked for.
    pub(super) range: Option<&'a str>,
    /// Each attempt is counted as one.
    pub(super) kind: RequestKind,
}

impl<'a> Get<'a> {
    /// What it is, for who measures it.
    pub(super) fn asked(&self) -> Asked<'a> {
        Asked { kind: self.kind, operation: self.operation, subject: self.subject }
    }
}

/// The way to one bucket.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) connector: SharedHttpConnector,
    pub(super) address: Address,
    pub(super) keyring: Keyring,
    pub(super) clock: Clock,
    pub(super) user_agent: String,
    pub(super) monitor: Arc<Monitor>,
}

impl Wire {
    /// Sends a request and gives its answer, which is a success, its body unread.
    ///
    /// Where the server says that it is the time or the credentials that were wrong, and they can be set right, the
    /// request is sent a second time.
    pub(super) async fn get(&self, get: Get<'_>) -> Result<HttpResponse, StoreError> {
        let signer = self.signer(get).await?;
        let refusal = match self.attempt(get, &signer).await? {
            Ok(answer) => return Ok(answer),
            Err(refusal) => refusal,
        };
        let refused = |refusal| refused(get.operation, get.subject, refusal);
        if !self.learns(&refusal, &signer).await {
            return Err(refused(refusal));
        }
        let signer = self.signer(get).await?;
        self.attempt(get, &signer).await?.map_err(refused)
    }

    async fn signer(&self, get: Get<'_>) -> Result<Arc<Signer>, StoreError> {
        let signer = self.keyring.signer().await;
        signer.map_err(|error| no_credentials(get.operation, get.subject, error))
    }

    /// Sends a request once: a success, a refusal, or no answer that could be read.
    async fn attempt(
        &self,
        get: Get<'_>,
        signer: &Signer,
    ) -> Result<Result<HttpResponse, Answer>, StoreError> {
        let request = self.request(get, signer).map_err(|error| {
            StoreError::new(get.operation, get.subject, ErrorKind::Fatal).because(error)
        })?;
        self.monitor.count(get.kind.counter(), 1);
        let answer = self.connector.call(request).await;
        let answer = answer.map_err(|error| no_answer(get.operation, get.subject, error))?;
        if answer.status().is_success() {
            return Ok(Ok(answer));
        }
        refusal(get, answer).await.map(Err)
    }

    fn request(&self, get: Get<'_>, signer: &Signer) -> Result<HttpRequest, HttpError> {
        let path = format!("{}{}", self.address.path, percent::path(get.key));
        let time = wire_time(self.clock.now());
        let headers = [
            ("host", &*self.address.host),
            ("x-amz-content-sha256", NO_BODY),
            ("x-amz-date", &time),
            ("x-amz-security-token", signer.session_token().unwrap_or_default()),
        ];
        let headers = if signer.session_token().is_some() { &headers[..] } else { &headers[..3] };
        let content = Signed { path: &path, query: get.query, headers };
        let mut request = HttpRequest::new(SdkBody::empty());
        let mark = if get.query.is_empty() { "" } else { "?" };
        request.set_uri(format!("{}{path}{mark}{}", self.address.origin, get.query))?;
        for (name, value) in headers {
            request.headers_mut().try_insert(*name, (*value).to_owned())?;
        }
        if let Some(range) = get.range {
            request.headers_mut().try_insert("range", range.to_owned())?;
        }
        let proof = signer.authorization(content, &time);
        request.headers_mut().try_insert("authorization", proof)?;
        request.headers_mut().try_insert("user-agent", self.user_agent.clone())?;
        Ok(request)
    }

    /// Whether asking again may go better, now that the server said what was wrong.
    async fn learns(&self, refusal: &Answer, signer: &Signer) -> bool {
        match &*refusal.code {
            "RequestTimeTooSkewed" => refusal.date.is_some_and(|date| self.clock.set(date)),
            "ExpiredToken" => self.keyring.replace(signer).await,
            _ => false,
        }
    }
}

async fn refusal(get: Get<'_>, answer: HttpResponse) -> Result<Answer, StoreError> {
    let head = Answer::head(&answer);
    match body::read(answer.into_body(), REFUSAL_LIMIT, None).await {
        Ok(document) => Ok(head.saying(&document)),
        // No server's error document is that long; the status tells.
        Err(BodyError::TooLarge) => Ok(head),
        Err(broken) => Err(broken.at(get.operation, get.subject)),
    }
}
