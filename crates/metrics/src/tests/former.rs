//! What outlives a text.

use monitor::{Counter, Garbage, Monitor, Phase};
use proptest::prelude::*;
use registry::Timestamp;

use super::{ended, text_of};
use crate::seconds::{seconds, time};
use crate::{Former, Labels};

fn read(text: &str) -> Former {
    Former::read(text, &Labels::of("gc"))
}

/// What a text says that replaces `former`, of a run that ended so.
fn after(former: &Former, at: i64, exit_code: u8) -> Former {
    read(&text_of(&Monitor::new(), Some(ended(at, exit_code)), former))
}

#[test]
fn the_last_success_survives_runs_that_fail() {
    let success = Some(Timestamp::from_seconds(100));
    let good = after(&Former::default(), 100, 0);
    assert_eq!((good.last, good.last_success), (Some(ended(100, 0)), success));
    let bad = after(&good, 200, 5);
    assert_eq!((bad.last, bad.last_success), (Some(ended(200, 5)), success));
    let under_way = read(&text_of(&Monitor::new(), None, &bad));
    assert_eq!(under_way, bad, "a run that goes on takes nothing away");
    assert_eq!(after(&under_way, 300, 0).last_success, Some(Timestamp::from_seconds(300)));
    assert_eq!(after(&Former::default(), 100, 3).last_success, None);
}

#[test]
fn what_is_not_understood_is_as_if_it_were_not_there() {
    let text = text_of(&Monitor::new(), Some(ended(100, 0)), &Former::default());
    let line = text.lines().find(|line| line.starts_with("regsweep_last_success")).unwrap();
    let with = |other: &str| text.replace(line, other);
    assert!(read(&text).last_success.is_some());
    for (what, text) in [
        ("cut off", text.trim_end().to_owned()),
        ("twice", with(&format!("{line}\n{line}"))),
        ("another value", with(&line.replace("100.000", "100"))),
        ("no value", with(&line.replace("100.000", "NaN"))),
        ("negative", with(&line.replace("100.000", "-100.000"))),
        ("with a time", with(&format!("{line} 100000"))),
        ("of another command", with(&line.replace("gc", "plan"))),
        ("with other labels", with(&line.replace("\"gc\"", "\"gc\",a=\"b\""))),
        ("a comment", with(&format!("# {line}"))),
        ("huge", with(&line.replace("100.000", "99999999999999999999.000"))),
        ("nothing", String::new()),
    ] {
        assert_eq!(read(&text).last_success, None, "{what}");
    }
    let half = text.replace("_exit_code{", "_exit{");
    assert_eq!((read(&half).last, read(&half).last_success.is_some()), (None, true));
}

fn oldest(monitor: &Monitor, exit_code: u8, former: Option<i64>) -> Option<i64> {
    let oldest_garbage = former.map(Timestamp::from_millis);
    let former = Former { oldest_garbage, ..Former::default() };
    let text = text_of(monitor, Some(ended(100, exit_code)), &former);
    read(&text).oldest_garbage.map(Timestamp::as_millis)
}

#[test]
fn the_oldest_garbage_is_what_the_last_plan_named_and_nobody_deleted() {
    let monitor = Monitor::new();
    assert_eq!(oldest(&monitor, 5, Some(3)), Some(3), "a run without a plan knows no better");
    assert_eq!(oldest(&monitor, 0, Some(3)), None, "a plan that names nothing");
    monitor.count(Counter::PlannedObjects, 2);
    monitor.note(Garbage::Planned, 7);
    assert_eq!(oldest(&monitor, 0, Some(3)), Some(7), "planned, not swept");
    monitor.enter(Phase::SweepingLinks);
    monitor.count(Counter::SweptObjects, 1);
    assert_eq!(oldest(&monitor, 130, Some(3)), None, "nobody knows which is left");
    monitor.count(Counter::SweptObjects, 1);
    assert_eq!(oldest(&monitor, 0, Some(3)), None, "all went");
    monitor.note(Garbage::Failed, 9);
    assert_eq!(oldest(&monitor, 3, Some(3)), Some(9), "one failed");
}

proptest! {
    #[test]
    fn a_time_reads_back_and_no_other_text_is_one(millis in any::<i64>(), other in "[0-9.+-]{0,16}") {
        let time_at = Timestamp::from_millis(millis);
        let expected = (millis >= 0).then_some(time_at);
        prop_assert_eq!(time(&seconds(time_at)), expected);
        if let Some(read) = time(&other) {
            prop_assert_eq!(seconds(read), other);
        }
    }
}
