//! From values to rules.

use std::sync::Arc;

use crate::rule::{Action, Expire, Keep, Rule, Scope};
use crate::section::{Findings, Section, text};
use crate::yaml::{Node, Value};
use crate::{Pattern, Problem, Versions};

const FILE: &[&str] = &["version", "rules"];
const RULE: &[&str] =
    &["name", "repositories", "tags", "semver", "pre-releases", "keep", "expire", "untagged-after"];
const ACTIONS: [&str; 3] = ["keep", "expire", "untagged-after"];
const KEEP: &[&str] = &["last", "newer-than"];
const EXPIRE: &[&str] = &["older-than"];
const PATTERN: &[&str] = &["regex", "glob"];

/// The longest name of a rule, in characters: it stands in every row of a plan.
const NAME_LIMIT: usize = 100;

/// The largest number of tags to keep.
const LAST_LIMIT: usize = 1_000_000;

/// Reads a whole file; what is wrong is noted.
pub(crate) fn rules(document: &Node, findings: &mut Findings) -> Vec<Rule> {
    let Some(file) = Section::open(document, String::new(), FILE, findings) else {
        return Vec::new();
    };
    if file.need("version", findings).is_some() {
        let known = |text: &str| if text == "1" { Ok(()) } else { Err(Problem::Version) };
        file.read("version", findings, known);
    }
    let Some(node) = file.need("rules", findings) else { return Vec::new() };
    let Value::List(items) = &node.value else {
        findings.add(node.place, "rules", Problem::NotList);
        return Vec::new();
    };
    if items.is_empty() {
        findings.add(node.place, "rules", Problem::Empty);
    }
    let rules = items.iter().zip(1..).filter_map(|(item, number)| rule(item, number, findings));
    let rules: Vec<Rule> = rules.collect();
    refuse_same_names(&rules, findings);
    rules
}

fn refuse_same_names(rules: &[Rule], findings: &mut Findings) {
    for (at, rule) in rules.iter().enumerate() {
        if let Some(first) = rules[..at].iter().find(|other| other.name == rule.name) {
            let problem = Problem::SameName { first: first.place.line };
            findings.add(rule.place, format!("rule `{}`", rule.name), problem);
        }
    }
}

fn rule(node: &Node, number: usize, findings: &mut Findings) -> Option<Rule> {
    let section = Section::open(node, format!("rules[{number}]"), RULE, findings)?;
    section.need("name", findings);
    let name = section.read("name", findings, name);
    section.need("repositories", findings);
    let repositories = patterns(&section, "repositories", false, findings);
    let action = action(&section, findings);
    Some(Rule { name: name?, place: section.place, repositories: repositories?, action: action? })
}

fn name(text: &str) -> Result<Arc<str>, Problem> {
    let is_readable = !text.chars().any(char::is_control) && text.chars().count() <= NAME_LIMIT;
    match text.trim() {
        "" => Err(Problem::Empty),
        name if is_readable => Ok(name.into()),
        _ => Err(Problem::NotName { most: NAME_LIMIT }),
    }
}

fn action(section: &Section<'_>, findings: &mut Findings) -> Option<Action> {
    let given: Vec<&str> =
        ACTIONS.into_iter().filter(|action| section.get(action).is_some()).collect();
    match given[..] {
        ["keep"] => {
            let (scope, keep) = (scope(section, true, findings), keep(section, findings));
            Some(Action::Keep(scope?, keep?))
        }
        ["expire"] => {
            let (scope, expire) = (scope(section, false, findings), expire(section, findings));
            Some(Action::Expire(scope?, expire?))
        }
        ["untagged-after"] => untagged(section, findings),
        [] => {
            findings.add(section.place, section.path.clone(), Problem::NoAction);
            None
        }
        _ => {
            let given = ACTIONS.into_iter().filter(|action| section.get(action).is_some());
            let problem = Problem::SeveralActions(given.collect());
            findings.add(section.place, section.path.clone(), problem);
            None
        }
    }
}

fn untagged(section: &Section<'_>, findings: &mut Findings) -> Option<Action> {
    for field in ["tags", "semver", "pre-releases"] {
        if let Some(node) = section.get(field) {
            findings.add(node.place, section.path_of(field), Problem::TagsOfUntagged);
        }
    }
    if is_word(section, "untagged-after", "never") {
        return Some(Action::Untagged(None));
    }
    section.span("untagged-after", findings).map(Some).map(Action::Untagged)
}

/// Whether a field is this very word.
fn is_word(section: &Section<'_>, field: &str, word: &str) -> bool {
    section.get(field).is_some_and(|node| text(node) == Ok(word))
}

