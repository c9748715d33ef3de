//! A rate over time as a curve.

use std::fmt::Write as _;
use std::time::Duration;

use crate::html::Html;
use crate::words;

/// What a chart shows.
pub(super) struct Chart<'a> {
    pub(super) title: &'static str,
    /// Seconds since the start, ascending, and the rate then.
    pub(super) rates: &'a [(f64, f64)],
    /// How a rate is told.
    pub(super) told: fn(f64) -> String,
    /// The base of its units: 1000 or 1024.
    pub(super) base: f64,
    /// When what began.
    pub(super) phases: &'a [(f64, &'static str)],
    /// Whether much of it is bad.
    pub(super) is_trouble: bool,
}

/// Where a curve is drawn.
struct Frame {
    class: &'static str,
    width: f64,
    height: f64,
    ticks: f64,
}

const FRAMES: [Frame; 3] = [
    Frame { class: "wide", width: 1000.0, height: 170.0, ticks: 8.0 },
    Frame { class: "middle", width: 560.0, height: 160.0, ticks: 5.0 },
    Frame { class: "narrow", width: 300.0, height: 150.0, ticks: 3.0 },
];

/// Room for the words along the edges.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 22.0;

impl Chart<'_> {
    /// Writes the chart, with its largest and its mean value in words.
    pub(super) fn write(&self, html: &mut Html) {
        let most = self.rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
        let summary = if most > 0.0 {
            format!(
                ": at most {}, {} in the mean while it went on",
                (self.told)(most),
                (self.told)(mean(self.rates))
            )
        } else {
            ": none".to_owned()
        };
        html.within("figure", &[], |html| {
            html.within("figcaption", &[], |html| {
                html.element("b", &[], self.title);
                html.text(&summary);
            });
            if most > 0.0 {
                for frame in &FRAMES {
                    self.draw(html, frame, most);
                }
            }
        });
    }

    fn draw(&self, html: &mut Html, frame: &Frame, most: f64) {
        let view = format!("0 0 {} {}", frame.width, frame.height);
        let label = format!("{} over time", self.title);
        let attributes: [(_, &dyn std::fmt::Display); 4] =
            [("class", &frame.class), ("viewBox", &view), ("role", &"img"), ("aria-label", &label)];
        let end = self.rates.last().map_or(1.0, |(seconds, _)| *seconds);
        let scale = Scale { frame, end, top: round_up(most, self.base) };
        html.within("svg", &attributes, |html| {
            self.grid(html, &scale);
            self.marks(html, &scale);
            self.curve(html, &scale);
        });
    }

    fn grid(&self, html: &mut Html, scale: &Scale<'_>) {
        let (from, to) = (LEFT, scale.frame.width - RIGHT);
        for part in [0.0, 0.5, 1.0] {
            let rate = scale.top * part;
            let y = scale.y(rate);
            line(html, "grid", [from, y, to, y]);
            text(html, from - 6.0, y + 4.0, "end", &(self.told)(rate));
        }
        let step = tick(scale.end / scale.frame.ticks);
        let mut seconds = 0.0;
        while seconds <= scale.end {
            let anchor = if seconds == 0.0 { "start" } else { "middle" };
            let is_cut_off = scale.x(seconds) > scale.frame.width - 24.0 && seconds > 0.0;
            let anchor = if is_cut_off { "end" } else { anchor };
            text(html, scale.x(seconds), scale.frame.height - 6.0, anchor, &clock(seconds));
            seconds += step;
        }
    }

    /// A name is left out where there is no room for it before the next phase.
    fn marks(&self, html: &mut Html, scale: &Scale<'_>) {
        let ends = self.phases.iter().skip(1).map(|(seconds, _)| scale.x(*seconds));
        let ends = ends.chain([scale.frame.width]);
        for ((seconds, name), end) in self.phases.iter().zip(ends) {
            let x = scale.x(*seconds);
            line(html, "phase", [x, TOP - 6.0, x, scale.y(0.0)]);
            if x + name.len() as f64 * 6.4 < end {
                text(html, x + 3.0, TOP - 8.0, "start", name);
            }
        }
    }

    fn curve(&self, html: &mut Html, scale: &Scale<'_>) {
        let trouble = if self.is_trouble { " trouble" } else { "" };
        let mut path = String::new();
        for (at, (seconds, rate)) in self.rates.iter().enumerate() {
            let letter = if at == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            let _ = write!(path, "{letter}{:.1} {:.1}", scale.x(*seconds), scale.y(*rate));
        }
        let first = self.rates.first().map_or(LEFT, |(seconds, _)| scale.x(*seconds));
        let (last, floor) = (scale.x(scale.end), scale.y(0.0));
        let area = format!("{path}L{last:.1} {floor:.1}L{first:.1} {floor:.1}Z");
        html.empty("path", &[("class", &format_args!("under{trouble}")), ("d", &area)]);
        html.empty("path", &[("class", &format_args!("curve{trouble}")), ("d", &path)]);
    }
}

