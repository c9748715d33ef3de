//! Digests: bytes inside, text at the edge.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::{Digester, hex};

/// A digest algorithm that the registry supports.
///
/// Source: `OCI` image specification, "Digests"; `go-digest` registers exactly these three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// 32 bytes, 64 hex digits; the registry's canonical algorithm.
    Sha256,
    /// 48 bytes, 96 hex digits.
    Sha384,
    /// 64 bytes, 128 hex digits.
    Sha512,
}

impl Algorithm {
    /// Every algorithm, in the byte order of their names.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name as it stands in digests and keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of a digest in bytes.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// A number of two bits that stands for it where digests are remembered, and never for another.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Sha256 => 0,
            Self::Sha384 => 1,
            Self::Sha512 => 2,
        }
    }

    /// Finds an algorithm by its number.
    #[must_use]
    pub const fn of_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Sha256,
            1 => Self::Sha384,
            2 => Self::Sha512,
            _ => return None,
        })
    }

    /// Finds an algorithm by its exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// One of 256 parts into which everything is divided: the first byte of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u8);

impl Shard {
    /// Number of shards.
    pub const COUNT: usize = 256;

    /// Every shard, ascending.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }

    /// The shard as an index into an array of [`Shard::COUNT`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}", self.0)
    }
}

/// A content digest: an algorithm and its bytes.
///
/// 65 bytes, `Copy`; ordered as its text is; bytes past the algorithm's length are zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 64],
}

impl Hash for Digest {
    /// The fingerprint alone: it tells digests apart as well as all of them does, and sets of digests are asked for
    /// every link.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.fingerprint());
    }
}

/// Why a text is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// No `algorithm:hex` shape at all.
    #[error("has no `algorithm:hex` form")]
    Form,
    /// An algorithm outside sha256, sha384, sha512.
    #[error("names an unsupported algorithm")]
    Algorithm,
    /// The hex part is too short or too long for its algorithm.
    #[error("has the wrong length for its algorithm")]
    Length,
    /// A character outside `0-9a-f`.
    #[error("has a character outside 0-9a-f")]
    Hex,
}

impl Digest {
    /// Hashes `content` with `algorithm`.
    #[must_use]
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        let mut digester = Digester::new(algorithm);
        digester.update(content);
        digester.finish()
    }

    /// Of bytes that are zero behind the algorithm's length.
    pub(crate) const fn from_padded(algorithm: Algorithm, bytes: [u8; 64]) -> Self {
        Self { algorithm, bytes }
    }

    /// Hashes `content` with the registry's canonical algorithm.
    #[must_use]
    pub fn sha256(content: &[u8]) -> Self {
        Self::of(Algorithm::Sha256, content)
    }

    /// Builds a digest from the two path components of a key.
    ///
    /// # Errors
    /// [`DigestError`] where either is not exactly what a registry writes.
    pub fn from_parts(algorithm: &str, hex: &str) -> Result<Self, DigestError> {
        let algorithm = Algorithm::from_name(algorithm).ok_or(DigestError::Algorithm)?;
        if hex.len() != algorithm.length() * 2 {
            return Err(DigestError::Length);
        }
        let mut bytes = [0; 64];
        hex::read(hex.as_bytes(), &mut bytes[..algorithm.length()]).ok_or(DigestError::Hex)?;
        Ok(Self { algorithm, bytes })
    }

    /// Builds a digest from its bytes; `None` where they are not as many as the algorithm has.
    #[must_use]
    pub fn from_bytes(algorithm: Algorithm, digest: &[u8]) -> Option<Self> {
        let mut bytes = [0; 64];
        if digest.len() != algorithm.length() {
            return None;
        }
        bytes[..digest.len()].copy_from_slice(digest);
        Some(Self { algorithm, bytes })
    }

    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The bytes, as many as the algorithm has.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.length()]
    }

    /// The shard this digest belongs to in every stage.
    #[must_use]
    pub const fn shard(&self) -> Shard {
        Shard(self.bytes[0])
    }

    /// Bytes 1 to 8 as a big-endian number: inside one shard it orders as the digests of one algorithm do.
    ///
    /// Equal digests have equal fingerprints; two different ones of a shard share one with probability 2⁻⁶⁴.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut word = [0; 8];
        word.copy_from_slice(&self.bytes[1..9]);
        u64::from_be_bytes(word)
    }

    /// Appends the text of the digest: as [`Display`](fmt::Display), for those who write millions of them.
    pub fn append_to(&self, text: &mut String) {
        text.push_str(self.algorithm.name());
        text.push(':');
        text.push_str(HexDigits::of(self).text());
    }

    /// Lower-case hex, without the algorithm.
    #[must_use]
    pub fn hex(&self) -> String {
        HexDigits::of(self).text().to_owned()
    }
}

/// The hex digits of a digest, on the stack.
pub(crate) struct HexDigits {
    digits: [u8; 128],
    length: usize,
}

impl HexDigits {
    pub(crate) fn of(digest: &Digest) -> Self {
        let mut digits = [0; 128];
        hex::write(digest.as_bytes(), &mut digits);
        Self { digits, length: digest.algorithm.length() * 2 }
    }

    pub(crate) fn text(&self) -> &str {
        // Hex digits are ASCII.
        std::str::from_utf8(&self.digits[..self.length]).unwrap_or_default()
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        // The names are short: a loop has found the colon before a search has begun.
        let colon = text.bytes().position(|byte| byte == b':').ok_or(DigestError::Form)?;
        Self::from_parts(&text[..colon], &text[colon + 1..])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm.name())?;
        f.write_str(":")?;
        f.write_str(HexDigits::of(self).text())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_content_has_its_published_digests() {
        let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::sha256(b"").to_string(), text);
        for algorithm in Algorithm::ALL {
            let digest = Digest::of(algorithm, b"x");
            assert_eq!(digest.to_string().parse(), Ok(digest));
            let mut appended = String::from("is ");
            digest.append_to(&mut appended);
            assert_eq!(appended, format!("is {digest}"));
            assert_eq!(digest.as_bytes().len(), algorithm.length());
            assert_eq!(Digest::from_bytes(algorithm, digest.as_bytes()), Some(digest));
            assert_eq!(Digest::from_bytes(algorithm, &digest.as_bytes()[1..]), None);
        }
    }

    #[test]
    fn only_the_exact_form_parses() {
        let hex = "a".repeat(64);
        for (text, error) in [
            (String::new(), DigestError::Form),
            (hex.clone(), DigestError::Form),
            (format!("md5:{hex}"), DigestError::Algorithm),
            (format!("SHA256:{hex}"), DigestError::Algorithm),
            (format!("sha256:{}", &hex[1..]), DigestError::Length),
            (format!("sha256:{hex}\n"), DigestError::Length),
            (format!("sha256:{}G", &hex[1..]), DigestError::Hex),
            (format!("sha256:{}A", &hex[1..]), DigestError::Hex),
            (format!("sha512:{hex}"), DigestError::Length),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(error), "{text}");
        }
    }

    #[test]
    fn order_is_the_order_of_the_text() {
        let mut digests: Vec<Digest> = (0..200u32)
            .flat_map(|n| Algorithm::ALL.map(|a| Digest::of(a, &n.to_be_bytes())))
            .collect();
        let mut texts: Vec<String> = digests.iter().map(ToString::to_string).collect();
        digests.sort_unstable();
        texts.sort_unstable();
        assert_eq!(digests.iter().map(ToString::to_string).collect::<Vec<_>>(), texts);
    }
}
