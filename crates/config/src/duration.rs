//! Durations as Go writes them.

use std::time::Duration;

/// Reads `168h`, `1h30m`, `1.5h`, `100ms`, `0`. `None` for anything else, for negative and for overlong durations.
///
/// Source: Go, `time.ParseDuration`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut seconds = None;
    while !rest.is_empty() {
        let (part, tail) = one(rest)?;
        seconds = Some(seconds.unwrap_or(0.0) + part);
        rest = tail;
    }
    Duration::try_from_secs_f64(seconds?).ok()
}

/// One number with its unit, in seconds, and what follows it.
fn one(text: &str) -> Option<(f64, &str)> {
    let is_number = |character: char| character.is_ascii_digit() || character == '.';
    let (number, rest) = text.split_at(text.find(|c| !is_number(c))?);
    let (unit, rest) = rest.split_at(rest.find(is_number).unwrap_or(rest.len()));
    let seconds = match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some((number.parse::<f64>().ok()? * seconds, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, millis) in [
            ("168h", 604_800_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            (".5s", 500),
            ("100ms", 100),
            ("1500us", 1),
            ("+2s", 2000),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(parse(text).unwrap().as_millis(), millis, "{text}");
        }
        for text in
            ["", "1", "h", "-1h", "1d", "1 h", "1h ", "1..5h", ".h", "nan", "99999999999999999999h"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
