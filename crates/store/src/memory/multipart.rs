//! Incomplete multipart uploads in memory, as a bucket has them.

use std::collections::BTreeMap;

use registry::Timestamp;

use super::MemoryStore;
use crate::{
    Doomed, KeyOutcome, MultipartPage, MultipartPlace, MultipartStore, MultipartUpload, Parts,
    StoreError,
};

/// By key, then id.
#[derive(Clone, Debug, Default)]
pub(super) struct Multiparts {
    open: BTreeMap<(Box<str>, Box<str>), Begun>,
    made: u64,
}

#[derive(Clone, Copy, Debug)]
struct Begun {
    initiated: Timestamp,
    parts: Parts,
}

impl Multiparts {
    fn begin(&mut self, key: &str, initiated: Timestamp) -> Box<str> {
        self.made += 1;
        let id: Box<str> = format!("u{}", self.made).into();
        let begun = Begun { initiated, parts: Parts::default() };
        self.open.insert((key.into(), id.clone()), begun);
        id
    }

    fn add_part(&mut self, key: &str, id: &str, bytes: u64, modified: Timestamp) {
        if let Some(begun) = self.open.get_mut(&(key.into(), id.into())) {
            let Parts { count, bytes: sum, newest } = begun.parts;
            let newest = newest.max(Some(modified));
            begun.parts = Parts { count: count + 1, bytes: sum.saturating_add(bytes), newest };
        }
    }

    fn page(&self, within: &str, after: Option<&MultipartPlace>, limit: usize) -> MultipartPage {
        let is_behind = |key: &str, id: &str| after.is_none_or(|at| (key, id) > (&at.key, &at.id));
        let all = self.open.iter().filter(|((key, _), _)| key.starts_with(within));
        let behind = all.filter(|((key, id), _)| is_behind(key, id));
        let upload = |((key, id), begun): (&(Box<str>, Box<str>), &Begun)| {
            let (key, id) = (key.clone(), id.clone());
            MultipartUpload { key, id, initiated: begun.initiated }
        };
        let mut uploads: Vec<MultipartUpload> = behind.take(limit + 1).map(upload).collect();
        let has_more = uploads.len() > limit;
        uploads.truncate(limit);
        let place =
            |last: &MultipartUpload| MultipartPlace { key: last.key.clone(), id: last.id.clone() };
        let next = uploads.last().filter(|_| has_more).map(place);
        MultipartPage { uploads, next }
    }

    /// Ends an upload to which nothing was added since.
    pub(super) fn abort(&mut self, doomed: &Doomed, id: &str) -> KeyOutcome {
        let place = (doomed.key.clone(), id.into());
        match self.open.get(&place) {
            None => KeyOutcome::Gone,
            Some(begun) if begun.parts.newest > Some(doomed.modified) => KeyOutcome::Spared,
            Some(_) => {
                self.open.remove(&place);
                KeyOutcome::DELETED
            }
        }
    }
}

impl MemoryStore {
    /// Begins a multipart upload, which is then incomplete; its id.
    #[must_use]
    pub fn begin_upload(&self, key: &str, initiated: Timestamp) -> Box<str> {
        self.state().multiparts.begin(key, initiated)
    }

    /// Adds a part to an upload, where there is one.
    pub fn add_part(&self, key: &str, id: &str, bytes: u64, modified: Timestamp) {
        self.state().multiparts.add_part(key, id, bytes, modified);
    }

    /// The key of each incomplete multipart upload, ascending.
    #[must_use]
    pub fn upload_keys(&self) -> Vec<String> {
        self.state().multiparts.open.keys().map(|(key, _)| key.to_string()).collect()
    }
}

impl MultipartStore for MemoryStore {
    async fn multipart_uploads(
        &self,
        within: &str,
        after: Option<&MultipartPlace>,
    ) -> Result<Option<MultipartPage>, StoreError> {
        Ok(Some(self.state().multiparts.page(within, after, self.page)))
    }

    async fn parts(&self, upload: &MultipartUpload) -> Result<Option<Parts>, StoreError> {
        let place = (upload.key.clone(), upload.id.clone());
        Ok(self.state().multiparts.open.get(&place).map(|begun| begun.parts))
    }
}
