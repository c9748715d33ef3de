//! A store with a will of its own.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use bytes::Bytes;
use monitor::Stop;
use registry::Timestamp;
use store::{
    Abilities, Condition, Cursor, DeleteBatch, DeleteStore, ErrorKind, Folders, KeyOutcome, Listed,
    Object, Operation, ReadStore, StoreError, Token, WriteStore,
};

use super::disk::TestDisk;
use crate::parse_journal;

/// What goes wrong with a request as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// Nothing is deleted, and an error comes back.
    Refused(ErrorKind),
    /// Everything is deleted, and an error comes back.
    AnswerLost,
    /// Everything is deleted, and the answer lacks a key.
    AnswerShort,
    Panic,
    /// All is well, but the answer waits until so many requests have begun.
    WaitsFor(usize),
    /// No answer ever.
    Hangs,
    /// Nothing is deleted, and an error comes back as soon as a stop was asked for.
    GivesUp(&'static Stop),
}

#[derive(Default)]
pub(super) struct TestStore(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    objects: BTreeSet<Box<str>>,
    requests: Vec<Vec<Box<str>>>,
    answers: HashMap<Box<str>, KeyOutcome>,
    faults: HashMap<usize, Fault>,
    watched: Option<TestDisk>,
    delete_batch: Option<usize>,
}

impl TestStore {
    pub(super) fn holding(objects: BTreeSet<Box<str>>) -> Self {
        Self(Mutex::new(Inside { objects, ..Inside::default() }))
    }

    pub(super) fn objects(&self) -> BTreeSet<Box<str>> {
        self.0.lock().unwrap().objects.clone()
    }

    /// The keys of each request so far.
    pub(super) fn requests(&self) -> Vec<Vec<Box<str>>> {
        self.0.lock().unwrap().requests.clone()
    }

    /// Whatever becomes of this key from now on, the answer is this; it is not deleted.
    pub(super) fn answer(&self, key: &str, outcome: KeyOutcome) {
        self.0.lock().unwrap().answers.insert(key.into(), outcome);
    }

    /// From now on it answers truthfully and without faults.
    pub(super) fn heal(&self) {
        let mut inside = self.0.lock().unwrap();
        inside.answers.clear();
        inside.faults.clear();
    }

    /// What goes wrong with the request of this number, from 0.
    pub(super) fn fail(&self, request: usize, fault: Fault) {
        self.0.lock().unwrap().faults.insert(request, fault);
    }

    /// Checks at each request that the intents of as many rows are durable.
    pub(super) fn watch(&self, disk: &TestDisk) {
        self.0.lock().unwrap().watched = Some(disk.clone());
    }

    pub(super) fn set_delete_batch(&self, limit: usize) {
        self.0.lock().unwrap().delete_batch = Some(limit);
    }

    fn begin(&self, batch: &DeleteBatch) -> Option<Fault> {
        let mut inside = self.0.lock().unwrap();
        let number = inside.requests.len();
        let keys = batch.objects().iter().map(|object| object.key.clone()).collect();
        inside.requests.push(keys);
        if let Some(disk) = &inside.watched {
            let state = parse_journal(&disk.durable_bytes()).unwrap().state;
            assert!(state.uncertain_rows() >= batch.objects().len() as u64);
        }
        inside.faults.get(&number).copied()
    }

    fn delete_all(&self, batch: &DeleteBatch) -> Vec<KeyOutcome> {
        let mut inside = self.0.lock().unwrap();
        let Inside { answers, objects, .. } = &mut *inside;
        let delete = |object: &store::Doomed| match answers.get(&object.key) {
            Some(outcome) => outcome.clone(),
            None if objects.remove(&object.key) => KeyOutcome::DELETED,
            None => KeyOutcome::Gone,
        };
        batch.objects().iter().map(delete).collect()
    }
}

impl DeleteStore for TestStore {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        let fault = self.begin(batch);
        tokio::task::yield_now().await;
        let error = |kind| Err(StoreError::new(Operation::Delete, "here", kind));
        match fault {
            None => Ok(self.delete_all(batch)),
            Some(Fault::WaitsFor(requests)) => {
                while self.requests().len() < requests {
                    tokio::task::yield_now().await;
                }
                Ok(self.delete_all(batch))
            }
            Some(Fault::Refused(kind)) => error(kind),
            Some(Fault::AnswerLost) => {
                self.delete_all(batch);
                error(ErrorKind::Transient)
            }
            Some(Fault::AnswerShort) => Ok(self.delete_all(batch).split_off(1)),
            Some(Fault::Panic) => panic!("the store panics"),
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::GivesUp(stop)) => {
                while !stop.is_asked() {
                    tokio::task::yield_now().await;
                }
                error(ErrorKind::Stopped)
            }
        }
    }
}

impl WriteStore for TestStore {
    async fn write(&self, _: &str, _: Bytes, _: &Condition) -> Result<Token, StoreError> {
        panic!("nothing is written anew here")
    }

    fn conditional_puts(&self) -> Option<bool> {
        Some(true)
    }
}

pub(super) struct NoCursor;

impl Cursor for NoCursor {
    async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        panic!("a sweep lists nothing")
    }

    fn end_at(&mut self, _: &str) {}
}

impl ReadStore for TestStore {
    type Cursor = NoCursor;

    fn list(&self, _: &str, _: &str) -> NoCursor {
        panic!("a sweep lists nothing")
    }

    async fn folders(&self, _: &str) -> Result<Folders, StoreError> {
        panic!("a sweep lists nothing")
    }

    async fn look(&self, _: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        panic!("a sweep looks at nothing")
    }

    async fn get(&self, _: &str, _: u64) -> Result<Bytes, StoreError> {
        panic!("a sweep reads nothing")
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_seconds(1_000))
    }

    fn identity(&self) -> &'static str {
        "here"
    }

    fn abilities(&self) -> Abilities {
        let delete_batch = self.0.lock().unwrap().delete_batch.unwrap_or(1000);
        Abilities {
            lists_in_byte_order: true,
            lists_all: true,
            tells_etags: false,
            reads_in_place: false,
            keeps_waiting: true,
            delete_batch,
        }
    }
}
