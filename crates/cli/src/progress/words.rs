//! What is said of each phase: what is done, how fast, what was asked of the store, what is left.

use std::time::Duration;

use monitor::{Counter, Monitor, Phase};

use crate::location::Place;
use crate::render::{count, size};

/// The words for what is asked of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// A bucket is asked by requests.
    Bucket,
    /// In a directory, folders and files are opened.
    Files,
}

impl From<&Place> for Words {
    fn from(place: &Place) -> Self {
        match place {
            Place::Directory(_) => Self::Files,
            Place::Bucket(_) => Self::Bucket,
        }
    }
}

/// What a phase counts, and how it is called.
pub(super) fn done(monitor: &Monitor, phase: Phase) -> (u64, &'static str) {
    match phase {
        Phase::Opening | Phase::Sealing | Phase::Finished => (0, ""),
        Phase::Marking => (monitor.get(Counter::RepositoryKeys), "keys"),
        Phase::Planning | Phase::ListingBlobs | Phase::Weighing => {
            (monitor.get(Counter::BlobKeys), "keys")
        }
        Phase::Verifying => (monitor.get(Counter::VerifiedBlobs), "blobs"),
        Phase::SweepingLinks | Phase::SweepingBlobs | Phase::Restoring => {
            (monitor.get(Counter::SweptObjects), "objects")
        }
    }
}

/// Where a phase stands, or stood at its end; empty for those that take no time.
pub(super) fn summary(monitor: &Monitor, phase: Phase, words: Words) -> String {
    doing(monitor, phase).map_or_else(String::new, |doing| doing + &asked(monitor, words))
}

/// Where a phase stands that began `elapsed` ago, when it had `since` done, and how fast it goes.
pub(super) fn description(
    monitor: &Monitor,
    phase: Phase,
    words: Words,
    since: u64,
    elapsed: Duration,
) -> String {
    let pace = pace(monitor, phase, since, elapsed);
    doing(monitor, phase).map_or_else(String::new, |doing| doing + &pace + &asked(monitor, words))
}

fn doing(monitor: &Monitor, phase: Phase) -> Option<String> {
    let get = |counter| monitor.get(counter);
    let number = |counter| count(get(counter));
    match phase {
        Phase::Opening | Phase::Sealing | Phase::Finished => None,
        Phase::Marking => Some(format!(
            "marking: {} repositories, {} keys, {} manifests{}",
            number(Counter::MarkedRepositories),
            number(Counter::RepositoryKeys),
            count(get(Counter::ReadManifests) + get(Counter::RecalledManifests)),
            recalled(get(Counter::RecalledManifests)),
        )),
        Phase::Planning => Some(format!(
            "comparing: {} blobs, {}, {} objects to delete",
            number(Counter::Blobs),
            size(get(Counter::BlobBytes)),
            number(Counter::PlannedObjects),
        )),
        Phase::Weighing => Some(format!(
            "weighing: {} blobs, {}",
            number(Counter::Blobs),
            size(get(Counter::BlobBytes)),
        )),
        Phase::ListingBlobs => Some(format!(
            "listing: {} blobs, {}",
            number(Counter::Blobs),
            size(get(Counter::BlobBytes)),
        )),
        Phase::Verifying => Some(format!(
            "verifying: {} blobs, {}",
            number(Counter::VerifiedBlobs),
            size(get(Counter::VerifiedBytes)),
        )),
        Phase::Restoring => Some(format!(
            "taking back: {} objects looked at, {} restored",
            number(Counter::SweptObjects),
            number(Counter::RestoredObjects),
        )),
        Phase::SweepingLinks | Phase::SweepingBlobs => Some(format!(
            "sweeping {}: {} of {} objects, {} freed, {} failed",
            if phase == Phase::SweepingLinks { "links" } else { "blobs" },
            number(Counter::SweptObjects),
            number(Counter::PlannedObjects),
            size(get(Counter::FreedBytes)),
            number(Counter::FailedObjects),
        )),
    }
}

/// How many of the manifests were not read.
fn recalled(manifests: u64) -> String {
    if manifests == 0 { String::new() } else { format!(" ({} recalled)", count(manifests)) }
}

/// What was asked of the store so far. On files every delete is an object, which is counted already.
fn asked(monitor: &Monitor, words: Words) -> String {
    let requests: &[(Counter, &str)] = match words {
        Words::Bucket => &[
            (Counter::ListRequests, "LIST"),
            (Counter::GetRequests, "GET"),
            (Counter::DeleteRequests, "DELETE"),
        ],
        Words::Files => {
            &[(Counter::ListRequests, "folders opened"), (Counter::GetRequests, "files read")]
        }
    };
    let trouble = [(Counter::RetriedRequests, "retried"), (Counter::ThrottledAnswers, "throttled")];
    let counted = |(counter, name): &(Counter, &str)| match monitor.get(*counter) {
        0 => None,
        n => Some(format!("{} {name}", count(n))),
    };
    let counted: Vec<String> = requests.iter().chain(&trouble).filter_map(counted).collect();
    if counted.is_empty() { String::new() } else { format!("; {}", counted.join(", ")) }
}

