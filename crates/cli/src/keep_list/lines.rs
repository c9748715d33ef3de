//! The lines of a keep list: pure.

use registry::{Digest, DigestError, Timestamp};

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
    /// It begins as the line that says how much there is, and does not go on like it.
    #[error("{found:?} is not `{END} COUNT digests at SECONDS`")]
    End {
        /// What stands there, or its beginning.
        found: String,
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

/// How the line begins that says how much there is.
pub(super) const END: &str = "# end:";

/// What a line of a keep list says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It is empty, or a comment.
    Nothing,
    /// A digest.
    Digest(Digest),
    /// How many lines have a digest, and when the database said so: `# end: 7 digests at 1763829000`, in seconds since 1970.
    End { digests: u64, at: Timestamp },
}

/// What a line says, with its line break.
///
/// # Errors
/// [`LineError`]: nothing is guessed, for what is not understood could be what has to be kept (G4).
pub(super) fn read(line: &[u8]) -> Result<Line, LineError> {
    let Some(line) = line.strip_suffix(b"\n") else {
        return Err(if line.len() > LONGEST { LineError::Long } else { LineError::Unended });
    };
    if line.len() > LONGEST {
        return Err(LineError::Long);
    }
    let text = std::str::from_utf8(line).map_err(|_| LineError::Text)?.trim_ascii();
    let found = || text.chars().take(TOLD).collect();
    if let Some(end) = text.strip_prefix(END) {
        return end_of(end).ok_or_else(|| LineError::End { found: found() });
    }
    if text.is_empty() || text.starts_with('#') {
        return Ok(Line::Nothing);
    }
    text.parse().map(Line::Digest).map_err(|why| LineError::Digest { found: found(), why })
}

fn end_of(text: &str) -> Option<Line> {
    let (digests, at) = text.trim_ascii().split_once(" digests at ")?;
    let seconds: u32 = at.parse().ok()?;
    let at = Timestamp::from_seconds(seconds.into());
    Some(Line::End { digests: digests.parse().ok()?, at })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use registry::Algorithm;

    use super::*;

    fn line(text: &str) -> Result<Line, LineError> {
        read(text.as_bytes())
    }

    proptest! {
        #[test]
        fn every_digest_is_read_whatever_stands_around_it(
            content: Vec<u8>, at in 0..3usize, before in "[ \t]{0,3}", after in "[ \t\r]{0,3}",
        ) {
            let expected = Digest::of(Algorithm::ALL[at], &content);
            let line = format!("{before}{expected}{after}\n");
            prop_assert_eq!(read(line.as_bytes()), Ok(Line::Digest(expected)));
        }

        #[test]
        fn a_line_that_is_cut_off_is_no_line(cut in 1..71usize) {
            let line = Digest::sha256(b"x").to_string();
            let (alone, ended) = (&line[..cut], format!("{}\n", &line[..cut]));
            prop_assert_eq!(read(alone.as_bytes()), Err(LineError::Unended));
            prop_assert!(read(ended.as_bytes()).is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(line: Vec<u8>) {
            drop(read(&line));
        }
    }

    #[test]
    fn the_end_says_how_much_there_is_and_since_when() {
        let end =
            |digests, seconds| Ok(Line::End { digests, at: Timestamp::from_seconds(seconds) });
        assert_eq!(line("# end: 7 digests at 1763829000\n"), end(7, 1_763_829_000));
        assert_eq!(line(" # end:  0 digests at 0\r\n"), end(0, 0));
        for text in [
            "# end:",
            "# end: many digests at 1",
            "# end: 7",
            "# end: 7 digests at today",
            "# end: -1 digests at 1",
        ] {
            assert!(matches!(line(&format!("{text}\n")), Err(LineError::End { .. })), "{text}");
        }
    }

    #[test]
    fn empty_lines_and_comments_say_nothing() {
        for text in ["\n", "\r\n", "  \t\n", "# of 2026-08-18\n", "  #\r\n"] {
            assert_eq!(line(text), Ok(Line::Nothing), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_digest_is_told_with_what_was_found() {
        let told = |text: &str| line(text).unwrap_err().to_string();
        assert_eq!(told("(123 rows)\n"), r#""(123 rows)" has no `algorithm:hex` form"#);
        assert_eq!(told(" digest \n"), r#""digest" has no `algorithm:hex` form"#);
        assert_eq!(told("-------\n"), r#""-------" has no `algorithm:hex` form"#);
        let found = told(&format!("\\x01{}\n", "ab".repeat(32)));
        assert!(found.starts_with(r#""\\x01ababab"#) && found.len() < 100, "{found}");
        assert!(told("md5:abcd\n").contains("unsupported"));
        assert!(told("sha256:abcd\n").contains("wrong length"));
        assert!(told(&format!("sha256:{}\n", "AB".repeat(32))).contains("outside 0-9a-f"));
        assert_eq!(read(b"\xff\n"), Err(LineError::Text));
        assert_eq!(line(&" ".repeat(LONGEST + 1)), Err(LineError::Long));
        assert_eq!(line(&format!("{}\n", "#".repeat(LONGEST + 1))), Err(LineError::Long));
        assert_eq!(line(&format!("{}\n", "#".repeat(LONGEST))), Ok(Line::Nothing));
        assert_eq!(line(&Digest::sha256(b"x").to_string()), Err(LineError::Unended));
    }
}
