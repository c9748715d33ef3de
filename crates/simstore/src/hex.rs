//! Hexadecimal text.

/// The 8 digits of 4 bytes, without a table or a branch.
fn digits(bytes: [u8; 4]) -> [u8; 8] {
    // Each nibble into a byte of its own.
    let nibbles = u64::from(u32::from_be_bytes(bytes));
    let nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff;
    let nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // 1 where the digit is a letter: those begin 39 behind the `:` that follows `9`.
    let letters = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    (nibbles + 0x3030_3030_3030_3030 + letters * 39).to_be_bytes()
}

/// Bytes in lower case; as many as are a multiple of 4.
pub(crate) fn push(text: &mut Vec<u8>, bytes: &[u8]) {
    for bytes in bytes.as_chunks::<4>().0 {
        text.extend_from_slice(&digits(*bytes));
    }
}

/// The folder of a digest: its first two digits.
pub(crate) fn push_folder(text: &mut Vec<u8>, digest: &[u8; 32]) {
    let [.., high, low] = digits([0, 0, 0, digest[0]]);
    text.extend_from_slice(&[high, low]);
}

/// 16 bytes as an entity tag.
pub(crate) fn etag(bytes: &[u8; 16]) -> [u8; 32] {
    let mut text = [0; 32];
    for (digits_of, bytes) in text.as_chunks_mut::<8>().0.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *digits_of = digits(*bytes);
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
            let (mut text, mut folder) = (Vec::new(), Vec::new());
            push(&mut text, &digest);
            push_folder(&mut folder, &digest);
            let expected = digest.iter().fold(String::new(), |text, byte| {
                text + &format!("{byte:02x}")
            });
            prop_assert_eq!(&text, expected.as_bytes());
            prop_assert_eq!(&folder, &expected.as_bytes()[..2]);
            prop_assert_eq!(parse_digest(&text), Some(digest));
            prop_assert_eq!(parse_digest(&text[1..]), None);
            prop_assert_eq!(parse_digest(&text.to_ascii_uppercase()).is_some(),
                text.iter().all(u8::is_ascii_digit));
        }
    }

    #[test]
    fn entity_tags_are_lower_case() {
        assert_eq!(etag(&[0xab; 16]), [*b"ab"; 16].as_flattened());
    }
}
