//! Percent encoding of paths, queries and listed keys.

use std::fmt::Write;

/// Decodes a path: `%41` is `A`, `+` is `+`. `None` where the result is no UTF-8 text or an escape is broken.
pub(crate) fn decode_path(text: &str) -> Option<String> {
    decode(text, false)
}

/// Decodes a query: as a path, and `+` is a space.
pub(crate) fn decode_query(text: &str) -> Option<String> {
    decode(text, true)
}

fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// How a listing encodes keys where it was asked for `encoding-type=url`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As Amazon does: a space becomes `+`, slashes stay.
    Form,
    /// A space becomes `%20`, slashes stay.
    Percent,
    /// As [`Style::Percent`], and slashes become `%2F`.
    Slashes,
}

/// Encodes a listed key.
pub(crate) fn encode(text: &str, style: Style) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                encoded.push(char::from(byte));
            }
            b'/' if style != Style::Slashes => encoded.push('/'),
            b' ' if style == Style::Form => encoded.push('+'),
            // Writing to a string cannot fail.
            byte => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_and_queries_differ_in_the_plus() {
        assert_eq!(decode_path("a+b%20c%2B").as_deref(), Some("a+b c+"));
        assert_eq!(decode_query("a+b%20c%2B").as_deref(), Some("a b c+"));
        for broken in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(decode_path(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(key in any::<String>()) {
            prop_assert_eq!(decode_query(&encode(&key, Style::Form)), Some(key.clone()));
            prop_assert_eq!(decode_path(&encode(&key, Style::Percent)), Some(key.clone()));
            prop_assert_eq!(decode_path(&encode(&key, Style::Slashes)), Some(key));
        }
    }
}
