//! What could go wrong under a retention policy, one thing at a time.

use std::collections::BTreeSet;

use registry::Digest;
use world::{Content, Image, Index, Mode, Step, World};

use super::{DAY, Rule, What, collect, retention, text};
use crate::harness::{Collection, Ways, keys, runtime};
use crate::model::world;

const REPOSITORY: &str = "app";
const EVERYTHING: [Rule; 2] = [
    Rule { repositories: "**", tags: "v1*", what: What::ExpireAlways },
    Rule { repositories: "**", tags: "*", what: What::UntaggedAfter(1) },
];

fn empty() -> World {
    world(&[] as &[Step], 0)
}

fn image(number: u64) -> Image {
    Image::new(number * 100, &[Content::new(number * 100 + 1, 64)])
}

/// What is left of `world`, ten days later.
fn left(world: &mut World, rules: &[Rule]) -> BTreeSet<String> {
    world.age(DAY * 10);
    let store = Ways::default().store(world);
    runtime().block_on(collect(world, &store, rules, &Mode::default(), &Ways::default()));
    keys(&store)
}

#[test]
fn a_manifest_of_two_tags_stays_as_long_as_either_does() {
    let mut world = empty();
    let shared = world.push_image(REPOSITORY, &image(1), Some("v1"));
    world.tag(REPOSITORY, "stable", shared);
    let left = left(&mut world, &EVERYTHING);
    let key = world.keys();
    assert!(left.contains(&key.revision(REPOSITORY, &shared)));
    assert!(left.contains(&key.current(REPOSITORY, "stable")));
    assert!(!left.contains(&key.current(REPOSITORY, "v1")));
}

#[test]
fn a_child_that_has_a_tag_of_its_own_outlives_its_index_and_keeps_its_own_layers_alone() {
    let mut world = empty();
    let children = [2, 3].map(|number| world.push_image(REPOSITORY, &image(number), None));
    world.tag(REPOSITORY, "arm", children[0]);
    let index = world.push_index(REPOSITORY, &Index::of(&children), Some("v1"));
    let left = left(&mut world, &EVERYTHING);
    let stays = |digest| left.contains(&world.keys().revision(REPOSITORY, digest));
    assert_eq!([stays(&index), stays(&children[0]), stays(&children[1])], [false, true, false]);
}

#[test]
fn referrers_and_signatures_stay_with_their_subject_and_go_with_it() {
    for (tag, stays) in [("stable", true), ("v1", false)] {
        let mut world = empty();
        let subject = world.push_image(REPOSITORY, &image(4), Some(tag));
        let referrer = world.push_artifact(REPOSITORY, subject, Content::new(5, 64), None);
        let signature = format!("sha256-{}.sig", subject.hex());
        let signed = world.push_image(REPOSITORY, &image(6), Some(&signature));
        let second = format!("sha256-{}.att", signed.hex());
        let attested = world.push_image(REPOSITORY, &image(7), Some(&second));
        let left = left(&mut world, &EVERYTHING);
        for digest in [subject, referrer, signed, attested] {
            assert_eq!(left.contains(&world.keys().revision(REPOSITORY, &digest)), stays, "{tag}");
        }
        for name in [signature, second] {
            assert_eq!(left.contains(&world.keys().current(REPOSITORY, &name)), stays, "{tag}");
        }
    }
}

#[test]
fn g4_a_signature_of_what_is_not_here_stays() {
    let mut world = empty();
    let elsewhere = Digest::sha256(b"in another repository");
    let tag = format!("sha256-{}.sig", elsewhere.hex());
    let signature = world.push_image(REPOSITORY, &image(8), Some(&tag));
    let all =
        [&EVERYTHING[..], &[Rule { repositories: "**", tags: "*", what: What::ExpireAlways }]];
    let left = left(&mut world, &all.concat());
    assert!(left.contains(&world.keys().current(REPOSITORY, &tag)));
    assert!(left.contains(&world.keys().revision(REPOSITORY, &signature)));
}

#[test]
fn g4_a_repository_in_which_a_tag_cannot_be_read_keeps_all_of_them() {
    let mut world = empty();
    let digests = [9, 10].map(|number| world.push_image(REPOSITORY, &image(number), Some("v1")));
    let odd = world.push_image(REPOSITORY, &image(11), Some("v1.0"));
    world.damage(&world.keys().current(REPOSITORY, "v1.0"), b"sha256:nothing");
    let left = left(&mut world, &EVERYTHING);
    for digest in digests.into_iter().chain([odd]) {
        assert!(left.contains(&world.keys().revision(REPOSITORY, &digest)));
    }
    assert!(left.contains(&world.keys().current(REPOSITORY, "v1")));
}

#[test]
fn g1_a_tag_of_which_the_history_alone_is_young_stays_since_somebody_is_pushing_it() {
    let mut world = empty();
    let digest = world.push_image(REPOSITORY, &image(12), Some("v1"));
    world.age(DAY * 10);
    let (mut objects, key) =
        (world.objects().clone(), world.keys().history(REPOSITORY, "v1", &digest));
    objects.get_mut(&key).unwrap().modified = world.now();
    world.replace_objects(objects);
    let store = Ways::default().store(&world);
    let (mode, ways) = (Mode::default(), Ways::default());
    runtime().block_on(collect(&world, &store, &EVERYTHING, &mode, &ways));
    assert!(keys(&store).contains(&world.keys().current(REPOSITORY, "v1")));
    assert!(keys(&store).contains(&world.keys().revision(REPOSITORY, &digest)));
}

