//! The protocol with a step taken out, or done in the wrong order.

use protocol::Phase;
use registry::Timestamp;

use crate::collector::{Doing, Memory};
use crate::system::State;
use crate::world::{Bits, links_to};

/// What is done otherwise than by the protocol: the mutations.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one mutation, and they are combined")]
pub(crate) struct Rules {
    /// Condemns also what is linked where an upload is in progress.
    pub(crate) ignores_uploads: bool,
    /// Purges no cache at all.
    pub(crate) no_purge: bool,
    /// Purges caches once only.
    pub(crate) no_second_purge: bool,
    /// Deletes what is old and unmarked, at once.
    pub(crate) age_alone: bool,
    /// Waits and looks before it unlinks.
    pub(crate) verifies_before_unlinking: bool,
    /// Takes no links.
    pub(crate) leaves_links: bool,
    /// Deletes without looking again.
    pub(crate) no_second_look: bool,
    /// Does not look after deleting.
    pub(crate) no_last_look: bool,
    /// Looks again before the pushes have ended that began before the purge did.
    pub(crate) hasty_quarantine: bool,
    /// Looks for the last time before the pushes have ended that began before the deletion.
    pub(crate) hasty_settling: bool,
    /// Takes a manifest whose data another generation deleted for missing.
    pub(crate) reads_no_deleted_manifest: bool,
    /// Looks again for a generation while an older one waits for its last look.
    pub(crate) minds_no_order: bool,
    /// Does not ask the cache what it believes.
    pub(crate) asks_no_cache: bool,
    /// Writes back only links that are needed where they were.
    pub(crate) gives_back_only_what_is_needed: bool,
    /// Does not look at what it took.
    pub(crate) ignores_what_was_taken: bool,
    /// Does not follow manifests whose revision links it took.
    pub(crate) follows_only_what_is_listed: bool,
    /// Goes on deleting after a crash.
    pub(crate) deletes_by_an_old_look: bool,
}

const NOW: Timestamp = Timestamp::from_seconds(1000);

impl Rules {
    /// Moves the collector past what these rules leave out.
    pub(crate) fn skip(&self, state: &mut State) {
        match state.collector.phase {
            Phase::Unlinking if self.age_alone => goto(state, Phase::Deleting),
            Phase::PurgingAgain if self.age_alone => end(state),
            Phase::Looking if self.no_second_look => goto(state, Phase::Deleting),
            Phase::Settling { .. } if self.no_last_look => end(state),
            _ if self.verifies_before_unlinking => reorder(state),
            _ => {}
        }
    }
}

/// Wait, look, unlink, purge, delete, instead of unlink, purge, wait, look, delete.
fn reorder(state: &mut State) {
    let (has_looked, has_purged) = (state.collector.has_looked, state.collector.has_purged);
    match state.collector.phase {
        Phase::Unlinking if !has_looked => {
            for client in state.clients.iter_mut().filter(|client| client.is_active()) {
                client.before_purge.put(state.collector.generation);
            }
            goto(state, Phase::Quarantined { purged: NOW });
        }
        Phase::Deleting if !has_purged => {
            goto(state, Phase::Unlinking);
            state.collector.memory.doing = Doing::Acting;
            state.collector.memory.todo_links = links_to(state.collector.condemned);
        }
        Phase::Quarantined { .. } if has_looked => goto(state, Phase::Deleting),
        _ => {}
    }
}

fn goto(state: &mut State, phase: Phase) {
    state.collector.phase = phase;
    state.collector.memory = Memory::EMPTY;
}

fn end(state: &mut State) {
    goto(state, Phase::Closed);
    state.store.forget(state.collector.condemned);
    state.collector.condemned = Bits(0);
}
