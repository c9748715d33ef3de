//! What a census says, held against plans of the same registry, and of the registry without those who keep something.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use census::{ByTag, Census, Reclaimable, TagUsage};
use marker::Follow;
use monitor::{Monitor, Stop};
use planner::{Amount, Plan, Policy, Row, RowKind};
use policy::Retention;
use proptest::prelude::*;
use registry::{Digest, Layout, Timestamp};
use regsweep::Failure;
use regsweep::usage::{Ask, Taken, take_census};
use store::{FaultPlan, Faulty, MemoryStore, MultipartStore};
use world::strategy::{mode, script};
use world::{Content, Image, Index, Mode, World};

use crate::harness::{Collection, Ways, cases, runtime, scratch};
use crate::model::{days, ways, world};

async fn try_census<S: MultipartStore>(
    store: S,
    world: &World,
    mode: &Mode,
    ways: &Ways,
    follow: Follow,
) -> Result<Census, Failure> {
    try_census_by(None, store, world, mode, ways, follow).await
}

async fn try_census_by<S: MultipartStore>(
    retention: Option<Arc<Retention>>,
    store: S,
    world: &World,
    mode: &Mode,
    ways: &Ways,
    follow: Follow,
) -> Result<Census, Failure> {
    Ok(try_taken(retention, store, world, mode, ways, follow).await?.census)
}

/// A census, and what else was counted.
pub(crate) async fn try_taken<S: MultipartStore>(
    retention: Option<Arc<Retention>>,
    store: S,
    world: &World,
    mode: &Mode,
    ways: &Ways,
    follow: Follow,
) -> Result<Taken, Failure> {
    let (layout, folder) = (Layout::new(world.rootdirectory()), scratch());
    let Mode { untagged, grace, uploads_older_than } = *mode;
    let ask = Ask {
        source: "a test",
        layout: &layout,
        policy: Policy { untagged, grace, uploads_older_than },
        retention,
        follow,
        width: ways.width,
        cache: None,
        memory: ways.memory,
        folder: folder.path(),
    };
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    take_census(&Arc::new(store), &ask, &monitor, &stop).await
}

fn census(world: &World, mode: &Mode, ways: &Ways, follow: Follow) -> Census {
    let taken = try_census(ways.store(world), world, mode, ways, follow);
    runtime().block_on(taken).unwrap()
}

/// A plan, and what its directory goes with.
fn plan(world: &World, mode: &Mode) -> (Plan, Collection<MemoryStore>) {
    let ways = Ways::default();
    let collection = Collection::of(world, ways.store(world), mode, &ways);
    (runtime().block_on(collection.plan()).unwrap(), collection)
}

/// The blobs that a plan deletes.
fn freed(world: &World, mode: &Mode) -> Amount {
    plan(world, mode).0.totals().of(RowKind::Blob)
}

fn minus(all: Amount, part: Amount) -> Amount {
    Amount { count: all.count - part.count, bytes: all.bytes - part.bytes }
}

fn plus(a: Amount, b: Amount) -> Amount {
    [a, b].into_iter().sum()
}

/// The world without the repositories of which `goes` says so.
fn without(world: &World, goes: impl Fn(&str) -> bool) -> World {
    let folder = world.keys().repository("");
    let folder = folder.trim_end_matches('/');
    let is_gone = |key: &&String| {
        let inside = key.strip_prefix(folder).map(|rest| rest.trim_start_matches('/'));
        inside.and_then(|rest| rest.split_once("/_")).is_some_and(|(name, _)| goes(name))
    };
    let gone: Vec<String> = world.objects().keys().filter(is_gone).cloned().collect();
    let mut left = world.clone();
    left.note_deleted(gone.iter().map(String::as_str));
    left
}

/// Blobs that the model says stay: at least, and at most.
fn model_keeps(world: &World, mode: &Mode) -> (Amount, Amount) {
    let (live, garbage) = (world.expected_live(mode), world.garbage(mode));
    let mut bounds = (Amount::default(), Amount::default());
    for (key, stored) in world.objects().iter().filter(|(key, _)| key.ends_with("/data")) {
        if !key.contains("/v2/blobs/") {
            continue;
        }
        let bytes = stored.bytes.len() as u64;
        if live.contains(key) {
            bounds.0.add(bytes);
        }
        if !garbage.contains(key) {
            bounds.1.add(bytes);
        }
    }
    bounds
}

