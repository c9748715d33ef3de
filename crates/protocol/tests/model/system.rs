//! The whole as a model to be checked: states, actions, and what must hold.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use protocol::Phase;
use stateright::{Model, Property};

use crate::client::{self, At, Client, Job};
use crate::collector::{self, Collector, Doing};
use crate::rules::Rules;
use crate::world::{
    BLOBS, Bits, Cache, CacheKind, M, REPOSITORIES, Store, is_manifest, link, links_to,
};

/// How many clients there can be.
pub(crate) const CLIENTS: usize = 3;

/// Everything at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) cache: Cache,
    pub(crate) clients: [Client; CLIENTS],
    pub(crate) collector: Collector,
    /// A generation that waits while the process goes on with another.
    pub(crate) resting: Option<Collector>,
    /// Manifests that a client was told are there, by (repository, manifest), and that nobody deleted.
    pub(crate) acked: Bits,
    /// Those of them that were there before the second look began, or whose push began before the first purge ended:
    /// their data must never be gone.
    pub(crate) settled: Bits,
    /// Blobs of which clients that were pushing when the second look began had been told that they are there.
    pub(crate) told: Bits,
}

impl State {
    /// What another open generation holds.
    pub(crate) fn held(&self) -> Bits {
        self.resting.map_or(Bits(0), |resting| resting.condemned)
    }

    /// Whether another generation waits for its last look.
    pub(crate) fn has_older_settling(&self) -> bool {
        self.resting.is_some_and(|resting| matches!(resting.phase, Phase::Settling { .. }))
    }

    fn is_closed(&self) -> bool {
        self.collector.phase == Phase::Closed && self.resting.is_none()
    }

    fn is_at_rest(&self) -> bool {
        use Phase::{Closed, Quarantined, Settling};
        matches!(self.collector.phase, Quarantined { .. } | Settling { .. } | Closed)
    }

    fn begun(&self) -> u8 {
        self.resting.map_or(0, |resting| resting.generation).max(self.collector.generation)
    }

    /// A client is told that a manifest is there.
    pub(crate) fn acknowledge(&mut self, revision: u8, is_early: bool) {
        self.acked.put(revision);
        if is_early {
            self.settled.put(revision);
        }
    }
}

/// What can happen next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The next request of a client.
    Client(usize, At),
    /// A client, or the registry that serves it, dies.
    Die(usize),
    /// The next request of the collector.
    Collect(Phase, Doing),
    /// The collector's process ends.
    Crash,
    /// All is quiet, everything grows old, and the next generation begins.
    Age,
    /// The next generation begins while this one waits; where nobody pushes, everything grows old before.
    Begin,
    /// The process turns to the generation that waits.
    Turn,
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(client, at) => write!(f, "client {client}: {at:?}"),
            Self::Die(client) => write!(f, "client {client}: dies"),
            Self::Collect(phase, doing) => write!(f, "collector: {phase:?}, {doing:?}"),
            Self::Crash => write!(f, "collector: crash"),
            Self::Begin => write!(f, "collector: another generation"),
            Self::Turn => write!(f, "collector: the other generation"),
            Self::Age => write!(f, "time passes"),
        }
    }
}

/// What is left at the end, without what is only memory: data, links, tags, and what clients were told.
pub(crate) type End = (Bits, Bits, Bits, Bits);

/// One registry, who uses it, and by which rules it is collected.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent circumstances")]
pub(crate) struct System {
    /// What each blob names.
    pub(crate) edges: [Bits; 4],
    pub(crate) store: Store,
    pub(crate) jobs: Vec<Job>,
    pub(crate) cache: CacheKind,
    /// What the cache knows at first.
    pub(crate) cached: Cache,
    pub(crate) untagged: bool,
    pub(crate) validates_children: bool,
    pub(crate) trusts_cached_manifests: bool,
    /// Looks wait for requests that were under way, not for pushes between two requests.
    pub(crate) waits_for_requests_alone: bool,
    /// Whether clients may die at any step.
    pub(crate) clients_die: bool,
    pub(crate) crashes: u8,
    pub(crate) generations: u8,
    /// Whether a generation may begin while another waits. What is promised of single generations is not checked then.
    pub(crate) overlapping: bool,
    pub(crate) rules: Rules,
    /// Where it ended.
    pub(crate) ends: Arc<Mutex<BTreeSet<End>>>,
}

impl System {
    /// What `marks` name, as far as the manifests among them are served and can be read.
    pub(crate) fn follow(&self, marks: Bits, store: Store, served: Bits) -> Bits {
        let readable = store.data.or(store.trash);
        marks
            .each()
            .filter(|blob| is_manifest(*blob) && served.has(*blob) && readable.has(*blob))
            .fold(Bits::default(), |named, blob| named.or(self.edges[usize::from(blob)]))
    }

    /// Whether a part of a listing tells nothing here: no such blob, tags that are no roots, uploads nobody asks for.
    pub(crate) fn is_idle_part(&self, part: u8) -> bool {
        match part {
            0..4 => !self.in_play().has(part),
            4 | 5 => !self.untagged || !self.in_play().has(part - 4 + M),
            _ => self.rules.ignores_uploads,
        }
    }

