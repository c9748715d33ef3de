//! Pieces that several sections share.

use registry::Timestamp;

use crate::html::Html;

/// A time to the minute: `2026-08-18 10:00 UTC`.
pub(super) fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(minute)) if text.ends_with('Z') => format!("{day} {minute} UTC"),
        _ => text,
    }
}

/// A bar for a share; `class` is its colour. Told apart from nothing where the share is small. The number stands beside
/// it, so that nobody has to hear of the bar.
pub(super) fn bar(html: &mut Html, class: &'static str, part: u64, of: u64) {
    let share = if of == 0 { 0.0 } else { (part as f64 / of as f64 * 100.0).min(100.0) };
    let shown = if part > 0 { share.max(0.5) } else { 0.0 };
    html.within("svg", &[("class", &"bar"), ("aria-hidden", &"true")], |html| {
        html.empty("rect", &[("class", &"rail"), ("width", &"100%"), ("height", &"100%")]);
        let width = format!("{shown:.1}%");
        html.empty("rect", &[("class", &class), ("width", &width), ("height", &"100%")]);
    });
}

/// The heads of columns; those of numbers stand to the right.
pub(super) fn columns(html: &mut Html, names: &[(&'static str, bool)]) {
    html.within("thead", &[], |html| {
        html.within("tr", &[], |html| {
            for (name, is_number) in names {
                let attributes: [(_, &dyn std::fmt::Display); 2] =
                    [("scope", &"col"), ("class", &"number")];
                html.element("th", &attributes[..if *is_number { 2 } else { 1 }], *name);
            }
        });
    });
}

/// A cell with a number.
pub(super) fn number(html: &mut Html, text: impl std::fmt::Display) {
    html.element("td", &[("class", &"number")], text);
}

/// A term and what it is.
pub(super) fn fact(html: &mut Html, term: &'static str, text: impl std::fmt::Display) {
    html.element("dt", &[], term);
    html.element("dd", &[], text);
}

/// A paragraph in the background.
pub(super) fn lead(html: &mut Html, text: impl std::fmt::Display) {
    html.element("p", &[("class", &"lead")], text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_to_the_minute_where_there_is_a_calendar() {
        assert_eq!(minute(Timestamp::from_millis(1_700_000_000_123)), "2023-11-14 22:13 UTC");
        assert_eq!(minute(Timestamp::FAR_FUTURE), format!("{}ms", i64::MAX));
    }
}
