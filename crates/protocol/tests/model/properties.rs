//! What must hold, always or somewhere.

use protocol::Phase;
use stateright::Property;

use crate::client;
use crate::system::{CLIENTS, State, System};
use crate::world::{Bits, REPOSITORIES, links_to};

/// At the end of a generation an acknowledged manifest that nobody deleted is whole.
pub(crate) const WHOLE: &str = "whole at the end";
/// Until then all it lacks can be given back.
pub(crate) const RESTORABLE: &str = "restorable until then";
/// What was acknowledged before the second look, or pushed since before the purge, keeps its data all the time.
pub(crate) const STAYS: &str = "data stays";
/// And has its links from the second look on.
pub(crate) const LINKED: &str = "links come back by the second look";
/// Where no cache lies, whoever was told before the second look that something is there, is right.
pub(crate) const TOLD: &str = "who was told is right";
/// Garbage goes.
pub(crate) const COLLECTED: &str = "garbage is collected";
/// The second look gives something back.
pub(crate) const RESCUED: &str = "something is rescued";
/// The last look gives something back.
pub(crate) const RESTORED: &str = "something is restored";

/// All of them.
pub(crate) fn all() -> Vec<Property<System>> {
    vec![
        Property::always(WHOLE, |system, state: &State| {
            !state.is_closed()
                || state.acked.each().all(|revision| system.is_whole(state, revision))
        }),
        Property::always(RESTORABLE, |system, state: &State| {
            state.acked.each().all(|revision| system.is_restorable(state, revision))
        }),
        Property::always(STAYS, |system, state: &State| {
            state.settled.each().all(|revision| system.has_data(state, revision))
        }),
        Property::always(TOLD, |system, state: &State| {
            system.waits_for_requests_alone || state.told.less(state.store.data).is_empty()
        }),
        Property::always(LINKED, |system, state: &State| {
            !has_given_back(state.collector.phase)
                || state.settled.each().all(|revision| system.has_links(state, revision))
        }),
        Property::sometimes(RESCUED, |_, state: &State| {
            let memory = &state.collector.memory;
            state.collector.phase == Phase::Looking && !memory.todo_links.is_empty()
        }),
        Property::sometimes(RESTORED, |_, state: &State| {
            let memory = &state.collector.memory;
            state.collector.phase == Phase::LookingLast && !memory.todo_blobs.is_empty()
        }),
        Property::always(COLLECTED, |system, state: &State| {
            system.record(state);
            !system.must_be_clean(state) || system.is_clean(state)
        }),
    ]
}

fn has_given_back(phase: Phase) -> bool {
    matches!(
        phase,
        Phase::Deleting | Phase::PurgingAgain | Phase::Settling { .. } | Phase::LookingLast
    )
}

impl System {
    /// Everything that a pull of this manifest from this repository asks for: links by pair, and data.
    fn closure(&self, revision: u8) -> (Bits, Bits) {
        let (repository, manifest) = (revision / 4, revision % 4);
        let mut blobs = Bits(1 << manifest);
        for _ in 0..2 {
            let named = blobs.each().map(|blob| self.edges[usize::from(blob)]);
            blobs = named.fold(blobs, Bits::or);
        }
        (Bits(blobs.0 << (repository * 4)), blobs)
    }

    pub(crate) fn has_data(&self, state: &State, revision: u8) -> bool {
        self.closure(revision).1.less(state.store.data).is_empty()
    }

    /// What is about to be linked counts: a registry tells its cache of a manifest before it writes the link.
    fn has_links(&self, state: &State, revision: u8) -> bool {
        self.closure(revision).0.less(self.linked(state)).is_empty()
    }

    fn linked(&self, state: &State) -> Bits {
        let promised = (0..CLIENTS).filter_map(|index| client::promised_link(self, state, index));
        promised.fold(state.store.links, |links, link| links.or(Bits(1 << link)))
    }

    fn is_whole(&self, state: &State, revision: u8) -> bool {
        self.has_data(state, revision) && self.has_links(state, revision)
    }

    fn is_restorable(&self, state: &State, revision: u8) -> bool {
        let (links, blobs) = self.closure(revision);
        let (store, is_open) = (&state.store, !state.is_closed());
        let (data, linked) = (store.data.or(store.trash), self.linked(state).or(store.taken));
        self.is_whole(state, revision)
            || is_open && blobs.less(data).is_empty() && links.less(linked).is_empty()
    }

    /// All that can be pulled from `repository` by the policy.
    pub(crate) fn reachable(&self, state: &State, repository: u8) -> Bits {
        let of = |links: Bits| Bits(links.0 >> (repository * 4) & 0b1111);
        let served = of(state.store.links);
        let roots = if self.untagged { of(state.store.tags) } else { served };
        let mut reachable = Bits(roots.0 & 0b1100);
        for _ in 0..2 {
            reachable = reachable.or(self.follow(reachable, state.store, served));
        }
        reachable
    }

    /// At the end nothing is left that nobody can pull.
    fn is_clean(&self, state: &State) -> bool {
        let marks = REPOSITORIES.fold(Bits(0), |marks, at| marks.or(self.reachable(state, at)));
        let garbage = state.store.data.less(marks);
        garbage.is_empty() && state.store.links.less(links_to(state.store.data)).is_empty()
    }

    /// Whether garbage of this world must be gone at its end: none was made after the last look.
    fn must_be_clean(&self, state: &State) -> bool {
        self.is_over(state) && (self.generations > 1 && !self.overlapping || self.jobs.is_empty())
    }

    pub(crate) fn record(&self, state: &State) {
        if self.is_over(state) {
            let store = &state.store;
            let end = (store.data, store.links, store.tags, state.acked);
            self.ends.lock().unwrap().insert(end);
        }
    }
}
