//! The trash of a run: whether it is needed, when it was filled, when it is emptied.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use monitor::Counter;
use planner::Plan;
use registry::Timestamp;
use store::{
    Condition, Cursor as _, DeleteBatch, Doomed, ErrorKind, KeyOutcome, Listed, Object,
    RestoreStore, StoreError, Trash,
};
use sweeper::{NOTE_LIMIT, Promise, trash_note, trash_prefix};

use crate::args::SweepArgs;
use crate::audit_log::{AuditLog, Subject};
use crate::open::{Open, Watch};
use crate::render::{count, failure_line};
use crate::{Console, Failure};

/// The same wishes, without a trash where the store keeps versions: what is deleted can be taken back all the same.
///
/// # Errors
/// [`Failure::Store`] where the store does not say.
pub(crate) async fn as_needed<S: RestoreStore>(
    open: &Open<S>,
    typed: &SweepArgs,
    console: Console,
) -> Result<SweepArgs, Failure> {
    let mut sweep = typed.clone();
    if sweep.trash && open.store.keeps_versions().await.map_err(failed(open))? {
        console.note("the bucket keeps versions, so nothing is copied to a trash");
        sweep.trash = false;
    }
    Ok(sweep)
}

/// The trash of a plan while it is in use: the note in it is written anew again and again, so that its time is that of
/// the last use, and nobody empties it meanwhile.
#[derive(Debug)]
pub(crate) struct Filling<'a, S> {
    open: &'a Open<S>,
    note: String,
    body: Bytes,
    pause: Duration,
}

/// The longest time between two notes.
const PAUSE: Duration = Duration::from_mins(10);

/// Says that a plan's trash is being filled, before anything goes there, and how long it is kept: `retention`, or longer
/// where an earlier sweep promised it.
///
/// # Errors
/// [`Failure::Store`] where that cannot be read or written; nothing was deleted then.
pub(crate) async fn begin<'a, S: RestoreStore>(
    open: &'a Open<S>,
    plan: &Plan,
    retention: Duration,
) -> Result<Filling<'a, S>, Failure> {
    let note = trash_note(&open.layout, &plan.id().to_string());
    let earlier = body(open, &note).await.map_err(failed(open))?;
    let earlier = earlier.as_deref().map(Promise::read);
    let promise = Promise::For(retention).max(earlier.unwrap_or(Promise::For(retention)));
    let pause = (retention / 4).clamp(Duration::from_secs(1), PAUSE);
    let filling = Filling { open, note, body: promise.body(), pause };
    filling.renew().await?;
    Ok(filling)
}

impl<S: RestoreStore> Filling<'_, S> {
    /// Says that the trash is in use now.
    ///
    /// # Errors
    /// [`Failure::Store`].
    async fn renew(&self) -> Result<(), Failure> {
        let written = self.open.store.write(&self.note, self.body.clone(), &Condition::None).await;
        written.map(drop).map_err(failed(self.open))
    }

    /// Does `work`, and says so all the while.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(self.pause) => {
                    // The sweep loses nothing by it: what fails here is tried again, and at the end told.
                    if let Err(error) = self.renew().await {
                        tracing::warn!(%error, "cannot say that the trash is in use");
                    }
                }
            }
        }
    }
}

/// Says that a sweep has filled its trash, and empties those of others where it went through: its own plan is then
/// `own`. What goes wrong is told and no more, unless it is the audit log: the sweep is done, and the next one tries
/// again.
///
/// # Errors
/// [`Failure::TrashUnlogged`].
pub(crate) async fn conclude<S: RestoreStore>(
    filling: Filling<'_, S>,
    own: Option<&str>,
    retention: Duration,
    audit: Option<Arc<AuditLog>>,
    watch: &Watch,
    console: Console,
) -> Result<(), Failure> {
    if let Err(failure) = filling.renew().await {
        let line = failure_line(&failure);
        console.warn(&format!("the time of this trash counts from the sweep's begin: {line}"));
    }
    match own {
        Some(own) => empty_others(filling.open, own, retention, audit, watch, console).await,
        None => Ok(()),
    }
}

