//! The times of S3 answers.

use registry::Timestamp;

/// As in headers: `Tue, 18 Aug 2026 10:00:00 GMT`.
pub(crate) fn http_date(time: Timestamp) -> String {
    shown(time, "%a, %d %b %Y %H:%M:%S GMT")
}

/// As in listings: `2026-08-18T10:00:00.000Z`.
pub(crate) fn iso(time: Timestamp) -> String {
    shown(time, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// As [`iso`], into a page, without a calendar where the time is one that computers have seen.
pub(crate) fn push_iso(text: &mut Vec<u8>, time: Timestamp) {
    let Ok(millis) = u64::try_from(time.as_millis()) else {
        return text.extend_from_slice(iso(time).as_bytes());
    };
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let Some((year, month, day)) = civil(seconds / 86_400) else {
        return text.extend_from_slice(iso(time).as_bytes());
    };
    let mut shown = *b"0000-00-00T00:00:00.000Z";
    let hour = seconds / 3600 % 24;
    for (at, width, number) in [
        (0, 4, year),
        (5, 2, month),
        (8, 2, day),
        (11, 2, hour),
        (14, 2, seconds / 60 % 60),
        (17, 2, seconds % 60),
        (20, 3, millis),
    ] {
        put(&mut shown[at..at + width], number);
    }
    text.extend_from_slice(&shown);
}

/// Year, month and day, so many days after the start of 1970; `None` after year 9999.
///
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn civil(days: u64) -> Option<(u64, u64, u64)> {
    let days = days.checked_add(719_468)?;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    (year <= 9999).then_some((year, month, day))
}

/// Writes a number over zeros, right-aligned.
fn put(zeros: &mut [u8], mut number: u64) {
    for digit in zeros.iter_mut().rev() {
        *digit += u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

/// Times that no calendar holds are shown as 1970.
fn shown(time: Timestamp, format: &str) -> String {
    jiff::Timestamp::from_millisecond(time.as_millis())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime(format)
        .to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_ways_to_write_a_time_agree(
            millis in prop_oneof![-100_000_000_000_000..300_000_000_000_000_i64, any::<i64>()]
        ) {
            let time = Timestamp::from_millis(millis);
            let mut text = Vec::new();
            push_iso(&mut text, time);
            prop_assert_eq!(String::from_utf8(text).unwrap(), iso(time));
        }
    }

    #[test]
    fn times_are_written_as_s3_writes_them() {
        let time: Timestamp = "2026-08-18T10:00:00Z".parse().unwrap();
        assert_eq!(http_date(time), "Tue, 18 Aug 2026 10:00:00 GMT");
        assert_eq!(iso(time), "2026-08-18T10:00:00.000Z");
        assert_eq!(iso("2026-08-18T10:00:00.050Z".parse().unwrap()), "2026-08-18T10:00:00.050Z");
    }
}
