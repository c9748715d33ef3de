//! The collector, one request at a time, by the functions of the crate.

use std::time::Duration;

use protocol::{Phase, Step, Waits};
use registry::Timestamp;

use crate::client::{self, Client};
use crate::looks::{first_look, last_look, second_look};
use crate::system::{State, System};
use crate::world::{Bits, Cache, CacheKind};

pub(crate) const T0: Timestamp = Timestamp::from_seconds(1000);
const HOUR: Duration = Duration::from_hours(1);

/// What the process is at; lost in a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Doing {
    /// Begins a phase.
    Nothing,
    /// Lists, part by part.
    Listing,
    /// Gives back.
    GivingBack,
    /// Takes, purges or deletes.
    Acting,
}

/// The record of a generation, and what its process holds in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Collector {
    pub(crate) phase: Phase,
    pub(crate) condemned: Bits,
    pub(crate) generation: u8,
    pub(crate) crashes: u8,
    /// Whether the first purge has ended.
    pub(crate) has_purged: bool,
    /// Whether the second look has begun.
    pub(crate) has_looked: bool,
    pub(crate) memory: Memory,
}

/// What a crash loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Memory {
    pub(crate) doing: Doing,
    pub(crate) listed: u8,
    pub(crate) links: Bits,
    pub(crate) young_links: Bits,
    pub(crate) tags: Bits,
    pub(crate) uploads: Bits,
    /// What the cache believed when the look began.
    pub(crate) cached: Bits,
    /// What the look decided: to be condemned, or to stay condemned.
    pub(crate) verdict: Bits,
    pub(crate) todo_blobs: Bits,
    pub(crate) todo_links: Bits,
}

impl Memory {
    pub(crate) const EMPTY: Self = Self {
        doing: Doing::Nothing,
        listed: 0,
        links: Bits(0),
        young_links: Bits(0),
        tags: Bits(0),
        uploads: Bits(0),
        cached: Bits(0),
        verdict: Bits(0),
        todo_blobs: Bits(0),
        todo_links: Bits(0),
    };
}

impl Collector {
    pub(crate) const NEW: Self = Self {
        phase: Phase::FIRST,
        condemned: Bits(0),
        generation: 1,
        crashes: 0,
        has_purged: false,
        has_looked: false,
        memory: Memory::EMPTY,
    };
}

/// The waits that assumption A2 speaks of; how long they are, clients tell ([`can_step`]).
fn waits() -> Waits {
    Waits::new(HOUR, HOUR, Duration::ZERO).unwrap()
}

/// Whether the collector can do anything: it waits for what was under way at the end of a purge (A2).
pub(crate) fn can_step(system: &System, state: &State) -> bool {
    let generation = state.collector.generation;
    let is_over = || !state.clients.iter().any(|client| client.before_purge.has(generation));
    match state.collector.phase {
        Phase::Closed => false,
        // One run gives back before it deletes.
        Phase::Quarantined { .. } if state.has_older_settling() && !system.rules.minds_no_order => {
            false
        }
        Phase::Quarantined { .. } => system.rules.hasty_quarantine || is_over(),
        Phase::Settling { .. } => system.rules.hasty_settling || is_over(),
        _ => true,
    }
}

/// The next request of the collector.
pub(crate) fn step(system: &System, state: &mut State) {
    match state.collector.phase {
        Phase::Marking => first_look(system, state),
        Phase::Unlinking => unlink(system, state),
        Phase::Purging | Phase::PurgingAgain => purge(system, state),
        Phase::Quarantined { .. } | Phase::Settling { .. } => begin_look(system, state),
        Phase::Looking => second_look(system, state),
        Phase::Deleting => delete(state),
        Phase::LookingLast => last_look(system, state),
        Phase::Closed => {}
    }
    system.rules.skip(state);
}

/// The process ends; what it held in memory is lost.
pub(crate) fn crash(system: &System, state: &mut State) {
    let collector = &mut state.collector;
    collector.crashes += 1;
    collector.memory = Memory::EMPTY;
    if collector.phase == Phase::Deleting && !system.overlapping {
        settle(system, state);
    }
    if !system.rules.deletes_by_an_old_look {
        state.collector.phase = state.collector.phase.resume();
    }
}

/// What is whole when the process that deletes ends, no later one may delete.
fn settle(system: &System, state: &mut State) {
    let stays = state.acked.each().filter(|revision| system.has_data(state, *revision));
    state.settled = stays.fold(state.settled, |settled, link| settled.or(Bits(1 << link)));
}

pub(crate) fn advance(state: &mut State, step: Step) {
    let collector = &mut state.collector;
    collector.memory = Memory::EMPTY;
    collector.phase = collector.phase.advance(step, &waits()).unwrap();
}

fn unlink(system: &System, state: &mut State) {
    let Some(link) = state.collector.memory.todo_links.first() else {
        return advance(state, Step::Unlinked);
    };
    state.collector.memory.todo_links.drop(link);
    if !system.rules.leaves_links {
        state.store.take_link(link);
    }
}

fn purge(system: &System, state: &mut State) {
    if state.collector.memory.doing == Doing::Nothing {
        let purged = if system.skips_purge(state) { Bits(0) } else { state.collector.condemned };
        state.collector.memory.doing = Doing::Acting;
        state.collector.memory.todo_blobs = purged;
        if system.cache == CacheKind::Process && !state.collector.memory.todo_blobs.is_empty() {
            return restart(system, state);
        }
    }
    if let Some(blob) = state.collector.memory.todo_blobs.first() {
        state.collector.memory.todo_blobs.drop(blob);
        state.cache.purge(blob);
        return;
    }
    state.collector.has_purged = true;
    for client in &mut state.clients {
        if client::is_under_way(system, *client) {
            client.before_purge.put(state.collector.generation);
        }
    }
    advance(state, Step::Purged { at: T0 });
}

/// Restarts the registry: its cache is empty, and what was under way starts over.
fn restart(system: &System, state: &mut State) {
    state.cache = Cache::default();
    state.collector.memory.todo_blobs = Bits(0);
    for (job, client) in system.jobs.iter().zip(&mut state.clients) {
        if client.is_active() {
            *client = Client { at: client::first(system, *job), named: 0, ..*client };
        }
    }
}

fn begin_look(system: &System, state: &mut State) {
    let is_alone = !system.overlapping;
    if is_alone
        && matches!(state.collector.phase, Phase::Quarantined { .. })
        && !state.collector.has_looked
    {
        state.collector.has_looked = true;
        state.settled = state.settled.or(state.acked);
        state.told = client::told(system, state);
    }
    advance(state, Step::LookBegins { now: T0.after(HOUR) });
}

fn delete(state: &mut State) {
    let memory = &mut state.collector.memory;
    if memory.doing == Doing::Nothing {
        memory.doing = Doing::Acting;
        memory.todo_blobs = state.collector.condemned.and(state.store.data);
    }
    let Some(blob) = state.collector.memory.todo_blobs.first() else {
        return advance(state, Step::Deleted);
    };
    state.collector.memory.todo_blobs.drop(blob);
    state.store.delete_data(blob);
}

pub(crate) fn close(state: &mut State, step: Step) {
    advance(state, step);
    state.store.forget(state.collector.condemned);
    state.collector.condemned = Bits(0);
    for client in &mut state.clients {
        client.before_purge.drop(state.collector.generation);
    }
}