#[test]
fn tags_go_and_manifests_stay_where_no_rule_speaks_of_untagged_ones() {
    let mut world = empty();
    let digest = world.push_image(REPOSITORY, &image(13), Some("v1"));
    let left = left(&mut world, &EVERYTHING[..1]);
    assert!(!left.contains(&world.keys().current(REPOSITORY, "v1")));
    assert!(left.contains(&world.keys().revision(REPOSITORY, &digest)));
}

#[test]
fn what_a_tag_points_to_stays_also_where_a_rule_keeps_every_manifest() {
    let never = Rule { repositories: "**", tags: "*", what: What::UntaggedNever };
    for rules in [EVERYTHING.to_vec(), [&EVERYTHING[..], &[never]].concat()] {
        let mut world = empty();
        let orphan = world.put_blob(b"no revision link names it");
        world.put_tag_links(REPOSITORY, "stable", orphan);
        assert!(left(&mut world, &rules).contains(&world.keys().blob(&orphan)), "{rules:?}");
    }
}

#[test]
fn a_manifest_pushed_again_waits_its_time_although_its_tag_is_gone() {
    let mut world = empty();
    let digest = world.push_image(REPOSITORY, &image(14), Some("v1"));
    world.age(DAY * 30);
    world.push_image(REPOSITORY, &image(14), None);
    let wait = [EVERYTHING[0], Rule { what: What::UntaggedAfter(15), ..EVERYTHING[1] }];
    let left = left(&mut world, &wait);
    assert!(!left.contains(&world.keys().current(REPOSITORY, "v1")));
    assert!(left.contains(&world.keys().revision(REPOSITORY, &digest)));
}

#[test]
fn rows_say_which_rule_decided() {
    let mut world = empty();
    let tagged = world.push_image(REPOSITORY, &image(15), Some("v1"));
    world.push_artifact(REPOSITORY, tagged, Content::new(16, 64), None);
    let untagged = world.push_image(REPOSITORY, &image(17), None);
    world.push_image(REPOSITORY, &image(18), Some("stable"));
    world.age(DAY * 10);
    let store = Ways::default().store(&world);
    let collection = Collection::of(&world, store, &Mode::default(), &Ways::default());
    let collection = collection.retaining(&text(&EVERYTHING));
    let plan = runtime().block_on(collection.plan()).unwrap();
    let retention = plan.header().retention.clone().unwrap();
    let counts = retention.rules.iter().map(|rule| (rule.keeps, rule.expires, rule.manifests));
    assert_eq!(counts.collect::<Vec<_>>(), [(0, 1, 2), (0, 0, 1)]);
    let mut rules: Vec<(String, String, Option<String>)> = Vec::new();
    for segment in plan.segments() {
        for row in plan.rows(segment).unwrap().map(Result::unwrap) {
            let is_untagged = row.digest == Some(untagged) && row.kind.name() == "revision_link";
            assert_eq!(row.reason.name() == "untagged", is_untagged, "{row:?}");
            let rule = row.rule.map(|rule| rule.to_string());
            rules.push((row.kind.name().to_owned(), row.reason.name().to_owned(), rule));
        }
    }
    rules.sort();
    rules.dedup();
    let rule = |number| Some(format!("rule {number}"));
    let row = |kind: &str, reason: &str, rule| (kind.to_owned(), reason.to_owned(), rule);
    assert_eq!(
        rules,
        [
            row("blob", "unreferenced", None),
            row("layer_link", "unneeded-here", None),
            row("revision_link", "expired", rule(1)),
            row("revision_link", "untagged", rule(2)),
            row("tag_link", "expired", rule(1)),
        ]
    );
}

/// That what is left fits the model says something only where the model tells policies apart.
#[test]
fn the_model_misses_what_a_rule_would_have_kept_and_finds_what_it_would_have_let_go() {
    let keep = Rule { repositories: "**", tags: "*", what: What::KeepAlways };
    let lenient = [&EVERYTHING[..], &[keep]].concat();
    let mode = Mode::default();
    let (mut missed, mut found) = (0, 0);
    for seed in 0..12 {
        let used = world(&world::steps(seed, 60), 40);
        let model = |rules: &[Rule], world: &World| retention(rules, world, &mode);
        let lives = used.expected_live_under(&mode, &model(&lenient, &used));
        let garbage = used.garbage_under(&mode, &model(&EVERYTHING, &used));
        let [strict, lenient] = [&EVERYTHING[..], &lenient].map(|rules| {
            let store = Ways::default().store(&used);
            runtime().block_on(collect(&used, &store, rules, &mode, &Ways::default()));
            keys(&store)
        });
        missed += usize::from(!lives.is_subset(&strict));
        found += usize::from(!garbage.is_disjoint(&lenient));
    }
    assert!(missed > 6 && found > 6, "{missed} {found}");
}
