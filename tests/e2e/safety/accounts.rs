//! G10: everything is accounted for.

use monitor::Counter;
use planner::RowKind;
use store::{Fault, FaultPlan, Faulty};
use world::Mode;

use super::{check_references, leave_upload, references, rows};
use crate::crashes::{SMALL_WAYS, small};
use crate::harness::{Collection, Expected, Ways, keys, runtime};

/// Every key is looked at, so that the numbers can be told from the bucket.
const WAYS: Ways = Ways { presumes: false, ..SMALL_WAYS };

#[test]
fn g10_the_plan_the_report_and_the_bucket_tell_the_same_numbers() {
    let (world, mode) = (small(), Mode::untagged());
    let store = WAYS.store(&world);
    let upload = leave_upload(&store);
    let collection = Collection::of(&world, store.clone(), &mode, &WAYS);
    let plan = runtime().block_on(collection.plan()).unwrap();
    let report = runtime().block_on(collection.sweep()).unwrap();
    let gone = Expected::of(&world, &mode).gone(&keys(&store));
    let bytes = |key: &String| world.objects()[key].bytes.len() as u64;
    let count = gone.len() as u64 + 1;
    let sum = gone.iter().map(bytes).sum::<u64>() + upload;
    let (total, deleted) = (report.total, report.total.fates.deleted);
    assert_eq!([total.planned.objects, deleted.objects], [count; 2]);
    assert_eq!([total.planned.bytes, deleted.bytes], [sum; 2]);
    let totals = RowKind::ALL.map(|kind| plan.totals().of(kind));
    assert_eq!(totals.iter().map(|amount| amount.count).sum::<u64>(), count);
    assert_eq!(totals.iter().map(|amount| amount.bytes).sum::<u64>(), sum);
    for (kind, amount) in RowKind::ALL.into_iter().zip(totals) {
        let rows = rows(&plan);
        let of_kind = rows.iter().filter(|(of, _)| *of == kind);
        assert_eq!(amount.count, of_kind.count() as u64);
        // A collection writes no link anew.
        let of_report = report.kinds.get(&kind).copied().unwrap_or_default();
        assert_eq!(of_report.deleted.objects, amount.count);
        assert_eq!(amount.count == 0, kind == RowKind::BrokenLink);
    }
    let told = |counter| collection.monitor.get(counter);
    assert_eq!([told(Counter::PlannedObjects), told(Counter::DeletedObjects)], [count; 2]);
    assert_eq!([told(Counter::PlannedBytes), told(Counter::FreedBytes)], [sum; 2]);
    assert_eq!(plan.header().facts.keys, world.objects().len() as u64);
    report.check().unwrap();
}

#[test]
fn g10_every_object_has_one_outcome_whatever_fails() {
    let (world, mode) = (small(), Mode::untagged());
    for seed in 0..40 {
        let store = WAYS.store(&world);
        let collection = Collection::of(&world, store.clone(), &mode, &WAYS);
        runtime().block_on(collection.plan()).unwrap();
        let kinds = vec![Fault::FailedKeys, Fault::LostKeys];
        let faults = FaultPlan { seed, rate_per_1000: 300, kinds };
        let again = collection.again(Faulty::new(store.clone(), faults));
        let report = runtime().block_on(again.sweep()).unwrap();
        report.check().unwrap();
        let total = report.total;
        assert_eq!(total.fates.total(), total.planned, "seed {seed}");
        let gone = Expected::of(&world, &mode).gone(&keys(&store)).len() as u64;
        let fates = total.fates;
        let told = fates.deleted.objects + fates.already_gone.objects;
        // A key whose deletion was answered with a failure is gone and counted as failed.
        assert!(told <= gone && gone <= told + fates.failed.objects, "seed {seed}: {report:?}");
        check_references(&store, &references(&world));
    }
}
