//! The cache in which the registry remembers blobs: looked at before anything is deleted, cleared afterwards.
//!
//! A registry with redis goes on believing in a blob that is gone, and accepts pushes that need it. What a sweep may
//! have deleted is read off its plan, so nothing has to be journaled: whether it was deleted, spared, or left makes no
//! difference, as a registry that does not remember looks. A mark beside the plan, durable before the first delete,
//! says that this is still to be done, whatever ends the run (G11).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use config::Cache;
use planner::{Plan, PlanError, Row, RowKind};
use purger::{Entry, Limits, PurgeError, Purger};
use registry::Digest;
use serde::Serialize;

use crate::location::Location;
use crate::render::{count, failure_line};
use crate::{Console, Failure, Refusal};

/// Stands beside a plan as long as its sweep is not cleared from the cache.
const MARK: &str = "cache-to-clear";

const RESTART: &str = "restart the registry before anybody pushes: it remembers what was deleted";

/// What to do where nobody knows what to clear.
pub(crate) const BY_HAND: &str = "before anybody pushes, delete the keys of its redis that begin with `blobs::` or `repository::`";

/// What the operator says of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CacheChoice {
    /// The registry has no cache.
    None,
    /// I restart the registry, or clear its redis, before anybody pushes.
    Restart,
}

