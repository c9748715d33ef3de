//! Registries with a database: what its list names stays, and so does everything but blobs.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use planner::{Breaker, Plan, Row, RowKind, Severity};
use proptest::prelude::*;
use registry::{Digest, KeyKind, Layout, parse_link};
use tempfile::TempDir;
use world::strategy::{mode, script};
use world::{Content, Image, Mode, World};

use crate::harness::{Collection, Expected, Ways, cases, keys, runtime, scratch};
use crate::model::{days, ways, world};

/// A list with these digests.
fn list(digests: impl IntoIterator<Item = Digest>) -> TempDir {
    let dir = scratch();
    let lines: Vec<String> = digests.into_iter().map(|digest| digest.to_string()).collect();
    let (count, lines) = (lines.len() + 1, lines.join("\n"));
    // No world has it, so that no list is empty.
    let nobodys = Digest::sha256(b"of nobody");
    fs::write(
        dir.path().join("list"),
        format!("# known\n{nobodys}\n{lines}\n# end: {count} digests at 4200000000\n"),
    )
    .unwrap();
    dir
}

/// The digests of a world's blobs.
fn blobs(world: &World) -> BTreeSet<Digest> {
    let layout = Layout::new(world.rootdirectory());
    let digest = |key: &String| match layout.classify(key) {
        KeyKind::Blob(digest) => Some(digest),
        _ => None,
    };
    world.objects().keys().filter_map(digest).collect()
}

/// What links under another digest lead to.
fn aliased(world: &World) -> BTreeSet<Digest> {
    let links = world.objects().iter().filter(|(key, _)| key.contains("/_layers/sha512/"));
    links.filter_map(|(_, stored)| parse_link(&stored.bytes).ok()).collect()
}

/// The blobs that a database need not know and nothing else needs.
fn garbage(world: &World, mode: &Mode, known: &BTreeSet<Digest>) -> BTreeSet<String> {
    let stays = known | &aliased(world);
    let stays: BTreeSet<String> = stays.iter().map(|digest| world.keys().blob(digest)).collect();
    let all: BTreeSet<String> =
        blobs(world).iter().map(|digest| world.keys().blob(digest)).collect();
    let garbage = world.garbage(mode).into_iter().filter(|key| all.contains(key));
    garbage.filter(|key| !stays.contains(key)).collect()
}

/// By a list no manifest is garbage for want of a tag, whatever is asked: tags are in the database.
fn by_list(mode: Mode) -> Mode {
    Mode { untagged: false, ..mode }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn g4_exactly_the_old_blobs_go_that_no_manifest_reaches_and_no_list_names(
        script in script(60), mode in mode(), days in days(), ways in ways(),
        known in prop::collection::vec(any::<bool>(), 1..40),
    ) {
        let (world, asked, mode) = (world(&script, days), mode, by_list(mode));
        let all = blobs(&world);
        let known: BTreeSet<Digest> =
            all.iter().zip(known.iter().cycle()).filter(|(_, it)| **it).map(|it| *it.0).collect();
        let dir = list(known.iter().copied());
        let store = ways.store(&world);
        let expected = Expected::of(&world, &mode);
        let collection = Collection::of(&world, store.clone(), &asked, &ways);
        let collection = collection.listed(&dir.path().join("list"));
        let report = runtime().block_on(collection.run()).unwrap();
        expected.check_nothing_is_lost(&store);
        let left = keys(&store);
        let gone = expected.gone(&left);
        let is_known = |key: &&String| known.iter().any(|digest| world.keys().blob(digest) == **key);
        prop_assert_eq!(gone.iter().find(is_known), None, "known, and gone");
        let is_blob = |key: &String| all.iter().any(|digest| world.keys().blob(digest) == *key);
        prop_assert!(gone.iter().all(is_blob), "{gone:#?}");
        let garbage = garbage(&world, &mode, &known);
        let stayed: Vec<_> = garbage.intersection(&left).collect();
        prop_assert!(stayed.is_empty(), "dead, and there: {stayed:#?}");
        prop_assert_eq!(report.total.fates.deleted.objects, gone.len() as u64, "G10");
    }

    #[test]
    fn a_list_that_is_cut_off_at_any_line_loses_nothing_that_a_manifest_reaches(
        script in script(60), mode in mode(), days in days(), share in 0..100usize,
    ) {
        let (world, mode) = (world(&script, days), by_list(mode));
        let whole: Vec<Digest> = blobs(&world).into_iter().collect();
        let dir = list(whole[..whole.len() * share / 100].iter().copied());
        let (ways, store) = (Ways::default(), Ways::default().store(&world));
        let collection = Collection::of(&world, store.clone(), &mode, &ways);
        let collection = collection.listed(&dir.path().join("list"));
        runtime().block_on(collection.run()).unwrap();
        Expected::of(&world, &mode).check_nothing_is_lost(&store);
    }
}

