//! Blobs that are not manifests: digests evenly spread over the key space, computable from their place and back.

use crate::mix::{below, mix};

/// The digests of `count` blobs, ascending. The space of the first 8 bytes is cut into as many strides as there are
/// blobs; each lies somewhere in its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fillers {
    count: u64,
    stride: u64,
    seed: u64,
}

impl Fillers {
    pub(super) fn new(count: u64, seed: u64) -> Self {
        Self { count, stride: u64::MAX / count.max(1), seed: mix(seed) }
    }

    /// The digest at `index`.
    pub(super) fn digest(&self, index: u64) -> [u8; 32] {
        let head = index * self.stride + below(self.seed ^ index, self.stride);
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&head.to_be_bytes());
        for (salt, word) in (1..).zip(digest[8..].chunks_exact_mut(8)) {
            word.copy_from_slice(&mix(head ^ self.seed.wrapping_add(salt)).to_be_bytes());
        }
        digest
    }

    /// How many digests are less than `digest`.
    pub(super) fn below(&self, digest: &[u8; 32]) -> u64 {
        let near = self.near(digest);
        if near >= self.count { self.count } else { near + u64::from(self.digest(near) < *digest) }
    }

    /// Where a digest lies, where it is one of these.
    pub(super) fn index(&self, digest: &[u8; 32]) -> Option<u64> {
        let near = self.near(digest);
        (near < self.count && self.digest(near) == *digest).then_some(near)
    }

    /// The stride in which a digest lies.
    fn near(&self, digest: &[u8; 32]) -> u64 {
        let head = digest.first_chunk().map_or(0, |head| u64::from_be_bytes(*head));
        head / self.stride
    }

    /// The size of a blob in bytes: 1 KiB to 16 MiB, each power of two as often.
    pub(super) fn size(&self, index: u64) -> u64 {
        let random = mix(self.seed ^ !index);
        let power = 1 << (10 + random % 14);
        power | (random >> 32 & (power - 1))
    }
}

/// Which blobs manifests name: of `count` blobs `used`, evenly spread, in an order that has no neighbours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    count: u64,
    used: u64,
    factor: u64,
}

impl Spread {
    pub(super) fn new(count: u64, used: u64) -> Self {
        // Near the golden section neighbours come to lie far apart; without a common divisor no two meet.
        let golden = used / 1000 * 618 + used % 1000 * 618 / 1000;
        let factors = golden.max(1)..used.max(2);
        let factor = factors.into_iter().find(|factor| divisor(*factor, used) == 1).unwrap_or(1);
        Self { count, used, factor }
    }

    /// The blob that reference number `reference` means.
    pub(super) fn blob(&self, reference: u64) -> u64 {
        let slot = scaled(reference, self.factor, self.used).1;
        scaled(slot, self.count, self.used).0
    }

    /// Whether any reference means this blob.
    #[cfg(test)]
    pub(super) fn is_used(&self, blob: u64) -> bool {
        let (slot, rest) = scaled(blob, self.used, self.count);
        let slot = slot + u64::from(rest > 0);
        slot < self.used && scaled(slot, self.count, self.used).0 == blob
    }
}

/// `number * by / over`, and the remainder; `over` is not 0, and `number` less than it or `by` less than it.
#[expect(clippy::cast_possible_truncation, reason = "one factor is less than the divisor")]
fn scaled(number: u64, by: u64, over: u64) -> (u64, u64) {
    let (product, over) = (u128::from(number) * u128::from(by), u128::from(over));
    ((product / over) as u64, (product % over) as u64)
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digests_ascend_and_lead_back(count in 1..2_000_000_000_u64, seed: u64, at in any::<prop::sample::Index>()) {
            let fillers = Fillers::new(count, seed);
            let index = at.index(usize::try_from(count).unwrap()) as u64;
            let digest = fillers.digest(index);
            prop_assert_eq!(fillers.index(&digest), Some(index));
            prop_assert_eq!(fillers.below(&digest), index);
            if index + 1 < count {
                prop_assert!(digest < fillers.digest(index + 1));
            }
        }

        #[test]
        fn any_digest_has_its_place(count in 1..100_u64, digest: [u8; 32]) {
            let fillers = Fillers::new(count, 1);
            let expected = (0..count).filter(|index| fillers.digest(*index) < digest).count() as u64;
            prop_assert_eq!(fillers.below(&digest), expected);
            prop_assert_eq!(fillers.below(&[0xff; 32]), count);
        }

        #[test]
        fn every_reference_means_a_blob_of_its_own(used in 1..300_u64, more in 0..300_u64) {
            let spread = Spread::new(used + more, used);
            let blobs: BTreeSet<u64> = (0..used).map(|reference| spread.blob(reference)).collect();
            prop_assert_eq!(blobs.len() as u64, used);
            for blob in 0..used + more {
                prop_assert_eq!(spread.is_used(blob), blobs.contains(&blob));
            }
        }
    }

    #[test]
    fn sizes_have_bounds() {
        let fillers = Fillers::new(1000, 0);
        assert!((0..1000).all(|index| (1024..16 << 20).contains(&fillers.size(index))));
    }
}
