//! Listing incomplete multipart uploads no faster than the store bears.

use super::{Paced, Stopped, verdict};
use crate::{
    MultipartPage, MultipartPlace, MultipartStore, MultipartUpload, Operation, Parts, StoreError,
};

#[deny(clippy::missing_trait_methods)]
impl<S: MultipartStore> MultipartStore for Paced<S> {
    async fn multipart_uploads(
        &self,
        within: &str,
        after: Option<&MultipartPlace>,
    ) -> Result<Option<MultipartPage>, StoreError> {
        let place = self.pace.enter(&self.pace.lists).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::ListUploads, within))?;
        let answer = self.store.multipart_uploads(within, after).await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }

    async fn parts(&self, upload: &MultipartUpload) -> Result<Option<Parts>, StoreError> {
        let place = self.pace.enter(&self.pace.lists).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::ListUploads, &upload.key))?;
        let answer = self.store.parts(upload).await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }
}