    /// The blobs that are there, are pushed, or are named.
    fn in_play(&self) -> Bits {
        let pushed = self.jobs.iter().filter_map(|job| match job {
            Job::Push { manifest, .. } => Some(*manifest),
            Job::Pull { .. } | Job::Delete { .. } => None,
        });
        let manifests = pushed.fold(self.store.data, |bits, blob| bits.or(Bits(1 << blob)));
        let named = manifests.each().map(|blob| self.edges[usize::from(blob)]);
        named.fold(manifests, Bits::or)
    }

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
    fn reachable(&self, state: &State, repository: u8) -> Bits {
        let of = |links: Bits| Bits(links.0 >> (repository * 4) & 0b1111);
        let served = of(state.store.links);
        let roots = if self.untagged { of(state.store.tags) } else { served };
        let mut reachable = Bits(roots.0 & 0b1100);
        for _ in 0..2 {
            reachable = reachable.or(self.follow(reachable, state.store, served));
        }
        reachable
    }

    pub(crate) fn skips_purge(&self, state: &State) -> bool {
        let again = state.collector.phase == Phase::PurgingAgain;
        self.cache == CacheKind::None || self.rules.no_purge || again && self.rules.no_second_purge
    }

    pub(crate) fn is_over(&self, state: &State) -> bool {
        state.is_closed() && state.begun() == self.generations && self.is_quiet(state)
    }

    fn is_quiet(&self, state: &State) -> bool {
        state.clients[..self.jobs.len()].iter().all(|client| client.is_over())
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

    fn age(&self, state: &mut State) {
        state.store.young_data = Bits(0);
        state.store.young_links = Bits(0);
        for repository in REPOSITORIES {
            let reachable = self.reachable(state, repository);
            let lost = BLOBS.filter(|blob| !reachable.has(*blob));
            lost.for_each(|blob| {
                state.acked.drop(link(repository, blob));
                state.settled.drop(link(repository, blob));
            });
        }
        state.told = Bits(0);
    }

    /// What waits stays beside the new generation; what is closed does not.
    fn begin(&self, state: &mut State) {
        if !state.clients.iter().any(|client| client.is_active()) {
            self.age(state);
        }
        let (generation, crashes) = (state.begun() + 1, state.collector.crashes);
        let is_open = state.collector.phase != Phase::Closed;
        state.resting = is_open.then_some(state.collector).or(state.resting);
        state.collector = Collector { generation, crashes, ..Collector::NEW };
    }

    fn turns(&self, state: &State, actions: &mut Vec<Action>) {
        let may_begin = state.begun() < self.generations;
        let is_closed = state.collector.phase == Phase::Closed;
        if !self.overlapping {
            if is_closed && may_begin && self.is_quiet(state) {
                actions.push(Action::Age);
            }
        } else if state.is_at_rest() {
            if may_begin && (is_closed || state.resting.is_none()) {
                actions.push(Action::Begin);
            }
            if state.resting.is_some() {
                actions.push(Action::Turn);
            }
        }
    }

    fn record(&self, state: &State) {
        if self.is_over(state) {
            let store = &state.store;
            let end = (store.data, store.links, store.tags, state.acked);
            self.ends.lock().unwrap().insert(end);
        }
    }
}

impl Model for System {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut first = State {
            store: self.store,
            cache: if self.cache == CacheKind::None { Cache::default() } else { self.cached },
            clients: [Client::NEW; CLIENTS],
            collector: Collector::NEW,
            resting: None,
            acked: Bits(0),
            settled: Bits(0),
            told: Bits(0),
        };
        for repository in REPOSITORIES {
            let manifests = self.reachable(&first, repository).0 & 0b1100;
            first.acked = first.acked.or(Bits(manifests << (repository * 4)));
        }
        vec![first]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let clients = state.clients[..self.jobs.len()].iter().enumerate();
        let clients = clients.filter(|(_, client)| !client.is_over());
        actions.extend(clients.map(|(index, client)| Action::Client(index, client.at)));
        if self.clients_die {
            let alive = state.clients.iter().enumerate().filter(|(_, client)| client.is_active());
            actions.extend(alive.map(|(index, _)| Action::Die(index)));
        }
        let collector = &state.collector;
        if collector::can_step(self, state) {
            actions.push(Action::Collect(collector.phase, collector.memory.doing));
        }
        let has_begun = collector.memory.doing != Doing::Nothing;
        if collector.crashes < self.crashes && has_begun && collector.phase != Phase::Closed {
            actions.push(Action::Crash);
        }
        self.turns(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Client(index, _) => client::step(self, &mut next, index),
            Action::Die(index) => next.clients[index] = Client { at: At::Failed, ..Client::NEW },
            Action::Collect(..) => collector::step(self, &mut next),
            Action::Crash => collector::crash(self, &mut next),
            Action::Age | Action::Begin => self.begin(&mut next),
            Action::Turn => turn(&mut next),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
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
}

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

fn turn(state: &mut State) {
    let resting = state.resting.take();
    if state.collector.phase != Phase::Closed {
        state.resting = Some(state.collector);
    }
    state.collector = resting.unwrap_or(state.collector);
}

fn has_given_back(phase: Phase) -> bool {
    matches!(
        phase,
        Phase::Deleting | Phase::PurgingAgain | Phase::Settling { .. } | Phase::LookingLast
    )
}