/// How fast a phase goes, and what is left of a sweep: only a sweep knows beforehand how much there is.
fn pace(monitor: &Monitor, phase: Phase, since: u64, elapsed: Duration) -> String {
    let (now, unit) = done(monitor, phase);
    if unit.is_empty() {
        return String::new();
    }
    let rate = now.saturating_sub(since) as f64 / elapsed.as_secs_f64().max(0.001);
    let speed = format!(", {} {unit}/s", count(whole(rate)));
    let planned = monitor.get(Counter::PlannedObjects);
    let left = planned.saturating_sub(now) as f64 / rate;
    if unit != "objects" || planned == 0 || rate <= 0.0 || left > 1e9 {
        return speed;
    }
    let left = humantime::format_duration(Duration::from_secs(whole(left)));
    format!("{speed}, about {left} left")
}

/// A figure for a person; never negative, and small enough for the cast.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shown, not computed with"
)]
fn whole(figure: f64) -> u64 {
    figure.clamp(0.0, 1e15) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monitor() -> Monitor {
        let monitor = Monitor::new();
        for (counter, n) in [
            (Counter::MarkedRepositories, 25),
            (Counter::RepositoryKeys, 12_345),
            (Counter::ReadManifests, 300),
            (Counter::Blobs, 2000),
            (Counter::BlobBytes, 3 << 30),
            (Counter::PlannedObjects, 1000),
            (Counter::SweptObjects, 400),
            (Counter::FreedBytes, 1 << 20),
            (Counter::ListRequests, 13),
            (Counter::GetRequests, 300),
        ] {
            monitor.count(counter, n);
        }
        monitor
    }

    #[test]
    fn every_phase_says_what_is_done_and_what_was_asked() {
        let monitor = monitor();
        let say = |phase| summary(&monitor, phase, Words::Bucket);
        assert_eq!(
            say(Phase::Marking),
            "marking: 25 repositories, 12,345 keys, 300 manifests; 13 LIST, 300 GET"
        );
        assert_eq!(
            say(Phase::Planning),
            "comparing: 2,000 blobs, 3.0 GiB, 1,000 objects to delete; 13 LIST, 300 GET"
        );
        assert_eq!(say(Phase::ListingBlobs), "listing: 2,000 blobs, 3.0 GiB; 13 LIST, 300 GET");
        assert_eq!(say(Phase::Verifying), "verifying: 0 blobs, 0 B; 13 LIST, 300 GET");
        let sweeping = "400 of 1,000 objects, 1.0 MiB freed, 0 failed; 13 LIST, 300 GET";
        assert_eq!(say(Phase::SweepingLinks), format!("sweeping links: {sweeping}"));
        assert_eq!(say(Phase::SweepingBlobs), format!("sweeping blobs: {sweeping}"));
        for quiet in [Phase::Opening, Phase::Sealing, Phase::Finished] {
            assert_eq!(say(quiet), "");
        }
    }

    #[test]
    fn folders_and_files_are_no_requests() {
        let monitor = monitor();
        monitor.count(Counter::DeleteRequests, 400);
        let said = summary(&monitor, Phase::SweepingBlobs, Words::Files);
        assert!(said.ends_with("0 failed; 13 folders opened, 300 files read"), "{said}");
    }

    #[test]
    fn manifests_known_from_an_earlier_run_are_told_where_there_are_any() {
        let monitor = monitor();
        monitor.count(Counter::RecalledManifests, 1200);
        let said = summary(&monitor, Phase::Marking, Words::Bucket);
        assert!(said.contains(", 1,500 manifests (1,200 recalled); "), "{said}");
    }

    #[test]
    fn throttling_and_retries_are_told_where_there_are_any() {
        let monitor = monitor();
        monitor.count(Counter::ThrottledAnswers, 7);
        monitor.count(Counter::RetriedRequests, 9);
        let said = summary(&monitor, Phase::Marking, Words::Bucket);
        assert!(said.ends_with("300 GET, 9 retried, 7 throttled"), "{said}");
    }

    #[test]
    fn a_sweep_knows_how_long_it_will_take() {
        let monitor = monitor();
        let ten = Duration::from_secs(10);
        let pace_of = |phase, since| pace(&monitor, phase, since, ten);
        assert_eq!(pace_of(Phase::SweepingBlobs, 300), ", 10 objects/s, about 1m left");
        assert_eq!(pace_of(Phase::SweepingBlobs, 400), ", 0 objects/s");
        assert_eq!(pace_of(Phase::Marking, 0), ", 1,234 keys/s");
        assert_eq!(pace_of(Phase::Opening, 0), "");
        assert_eq!(
            description(&monitor, Phase::SweepingBlobs, Words::Bucket, 300, ten),
            "sweeping blobs: 400 of 1,000 objects, 1.0 MiB freed, 0 failed, 10 objects/s, about 1m left; \
             13 LIST, 300 GET"
        );
    }
}