/// The tags that are meant. Where `keeps`, pre-releases are unless the rule says otherwise, and else they are not:
/// doubt keeps (G4).
fn scope(section: &Section<'_>, keeps: bool, findings: &mut Findings) -> Option<Scope> {
    let tags = patterns(section, "tags", true, findings);
    let pre_releases = section.read("pre-releases", findings, boolean);
    let take = pre_releases.unwrap_or(keeps);
    let versions = section.read("semver", findings, |text| Versions::parse(text, take));
    match (section.get("tags"), section.get("semver")) {
        (None, None) => {
            findings.add(section.place, section.path.clone(), Problem::NoTags);
            return None;
        }
        (Some(_), _) if tags.is_none() => return None,
        (_, Some(_)) if versions.is_none() => return None,
        _ => {}
    }
    if let (Some(node), None) = (section.get("pre-releases"), section.get("semver")) {
        findings.add(node.place, section.path_of("pre-releases"), Problem::Needs("semver"));
    }
    Some(Scope { tags: tags.unwrap_or_default(), versions })
}

fn boolean(text: &str) -> Result<bool, Problem> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Problem::NotBoolean),
    }
}

fn keep(section: &Section<'_>, findings: &mut Findings) -> Option<Keep> {
    if is_word(section, "keep", "always") {
        return Some(Keep::Always);
    }
    let inner = detail(section, "keep", KEEP, "always, or hold last or newer-than", findings)?;
    let last = inner.read("last", findings, number);
    let newer_than = inner.span("newer-than", findings);
    (last.is_some() || newer_than.is_some()).then_some(Keep::Some { last, newer_than })
}

fn expire(section: &Section<'_>, findings: &mut Findings) -> Option<Expire> {
    if is_word(section, "expire", "always") {
        return Some(Expire::Always);
    }
    let inner = detail(section, "expire", EXPIRE, "always, or hold older-than", findings)?;
    inner.span("older-than", findings).map(Expire::OlderThan)
}

/// The fields of an action that is not a word. One that has none is noted.
fn detail<'n>(
    section: &Section<'n>,
    action: &str,
    known: &'static [&'static str],
    expected: &'static str,
    findings: &mut Findings,
) -> Option<Section<'n>> {
    let (node, path) = (section.get(action)?, section.path_of(action));
    match &node.value {
        Value::Fields(fields) if !fields.is_empty() => Section::open(node, path, known, findings),
        _ => {
            findings.add(node.place, path, Problem::NotWord(expected));
            None
        }
    }
}

fn number(text: &str) -> Result<usize, Problem> {
    let number = text.parse().ok().filter(|number| (1..=LAST_LIMIT).contains(number));
    number.filter(|_| !text.starts_with('+')).ok_or(Problem::NotNumber { most: LAST_LIMIT })
}

/// One pattern or a list of them; `None` where it is not there, or any of them is wrong.
fn patterns(
    section: &Section<'_>,
    field: &str,
    are_tags: bool,
    findings: &mut Findings,
) -> Option<Vec<Pattern>> {
    let (node, path) = (section.get(field)?, section.path_of(field));
    let Value::List(items) = &node.value else {
        return Some(vec![pattern(node, &path, are_tags, findings)?]);
    };
    if items.is_empty() {
        findings.add(node.place, path, Problem::Empty);
        return None;
    }
    let read: Vec<Option<Pattern>> = items
        .iter()
        .zip(1..)
        .map(|(item, number)| pattern(item, &format!("{path}[{number}]"), are_tags, findings))
        .collect();
    read.into_iter().collect()
}

/// A glob as a text, or `regex` or `glob` as a field.
fn pattern(node: &Node, path: &str, are_tags: bool, findings: &mut Findings) -> Option<Pattern> {
    let is_wrong = |text: &str| are_tags && text.contains('/');
    let check = |text: &str| if is_wrong(text) { Err(Problem::SlashInTag) } else { Ok(()) };
    let Value::Fields(fields) = &node.value else {
        let glob = text(node).and_then(|text| check(text).and_then(|()| Pattern::glob(text)));
        return findings.take(node, path, glob);
    };
    let section = Section::open(node, path.to_owned(), PATTERN, findings)?;
    if fields.len() > 1 {
        findings.add(node.place, path, Problem::NotWord("either regex or glob"));
        return None;
    }
    let regex = section.read("regex", findings, Pattern::regex);
    let glob =
        section.read("glob", findings, |text| check(text).and_then(|()| Pattern::glob(text)));
    if fields.is_empty() {
        findings.add(node.place, path, Problem::Empty);
    }
    regex.or(glob)
}
