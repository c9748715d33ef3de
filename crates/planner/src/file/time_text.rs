//! Times as text in JSON: RFC 3339 where the calendar reaches, else milliseconds with their unit.

use registry::Timestamp;
use serde::{Deserialize, Deserializer, Serializer, de};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Timestamp, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

/// A store may tell times that no calendar has; they must come back as they went.
fn parse(text: &str) -> Result<Timestamp, String> {
    let calendar = text.parse::<Timestamp>().ok();
    let millis = || text.strip_suffix("ms")?.parse().ok().map(Timestamp::from_millis);
    calendar.or_else(millis).ok_or_else(|| format!("{text:?} is not a time"))
}

/// The same for times that may be missing.
pub(crate) mod option {
    use super::{Deserialize, Deserializer, Serializer, Timestamp, de, parse};

    #[expect(clippy::ref_option, reason = "serde passes fields by reference")]
    pub(crate) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(time),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parse(&text)).transpose().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_comes_back_as_it_went() {
        for millis in [0, 1, -1, 1_700_000_000_123, i64::MAX, i64::MIN, 253_402_300_800_000] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(parse(&time.to_string()), Ok(time));
        }
        assert!(parse("yesterday").is_err());
        assert!(parse("12").is_err());
    }
}
