//! Lower-case hex digits, many at a time: every key names a digest.
//!
//! The loops go over arrays of known length and branch nowhere, so that the compiler makes vector instructions of them.

/// So many digits are read or written together; the texts of all digests are a multiple of it.
const DIGITS: usize = 32;

/// Reads `digits`, two for each of `bytes`; `None` where any is none of `0-9a-f`, or their number is another.
pub(crate) fn read(digits: &[u8], bytes: &mut [u8]) -> Option<()> {
    let (chunks, rest) = digits.as_chunks::<DIGITS>();
    let (targets, left) = bytes.as_chunks_mut::<{ DIGITS / 2 }>();
    if chunks.len() != targets.len() || !rest.is_empty() || !left.is_empty() {
        return None;
    }
    let mut bad = 0;
    for (chunk, target) in chunks.iter().zip(targets) {
        let mut values = [0; DIGITS];
        for (value, digit) in values.iter_mut().zip(chunk) {
            let (decimal, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
            *value = if decimal < 10 { decimal } else { letter.wrapping_add(10) };
            bad |= u8::from(decimal >= 10) & u8::from(letter >= 6);
        }
        for (byte, pair) in target.iter_mut().zip(values.as_chunks::<2>().0) {
            *byte = pair[0] << 4 | pair[1] & 15;
        }
    }
    (bad == 0).then_some(())
}

/// Writes the digits of `bytes`, as far as there is room for both digits of each.
pub(crate) fn write(bytes: &[u8], digits: &mut [u8]) {
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
}

/// The digit of a value below 16.
const fn digit(value: u8) -> u8 {
    value + if value < 10 { b'0' } else { b'a' - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_read_as_it_is_written() {
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        let (mut digits, mut read_back) = ([0; 512], [0; 256]);
        write(&bytes, &mut digits);
        for (pair, byte) in digits.as_chunks::<2>().0.iter().zip(&bytes) {
            assert_eq!(std::str::from_utf8(pair), Ok(&*format!("{byte:02x}")));
        }
        assert_eq!(read(&digits, &mut read_back), Some(()));
        assert_eq!(read_back, *bytes);
    }

    #[test]
    fn nothing_but_lower_case_hex_digits_is_read_wherever_it_stands() {
        for place in 0..64 {
            for digit in 0..=u8::MAX {
                let mut digits = [b'0'; 64];
                digits[place] = digit;
                let is_hex = matches!(digit, b'0'..=b'9' | b'a'..=b'f');
                assert_eq!(read(&digits, &mut [0; 32]).is_some(), is_hex, "{digit} at {place}");
            }
        }
        assert_eq!(read(&[b'0'; 62], &mut [0; 32]), None);
        assert_eq!(read(&[b'0'; 66], &mut [0; 32]), None);
        assert_eq!(read(&[b'0'; 96], &mut [0; 32]), None);
    }
}
