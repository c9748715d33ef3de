//! The three looks, key by key, and their verdicts by the functions of the crate.

use std::time::Duration;

use protocol::{
    Evidence, First, FirstLook, Last, Phase, Second, Step, Suspect, look_again, look_last,
};
use registry::Timestamp;

use crate::client;
use crate::collector::{Doing, T0, advance, close};
use crate::system::{State, System};
use crate::world::{BLOBS, Bits, CacheKind, M, REPOSITORIES, link, links_of, links_to, targets};

const OLD: Timestamp = Timestamp::from_seconds(0);
const YOUNG: Timestamp = Timestamp::from_seconds(1001);
const GRACE: Duration = Duration::from_secs(500);

/// What is listed of one repository, one after the other: four links, two tags, the uploads.
const PARTS: u8 = 7;

/// How much is listed of `repositories` whole ones.
pub(crate) fn whole(repositories: u8) -> u8 {
    repositories * PARTS
}

/// Lists one more key, or the uploads of a repository; whether that was the last.
fn list(system: &System, state: &mut State) -> bool {
    let end = whole(u8::try_from(REPOSITORIES.len()).unwrap());
    let listed = state.collector.memory.listed;
    let (repository, part) = (listed / PARTS, listed % PARTS);
    match part {
        0..4 => list_link(state, link(repository, part)),
        4 | 5 => list_tag(state, link(repository, part - 4 + M)),
        _ if client::is_uploading(system, state, repository) => {
            state.collector.memory.uploads.put(repository);
        }
        _ => {}
    }
    let memory = &mut state.collector.memory;
    memory.doing = Doing::Listing;
    memory.listed += 1;
    while memory.listed < end && system.is_idle_part(memory.listed % PARTS) {
        memory.listed += 1;
    }
    memory.listed >= end
}

fn list_link(state: &mut State, link: u8) {
    let (store, memory) = (&state.store, &mut state.collector.memory);
    if store.links.has(link) {
        memory.links.put(link);
    }
    if store.young_links.has(link) {
        memory.young_links.put(link);
    }
}

fn list_tag(state: &mut State, tag: u8) {
    if state.store.tags.has(tag) {
        state.collector.memory.tags.put(tag);
    }
}

/// What is reachable by what was listed and by what was taken.
fn marks(system: &System, state: &State) -> Bits {
    REPOSITORIES
        .fold(Bits::default(), |marks, repository| marks.or(marks_of(system, state, repository)))
}

fn marks_of(system: &System, state: &State, repository: u8) -> Bits {
    let memory = &state.collector.memory;
    let of = |links: Bits| Bits(links.and(links_of(repository)).0 >> (repository * 4));
    let overtaken =
        if system.rules.ignores_what_was_taken { Bits(0) } else { of(state.store.overtaken) };
    let mut served = of(memory.links);
    if !system.rules.follows_only_what_is_listed {
        served = served.or(of(state.store.taken));
    }
    let tagged_or_young = of(memory.tags).or(of(memory.young_links));
    let roots = if system.untagged { tagged_or_young } else { of(memory.links) };
    let roots = Bits(roots.or(overtaken).0 & 0b1100);
    let mut marks = roots;
    for _ in 0..2 {
        marks = system.follow(marks, state.store, served).or(marks);
    }
    marks
}

/// Asks the cache, lists, decides, gives back; whether the look is over.
fn look(system: &System, state: &mut State, decide: impl Fn(&System, &mut State)) -> bool {
    match state.collector.memory.doing {
        Doing::Nothing if asks_cache(system, state) => {
            let believed = state.cache.blobs.or(targets(state.cache.links));
            state.collector.memory.cached = believed.and(state.collector.condemned);
            state.collector.memory.doing = Doing::Listing;
            false
        }
        Doing::Nothing | Doing::Listing => {
            if list(system, state) {
                decide(system, state);
            }
            false
        }
        _ => !give_back(state),
    }
}

/// The first look has nothing to ask for, and a cache in the registry's process cannot be asked.
fn asks_cache(system: &System, state: &State) -> bool {
    let is_later = state.collector.phase != Phase::Marking;
    is_later && system.cache == CacheKind::Shared && !system.rules.asks_no_cache
}

pub(crate) fn first_look(system: &System, state: &mut State) {
    if !look(system, state, decide_first) {
        return;
    }
    let (condemned, listed) = (state.collector.memory.verdict, state.collector.memory.links);
    state.collector.condemned = condemned;
    if condemned.is_empty() {
        return close(state, Step::NothingLeft);
    }
    advance(state, Step::Condemned);
    state.collector.memory.doing = Doing::Acting;
    state.collector.memory.todo_links = listed.and(links_to(condemned));
}

