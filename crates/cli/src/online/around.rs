//! What a collection while people push needs beside the store: looks, the registry's cache, the trash.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use collector::{Look, Noted, Purpose, Remembered, Surroundings, Uploads};
use ledger::GenerationId;
use marker::Beside;
use planner::{Limits, Policy, Row};
use purger::Entry;
use registry::Digest;
use store::{Condition, KeyOutcome, RestoreStore, StoreError, Trash, WriteStore};
use sweeper::{Promise, trash_note};
use tempfile::TempDir;

use super::chronicle::Chronicle;
use super::undo::trash_of;
use crate::args::ResourceArgs;
use crate::audit_log::AuditLog;
use crate::carry_out::require_sound;
use crate::collect::{self, Ask, OldUploads, UploadSource};
use crate::command::Context;
use crate::open::{Open, Watch};
use crate::registry_cache::RegistryCache;
use crate::state::{Kind, Runs};
use crate::{Failure, clock, remembered};

/// The run that aborts uploads, as an audit log calls it: they are of no generation.
const UPLOADS: &str = "uploads";

/// How often is looked where the registry changes under the look.
const LOOKS: usize = 3;

/// What surrounds one run.
pub(super) struct Around<'a, S> {
    pub(super) open: &'a Open<S>,
    pub(super) runs: &'a Runs,
    pub(super) ask: Wishes<'a>,
    pub(super) cache: &'a mut RegistryCache,
    /// Whether what is deleted goes to a trash.
    pub(super) uses_trash: bool,
    /// How long a trash is kept.
    pub(super) trash_for: Duration,
    /// Who hears of each deletion.
    pub(super) audit: Option<Arc<AuditLog>>,
    pub(super) context: &'a Context<'a>,
    /// What is noted for those who are told of this run.
    pub(super) chronicle: &'a mut Chronicle,
    /// Incomplete multipart uploads, where they are being listed.
    pub(super) uploads: Option<OldUploads>,
    /// Where the last look is, if nobody keeps it.
    pub(super) scratch: Option<TempDir>,
}

/// What the operator says of a look.
pub(super) struct Wishes<'a> {
    pub(super) source: &'a str,
    pub(super) policy: Policy,
    /// By which uploads go: none that a push may still add to.
    pub(super) uploads: Policy,
    pub(super) limits: Limits,
    pub(super) resources: &'a ResourceArgs,
}

