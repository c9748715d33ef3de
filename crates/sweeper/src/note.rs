//! What this program writes into a registry's store for itself: when the trash of a plan was filled, and which plans
//! were taken back.
//!
//! Each is an object below [`Layout::own`] whose time says when, and whose body is one line of JSON, read back only as
//! it is written here, byte for byte. Doubt keeps (G4): a promise that cannot be understood never ends, and an undo of
//! which nobody knows whether it ended has not.

use std::time::Duration;

use bytes::Bytes;
use registry::Layout;
use xxhash_rust::xxh3::xxh3_64;

use crate::Only;

/// The name of the object in the trash of a plan; no key of a registry begins so.
const FILLED: &str = "filled";

/// How the body of a promise begins, and how it ends; whole seconds stand between.
const PROMISE: (&str, &str) = ("{\"format\":1,\"keep\":", "}\n");

/// Bodies of undos.
const BEGUN: &str = "{\"format\":1,\"undo\":\"begun\"}\n";
const ENDED: &str = "{\"format\":1,\"undo\":\"ended\"}\n";

/// More than the body of any note has.
pub const NOTE_LIMIT: u64 = 256;

/// The prefix of every plan's trash; the next component is the plan's id.
#[must_use]
pub fn trash_prefix(layout: &Layout) -> String {
    format!("{}trash/", layout.own())
}

/// The object that says, by its time, when a plan's trash was last in use, and by its body how long it is kept after.
#[must_use]
pub fn trash_note(layout: &Layout, plan: &str) -> String {
    format!("{}{plan}/{FILLED}", trash_prefix(layout))
}

/// The prefix of the objects that say which plans were taken back; the time of each is when.
#[must_use]
pub fn undone_prefix(layout: &Layout) -> String {
    format!("{}undone/", layout.own())
}

/// The object of an undo of all of what is called `name`, a plan by its id, or of some of it. Those of some begin with
/// that of all.
#[must_use]
pub fn undone_note(layout: &Layout, name: &str, only: &Only) -> String {
    let all = format!("{}{name}", undone_prefix(layout));
    if only.is_everything() {
        return all;
    }
    let Only { digest, repository } = only;
    let digest = digest.as_ref().map(ToString::to_string).unwrap_or_default();
    let repository = repository.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{all}-{:016x}", xxh3_64(format!("{digest}\n{repository}").as_bytes()))
}

/// How long the trash of a plan is kept after it was last in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// So long, in whole seconds.
    For(Duration),
    /// Nobody knows, so it is not emptied (G4).
    Unknown,
}

impl Promise {
    /// Understands the body of a note.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).unwrap_or_default();
        let seconds = text.strip_prefix(PROMISE.0).and_then(|rest| rest.strip_suffix(PROMISE.1));
        let promise = seconds.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        match promise.map(Self::For) {
            Some(promise) if *promise.body() == *body => promise,
            _ => Self::Unknown,
        }
    }

    /// The body of a note that says so; that of a promise that nobody knows is not understood either.
    #[must_use]
    pub fn body(self) -> Bytes {
        match self {
            Self::For(time) => format!("{}{}{}", PROMISE.0, time.as_secs(), PROMISE.1).into(),
            Self::Unknown => Bytes::new(),
        }
    }
}

/// How far an undo came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoState {
    /// It may have brought back objects to which nothing refers yet.
    Begun,
    /// It looked at all that it was asked for, and nothing failed.
    Ended,
}

impl UndoState {
    /// Understands the body of a note: whatever does not say that it ended says that it did not.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        if body == ENDED.as_bytes() { Self::Ended } else { Self::Begun }
    }

    /// The body of a note that says so.
    #[must_use]
    pub fn body(self) -> Bytes {
        Bytes::from_static(match self {
            Self::Begun => BEGUN.as_bytes(),
            Self::Ended => ENDED.as_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for seconds in [0, 1, 604_800, u64::MAX] {
            let promise = Promise::For(Duration::from_secs(seconds));
            assert_eq!(Promise::read(&promise.body()), promise);
        }
        for state in [UndoState::Begun, UndoState::Ended] {
            assert_eq!(UndoState::read(&state.body()), state);
        }
        assert_eq!(Promise::read(&Promise::Unknown.body()), Promise::Unknown);
    }

    #[test]
    fn g4_what_is_not_understood_keeps_the_trash_and_is_no_end_of_an_undo() {
        let strange: [&[u8]; 7] = [
            b"",
            b"{}\n",
            b"\xff\n",
            b"{\"format\":2,\"keep\":1}\n",
            b"{\"format\":1,\"keep\":+1}\n",
            b"{\"format\":1,\"keep\":1}",
            b"{\"format\":1,\"undo\":\"ended\"}",
        ];
        for body in strange {
            assert_eq!(Promise::read(body), Promise::Unknown, "{body:?}");
            assert_eq!(UndoState::read(body), UndoState::Begun, "{body:?}");
        }
        assert!(Promise::Unknown > Promise::For(Duration::MAX), "the longer of two is kept");
    }

    #[test]
    fn an_undo_of_some_has_a_note_beside_that_of_all() {
        let plan = "0123456789abcdef".repeat(4);
        let layout = Layout::new("");
        let some = Only { repository: registry::RepositoryName::new("a/b").ok(), digest: None };
        let (all, some) =
            (undone_note(&layout, &plan, &Only::default()), undone_note(&layout, &plan, &some));
        assert!(some.starts_with(&all) && some != all);
    }
}
