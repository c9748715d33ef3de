//! Listing incomplete multipart uploads, as often as it may help.

use super::Retried;
use crate::{MultipartPage, MultipartPlace, MultipartStore, MultipartUpload, Parts, StoreError};

#[deny(clippy::missing_trait_methods)]
impl<S: MultipartStore> MultipartStore for Retried<S> {
    async fn multipart_uploads(
        &self,
        within: &str,
        after: Option<&MultipartPlace>,
    ) -> Result<Option<MultipartPage>, StoreError> {
        retry!(self, self.store.multipart_uploads(within, after))
    }

    async fn parts(&self, upload: &MultipartUpload) -> Result<Option<Parts>, StoreError> {
        retry!(self, self.store.parts(upload))
    }
}
