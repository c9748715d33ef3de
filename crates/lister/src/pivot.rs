//! Where to cut a range of keys of which only the ends are known.

/// Characters of names and tags, ascending.
const NAMES: &[u8] = b"-./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
/// Characters of digests, ascending.
const HEX: &[u8] = b"0123456789abcdef";
/// How many characters after the common beginning are weighed.
const PRECISION: usize = 3;

/// A key strictly between `low` and `high`, near the middle of what keys of a registry are made of.
///
/// `high` of `None` is past every key that starts with `within`; `low` and `high` start with `within`. `None` where
/// nothing can be said to lie between. The result need not exist as a key, and is always ASCII after the part that
/// both ends share.
#[must_use]
pub fn midpoint(within: &str, low: &str, high: Option<&str>) -> Option<String> {
    let shared = match high {
        Some(high) => shared_length(low, high),
        None => within.len().min(low.len()),
    };
    let alphabet = if in_digest(low, shared) { HEX } else { NAMES };
    let low_value = value(alphabet, low.as_bytes().get(shared..)?, 0);
    let high_value = match high {
        Some(high) => value(alphabet, high.as_bytes().get(shared..)?, 0),
        None => (alphabet.len() as u64 + 1).pow(u32::try_from(PRECISION).ok()?) - 1,
    };
    let middle = text(alphabet, low_value.midpoint(high_value));
    let pivot = format!("{}{middle}", &low[..shared]);
    let fits = pivot.as_str() > low && high.is_none_or(|high| pivot.as_str() < high);
    fits.then_some(pivot)
}

/// How many times the stretch from `start` to `position` fits between `position` and `end`, as far as the first
/// characters tell; large where nothing can be told.
#[must_use]
pub(crate) fn ahead(within: &str, start: &str, position: &str, end: Option<&str>) -> f64 {
    let start = if start.len() < within.len() { within } else { start };
    let shared = end.map_or(within.len(), |end| shared_length(start, end));
    let at = |key: &str| {
        let weigh = |(sum, scale): (f64, f64), byte: &u8| (sum + f64::from(*byte) * scale, scale / 256.0);
        key.as_bytes().iter().skip(shared).take(6).fold((0.0, 1.0), weigh).0
    };
    let (done, left) = (at(position) - at(start), end.map_or(128.0, at) - at(position));
    if done > 0.0 { left / done } else { f64::MAX }
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
fn value(alphabet: &[u8], key: &[u8], depth: usize) -> u64 {
    let base = alphabet.len() as u64 + 1;
    (depth..PRECISION).fold(0, |sum, at| {
        let digit = key.get(at).map_or(0, |byte| alphabet.partition_point(|known| known < byte) + 1);
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

    #[test]
    fn digests_are_halved_in_hex_and_names_in_letters() {
        let low = format!("blobs/sha256/00/00{}/data", "a".repeat(62));
        let pivot = midpoint("blobs/", &low, Some("blobs/sha256/ff/x")).unwrap();
        assert!(("blobs/sha256/7".."blobs/sha256/9").contains(&pivot.as_str()), "{pivot}");
        let pivot = midpoint("r/", "r/app-017/_layers/x", None).unwrap();
        assert!(("r/d".."r/u").contains(&pivot.as_str()), "{pivot}");
    }

    #[test]
    fn more_is_ahead_of_a_range_that_has_just_begun() {
        let early = ahead("r/", "", "r/b", Some("r/z"));
        let late = ahead("r/", "", "r/y", Some("r/z"));
        assert!(early > 0.1 && late < 0.1, "{early} {late}");
        assert!(ahead("r/", "r/a", "r/a", Some("r/z")) > 1e9, "nothing is known yet");
    }

    proptest! {
        #[test]
        fn g2_a_pivot_lies_strictly_inside(low in "\\PC{0,8}", high in proptest::option::of("\\PC{0,8}")) {
            let low = format!("p/{low}");
            let high = high.map(|high| format!("p/{high}"));
            if let Some(pivot) = midpoint("p/", &low, high.as_deref()) {
                prop_assert!(pivot > low);
                prop_assert!(high.is_none_or(|high| pivot < high));
                prop_assert!(pivot.starts_with("p/"));
            }
        }
    }
}
