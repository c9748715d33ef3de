//! How records stand in the file, so that every byte of them is checked.
//!
//! ```text
//! frame: mark (4 bytes) · length of the record (u32) · durable (u64) · checksum (u64) · record      little-endian
//! ```
//! *Durable* is how much of the file was known to be on disk when the frame was written. The checksum is XXH3-64 over
//! length, durable and record, seeded with the frame's position, so that no frame can stand anywhere else.

use std::io::{self, Read};

use xxhash_rust::xxh3::Xxh3;

const MARK: [u8; 4] = [0x9e, b'R', b'S', b'J'];
const HEAD: usize = 24;

/// The longest record, in bytes: far more than the outcome of a full batch, far less than memory.
const LONGEST: usize = 1 << 20;

/// A whole and unharmed frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) durable: u64,
    pub(crate) record: Vec<u8>,
}

/// What stands at a position.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Frame(Frame),
    /// Nothing: the file ends here.
    End,
    /// Something else, and all that follows.
    Broken(Vec<u8>),
}

/// The fields of a head whose mark and length can be right.
struct Head {
    length: usize,
    durable: u64,
    checksum: u64,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (mark, rest) = bytes.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (durable, rest) = rest.split_first_chunk::<8>()?;
        let (checksum, _) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        (*mark == MARK && length <= LONGEST).then_some(Self {
            length,
            durable: u64::from_le_bytes(*durable),
            checksum: u64::from_le_bytes(*checksum),
        })
    }

    fn fits(&self, position: u64, record: &[u8]) -> bool {
        self.length == record.len() && self.checksum == checksum(position, self.durable, record)
    }
}

fn checksum(position: u64, durable: u64, record: &[u8]) -> u64 {
    let mut hasher = Xxh3::with_seed(position);
    hasher.update(&(record.len() as u64).to_le_bytes());
    hasher.update(&durable.to_le_bytes());
    hasher.update(record);
    hasher.digest()
}

/// Appends a frame that will stand at `position` of the file.
pub(crate) fn put_frame(out: &mut Vec<u8>, position: u64, durable: u64, record: &[u8]) {
    debug_assert!(record.len() <= LONGEST, "a batch is bounded, so its records are");
    out.extend_from_slice(&MARK);
    out.extend_from_slice(&u32::try_from(record.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&durable.to_le_bytes());
    out.extend_from_slice(&checksum(position, durable, record).to_le_bytes());
    out.extend_from_slice(record);
}

/// The bytes a frame takes around a record of `length` bytes.
pub(crate) const fn framed(length: usize) -> u64 {
    (HEAD + length) as u64
}

/// Reads what stands at `position`, which is where `file` stands too.
pub(crate) fn read_frame(file: &mut impl Read, position: u64) -> io::Result<Found> {
    let mut bytes = Vec::with_capacity(HEAD);
    file.by_ref().take(HEAD as u64).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        return Ok(Found::End);
    }
    if let Some(head) = Head::parse(&bytes) {
        file.by_ref().take(head.length as u64).read_to_end(&mut bytes)?;
        if head.fits(position, &bytes[HEAD..]) {
            return Ok(Found::Frame(Frame {
                durable: head.durable,
                record: bytes.split_off(HEAD),
            }));
        }
    }
    file.read_to_end(&mut bytes)?;
    Ok(Found::Broken(bytes))
}

/// Whether a later frame proves that what stands at `position` had been durable, so that it was harmed and not torn.
///
/// `bytes` are all from `position` to the end of the file.
pub(crate) fn was_durable(bytes: &[u8], position: u64) -> bool {
    (1..bytes.len()).zip(position + 1..).any(|(start, there)| {
        let rest = &bytes[start..];
        Head::parse(rest).is_some_and(|head| {
            let record = rest.get(HEAD..HEAD + head.length);
            head.durable > position && record.is_some_and(|record| head.fits(there, record))
        })
    })
}

/// Whether the bytes begin as a frame does, as far as they go, or were never written although the file has grown.
pub(crate) fn begins_like_a_frame(bytes: &[u8]) -> bool {
    bytes.starts_with(&MARK) || MARK.starts_with(bytes) || bytes.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame_at(position: u64, durable: u64, record: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_frame(&mut out, position, durable, record);
        assert_eq!(out.len() as u64, framed(record.len()));
        out
    }

    #[test]
    fn a_frame_is_read_where_it_was_written_and_nowhere_else() {
        let bytes = frame_at(7, 3, b"record");
        let found = read_frame(&mut &bytes[..], 7).unwrap();
        assert_eq!(found, Found::Frame(Frame { durable: 3, record: b"record".to_vec() }));
        assert_eq!(read_frame(&mut &bytes[..], 8).unwrap(), Found::Broken(bytes));
        assert_eq!(read_frame(&mut &b""[..], 8).unwrap(), Found::End);
    }

    #[test]
    fn no_bit_can_change_and_no_byte_can_be_missing() {
        let bytes = frame_at(7, 3, b"record");
        for position in 0..bytes.len() * 8 {
            let mut harmed = bytes.clone();
            harmed[position / 8] ^= 1 << (position % 8);
            assert_eq!(read_frame(&mut &harmed[..], 7).unwrap(), Found::Broken(harmed));
        }
        for length in 1..bytes.len() {
            let short = bytes[..length].to_vec();
            assert_eq!(read_frame(&mut &short[..], 7).unwrap(), Found::Broken(short));
        }
    }

    #[test]
    fn only_a_later_frame_that_saw_it_durable_proves_harm() {
        for (durable, proof) in [(0, false), (7, false), (8, true)] {
            let mut bytes = b"garbage".to_vec();
            let there = 7 + bytes.len() as u64;
            bytes.extend(frame_at(there, durable, b"later"));
            assert_eq!(was_durable(&bytes, 7), proof, "{durable}");
        }
        assert!(!was_durable(b"garbage and nothing else", 7));
    }
}
