use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;

use super::{policy, refused};
use crate::{Action, Expire, Keep, PolicyErrors, Problem, Retention, RuleId};

#[test]
fn a_whole_policy_is_read() {
    let text = r#"
version: 1
rules:
  - name: releases
    repositories: &team [team/**, {regex: "ops-[a-z]+"}]
    tags: "*"
    semver: ">=1.0.0"
    keep: always
  - {name: builds, repositories: *team, tags: ["build-*", {glob: "pr-*"}], keep: {last: 10, newer-than: 2w}}
  - name: old
    repositories: *team
    tags: "*"
    expire: {older-than: 30d}
  - name: nameless
    repositories: "**"
    untagged-after: 7d
  - name: never
    repositories: base
    untagged-after: never
"#;
    let policy = Retention::parse(text.as_bytes()).unwrap();
    let words: Vec<String> =
        policy.rules().iter().map(|rule| format!("{}: {rule}", rule.name)).collect();
    assert_eq!(
        words,
        [
            "releases: in team/** or /ops-[a-z]+/: \
             tags * that are versions >=1.0.0 (with pre-releases) always stay",
            "builds: in team/** or /ops-[a-z]+/: of tags build-* or pr-*, \
             the 10 written last in each repository and all of the last 2 weeks stay",
            "old: in team/** or /ops-[a-z]+/: \
             all tags go 30 days after they were written, unless another rule keeps them",
            "nameless: in **: manifests that no tag reaches go 1 week after they were pushed",
            "never: in base: manifests that no tag reaches stay",
        ]
    );
    let old = policy.rule(RuleId(2)).unwrap();
    assert_eq!((old.place.line, old.place.column), (10, 5));
    let Action::Expire(_, expire) = &old.action else { unreachable!() };
    assert_eq!(*expire, Expire::OlderThan(Duration::from_hours(720)));
    let Action::Keep(_, keep) = &policy.rules()[1].action else { unreachable!() };
    let newer_than = Some(Duration::from_hours(336));
    assert_eq!(*keep, Keep::Some { last: Some(10), newer_than });
    assert_eq!(policy.rule(RuleId(5)), None);
}

#[test]
fn pre_releases_are_kept_along_and_do_not_expire_along() {
    let rule = |action: &str| {
        let policy =
            policy(&format!("  - {{name: a, repositories: a, semver: '>=1', {action}}}\n"));
        match &policy.rules()[0].action {
            Action::Keep(scope, _) | Action::Expire(scope, _) => scope.holds("1.2.0-rc.1"),
            Action::Untagged(_) => unreachable!(),
        }
    };
    assert!(rule("keep: always"));
    assert!(!rule("keep: always, pre-releases: false"));
    assert!(!rule("expire: always"));
    assert!(rule("expire: always, pre-releases: true"));
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place_and_path() {
    let text = "\
version: 2
retention: 1
rules:
  - name: a
    repositories: [\"a**\", b]
    tags: [v*, {regex: \"(\"}]
    keep: {last: 0, newer_than: 3d}
  - name: a
    repository: x
    tags: x/y
    expire: {older-than: 6m}
  - repositories: []
    untagged-after: 30
    tags: '*'
  - name: b
    repositories: b
    keep: always
    expire: always
  - just text
";
    assert_eq!(
        refused(text),
        [
            "line 1, column 10: version: must be 1, the format that this regsweep understands",
            "line 2, column 1: retention: is not a field here; known are version, rules",
            "line 5, column 20: rules[1].repositories[1]: `**` stands for whole components: \
             `a/**`, `**/b`, `a/**/b`",
            "line 6, column 24: rules[1].tags[2].regex: is no regular expression: \
             found open group without closing ')'",
            "line 7, column 18: rules[1].keep.last: must be a whole number from 1 to 1000000",
            "line 7, column 21: rules[1].keep.newer_than: is not a field here; \
             is `newer-than` meant?",
            "line 8, column 5: rules[2].repositories: is missing",
            "line 9, column 5: rules[2].repository: is not a field here; \
             known are name, repositories, tags, semver, pre-releases, keep, expire, untagged-after",
            "line 10, column 11: rules[2].tags: no tag has a `/` in it",
            "line 11, column 26: rules[2].expire.older-than: `m` could be minutes or months; \
             write hours, days, weeks or years: 12h, 30d, 8w, 1y",
            "line 12, column 5: rules[3].name: is missing",
            "line 12, column 19: rules[3].repositories: must not be empty",
            "line 13, column 21: rules[3].untagged-after: must be a time such as 12h, 30d, 8w or \
             1y, and longer than nothing",
            "line 14, column 11: rules[3].tags: has no place in a rule with untagged-after, \
             which is about manifests that no tag reaches",
            "line 15, column 5: rules[4]: has keep and expire; a rule does one thing",
            "line 19, column 5: rules[5]: must hold fields: name, repositories, tags, semver, \
             pre-releases, keep, expire, untagged-after",
        ]
    );
}

#[test]
fn rules_that_need_facts_that_nobody_has_are_refused_by_name() {
    for (field, said) in [
        ("last-pulled", "keeps no record of when something was pulled last"),
        ("mostRecentlyPulledCount", "does not count how often"),
        ("pulledWithin", "keeps no record of when something was pulled last"),
        ("latestActiveK", "keeps no record of when something was pulled last"),
        ("nDaysSinceLastPull", "keeps no record of when something was pulled last"),
        ("min-downloads", "does not count how often"),
        ("labels", "labels and annotations"),
        ("created-before", "an image says of itself when it was made"),
        ("severity", "no results of scans"),
    ] {
        let text = format!(
            "version: 1\nrules:\n  - name: a\n    repositories: a\n    tags: a\n    keep: {{{field}: 3}}"
        );
        let refused = refused(&text);
        let place = format!("line 6, column 12: rules[1].keep.{field}: ");
        assert!(refused[0].starts_with(&place) && refused[0].contains(said), "{refused:?}");
    }
}

#[test]
fn what_is_not_said_clearly_is_refused() {
    let rule = |rest: &str| {
        refused(&format!("version: 1\nrules:\n  - {{name: a, repositories: a, {rest}}}\n"))
            .join("\n")
    };
    for (rest, said) in [
        ("keep: always", "does not say which tags are meant"),
        ("tags: '*', keep: {}", "must be always, or hold last or newer-than"),
        ("tags: '*', keep: 10", "must be always, or hold last or newer-than"),
        ("tags: '*', keep: ", "must be always"),
        ("tags: '*', expire: 30d", "must be always, or hold older-than"),
        ("tags: '*'", "does nothing"),
        ("tags: '*', pre-releases: true, keep: always", "needs `semver` beside it"),
        ("semver: '1.2', keep: always", "write `=1.2` or `^1.2`"),
        ("semver: '>=1', pre-releases: yes, keep: always", "must be true or false"),
        ("tags: {regex: '^v'}, keep: always", "write `^` and `$` at both ends or at neither"),
        ("tags: {regex: a, glob: a}, keep: always", "either regex or glob"),
        ("tags: {}, keep: always", "must not be empty"),
        ("tags: [], keep: always", "must not be empty"),
        ("tags: [[a]], keep: always", "must be a text"),
        ("tags: a, tags: b, keep: always", "is given a second time; the first is in line 3"),
        ("tags: '*', keep: {last: 1.5}", "must be a whole number"),
        ("tags: '*', keep: {last: +3}", "must be a whole number"),
    ] {
        assert!(rule(rest).contains(said), "{rest}: {}", rule(rest));
    }
    for (text, said) in [
        ("", "line 1, column 1: must hold fields: version, rules"),
        ("version: 1", "rules: is missing"),
        ("version: 1\nrules: 3", "line 2, column 8: rules: must be a list"),
        ("version: 1\nrules: []", "rules: must not be empty"),
        ("version: 1\nrules: [a\n", "line 3, column 1: "),
        ("version: 1\n---\nversion: 1\n", "line 3, column 1: a second document begins here"),
        ("version: !!int 1\n", "line 1, column 10: a policy has no YAML tags"),
    ] {
        assert!(refused(text).join("\n").contains(said), "{text}: {:?}", refused(text));
    }
}

#[test]
fn a_star_without_quotes_is_explained() {
    for tags in ["*", "[v1, *]", "*-dev"] {
        let text = format!("version: 1\nrules:\n  - name: a\n    tags: {tags}\n");
        let refused = refused(&text);
        assert!(refused[0].contains("line 4, "), "{refused:?}");
        assert!(refused[0].ends_with("what begins with `*` needs quotes: \"*\""), "{refused:?}");
    }
}

#[test]
fn names_are_told_apart() {
    let rule = "  - {name: a, repositories: a, tags: a, keep: always}\n";
    let text = format!("version: 1\nrules:\n{rule}{rule}");
    assert_eq!(
        refused(&text),
        ["line 4, column 5: rule `a`: is the name of the rule in line 3 too"]
    );
    let long = "x".repeat(101);
    for name in [long.as_str(), "\"a\\nb\"", "' '"] {
        let rule = format!("  - {{name: {name}, repositories: a, tags: a, keep: always}}");
        assert_eq!(refused(&format!("version: 1\nrules:\n{rule}")).len(), 1);
    }
}

#[test]
fn aliases_of_aliases_end_in_an_error() {
    let mut text = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (name, other) in ["b", "c", "d", "e", "f"].into_iter().zip(["a", "b", "c", "d", "e"]) {
        let many = vec![format!("*{other}"); 10].join(", ");
        writeln!(text, "{name}: &{name} [{many}]").unwrap();
    }
    assert!(refused(&text)[0].ends_with("the file holds too many values"), "{text}");
    let deep = "[".repeat(200);
    assert!(refused(&deep)[0].contains("too deep"));
    assert!(refused("&a [*a]")[0].contains("the alias stands inside the value it names"));
}

#[test]
fn what_is_no_text_or_too_long_is_refused() {
    let problem = |bytes: &[u8]| Retention::parse(bytes).unwrap_err().all()[0].problem.clone();
    assert_eq!(problem(b"version: \xff"), Problem::NotUtf8);
    let long = vec![b' '; Retention::LIMIT + 1];
    assert_eq!(problem(&long), Problem::TooLong { limit: Retention::LIMIT });
    let many = "version: 1\nrules:\n".to_owned() + &"  - x\n".repeat(1000);
    assert_eq!(refused(&many).len(), PolicyErrors::LIMIT);
}

/// Pieces of which texts are made that nearly are policies.
const PIECES: [&str; 38] = [
    "version: 1\n",
    "rules:\n",
    "  - ",
    "name: ",
    "    repositories: ",
    "tags: ",
    "semver: ",
    "keep: ",
    "expire: ",
    "always\n",
    "untagged-after: ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "last: 3",
    "newer-than: 3d",
    "older-than: 1y",
    "'*'",
    "*",
    "&a ",
    "*a",
    "\n",
    "\n    ",
    "\"",
    "|\n",
    ">-\n",
    "? ",
    "!!str ",
    "a/**",
    "regex: '^a$'",
    ">=1.2",
    "never",
    "\t",
    "\u{feff}",
    "# x\n",
    "\u{e9}",
];

proptest! {
    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(Retention::parse(&bytes));
    }

    #[test]
    fn reading_what_is_nearly_a_policy_never_panics_and_says_where(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40),
    ) {
        let text = pieces.concat();
        if let Err(errors) = Retention::parse(text.as_bytes()) {
            prop_assert!(!errors.all().is_empty());
            for error in errors.all() {
                prop_assert!(error.place.line > 0 && error.place.column > 0);
                prop_assert!(error.place.line <= text.lines().count() + 2, "{error}");
            }
        }
    }
}
