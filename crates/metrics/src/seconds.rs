//! Points in time as seconds since 1970, to the millisecond.

use registry::Timestamp;

/// Always with three places, so that each time has one text.
pub(crate) fn seconds(time: Timestamp) -> String {
    let millis = time.as_millis();
    let (sign, millis) = (if millis < 0 { "-" } else { "" }, millis.unsigned_abs());
    format!("{sign}{}.{:03}", millis / 1000, millis % 1000)
}

/// The time that [`seconds`] writes so; none for any other text, and none before 1970.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    let (whole, places) = text.split_once('.')?;
    let millis = whole.parse::<i64>().ok()?.checked_mul(1000)?;
    let time = Timestamp::from_millis(millis.checked_add(places.parse().ok()?)?);
    (millis >= 0 && seconds(time) == text).then_some(time)
}