/// Why a cache is not cleared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClearError {
    /// The cache does not do it.
    #[error(transparent)]
    Purge(#[from] PurgeError),
    /// The plan, which says what to clear, cannot be read.
    #[error("the plan says what to clear, and cannot be read")]
    Plan(#[from] PlanError),
    /// The mark beside the plan cannot be set or taken away.
    #[error("cannot use {}", path.display())]
    Mark {
        /// The mark.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// The registry's cache, and what was done about it.
#[derive(Debug)]
pub(crate) struct RegistryCache {
    kind: Kind,
    /// There where the cache is redis.
    purger: Option<Purger>,
    cleared: u64,
    /// Whether what an earlier run had left was cleared.
    has_settled: bool,
    failure: Option<ClearError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The location does not say.
    Unknown,
    None,
    InMemory,
    Redis,
    /// Whatever it is, the operator sees to it.
    Restart,
    /// The same where it is a redis, which outlives the registry.
    RestartBesideRedis,
}

/// For machines.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct CacheSummary {
    kind: &'static str,
    cleared: u64,
}

impl RegistryCache {
    fn new(kind: Kind) -> Self {
        Self { kind, purger: None, cleared: 0, has_settled: false, failure: None }
    }

    /// No cache.
    pub(crate) fn none() -> Self {
        Self::new(Kind::None)
    }

    /// The cache that the location's configuration names, unless the operator says otherwise. Redis is asked at once
    /// whether entries may be cleared: better now than after a sweep.
    ///
    /// # Errors
    /// [`Refusal::Cache`].
    pub(crate) async fn open(
        location: &Location,
        choice: Option<CacheChoice>,
    ) -> Result<Self, Failure> {
        let configured = location.configuration.as_ref().map(|configuration| &configuration.cache);
        let kind = match (choice, configured) {
            (Some(CacheChoice::None), _) | (None, Some(Cache::None)) => Kind::None,
            (Some(CacheChoice::Restart), Some(Cache::Redis(_))) => Kind::RestartBesideRedis,
            (Some(CacheChoice::Restart), _) => Kind::Restart,
            (None, None) => Kind::Unknown,
            (None, Some(Cache::InMemory)) => Kind::InMemory,
            (None, Some(Cache::Redis(redis))) => {
                let purger = Purger::connect(redis, Limits::default()).await.map_err(refused)?;
                let mut cache = Self { purger: Some(purger), ..Self::new(Kind::Redis) };
                cache.require_clearable().await?;
                return Ok(cache);
            }
        };
        Ok(Self::new(kind))
    }

    /// Whether it dies with the registry's process.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.kind == Kind::InMemory
    }

    /// Why nobody can make the registry forget, or ask what it remembers, if so.
    pub(crate) fn cannot_forget(&self) -> Option<&'static str> {
        match self.kind {
            Kind::None | Kind::Redis => None,
            Kind::Unknown => Some("nothing is known of the registry's cache"),
            Kind::InMemory => Some("the registry remembers blobs in its memory"),
            Kind::Restart => Some("nobody knows when the registry forgets"),
            Kind::RestartBesideRedis => Some("no restart of the registry empties its redis"),
        }
    }

    /// Whether the registry forgets where it is restarted.
    pub(crate) fn forgets_by_restart(&self) -> bool {
        self.kind != Kind::RestartBesideRedis
    }

    /// Makes sure that the cache can be asked what it believes.
    ///
    /// # Errors
    /// [`Refusal::Cache`].
    pub(crate) async fn require_askable(&mut self) -> Result<(), Failure> {
        let Some(purger) = &mut self.purger else { return Ok(()) };
        let nobodys = Digest::sha256(b"what no registry holds, so that regsweep may ask for it");
        purger.believes(&[nobodys]).await.map(drop).map_err(refused)
    }

    /// Clears entries, where the cache is redis.
    ///
    /// # Errors
    /// [`Failure::Uncleared`].
    pub(crate) async fn purge(&mut self, entries: &[Entry]) -> Result<(), Failure> {
        if let Some(purger) = &mut self.purger {
            self.cleared += purger.forget(entries).await.map_err(uncleared)?;
        }
        Ok(())
    }

    /// Which of these the cache believes to be there; none where it cannot be asked.
    ///
    /// # Errors
    /// [`Failure::Uncleared`].
    pub(crate) async fn believes(&mut self, digests: &[Digest]) -> Result<Vec<bool>, Failure> {
        match &mut self.purger {
            Some(purger) => purger.believes(digests).await.map_err(uncleared),
            None => Ok(vec![false; digests.len()]),
        }
    }

    /// Makes sure that entries can be cleared, and clears none.
    ///
    /// # Errors
    /// [`Refusal::Cache`].
    pub(crate) async fn require_clearable(&mut self) -> Result<(), Failure> {
        match &mut self.purger {
            Some(purger) => purger.check().await.map_err(refused),
            None => Ok(()),
        }
    }

    /// Clears what earlier sweeps of the plan in `dir` may have deleted, where that is still to be done. Where the
    /// operator sees to the cache, it is done. A plan that cannot be read any more stands in nobody's way: what it
    /// deleted is the operator's to clear, whatever is deleted now.
    ///
    /// # Errors
    /// [`Refusal::Cache`].
    pub(crate) async fn settle(&mut self, dir: &Path, console: Console) -> Result<(), Failure> {
        if !is_owed(dir) {
            return Ok(());
        }
        match self.kind {
            Kind::Redis => match self.forget(dir).await {
                Err(ClearError::Plan(error)) => {
                    console.warn(&unreadable(dir, &error));
                    return Ok(());
                }
                settled => settled.map_err(refused)?,
            },
            Kind::Restart | Kind::RestartBesideRedis | Kind::None => {
                remove_mark(dir).map_err(refused)?;
            }
            Kind::Unknown | Kind::InMemory => return Ok(()),
        }
        self.has_settled = true;
        Ok(())
    }

    /// Whether [`RegistryCache::settle`] had something to do.
    pub(crate) fn has_settled(&self) -> bool {
        self.has_settled
    }

    /// Marks the plan in `dir` as one whose deletes are to be cleared; before the first of them.
    ///
    /// # Errors
    /// [`Refusal::Cache`].
    pub(crate) fn owe(&self, dir: &Path) -> Result<(), Failure> {
        if self.purger.is_none() {
            return Ok(());
        }
        let path = dir.join(MARK);
        let set = File::create(&path).and_then(|mark| mark.sync_all());
        let set = set.and_then(|()| File::open(dir)?.sync_all());
        set.map_err(|source| refused(ClearError::Mark { path, source }))
    }

    /// Clears what the plan in `dir` names before anything of it is deleted, for a run that nobody takes up again where it
    /// is killed: a registry that is stopped then remembers nothing of what is gone.
    ///
    /// # Errors
    /// [`Refusal::Cache`].
    pub(crate) async fn clear_ahead(&mut self, dir: &Path) -> Result<(), Failure> {
        self.forget(dir).await.map_err(refused)
    }

    /// Clears all that the plan in `dir` names, also what was not deleted; keeps in mind where that fails.
    pub(crate) async fn clear(&mut self, dir: &Path) {
        self.failure = self.forget(dir).await.err();
    }

    async fn forget(&mut self, dir: &Path) -> Result<(), ClearError> {
        let Some(purger) = &mut self.purger else { return Ok(()) };
        let plan = Plan::open(dir)?;
        let mut batch = Vec::with_capacity(Purger::BATCH);
        for segment in plan.segments() {
            for row in plan.rows(segment)? {
                batch.extend(entry_of(&row?));
                if batch.len() == Purger::BATCH {
                    self.cleared += purger.forget(&batch).await?;
                    batch.clear();
                }
            }
        }
        self.cleared += purger.forget(&batch).await?;
        tracing::info!(cleared = self.cleared, "cleared the registry's cache");
        remove_mark(dir)
    }

    /// What is known of it.
    pub(crate) fn description(&self) -> &'static str {
        match self.kind {
            Kind::Unknown => "nothing is known of one: the location is no config.yml",
            Kind::None => "there is none",
            Kind::InMemory => "in the registry's memory: restart it before anybody pushes",
            Kind::Redis => "a redis, which lets entries be cleared",
            Kind::Restart | Kind::RestartBesideRedis => "you see to it",
        }
    }

    /// What to say of it to machines.
    pub(crate) fn summary(&self) -> CacheSummary {
        CacheSummary { kind: self.kind.name(), cleared: self.cleared }
    }

    /// What to say of it to people after a sweep; `has_deleted` where anything was deleted.
    pub(crate) fn tip(&self, has_deleted: bool) -> Option<String> {
        match self.kind {
            Kind::Redis if self.failure.is_none() => {
                let count = count(self.cleared);
                Some(format!("cleared {count} entries of the registry's cache"))
            }
            Kind::InMemory if has_deleted => Some(RESTART.to_owned()),
            _ => None,
        }
    }

    /// How all of it ended: a failure to clear is the run's where nothing else went wrong, and told in any case.
    ///
    /// # Errors
    /// `outcome`'s, else [`Failure::Uncleared`].
    pub(crate) fn conclude(
        self,
        outcome: Result<(), Failure>,
        can_repeat: bool,
        console: Console,
    ) -> Result<(), Failure> {
        let Some(source) = self.failure else { return outcome };
        let uncleared = Failure::Uncleared { source, can_repeat };
        match outcome {
            Ok(()) => Err(uncleared),
            Err(failure) => {
                console.warn(&failure_line(&uncleared));
                Err(failure)
            }
        }
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::None => "none",
            Self::InMemory => "inmemory",
            Self::Redis => "redis",
            Self::Restart | Self::RestartBesideRedis => "restart",
        }
    }
}

