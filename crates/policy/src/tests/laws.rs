//! Laws that hold for any rules and any tags.

use std::time::Duration;

use proptest::prelude::*;
use registry::{Digest, Timestamp};

use crate::{
    Action, Expire, Judgement, Keep, Moment, Pattern, Place, Retention, Rule, Scope, TaggedAt,
    Verdict, Versions,
};

const T0: Timestamp = Timestamp::from_seconds(1_000_000_000);
const REPOSITORIES: [&str; 4] = ["a", "team/a", "team/b", "team/b/c"];

fn moment() -> Moment {
    Moment { t0: T0, cutoff: T0.before(Duration::from_hours(24)) }
}

fn days(count: u64) -> Duration {
    Duration::from_hours(24 * count)
}

fn repositories() -> impl Strategy<Value = Vec<Pattern>> {
    let globs = prop::sample::select(vec!["a", "team/*", "team/**", "**", "team/b"]);
    prop::collection::vec(globs.prop_map(|glob| Pattern::glob(glob).unwrap()), 1..3)
}

fn scope() -> impl Strategy<Value = Scope> {
    let globs = prop::sample::select(vec!["*", "v*", "pr-*", "?", "sha256-*", "*.1*"]);
    let tags = prop::collection::vec(globs.prop_map(|glob| Pattern::glob(glob).unwrap()), 0..3);
    let ranges = prop::sample::select(vec![">=1.0.0", "<1", "=1.1.0-rc.1"]);
    let versions = prop::option::weighted(0.3, (ranges, any::<bool>()));
    (tags, versions).prop_map(|(tags, versions)| Scope {
        tags,
        versions: versions.map(|(range, pre)| Versions::parse(range, pre).unwrap()),
    })
}

fn keep() -> impl Strategy<Value = Keep> {
    let some = (prop::option::of(1..4usize), prop::option::of((0..40u64).prop_map(days)));
    prop_oneof![
        Just(Keep::Always),
        some.prop_map(|(last, newer_than)| Keep::Some { last, newer_than }),
    ]
}

fn expire() -> impl Strategy<Value = Expire> {
    prop_oneof![Just(Expire::Always), (0..40u64).prop_map(|age| Expire::OlderThan(days(age)))]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (scope(), keep()).prop_map(|(scope, keep)| Action::Keep(scope, keep)),
        (scope(), expire()).prop_map(|(scope, expire)| Action::Expire(scope, expire)),
        prop::option::of((0..40u64).prop_map(days)).prop_map(Action::Untagged),
    ]
}

prop_compose! {
    fn rule()(repositories in repositories(), action in action()) -> Rule {
        Rule { name: "x".into(), place: Place { line: 1, column: 1 }, repositories, action }
    }
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    prop::collection::vec(rule(), 0..7)
}

/// Distinct tags with their times.
fn tags() -> impl Strategy<Value = Vec<(String, Option<Timestamp>)>> {
    let signature = format!("sha256-{}.sig", Digest::sha256(b"x").hex());
    let name = prop_oneof![
        prop::sample::select(vec!["v1", "v1.1.0", "1.1.0-rc.1", "0.9.0", "latest", "x"])
            .prop_map(str::to_owned),
        (0..20u8).prop_map(|number| format!("pr-{number}")),
        Just(signature),
    ];
    let written = prop::option::weighted(
        0.9,
        (0..50i64).prop_map(|half_days| {
            Timestamp::from_millis(T0.as_millis() - half_days * 12 * 3_600_000)
        }),
    );
    prop::collection::btree_map(name, written, 0..12).prop_map(|tags| tags.into_iter().collect())
}

fn judge(
    rules: &[Rule],
    repository: &str,
    tags: &[(String, Option<Timestamp>)],
) -> Option<Judgement> {
    let tags: Vec<TaggedAt<'_>> =
        tags.iter().map(|(tag, written)| TaggedAt { tag, written: *written }).collect();
    Retention::of(rules.to_vec()).judge(repository, &tags, &moment())
}

/// The positions of the tags that may go, now or with their subject.
fn going(judgement: Option<&Judgement>) -> Vec<usize> {
    let tags = judgement.map(|judgement| judgement.tags.as_slice()).unwrap_or_default();
    let is_going = |(_, verdict): &(usize, &Verdict)| !matches!(verdict, Verdict::Keep(_));
    tags.iter().enumerate().filter(is_going).map(|(at, _)| at).collect()
}

/// After what time untagged manifests go; never is longer than all.
fn untagged_after(judgement: Option<&Judgement>) -> Duration {
    judgement.and_then(|judgement| judgement.untagged).map_or(Duration::MAX, |found| found.after)
}

