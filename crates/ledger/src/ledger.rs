//! Generations, written while the lease is held and read whole.

use std::sync::Arc;

use bytes::Bytes;
use protocol::Phase;
use registry::{Digest, Layout, Timestamp};
use store::{
    Condition, Cursor as _, DeleteBatch, DeleteStore, Doomed, ErrorKind, KeyOutcome, Token,
    WriteStore,
};

use crate::generation::{Record, Segment};
use crate::{Counts, Entry, Generation, GenerationId, Held, LedgerError, document, keys};

const KIND: &str = "generation";
const SEGMENT: &str = "entries";

/// The newest format of a segment; only one with entity tags has it.
const SEGMENT_FORMAT: u64 = 2;

/// More than any document has, in bytes.
const AT_MOST: u64 = 64 << 20;

/// Entries of one segment, at most (G12): some 20 MiB.
const MOST_ENTRIES: usize = 50_000;

/// So many segments that nobody ever named may be in the way of one: each is of a process that died just then.
const MOST_ORPHANS: u32 = 1000;

/// The generations of one registry.
#[derive(Debug)]
pub struct Ledger<S> {
    store: Arc<S>,
    /// The prefix of all that is kept.
    base: String,
}

impl<S: WriteStore> Ledger<S> {
    /// The generations of the registry at `layout`. Nothing is asked yet.
    #[must_use]
    pub fn new(store: Arc<S>, layout: &Layout) -> Self {
        Self { store, base: keys::generations(layout) }
    }

    /// Begins a generation; `t0` is the store's time before anything is listed. It is called by that, or by the first
    /// later time that is free: a store may tell the time in seconds.
    ///
    /// # Errors
    /// [`LedgerError::Lost`]; [`LedgerError::Overtaken`] where somebody else began one of this name; the store's.
    pub async fn begin(&self, held: &Held, t0: Timestamp) -> Result<Generation, LedgerError> {
        let last = self.ids().await?.pop();
        let record = Record {
            id: GenerationId::after(last.as_ref(), t0),
            t0,
            phase: Phase::FIRST.into(),
            counts: Counts::default(),
            segments: Vec::new(),
            revision: 0,
            writer: held.holder().into(),
        };
        let token = self.write(held, &record, &Condition::Absent).await?;
        Ok(Generation { record, token })
    }

    /// Puts on record where a generation stands, before anything of that phase is done.
    ///
    /// # Errors
    /// [`LedgerError::Lost`]; [`LedgerError::Overtaken`] where somebody else wrote it since it was read; the store's.
    /// After an error the generation is to be read again.
    pub async fn record(
        &self,
        held: &Held,
        generation: &mut Generation,
        phase: Phase,
    ) -> Result<(), LedgerError> {
        let record = Record { phase: phase.into(), ..generation.record.clone() };
        self.replace(held, generation, record).await
    }

    /// Puts entries on record: all of them, or none.
    ///
    /// # Errors
    /// As [`Ledger::record`].
    pub async fn append(
        &self,
        held: &Held,
        generation: &mut Generation,
        entries: &[Entry],
    ) -> Result<(), LedgerError> {
        let mut record = generation.record.clone();
        for part in entries.chunks(MOST_ENTRIES) {
            let segment = self.put_segment(held, &record, part).await?;
            record.segments.push(segment);
            for entry in part {
                record.counts.add(entry);
            }
        }
        self.replace(held, generation, record).await
    }

    /// Every generation, from the oldest.
    ///
    /// # Errors
    /// Where any of them cannot be read or understood: what it holds is not known then (G3).
    pub async fn generations(&self) -> Result<Vec<Generation>, LedgerError> {
        let mut generations = Vec::new();
        for id in self.ids().await? {
            generations.push(self.open(&id).await?);
        }
        Ok(generations)
    }

    /// One generation, as it is now.
    ///
    /// # Errors
    /// As [`Ledger::generations`].
    pub async fn open(&self, id: &GenerationId) -> Result<Generation, LedgerError> {
        let key = self.key(id);
        let found =
            self.store.read(&key, AT_MOST).await.map_err(|error| incomplete(&key, error))?;
        let record: Record = document::read_one(&key, KIND, &found.content)?;
        if record.id != *id {
            return Err(LedgerError::damaged(&key, "it is of another generation"));
        }
        Ok(Generation { record, token: found.token })
    }

    /// The entries of one segment, in the order in which they were appended; segments are counted from 0
    /// ([`Generation::segments`]).
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where it is missing or not as it was written (G3); the store's.
    pub async fn segment(
        &self,
        generation: &Generation,
        place: usize,
    ) -> Result<Vec<Entry>, LedgerError> {
        let missing = || LedgerError::damaged(&self.key(generation.id()), "it has no such segment");
        let segment = generation.record.segments.get(place).ok_or_else(missing)?;
        let key = self.segment_key(generation.id(), segment.number);
        let content = self.store.get(&key, segment.bytes).await;
        let content = content.map_err(|error| incomplete(&key, error))?;
        if Digest::sha256(&content) != segment.sha256 {
            return Err(LedgerError::damaged(&key, "it is not the segment that was written"));
        }
        document::read(&key, SEGMENT, SEGMENT_FORMAT, &content)
    }

    /// Forgets a generation that is closed: its segments first, so that its document tells of them until they are gone.
    /// What is left of it is forgotten the next time.
    ///
    /// # Errors
    /// [`LedgerError::Lost`]; the store's.
    pub async fn forget(&self, held: &Held, generation: &Generation) -> Result<(), LedgerError>
    where
        S: DeleteStore,
    {
        if generation.is_open() {
            return Ok(());
        }
        let segments = generation.record.segments.iter();
        let segments = segments.map(|segment| self.segment_key(generation.id(), segment.number));
        let segments: Vec<String> = segments.collect();
        for keys in segments.chunks(DeleteBatch::LIMIT) {
            if !self.remove(held, keys).await? {
                return Ok(());
            }
        }
        self.remove(held, &[self.key(generation.id())]).await.map(drop)
    }

