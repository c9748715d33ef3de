//! Files are written whole: there are no uploads in parts.

use super::FileStore;
use crate::{MultipartPage, MultipartPlace, MultipartStore, MultipartUpload, Parts, StoreError};

impl MultipartStore for FileStore {
    async fn multipart_uploads(
        &self,
        _: &str,
        _: Option<&MultipartPlace>,
    ) -> Result<Option<MultipartPage>, StoreError> {
        Ok(Some(MultipartPage::default()))
    }

    async fn parts(&self, _: &MultipartUpload) -> Result<Option<Parts>, StoreError> {
        Ok(None)
    }
}
