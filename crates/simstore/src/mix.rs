//! Numbers that look random and are the same again.

/// What a step of `SplitMix64` adds.
pub(crate) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes neighbours apart: a step of `SplitMix64` (Steele, Lea, Flood 2014).
pub(crate) fn mix(number: u64) -> u64 {
    finalize(number.wrapping_add(GOLDEN))
}

/// The finalizer of `SplitMix64`; 0 stays 0.
pub(crate) fn finalize(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A number below `limit`; 0 where that is 0.
pub(crate) fn below(number: u64, limit: u64) -> u64 {
    // The upper half of the product: never more than `limit`, so it fits.
    ((u128::from(mix(number)) * u128::from(limit)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_below_their_limit_and_spread_over_it() {
        let found: Vec<u64> = (0..1000).map(|n| below(n, 4)).collect();
        for value in 0..4 {
            let times = found.iter().filter(|found| **found == value).count();
            assert!((200..300).contains(&times), "{value}: {times}");
        }
        assert_eq!(below(7, 0), 0);
    }
}
