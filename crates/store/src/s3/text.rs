//! What the texts of a page say: keys, entity tags, times, numbers.
//!
//! Each is read the short way where it is written as nearly all are, as a listing of millions of keys is read through
//! here, and otherwise the long way.

use std::borrow::Cow;

use registry::Timestamp;

use super::page_error::PageError;
use super::xml::{XmlError, holds, unescape};

/// What has to be there.
#[inline]
pub(super) fn present<T>(found: Option<T>, name: &'static str) -> Result<T, PageError> {
    match found {
        Some(found) => Ok(found),
        None => Err(PageError::Missing(name)),
    }
}

/// What a text says; one that holds entities says nothing before they are replaced.
#[inline]
pub(super) fn read<T>(
    raw: Option<&str>,
    name: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, PageError> {
    let raw = present(raw, name)?;
    if let Some(said) = parse(raw) {
        return Ok(said);
    }
    let text = unescape(raw)?;
    parse(&text).ok_or_else(|| value(name, &text))
}

/// A key as it was sent, which is mostly the key itself.
#[inline]
pub(super) fn key(raw: &str, is_encoded: bool) -> Result<Cow<'_, str>, PageError> {
    if is_encoded && !holds(raw, |byte| is_telling(byte) || byte == b'&') {
        return Ok(raw.into());
    }
    Ok(String::from(decoded(unescape(raw)?, is_encoded)?).into())
}

/// An entity tag without its quotes, which mostly come as entities.
#[inline]
pub(super) fn etag(raw: &str) -> Result<Cow<'_, str>, XmlError> {
    let bare = raw.strip_prefix("&quot;").and_then(|rest| rest.strip_suffix("&quot;"));
    match bare {
        Some(bare) if !holds(bare, |byte| matches!(byte, b'&' | b'"')) => Ok(bare.into()),
        _ => Ok(unescape(raw)?.trim_matches('"').to_owned().into()),
    }
}

/// A time as nearly all servers write it, `2026-08-18T10:00:00.000Z`, or as RFC 3339 allows.
#[inline]
pub(super) fn time(text: &str) -> Option<Timestamp> {
    usual_time(text.as_bytes()).or_else(|| text.parse().ok())
}

#[inline]
fn usual_time(text: &[u8]) -> Option<Timestamp> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let digits = digits_of(text, b"0000-00-00T00:00:00.000Z")?;
    let number = |from: usize, to: usize| {
        digits[from..to].iter().fold(0, |sum, digit| sum * 10 + i64::from(*digit))
    };
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    // Whether there is a 61st second is for a calendar to say.
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(number(0, 4), number(5, 7), number(8, 10))?;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp::from_millis(seconds * 1000 + number(20, 23)))
}

/// The digits of a text that has one wherever `form` has a zero, and every other character of the form: eight at a time.
#[inline]
fn digits_of(text: &[u8; 24], form: &[u8; 24]) -> Option<[u8; 24]> {
    const SIX: u64 = 0x0606_0606_0606_0606;
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    let (mut digits, mut odd) = ([0; 24], 0);
    let words = text.as_chunks::<8>().0.iter().zip(form.as_chunks::<8>().0);
    for ((text, form), digits) in words.zip(digits.as_chunks_mut::<8>().0) {
        // A digit differs from zero by its value, and a character of the form by nothing from itself.
        let differs = u64::from_le_bytes(*text) ^ u64::from_le_bytes(*form);
        let signs = u64::from_le_bytes(form.map(|byte| if byte == b'0' { 0 } else { 0xff }));
        // Only where a byte is above 15, which is odd anyway, does adding six reach the next byte.
        odd |= (differs | differs.wrapping_add(SIX)) & HIGH | differs & signs;
        *digits = differs.to_le_bytes();
    }
    (odd == 0).then_some(digits)
}

/// Days from 1970-01-01 to a date; `None` where there is no such date.
///
/// Years begin in March here, so that the day that some years lack is the last one.
#[inline]
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = LENGTHS.get(usize::try_from(month - 1).ok()?)?;
    let length = length + i64::from(is_leap && month == 2);
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = if month > 2 { year } else { year - 1 };
    let of_years = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let of_months = (153 * ((month + 9) % 12) + 2) / 5;
    Some(of_years + of_months + day - 1 - 719_468)
}

/// A text that is not what its element holds.
pub(super) fn value(name: &'static str, text: &str) -> PageError {
    PageError::Value { name, text: text.into() }
}

