//! A store that answers as it is told, for the tests of the wrappers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use registry::Timestamp;

use crate::{
    Abilities, Cursor, DeleteBatch, DeleteStore, ErrorKind, Folders, KeyFailure, KeyOutcome,
    Listed, Object, Operation, ReadStore, StoreError,
};

/// One answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Success.
    Fine,
    /// The request fails as a whole.
    Fails(ErrorKind),
    /// Deleting: these keys fail.
    Keys(Vec<(&'static str, ErrorKind)>),
    /// Deleting: one outcome is missing.
    TooShort,
}

/// Answers by script, and [`Reply::Fine`] after its end.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    state: Arc<State>,
    delay: Duration,
}

#[derive(Debug, Default)]
struct State {
    replies: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<String>>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

impl Scripted {
    pub(crate) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let scripted = Self { state: Arc::default(), delay: Duration::ZERO };
        scripted.say(replies);
        scripted
    }

    pub(crate) fn answering_after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub(crate) fn say(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.replies.lock().unwrap().extend(replies);
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.asked.lock().unwrap().clone()
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.state.most_in_flight.load(Ordering::SeqCst)
    }

    pub(crate) fn forget_most_in_flight(&self) {
        self.state.most_in_flight.store(0, Ordering::SeqCst);
    }

    async fn answer(&self, operation: Operation, what: String) -> Result<Reply, StoreError> {
        let subject = what.clone();
        self.state.asked.lock().unwrap().push(what);
        let in_flight = self.state.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.state.most_in_flight.fetch_max(in_flight, Ordering::SeqCst);
        tokio::time::sleep(self.delay).await;
        self.state.in_flight.fetch_sub(1, Ordering::SeqCst);
        match self.state.replies.lock().unwrap().pop_front() {
            Some(Reply::Fails(kind)) => Err(StoreError::new(operation, &subject, kind)),
            reply => Ok(reply.unwrap_or(Reply::Fine)),
        }
    }
}

/// Lists one object and ends.
pub(crate) struct ScriptedCursor {
    store: Scripted,
    within: String,
    pages: u8,
}

impl Cursor for ScriptedCursor {
    async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        self.store.answer(Operation::List, format!("list {}", self.within)).await?;
        self.pages += 1;
        let object =
            Object { key: "k".into(), size: 1, modified: Timestamp::default(), etag: None };
        Ok((self.pages == 1).then(|| vec![object.into()]))
    }

    fn end_at(&mut self, _: &str) {}
}

impl ReadStore for Scripted {
    type Cursor = ScriptedCursor;

    fn list(&self, within: &str, _after: &str) -> ScriptedCursor {
        ScriptedCursor { store: self.clone(), within: within.to_owned(), pages: 0 }
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        self.answer(Operation::List, format!("folders {within}")).await?;
        Ok(Folders { prefixes: Vec::new(), is_complete: true })
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        self.answer(Operation::Look, format!("look {}", keys.join(" "))).await?;
        Ok(vec![None; keys.len()])
    }

    async fn get(&self, key: &str, _at_most: u64) -> Result<Bytes, StoreError> {
        self.answer(Operation::Get, format!("get {key}")).await?;
        Ok(Bytes::from_static(b"x"))
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.answer(Operation::Open, "now".to_owned()).await?;
        Ok(Timestamp::default())
    }

    fn identity(&self) -> &'static str {
        "script"
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            lists_in_byte_order: true,
            lists_all: true,
            tells_etags: false,
            reads_in_place: false,
            keeps_waiting: true,
            delete_batch: 1000,
        }
    }
}

impl DeleteStore for Scripted {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        let keys: Vec<&str> = batch.objects().iter().map(|object| &*object.key).collect();
        let asked = format!("delete {}", keys.join(" "));
        let reply = self.answer(Operation::Delete, asked).await?;
        let failing = match reply {
            Reply::Keys(failing) => failing,
            Reply::TooShort => return Ok(vec![KeyOutcome::DELETED; keys.len() - 1]),
            Reply::Fine | Reply::Fails(_) => Vec::new(),
        };
        let outcome = |key: &&str| match failing.iter().find(|(name, _)| name == key) {
            Some((_, kind)) => KeyOutcome::Failed(KeyFailure { kind: *kind, message: "no".into() }),
            None => KeyOutcome::DELETED,
        };
        Ok(keys.iter().map(outcome).collect())
    }
}
