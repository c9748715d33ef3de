//! Sorting fingerprints: digit by digit where there are many.

/// Of fewer, the standard library's sort is as fast.
const MANY: usize = 1 << 14;
/// Bits of a digit: the counts of all digits fit into a processor's nearest cache but one.
const DIGIT: u32 = 11;
const DIGITS: usize = u64::BITS.div_ceil(DIGIT) as usize;
/// Where the next fingerprint with each digit goes.
type Places = [usize; 1 << DIGIT];

/// Sorts ascending. Takes the memory of the fingerprints once more meanwhile.
pub(super) fn sort(fingerprints: &mut Vec<u64>) {
    if fingerprints.len() < MANY {
        return fingerprints.sort_unstable();
    }
    let mut sorted = vec![0; fingerprints.len()];
    for (at, mut places) in places(fingerprints).into_iter().enumerate() {
        for fingerprint in &*fingerprints {
            let place = &mut places[digit(*fingerprint, at)];
            sorted[*place] = *fingerprint;
            *place += 1;
        }
        std::mem::swap(fingerprints, &mut sorted);
    }
}

/// The digit at a place, the last first.
#[expect(clippy::cast_possible_truncation, reason = "only the last bits are wanted")]
fn digit(fingerprint: u64, at: usize) -> usize {
    (fingerprint >> (at * DIGIT as usize)) as usize % (1 << DIGIT)
}

/// For each digit, where fingerprints with each of its values begin.
fn places(fingerprints: &[u64]) -> Vec<Places> {
    let mut counts = vec![[0; 1 << DIGIT]; DIGITS];
    for fingerprint in fingerprints {
        for (at, counts) in counts.iter_mut().enumerate() {
            counts[digit(*fingerprint, at)] += 1;
        }
    }
    for counts in &mut counts {
        let mut before = 0;
        for count in counts {
            before += std::mem::replace(count, before);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As many as are sorted digit by digit, from few numbers, so that many are equal and many digits are extreme.
    fn many() -> impl Strategy<Value = Vec<u64>> {
        let few = prop::collection::vec(prop_oneof![any::<u64>(), Just(0), Just(u64::MAX)], 1..40);
        (few, any::<u64>(), MANY..MANY + 9).prop_map(|(few, seed, length)| {
            let varied = (0u64..).map(|n| n.wrapping_mul(seed) & n);
            few.iter().cycle().zip(varied).map(|(few, varied)| few ^ varied).take(length).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn many_are_sorted_as_few_are(mut fingerprints in many()) {
            let mut expected = fingerprints.clone();
            expected.sort_unstable();
            sort(&mut fingerprints);
            prop_assert!(fingerprints == expected);
        }
    }

    #[test]
    fn few_are_sorted_too() {
        let mut fingerprints = vec![3, u64::MAX, 0, 3];
        sort(&mut fingerprints);
        assert_eq!(fingerprints, [0, 3, 3, u64::MAX]);
    }
}
