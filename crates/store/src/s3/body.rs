//! Bodies of answers: bounded, and whole or an error.

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};

use crate::{ErrorKind, Operation, StoreError};

/// Why a body could not be taken.
#[derive(Debug)]
pub(super) enum BodyError {
    TooLarge,
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

impl BodyError {
    pub(super) fn at(self, operation: Operation, subject: &str) -> StoreError {
        let error = |kind| StoreError::new(operation, subject, kind);
        match self {
            Self::TooLarge => error(ErrorKind::TooLarge),
            Self::Broken(cause) => error(ErrorKind::Transient).because(cause),
        }
    }
}

/// Collects a body; one that is shorter or longer than it was said to be did not arrive whole.
pub(super) async fn read(
    body: SdkBody,
    at_most: u64,
    size: Option<u64>,
) -> Result<Bytes, BodyError> {
    if size.is_some_and(|size| size > at_most) {
        return Err(BodyError::TooLarge);
    }
    let mut body = ByteStream::new(body);
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(chunk) =
        body.try_next().await.map_err(|error| BodyError::Broken(error.into()))?
    {
        if (first.len() + whole.len() + chunk.len()) as u64 > at_most {
            return Err(BodyError::TooLarge);
        }
        // Small objects come in one chunk, which need not be copied.
        match (first.is_empty(), whole.is_empty()) {
            (true, true) => first = chunk,
            (_, true) => {
                // The size is within the bound, so it is no more than the caller is ready to hold.
                whole.reserve(size.and_then(|size| usize::try_from(size).ok()).unwrap_or(0));
                whole.extend_from_slice(&std::mem::take(&mut first));
                whole.extend_from_slice(&chunk);
            }
            (_, false) => whole.extend_from_slice(&chunk),
        }
    }
    let body = if whole.is_empty() { first } else { whole.freeze() };
    match size {
        Some(size) if size != body.len() as u64 => {
            Err(BodyError::Broken(format!("{} bytes of {size} came", body.len()).into()))
        }
        _ => Ok(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_bounded_and_whole() {
        let body = || SdkBody::from("1234");
        assert_eq!(read(body(), 4, Some(4)).await.unwrap(), "1234");
        assert_eq!(read(body(), 4, None).await.unwrap(), "1234");
        assert!(matches!(read(body(), 3, Some(4)).await, Err(BodyError::TooLarge)));
        assert!(matches!(read(body(), 3, None).await, Err(BodyError::TooLarge)));
        assert!(matches!(read(body(), 9, Some(5)).await, Err(BodyError::Broken(_))));
    }
}
