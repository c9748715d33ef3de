//! Lists everything below a prefix by many workers at once.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use monitor::{Counter, Monitor, Stop};
use store::{Cursor, Listed, ReadStore};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::hands::Hands;
use crate::ranges::{Ranges, Ticket, Waiting};
use crate::{ListError, Seeder};

/// What one range collects: called with its entries page by page, in key order.
pub trait Part: Send + 'static {
    /// Takes the next entries of the range; waiting here slows the listing down.
    ///
    /// # Errors
    /// Ends the walk.
    fn take(&mut self, entries: Vec<Listed>) -> impl Future<Output = Result<(), ListError>> + Send;

    /// The range is at its end: every key after `after`, and up to and including `until` where there is one, was taken.
    ///
    /// # Errors
    /// Ends the walk.
    fn end(
        &mut self,
        _after: &str,
        _until: Option<&str>,
    ) -> impl Future<Output = Result<(), ListError>> + Send {
        std::future::ready(Ok(()))
    }
}

/// What to list, and how.
#[derive(Debug)]
pub struct Walk<S, D> {
    /// Where to list.
    pub store: Arc<S>,
    /// The prefix.
    pub within: String,
    /// First cuts.
    pub seeder: D,
    /// How many ranges are listed at once, where the store keeps one waiting.
    pub workers: usize,
    /// Where keys are counted.
    pub keys: Counter,
    /// Counts ranges and keys.
    pub monitor: Arc<Monitor>,
    /// Ends the walk early, as an error.
    pub stop: Arc<Stop>,
}

struct Shared<S, D, P, F> {
    walk: Walk<S, D>,
    hands: Hands,
    ranges: Mutex<Ranges>,
    changed: Notify,
    new_part: F,
    finished: Mutex<Vec<(String, P)>>,
}

