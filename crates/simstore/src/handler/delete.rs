//! `DeleteObject` and `DeleteObjects`.

use std::borrow::Cow;

use super::conditions;
use crate::faults::Struck;
use crate::limits::Class;
use crate::objects::Objects;
use crate::reply::Reply;
use crate::request::Ask;
use crate::shared::Shared;
use crate::versions::Deleted;
use crate::xml::{Document, ToDelete};
use crate::{Fault, Refusal, S3Error};

/// Deletes one object, or one version of it.
pub(super) fn one(shared: &Shared, ask: &Ask) -> Result<Reply, S3Error> {
    let wanted = ToDelete {
        key: ask.key.clone(),
        etag: ask.header("if-match").map(str::to_owned),
        version: ask.query("versionId").map(str::to_owned),
    };
    let mut objects = shared.objects_to_change();
    let deleted = carry_out(shared, &mut objects, &wanted)?;
    let mut reply = Reply::empty(204);
    if let Some(id) = deleted.version {
        reply = reply.with("x-amz-version-id", id);
    }
    Ok(if deleted.is_marker { reply.with("x-amz-delete-marker", "true") } else { reply })
}

/// Deletes many.
pub(super) fn many(shared: &Shared, ask: &Ask, struck: &Struck) -> Result<Reply, S3Error> {
    if let (Some(error), None) = (shared.options.insists_on_content_md5, ask.header("content-md5"))
    {
        return Err(error);
    }
    // Source: Amazon S3 API, `DeleteObjects`: `Content-MD5` or another checksum is required.
    if !ask.check_sums()? {
        return Err(S3Error::MISSING_CHECKSUM);
    }
    let wanted = ask.deletion.as_ref().ok_or(S3Error::MALFORMED_XML)?;
    if wanted.objects.is_empty() || wanted.objects.len() > shared.options.delete_limit {
        return Err(S3Error::MALFORMED_XML);
    }
    let let_through = let_through(shared, &wanted.objects)?;
    let is_quiet = wanted.is_quiet && !struck.has(&Fault::IgnoreQuiet);
    let mut objects = shared.objects_to_change();
    let mut answer = Document::new("DeleteResult");
    for (place, object) in wanted.objects.iter().enumerate() {
        let outcome = if let_through[place] {
            delete_one(shared, &mut objects, place, object, struck)
        } else {
            Err(S3Error::SLOW_DOWN)
        };
        if !is_omitted(struck, place, &object.key) {
            mention(&mut answer, object, outcome, is_quiet);
        }
    }
    spoil(&mut answer, &wanted.objects, struck);
    Ok(Reply { keys: wanted.objects.len(), ..Reply::xml(200, answer.finish()) })
}

/// Which keys the limits let through; an error where they refuse the request.
fn let_through(shared: &Shared, wanted: &[ToDelete]) -> Result<Vec<bool>, S3Error> {
    let keys: Vec<&str> = wanted.iter().map(|object| object.key.as_str()).collect();
    let let_through = shared.many_let_through(Class::Write, &keys);
    let refuses_requests =
        shared.options.limits.as_ref().is_some_and(|limits| limits.refusal == Refusal::Request);
    if refuses_requests && let_through.contains(&false) {
        return Err(S3Error::SLOW_DOWN);
    }
    Ok(let_through)
}

fn delete_one(
    shared: &Shared,
    objects: &mut Objects,
    place: usize,
    wanted: &ToDelete,
    struck: &Struck,
) -> Result<Deleted, S3Error> {
    let failure = struck.find(|fault| match fault {
        Fault::FailKeys(which, error) if which.is(place, &wanted.key) => Some(*error),
        _ => None,
    });
    match failure {
        Some(error) => Err(error),
        None => carry_out(shared, objects, wanted),
    }
}

/// Source: Amazon S3 API, `DeleteObject`: a condition is about the current version only.
fn carry_out(
    shared: &Shared,
    objects: &mut Objects,
    wanted: &ToDelete,
) -> Result<Deleted, S3Error> {
    if let Some(etag) = wanted.etag.as_deref() {
        if wanted.version.is_some() {
            return Err(S3Error::NOT_IMPLEMENTED);
        }
        conditions::of_delete(Some(etag), objects.get(&wanted.key).as_deref())?;
    }
    Ok(match &wanted.version {
        Some(id) => objects.delete_version(&wanted.key, id),
        None => objects.delete(&wanted.key, shared.now()),
    })
}

fn is_omitted(struck: &Struck, place: usize, key: &str) -> bool {
    let omitted = struck.find(|fault| match fault {
        Fault::OmitKeys(which) => Some(which),
        _ => None,
    });
    omitted.is_some_and(|which| which.is(place, key))
}

/// A key that is not there counts as deleted.
fn mention(
    answer: &mut Document,
    wanted: &ToDelete,
    outcome: Result<Deleted, S3Error>,
    is_quiet: bool,
) {
    let mut leaves = vec![("Key", Cow::from(wanted.key.as_str()))];
    leaves.extend(wanted.version.as_deref().map(|id| ("VersionId", id.into())));
    match outcome {
        Ok(_) if is_quiet => {}
        Ok(deleted) => {
            if deleted.is_marker {
                leaves.push(("DeleteMarker", "true".into()));
                let id = deleted.version.unwrap_or_default();
                leaves.push(("DeleteMarkerVersionId", id.into()));
            }
            answer.group("Deleted", &leaves);
        }
        Err(error) => {
            leaves.push(("Code", error.code.into()));
            leaves.push(("Message", error.message.into()));
            answer.group("Error", &leaves);
        }
    }
}

fn spoil(answer: &mut Document, wanted: &[ToDelete], struck: &Struck) {
    if struck.has(&Fault::ExtraKey) {
        let nobodys = ToDelete { key: "a key that nobody asked for".into(), ..ToDelete::default() };
        mention(answer, &nobodys, Ok(Deleted::default()), false);
    }
    if struck.has(&Fault::TwiceMentioned) {
        mention(answer, &wanted[0], Err(S3Error::ACCESS_DENIED), false);
    }
}