const DAY: Duration = Duration::from_hours(24);

/// Images of a registry, 40 days old; garbage that layer links name, and garbage that nothing names.
fn by_hand() -> World {
    let mut world = world(&[], 0);
    for number in 0..4 {
        let image = Image::new(number * 100, &[Content::new(number * 100 + 1, 64)]);
        world.push_image("team/app", &image, None);
    }
    world.upload_orphan("team/app", Content::new(7, 64));
    world.put_blob(&Content::new(8, 64).bytes());
    world.start_upload("team/app", Content::new(9, 64));
    world.age(DAY * 40);
    world
}

/// A plan by a list, and what goes by it.
fn planned(world: &World, known: impl IntoIterator<Item = Digest>) -> (Plan, Vec<Row>) {
    let (dir, mode) = (list(known), by_list(Mode::default()));
    let store = Ways::default().store(world);
    let collection = Collection::of(world, store, &mode, &Ways::default());
    let collection = collection.listed(&dir.path().join("list"));
    let plan = runtime().block_on(collection.plan()).unwrap();
    let rows = plan.segments().iter().flat_map(|segment| plan.rows(segment).unwrap());
    let rows = rows.map(Result::unwrap).collect();
    (plan, rows)
}

#[test]
fn links_that_nothing_needs_and_uploads_stay() {
    let world = by_hand();
    let (plan, _) = planned(&world, []);
    let totals = plan.totals();
    assert_eq!((totals.all().count, totals.of(RowKind::Blob).count), (2, 2));
    let without =
        Collection::of(&world, Ways::default().store(&world), &Mode::default(), &Ways::default());
    let without = runtime().block_on(without.plan()).unwrap();
    assert!(without.totals().of(RowKind::LayerLink).count > 0, "which go otherwise");
    assert!(without.totals().of(RowKind::Upload).count > 0);
}

#[test]
fn what_is_served_under_another_digest_stays_where_the_list_may_have_only_that() {
    let mut world = by_hand();
    let alias = world.upload_sha512("team/app", Content::new(10, 64));
    world.age(DAY * 40);
    let (plan, _) = planned(&world, [alias]);
    assert_eq!(plan.totals().all().count, 2, "as without it");
}

#[test]
fn a_registry_of_which_nothing_is_linked_keeps_what_its_list_names() {
    let mut world = world(&[], 0);
    let known: Vec<Digest> = (0..9).map(|n| world.put_blob(&Content::new(n, 64).bytes())).collect();
    let unknown = world.put_blob(&Content::new(99, 64).bytes());
    world.age(DAY * 2);
    let (plan, rows) = planned(&world, known);
    let gone: Vec<_> = rows.into_iter().map(|row| row.digest).collect();
    assert_eq!(gone, [Some(unknown)]);
    let header = plan.header();
    assert_eq!((header.facts.keep_list, header.facts.keep_list_blobs), (10, 9));
    assert_eq!(header.keep_list.as_ref().unwrap().digests, 10);
    assert!(header.notes.iter().all(|note| note.breaker != Breaker::StaleLinks));
}

#[test]
fn the_numbers_tell_a_list_of_another_registry() {
    let world = by_hand();
    let others = (0..30u8).map(|n| Digest::sha256(&[n]));
    let (plan, _) = planned(&world, others);
    let notes = &plan.header().notes;
    let stranger = notes.iter().find(|note| note.breaker == Breaker::KeepListStranger).unwrap();
    assert_eq!((stranger.found, stranger.of), (31, 31));
    assert_eq!(stranger.severity, Severity::Accepted, "as all are here");
}

#[test]
fn the_numbers_tell_a_list_that_lacks_what_was_pushed_lately() {
    let mut world = world(&[], 0);
    for number in 0..12 {
        world.push_image("team/app", &Image::new(number, &[]), Some("latest"));
    }
    world.age(DAY * 2);
    let half: Vec<Digest> = world.revisions("team/app").into_iter().step_by(2).collect();
    let (plan, _) = planned(&world, half);
    let notes = &plan.header().notes;
    let short = notes.iter().find(|note| note.breaker == Breaker::KeepListShort).unwrap();
    assert_eq!((short.found, short.of), (6, 12));
    assert_eq!(plan.totals().all().count, 0, "and nothing of it would go");
}

#[test]
fn g4_a_manifest_that_cannot_be_read_keeps_all_that_its_repository_links() {
    let mut world = by_hand();
    let manifest = world.revisions("team/app")[0];
    let key = world.keys().blob(&manifest);
    assert!(world.corrupt(&key));
    let (plan, _) = planned(&world, []);
    assert_eq!(plan.totals().all().count, 1, "only what nothing links");
    assert_eq!(plan.header().doubts.total(), 1);
}
