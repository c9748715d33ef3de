//! Listing incomplete multipart uploads, with failures by plan.

use super::{Fault, Faulty, below, lost};
use crate::{
    MultipartPage, MultipartPlace, MultipartStore, MultipartUpload, Operation, Parts, StoreError,
};

#[deny(clippy::missing_trait_methods)]
impl<S: MultipartStore> MultipartStore for Faulty<S> {
    /// A short page leads on from its own last upload; one that holds nothing would not lead on.
    async fn multipart_uploads(
        &self,
        within: &str,
        after: Option<&MultipartPlace>,
    ) -> Result<Option<MultipartPage>, StoreError> {
        let operation = Operation::ListUploads;
        let subject = after.map_or_else(|| within.to_owned(), |at| format!("{} {}", at.key, at.id));
        let luck = self.faults.meet(operation, &subject)?;
        let page = self.inner.multipart_uploads(within, after).await?;
        match luck.fault {
            Some(Fault::LostAnswer) => Err(lost(operation, &subject)),
            Some(Fault::ShortPage) => Ok(page.map(|page| shortened(page, luck.dice))),
            _ => Ok(page),
        }
    }

    async fn parts(&self, upload: &MultipartUpload) -> Result<Option<Parts>, StoreError> {
        let subject = format!("{} {}", upload.key, upload.id);
        let luck = self.faults.meet(Operation::ListUploads, &subject)?;
        let parts = self.inner.parts(upload).await?;
        match luck.fault {
            Some(Fault::LostAnswer) => Err(lost(Operation::ListUploads, &subject)),
            _ => Ok(parts),
        }
    }
}

fn shortened(mut page: MultipartPage, dice: u64) -> MultipartPage {
    if page.uploads.len() > 1 {
        page.uploads.truncate(1 + below(dice, page.uploads.len() - 1));
        let last = page.uploads.last();
        page.next = last.map(|last| MultipartPlace { key: last.key.clone(), id: last.id.clone() });
    }
    page
}
