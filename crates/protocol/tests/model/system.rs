//! The whole as a model to be checked: states, actions, and what must hold.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use protocol::Phase;
use stateright::{Model, Property};

use crate::client::{self, At, Client, Job};
use crate::collector::{self, Collector, Doing};
use crate::properties;
use crate::rules::Rules;
use crate::world::{BLOBS, Bits, Cache, CacheKind, M, REPOSITORIES, Store, is_manifest, link};

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

    pub(crate) fn is_closed(&self) -> bool {
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
        let kept = if self.rules.reads_no_deleted_manifest { Bits(0) } else { store.trash };
        let readable = store.data.or(kept);
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
        properties::all()
    }
}

fn turn(state: &mut State) {
    let resting = state.resting.take();
    if state.collector.phase != Phase::Closed {
        state.resting = Some(state.collector);
    }
    state.collector = resting.unwrap_or(state.collector);
}
