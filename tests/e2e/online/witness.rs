//! What surrounds a collector in these plays.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use collector::{Look, Noted, Purpose, Remembered, Surroundings, Uploads};
use ledger::GenerationId;
use marker::Beside;
use monitor::{Monitor, Stop};
use planner::{Breaker, Limits, Policy, Row, RowKind, allows_sweep};
use registry::Digest;
use regsweep::collect::{self, Ask, OldUploads, UploadSource};
use regsweep::{Failure, Refusal};
use store::{KeyOutcome, MemoryStore, ReadStore, Trash};
use tempfile::TempDir;

use super::nights::{DAY, Flaw, NotedSums, People};
use super::opened::Opened;
use super::served::Registry;
use crate::hand::{Call, Handled};
use crate::harness::scratch;

/// What surrounds the collector: looks by the program's own code, and the registry's cache.
pub(super) struct Witness {
    pub(super) registry: Registry,
    pub(super) store: Arc<Handled<People, Opened>>,
    pub(super) uses_trash: bool,
    pub(super) untagged: bool,
    pub(super) is_strict: bool,
    pub(super) grace: Duration,
    pub(super) flaw: Option<Flaw>,
    /// What the first look saw.
    pub(super) old: Arc<Mutex<Option<MemoryStore>>>,
    pub(super) scratch: Option<TempDir>,
    pub(super) width: usize,
    pub(super) noted: Arc<Mutex<NotedSums>>,
    pub(super) uploads: Option<OldUploads>,
}

impl Witness {
    /// What is looked at instead, where looks are old.
    fn in_place_of_store(&self, purpose: Purpose) -> Option<MemoryStore> {
        let mut old = self.old.lock().unwrap();
        if purpose == Purpose::Condemn {
            *old = old.take().or_else(|| self.registry.bucket.fork());
        }
        old.clone().filter(|_| self.flaw == Some(Flaw::AgeAlone) && purpose == Purpose::Again)
    }

    async fn call_cache(&self) -> Result<(), Failure> {
        let location = || "a test".to_owned();
        let called = self.store.call_out(Call::Cache).await;
        called.map_err(|source| Failure::Store { location: location(), source })
    }
}

impl Surroundings for Witness {
    type Error = Failure;

    async fn look(&mut self, purpose: Purpose, held: &[Digest]) -> Result<Look<Failure>, Failure> {
        let folder = scratch();
        let accepted = if self.is_strict { <_>::default() } else { Breaker::ALL.into() };
        let limits = Limits { max_delete_share_percent: None, accepted };
        let ask = Ask {
            source: "a test",
            options: <_>::default(),
            layout: &self.registry.layout,
            policy: Policy {
                untagged: self.untagged && purpose == Purpose::Condemn,
                grace: self.grace,
                uploads_older_than: DAY,
            },
            retention: None,
            multipart: false,
            keep_list: None,
            beside: match purpose {
                Purpose::Condemn => Beside::InUse,
                Purpose::Again if self.flaw == Some(Flaw::AgeAlone) => Beside::Nothing,
                Purpose::Again => Beside::Linked,
            },
            held,
            limits: &limits,
            width: self.width,
            out: &folder.path().join("plan"),
            is_scratch: true,
            listener: None,
            cache: None,
            memory: 1 << 20,
        };
        let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
        let store = self.in_place_of_store(purpose).map(Arc::new);
        let look = async || match &store {
            Some(old) => collect::look(old, &ask, &monitor, &stop).await,
            None => collect::look(&self.store, &ask, &monitor, &stop).await,
        };
        let mut seen = look().await;
        // A manifest came and went while it was looked at.
        if let Err(Failure::Changed(_)) = seen {
            seen = look().await;
        }
        let seen = seen?;
        self.scratch = Some(folder);
        let collect::Look { plan, marks, pinned } = seen;
        let is_sound = !self.is_strict || allows_sweep(&plan.header().notes);
        let notes = plan.header().notes.clone();
        let objection = (!is_sound).then(|| Refusal::Audit { notes, plan: None }.into());
        Ok(Look { plan, marks, pinned, objection })
    }

    async fn purge(&mut self, remembered: &[Remembered]) -> Result<(), Failure> {
        self.call_cache().await?;
        let is_left = matches!(self.flaw, Some(Flaw::NoPurge | Flaw::NeitherPurgedNorAsked));
        for one in remembered.iter().filter(|_| !is_left) {
            self.registry.forget(one);
        }
        Ok(())
    }

    async fn believes(&mut self, digests: &[Digest]) -> Result<Vec<bool>, Failure> {
        self.call_cache().await?;
        let is_asked = self.flaw != Some(Flaw::NeitherPurgedNorAsked);
        let believes = |digest: &Digest| is_asked && self.registry.believes(*digest);
        Ok(digests.iter().map(believes).collect())
    }

    async fn trash(&mut self, generation: &GenerationId) -> Result<Option<Trash>, Failure> {
        Ok(self.uses_trash.then(|| self.trash_of(generation)))
    }

    fn trash_of(&self, generation: &GenerationId) -> Trash {
        Trash::new("", &format!("regsweep/trash/{generation}/"))
    }

    fn hears(&self) -> bool {
        true
    }

    async fn uploads(&mut self) -> Result<Uploads, Failure> {
        let store = &self.store;
        let (monitor, stop) = (Monitor::new(), Stop::new());
        let layout = &self.registry.layout;
        if self.uploads.is_none() {
            let location = || "a test".to_owned();
            let failed = |source| Failure::Store { location: location(), source };
            let policy = Policy { untagged: false, grace: self.grace, uploads_older_than: DAY };
            let cutoffs = policy.at(store.now().await.map_err(failed)?);
            self.uploads = Some(OldUploads::new(layout, cutoffs));
        }
        let uploads = self.uploads.as_mut().unwrap();
        let source = UploadSource { store, layout, width: self.width, stop: &stop };
        Ok(match uploads.next(&source, &monitor).await? {
            collect::Uploads::Old(rows) => Uploads::Old(rows),
            collect::Uploads::End(seen) => Uploads::End(seen),
        })
    }

    async fn witness(
        &mut self,
        generation: Option<&GenerationId>,
        outcomes: Vec<(Row, KeyOutcome)>,
    ) -> Result<(), Failure> {
        for (row, _) in outcomes {
            assert_eq!(row.kind == RowKind::MultipartUpload, generation.is_none(), "{row:?}");
        }
        Ok(())
    }

    fn notes(&self, _: Noted) -> bool {
        true
    }

    fn note(&mut self, what: Noted, blob: &Row, _: &[Row]) {
        let mut noted = self.noted.lock().unwrap();
        match what {
            Noted::Condemned => noted.condemned.add(blob.bytes),
            Noted::Deleted => noted.deleted.add(blob.bytes),
        }
    }

    async fn closed(&mut self, _: &GenerationId) -> Result<(), Failure> {
        Ok(())
    }
}
