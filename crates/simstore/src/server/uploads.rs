//! Multipart uploads as a test begins and sees them.

use bytes::Bytes;
use registry::Timestamp;

use crate::Server;
use crate::storage_class::StorageClass;
use crate::uploads::Uploads;

impl Server {
    /// Begins a multipart upload as somebody did at `initiated`; its id.
    #[must_use]
    pub fn begin_upload(&self, key: &str, initiated: Timestamp) -> String {
        let mut uploads = self.shared.uploads();
        uploads.create(key, initiated, StorageClass::default())
    }

    /// Adds a part to an upload as somebody did at `modified`; whether there is such an upload.
    pub fn put_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        content: impl Into<Bytes>,
        modified: Timestamp,
    ) -> bool {
        let mut uploads = self.shared.uploads();
        uploads.put(key, id, number, content.into(), modified).is_ok()
    }

    /// Forgets every multipart upload under way, as a rule of the bucket may.
    pub fn abort_uploads(&self) {
        let mut uploads = self.shared.uploads();
        *uploads = Uploads::default();
    }

    /// The key of every multipart upload under way, ascending.
    #[must_use]
    pub fn open_uploads(&self) -> Vec<String> {
        let uploads = self.shared.uploads();
        uploads.after("", "").map(|(key, ..)| key.to_owned()).collect()
    }
}
