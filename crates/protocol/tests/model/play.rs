//! One interleaving, by hand. After every step all that must always hold is checked.

use protocol::Phase;
use stateright::{Expectation, Model};

use crate::client::At;
use crate::collector::Doing;
use crate::system::{Action, State, System};
use crate::world::Store;

/// A system under way.
pub(crate) struct Play {
    system: System,
    pub(crate) state: State,
}

impl Play {
    /// Without crashes: a script has those it asks for.
    pub(crate) fn new(system: System) -> Self {
        let system = System { crashes: 0, ..system };
        let state = system.init_states().remove(0);
        Self { system, state }
    }

    fn take(&mut self, action: Action) {
        self.state = self.system.next_state(&self.state, action).unwrap();
        for property in self.system.properties() {
            let holds = (property.condition)(&self.system, &self.state);
            let must_hold = property.expectation == Expectation::Always;
            assert!(holds || !must_hold, "{}: {:?}", property.name, self.state);
        }
    }

    /// Lets a client go on until it is at `at`, which it must reach.
    pub(crate) fn client(&mut self, client: usize, at: At) -> &mut Self {
        while self.state.clients[client].at != at {
            assert!(!self.state.clients[client].is_over(), "{:?}", self.state.clients[client]);
            self.take(Action::Client(client, self.state.clients[client].at));
        }
        self
    }

    /// Lets a client go on until it was answered, well or not.
    pub(crate) fn client_ends(&mut self, client: usize) -> &mut Self {
        while !self.state.clients[client].is_over() {
            self.take(Action::Client(client, self.state.clients[client].at));
        }
        self
    }

    /// Lets the collector go on until `is_there`, which it must reach.
    pub(crate) fn collector(&mut self, is_there: impl Fn(&State) -> bool) -> &mut Self {
        while !is_there(&self.state) {
            let next = self.collects();
            self.take(next.unwrap_or_else(|| panic!("cannot go on: {:?}", self.state)));
        }
        self
    }

    fn collects(&self) -> Option<Action> {
        let mut actions = Vec::new();
        self.system.actions(&self.state, &mut actions);
        actions.into_iter().find(|action| matches!(action, Action::Collect(..)))
    }

    /// The collector's process ends.
    pub(crate) fn crash(&mut self) -> &mut Self {
        self.take(Action::Crash);
        self
    }

    /// Time passes, and the next generation begins.
    pub(crate) fn next_generation(&mut self) -> &mut Self {
        self.take(Action::Age);
        self
    }

    /// Whether the collector waits for somebody.
    pub(crate) fn is_waiting(&self) -> bool {
        self.collects().is_none()
    }

    /// Lets the collector go on until the generation is over.
    pub(crate) fn closes(&mut self) -> &mut Self {
        self.collector(|state| state.collector.phase == Phase::Closed)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.state.store
    }
}

/// The first look has listed so much ([`crate::looks::whole`]).
pub(crate) fn has_listed(parts: u8) -> impl Fn(&State) -> bool {
    move |state| state.collector.memory.listed >= parts
}

pub(crate) fn is_quarantined(state: &State) -> bool {
    matches!(state.collector.phase, Phase::Quarantined { .. })
}

/// The second look has decided.
pub(crate) fn is_about_to_delete(state: &State) -> bool {
    state.collector.phase == Phase::Deleting
}

pub(crate) fn has_deleted(state: &State) -> bool {
    matches!(state.collector.phase, Phase::Settling { .. })
}

/// The first look has decided, and nothing was taken.
pub(crate) fn has_condemned(state: &State) -> bool {
    state.collector.phase == Phase::Unlinking && state.collector.memory.doing == Doing::Acting
}