impl<S: RestoreStore + WriteStore> Surroundings for Around<'_, S> {
    type Error = Failure;

    /// Where a manifest comes and goes while it is looked at, it is looked again.
    async fn look(&mut self, purpose: Purpose, held: &[Digest]) -> Result<Look<Failure>, Failure> {
        for _ in 1..LOOKS {
            match self.look_once(purpose, held).await {
                Err(Failure::Changed(changed)) => tracing::info!(%changed, "looking again"),
                outcome => return outcome,
            }
        }
        self.look_once(purpose, held).await
    }

    async fn purge(&mut self, remembered: &[Remembered]) -> Result<(), Failure> {
        let entry =
            |one: &Remembered| Entry { repository: one.repository.clone(), digest: one.digest };
        let entries: Vec<Entry> = remembered.iter().map(entry).collect();
        self.cache.purge(&entries).await
    }

    async fn believes(&mut self, digests: &[Digest]) -> Result<Vec<bool>, Failure> {
        self.cache.believes(digests).await
    }

    async fn trash(&mut self, generation: &GenerationId) -> Result<Option<Trash>, Failure> {
        if !self.uses_trash {
            return Ok(None);
        }
        // Nobody knows yet how long it will be needed.
        self.promise(generation, Promise::Unknown).await?;
        Ok(Some(self.trash_of(generation)))
    }

    fn trash_of(&self, generation: &GenerationId) -> Trash {
        trash_of(&self.open.layout, generation)
    }

    fn hears(&self) -> bool {
        self.audit.is_some()
    }

    async fn uploads(&mut self) -> Result<Uploads, Failure> {
        let uploads = match &mut self.uploads {
            Some(uploads) => uploads,
            none => {
                let cutoffs = self.ask.uploads.at(self.open.now().await?);
                none.insert(OldUploads::new(&self.open.layout, cutoffs))
            }
        };
        let Watch { monitor, stop } = &self.context.watch;
        let Open { store, layout, width, .. } = self.open;
        let source = UploadSource { store, layout, width: *width, stop };
        Ok(match Box::pin(uploads.next(&source, monitor)).await? {
            collect::Uploads::Old(rows) => Uploads::Old(rows),
            collect::Uploads::End(seen) => Uploads::End(seen),
        })
    }

    async fn witness(
        &mut self,
        generation: Option<&GenerationId>,
        outcomes: Vec<(Row, KeyOutcome)>,
    ) -> Result<(), Failure> {
        let Some(audit) = self.audit.clone() else { return Ok(()) };
        let run = generation.map_or(UPLOADS, GenerationId::as_str).to_owned();
        let write = move |audit: &AuditLog| {
            audit.write(&run, outcomes.iter().map(|(row, outcome)| (row.into(), outcome)))
        };
        audit.apart(write).await
    }

    fn notes(&self, what: Noted) -> bool {
        self.chronicle.notes(what)
    }

    fn note(&mut self, what: Noted, blob: &Row, links: &[Row]) {
        self.chronicle.note(what, blob, links);
    }

    async fn closed(&mut self, generation: &GenerationId) -> Result<(), Failure> {
        // An earlier run may have filled it.
        let note = trash_note(&self.open.layout, generation.as_str());
        let looked = self.open.store.look(vec![note.into()]).await.map_err(self.failed())?;
        if looked.iter().all(Option::is_none) {
            return Ok(());
        }
        self.promise(generation, Promise::For(self.trash_for)).await
    }
}

impl<S: RestoreStore + WriteStore> Around<'_, S> {
    async fn look_once(
        &mut self,
        purpose: Purpose,
        held: &[Digest],
    ) -> Result<Look<Failure>, Failure> {
        let out = self.place(purpose)?;
        let Wishes { source, policy, limits, resources, .. } = &self.ask;
        let (watch, console) = (&self.context.watch, self.context.console);
        let ask = Ask {
            source,
            options: <_>::default(),
            layout: &self.open.layout,
            // Whatever a revision link names that was not taken is needed.
            policy: Policy { untagged: policy.untagged && purpose == Purpose::Condemn, ..*policy },
            retention: None,
            keep_list: None,
            beside: match purpose {
                Purpose::Condemn => Beside::InUse,
                Purpose::Again => Beside::Linked,
            },
            held,
            multipart: false,
            limits,
            width: self.open.width,
            out: &out,
            is_scratch: purpose == Purpose::Again,
            listener: None,
            cache: remembered::open(resources, console),
            memory: resources.memory.in_memory(),
        };
        let look = collect::look(&self.open.store, &ask, &watch.monitor, &watch.stop);
        let collect::Look { plan, marks, pinned } = Box::pin(look).await?;
        self.chronicle.looked(plan.header());
        let objection = require_sound(&plan).err();
        Ok(Look { plan, marks, pinned, objection })
    }

    /// Where a look goes.
    fn place(&mut self, purpose: Purpose) -> Result<PathBuf, Failure> {
        match purpose {
            Purpose::Condemn => self.runs.begin(Kind::Condemning, clock::now()),
            Purpose::Again => {
                let scratch = self.runs.scratch()?;
                let path = scratch.path().to_owned();
                self.scratch = Some(scratch);
                Ok(path)
            }
        }
    }

    /// Says how long the trash of a generation is kept.
    async fn promise(&self, generation: &GenerationId, promise: Promise) -> Result<(), Failure> {
        let note = trash_note(&self.open.layout, generation.as_str());
        let written = self.open.store.write(&note, promise.body(), &Condition::None).await;
        written.map(drop).map_err(self.failed())
    }

    fn failed(&self) -> impl Fn(StoreError) -> Failure + use<S> {
        let location = self.open.store.identity().to_owned();
        move |source| Failure::Store { location: location.clone(), source }
    }
}
