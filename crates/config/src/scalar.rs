//! Scalars: what the registry's YAML parser makes of a text, and what Go makes of the result.
//!
//! The registry's parser follows YAML 1.1 in parts: `off` is a boolean, `010` is eight. A field that is text is then
//! printed again, so a bucket written `1e7` is named `1e+07`.
//!
//! Source: `yaml.v2` 2.4, `resolve.go`; Go, `strconv` and `fmt`.

/// A scalar: its text and what it means where no type is asked for.
#[derive(Clone)]
pub(crate) struct Scalar {
    /// As written, quotes and escapes resolved: what a field of type text takes.
    pub(crate) text: String,
    pub(crate) atom: Atom,
}

/// What a scalar means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Atom {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text,
}

impl Scalar {
    /// A scalar in quotes.
    pub(crate) fn quoted(text: String) -> Self {
        Self { text, atom: Atom::Text }
    }

    /// A scalar without quotes.
    pub(crate) fn plain(text: String) -> Self {
        let atom = resolve(&text);
        Self { text, atom }
    }

    /// The text that Go's `fmt.Sprint` makes of it; `None` for null.
    pub(crate) fn printed(&self) -> Option<String> {
        match self.atom {
            Atom::Null => None,
            Atom::Bool(value) => Some(value.to_string()),
            Atom::Integer(value) => Some(value.to_string()),
            Atom::Float(value) => Some(print_float(value)),
            Atom::Text => Some(self.text.clone()),
        }
    }
}

fn resolve(text: &str) -> Atom {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Atom::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Atom::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Atom::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Atom::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Atom::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Atom::Float(f64::NEG_INFINITY),
        text => number(text),
    }
}

fn number(text: &str) -> Atom {
    if !text.starts_with(|first: char| matches!(first, '+' | '-' | '.') || first.is_ascii_digit()) {
        return Atom::Text;
    }
    let plain = if text.starts_with('.') { text.to_owned() } else { text.replace('_', "") };
    if let Some(value) = integer(&plain) {
        return Atom::Integer(value);
    }
    float(&plain).map_or(Atom::Text, Atom::Float)
}

/// An integer that fits 64 bits, signed or not; base by prefix, a leading zero means octal.
fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    let value = sign * i128::from_str_radix(digits, radix).ok()?;
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, where it is finite.
fn float(text: &str) -> Option<f64> {
    let looks_like_one = text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let value: f64 = text.parse().ok().filter(|_| looks_like_one)?;
    value.is_finite().then_some(value)
}

/// As `%v` does: shortest digits, an exponent below 1e-4 and from 1e6.
fn print_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        Ok(_) | Err(_) => value.to_string(),
    }
}

/// The texts that Go reads as booleans.
///
/// Source: Go, `strconv.ParseBool`.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// The decimal integer a text starts with; what follows it is not looked at.
///
/// Source: Go, `fmt.Sscanf` with `%d`.
pub(crate) fn scan_integer(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let sign = usize::from(text.starts_with(['+', '-']));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    text[..sign + digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_of_yaml_1_1_are_booleans() {
        for word in ["y", "Yes", "ON", "on", "true", "TRUE"] {
            assert_eq!(resolve(word), Atom::Bool(true), "{word}");
        }
        for word in ["n", "No", "OFF", "off", "false", "False"] {
            assert_eq!(resolve(word), Atom::Bool(false), "{word}");
        }
        for word in ["yEs", "oFF", "tRUE", "t", "f", "enabled"] {
            assert_eq!(resolve(word), Atom::Text, "{word}");
        }
    }

    #[test]
    fn plain_numbers_are_printed_again_as_go_prints_them() {
        for (text, printed) in [
            ("010", "8"),
            ("0o10", "8"),
            ("0x1F", "31"),
            ("0b11", "3"),
            ("-0x10", "-16"),
            ("1_000", "1000"),
            ("+5", "5"),
            ("08", "8"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "1.8446744073709552e+19"),
            ("0.1", "0.1"),
            ("1.", "1"),
            (".5", "0.5"),
            ("1e3", "1000"),
            ("123456.5", "123456.5"),
            ("1234567.8", "1.2345678e+06"),
            ("0.0001", "0.0001"),
            ("1e-7", "1e-07"),
            ("1e30", "1e+30"),
            (".inf", "+Inf"),
            ("-.inf", "-Inf"),
            (".nan", "NaN"),
            ("-0", "0"),
        ] {
            let scalar = Scalar::plain(text.to_owned());
            assert_ne!(scalar.atom, Atom::Text, "{text}");
            assert_eq!(scalar.printed().as_deref(), Some(printed), "{text}");
        }
        for text in [
            "0x",
            "0xg",
            "1e",
            "1.2.3",
            "2001-01-01",
            "-",
            "+",
            ".",
            "1e999",
            "0x-1",
            "._5",
            "inf",
            "nan",
        ] {
            assert_eq!(Scalar::plain(text.to_owned()).printed().as_deref(), Some(text));
        }
    }

    #[test]
    fn integers_are_scanned_from_the_front() {
        assert_eq!(scan_integer("33554432"), Some(33_554_432));
        assert_eq!(scan_integer("10MB"), Some(10));
        assert_eq!(scan_integer(" -5x"), Some(-5));
        for text in ["", "MB", "-", "99999999999999999999"] {
            assert_eq!(scan_integer(text), None, "{text}");
        }
    }
}
