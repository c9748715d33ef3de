//! G11: cut off at any instant, taken up again, the end is the same.

use monitor::{Monitor, Stop};
use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};

use super::store_double::Fault;
use super::world::{GOING, World, bystanders, denied, everything};
use crate::sweep::{Around, Settings};
use crate::{Cause, JournalError, SweepReport};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// A new world of a few rows, each stage one segment or one for each shard.
type MakeWorld = fn() -> World;

const WORLDS: [MakeWorld; 2] =
    [|| with_settings(World::of(everything(4))), || with_settings(World::by_shard(everything(4)))];

fn with_settings(mut world: World) -> World {
    world.settings = Settings { concurrency: 3, batch: 3, ..Settings::default() };
    world
}

/// Runs a test over both worlds.
fn for_both(test: impl AsyncFn(MakeWorld)) {
    runtime().block_on(async {
        for world in WORLDS {
            test(world).await;
        }
    });
}

/// Sweeps until the disk breaks; whether it did.
async fn sweep_until_broken(world: &World) -> bool {
    let journal = match world.journal() {
        Ok(journal) => journal,
        Err(JournalError::Io { .. }) => return true,
        Err(error) => panic!("{error}"),
    };
    let (monitor, stop) = (Monitor::new(), Stop::new());
    let around = Around { observer: &(), monitor: &monitor, stop: &stop, trash: None };
    match world.sweep_on(journal, around).await {
        Ok(_) => false,
        Err(error) if matches!(error.cause, Cause::Journal(_)) => true,
        Err(error) => panic!("{error:?}"),
    }
}

/// Sweeps to the end and checks that it is the one end there is.
async fn sweep_to_the_end(world: &World) {
    let report = match world.sweep().await {
        Ok(report) => report,
        Err(error) if matches!(error.cause, Cause::AlreadyApplied) => *error.report,
        Err(error) => panic!("{error:?}"),
    };
    check_the_end(world, &report);
    assert!(matches!(world.sweep().await.unwrap_err().cause, Cause::AlreadyApplied));
}

fn check_the_end(world: &World, report: &SweepReport) {
    assert_eq!(world.store.objects(), bystanders());
    assert!(report.is_clean());
    let fates = report.total.fates;
    assert_eq!(fates.deleted + fates.already_gone, world.planned());
}

#[test]
fn g11_a_crash_at_every_byte_of_the_journal_ends_in_the_same_objects() {
    for_both(async |world| {
        let whole = world();
        sweep_to_the_end(&whole).await;
        let length = whole.disk.bytes().len();
        let mut broken = 0;
        for bytes in 0..=length {
            for kept in [0, usize::MAX] {
                let world = world();
                world.disk.break_after_bytes(bytes);
                broken += usize::from(sweep_until_broken(&world).await);
                world.disk.restart(kept);
                sweep_to_the_end(&world).await;
            }
        }
        assert!(broken > length, "the disk broke {broken} times only");
    });
}

#[test]
fn g11_a_crash_at_every_write_and_every_sync_ends_in_the_same_objects() {
    for_both(async |world| {
        for syncs in 0..100 {
            let mut kept = 0;
            let (mut broke, mut most) = (false, 1);
            while kept <= most {
                let world = world();
                world.disk.break_after_syncs(syncs);
                broke = sweep_until_broken(&world).await;
                most = world.disk.bytes().len() - world.disk.durable_bytes().len();
                world.disk.restart(kept);
                sweep_to_the_end(&world).await;
                kept += 7;
            }
            if !broke {
                assert!(syncs > 10, "few syncs: {syncs}");
                return;
            }
        }
        panic!("the disk never stopped breaking");
    });
}

#[test]
fn g11_whatever_is_deleted_was_intended_durably_even_when_the_power_fails() {
    for_both(async |world| {
        let whole = world();
        sweep_to_the_end(&whole).await;
        for bytes in whole.disk.ends_of_writes() {
            let world = world();
            world.disk.break_after_bytes(bytes);
            sweep_until_broken(&world).await;
            let durable = crate::parse_journal(&world.disk.durable_bytes()).unwrap().state;
            let known = durable.uncertain_rows() + durable.fates().total().objects;
            let gone = world.keys().len() + bystanders().len() - world.store.objects().len();
            assert!(gone as u64 <= known, "{gone} are gone, {known} are known");
        }
    });
}

fn a_fault() -> impl Strategy<Value = Option<(usize, Fault)>> {
    prop::option::of((
        0..8usize,
        prop_oneof![
            Just(Fault::Refused(store::ErrorKind::Transient)),
            Just(Fault::AnswerLost),
            Just(Fault::AnswerShort)
        ],
    ))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn g11_any_row_of_crashes_and_faults_ends_in_the_same_objects(
        each in 0..12u32,
        by_shard in any::<bool>(),
        batch in 1..9usize,
        concurrency in 1..6usize,
        crashes in prop::collection::vec((0..900usize, 0..90usize, a_fault()), 0..5),
        stubborn in prop::option::of((0..GOING.len(), 0..12u32)),
    ) {
        runtime().block_on(async {
            let make = if by_shard { World::by_shard } else { World::of };
            let mut world = make(everything(each));
            world.settings = Settings { concurrency, batch, ..Settings::default() };
            for (bytes, kept, fault) in crashes {
                if let Some((request, fault)) = fault {
                    world.store.fail(world.store.requests().len() + request, fault);
                }
                if let Some((kind, number)) = stubborn {
                    let kind = GOING[kind].name();
                    world.store.answer(&format!("{kind}/{number}"), denied());
                }
                world.disk.break_after_bytes(bytes);
                if let Ok(journal) = world.journal() {
                    let (monitor, stop) = (Monitor::new(), Stop::new());
                    let around = Around { observer: &(), monitor: &monitor, stop: &stop, trash: None };
                    drop(world.sweep_on(journal, around).await);
                }
                world.disk.restart(kept);
            }
            world.store.heal();
            sweep_to_the_end(&world).await;
        });
    }
}
