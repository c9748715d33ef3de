//! Multipart uploads under way.

use std::collections::BTreeMap;

use bytes::Bytes;
use md5::{Digest, Md5};
use registry::Timestamp;

use crate::S3Error;
use crate::checksum::md5_hex;
use crate::object::{Content, Object};
use crate::storage_class::StorageClass;
use crate::xml::PartAsk;

/// The highest number of a part.
///
/// Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
const LAST_PART: u32 = 10_000;

/// An upload under way.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) initiated: Timestamp,
    pub(crate) class: StorageClass,
    parts: BTreeMap<u32, Part>,
}

/// A part that was uploaded.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) content: Bytes,
    pub(crate) modified: Timestamp,
}

/// All uploads under way, by key and then by age.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    open: BTreeMap<(String, String), Upload>,
    made: u64,
}

impl Uploads {
    /// Begins an upload; its id.
    pub(crate) fn create(
        &mut self,
        key: &str,
        initiated: Timestamp,
        class: StorageClass,
    ) -> String {
        self.made += 1;
        let id = format!("u{:031}", self.made);
        let upload = Upload { initiated, class, parts: BTreeMap::new() };
        self.open.insert((key.to_owned(), id.clone()), upload);
        id
    }

    /// Adds a part, or puts it in the place of another; its entity tag.
    pub(crate) fn put(
        &mut self,
        key: &str,
        id: &str,
        number: u32,
        content: Bytes,
        modified: Timestamp,
    ) -> Result<String, S3Error> {
        if !(1..=LAST_PART).contains(&number) {
            return Err(S3Error::INVALID_ARGUMENT);
        }
        let etag = md5_hex(&content);
        self.open_mut(key, id)?.parts.insert(number, Part { content, modified });
        Ok(etag)
    }

    /// What an upload makes of these parts; it stays open until it is [closed](Self::close).
    pub(crate) fn assemble(
        &self,
        key: &str,
        id: &str,
        asked: &[PartAsk],
        smallest_part: u64,
        now: Timestamp,
    ) -> Result<Object, S3Error> {
        let key = (key.to_owned(), id.to_owned());
        let upload = self.open.get(&key).ok_or(S3Error::NO_SUCH_UPLOAD)?;
        if !asked.is_sorted_by(|one, next| one.number < next.number) {
            return Err(S3Error::INVALID_PART_ORDER);
        }
        let mut content = Vec::new();
        let mut sums = Md5::new();
        for (place, ask) in asked.iter().enumerate() {
            let part = upload.parts.get(&ask.number).map(|part| &part.content);
            let part = part.filter(|part| md5_hex(part) == ask.etag);
            let part = part.ok_or(S3Error::INVALID_PART)?;
            if place + 1 < asked.len() && (part.len() as u64) < smallest_part {
                return Err(S3Error::ENTITY_TOO_SMALL);
            }
            content.extend_from_slice(part);
            sums.update(Md5::digest(part));
        }
        let mut etag = Vec::new();
        crate::hex::push(&mut etag, &sums.finalize());
        let etag = format!("{}-{}", String::from_utf8_lossy(&etag), asked.len());
        let content = Content::Held(content.into());
        Ok(Object { content, etag, modified: now, class: upload.class })
    }

    /// Forgets an upload and its parts.
    pub(crate) fn close(&mut self, key: &str, id: &str) -> Result<(), S3Error> {
        let closed = self.open.remove(&(key.to_owned(), id.to_owned()));
        closed.map(drop).ok_or(S3Error::NO_SUCH_UPLOAD)
    }

    fn open_mut(&mut self, key: &str, id: &str) -> Result<&mut Upload, S3Error> {
        let key = (key.to_owned(), id.to_owned());
        self.open.get_mut(&key).ok_or(S3Error::NO_SUCH_UPLOAD)
    }

    /// The parts of an upload behind a number, ascending.
    pub(crate) fn parts(
        &self,
        key: &str,
        id: &str,
        after: u32,
    ) -> Result<impl Iterator<Item = (u32, &Part)>, S3Error> {
        let key = (key.to_owned(), id.to_owned());
        let upload = self.open.get(&key).ok_or(S3Error::NO_SUCH_UPLOAD)?;
        let parts = upload.parts.iter().map(|(number, part)| (*number, part));
        Ok(parts.filter(move |(number, _)| *number > after))
    }

    /// The storage class of an upload.
    pub(crate) fn class(&self, key: &str, id: &str) -> Option<StorageClass> {
        Some(self.open.get(&(key.to_owned(), id.to_owned()))?.class)
    }

    /// The uploads behind a key and id, ascending: key, id, upload.
    pub(crate) fn after<'u>(
        &'u self,
        key: &'u str,
        id: &'u str,
    ) -> impl Iterator<Item = (&'u str, &'u str, &'u Upload)> {
        self.open
            .iter()
            .map(|((key, id), upload)| (key.as_str(), id.as_str(), upload))
            .filter(move |(found, found_id, _)| (*found, *found_id) > (key, id))
    }
}
