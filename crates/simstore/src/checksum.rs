//! Checksums of bodies, in the forms that headers carry.

use md5::{Digest, Md5};

/// The MD5 of `content`, as lower-case hex: the entity tag of an object that was put whole.
pub(crate) fn md5_hex(content: &[u8]) -> String {
    use std::fmt::Write;

    Md5::digest(content).iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The MD5 of `content` as `Content-MD5` carries it.
pub(crate) fn md5_base64(content: &[u8]) -> String {
    base64(&Md5::digest(content))
}

/// The CRC-32 of `content` as `x-amz-checksum-crc32` carries it.
pub(crate) fn crc32_base64(content: &[u8]) -> String {
    base64(&crc32(content).to_be_bytes())
}

/// Bit by bit: bodies are small, and a table would be longer than the law.
fn crc32(content: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !content.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(content: &[u8]) -> String {
    let mut text = String::with_capacity(content.len().div_ceil(3) * 4);
    for group in content.chunks(3) {
        let byte = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place > group.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksums_come_out() {
        assert_eq!(md5_hex(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5_base64(b""), "1B2M2Y8AsgTpgAmY7PhCfg==");
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32_base64(b"123456789"), "y/Q5Jg==");
        assert_eq!(base64(b"abc"), "YWJj");
        assert_eq!(base64(b"ab"), "YWI=");
    }
}