/// Empties the trash of every plan and generation but `own` that is past its time. What goes wrong is told and no more,
/// unless an audit log that is wanted cannot be written.
///
/// # Errors
/// [`Failure::TrashUnlogged`].
pub(crate) async fn empty_others<S: RestoreStore>(
    open: &Open<S>,
    own: &str,
    retention: Duration,
    audit: Option<Arc<AuditLog>>,
    watch: &Watch,
    console: Console,
) -> Result<(), Failure> {
    match empty(open, own, retention, audit, watch).await {
        Ok(emptied) => emptied.warnings().iter().for_each(|warning| console.warn(warning)),
        Err(failure @ Failure::TrashUnlogged { .. }) => return Err(failure),
        // It was asked to stop, and the sweep had ended.
        Err(_) if watch.stop.is_asked() => {}
        Err(failure) => {
            let line = failure_line(&failure);
            console
                .warn(&format!("older trash was not emptied, and waits for the next run: {line}"));
        }
    }
    Ok(())
}

/// What a note says; nothing where there is none, and nothing that can be understood where it is none of ours.
async fn body<S: RestoreStore>(open: &Open<S>, note: &str) -> Result<Option<Bytes>, StoreError> {
    match open.store.get(note, NOTE_LIMIT).await {
        Ok(body) => Ok(Some(body)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind == ErrorKind::TooLarge => Ok(Some(Bytes::new())),
        Err(error) => Err(error),
    }
}

/// What became of the trash of other plans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Emptied {
    /// Objects that could not be deleted.
    failed: u64,
    /// Whether there may be plans that were not looked at.
    is_more: bool,
}

impl Emptied {
    fn warnings(self) -> Vec<String> {
        let failed = (self.failed > 0).then(|| {
            let failed = count(self.failed);
            format!(
                "{failed} objects of older trash could not be deleted, and wait for the next run"
            )
        });
        let more = self.is_more.then(|| {
            "the trash is that of more plans than the store tells at once; the others wait for the next run"
                .to_owned()
        });
        failed.into_iter().chain(more).collect()
    }
}

/// Empties the trash of every plan but `own` that was last in use longer ago than `retention` and than was promised
/// then.
///
/// What says when that was goes last, and only where all else went: what is left goes the next time.
///
/// # Errors
/// [`Failure::Store`], [`Failure::TrashUnlogged`].
async fn empty<S: RestoreStore>(
    open: &Open<S>,
    own: &str,
    retention: Duration,
    audit: Option<Arc<AuditLog>>,
    watch: &Watch,
) -> Result<Emptied, Failure> {
    let emptying = Emptying { open, now: open.now().await?, retention, audit, watch };
    let prefix = trash_prefix(&open.layout);
    let folders = open.store.folders(&prefix).await.map_err(failed(open))?;
    let mut emptied = Emptied { failed: 0, is_more: !folders.is_complete };
    for folder in folders.prefixes {
        let plan = folder[prefix.len()..].trim_end_matches('/');
        if plan != own {
            emptied.failed += emptying.empty_one(&folder, plan).await?;
        }
    }
    Ok(emptied)
}

struct Emptying<'a, S> {
    open: &'a Open<S>,
    now: Timestamp,
    retention: Duration,
    /// Who hears of each deletion.
    audit: Option<Arc<AuditLog>>,
    watch: &'a Watch,
}