fn decide_first(system: &System, state: &mut State) {
    let marks = marks(system, state);
    let look = FirstLook::new(T0, GRACE);
    let condemned =
        BLOBS.filter(|blob| look.judge(&suspect(state, *blob, marks)) == First::Condemn);
    let condemned = condemned.fold(Bits::default(), |bits, blob| bits.or(Bits(1 << blob)));
    let held = state.held();
    let memory = &mut state.collector.memory;
    memory.verdict = condemned;
    memory.doing = Doing::GivingBack;
    memory.todo_links = state.store.taken.less(links_to(condemned.or(held)));
}

fn suspect(state: &State, blob: u8, marks: Bits) -> Suspect {
    let (store, memory) = (&state.store, &state.collector.memory);
    let time = |is_young: bool| if is_young { YOUNG } else { OLD };
    let linked = memory.links.or(store.taken);
    let links = linked.and(links_to(Bits(1 << blob)));
    let young = memory.young_links.or(store.overtaken).and(links);
    let mut uploads = REPOSITORIES.filter(|repository| {
        linked.has(link(*repository, blob)) && memory.uploads.has(*repository)
    });
    Suspect {
        marked: marks.has(blob),
        doubt: false,
        held: state.held().has(blob),
        data: store.data.has(blob).then(|| time(store.young_data.has(blob))),
        newest_link: (!links.is_empty()).then(|| time(!young.is_empty())),
        newest_upload: uploads.next().map(|_| YOUNG),
    }
}

pub(crate) fn second_look(system: &System, state: &mut State) {
    let stays = |evidence: Evidence| look_again(evidence, true) == Second::Delete;
    if !look(system, state, |system, state| decide(system, state, stays)) {
        return;
    }
    state.collector.condemned = state.collector.memory.verdict;
    if state.collector.condemned.is_empty() {
        close(state, Step::NothingLeft);
    } else {
        advance(state, Step::GivenBack);
    }
}

pub(crate) fn last_look(system: &System, state: &mut State) {
    let stays = |evidence: Evidence| look_last(evidence, true) == Last::Final;
    if look(system, state, |system, state| decide(system, state, stays)) {
        close(state, Step::GivenBack);
    }
}

fn decide(system: &System, state: &mut State, stays: impl Fn(Evidence) -> bool) {
    let marks = marks(system, state);
    let condemned = state.collector.condemned;
    let stay = condemned.each().filter(|blob| stays(evidence(system, state, *blob, marks)));
    let verdict = stay.fold(Bits::default(), |bits, blob| bits.or(Bits(1 << blob)));
    let back = condemned.less(verdict);
    let mut links = state.store.taken.and(links_to(back));
    if system.rules.gives_back_only_what_is_needed {
        links = REPOSITORIES.fold(Bits(0), |needed, repository| {
            let marks = marks_of(system, state, repository);
            needed.or(Bits(marks.0 << (repository * 4)).and(links))
        });
    }
    let memory = &mut state.collector.memory;
    memory.verdict = verdict;
    memory.doing = Doing::GivingBack;
    memory.todo_blobs = back.and(state.store.trash).less(state.store.data);
    memory.todo_links = links;
}

fn evidence(system: &System, state: &State, blob: u8, marks: Bits) -> Evidence {
    let (store, memory) = (&state.store, &state.collector.memory);
    let links = links_to(Bits(1 << blob));
    let has_taken = state.collector.has_purged && !system.rules.leaves_links;
    let listed = if has_taken { memory.links } else { memory.young_links };
    Evidence {
        doubt: false,
        reached: marks.has(blob),
        linked: !listed.and(links).is_empty(),
        overtaken: !system.rules.ignores_what_was_taken && !store.overtaken.and(links).is_empty(),
        cached: memory.cached.has(blob),
        rewritten: store.young_data.has(blob),
    }
}

/// Gives back one object, data before links; whether there was one.
fn give_back(state: &mut State) -> bool {
    let memory = &mut state.collector.memory;
    if let Some(blob) = memory.todo_blobs.first() {
        memory.todo_blobs.drop(blob);
        state.store.give_back_data(blob);
        return true;
    }
    let Some(link) = memory.todo_links.first() else { return false };
    memory.todo_links.drop(link);
    state.store.give_back_link(link);
    true
}