/// Lists every key below the prefix exactly once (G2) and returns the parts in key order.
///
/// `new_part` makes the collector of a range; how many ranges there will be is not known beforehand.
///
/// # Errors
/// [`ListError`] where any range did not come to its end (G3). Every worker is joined before this returns.
pub async fn walk<S, D, P, F>(walk: Walk<S, D>, new_part: F) -> Result<Vec<P>, ListError>
where
    S: ReadStore,
    D: Seeder,
    P: Part,
    F: Fn() -> P + Send + Sync + 'static,
{
    let shared = Arc::new(Shared {
        hands: Hands::of(walk.workers.max(1), &walk.store.abilities()),
        ranges: Mutex::new(Ranges::new(Vec::new())),
        changed: Notify::new(),
        new_part,
        finished: Mutex::new(Vec::new()),
        walk,
    });
    let mut group = JoinSet::new();
    group.spawn(crew(Arc::clone(&shared)));
    join(group, &shared.walk.within).await?;
    let mut parts = std::mem::take(&mut *lock(&shared.finished));
    parts.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

/// Starts the workers and waits for them. A task of its own: the thread that asked for the walk is no worker's, and as long
/// as it runs, a thread that it wakes may have to wait for a processor that is busy.
async fn crew<S, D, P, F>(shared: Arc<Shared<S, D, P, F>>) -> Result<(), ListError>
where
    S: ReadStore,
    D: Seeder,
    P: Part,
    F: Fn() -> P + Send + Sync + 'static,
{
    let cuts = first_cuts(&shared.walk).await?;
    *lock(&shared.ranges) = Ranges::new(cuts);
    let mut group = JoinSet::new();
    for _ in 0..shared.walk.workers.max(1) {
        group.spawn(work(Arc::clone(&shared)));
    }
    join(group, &shared.walk.within).await
}

/// Where the store answers at once, a listing need not turn out to be long before it is cut: there are no requests that a
/// short one would be spared.
async fn first_cuts<S, D>(walk: &Walk<S, D>) -> Result<Vec<String>, ListError>
where
    S: ReadStore,
    D: Seeder,
{
    if !walk.store.abilities().reads_in_place {
        return Ok(Vec::new());
    }
    let cuts = walk.seeder.cuts("").await;
    cuts.map_err(|source| ListError::Store { within: walk.within.as_str().into(), source })
}

/// Waits for every worker; the first error ends the others, which are joined too.
async fn join(mut group: JoinSet<Result<(), ListError>>, within: &str) -> Result<(), ListError> {
    let mut outcome = Ok(());
    while let Some(joined) = group.join_next().await {
        let ended = match joined {
            Ok(ended) => ended,
            Err(source) if source.is_cancelled() && outcome.is_err() => Ok(()),
            Err(source) => Err(ListError::LostWorker { within: within.into(), source }),
        };
        if outcome.is_ok() && ended.is_err() {
            outcome = ended;
            group.abort_all();
        }
    }
    outcome
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A worker that panicked has ended the walk with an error already; what it left is never used.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn work<S, D, P, F>(shared: Arc<Shared<S, D, P, F>>) -> Result<(), ListError>
where
    S: ReadStore,
    D: Seeder,
    P: Part,
    F: Fn() -> P + Send + Sync + 'static,
{
    let _hand = shared.hands.wanted().await;
    loop {
        let changed = shared.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let taken = {
            let mut ranges = lock(&shared.ranges);
            if ranges.is_done() {
                shared.changed.notify_waiters();
                return Ok(());
            }
            ranges.take()
        };
        match taken {
            Some((ticket, range)) => shared.list_range(ticket, range).await?,
            None => changed.await,
        }
    }
}

impl<S, D, P, F> Shared<S, D, P, F>
where
    S: ReadStore,
    D: Seeder,
    P: Part,
    F: Fn() -> P + Send + Sync + 'static,
{
    async fn list_range(&self, ticket: Ticket, range: Waiting) -> Result<(), ListError> {
        self.walk.monitor.count(Counter::ListedRanges, 1);
        let is_whole = range.after.is_empty() && range.until.is_none();
        let mut part = (self.new_part)();
        let mut cursor = self.walk.store.list(&self.walk.within, &range.after);
        if let Some(until) = &range.until {
            cursor.end_at(until);
        }
        let mut last = range.after.clone();
        let mut is_first = true;
        loop {
            if self.walk.stop.is_asked() {
                return Err(ListError::Stopped { within: self.within() });
            }
            let page = cursor.next().await.map_err(|source| self.failed(source))?;
            self.hands.call_where_one_waits(&self.walk.store.abilities());
            if let Some(entries) = &page {
                self.check_order(&last, entries)?;
            }
            let commit = lock(&self.ranges).commit(ticket, page);
            if let Some(entry) = commit.entries.last() {
                last.clear();
                last.push_str(entry.key());
            }
            self.walk.monitor.count(self.walk.keys, commit.entries.len() as u64);
            if std::mem::take(&mut is_first) && is_whole && commit.end.is_none() {
                self.seed(ticket).await?;
            }
            self.changed.notify_waiters();
            if !commit.entries.is_empty() {
                part.take(commit.entries).await?;
            }
            if let Some(end) = commit.end {
                part.end(&range.after, end.until.as_deref()).await?;
                lock(&self.finished).push((range.after, part));
                return Ok(());
            }
        }
    }

    /// G3: whatever the store, keys that do not ascend are not a listing.
    fn check_order(&self, after: &str, entries: &[Listed]) -> Result<(), ListError> {
        let odd = |key: &str| ListError::Order { within: self.within(), key: key.into() };
        let mut last = after;
        for key in entries.iter().map(Listed::key) {
            if key <= last {
                return Err(odd(key));
            }
            last = key;
        }
        // Keys that ascend from one that begins so to another all begin so.
        let mut ends = entries.first().into_iter().chain(entries.last()).map(Listed::key);
        match ends.find(|key| !key.starts_with(&self.walk.within)) {
            Some(key) => Err(odd(key)),
            None => Ok(()),
        }
    }

    async fn seed(&self, ticket: Ticket) -> Result<(), ListError> {
        let position = lock(&self.ranges).position(ticket).map(str::to_owned);
        if let Some(position) = position {
            let cuts = self.walk.seeder.cuts(&position).await;
            let cuts = cuts.map_err(|source| self.failed(source))?;
            lock(&self.ranges).cut(ticket, cuts);
        }
        Ok(())
    }

    fn within(&self) -> Box<str> {
        self.walk.within.as_str().into()
    }

    fn failed(&self, source: store::StoreError) -> ListError {
        ListError::Store { within: self.within(), source }
    }
}

#[cfg(test)]
mod tests;
