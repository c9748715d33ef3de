//! Incomplete multipart uploads: exactly those go that a registry began and nobody added to for long, whatever fails.

use std::time::Duration;

use marker::Follow;
use planner::Amount;
use proptest::prelude::*;
use registry::{Digest, Layout, Timestamp};
use regsweep::usage::MultipartUsage;
use store::{Crash, FaultPlan, Faulty, MemoryStore};
use world::{Mode, World};

use crate::crashes::{SMALL_WAYS, small, take_up};
use crate::harness::{Collection, Expected, cases, runtime};
use crate::usage::try_taken;

const DAY: Duration = Duration::from_hours(24);

/// An upload to begin: where, how many days ago, and how many days ago each part came.
#[derive(Clone, Debug)]
struct Left {
    place: Place,
    age: u32,
    parts: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Upload(u8),
    Blob(u8),
    Link,
    Backup,
    Elsewhere,
}

impl Place {
    fn key(self, layout: &Layout) -> String {
        let base = layout.base();
        match self {
            Self::Upload(number) => format!("{base}repositories/app/_uploads/{number}/data"),
            Self::Blob(number) => layout.blob(&Digest::sha256(&[number])),
            Self::Link => format!("{base}repositories/app/_manifests/tags/v1/current/link"),
            Self::Backup => format!("{base}repositories/backup.tar"),
            Self::Elsewhere => "elsewhere".to_owned(),
        }
    }

    const fn is_listed(self) -> bool {
        !matches!(self, Self::Elsewhere)
    }

    const fn is_a_registrys(self) -> bool {
        matches!(self, Self::Upload(_) | Self::Blob(_))
    }
}

/// By the rule as it is told to people.
fn stays(left: &Left, mode: &Mode) -> bool {
    let limit = mode.grace.max(mode.uploads_older_than);
    let is_young = |days: &u32| DAY * *days <= limit;
    !left.place.is_a_registrys() || is_young(&left.age) || left.parts.iter().any(is_young)
}

fn begin(store: &MemoryStore, world: &World, all: &[Left]) {
    let layout = Layout::new(world.rootdirectory());
    let ago = |days: u32| -> Timestamp { world.now().before(DAY * days) };
    for left in all {
        let key = left.place.key(&layout);
        let id = store.begin_upload(&key, ago(left.age));
        left.parts.iter().for_each(|days| store.add_part(&key, &id, 10, ago(*days)));
    }
}

/// The keys of those that must be left, ascending.
fn expected(world: &World, all: &[Left], mode: &Mode) -> Vec<String> {
    let layout = Layout::new(world.rootdirectory());
    let left = all.iter().filter(|left| stays(left, mode));
    let mut keys: Vec<String> = left.map(|left| left.place.key(&layout)).collect();
    keys.sort_unstable();
    keys
}

/// Two of each kind that matters.
fn some() -> Vec<Left> {
    let left = |place, age, parts: &[u32]| Left { place, age, parts: parts.to_vec() };
    vec![
        left(Place::Upload(1), 20, &[20, 19]),
        left(Place::Upload(1), 20, &[20, 1]),
        left(Place::Upload(2), 2, &[]),
        left(Place::Upload(3), 30, &[]),
        left(Place::Blob(1), 9, &[9, 8]),
        left(Place::Blob(1), 9, &[8]),
        left(Place::Link, 90, &[90]),
        left(Place::Backup, 90, &[90]),
        left(Place::Elsewhere, 90, &[]),
    ]
}

