//! Percent-encoding, by the rules of signatures: every byte but the unreserved ones of RFC 3986, in capitals.

/// A path; `/` stays.
pub(super) fn path(plain: &str) -> String {
    encoded(plain, |byte| byte == b'/')
}

/// A query without `?`, sorted by encoded name as signatures want it.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let one = |text| encoded(text, |_| false);
    let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (one(name), one(value))).collect();
    pairs.sort_unstable();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn encoded(plain: &str, stays: impl Fn(u8) -> bool) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(plain.len() + 16);
    for byte in plain.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || stays(byte) {
            text.push(byte.into());
        } else {
            let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_that_means_something_is_encoded() {
        assert_eq!(path("/a b/é+%/../~_-.9"), "/a%20b/%C3%A9%2B%25/../~_-.9");
        assert_eq!(query(&[("b", "x/y&z=\u{1}"), ("a", "")]), "a=&b=x%2Fy%26z%3D%01");
        assert_eq!(query(&[]), "");
    }
}
