//! Retention policies: random rules over random registries, and by hand what could go wrong.

mod by_hand;

use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;
use registry::{Digest, Timestamp};
use store::MemoryStore;
use sweeper::SweepReport;
use world::strategy::script;
use world::{Content, Image, Mode, Reference, Retention, World};

use crate::harness::{Collection, Expected, Ways, cases, keys, runtime};
use crate::model::{days, ways, world};

const DAY: Duration = Duration::from_hours(24);

/// A rule as the plainest reading of its words has it.
#[derive(Clone, Copy, Debug)]
struct Rule {
    repositories: &'static str,
    tags: &'static str,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    KeepAlways,
    KeepLast(usize),
    KeepNewerThan(u32),
    ExpireAlways,
    ExpireOlderThan(u32),
    UntaggedAfter(u32),
    UntaggedNever,
}

fn rule() -> BoxedStrategy<Rule> {
    let what = prop_oneof![
        4 => keep(),
        3 => Just(What::ExpireAlways),
        2 => (1..60u32).prop_map(What::ExpireOlderThan),
        3 => (1..60u32).prop_map(What::UntaggedAfter),
        1 => Just(What::UntaggedNever),
    ];
    rule_that(what).boxed()
}

fn rule_that_keeps() -> BoxedStrategy<Rule> {
    rule_that(prop_oneof![4 => keep(), 1 => Just(What::UntaggedNever)]).boxed()
}

fn keep() -> impl Strategy<Value = What> {
    prop_oneof![
        1 => Just(What::KeepAlways),
        2 => (1..3usize).prop_map(What::KeepLast),
        1 => (1..60u32).prop_map(What::KeepNewerThan),
    ]
}

fn rule_that(what: impl Strategy<Value = What>) -> impl Strategy<Value = Rule> {
    let repositories = prop::sample::select(vec!["**", "app", "app/*", "base"]);
    let tags = prop::sample::select(vec!["*", "v1*", "latest", "v1"]);
    (repositories, tags, what).prop_map(|(repositories, tags, what)| Rule {
        repositories,
        tags,
        what,
    })
}

/// The text of a policy.
fn text(rules: &[Rule]) -> String {
    let mut text = "version: 1\nrules:\n".to_owned();
    for (Rule { repositories, tags, what }, number) in rules.iter().zip(1..) {
        let tags = format!("tags: '{tags}', ");
        let says = match what {
            What::KeepAlways => format!("{tags}keep: always"),
            What::KeepLast(count) => format!("{tags}keep: {{last: {count}}}"),
            What::KeepNewerThan(days) => format!("{tags}keep: {{newer-than: {days}d}}"),
            What::ExpireAlways => format!("{tags}expire: always"),
            What::ExpireOlderThan(days) => format!("{tags}expire: {{older-than: {days}d}}"),
            What::UntaggedAfter(days) => format!("untagged-after: {days}d"),
            What::UntaggedNever => "untagged-after: never".to_owned(),
        };
        writeln!(text, "- {{name: rule {number}, repositories: '{repositories}', {says}}}")
            .unwrap();
    }
    text
}

impl Rule {
    fn is_for(&self, repository: &str) -> bool {
        match self.repositories {
            "**" => true,
            "app/*" => repository.strip_prefix("app/").is_some_and(|rest| !rest.contains('/')),
            name => name == repository,
        }
    }

    fn means(&self, tag: &str) -> bool {
        match self.tags {
            "*" => true,
            "v1*" => tag.starts_with("v1"),
            name => name == tag,
        }
    }

    fn lets_go(&self) -> bool {
        let keeps = matches!(
            self.what,
            What::KeepAlways | What::KeepLast(_) | What::KeepNewerThan(_) | What::UntaggedNever
        );
        !keeps
    }
}

/// The manifest that the name of a tag tells.
fn subject(tag: &str) -> Option<Digest> {
    let hex = tag.strip_prefix("sha256-")?;
    format!("sha256:{}", hex.split('.').next()?).parse().ok()
}

/// What the rules come down to in `world`.
fn retention(rules: &[Rule], world: &World, mode: &Mode) -> Retention {
    let mut retention = Retention::default();
    let tags = world.tag_times();
    for repository in &world.repository_names() {
        let rules: Vec<&Rule> = rules.iter().filter(|rule| rule.is_for(repository)).collect();
        if !rules.iter().any(|rule| rule.lets_go()) {
            continue;
        }
        let after: Vec<Option<Duration>> = rules
            .iter()
            .filter_map(|rule| match rule.what {
                What::UntaggedAfter(days) => Some(Some(DAY * days)),
                What::UntaggedNever => Some(None),
                _ => None,
            })
            .collect();
        let never = after.is_empty() || after.contains(&None);
        let longest = after.into_iter().flatten().max().filter(|_| !never);
        retention.covered.insert(repository.clone(), longest);
        let mut own: Vec<(Timestamp, &str)> = tags
            .iter()
            .filter(|((other, _), _)| other == repository)
            .map(|((_, tag), written)| (*written, tag.as_str()))
            .collect();
        own.sort_unstable();
        own.reverse();
        judge(&rules, repository, &own, world, mode, &mut retention);
    }
    retention
}

