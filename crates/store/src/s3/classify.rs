//! What an answer, or its absence, means to the caller: the one place where error codes are known.

use std::error::Error;
use std::fmt;
use std::io;

use aws_sdk_s3::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use registry::Timestamp;

use super::clock::date;
use super::page;
use super::page_error::PageError;
use crate::{ErrorKind, KeyFailure, Operation, StoreError};

/// What the server said, in one line.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) code: Box<str>,
    pub(super) message: Box<str>,
    pub(super) region: Option<Box<str>>,
    pub(super) request_id: Option<Box<str>>,
    /// The time by the server's clock; it is for us alone.
    pub(super) date: Option<Timestamp>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(region) = &self.region {
            write!(f, " (the bucket is in region `{region}`)")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl Error for Answer {}

/// Turns what the SDK reports into our error, with the server's own words below it.
pub(super) fn store_error<E>(
    operation: Operation,
    subject: &str,
    error: SdkError<E, HttpResponse>,
) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    // A copy that fails on its way does so behind a status 200.
    if let SdkError::ServiceError(failure) = &error
        && (!failure.raw().status().is_success() || failure.err().code().is_some())
    {
        let (code, message) = (failure.err().code(), failure.err().message());
        let answer = Answer {
            code: code.unwrap_or_default().into(),
            message: message.unwrap_or_default().into(),
            ..Answer::head(failure.raw())
        };
        return refused(operation, subject, answer);
    }
    StoreError::new(operation, subject, kind_of_failure(&error)).because(error)
}

/// What an answer means that came with another status than a success.
pub(super) fn refused(operation: Operation, subject: &str, answer: Answer) -> StoreError {
    let kind = kind_of_answer(answer.status, &answer.code);
    StoreError::new(operation, subject, kind).because(answer)
}

/// Status and code of the answer that an error came from.
pub(super) fn answered(error: &StoreError) -> Option<(u16, &str)> {
    let answer = error.source.as_deref()?.downcast_ref::<Answer>()?;
    Some((answer.status, &answer.code))
}

/// What it means that no answer came.
pub(super) fn no_answer(operation: Operation, subject: &str, error: ConnectorError) -> StoreError {
    StoreError::new(operation, subject, kind_of_connection(&error)).because(error)
}

/// What it means that there are no credentials to sign a request with.
pub(super) fn no_credentials(
    operation: Operation,
    subject: &str,
    error: Box<dyn Error + Send + Sync>,
) -> StoreError {
    let kind = kind_of_silence(&*error).unwrap_or(ErrorKind::Credentials);
    StoreError::new(operation, subject, kind).because(error)
}

/// What an answer means that came with status 200 and is not what was asked for.
pub(super) fn unreadable(operation: Operation, subject: &str, error: PageError) -> StoreError {
    match error {
        PageError::Refused { code, message } => {
            refused(operation, subject, Answer { status: 200, code, message, ..Answer::default() })
        }
        other => StoreError::new(operation, subject, ErrorKind::Malformed).because(other),
    }
}

impl Answer {
    /// What the head of an answer says.
    pub(super) fn head(response: &HttpResponse) -> Self {
        let header = |name| response.headers().get(name).map(Box::from);
        Self {
            status: response.status().as_u16(),
            region: header("x-amz-bucket-region"),
            request_id: header("x-amz-request-id"),
            date: date(response.headers()),
            ..Self::default()
        }
    }

    /// The same answer with what its error document says; whatever stands in between may send none, or another one.
    pub(super) fn saying(self, document: &[u8]) -> Self {
        match page::error_document(document) {
            Ok((code, message)) => Self { code, message, ..self },
            Err(_) => self,
        }
    }
}

