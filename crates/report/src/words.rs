//! Numbers for people.

use std::time::Duration;

/// A number with its thousands apart: `1,234,567`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in the largest binary unit that fits: `1.5 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64;
    let mut unit = None;
    for name in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = Some(name);
    }
    unit.map_or_else(|| format!("{bytes} B"), |unit| format!("{value:.1} {unit}"))
}

/// `1 repository`, `2 repositories`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A share in percent; never 0 % of something, nor 100 % of less than all.
pub(crate) fn percent(part: u64, of: u64) -> String {
    let share = part as f64 * 100.0 / of.max(1) as f64;
    match (part, of) {
        (0, _) => "0 %".to_owned(),
        (part, of) if part >= of => "100 %".to_owned(),
        _ if share < 0.1 => "less than 0.1 %".to_owned(),
        _ if share > 99.9 => "more than 99.9 %".to_owned(),
        _ => format!("{share:.1} %"),
    }
}

/// A length of time in its two largest units: `3 days 4 h`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let pair = |large: String, small: u64, unit: &str| {
        if small == 0 { large } else { format!("{large} {small} {unit}") }
    };
    match (days, hours, minutes) {
        (0, 0, 0) if seconds < 10 => format!("{:.1} s", time.as_secs_f64()),
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => pair(format!("{minutes} min"), seconds % 60, "s"),
        (0, ..) => pair(format!("{hours} h"), minutes, "min"),
        _ => pair(counted(days, "day", "days"), hours, "h"),
    }
}

/// An age, in the unit that people would use: `26 h`, `40 days`, `1.5 years`.
pub(crate) fn age(age: Duration) -> String {
    let days = age.as_secs() / 86_400;
    match days {
        0 | 1 => duration(Duration::from_hours(age.as_secs() / 3600)),
        2..730 => counted(days, "day", "days"),
        _ => format!("{:.1} years", days as f64 / 365.25),
    }
}

/// A sum of money; nothing that costs something is shown as nothing.
pub(crate) fn money(sum: f64, currency: &str) -> String {
    match sum {
        0.0 => format!("{currency}0"),
        _ if sum < 0.0001 => format!("under {currency}0.0001"),
        _ if sum < 0.01 => format!("{currency}{sum:.4}"),
        _ if sum < 1000.0 => format!("{currency}{sum:.2}"),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a large sum")]
        _ => format!("{currency}{}", count(sum.round() as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(["0", "999", "1,000", "12,345,678"], [0, 999, 1000, 12_345_678].map(count)[..]);
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(u64::MAX), "16.0 EiB");
        assert_eq!(counted(1, "blob", "blobs"), "1 blob");
        assert_eq!(counted(1000, "blob", "blobs"), "1,000 blobs");
    }

    #[test]
    fn shares_never_hide_what_there_is() {
        assert_eq!(percent(0, 0), "0 %");
        assert_eq!(percent(1, 1_000_000), "less than 0.1 %");
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(999_999, 1_000_000), "more than 99.9 %");
        assert_eq!(percent(u64::MAX, u64::MAX), "100 %");
    }

    #[test]
    fn times_have_the_units_that_people_use() {
        let seconds = Duration::from_secs;
        assert_eq!(duration(Duration::from_millis(1250)), "1.2 s");
        assert_eq!(duration(seconds(59)), "59 s");
        assert_eq!(duration(seconds(60)), "1 min");
        assert_eq!(duration(seconds(3661)), "1 h 1 min");
        assert_eq!(duration(seconds(86_400)), "1 day");
        assert_eq!(duration(seconds(2 * 86_400 + 3600)), "2 days 1 h");
        assert_eq!(age(seconds(30 * 3600 + 59)), "1 day 6 h");
        assert_eq!(age(seconds(400 * 86_400)), "400 days");
        assert_eq!(age(seconds(3650 * 86_400)), "10.0 years");
    }

    #[test]
    fn money_is_never_nothing_where_it_is_something() {
        assert_eq!(money(0.0, "$"), "$0");
        assert_eq!(money(0.000_01, "$"), "under $0.0001");
        assert_eq!(money(0.001_35, "$"), "$0.0014");
        assert_eq!(money(12.345, "€"), "€12.35");
        assert_eq!(money(12_345.6, "$"), "$12,346");
    }
}
