//! Time spans as a policy writes them.

use std::time::Duration;

use crate::Problem;

/// No policy looks further back: a hundred years.
const LONGEST_HOURS: u64 = 100 * 366 * 24;

/// Reads `12h`, `30d`, `8w`, `1y`, `1w 3d`, `30 days`. A year has 365 days.
///
/// Minutes and months are refused, since `m` and `M` are either to somebody.
pub(crate) fn parse(text: &str) -> Result<Duration, Problem> {
    let (mut rest, mut hours) = (text.trim(), 0u64);
    while !rest.is_empty() {
        let (part, tail) = part(rest)?;
        hours = hours.checked_add(part).ok_or(Problem::NotDuration)?;
        rest = tail.trim_start();
    }
    match hours {
        1..=LONGEST_HOURS => Ok(Duration::from_hours(hours)),
        _ => Err(Problem::NotDuration),
    }
}

/// One number with its unit, in hours, and what follows it.
fn part(text: &str) -> Result<(u64, &str), Problem> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    let rest = rest.trim_start();
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (unit, rest) = rest.split_at(letters);
    let number: u64 = number.parse().map_err(|_| Problem::NotDuration)?;
    let hours = match unit {
        "h" | "hour" | "hours" => 1,
        "d" | "day" | "days" => 24,
        "w" | "week" | "weeks" => 7 * 24,
        "y" | "year" | "years" => 365 * 24,
        "m" | "M" | "mo" | "min" | "month" | "months" | "minute" | "minutes" => {
            return Err(Problem::Months { unit: unit.to_owned() });
        }
        _ => return Err(Problem::NotDuration),
    };
    Ok((number.checked_mul(hours).ok_or(Problem::NotDuration)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_with_units() {
        for (text, hours) in [
            ("12h", 12),
            ("30d", 720),
            (" 8w ", 1344),
            ("1y", 8760),
            ("1w 3d", 240),
            ("1w3d", 240),
            ("30 days", 720),
            ("1 hour", 1),
            ("0d 1h", 1),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_hours(hours)), "{text}");
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for text in
            ["", "30", "d", "-1d", "1.5d", "0h", "0d 0h", "1x", "1d,", "999999999999y", "1e3d"]
        {
            assert_eq!(parse(text), Err(Problem::NotDuration), "{text}");
        }
        for text in ["6m", "6M", "1d 30min", "2 months"] {
            assert!(matches!(parse(text), Err(Problem::Months { .. })), "{text}");
        }
    }
}