/// What the links of a repository name by their keys, and what aliases lead to, as hex.
fn linked(world: &World, name: &str) -> BTreeSet<String> {
    let folder = format!("{}_", world.keys().repository(name));
    let mut linked = BTreeSet::new();
    for (key, stored) in world.objects().range(folder.clone()..) {
        if !key.starts_with(&folder) || !key.ends_with("/link") {
            continue;
        }
        linked.extend(key.rsplit('/').nth(1).map(str::to_owned));
        if key.contains("/_layers/sha512/") {
            let text = String::from_utf8_lossy(&stored.bytes);
            linked.extend(text.split_once(':').map(|(_, hex)| hex.to_owned()));
        }
    }
    linked
}

fn rows(plan: &Plan) -> impl Iterator<Item = Row> {
    let rows = plan.segments().iter().flat_map(|segment| plan.rows(segment).unwrap());
    rows.map(Result::unwrap)
}

/// The blobs that a plan deletes, by their hex.
fn dead_blobs(plan: &Plan) -> BTreeMap<String, u64> {
    let blobs = rows(plan).filter(|row| row.kind == RowKind::Blob);
    blobs.map(|row| (row.digest.unwrap().hex(), row.bytes)).collect()
}

/// Long enough ago that nothing is too young to judge.
fn long_ago() -> impl Strategy<Value = u64> {
    prop_oneof![Just(2), Just(40)]
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn what_is_reclaimable_is_what_a_plan_deletes_and_every_blob_counts_once(
        script in script(60), mode in mode(), days in days(), ways in ways(),
    ) {
        let world = world(&script, days);
        let (plan, _directory) = plan(&world, &mode);
        let Census { repositories, totals } = census(&world, &mode, &ways, Follow::Nothing);
        let of = |kinds: &[RowKind]| kinds.iter().map(|kind| plan.totals().of(*kind)).sum::<Amount>();
        let expected = Reclaimable {
            blobs: of(&[RowKind::Blob]),
            links: of(&[RowKind::TagLink, RowKind::RevisionLink, RowKind::LayerLink]),
            uploads: of(&[RowKind::Upload]),
        };
        prop_assert_eq!(totals.reclaimable, expected);
        prop_assert_eq!(totals.reclaimable.all(), plan.totals().all());
        let blobs = totals.blobs;
        let parts = [blobs.exclusive, blobs.shared, blobs.too_young, totals.reclaimable.blobs];
        prop_assert_eq!(parts.into_iter().sum::<Amount>(), blobs.all);
        let dead = dead_blobs(&plan);
        for usage in repositories {
            let linked = linked(&world, usage.name.as_str());
            let bytes = dead.iter().filter(|(hex, _)| linked.contains(*hex)).map(|(_, bytes)| bytes);
            prop_assert_eq!(usage.reclaimable.blobs.bytes, bytes.sum::<u64>(), "{}", usage.name);
        }
        let summary = world.summary();
        prop_assert_eq!(blobs.all, Amount { count: summary.blobs as u64, bytes: summary.blob_bytes });
    }

    #[test]
    fn what_a_policy_lets_go_is_reclaimable_too_and_its_tags_keep_nothing(
        script in script(60), days in days(), ways in ways(), expire in 1..20_u32, untagged in 1..20_u32,
    ) {
        let text = format!(
            "version: 1\nrules:\n- {{name: a, repositories: '**', tags: '*', expire: {{older-than: {expire}d}}}}\n\
             - {{name: b, repositories: '**', untagged-after: {untagged}d}}\n",
        );
        let (world, mode) = (world(&script, days), Mode::default());
        let collection = Collection::of(&world, Ways::default().store(&world), &mode, &Ways::default());
        let collection = collection.retaining(&text);
        let plan = runtime().block_on(collection.plan()).unwrap();
        let retention = Arc::new(Retention::parse(text.as_bytes()).unwrap());
        let census = |follow| {
            let store = ways.store(&world);
            let taken = try_census_by(Some(Arc::clone(&retention)), store, &world, &mode, &ways, follow);
            runtime().block_on(taken).unwrap()
        };
        let by_repository = census(Follow::Nothing);
        prop_assert_eq!(by_repository.totals.reclaimable.all(), plan.totals().all());
        let by_tag = census(Follow::Everything);
        prop_assert_eq!(&by_tag.totals, &by_repository.totals);
        // What remains of a repository with nothing left in it goes by no rule.
        let goes = |row: &Row| row.rule.is_some() && row.key.ends_with("/current/link");
        let expired = rows(&plan).filter(goes).count();
        let told: usize = by_tag.repositories.iter().flat_map(|usage| &usage.by_tag).map(|by_tag| by_tag.tags.len()).sum();
        prop_assert_eq!((told + expired) as u64, by_tag.totals.tags);
    }

    #[test]
    fn g2_g12_pages_ranges_workers_etags_and_memory_make_no_difference(
        script in script(60), mode in mode(), days in days(), ways in ways(),
    ) {
        let (world, ways) = (world(&script, days), Ways { presumes: false, ..ways });
        let usual = census(&world, &mode, &Ways::default(), Follow::Everything);
        prop_assert_eq!(census(&world, &mode, &ways, Follow::Everything), usual);
    }

    #[test]
    fn asking_for_tags_changes_nothing_else(
        script in script(60), mode in mode(), days in days(), ways in ways(),
    ) {
        let (world, ways) = (world(&script, days), Ways { presumes: false, ..ways });
        let mut by_tag = census(&world, &mode, &ways, Follow::Everything);
        for usage in &mut by_tag.repositories {
            let ByTag { tags, no_tag } = usage.by_tag.take().unwrap();
            prop_assert_eq!(tags.len() as u64, usage.tags);
            let exclusive: Amount = tags.iter().map(|tag| tag.keeps.exclusive).sum();
            prop_assert!(exclusive.bytes <= usage.keeps.exclusive.bytes);
            let tagged = usage.keeps.all.bytes - no_tag.bytes;
            prop_assert!(tags.iter().all(|tag| tag.keeps.all.bytes <= tagged));
            prop_assert!(tagged <= tags.iter().map(|tag| tag.keeps.all.bytes).sum());
        }
        prop_assert_eq!(census(&world, &mode, &ways, Follow::Nothing), by_tag);
    }

    #[test]
    fn g3_a_census_is_whole_or_none(
        script in script(50), mode in mode(), days in days(), ways in ways(), seed: u64, rate in 1..100u16,
    ) {
        let world = world(&script, days);
        let store = Faulty::new(ways.store(&world), FaultPlan::passing(seed, rate));
        let taken = try_census(store, &world, &mode, &ways, Follow::Nothing);
        if let Ok(taken) = runtime().block_on(taken) {
            prop_assert_eq!(taken, census(&world, &mode, &ways, Follow::Nothing));
        }
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn what_is_exclusive_to_a_repository_is_what_a_plan_frees_besides_once_it_went(
        script in script(50), mode in mode(), days in long_ago(), ways in ways(),
    ) {
        let world = world(&script, days);
        let Census { repositories, totals } = census(&world, &mode, &ways, Follow::Nothing);
        for usage in repositories {
            let name = usage.name.as_str();
            let gone = without(&world, |other| other == name);
            let more = plus(totals.reclaimable.blobs, usage.keeps.exclusive);
            prop_assert_eq!(freed(&gone, &mode), more, "{} went", name);
            let alone = without(&world, |other| other != name);
            let kept = minus(totals.blobs.all, freed(&alone, &mode));
            prop_assert_eq!(usage.keeps.all, kept, "{} is alone", name);
            let (least, most) = model_keeps(&alone, &mode);
            let bytes = usage.keeps.all.bytes;
            prop_assert!(least.bytes <= bytes && bytes <= most.bytes, "{} {}", name, bytes);
        }
    }

    #[test]
    fn what_is_exclusive_to_a_tag_is_what_a_plan_frees_besides_once_it_went(
        script in script(40), days in long_ago(), ways in ways(),
    ) {
        let (world, ways) = (world(&script, days), Ways { presumes: false, ..ways });
        let mode = Mode::untagged();
        let Census { repositories, totals } = census(&world, &mode, &ways, Follow::Everything);
        for usage in repositories.iter().filter(|usage| usage.doubt.is_none()) {
            let name = usage.name.as_str();
            let tags: &[TagUsage] = &usage.by_tag.as_ref().unwrap().tags;
            for tag in tags {
                let mut gone = world.clone();
                gone.untag(name, &tag.name);
                let more = plus(totals.reclaimable.blobs, tag.keeps.exclusive);
                prop_assert_eq!(freed(&gone, &mode), more, "{}:{} went", name, tag.name);
                let mut alone = without(&world, |other| other != name);
                for other in tags.iter().filter(|other| other.name != tag.name) {
                    alone.untag(name, &other.name);
                }
                let kept = minus(totals.blobs.all, freed(&alone, &mode));
                prop_assert_eq!(tag.keeps.all, kept, "{}:{} is alone", name, tag.name);
            }
        }
    }
}

/// What each tag of the only repository keeps, and keeps alone, in bytes.
fn by_tag(world: &World, mode: &Mode) -> Vec<(String, u64, u64)> {
    let census = census(world, mode, &Ways::default(), Follow::Everything);
    let tags = census.repositories.into_iter().flat_map(|usage| usage.by_tag.unwrap().tags);
    tags.map(|tag| (tag.name.into(), tag.keeps.all.bytes, tag.keeps.exclusive.bytes)).collect()
}

fn bytes_of(world: &World, digest: &Digest) -> u64 {
    world.objects()[&world.keys().blob(digest)].bytes.len() as u64
}

#[test]
fn what_an_untagged_manifest_keeps_too_is_not_exclusive_to_a_tag_unless_it_is_to_go() {
    let mut world = World::new(Timestamp::from_seconds(1_700_000_000), "");
    let base = Content::new(1, 5000);
    world.push_image("a", &Image::new(100, &[base, Content::new(2, 700)]), Some("v1"));
    world.push_image("a", &Image::new(200, &[base]), None);
    world.age(Duration::from_hours(1000));
    let [(_, all, alone)] = &by_tag(&world, &Mode::default())[..] else { panic!("one tag") };
    assert_eq!(all - alone, 5000);
    let untagged = by_tag(&world, &Mode::untagged());
    assert_eq!(untagged, [("v1".to_owned(), *all, *all)]);
}

#[test]
fn a_tag_keeps_the_children_of_its_index_and_their_referrers() {
    let mut world = World::new(Timestamp::from_seconds(1_700_000_000), "");
    let child = world.push_image("a", &Image::new(100, &[Content::new(1, 5000)]), None);
    world.push_index("a", &Index::of(&[child]), Some("multi"));
    world.push_artifact("a", child, Content::new(2, 300), None);
    world.push_image("a", &Image::new(200, &[]), Some("other"));
    world.age(Duration::from_hours(1000));
    let whole: u64 = world.summary().blob_bytes;
    for mode in [Mode::default(), Mode::untagged()] {
        let tags = by_tag(&world, &mode);
        assert!(tags.iter().all(|(_, all, alone)| all == alone), "{tags:?}");
        assert_eq!(tags.iter().map(|(_, all, _)| all).sum::<u64>(), whole, "{tags:?}");
    }
}

#[test]
fn what_is_needed_and_not_there_is_counted_and_an_alias_is_not_missing() {
    let mut world = World::new(Timestamp::from_seconds(1_700_000_000), "");
    let (lost, alias) = (Content::new(1, 5000), Content::new(2, 70));
    world.upload_sha512("a", alias);
    let image = world.push_image("a", &Image::new(100, &[lost]), Some("v1"));
    let size = bytes_of(&world, &image);
    assert!(world.lose(&world.keys().blob(&lost.digest())));
    let Census { repositories, totals } =
        census(&world, &Mode::default(), &Ways::default(), Follow::Everything);
    let keeps = &repositories[0].keeps;
    assert_eq!((keeps.missing, totals.blobs.missing), (1, 1));
    assert!(keeps.all.bytes > size && keeps.all.bytes < 5000);
    assert_eq!(keeps.all, totals.blobs.all, "the alias is young, so its blob is kept");
}
