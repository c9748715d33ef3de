//! What the text says.

use std::collections::BTreeSet;
use std::time::Duration;

use monitor::{Counter, Ending, Garbage, Monitor, Phase, RequestKind};
use proptest::prelude::*;

use super::reader::{self, Sample, read};
use super::{ended, instant, text_of};
use crate::table::{FAMILIES, Family, counters};
use crate::{Former, Label, LabelError, Labels};

fn value<'f>(family: &'f reader::Family, labels: &[(&str, &str)]) -> &'f str {
    let has = |sample: &&Sample| {
        labels.iter().all(|(name, value)| sample.labels.get(*name).is_some_and(|is| is == value))
    };
    let mut found = family.samples.iter().filter(has);
    let sample = found.next().unwrap();
    assert!(found.next().is_none(), "{labels:?} is not enough");
    &sample.value
}

fn whole(sample: &Sample) -> u64 {
    sample.value.parse().unwrap()
}

#[test]
fn every_counter_is_in_the_table_exactly_once() {
    let mut told: Vec<Counter> = counters().map(|(_, counter)| counter).collect();
    told.sort();
    assert_eq!(told, Counter::ALL);
    let names: BTreeSet<String> = counters().map(|(name, _)| name).collect();
    assert_eq!(names.len(), Counter::ALL.len());
    assert!(names.contains("freed_bytes") && names.contains("requests.list"), "{names:?}");
}

/// `REGSWEEP_BLESS=1` writes the file anew.
#[test]
fn the_text_is_the_one_that_is_documented() {
    let monitor = Monitor::timed(instant);
    monitor.count(Counter::FreedBytes, 1 << 40);
    monitor.exchanged(RequestKind::Delete, Ending::Ok, Duration::from_millis(80));
    monitor.note(Garbage::Planned, 1_700_000_000_000);
    let said = text_of(&monitor, Some(ended(1_764_000_060, 0)), &Former::default());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/expected.prom");
    if std::env::var_os("REGSWEEP_BLESS").is_some() {
        std::fs::write(path, &said).unwrap();
    }
    assert_eq!(said, std::fs::read_to_string(path).unwrap_or_default());
}

#[test]
fn alerts_ask_for_what_is_there() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/prometheus/alerts.yml");
    let alerts = std::fs::read_to_string(path).unwrap();
    let is_inside = |c: char| c.is_ascii_lowercase() || c == '_';
    let words = alerts.split(|c| !is_inside(c)).filter(|word| word.starts_with("regsweep_"));
    let asked: BTreeSet<&str> = words.collect();
    let there: BTreeSet<&str> = FAMILIES.iter().map(|family| family.name).collect();
    assert!(asked.len() > 4 && asked.is_subset(&there), "{asked:?}");
}