fn uncleared(error: PurgeError) -> Failure {
    Failure::Uncleared { source: error.into(), can_repeat: true }
}

fn refused(error: impl Into<ClearError>) -> Failure {
    Refusal::Cache { source: error.into() }.into()
}

fn unreadable(dir: &Path, error: &PlanError) -> String {
    format!(
        "the registry may still remember what was deleted by {}, for {error}: {BY_HAND}",
        dir.display()
    )
}

/// Whether deletes of the plan in `dir` are not cleared yet.
pub(crate) fn is_owed(dir: &Path) -> bool {
    dir.join(MARK).exists()
}

fn remove_mark(dir: &Path) -> Result<(), ClearError> {
    let path = dir.join(MARK);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ClearError::Mark { path, source })
        }
        _ => Ok(()),
    }
}

/// What the registry remembers of a row's object; nothing of tags and uploads.
fn entry_of(row: &Row) -> Option<Entry> {
    let digest = row.digest?;
    let repository = match row.kind {
        RowKind::Blob => None,
        RowKind::RevisionLink | RowKind::LayerLink => Some(row.repository.clone()?),
        RowKind::BrokenLink | RowKind::TagLink | RowKind::Upload | RowKind::MultipartUpload => {
            return None;
        }
    };
    Some(Entry { repository, digest })
}