impl<S: RestoreStore> Emptying<'_, S> {
    /// Empties the trash of a plan where it is past its time; how many objects could not be deleted.
    async fn empty_one(&self, folder: &str, plan: &str) -> Result<u64, Failure> {
        let (key, failure) = (trash_note(&self.open.layout, plan), failed(self.open));
        let Some(note) = self.past(&key).await.map_err(&failure)? else { return Ok(0) };
        let mut left = 0;
        let mut pages = self.open.store.list(folder, "");
        while let Some(page) = pages.next().await.map_err(&failure)? {
            // An undo, or another sweep, may use it again since.
            if self.watch.stop.is_asked()
                || self.past(&key).await.map_err(&failure)?.as_ref() != Some(&note)
            {
                return Ok(left);
            }
            let objects =
                page.iter().filter_map(Listed::object).filter(|found| found.key != note.key);
            let objects: Vec<Object> = objects.cloned().collect();
            for chunk in objects.chunks(self.batch()) {
                left += self.delete_told(plan, chunk).await?;
            }
        }
        if left == 0 {
            let note = [note];
            let outcomes = self.delete(&note).await.map_err(&failure)?;
            left += self.count(&note, &outcomes);
        }
        Ok(left)
    }

    fn batch(&self) -> usize {
        self.open.store.abilities().delete_batch.clamp(1, DeleteBatch::LIMIT)
    }

    /// The note in a trash that is past its time. Doubt keeps (G4): without a note nobody knows when it was in use.
    async fn past(&self, key: &str) -> Result<Option<Object>, StoreError> {
        let looked = self.open.store.look(vec![key.into()]).await?;
        let Some(note) = looked.into_iter().flatten().next() else { return Ok(None) };
        let age = self.now.since(note.modified);
        if age <= self.retention {
            return Ok(None);
        }
        let promise = body(self.open, key).await?.map(|body| Promise::read(&body));
        let is_past = matches!(promise, Some(Promise::For(time)) if age > time);
        Ok(is_past.then_some(note))
    }

    /// Deletes objects of a plan's trash for good, and has that told before anything else goes; how many did not go.
    async fn delete_told(&self, plan: &str, objects: &[Object]) -> Result<u64, Failure> {
        let answer = self.delete(objects).await;
        let outcomes = match &answer {
            Ok(outcomes) => outcomes.clone(),
            // Some may be gone, and nobody asks for them again.
            Err(error) => vec![KeyOutcome::Failed(error.into()); objects.len()],
        };
        let left = self.count(objects, &outcomes);
        self.tell(plan, objects, outcomes).await?;
        answer.map(|_| left).map_err(failed(self.open))
    }

    async fn delete(&self, objects: &[Object]) -> Result<Vec<KeyOutcome>, StoreError> {
        let doomed = |object: &Object| Doomed {
            key: object.key.clone().into(),
            modified: object.modified,
            upload: None,
        };
        // The keys of a listing are distinct, so only an empty page makes no batch.
        let Ok(batch) = DeleteBatch::new(objects.iter().map(doomed).collect()) else {
            return Ok(Vec::new());
        };
        self.open.store.delete(&batch).await
    }

    /// Has it written to the audit log, where one is wanted, under the name of the plan that filled the trash.
    async fn tell(
        &self,
        plan: &str,
        objects: &[Object],
        outcomes: Vec<KeyOutcome>,
    ) -> Result<(), Failure> {
        let Some(audit) = self.audit.clone() else { return Ok(()) };
        let (layout, plan, objects) = (self.open.layout.clone(), plan.to_owned(), objects.to_vec());
        let write = move |audit: &AuditLog| {
            let trash = Trash::new(layout.root(), &format!("{}{plan}/", trash_prefix(&layout)));
            let subjects = objects.iter().map(|object| Subject::emptied(&layout, &trash, object));
            audit.write(&plan, subjects.zip(&outcomes))
        };
        audit.apart(write).await.map_err(|failure| match failure {
            Failure::Unlogged { path, source } => Failure::TrashUnlogged { path, source },
            failure => failure,
        })
    }

    /// Counts what became of objects; how many did not go.
    fn count(&self, objects: &[Object], outcomes: &[KeyOutcome]) -> u64 {
        let gone = objects.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_deleted());
        let (mut count, mut bytes) = (0, 0);
        for (object, _) in gone {
            count += 1;
            bytes += object.size;
        }
        self.watch.monitor.count(Counter::PurgedObjects, count);
        self.watch.monitor.count(Counter::PurgedBytes, bytes);
        objects.len() as u64 - count
    }
}

fn failed<S: RestoreStore>(open: &Open<S>) -> impl Fn(StoreError) -> Failure + '_ {
    |source| Failure::Store { location: open.store.identity().to_owned(), source }
}
