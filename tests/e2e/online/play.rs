//! Plays a push and a collection, the push cut at every step and placed all over the nights.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use world::Random;

use super::bucket::Bucket;
use super::client::{Image, Push};
use super::nights::{Flaw, LONGEST_PUSH, Nights, Sums};
use super::served::Registry;

/// Nights with somebody at work, and quiet ones.
pub(crate) const NIGHTS: usize = 4;

/// Longer than all nights together.
pub(crate) const ALL_NIGHTS: Duration = Duration::from_hours(1);

/// How often a race is played, about.
pub(crate) const PLAYS: u64 = 240;

/// How many plays in memory there are for one over HTTP, which takes as long.
const SERVED: u64 = 12;

/// What is there before the first night, and who pushes.
pub(crate) struct Scene {
    pub(crate) registry: Registry,
    pub(crate) push: Push,
    /// What else must pull, and from where.
    pub(crate) others: Vec<(&'static str, Image)>,
    /// Whether manifests without a tag go.
    pub(crate) untagged: bool,
    /// Whether what people did is young in all nights, and so stays.
    pub(crate) stays_young: bool,
}

/// When the push takes its first steps, how many, and when the rest; in requests since the first night.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) first: u64,
    pub(crate) steps: usize,
    pub(crate) second: u64,
}

/// What came of a race.
#[derive(Debug)]
pub(crate) struct Played {
    /// Requests while people were at work.
    pub(crate) requests: u64,
    pub(crate) sums: Sums,
    /// What is wrong.
    pub(crate) wrong: Vec<String>,
}

/// Plays a race once.
pub(crate) fn play(scene: Scene, cut: Cut, uses_trash: bool, flaw: Option<Flaw>) -> Played {
    let Scene { registry, push, others, untagged, stays_young } = scene;
    let push = Arc::new(Mutex::new(push));
    let at_work = Arc::clone(&push);
    let deed = move |registry: &Registry, request: u64| {
        let mut push = at_work.lock().unwrap();
        if request == cut.first {
            push.advance(registry, cut.steps);
        }
        if request == cut.second {
            push.finish(registry);
        }
    };
    let mut nights = Nights::new(&registry, uses_trash, Box::new(deed))
        .with(flaw)
        .untagged(untagged)
        .grace(if stays_young { ALL_NIGHTS } else { LONGEST_PUSH });
    for _ in 0..NIGHTS {
        nights.night().unwrap();
        let mut push = push.lock().unwrap();
        if push.has_begun() && flaw != Some(Flaw::SlowPushes) {
            push.finish(&registry);
        }
    }
    let requests = nights.requests();
    push.lock().unwrap().finish(&registry);
    nights.rest();
    nights.nights(NIGHTS);
    let push = push.lock().unwrap();
    let all: Vec<_> = others
        .iter()
        .map(|(repository, image)| (*repository, image))
        .chain([(push.repository, &push.image)])
        .collect();
    let mut wrong: Vec<String> =
        all.iter().flat_map(|(repository, image)| nights.broken(repository, image)).collect();
    let images: Vec<&Image> = all.iter().map(|(_, image)| *image).collect();
    let too_much = if stays_young { Vec::new() } else { nights.too_much(&images) };
    wrong.extend(too_much.into_iter().map(|key| format!("{key} is left")));
    Played { requests, sums: nights.sums(), wrong }
}

/// Plays a race with the push cut at every step, and placed all over the nights; on a bucket that keeps versions, and
/// with a trash; in memory, and over HTTP. Stops at the first that goes wrong.
pub(crate) fn play_until_wrong(
    scene: &dyn Fn(Bucket) -> Scene,
    flaw: Option<Flaw>,
) -> Result<Sums, String> {
    let mut sums = Sums::default();
    for uses_trash in [false, true] {
        let keeps_versions = !uses_trash && flaw != Some(Flaw::NothingKept);
        let in_memory = || scene(Bucket::memory(keeps_versions));
        sums += play_on(&in_memory, plays(), uses_trash, flaw)?;
        if flaw.is_none() {
            let on_server = || scene(Bucket::server(keeps_versions));
            sums += play_on(&on_server, plays() / SERVED, uses_trash, flaw)?;
        }
    }
    Ok(sums)
}

/// The same on buckets of one kind, about so often.
fn play_on(
    scene: &dyn Fn() -> Scene,
    plays: u64,
    uses_trash: bool,
    flaw: Option<Flaw>,
) -> Result<Sums, String> {
    let mut sums = Sums::default();
    let never = Cut { first: u64::MAX, steps: 0, second: u64::MAX };
    let requests = play(scene(), never, uses_trash, flaw).requests;
    assert!(requests > 60, "{requests} requests are too few");
    let length = scene().push.length();
    let stride = (requests * (length as u64 + 1) * 2 / plays).max(1);
    let mut random = Random::new(requests);
    for steps in 0..=length {
        let mut first = random.below(stride);
        while first < requests {
            let nights = if flaw == Some(Flaw::SlowPushes) { 2 * NIGHTS } else { 1 };
            let second = first + random.below(requests * nights as u64 / NIGHTS as u64);
            let cut = Cut { first, steps, second };
            let played = play(scene(), cut, uses_trash, flaw);
            if let Some(wrong) = played.wrong.first() {
                return Err(format!("{cut:?}, trash: {uses_trash}: {wrong}"));
            }
            sums += played.sums;
            first += stride;
        }
    }
    Ok(sums)
}

/// How often a race is played, about; `PROPTEST_CASES` times as often as one case where that is set.
pub(crate) fn plays() -> u64 {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    asked.unwrap_or(PLAYS)
}

/// Nothing goes wrong however a race is played, and garbage goes.
#[track_caller]
pub(crate) fn play_all(scene: impl Fn(Bucket) -> Scene) -> Sums {
    let sums = play_until_wrong(&scene, None).unwrap();
    assert!(sums.deleted > 0, "{sums:?}");
    sums
}

/// With something left out, some play loses an image.
#[track_caller]
pub(crate) fn is_caught(flaw: Flaw, scene: impl Fn(Bucket) -> Scene) {
    let wrong = play_until_wrong(&scene, Some(flaw)).unwrap_err();
    assert!(wrong.contains("lost"), "{flaw:?}: {wrong}");
}
