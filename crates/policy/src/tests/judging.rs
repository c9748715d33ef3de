use registry::{Digest, Timestamp};

use super::policy;
use crate::{Judgement, Kept, Moment, RuleId, Subject, TaggedAt, Verdict};

const T0: Timestamp = Timestamp::from_seconds(1_000_000_000);

fn moment() -> Moment {
    Moment { t0: T0, cutoff: T0.before(hours(24)) }
}

fn hours(count: u64) -> std::time::Duration {
    std::time::Duration::from_hours(count)
}

fn days_ago(days: u64) -> Timestamp {
    T0.before(hours(24 * days))
}

/// What becomes of tags that were written so many days ago, in a repository `a`.
fn judged(rules: &str, tags: &[(&str, u64)]) -> Vec<Verdict> {
    let tags: Vec<TaggedAt<'_>> =
        tags.iter().map(|(tag, days)| TaggedAt { tag, written: Some(days_ago(*days)) }).collect();
    policy(rules).judge("a", &tags, &moment()).unwrap().tags
}

const fn by(rule: usize) -> Verdict {
    Verdict::Keep(Kept::ByRule(RuleId(rule)))
}

const fn gone(rule: usize) -> Verdict {
    Verdict::Expire(RuleId(rule))
}

const STAYS: Verdict = Verdict::Keep(Kept::ByNone);

#[test]
fn the_last_few_stay_and_ties_go_to_the_later_name() {
    let rules = "
  - {name: old, repositories: a, tags: 'b*', expire: always}
  - {name: last, repositories: a, tags: 'b*', keep: {last: 2}}
";
    let tags = [("b1", 9), ("b4", 5), ("b3", 5), ("b2", 5), ("other", 99)];
    assert_eq!(judged(rules, &tags), [gone(0), by(1), by(1), gone(0), STAYS]);
}

#[test]
fn what_is_newer_or_among_the_last_stays() {
    let rules = "
  - {name: some, repositories: a, tags: '*', keep: {last: 1, newer-than: 10d}}
  - {name: rest, repositories: a, tags: '*', expire: always}
";
    assert_eq!(judged(rules, &[("x", 10), ("y", 9)]), [gone(1), by(0)]);
    assert_eq!(judged(rules, &[("x", 20), ("y", 30)]), [by(0), gone(1)]);
}

#[test]
fn ages_count_from_the_beginning_of_the_run() {
    let rules = "  - {name: old, repositories: a, tags: '*', expire: {older-than: 10d}}\n";
    assert_eq!(judged(rules, &[("x", 10), ("y", 11)]), [STAYS, gone(0)]);
}

#[test]
fn versions_are_kept_by_their_range() {
    let rules = "
  - {name: new, repositories: a, semver: '>=2.0.0', keep: always}
  - {name: rest, repositories: a, tags: '*', expire: {older-than: 1d}}
";
    let tags = [("v1.9.9", 9), ("v2.0.0", 9), ("2.1.0-rc.1", 9), ("2.1", 9)];
    assert_eq!(judged(rules, &tags), [gone(1), by(0), by(0), gone(1)]);
}

#[test]
fn g1_what_is_young_stays_although_everything_expires() {
    let rules = "  - {name: all, repositories: a, tags: '*', expire: always}\n";
    let written = [T0.before(hours(24)), T0, T0.after(hours(99))];
    let tags = written.map(|written| TaggedAt { tag: "x", written: Some(written) });
    let verdicts = policy(rules).judge("a", &tags, &moment()).unwrap().tags;
    assert_eq!(verdicts, [Verdict::Keep(Kept::Young); 3]);
}

#[test]
fn g4_a_tag_whose_time_is_not_known_stays_and_takes_no_place_among_the_last() {
    let rules = "
  - {name: last, repositories: a, tags: '*', keep: {last: 1}}
  - {name: all, repositories: a, tags: '*', expire: always}
";
    let tags = [
        TaggedAt { tag: "z", written: None },
        TaggedAt { tag: "x", written: Some(days_ago(5)) },
        TaggedAt { tag: "y", written: Some(days_ago(6)) },
    ];
    let verdicts = policy(rules).judge("a", &tags, &moment()).unwrap().tags;
    assert_eq!(verdicts, [Verdict::Keep(Kept::UnknownTime), by(0), gone(1)]);
}

#[test]
fn tags_of_cosign_follow_their_subject_and_take_no_place_among_the_last() {
    let subject = Digest::sha256(b"x");
    let signature = format!("sha256-{}.sig", subject.hex());
    let follow = Verdict::Follow(Subject::of_digest(&subject));
    let rules = "
  - {name: all, repositories: a, tags: '*', expire: always}
  - {name: last, repositories: a, tags: '*', keep: {last: 1, newer-than: 9d}}
";
    assert_eq!(judged(rules, &[(&signature, 2), ("v1", 5)]), [follow, by(1)]);
    let rules = "
  - {name: all, repositories: a, tags: '*', expire: always}
  - {name: signatures, repositories: a, tags: 'sha256-*', keep: always}
";
    assert_eq!(judged(rules, &[(&signature, 2), ("v1", 5)]), [by(1), gone(0)], "keep wins");
    assert_eq!(judged(rules, &[(&signature, 0), ("v1", 5)])[0], by(1));
}

#[test]
fn of_several_times_for_untagged_manifests_the_longest_counts_and_never_is_longest() {
    let judged = |rules: &str| -> Option<Judgement> { policy(rules).judge("a", &[], &moment()) };
    let rules = "
  - {name: short, repositories: '*', untagged-after: 1d}
  - {name: long, repositories: a, untagged-after: 2d}
";
    let untagged = judged(rules).unwrap().untagged.unwrap();
    assert_eq!((untagged.after, untagged.rule), (hours(48), RuleId(1)));
    let never = format!("{rules}  - {{name: never, repositories: a, untagged-after: never}}\n");
    assert_eq!(judged(&never).unwrap().untagged, None);
}

#[test]
fn a_repository_of_which_no_rule_lets_anything_go_is_left_alone() {
    let rules = "
  - {name: others, repositories: b/**, tags: '*', expire: always}
  - {name: here, repositories: a, tags: '*', keep: {last: 1}}
  - {name: never, repositories: a, untagged-after: never}
";
    let policy = policy(rules);
    let tags = [TaggedAt { tag: "x", written: Some(days_ago(99)) }];
    assert_eq!(policy.judge("a", &tags, &moment()), None);
    assert!(!policy.covers("a") && policy.covers("b/x"));
}
