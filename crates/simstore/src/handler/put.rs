//! `PutObject`.

use super::conditions;
use crate::faults::Struck;
use crate::object::Object;
use crate::reply::Reply;
use crate::request::Ask;
use crate::shared::Shared;
use crate::{Fault, S3Error};

pub(super) fn put(shared: &Shared, ask: &Ask, struck: &Struck) -> Result<Reply, S3Error> {
    ask.check_sums()?;
    let object = Object::new(ask.body.clone(), shared.now());
    let object = Object { class: ask.class()?, ..object };
    if struck.has(&Fault::IgnoreConditions) {
        return store_where(shared, ask, object, |_| Ok(()));
    }
    store(shared, ask, object)
}

/// Puts an object where the conditions of the request hold, which nobody can break in between.
pub(super) fn store(shared: &Shared, ask: &Ask, object: Object) -> Result<Reply, S3Error> {
    store_where(shared, ask, object, |current| conditions::of_put(ask, current))
}

fn store_where(
    shared: &Shared,
    ask: &Ask,
    object: Object,
    check: impl Fn(Option<&Object>) -> Result<(), S3Error>,
) -> Result<Reply, S3Error> {
    let etag = format!("\"{}\"", object.etag);
    let mut objects = shared.objects_to_change();
    check(objects.get(&ask.key).as_deref())?;
    let id = objects.put(ask.key.clone(), object);
    let reply = Reply::empty(200).with("etag", etag);
    Ok(match id {
        Some(id) => reply.with("x-amz-version-id", id),
        None => reply,
    })
}
