//! What each kind of request does.

mod delete;
mod fast;
mod get;
mod list;
mod page;

use std::sync::PoisonError;

use crate::faults::Struck;
use crate::objects::Object;
use crate::reply::Reply;
use crate::request::Ask;
use crate::server::Shared;
use crate::xml::Document;
use crate::{Kind, S3Error, connection};

/// Answers a request that no fault has answered.
pub(crate) fn answer(shared: &Shared, ask: &Ask, struck: &Struck) -> Reply {
    if let Some(error) = connection::not_let_in(shared, ask) {
        return Reply::error(&error, &ask.bucket);
    }
    let reply = match ask.kind() {
        Kind::List => {
            list::list(&shared.objects.read().unwrap_or_else(PoisonError::into_inner), ask, struck)
        }
        Kind::Get | Kind::Head => {
            get::get(&shared.objects.read().unwrap_or_else(PoisonError::into_inner), ask)
        }
        Kind::Put => Ok(put(shared, ask)),
        Kind::Delete => delete::delete(shared, ask, struck),
        Kind::Bucket => Ok(bucket(shared, ask)),
        Kind::Unknown => Err(S3Error::NOT_IMPLEMENTED),
    };
    reply.unwrap_or_else(|error| Reply::error(&error, &ask.key))
}

fn put(shared: &Shared, ask: &Ask) -> Reply {
    let object = Object::new(ask.body.clone(), shared.now());
    let etag = format!("\"{}\"", object.etag);
    shared.put(&ask.key, object);
    Reply::empty(200).with("etag", etag)
}

fn bucket(shared: &Shared, ask: &Ask) -> Reply {
    if ask.method == hyper::Method::HEAD {
        return Reply::empty(200);
    }
    let mut location = Document::new("LocationConstraint");
    location.text(shared.options.region.as_deref().unwrap_or_default());
    Reply::xml(200, location.finish())
}