/// The codes that mean the same whatever their status.
///
/// Source: Amazon S3 API, "Error responses"; the codes of other servers from their own lists.
const CODES: &[(ErrorKind, &[&str])] = &[
    (ErrorKind::NoContainer, &["NoSuchBucket"]),
    (ErrorKind::NotFound, &["NoSuchKey", "NoSuchVersion"]),
    (
        ErrorKind::Denied,
        &["AccessDenied", "AllAccessDisabled", "AccountProblem", "AccessForbidden"],
    ),
    (
        ErrorKind::Credentials,
        &[
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "ExpiredToken",
            "InvalidToken",
            "InvalidSecurity",
            "TokenRefreshRequired",
            "NotSignedUp",
            "MissingSecurityHeader",
            "MissingAuthenticationToken",
            "RequestTimeTooSkewed",
            "RequestExpired",
        ],
    ),
    (
        ErrorKind::WrongAddress,
        &[
            "PermanentRedirect",
            "TemporaryRedirect",
            "Redirect",
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
            "IncorrectEndpoint",
        ],
    ),
    (
        ErrorKind::Throttled,
        &[
            "SlowDown",
            "SlowDownRead",
            "SlowDownWrite",
            "ServiceUnavailable",
            "Throttling",
            "ThrottlingException",
            "RequestThrottled",
            "RequestLimitExceeded",
            "TooManyRequests",
            "TooManyRequestsException",
            "BandwidthLimitExceeded",
            "QpsLimitExceeded",
        ],
    ),
    (
        ErrorKind::Transient,
        &["InternalError", "RequestTimeout", "OperationAborted", "ConditionalRequestConflict"],
    ),
    (ErrorKind::Precondition, &["PreconditionFailed"]),
];

/// What an answer other than a success means: by its code, and by its status where the code says nothing.
///
/// A 404 without a code may come from anything in between; only the server's own word says that an object is not there
/// (G4).
pub(super) fn kind_of_answer(status: u16, code: &str) -> ErrorKind {
    let known = CODES.iter().find(|(_, codes)| codes.contains(&code));
    known.map_or_else(|| kind_of_status(status), |(kind, _)| *kind)
}

fn kind_of_status(status: u16) -> ErrorKind {
    match status {
        301 | 302 | 307 | 308 => ErrorKind::WrongAddress,
        401 => ErrorKind::Credentials,
        403 => ErrorKind::Denied,
        412 => ErrorKind::Precondition,
        429 | 503 => ErrorKind::Throttled,
        // 501 says that the server never does it, 505 that it does not speak so: the same tomorrow.
        408 | 500 | 502 | 504 | 506..=599 => ErrorKind::Transient,
        200..=299 => ErrorKind::Malformed,
        _ => ErrorKind::Fatal,
    }
}

/// What one key's refusal inside a successful answer means.
pub(super) fn key_failure(code: &str, message: &str) -> KeyFailure {
    // There is no status of its own: 400 says nothing that the code does not say.
    let kind = kind_of_answer(400, code);
    KeyFailure { kind, message: format!("{code}: {message}").into() }
}

/// Whether a refusal of a delete request means that the server wants `Content-MD5` instead of newer checksums.
pub(super) fn asks_for_md5(code: &str, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    match code {
        "MissingContentMD5" | "NotImplemented" => true,
        _ => message.contains("content-md5") || message.contains("checksum"),
    }
}

fn kind_of_failure<E>(error: &SdkError<E, HttpResponse>) -> ErrorKind
where
    E: Error + Send + Sync + 'static,
{
    match error {
        // A success that could not be read to its end, or not be understood.
        SdkError::ServiceError(_) => ErrorKind::Malformed,
        SdkError::ResponseError(_) | SdkError::TimeoutError(_) => ErrorKind::Transient,
        SdkError::DispatchFailure(failure) => {
            failure.as_connector_error().map_or(ErrorKind::Transient, kind_of_connection)
        }
        _ => kind_of_silence(error).unwrap_or(ErrorKind::Fatal),
    }
}

fn kind_of_connection(error: &ConnectorError) -> ErrorKind {
    match error {
        error if error.is_timeout() => ErrorKind::Unreachable,
        error if error.is_user() => ErrorKind::Fatal,
        error => kind_of_silence(error).unwrap_or(ErrorKind::Transient),
    }
}

/// What it means that no answer came, by the causes below `error`; None where they do not tell.
pub(super) fn kind_of_silence(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    causes(error).find_map(|cause| {
        if cause.is::<rustls::Error>() {
            return Some(ErrorKind::Fatal);
        }
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return kind_of_io(error.kind());
        }
        kind_of_words(&cause.to_string())
    })
}

fn kind_of_io(kind: io::ErrorKind) -> Option<ErrorKind> {
    match kind {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable => Some(ErrorKind::Unreachable),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::TimedOut => Some(ErrorKind::Transient),
        _ => None,
    }
}

/// Causes whose types are private to the libraries below can be told by their words alone.
fn kind_of_words(words: &str) -> Option<ErrorKind> {
    let words = words.to_ascii_lowercase();
    if words.contains("dns error") {
        return Some(ErrorKind::Unreachable);
    }
    if !words.contains("credential") && !words.contains("identity") {
        return None;
    }
    // A provider that was too slow this time may answer the next time.
    Some(if words.contains("timed out") { ErrorKind::Transient } else { ErrorKind::Credentials })
}

