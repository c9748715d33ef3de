//! Where to cut a range of keys of which only the ends are known.

/// Characters of names and tags, ascending.
const NAMES: &[u8] = b"-./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
/// Characters of digests, ascending.
const HEX: &[u8] = b"0123456789abcdef";
/// How many characters after the common beginning are weighed.
const PRECISION: usize = 3;

/// A key strictly between `low` and `high`, near the middle of what keys of a registry are made of.
///
/// `None` where nothing can be said to lie between. The result need not exist as a key, and is always ASCII after the
/// part that both ends share.
pub(crate) fn midpoint(low: &str, high: &str) -> Option<String> {
    let shared = shared_length(low, high);
    let alphabet = if in_digest(low, shared) { HEX } else { NAMES };
    let middle = value(alphabet, &low[shared..]).midpoint(value(alphabet, &high[shared..]));
    let pivot = format!("{}{}", &low[..shared], text(alphabet, middle));
    (pivot.as_str() > low && pivot.as_str() < high).then_some(pivot)
}

/// The end of the neighbours of `position`, as far as a guess from an earlier key and this one reaches: of all that
/// begins as both do and goes on with a character of the same kind as `position` does.
pub(crate) fn horizon(start: &str, position: &str) -> String {
    let shared = shared_length(start, position);
    let end = match position[shared..].chars().next() {
        Some('0'..='9' | 'a'..='f') if in_digest(position, shared) => 'g',
        Some('0'..='9') => ':',
        Some('A'..='Z') => '[',
        Some('a'..='z') => '{',
        Some(_) | None => char::MAX,
    };
    format!("{}{end}", &position[..shared])
}

/// How many times the stretch from `start` to `position` fits between `position` and `end`, as far as the first
/// characters tell; 0 where they tell nothing.
pub(crate) fn ahead(start: &str, position: &str, end: &str) -> f64 {
    let shared = shared_length(start, end);
    let alphabet = if in_digest(start, shared) { HEX } else { NAMES };
    let at = |key: &str| value(alphabet, key.get(shared..).unwrap_or_default()) as f64;
    let (done, left) = (at(position) - at(start), at(end) - at(position));
    if done > 0.0 { left / done } else { 0.0 }
}

/// Length of the common beginning, at a character boundary of both.
fn shared_length(low: &str, high: &str) -> usize {
    let common = low.bytes().zip(high.bytes()).take_while(|(a, b)| a == b).count();
    (0..=common).rev().find(|at| low.is_char_boundary(*at)).unwrap_or(0)
}

/// Whether position `at` of `key` lies in a component made of hex digits: a digest, or the shard above it.
fn in_digest(key: &str, at: usize) -> bool {
    let start = key[..at].rfind('/').map_or(0, |slash| slash + 1);
    let component = key[start..].split('/').next().unwrap_or("");
    let long_enough = component.len() >= 64 || key[..start].ends_with("sha256/");
    long_enough && component.bytes().all(|byte| HEX.contains(&byte))
}

/// The first characters as a number in base `alphabet.len() + 1`, where 0 is "nothing follows".
fn value(alphabet: &[u8], key: &str) -> u64 {
    let base = alphabet.len() as u64 + 1;
    (0..PRECISION).fold(0, |sum, at| {
        let digit = key
            .as_bytes()
            .get(at)
            .map_or(0, |byte| alphabet.partition_point(|known| known < byte) + 1);
        sum * base + (digit as u64).min(base - 1)
    })
}

fn text(alphabet: &[u8], mut value: u64) -> String {
    let base = alphabet.len() as u64 + 1;
    let mut digits = [0; PRECISION];
    for digit in digits.iter_mut().rev() {
        *digit = value % base;
        value /= base;
    }
    digits
        .iter()
        .take_while(|digit| **digit > 0)
        .filter_map(|digit| alphabet.get(usize::try_from(*digit).ok()? - 1))
        .map(|byte| char::from(*byte))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::text;

    #[test]
    fn digests_are_halved_in_hex_and_names_in_letters() {
        let low = format!("blobs/sha256/00/00{}/data", "a".repeat(62));
        let pivot = midpoint(&low, "blobs/sha256/ff/x").unwrap();
        assert!(("blobs/sha256/7".."blobs/sha256/9").contains(&pivot.as_str()), "{pivot}");
        let pivot = midpoint("r/app-017/_layers/x", &horizon("r/app", "r/base")).unwrap();
        assert!(("r/d".."r/u").contains(&pivot.as_str()), "{pivot}");
    }

    #[test]
    fn a_guess_reaches_no_further_than_what_the_keys_have_in_common() {
        let horizon = horizon("r/team/app-1/x", "r/team/app-3/a");
        assert!(horizon.as_str() > "r/team/app-9" && horizon.as_str() < "r/team/b", "{horizon}");
        let pivot = midpoint("r/team/app-3/a", &horizon).unwrap();
        assert!(pivot.starts_with("r/team/app-"), "{pivot}");
    }

    #[test]
    fn more_is_ahead_of_a_range_that_has_just_begun() {
        let early = ahead("r/a", "r/b", "r/z");
        let late = ahead("r/a", "r/y", "r/z");
        assert!(early > 10.0 && late < 0.1, "{early} {late}");
        assert!(ahead("r/a", "r/a", "r/z") < 0.1, "nothing is known yet");
    }

    proptest! {
        #[test]
        fn g2_a_pivot_lies_strictly_inside(low in text(), high in text()) {
            if let Some(pivot) = midpoint(&low, &high) {
                prop_assert!(pivot > low && pivot < high);
            }
        }

        #[test]
        fn a_horizon_lies_behind_both_keys_and_guesses_are_numbers(start in text(), position in text(), end in text()) {
            let horizon = horizon(&start, &position);
            prop_assert!(horizon > position || position.contains(char::MAX));
            prop_assert!(ahead(&start, &position, &end).is_finite());
        }
    }
}
