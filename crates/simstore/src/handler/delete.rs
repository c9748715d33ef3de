//! `DeleteObjects`.

use std::borrow::Cow;
use std::sync::PoisonError;

use crate::checksum::{crc32_base64, md5_base64};
use crate::faults::Struck;
use crate::objects::Objects;
use crate::reply::Reply;
use crate::request::Ask;
use crate::server::{Options, Shared};
use crate::xml::{self, Document, ToDelete};
use crate::{Fault, S3Error};

pub(super) fn delete(shared: &Shared, ask: &Ask, struck: &Struck) -> Result<Reply, S3Error> {
    check_sum(&shared.options, ask)?;
    let wanted = xml::parse_delete(&ask.body).ok_or(S3Error::MALFORMED_XML)?;
    if wanted.objects.is_empty() || wanted.objects.len() > shared.options.delete_limit {
        return Err(S3Error::MALFORMED_XML);
    }
    let is_quiet = wanted.is_quiet && !struck.has(&Fault::IgnoreQuiet);
    let mut objects = shared.objects.write().unwrap_or_else(PoisonError::into_inner);
    let mut answer = Document::new("DeleteResult");
    for (place, object) in wanted.objects.iter().enumerate() {
        let outcome = delete_one(&mut objects, place, object, struck, shared.now());
        let is_omitted = struck
            .find(|fault| match fault {
                Fault::OmitKeys(which) => Some(which),
                _ => None,
            })
            .is_some_and(|which| which.is(place, &object.key));
        if !is_omitted {
            mention(&mut answer, &object.key, outcome, is_quiet);
        }
    }
    spoil(&mut answer, &wanted.objects, struck);
    Ok(Reply { keys: wanted.objects.len(), ..Reply::xml(200, answer.finish()) })
}

/// Source: Amazon S3 API, `DeleteObjects`: "the Content-MD5 request header is required, or the additional checksum".
fn check_sum(options: &Options, ask: &Ask) -> Result<(), S3Error> {
    let md5 = ask.header("content-md5");
    if let (Some(error), None) = (options.insists_on_content_md5, md5) {
        return Err(error);
    }
    let checks = [
        (md5, md5_base64 as fn(&[u8]) -> String),
        (ask.header("x-amz-checksum-crc32"), crc32_base64),
    ];
    for (sent, sum) in checks {
        if sent.is_some_and(|sent| sent != sum(&ask.body)) {
            return Err(S3Error::BAD_DIGEST);
        }
    }
    let has_checksum = md5.is_some() || ask.has_header_like("x-amz-checksum-");
    if has_checksum { Ok(()) } else { Err(S3Error::MISSING_CHECKSUM) }
}

fn delete_one(
    objects: &mut Objects,
    place: usize,
    wanted: &ToDelete,
    struck: &Struck,
    now: registry::Timestamp,
) -> Result<(), S3Error> {
    let failure = struck.find(|fault| match fault {
        Fault::FailKeys(which, error) if which.is(place, &wanted.key) => Some(*error),
        _ => None,
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let found = objects.get(&wanted.key);
    let differs = |etag: &String| found.as_ref().is_some_and(|object| object.etag != *etag);
    if wanted.etag.as_ref().is_some_and(differs) {
        return Err(S3Error::PRECONDITION_FAILED);
    }
    objects.delete(&wanted.key, now);
    Ok(())
}

/// A key that is not there counts as deleted.
fn mention(answer: &mut Document, key: &str, outcome: Result<(), S3Error>, is_quiet: bool) {
    let key = ("Key", Cow::from(key));
    match outcome {
        Ok(()) if is_quiet => {}
        Ok(()) => answer.group("Deleted", &[key]),
        Err(error) => answer
            .group("Error", &[key, ("Code", error.code.into()), ("Message", error.message.into())]),
    }
}

fn spoil(answer: &mut Document, wanted: &[ToDelete], struck: &Struck) {
    if struck.has(&Fault::ExtraKey) {
        mention(answer, "a key that nobody asked for", Ok(()), false);
    }
    if struck.has(&Fault::TwiceMentioned) {
        mention(answer, &wanted[0].key, Err(S3Error::ACCESS_DENIED), false);
    }
}
