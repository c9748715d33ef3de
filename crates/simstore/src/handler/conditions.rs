//! What must hold for a request to be carried out.

use crate::S3Error;
use crate::object::Object;
use crate::request::Ask;

/// Whether an object may be put over `current`.
///
/// Source: Amazon S3 API, `PutObject`, `If-Match` and `If-None-Match`; the latter takes nothing but `*`.
pub(super) fn of_put(ask: &Ask, current: Option<&Object>) -> Result<(), S3Error> {
    match ask.header("if-none-match") {
        Some("*") if current.is_some() => return Err(S3Error::PRECONDITION_FAILED),
        Some("*") | None => {}
        Some(_) => return Err(S3Error::NOT_IMPLEMENTED),
    }
    match (ask.header("if-match"), current) {
        (Some(_), None) => Err(S3Error::NO_SUCH_KEY),
        (Some(etag), Some(object)) if !is_etag(etag, object) => Err(S3Error::PRECONDITION_FAILED),
        _ => Ok(()),
    }
}

/// Whether `current` may be deleted; what is not there may.
pub(super) fn of_delete(etag: Option<&str>, current: Option<&Object>) -> Result<(), S3Error> {
    match (etag, current) {
        (Some(etag), Some(object)) if !is_etag(etag, object) => Err(S3Error::PRECONDITION_FAILED),
        _ => Ok(()),
    }
}

/// Whether an object may be read.
pub(super) fn of_get(ask: &Ask, object: &Object) -> Result<(), S3Error> {
    if ask.header("if-match").is_some_and(|etag| !is_etag(etag, object)) {
        return Err(S3Error::PRECONDITION_FAILED);
    }
    let is_known = ask.header("if-none-match").is_some_and(|etag| is_etag(etag, object));
    if is_known { Err(S3Error::NOT_MODIFIED) } else { Ok(()) }
}

fn is_etag(etag: &str, object: &Object) -> bool {
    etag == "*" || etag.trim_matches('"') == object.etag
}
