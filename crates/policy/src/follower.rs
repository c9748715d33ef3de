//! Tags that belong to a manifest by their name.

use registry::{Algorithm, Digest};

/// The manifest that a tag belongs to: the tag is kept while it is, and goes with it.
///
/// Such are the tags of cosign, `sha256-<hex>.sig`, `.att`, `.sbom`, and whatever else it may put behind the point, and
/// the tag that stands for the referrers API, `<algorithm>-<hex>`, of which at most 64 digits are written.
///
/// Source: cosign, "Specifications: signature storage"; OCI distribution specification 1.1, "Referrers Tag Schema".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    algorithm: Algorithm,
    /// The first bytes of the digest: as many as the referrers tag has.
    head: [u8; HEAD],
}

/// How many bytes of a digest the referrers tag has.
const HEAD: usize = 32;

impl Subject {
    /// The manifest that a tag of this name belongs to.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let (algorithm, rest) = tag.split_once('-')?;
        let algorithm = Algorithm::ALL.into_iter().find(|known| known.name() == algorithm)?;
        let (hex, suffix) = rest.split_once('.').unwrap_or((rest, "-"));
        let is_hex = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_whole = hex.len() == digits(algorithm) || hex.len() == 2 * HEAD;
        if !is_hex || !is_whole || suffix.is_empty() {
            return None;
        }
        let mut head = [0; HEAD];
        for (byte, at) in head.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self { algorithm, head })
    }

    /// The manifest with this digest. Of an algorithm longer than the tag has room for, digests that begin alike are
    /// the same manifest here.
    #[must_use]
    pub fn of_digest(digest: &Digest) -> Self {
        let mut head = [0; HEAD];
        head.iter_mut().zip(digest.as_bytes()).for_each(|(byte, other)| *byte = *other);
        Self { algorithm: digest.algorithm(), head }
    }
}

const fn digits(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Sha256 => 64,
        Algorithm::Sha384 => 96,
        Algorithm::Sha512 => 128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_belongs_to_the_manifest_in_its_name() {
        for algorithm in Algorithm::ALL {
            let digest = Digest::of(algorithm, b"x");
            let (name, hex) = (algorithm.name(), digest.hex());
            for suffix in ["", ".sig", ".att", ".sbom", ".bundle-1"] {
                let subject = Subject::of_tag(&format!("{name}-{hex}{suffix}")).unwrap();
                assert_eq!(subject, Subject::of_digest(&digest));
                assert_ne!(subject, Subject::of_digest(&Digest::of(algorithm, b"y")));
            }
            let cut = Subject::of_tag(&format!("{name}-{}", &hex[..64])).unwrap();
            assert_eq!(cut, Subject::of_digest(&digest), "the referrers tag has no more digits");
        }
    }

    #[test]
    fn every_other_tag_belongs_to_none() {
        let hex = Digest::sha256(b"x").hex();
        for tag in [
            "latest".to_owned(),
            format!("sha256-{}", &hex[1..]),
            format!("sha256-{hex}0"),
            format!("sha256-{hex}."),
            format!("sha256-{}", hex.to_uppercase()),
            format!("sha256-{hex}-dirty"),
            format!("sha1-{hex}"),
            format!("sha256:{hex}"),
            format!("v-sha256-{hex}"),
        ] {
            assert_eq!(Subject::of_tag(&tag), None, "{tag}");
        }
    }
}
