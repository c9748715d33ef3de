//! Hexadecimal text.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// Appends bytes in lower case.
pub(crate) fn push(text: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        text.extend_from_slice(&PAIRS[usize::from(*byte)]);
    }
}

/// Appends 32 bytes at once.
pub(crate) fn push_digest(text: &mut Vec<u8>, digest: &[u8; 32]) {
    let mut pairs = [[0; 2]; 32];
    for (pair, byte) in pairs.iter_mut().zip(digest) {
        *pair = PAIRS[usize::from(*byte)];
    }
    text.extend_from_slice(pairs.as_flattened());
}

/// 16 bytes as an entity tag.
pub(crate) fn etag(bytes: &[u8; 16]) -> [u8; 32] {
    let mut text = [0; 32];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&PAIRS[usize::from(*byte)]);
    }
    text
}

/// The 32 bytes of 64 lower-case digits.
pub(crate) fn parse_digest(text: &[u8]) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    if pairs.len() != digest.len() {
        return None;
    }
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(digest)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digests_come_back(digest in any::<[u8; 32]>()) {
            let (mut text, mut again) = (Vec::new(), Vec::new());
            push_digest(&mut text, &digest);
            push(&mut again, &digest);
            prop_assert_eq!(&text, &again);
            prop_assert_eq!(parse_digest(&text), Some(digest));
            prop_assert_eq!(parse_digest(&text[1..]), None);
            prop_assert_eq!(parse_digest(&text.to_ascii_uppercase()).is_some(),
                text.iter().all(u8::is_ascii_digit));
        }
    }

    #[test]
    fn entity_tags_are_lower_case() {
        assert_eq!(&etag(&[0xab; 16]), &[*b"ab"; 16].as_flattened());
    }
}
