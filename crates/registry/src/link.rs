//! Link objects: small files whose text is a digest.

use crate::{Digest, DigestError};

/// Why the content of a link object names no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Nothing was written: the classic half-written link.
    #[error("is empty")]
    Empty,
    /// Not UTF-8.
    #[error("is not text")]
    NotText,
    /// Text that is no digest; a trailing newline is enough.
    #[error("is not a digest")]
    Digest(#[from] DigestError),
}

/// Reads the content of a link object: exactly a digest, no newline.
///
/// # Errors
/// [`LinkError`] for anything else; the registry itself refuses to follow such a link.
///
/// Source: distribution `registry/storage/blobstore.go`, `readlink`.
pub fn parse_link(content: &[u8]) -> Result<Digest, LinkError> {
    if content.is_empty() {
        return Err(LinkError::Empty);
    }
    let text = std::str::from_utf8(content).map_err(|_| LinkError::NotText)?;
    Ok(text.parse()?)
}

/// The content of a link object to `digest`.
#[must_use]
pub fn link_text(digest: &Digest) -> String {
    digest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_its_digest_and_nothing_else() {
        let digest = Digest::sha256(b"x");
        let text = link_text(&digest);
        assert_eq!(text.len(), 71);
        assert_eq!(parse_link(text.as_bytes()), Ok(digest));
        assert_eq!(parse_link(b""), Err(LinkError::Empty));
        assert_eq!(parse_link(&[0xff]), Err(LinkError::NotText));
        for cut in 1..text.len() {
            assert!(parse_link(&text.as_bytes()[..cut]).is_err(), "half-written at {cut}");
        }
        assert!(parse_link(format!("{text}\n").as_bytes()).is_err());
    }
}