/// The error and everything below it; what an I/O error wraps included, which its own source passes over.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(wrapper) => wrapper.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_mean_what_the_table_says() {
        for (status, code, kind) in [
            (404, "NoSuchBucket", ErrorKind::NoContainer),
            (404, "NoSuchKey", ErrorKind::NotFound),
            (404, "", ErrorKind::Fatal),
            (403, "AccessDenied", ErrorKind::Denied),
            (403, "", ErrorKind::Denied),
            (403, "InvalidAccessKeyId", ErrorKind::Credentials),
            (403, "SignatureDoesNotMatch", ErrorKind::Credentials),
            (400, "ExpiredToken", ErrorKind::Credentials),
            (403, "RequestTimeTooSkewed", ErrorKind::Credentials),
            (301, "PermanentRedirect", ErrorKind::WrongAddress),
            (301, "", ErrorKind::WrongAddress),
            (400, "AuthorizationHeaderMalformed", ErrorKind::WrongAddress),
            (503, "SlowDown", ErrorKind::Throttled),
            (503, "", ErrorKind::Throttled),
            (429, "", ErrorKind::Throttled),
            (400, "RequestLimitExceeded", ErrorKind::Throttled),
            (500, "InternalError", ErrorKind::Transient),
            (500, "", ErrorKind::Transient),
            (502, "", ErrorKind::Transient),
            (504, "", ErrorKind::Transient),
            (400, "RequestTimeout", ErrorKind::Transient),
            (408, "", ErrorKind::Transient),
            (409, "OperationAborted", ErrorKind::Transient),
            (409, "ConditionalRequestConflict", ErrorKind::Transient),
            (412, "PreconditionFailed", ErrorKind::Precondition),
            (412, "", ErrorKind::Precondition),
            (501, "NotImplemented", ErrorKind::Fatal),
            (400, "InvalidArgument", ErrorKind::Fatal),
            (200, "", ErrorKind::Malformed),
        ] {
            assert_eq!(kind_of_answer(status, code), kind, "{status} {code}");
        }
    }

    #[test]
    fn silence_means_what_lies_below_it() {
        let io = |kind| io::Error::new(kind, "x");
        for (error, kind) in [
            (io(io::ErrorKind::ConnectionRefused), Some(ErrorKind::Unreachable)),
            (io(io::ErrorKind::ConnectionReset), Some(ErrorKind::Transient)),
            (io::Error::other(io(io::ErrorKind::HostUnreachable)), Some(ErrorKind::Unreachable)),
            (io::Error::other("dns error"), Some(ErrorKind::Unreachable)),
            (
                io::Error::other(rustls::Error::InvalidCertificate(
                    rustls::CertificateError::UnknownIssuer,
                )),
                Some(ErrorKind::Fatal),
            ),
            (
                io::Error::other("the credentials provider was not enabled"),
                Some(ErrorKind::Credentials),
            ),
            (io::Error::other("identity resolver timed out after 5s"), Some(ErrorKind::Transient)),
            (io::Error::other("something else"), None),
        ] {
            assert_eq!(kind_of_silence(&error), kind, "{error:?}");
        }
    }

    #[test]
    fn servers_of_the_older_protocol_are_told_by_their_refusal() {
        assert!(asks_for_md5("MissingContentMD5", ""));
        assert!(asks_for_md5(
            "InvalidRequest",
            "Missing required header for this request: Content-MD5"
        ));
        assert!(asks_for_md5("MissingArgument", "Missing Some Required Arguments. content-md5"));
        assert!(asks_for_md5("NotImplemented", "A header you provided implies functionality"));
        assert!(asks_for_md5("InvalidRequest", "unsupported checksum algorithm"));
        assert!(!asks_for_md5("AccessDenied", "Access Denied"));
        assert!(!asks_for_md5("InvalidRequest", "the bucket is not ready"));
        assert!(!asks_for_md5("MalformedXML", ""));
    }

    #[test]
    fn an_answer_reads_as_one_line() {
        let answer = Answer {
            status: 301,
            code: "PermanentRedirect".into(),
            message: "elsewhere".into(),
            region: Some("eu-west-1".into()),
            request_id: Some("42".into()),
            date: None,
        };
        assert_eq!(
            answer.to_string(),
            "HTTP 301 PermanentRedirect: elsewhere (the bucket is in region `eu-west-1`) (request 42)"
        );
    }
}