#[test]
fn the_book_tells_of_every_family() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../book/src/reference/metrics.md");
    let page = std::fs::read_to_string(path).unwrap();
    let families = read(&text_of(&Monitor::timed(instant), None, &Former::default()));
    for Family { name, kind, help, .. } in FAMILIES {
        let samples = families.get(*name).map_or(&[][..], |family| &family.samples);
        let labels = samples.first().into_iter().flat_map(|sample| sample.labels.keys());
        let labels = labels.filter(|label| !["command", "le"].contains(&label.as_str()));
        let labels: Vec<String> = labels.map(|label| format!("`{label}`")).collect();
        let row = format!("| `{name}` | {} | {} | {help} |", kind.name(), labels.join(", "));
        assert!(page.lines().any(|line| line == row), "{row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, FAMILIES.len());
}

#[test]
fn names_follow_the_rules_of_the_field() {
    let names: BTreeSet<&str> = FAMILIES.iter().map(|family| family.name).collect();
    assert_eq!(names.len(), FAMILIES.len());
    for family in FAMILIES {
        let (name, help) = (family.name, family.help);
        assert!(name.starts_with("regsweep_"), "{name}");
        assert_eq!(name.ends_with("_total"), family.kind.name() == "counter", "{name}");
        assert!(help.ends_with('.') && !help.contains(['\\', '\n']), "{name}: {help}");
    }
}

#[test]
fn every_counter_has_its_value_in_a_text_that_others_can_read() {
    let monitor = Monitor::new();
    for (n, counter) in (1..).zip(Counter::ALL) {
        monitor.count(*counter, n);
    }
    let families = read(&text_of(&monitor, Some(ended(7, 0)), &Former::default()));
    let mut values: Vec<u64> = families
        .iter()
        .filter(|(name, family)| family.kind == "counter" && !name.contains("outcomes"))
        .flat_map(|(_, family)| family.samples.iter().map(whole))
        .collect();
    values.sort_unstable();
    let all: Vec<u64> = (1..).zip(Counter::ALL).map(|(n, _)| n).collect();
    assert_eq!(values, all);
    let has_command = |sample: &Sample| sample.labels["command"] == "gc";
    assert!(families.values().flat_map(|family| &family.samples).all(has_command));
}

#[test]
fn requests_are_told_by_outcome_and_by_how_long_they_took() {
    let monitor = Monitor::new();
    for millis in [1, 5, 6, 70_000] {
        monitor.exchanged(RequestKind::Get, Ending::Missing, Duration::from_millis(millis));
    }
    let families = read(&text_of(&monitor, None, &Former::default()));
    let outcomes = &families["regsweep_request_outcomes_total"];
    assert_eq!(value(outcomes, &[("kind", "get"), ("outcome", "missing")]), "4");
    assert_eq!(outcomes.samples.iter().map(whole).sum::<u64>(), 4);
    let taken = &families["regsweep_request_duration_seconds"];
    let bucket = |le| value(taken, &[("kind", "get"), ("le", le)]);
    assert_eq!(
        [bucket("0.005"), bucket("0.01"), bucket("60"), bucket("+Inf")],
        ["2", "3", "3", "4"]
    );
    let of_get = |name: &str| {
        let is_it =
            |sample: &&Sample| sample.name.ends_with(name) && sample.labels["kind"] == "get";
        &*taken.samples.iter().find(is_it).unwrap().value
    };
    assert_eq!((of_get("_sum"), of_get("_count")), ("70.012", "4"));
}

#[test]
fn exactly_one_phase_is_the_one_it_is_in() {
    let monitor = Monitor::timed(instant);
    monitor.enter(Phase::Marking);
    let families = read(&text_of(&monitor, None, &Former::default()));
    let phases = &families["regsweep_phase"];
    assert_eq!(value(phases, &[("phase", "marking")]), "1");
    assert_eq!(phases.samples.iter().map(whole).sum::<u64>(), 1);
    assert_eq!(phases.samples.len(), Phase::ALL.len());
    assert_eq!(families["regsweep_phase_seconds"].samples.len(), Phase::ALL.len());
}

#[test]
fn what_is_not_known_is_left_out() {
    let families = read(&text_of(&Monitor::new(), None, &Former::default()));
    for unknown in ["last_run", "last_success", "oldest_garbage"] {
        assert!(!families.keys().any(|name| name.contains(unknown)), "{unknown}");
    }
    assert_eq!(value(&families["regsweep_run_start_timestamp_seconds"], &[]), "1764000000.123");
    assert_eq!(value(&families["regsweep_build_info"], &[("version", "1.2.3")]), "1");
}

#[test]
fn labels_that_would_be_read_as_something_else_are_refused() {
    let label = |name: &str| format!("{name}=value").parse::<Label>();
    for name in ["", "1a", "a-b", "ä", "a b"] {
        assert_eq!(label(name), Err(LabelError::Name(name.to_owned())));
    }
    for name in ["le", "command", "job", "__name__", "kind"] {
        assert_eq!(label(name), Err(LabelError::Taken(name.to_owned())));
    }
    assert_eq!("cluster".parse::<Label>(), Err(LabelError::NoValue("cluster".to_owned())));
}

#[test]
fn of_two_labels_with_one_name_the_last_counts() {
    let label = |text: &str| text.parse::<Label>().unwrap();
    let labels = Labels::of("gc").with(label("a=1")).with(label("b=x=y")).with(label("a=2"));
    assert_eq!(labels.series("n", &[]), r#"n{command="gc",b="x=y",a="2"}"#);
}

proptest! {
    #[test]
    fn any_value_of_a_label_reads_back(given in ".*|[\\\\\"\n]*") {
        let labels = Labels::of("gc").with(format!("where={given}").parse().unwrap());
        let line = labels.series("regsweep_x", &[("le", "1")]) + " 1\n";
        let families = read(&format!("# HELP regsweep_x h\n# TYPE regsweep_x gauge\n{line}"));
        let sample = &families["regsweep_x"].samples[0];
        prop_assert_eq!(&sample.labels["where"], &given);
        prop_assert_eq!(&sample.labels["le"], "1");
    }
}