#[test]
fn g11_a_crash_at_every_call_ends_in_the_same_uploads() {
    let (world, mode, all) = (small(), Mode::untagged(), some());
    let fresh = || {
        let store = SMALL_WAYS.store(&world);
        begin(&store, &world, &all);
        store
    };
    let end = expected(&world, &all, &mode);
    assert!((3..all.len()).contains(&end.len()));
    let mut calls = 0;
    loop {
        let (store, crash) = (fresh(), Crash::after(calls));
        let faulty = Faulty::crashing(store.clone(), FaultPlan::none(), crash.clone());
        let collection = Collection::of(&world, faulty, &mode, &SMALL_WAYS);
        let ended = runtime().block_on(collection.run());
        assert_eq!(ended.is_err(), crash.has_happened());
        Expected::of(&world, &mode).check_nothing_is_lost(&store);
        let report = take_up(&collection, &store);
        Expected::of(&world, &mode).check_it_is_collected(&store, &report);
        assert_eq!(store.upload_keys(), end, "call {calls}");
        if ended.is_ok() {
            break;
        }
        calls += 1;
    }
    assert!(calls > 40, "{calls} calls are too few");
}

fn left() -> impl Strategy<Value = Left> {
    let place = prop_oneof![
        4 => (0..3u8).prop_map(Place::Upload),
        3 => (0..3u8).prop_map(Place::Blob),
        1 => Just(Place::Link),
        1 => Just(Place::Backup),
        1 => Just(Place::Elsewhere),
    ];
    let day = || prop_oneof![0..4u32, 5..12u32];
    (place, day(), prop::collection::vec(day(), 0..4)).prop_map(|(place, age, parts)| Left {
        place,
        age,
        parts,
    })
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn exactly_the_old_ones_of_a_registry_go_whatever_fails_on_the_way(
        all in prop::collection::vec(left(), 0..14),
        (older_than, grace) in (0..10u32, 0..5u32),
        page in 1..5usize, seed: u64, rate in prop_oneof![Just(0u16), 0..200u16],
    ) {
        let world = small();
        let (uploads_older_than, grace) = (DAY * older_than, DAY * grace);
        let mode = Mode { grace, uploads_older_than, ..Mode::untagged() };
        let ways = crate::harness::Ways { page, ..SMALL_WAYS };
        let store = ways.store(&world);
        begin(&store, &world, &all);
        let faulty = Faulty::new(store.clone(), FaultPlan::passing(seed, rate));
        let collection = Collection::of(&world, faulty, &mode, &ways);
        // It fails, mostly; what it did must be right all the same.
        drop(runtime().block_on(collection.run()));
        let end = expected(&world, &all, &mode);
        let left = store.upload_keys();
        prop_assert!(end.iter().all(|key| left.contains(key)), "{:?} of {:?}", left, end);
        let report = take_up(&collection, &store);
        prop_assert!(report.is_clean(), "{:?}", report);
        prop_assert_eq!(store.upload_keys(), end);
    }

    #[test]
    fn a_census_counts_those_of_a_registry_and_says_how_many_a_plan_aborts(
        all in prop::collection::vec(left(), 0..14),
        (older_than, grace) in (0..10u32, 0..5u32), page in 1..5usize,
    ) {
        let world = small();
        let (uploads_older_than, grace) = (DAY * older_than, DAY * grace);
        let mode = Mode { grace, uploads_older_than, ..Mode::untagged() };
        let ways = crate::harness::Ways { page, ..SMALL_WAYS };
        let store = ways.store(&world);
        begin(&store, &world, &all);
        let taken = try_taken(None, store.clone(), &world, &mode, &ways, Follow::Nothing);
        let told = match runtime().block_on(taken).unwrap().multipart {
            MultipartUsage::Known(told) => told,
            unknown @ MultipartUsage::Unknown { .. } => panic!("{unknown:?}"),
        };
        let (own, foreign): (Vec<&Left>, Vec<&Left>) =
            all.iter().partition(|left| left.place.is_a_registrys());
        let amount = |those: &[&Left]| Amount {
            count: those.len() as u64,
            bytes: those.iter().map(|left| 10 * left.parts.len() as u64).sum(),
        };
        let old: Vec<&Left> = own.iter().copied().filter(|left| !stays(left, &mode)).collect();
        prop_assert_eq!((told.all, told.reclaimable), (amount(&own), amount(&old)));
        let foreign = foreign.iter().filter(|left| left.place.is_listed()).count() as u64;
        prop_assert_eq!((told.unread, told.foreign), (0, foreign));
    }
}
