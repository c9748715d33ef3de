//! The text.

use std::fmt::{Arguments, Display, Write as _};
use std::time::{Duration, Instant};

use monitor::{BOUNDS, Ending, Monitor, Phase, RequestKind, Step};

use crate::names;
use crate::seconds::seconds;
use crate::table::{FAMILIES, Family, Source};
use crate::{Labels, Run};

/// All samples of a run. Those that are not known are left out, with the help and type of their family.
#[must_use]
pub fn text(monitor: &Monitor, run: &Run<'_>) -> String {
    let mut page = Page { text: String::new(), labels: run.labels, family: None };
    for family in FAMILIES {
        page.family = Some(family);
        write(&mut page, family, monitor, run);
    }
    page.text
}

struct Page<'a> {
    text: String,
    labels: &'a Labels,
    /// The family whose help is yet to be written.
    family: Option<&'static Family>,
}

impl Page<'_> {
    fn sample(&mut self, name: &str, own: &[(&str, &str)], value: impl Display) {
        if let Some(Family { name, kind, help, .. }) = self.family.take() {
            let kind = kind.name();
            self.line(format_args!("# HELP {name} {help}"));
            self.line(format_args!("# TYPE {name} {kind}"));
        }
        let series = self.labels.series(name, own);
        self.line(format_args!("{series} {value}"));
    }

    fn line(&mut self, line: Arguments<'_>) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

fn write(page: &mut Page<'_>, family: &Family, monitor: &Monitor, run: &Run<'_>) {
    let name = family.name;
    match family.source {
        Source::One(counter) => page.sample(name, &[], monitor.get(counter)),
        Source::By(label, counters) => {
            for (value, counter) in counters {
                page.sample(name, &[(label, value)], monitor.get(*counter));
            }
        }
        Source::Outcomes => outcomes(page, name, monitor),
        Source::Latencies => latencies(page, name, monitor),
        Source::Phase => phases(page, name, monitor.phase()),
        Source::PhaseSeconds => phase_seconds(page, name, &monitor.course(), run.now),
        Source::Version => page.sample(name, &[("version", run.version)], 1),
        Source::Began => page.sample(name, &[], seconds(run.began)),
        Source::LastRun => known(page, name, run.last().map(|last| seconds(last.at))),
        Source::LastExitCode => known(page, name, run.last().map(|last| last.exit_code)),
        Source::LastSuccess => known(page, name, run.last_success().map(seconds)),
        Source::OldestGarbage => known(page, name, run.oldest_garbage(monitor).map(seconds)),
    }
}

fn known(page: &mut Page<'_>, name: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        page.sample(name, &[], value);
    }
}

fn outcomes(page: &mut Page<'_>, name: &str, monitor: &Monitor) {
    for kind in RequestKind::ALL {
        for ending in Ending::ALL {
            let labels = [("kind", names::kind(*kind)), ("outcome", names::ending(*ending))];
            page.sample(name, &labels, monitor.ended(*kind, *ending));
        }
    }
}

/// Each bucket holds those of the smaller ones too.
fn latencies(page: &mut Page<'_>, name: &str, monitor: &Monitor) {
    let (bucket, sum, count) =
        (format!("{name}_bucket"), format!("{name}_sum"), format!("{name}_count"));
    for kind in RequestKind::ALL {
        let (taken, kind) = (monitor.latencies(*kind), ("kind", names::kind(*kind)));
        let bounds = BOUNDS.iter().map(|bound| bound.as_secs_f64().to_string());
        let mut so_far = 0;
        for (bound, times) in bounds.chain(["+Inf".to_owned()]).zip(taken.buckets) {
            so_far += times;
            page.sample(&bucket, &[kind, ("le", &bound)], so_far);
        }
        page.sample(&sum, &[kind], taken.sum.as_secs_f64());
        page.sample(&count, &[kind], so_far);
    }
}

fn phases(page: &mut Page<'_>, name: &str, now: Phase) {
    for phase in Phase::ALL {
        page.sample(name, &[("phase", names::phase(*phase))], u8::from(*phase == now));
    }
}

/// A phase may be entered more than once. Where no clock was at hand nothing is known.
fn phase_seconds(page: &mut Page<'_>, name: &str, course: &[Step], now: Instant) {
    if course.is_empty() {
        return;
    }
    let ends = course.iter().skip(1).map(|step| step.at).chain([now]);
    let parts: Vec<(Phase, Duration)> = course
        .iter()
        .zip(ends)
        .map(|(step, end)| (step.phase, end.saturating_duration_since(step.at)))
        .collect();
    for phase in Phase::ALL {
        let of_phase = parts.iter().filter(|(of, _)| of == phase);
        let took: Duration = of_phase.map(|(_, took)| *took).sum();
        page.sample(name, &[("phase", names::phase(*phase))], took.as_secs_f64());
    }
}