/// The tags of one repository, the newest first.
fn judge(
    rules: &[&Rule],
    repository: &str,
    tags: &[(Timestamp, &str)],
    world: &World,
    mode: &Mode,
    retention: &mut Retention,
) {
    for (written, tag) in tags {
        let name = (repository.to_owned(), (*tag).to_owned());
        let age = world.now().since(*written);
        let is_always =
            rules.iter().any(|rule| matches!(rule.what, What::KeepAlways) && rule.means(tag));
        if age <= mode.grace || is_always {
            continue;
        }
        if let Some(subject) = subject(tag) {
            retention.following.insert(name, subject);
            continue;
        }
        let says = |rule: &&&Rule| match rule.what {
            What::KeepLast(count) => {
                let meant = tags.iter().map(|(_, other)| *other);
                let meant = meant.filter(|other| rule.means(other) && subject(other).is_none());
                meant.take(count).any(|other| other == *tag)
            }
            What::KeepNewerThan(days) => age < DAY * days,
            _ => false,
        };
        let is_kept = rules.iter().filter(|rule| rule.means(tag)).any(|rule| says(&rule));
        let goes = rules.iter().filter(|rule| rule.means(tag)).any(|rule| match rule.what {
            What::ExpireAlways => true,
            What::ExpireOlderThan(days) => age > DAY * days,
            _ => false,
        });
        if goes && !is_kept {
            retention.tags.insert(name);
        }
    }
}

/// Gives some manifests a tag of cosign each.
fn sign(world: &mut World, which: &[u8]) {
    let pulls = world.pulls(&Mode::default());
    let digests: Vec<(String, Digest)> = pulls
        .into_iter()
        .filter_map(|pull| match pull.reference {
            Reference::Digest(digest) => Some((pull.repository, digest)),
            Reference::Tag(_) => None,
        })
        .collect();
    for (number, which) in (0..).zip(which) {
        let Some((repository, digest)) = digests.get(usize::from(*which) % digests.len().max(1))
        else {
            continue;
        };
        let suffix = ["", ".sig", ".att", ".sbom"][usize::from(*which) % 4];
        let image = Image::new(10_000 + number, &[Content::new(20_000 + number, 20)]);
        let tag = format!("sha256-{}{suffix}", digest.hex());
        world.push_image(repository, &image, Some(&tag));
    }
}

async fn collect(
    world: &World,
    store: &MemoryStore,
    rules: &[Rule],
    mode: &Mode,
    ways: &Ways,
) -> SweepReport {
    let expected = Expected::under(world, mode, &retention(rules, world, mode));
    let collection = Collection::of(world, store.clone(), mode, ways).retaining(&text(rules));
    let report = collection.run().await.unwrap();
    expected.check_it_is_collected(store, &report);
    report
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn what_is_left_is_what_the_model_says_whatever_the_rules_are(
        script in script(50), rules in prop::collection::vec(rule(), 1..6), days in days(),
        signed in prop::collection::vec(any::<u8>(), 0..4), old in any::<bool>(), ways in ways(),
    ) {
        let mut world = world(&script, 0);
        if old {
            world.age(DAY * 20);
        }
        sign(&mut world, &signed);
        world.age(DAY * u32::try_from(days).unwrap());
        let mode = Mode::default();
        let store = ways.store(&world);
        runtime().block_on(collect(&world, &store, &rules, &mode, &ways));
    }

    #[test]
    fn a_policy_that_covers_nothing_changes_nothing(script in script(50), days in days()) {
        let world = world(&script, days);
        let (mode, ways) = (Mode::default(), Ways::default());
        let (without, with) = (ways.store(&world), ways.store(&world));
        let rules = [Rule { repositories: "none", tags: "*", what: What::ExpireAlways }];
        runtime().block_on(async {
            Collection::of(&world, without.clone(), &mode, &ways).run().await.unwrap();
            collect(&world, &with, &rules, &mode, &ways).await;
        });
        prop_assert_eq!(without.keys(), with.keys());
    }

    #[test]
    fn another_rule_that_keeps_leaves_at_least_as_much(
        script in script(50), rules in prop::collection::vec(rule(), 1..5),
        more in rule_that_keeps(), days in days(),
    ) {
        let world = world(&script, days);
        let (mode, ways) = (Mode::default(), Ways::default());
        let (fewer, longer) = (ways.store(&world), ways.store(&world));
        runtime().block_on(async {
            collect(&world, &fewer, &rules, &mode, &ways).await;
            collect(&world, &longer, &[&rules[..], &[more]].concat(), &mode, &ways).await;
        });
        let lost: Vec<_> = keys(&fewer).difference(&keys(&longer)).cloned().collect();
        prop_assert!(lost.is_empty(), "{lost:#?}");
    }
}
