//! What each kind of request does.

mod conditions;
mod copy;
mod delete;
mod fast;
mod get;
mod list;
mod page;
mod put;
mod uploads;
mod versions;

use crate::faults::Struck;
use crate::limits::Class;
use crate::reply::Reply;
use crate::request::Ask;
use crate::shared::Shared;
use crate::xml::Document;
use crate::{Kind, S3Error, connection};

/// Answers a request that no fault has answered.
pub(crate) fn answer(shared: &Shared, ask: &Ask, struck: &Struck) -> Reply {
    if let Some(error) = connection::not_let_in(shared, ask) {
        return Reply::error(&error, &ask.bucket);
    }
    let reply = limited(shared, ask).and_then(|()| answer_within_limits(shared, ask, struck));
    reply.unwrap_or_else(|error| Reply::error(&error, &ask.key))
}

fn answer_within_limits(shared: &Shared, ask: &Ask, struck: &Struck) -> Result<Reply, S3Error> {
    match ask.kind {
        Kind::List => list::list(&shared.objects(), ask, struck),
        Kind::ListVersions => versions::list(&shared.objects(), ask),
        Kind::ListUploads => uploads::list(shared, ask),
        Kind::ListParts => uploads::list_parts(shared, ask),
        Kind::Get | Kind::Head => get::get(&shared.objects(), ask),
        Kind::Put => put::put(shared, ask, struck),
        Kind::Copy => copy::copy(shared, ask),
        Kind::Upload => uploads::answer(shared, ask),
        Kind::Delete => delete::many(shared, ask, struck),
        Kind::DeleteOne => delete::one(shared, ask),
        Kind::Bucket => Ok(bucket(shared, ask)),
        Kind::Unknown => Err(S3Error::NOT_IMPLEMENTED),
    }
}

/// Refuses what is too much. Deletions of many keys look at their keys themselves.
fn limited(shared: &Shared, ask: &Ask) -> Result<(), S3Error> {
    if shared.options.limits.is_none() {
        return Ok(());
    }
    let is_let = match ask.kind {
        Kind::Get | Kind::Head | Kind::ListParts => shared.one_let_through(Class::Read, &ask.key),
        Kind::Put | Kind::Copy | Kind::Upload | Kind::DeleteOne => {
            shared.one_let_through(Class::Write, &ask.key)
        }
        Kind::List => shared.one_let_through(Class::Read, &page::first_key(ask)?),
        Kind::ListVersions | Kind::ListUploads => {
            let text = |name| ask.query(name).unwrap_or_default();
            shared.one_let_through(Class::Read, text("key-marker").max(text("prefix")))
        }
        Kind::Delete | Kind::Bucket | Kind::Unknown => true,
    };
    if is_let { Ok(()) } else { Err(S3Error::SLOW_DOWN) }
}

fn bucket(shared: &Shared, ask: &Ask) -> Reply {
    if ask.method == hyper::Method::HEAD {
        return Reply::empty(200);
    }
    if ask.query("versioning").is_some() {
        let mut versioning = Document::new("VersioningConfiguration");
        if let Some(versions) = shared.objects().versions() {
            let status = if versions.is_suspended() { "Suspended" } else { "Enabled" };
            versioning.leaf("Status", status);
        }
        return Reply::xml(200, versioning.finish());
    }
    let mut location = Document::new("LocationConstraint");
    location.text(shared.options.region.as_deref().unwrap_or_default());
    Reply::xml(200, location.finish())
}