    /// Removes documents; whether all of them are gone.
    async fn remove(&self, held: &Held, keys: &[String]) -> Result<bool, LedgerError>
    where
        S: DeleteStore,
    {
        let doomed = |key: &String| Doomed {
            key: key.as_str().into(),
            modified: Timestamp::FAR_FUTURE, // whenever it was written
            upload: None,
        };
        // Names of one generation are distinct, so only an empty batch is none.
        let Ok(batch) = DeleteBatch::new(keys.iter().map(doomed).collect()) else {
            return Ok(true);
        };
        held.check_now()?;
        let outcomes = self.store.delete(&batch).await?;
        let is_gone = |outcome: &KeyOutcome| outcome.is_deleted() || *outcome == KeyOutcome::Gone;
        Ok(outcomes.iter().all(is_gone))
    }

    fn key(&self, id: &GenerationId) -> String {
        format!("{}{id}.json", self.base)
    }

    fn segment_key(&self, id: &GenerationId, number: u32) -> String {
        format!("{}{id}/{SEGMENT}-{number:03}.jsonl", self.base)
    }

    /// The names of all generations, ascending.
    async fn ids(&self) -> Result<Vec<GenerationId>, LedgerError> {
        let mut cursor = self.store.list(&self.base, "");
        let mut ids = Vec::new();
        while let Some(page) = cursor.next().await? {
            for listed in page {
                ids.extend(self.id(listed.key())?);
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// The generation whose document this is; `None` for segments and for what a store needs for itself. What else is
    /// here might be one that would be missed.
    fn id(&self, key: &str) -> Result<Option<GenerationId>, LedgerError> {
        let name = key.strip_prefix(&self.base).unwrap_or_default();
        if name.is_empty() || name.starts_with('.') || name.contains('/') {
            return Ok(None);
        }
        let id = name.strip_suffix(".json").and_then(GenerationId::new);
        id.map(Some).ok_or_else(|| LedgerError::damaged(key, "it is not the name of a generation"))
    }

    /// Writes a segment beside those that are there, also where a process died before it could name its own.
    async fn put_segment(
        &self,
        held: &Held,
        record: &Record,
        entries: &[Entry],
    ) -> Result<Segment, LedgerError> {
        let next = record.segments.last().map_or(0, |last| last.number.saturating_add(1));
        let has_etags = entries.iter().any(|entry| entry.etag().is_some());
        let format = if has_etags { SEGMENT_FORMAT } else { document::FORMAT };
        for number in next..next.saturating_add(MOST_ORPHANS) {
            let key = self.segment_key(&record.id, number);
            let content = document::write(&key, SEGMENT, format, entries)?;
            let (bytes, sha256) = (content.len() as u64, Digest::sha256(&content));
            if held.is_local() && self.is_there(&key).await? {
                continue;
            }
            held.check_now()?;
            match self.store.write(&key, content, in_force(held, &Condition::Absent)).await {
                Ok(_) => return Ok(Segment { number, bytes, sha256 }),
                Err(error) if error.kind == ErrorKind::Precondition => {}
                Err(error) => return Err(error.into()),
            }
        }
        let first = self.segment_key(&record.id, next);
        Err(LedgerError::damaged(&first, "too many segments are there that no document names"))
    }

    /// What is there is left as it is also where no condition says so: a document that was shortened named it once.
    async fn is_there(&self, key: &str) -> Result<bool, LedgerError> {
        match self.store.get(key, 0).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::TooLarge => Ok(true),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn replace(
        &self,
        held: &Held,
        generation: &mut Generation,
        record: Record,
    ) -> Result<(), LedgerError> {
        let (revision, writer) = (record.revision.saturating_add(1), held.holder().into());
        let record = Record { revision, writer, ..record };
        let condition = Condition::Unchanged(generation.token.clone());
        let token = self.write(held, &record, &condition).await?;
        *generation = Generation { record, token };
        Ok(())
    }

    async fn write(
        &self,
        held: &Held,
        record: &Record,
        condition: &Condition,
    ) -> Result<Token, LedgerError> {
        let key = self.key(&record.id);
        let content = document::write(&key, KIND, document::FORMAT, std::slice::from_ref(record))?;
        held.check_now()?;
        match self.store.write(&key, Bytes::clone(&content), in_force(held, condition)).await {
            Ok(token) => Ok(token),
            Err(error) if error.kind == ErrorKind::Precondition => {
                Err(LedgerError::Overtaken { key: key.into() })
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Where a local lock has to do, the store may ignore conditions, not know them, or answer that none ever holds: a Ceph
/// RADOS Gateway 16 does so with `If-Match` where a bucket keeps versions. A document that changes is then written once,
/// as one that arrives late would take back what was recorded since.
fn in_force<'a>(held: &Held, condition: &'a Condition) -> &'a Condition {
    if held.is_local() { &Condition::Once } else { condition }
}

/// What must be there and is not, or is longer than it was written, is damage.
fn incomplete(key: &str, error: store::StoreError) -> LedgerError {
    match error.kind {
        ErrorKind::NotFound => LedgerError::damaged(key, "it is missing"),
        ErrorKind::TooLarge => LedgerError::damaged(key, "it is longer than it was written"),
        _ => error.into(),
    }
}