/// A number in decimal digits.
pub(super) fn number<N: std::str::FromStr>(name: &'static str, text: &str) -> Result<N, PageError> {
    text.parse().map_err(|_| value(name, text))
}

/// The key behind what was sent, decoded exactly once and only where the answer says that it is encoded.
///
/// `+` is a space there: AWS, Ceph and others encode as HTML forms do, which send a literal `+` as `%2B`; those that
/// encode as paths send a space as `%20` and also `%2B`. So each reading is unambiguous. A character that no encoder
/// leaves as it is shows a server that only echoes the word: its keys may not be decoded, and may not be guessed (G7).
///
/// Source: Amazon S3 API, `ListObjectsV2`, `EncodingType`.
pub(super) fn decoded(sent: Cow<'_, str>, is_encoded: bool) -> Result<Box<str>, PageError> {
    if !is_encoded {
        return Ok(sent.into());
    }
    let refused = || PageError::NotEncoded((&*sent).into());
    let mut bytes = Vec::with_capacity(sent.len());
    let mut rest = sent.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next(), rest.next()).ok_or_else(refused)?,
            plain if is_telling(plain) => return Err(refused()),
            plain => plain,
        });
    }
    String::from_utf8(bytes).map(Into::into).map_err(|_| refused())
}

/// Whether a byte means something in an encoded key, or proves that the key is not encoded.
#[inline]
fn is_telling(byte: u8) -> bool {
    matches!(byte, b'%' | b'+' | b'"' | b'<' | b'>') | !(0x21..0x7f).contains(&byte)
}

fn hex(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_that_there_are_not_are_none() {
        for text in [
            "2026-02-29T00:00:00.000Z",
            "2100-02-29T00:00:00.000Z",
            "2026-04-31T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z",
            "2026-01-00T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:60:00.000Z",
            "2026-01-01T00:00:00.0000",
            "2026-01-01",
            "",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
        let seconds = |text| time(text).map(Timestamp::as_millis);
        assert_eq!(seconds("1970-01-01T00:00:00.001Z"), Some(1));
        assert_eq!(seconds("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(seconds("2000-02-29T23:59:59.999Z"), Some(951_868_799_999));
    }

    #[test]
    fn a_time_of_the_usual_form_has_digits_and_signs_where_they_belong() {
        let usual = b"2000-01-01T01:01:01.001Z";
        for place in 0..usual.len() {
            for byte in 0..=u8::MAX {
                let mut text = *usual;
                text[place] = byte;
                let fits = match usual[place] {
                    b'0'..=b'9' => byte.is_ascii_digit(),
                    sign => byte == sign,
                };
                let digits = digits_of(&text, b"0000-00-00T00:00:00.000Z");
                assert_eq!(digits.is_some(), fits, "{byte} at {place}");
                let digit = digits.map(|digits| digits[place] + b'0');
                assert!(digit.is_none_or(|digit| digit == byte || !byte.is_ascii_digit()));
            }
        }
    }

    #[test]
    fn the_calendar_is_right_on_every_day_of_five_centuries() {
        let mut expected = -101_i64 * 365 - 24;
        for year in 1869..2369 {
            for month in 1..13 {
                for day in 1..32 {
                    let Some(days) = days(year, month, day) else { continue };
                    assert_eq!(days, expected, "{year}-{month}-{day}");
                    expected += 1;
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_time_is_what_a_calendar_says(
            (year, month, day) in (0..10_000_u32, 0..14_u32, 0..33_u32),
            (hour, minute, second, millis) in (0..26_u32, 0..62_u32, 0..62_u32, 0..1000_u32),
        ) {
            let text =
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z");
            prop_assert_eq!(time(&text), text.parse().ok());
        }

        #[test]
        fn the_short_ways_say_what_the_long_ways_say(
            raw in "(&quot;|&amp;|&#x41;|%4[01g]|%c3%a9|[a-z+\"é >&;]){0,5}",
            is_encoded in any::<bool>(),
        ) {
            let long = || unescape(&raw);
            let long_key = long().map_err(PageError::from).and_then(|text| decoded(text, is_encoded));
            prop_assert_eq!(key(&raw, is_encoded).map(|key| Box::from(&*key)), long_key);
            let long_etag = long().map(|text| text.trim_matches('"').to_owned());
            prop_assert_eq!(etag(&raw).map(|etag| etag.to_string()), long_etag);
        }
    }
}
