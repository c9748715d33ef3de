//! Reads the text format, strictly: version 0.0.4, without timestamps.

use std::collections::BTreeMap;

/// A family as it was read.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) kind: String,
    pub(super) samples: Vec<Sample>,
}

#[derive(Debug)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    /// As it stands there: a number.
    pub(super) value: String,
}

/// The families by name. Each has one HELP, then one TYPE, then its samples, no two of them with the same labels.
pub(super) fn read(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line has to end");
    let mut families = BTreeMap::new();
    let (mut current, mut helped) = (String::new(), None);
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(!help.contains('\\') && !help.is_empty(), "{line}");
            helped = Some(name.to_owned());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(helped.take().as_deref(), Some(name));
            let family = Family { kind: kind.to_owned(), samples: Vec::new() };
            assert!(families.insert(name.to_owned(), family).is_none(), "{name} comes twice");
            current = name.to_owned();
        } else {
            let family = families.get_mut(&current).unwrap();
            add(&current, family, sample(line));
        }
    }
    families
}

fn add(current: &str, family: &mut Family, sample: Sample) {
    let own = sample.name.strip_prefix(current).unwrap();
    let parts: &[&str] =
        if family.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
    assert!(parts.contains(&own), "{sample:?} in {current}");
    let is_same = |other: &Sample| (&other.name, &other.labels) == (&sample.name, &sample.labels);
    assert!(!family.samples.iter().any(is_same), "{sample:?} comes twice");
    family.samples.push(sample);
}

fn sample(line: &str) -> Sample {
    let (name, rest) = line.split_once('{').unwrap();
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
    let (labels, rest) = labels(rest);
    let value = rest.strip_prefix(' ').unwrap();
    assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
    Sample { name: name.to_owned(), labels, value: value.to_owned() }
}

/// The labels, and what follows the closing brace.
fn labels(mut rest: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    loop {
        let (name, after) = rest.split_once("=\"").unwrap();
        let (value, after) = value(after);
        assert!(labels.insert(name.to_owned(), value).is_none(), "{name} comes twice");
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (labels, after.strip_prefix('}').unwrap()),
        }
    }
}

/// A value up to its closing quote, and what follows that.
fn value(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    loop {
        match characters.next().unwrap() {
            (at, '"') => return (value, &text[at + 1..]),
            (_, '\\') => value.push(match characters.next().unwrap().1 {
                'n' => '\n',
                plain @ ('\\' | '"') => plain,
                other => panic!("no such escape: {other}"),
            }),
            (_, plain) => value.push(plain),
        }
    }
}