/// Whether a rule keeps a tag, said once more in the plainest way.
fn is_kept_by(rule: &Rule, at: usize, tags: &[(String, Option<Timestamp>)]) -> bool {
    let (Action::Keep(scope, keep), (tag, Some(written))) = (&rule.action, &tags[at]) else {
        return false;
    };
    let Keep::Some { last, newer_than } = keep else { return scope.holds(tag) };
    let counts = |tag: &str| scope.holds(tag) && !tag.starts_with("sha256-");
    let later = tags.iter().filter(|(other, when)| {
        counts(other) && when.is_some_and(|when| (when, other) > (*written, tag))
    });
    let is_last = last.is_some_and(|last| later.count() < last);
    let is_new = newer_than.is_some_and(|span| T0.since(*written) < span);
    counts(tag) && (is_last || is_new)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn keep_wins_over_whatever_lets_go(
        rules in rules(), tags in tags(), repository in prop::sample::select(&REPOSITORIES[..]),
    ) {
        let judgement = judge(&rules, repository, &tags);
        for at in going(judgement.as_ref()) {
            let keeps = |rule: &&Rule| rule.covers(repository) && is_kept_by(rule, at, &tags);
            prop_assert_eq!(rules.iter().find(keeps), None, "{:?}", tags[at]);
        }
    }

    #[test]
    fn what_expires_was_let_go_by_the_rule_that_is_named(
        rules in rules(), tags in tags(), repository in prop::sample::select(&REPOSITORIES[..]),
    ) {
        let Some(judgement) = judge(&rules, repository, &tags) else { return Ok(()) };
        for ((tag, written), verdict) in tags.iter().zip(&judgement.tags) {
            let Verdict::Expire(id) = verdict else { continue };
            let rule = &rules[id.0];
            prop_assert!(rule.covers(repository));
            let Action::Expire(scope, expire) = &rule.action else { unreachable!() };
            prop_assert!(scope.holds(tag));
            if let Expire::OlderThan(age) = expire {
                prop_assert!(T0.since(written.unwrap()) > *age);
            }
        }
    }

    #[test]
    fn the_order_of_rules_and_of_tags_does_not_matter(
        (rules, shuffled) in rules().prop_flat_map(|rules| {
            (Just(rules.clone()), Just(rules).prop_shuffle())
        }),
        (tags, mixed) in tags().prop_flat_map(|tags| (Just(tags.clone()), Just(tags).prop_shuffle())),
        repository in prop::sample::select(&REPOSITORIES[..]),
    ) {
        let (one, other) = (judge(&rules, repository, &tags), judge(&shuffled, repository, &mixed));
        prop_assert_eq!(one.is_some(), other.is_some());
        prop_assert_eq!(untagged_after(one.as_ref()), untagged_after(other.as_ref()));
        let names = |judgement: Option<&Judgement>, tags: &[(String, Option<Timestamp>)]| {
            let mut names: Vec<String> =
                going(judgement).into_iter().map(|at| tags[at].0.clone()).collect();
            names.sort();
            names
        };
        prop_assert_eq!(names(one.as_ref(), &tags), names(other.as_ref(), &mixed));
    }

    #[test]
    fn g1_g4_what_is_young_or_of_unknown_time_stays(
        rules in rules(), tags in tags(), repository in prop::sample::select(&REPOSITORIES[..]),
    ) {
        let judgement = judge(&rules, repository, &tags);
        for at in going(judgement.as_ref()) {
            prop_assert!(tags[at].1.is_some_and(|written| written < moment().cutoff));
        }
    }

    #[test]
    fn another_rule_that_keeps_never_lets_more_go(
        rules in rules(), tags in tags(), more in rule().prop_filter("keeps", |rule| !rule.lets_go()), at in 0..8usize,
        repository in prop::sample::select(&REPOSITORIES[..]),
    ) {
        let mut longer = rules.clone();
        longer.insert(at.min(rules.len()), more);
        let (before, after) =
            (judge(&rules, repository, &tags), judge(&longer, repository, &tags));
        let (gone, still) = (going(before.as_ref()), going(after.as_ref()));
        prop_assert!(still.iter().all(|at| gone.contains(at)), "{gone:?} {still:?}");
        prop_assert!(untagged_after(after.as_ref()) >= untagged_after(before.as_ref()));
    }

    #[test]
    fn another_rule_that_expires_never_keeps_more(
        rules in rules(), tags in tags(), scope in scope(), expire in expire(),
        repositories in repositories(), repository in prop::sample::select(&REPOSITORIES[..]),
    ) {
        let action = Action::Expire(scope, expire);
        let place = Place { line: 1, column: 1 };
        let more = Rule { name: "more".into(), place, repositories, action };
        let longer = [&rules[..], &[more]].concat();
        let before = judge(&rules, repository, &tags);
        let after = judge(&longer, repository, &tags);
        let (gone, still) = (going(before.as_ref()), going(after.as_ref()));
        prop_assert!(gone.iter().all(|at| still.contains(at)), "{gone:?} {still:?}");
    }

    #[test]
    fn a_repository_that_no_rule_lets_anything_of_go_is_left_alone(
        rules in rules(), tags in tags(), repository in prop::sample::select(&REPOSITORIES[..]),
    ) {
        let is_covered = rules.iter().any(|rule| rule.lets_go() && rule.covers(repository));
        prop_assert_eq!(judge(&rules, repository, &tags).is_some(), is_covered);
        prop_assert_eq!(Retention::of(rules).covers(repository), is_covered);
    }

    #[test]
    fn another_repository_changes_nothing(
        rules in rules(), tags in tags(), repository in prop::sample::select(&REPOSITORIES[..]),
    ) {
        let own: Vec<Rule> =
            rules.iter().filter(|rule| rule.covers(repository)).cloned().collect();
        let (all, own) = (judge(&rules, repository, &tags), judge(&own, repository, &tags));
        prop_assert_eq!(going(all.as_ref()), going(own.as_ref()));
    }
}
