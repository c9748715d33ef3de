//! The lines of a keep list: pure.

use registry::{Digest, DigestError};

/// Why a line of a keep list is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is no digest.
    #[error("{found:?} {why}")]
    Digest {
        /// What stands there, or its beginning.
        found: String,
        /// Why it is none.
        why: DigestError,
    },
    /// It is no text at all.
    #[error("it is not UTF-8")]
    Text,
    /// It is longer than any digest, and than most comments.
    #[error("it has more than {LONGEST} bytes")]
    Long,
    /// It does not end, and a list that was cut off would not either.
    #[error("it does not end with a line break: the list may be cut off")]
    Unended,
}

/// Bytes of a line, without its end, at most.
pub(super) const LONGEST: usize = 1024;

/// So much of a line is told of it.
const TOLD: usize = 40;

/// The digest of a line, with its line break; none where it is empty or a comment.
///
/// # Errors
/// [`LineError`]: nothing is guessed, for what is not understood could be what has to be kept (G4).
pub(super) fn digest_of(line: &[u8]) -> Result<Option<Digest>, LineError> {
    let Some(line) = line.strip_suffix(b"\n") else {
        return Err(if line.len() > LONGEST { LineError::Long } else { LineError::Unended });
    };
    if line.len() > LONGEST {
        return Err(LineError::Long);
    }
    let text = std::str::from_utf8(line).map_err(|_| LineError::Text)?.trim_ascii();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let found = || text.chars().take(TOLD).collect();
    text.parse().map(Some).map_err(|why| LineError::Digest { found: found(), why })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use registry::Algorithm;

    use super::*;

    fn digest(text: &str) -> Result<Option<Digest>, LineError> {
        digest_of(text.as_bytes())
    }

    proptest! {
        #[test]
        fn every_digest_is_read_whatever_stands_around_it(
            content: Vec<u8>, at in 0..3usize, before in "[ \t]{0,3}", after in "[ \t\r]{0,3}",
        ) {
            let expected = Digest::of(Algorithm::ALL[at], &content);
            let line = format!("{before}{expected}{after}\n");
            prop_assert_eq!(digest(&line), Ok(Some(expected)));
        }

        #[test]
        fn a_line_that_is_cut_off_is_no_line(cut in 1..71usize) {
            let line = Digest::sha256(b"x").to_string();
            let (alone, ended) = (&line[..cut], format!("{}\n", &line[..cut]));
            prop_assert_eq!(digest(alone), Err(LineError::Unended));
            prop_assert!(digest(&ended).is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(line: Vec<u8>) {
            drop(digest_of(&line));
        }
    }

    #[test]
    fn empty_lines_and_comments_say_nothing() {
        for line in ["\n", "\r\n", "  \t\n", "# of 2026-08-18\n", "  #\r\n"] {
            assert_eq!(digest(line), Ok(None), "{line:?}");
        }
    }

    #[test]
    fn what_is_no_digest_is_told_with_what_was_found() {
        let told = |line: &str| digest(line).unwrap_err().to_string();
        assert_eq!(told("(123 rows)\n"), r#""(123 rows)" has no `algorithm:hex` form"#);
        assert_eq!(told(" digest \n"), r#""digest" has no `algorithm:hex` form"#);
        assert_eq!(told("-------\n"), r#""-------" has no `algorithm:hex` form"#);
        let found = told(&format!("\\x01{}\n", "ab".repeat(32)));
        assert!(found.starts_with(r#""\\x01ababab"#) && found.len() < 100, "{found}");
        assert!(told("md5:abcd\n").contains("unsupported"));
        assert!(told("sha256:abcd\n").contains("wrong length"));
        assert!(told(&format!("sha256:{}\n", "AB".repeat(32))).contains("outside 0-9a-f"));
        assert_eq!(digest_of(b"\xff\n"), Err(LineError::Text));
        assert_eq!(digest(&" ".repeat(LONGEST + 1)), Err(LineError::Long));
        assert_eq!(digest(&format!("{}\n", "#".repeat(LONGEST + 1))), Err(LineError::Long));
        assert_eq!(digest(&format!("{}\n", "#".repeat(LONGEST))), Ok(None));
        assert_eq!(digest(&Digest::sha256(b"x").to_string()), Err(LineError::Unended));
    }
}
