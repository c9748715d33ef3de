//! Numbers of bytes, as people write them.

use std::str::FromStr;

/// A number of bytes: `512MiB`, `2GiB`, `1048576`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub u64);

/// A text that is no number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no size: write a number with KiB, MiB, GiB or TiB")]
pub struct SizeError;

const UNITS: [(&str, u32); 8] = [
    ("kib", 10),
    ("mib", 20),
    ("gib", 30),
    ("tib", 40),
    ("k", 10),
    ("m", 20),
    ("g", 30),
    ("t", 40),
];

impl ByteSize {
    /// As many as memory can hold.
    #[must_use]
    pub fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let text = text.trim().to_ascii_lowercase();
        let unit = UNITS.iter().find_map(|(name, bits)| Some((text.strip_suffix(name)?, *bits)));
        let (digits, bits) = unit.unwrap_or((&text, 0));
        let number: u64 = digits.trim_end().parse().map_err(|_| SizeError)?;
        number.checked_mul(1 << bits).map(Self).ok_or(SizeError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("3k", 3 << 10),
            ("512MiB", 512 << 20),
            ("2 GiB", 2 << 30),
            ("1T", 1 << 40),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in
            ["", "GiB", "-1", "1.5G", "1GB", "2 G iB", "99999999999T", "18446744073709551616"]
        {
            assert_eq!(text.parse::<ByteSize>(), Err(SizeError), "{text}");
        }
    }
}
