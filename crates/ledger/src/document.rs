//! How documents are written, so that every byte of them is checked.
//!
//! ```text
//! {"regsweep":"lease","format":1}        what it is; a reader refuses formats that it does not know
//! {…}                                    one JSON value on each line
//! {"rows":1,"sha256":"sha256:…"}         how many lines, and the digest of all that stands before this one
//! ```

use bytes::Bytes;
use registry::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::LedgerError;

/// The format of documents that have only one, and the oldest of others.
pub(crate) const FORMAT: u64 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    regsweep: Box<str>,
    format: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Foot {
    rows: usize,
    sha256: Box<str>,
}

/// Writes a document of this kind, in this format.
pub(crate) fn write<T: Serialize>(
    key: &str,
    kind: &str,
    format: u64,
    rows: &[T],
) -> Result<Bytes, LedgerError> {
    let mut text = Vec::new();
    put_line(key, &mut text, &Head { regsweep: kind.into(), format })?;
    for row in rows {
        put_line(key, &mut text, row)?;
    }
    let sha256 = Digest::sha256(&text).to_string().into();
    put_line(key, &mut text, &Foot { rows: rows.len(), sha256 })?;
    Ok(text.into())
}

fn put_line(key: &str, text: &mut Vec<u8>, value: &impl Serialize) -> Result<(), LedgerError> {
    serde_json::to_writer(&mut *text, value).map_err(|error| LedgerError::damaged(key, error))?;
    text.push(b'\n');
    Ok(())
}

/// Reads a document of this kind, in a format up to the `newest` one, whole, or not at all (G3).
pub(crate) fn read<T: DeserializeOwned>(
    key: &str,
    kind: &str,
    newest: u64,
    content: &[u8],
) -> Result<Vec<T>, LedgerError> {
    let damaged = |reason: &str| LedgerError::damaged(key, reason);
    let lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
    let [head, rows @ .., foot] = lines.as_slice() else {
        return Err(damaged("it has no end"));
    };
    check_head(key, kind, newest, head)?;
    let foot: Foot = line(key, foot)?;
    let body = &content[..content.len() - lines.last().map_or(0, |last| last.len())];
    if foot.rows != rows.len() || *foot.sha256 != *Digest::sha256(body).to_string() {
        return Err(damaged("it does not add up"));
    }
    rows.iter().map(|row| line(key, row)).collect()
}

/// Reads a document of one line, which has one format.
pub(crate) fn read_one<T: DeserializeOwned>(
    key: &str,
    kind: &str,
    content: &[u8],
) -> Result<T, LedgerError> {
    let mut rows = read(key, kind, FORMAT, content)?;
    match (rows.pop(), rows.is_empty()) {
        (Some(row), true) => Ok(row),
        _ => Err(LedgerError::damaged(key, "it is not of one line")),
    }
}

fn check_head(key: &str, kind: &str, newest: u64, head: &[u8]) -> Result<(), LedgerError> {
    let head: Head = line(key, head)?;
    if !(FORMAT..=newest).contains(&head.format) {
        return Err(LedgerError::UnknownFormat { key: key.into(), format: head.format });
    }
    if *head.regsweep != *kind {
        let reason = format!("it calls itself `{}`, not `{kind}`", head.regsweep);
        return Err(LedgerError::damaged(key, reason));
    }
    Ok(())
}

fn line<T: DeserializeOwned>(key: &str, line: &[u8]) -> Result<T, LedgerError> {
    let line =
        line.strip_suffix(b"\n").ok_or_else(|| LedgerError::damaged(key, "it has no end"))?;
    serde_json::from_slice(line).map_err(|error| LedgerError::damaged(key, error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(rows: &[String]) -> Bytes {
        write("key", "test", FORMAT, rows).unwrap()
    }

    fn read_back(content: &[u8]) -> Result<Vec<String>, LedgerError> {
        read("key", "test", FORMAT, content)
    }

    #[test]
    fn an_unknown_format_is_refused_by_its_own_name_and_another_kind_is_damage() {
        let content = b"{\"regsweep\":\"test\",\"format\":2}\nanything at all";
        assert!(matches!(read_back(content), Err(LedgerError::UnknownFormat { format: 2, .. })));
        let other = read::<String>("key", "other", FORMAT, &written(&[]));
        assert!(matches!(other, Err(LedgerError::Damaged { key, .. }) if &*key == "key"));
        assert!(read_one::<String>("key", "test", &written(&[])).is_err());
    }

    #[test]
    fn a_kind_may_have_newer_formats_and_is_read_in_each() {
        let rows = ["row".to_owned()];
        for (format, newest, is_read) in [(1, 2, true), (2, 2, true), (3, 2, false), (0, 2, false)]
        {
            let content = write("key", "test", format, &rows).unwrap();
            let found = read::<String>("key", "test", newest, &content);
            assert_eq!(found.is_ok_and(|found| found == rows), is_read, "{format}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows: Vec<String>) {
            prop_assert_eq!(read_back(&written(&rows)).unwrap(), rows);
        }

        #[test]
        fn g3_no_part_of_a_document_reads_as_one(rows: Vec<String>, cut: prop::sample::Index) {
            let content = written(&rows);
            let part = &content[..cut.index(content.len())];
            let is_damaged = matches!(read_back(part), Err(LedgerError::Damaged { .. }));
            prop_assert!(is_damaged);
        }

        #[test]
        fn no_byte_of_a_document_can_change(
            rows in prop::collection::vec("[a-z]{1,9}", 0..5), place: prop::sample::Index, bit in 0..8_u8,
        ) {
            let mut content = written(&rows).to_vec();
            let place = place.index(content.len());
            content[place] ^= 1 << bit;
            prop_assert!(read_back(&content).is_err());
        }

        #[test]
        fn no_line_of_a_document_can_be_missing(rows in prop::collection::vec("[a-z]{1,9}", 1..5), place: prop::sample::Index) {
            let content = written(&rows);
            let mut lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
            lines.remove(place.index(lines.len()));
            prop_assert!(read_back(&lines.concat()).is_err());
        }
    }
}
