//! `PutObject`.

use std::sync::PoisonError;

use super::conditions;
use crate::S3Error;
use crate::objects::Object;
use crate::reply::Reply;
use crate::request::Ask;
use crate::server::Shared;

pub(super) fn put(shared: &Shared, ask: &Ask) -> Result<Reply, S3Error> {
    ask.check_sums()?;
    store(shared, ask, Object::new(ask.body.clone(), shared.now()))
}

/// Puts an object where the conditions of the request hold, which nobody can break in between.
pub(super) fn store(shared: &Shared, ask: &Ask, object: Object) -> Result<Reply, S3Error> {
    let etag = format!("\"{}\"", object.etag);
    let mut objects = shared.objects.write().unwrap_or_else(PoisonError::into_inner);
    conditions::of_put(ask, objects.get(&ask.key).as_deref())?;
    let id = objects.put(ask.key.clone(), object);
    let reply = Reply::empty(200).with("etag", etag);
    Ok(match id {
        Some(id) => reply.with("x-amz-version-id", id),
        None => reply,
    })
}