/// From seconds and rates to places.
struct Scale<'a> {
    frame: &'a Frame,
    end: f64,
    top: f64,
}

impl Scale<'_> {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + seconds / self.end * (self.frame.width - LEFT - RIGHT)
    }

    fn y(&self, rate: f64) -> f64 {
        let room = self.frame.height - TOP - BOTTOM;
        TOP + room * (1.0 - rate / self.top)
    }
}

fn line(html: &mut Html, class: &'static str, ends: [f64; 4]) {
    let [x1, y1, x2, y2] = ends.map(|end| format!("{end:.1}"));
    html.empty("line", &[("class", &class), ("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2)]);
}

fn text(html: &mut Html, x: f64, y: f64, anchor: &'static str, text: &str) {
    let (x, y) = (format!("{x:.1}"), format!("{y:.1}"));
    html.element(
        "text",
        &[("class", &"axis"), ("x", &x), ("y", &y), ("text-anchor", &anchor)],
        text,
    );
}

/// The mean over the time in which there was anything; the points have unequal distances.
fn mean(rates: &[(f64, f64)]) -> f64 {
    let (mut before, mut sum, mut time) = (0.0, 0.0, 0.0);
    for (seconds, rate) in rates {
        if *rate > 0.0 {
            sum += rate * (seconds - before);
            time += seconds - before;
        }
        before = *seconds;
    }
    if time > 0.0 { sum / time } else { 0.0 }
}

/// The next value that reads well: 1, 2 or 5 times a power of ten, in units of powers of `base`.
fn round_up(value: f64, base: f64) -> f64 {
    let mut unit = 1.0;
    while value / unit >= base {
        unit *= base;
    }
    let ten = 10_f64.powf((value / unit).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let step = steps.into_iter().find(|step| step * ten * unit >= value).unwrap_or(10.0);
    step * ten * unit
}

/// A step of time that reads well and is no shorter than `least` seconds.
fn tick(least: f64) -> f64 {
    const STEPS: [f64; 18] = [
        0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0,
        3600.0, 7200.0, 14_400.0,
    ];
    let step = STEPS.into_iter().find(|step| *step >= least);
    step.unwrap_or_else(|| (least / 86_400.0).ceil() * 86_400.0)
}

/// A moment of a run.
fn clock(seconds: f64) -> String {
    match seconds {
        0.0 => "0".to_owned(),
        _ if seconds < 10.0 => format!("{} s", (seconds * 10.0).round() / 10.0),
        _ => words::duration(Duration::from_secs_f64(seconds.round())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_values_that_read_well() {
        for (value, base, expected) in [
            (0.3, 1000.0, 0.5),
            (7.0, 1000.0, 10.0),
            (1234.0, 1000.0, 2000.0),
            (1500.0, 1024.0, 2.0 * 1024.0),
            (999.0, 1024.0, 1000.0),
        ] {
            let found = round_up(value, base);
            assert!((found - expected).abs() < 1e-9, "{value}: {found}");
        }
    }

    #[test]
    fn ticks_are_no_closer_than_there_is_room_for() {
        for least in [0.05, 0.3, 7.0, 100.0, 5000.0, 100_000.0] {
            assert!(tick(least) >= least);
        }
        assert_eq!([clock(0.0), clock(0.5), clock(120.0)], ["0", "0.5 s", "2 min"]);
    }

    #[test]
    fn a_mean_weighs_by_time() {
        assert!((mean(&[(1.0, 10.0), (4.0, 2.0), (9.0, 0.0)]) - 4.0).abs() < 1e-9);
        assert!(mean(&[]).abs() < 1e-9);
    }
}
