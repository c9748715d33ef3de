//! The right to collect.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use registry::{Layout, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Condition, ErrorKind, ReadStore, StoreError, Token, WriteStore};

use crate::{Held, LeaseLost, LedgerError, LocalClock, Moment, document, fields, keys};

const KIND: &str = "lease";

/// More than any lease has, in bytes.
const AT_MOST: u64 = 64 << 10;

/// How far a store's answer to what time it is may lag.
const LAG: Duration = Duration::from_secs(1);

/// Who asks for the lease: a name for people, and what nobody else has. Serves for one lease.
#[derive(Debug, PartialEq, Eq)]
pub struct Holder(Box<str>);

impl Holder {
    /// A holder that no other is equal to, whatever its name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        // A hasher's own seed, which nobody can foretell, hashed.
        let [one, two] = [(); 2].map(|()| RandomState::new().build_hasher().finish());
        Self(format!("{name} {one:016x}{two:016x}").into())
    }
}

/// The times of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTimes {
    life: Duration,
    flight: Duration,
    margin: Duration,
}

impl Default for LeaseTimes {
    /// Ten minutes, of which three are for requests in flight, and one beyond.
    fn default() -> Self {
        let [life, flight, margin] = [10, 3, 1].map(Duration::from_mins);
        Self { life, flight, margin }
    }
}

impl LeaseTimes {
    /// `life` is from a renewal to the end, `flight` the longest that a request takes from being allowed to its last
    /// effect, and `margin` how much longer others wait. `None` where the lease would be of no use.
    #[must_use]
    pub fn new(life: Duration, flight: Duration, margin: Duration) -> Option<Self> {
        let times = Self { life, flight, margin };
        (!times.belief().is_zero()).then_some(times)
    }

    /// For how long its holder relies on it, from before it asked for the time. A hundredth is left for a local count
    /// that is slow.
    fn belief(&self) -> Duration {
        let belief = self.life.saturating_sub(LAG).saturating_sub(self.flight);
        belief.saturating_sub(belief / 100)
    }
}

/// The lease as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    holder: Box<str>,
    #[serde(with = "fields::time")]
    acquired: Timestamp,
    #[serde(with = "fields::time")]
    expires: Timestamp,
    /// Counts writes.
    sequence: u64,
    /// Nobody holds it, whatever else it says.
    released: bool,
}

/// The right to collect: one object, written only over what was read.
///
/// # Arithmetic
/// To renew, the holder notes the local moment `m`, asks the store for its time `t`, and writes that the lease expires at
/// `t + life`. It relies on that until `m + (life − flight − 1 s)`, less a hundredth. The store's time was at most
/// `t + 1 s` when it answered, which was not before `m`; so at the last moment that it relies on, the store's clock shows
/// no more than `t + life − flight`, and what it then sends has ended at `t + life`. Others take over only after they are
/// told a time later than `t + life + margin`.
///
/// # Assumptions
/// - The time that a store tells lags by up to a second and is never ahead.
/// - A request that was allowed has had its last effect within `flight`, or has none: also where it was stopped in
///   between, was asked again, or timed out on this side. So ask right before sending, below whatever waits or retries
///   ([`crate::Fenced`]), and have it give up earlier than that.
/// - The store's clock, or its clocks, are set forward by no more than `margin` within one life. That they are set back
///   only makes others wait.
/// - The local count is at most a hundredth slow, and goes on while the machine sleeps.
///
/// # In doubt
/// A write without an answer may have been carried out, or may yet be. The holder then relies on what it knew before;
/// what it finds later under its own name is its own. No lease is ever deleted, so what arrives late fails.
#[derive(Debug)]
pub struct Lease<S> {
    desk: Desk<S>,
    document: Document,
    token: Token,
    held: Held,
}

/// All that writing a lease takes.
#[derive(Debug)]
struct Desk<S> {
    store: Arc<S>,
    key: String,
    holder: Holder,
    times: LeaseTimes,
    clock: LocalClock,
}

/// A lease that was written, and the local moment before its time was asked for.
struct Grant {
    document: Document,
    token: Token,
    asked: Moment,
}

/// Why a lease was not written.
enum Refusal {
    /// This is there in its place.
    Rival(Option<(Document, Token)>),
    Failed(LedgerError),
}

impl<E: Into<LedgerError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<S: WriteStore> Lease<S> {
    /// Takes the lease where it is free or has expired.
    ///
    /// The store must look at conditions ([`store::heeds_conditions`]).
    ///
    /// # Errors
    /// [`LedgerError::Held`] where somebody else holds it; [`LedgerError::Overtaken`] where somebody else had it in
    /// between, so that it can be asked for again at once; [`LedgerError::Damaged`] and [`LedgerError::UnknownFormat`]
    /// where what is there cannot be understood, so that somebody else may hold it.
    pub async fn acquire(
        store: Arc<S>,
        layout: &Layout,
        holder: Holder,
        times: LeaseTimes,
        clock: LocalClock,
    ) -> Result<Self, LedgerError> {
        let held = Held::new(&holder.0, clock.clone());
        let desk = Desk { store, key: keys::lease(layout), holder, times, clock };
        let grant = match desk.take().await {
            Ok(grant) => grant,
            Err(Refusal::Failed(error)) => return Err(error),
            Err(Refusal::Rival(found)) => return Err(desk.outrun(found)),
        };
        let Grant { document, token, asked } = grant;
        held.until(asked.after(times.belief()));
        Ok(Self { desk, document, token, held })
    }

    /// What to ask before each request that changes something.
    #[must_use]
    pub fn guard(&self) -> Held {
        self.held.clone()
    }

    /// How often to renew: early enough to try again, and again.
    #[must_use]
    pub fn renew_every(&self) -> Duration {
        self.desk.times.belief() / 4
    }

    /// Prolongs the lease to a whole life from now. Also where it has expired, unless somebody else took it.
    ///
    /// # Errors
    /// [`LedgerError::Lost`] where somebody else has it. After any other error it is held as long as it was: try again.
    pub async fn renew(&mut self) -> Result<(), LedgerError> {
        let grant = self.write(false).await?;
        self.held.until(grant.asked.after(self.desk.times.belief()));
        Ok(())
    }

    /// Gives the lease back, so that nobody has to wait for its end. Only where every request was answered: one that
    /// timed out may still have its effect, and then the lease is left to expire.
    ///
    /// # Errors
    /// [`LedgerError::Lost`] where somebody else has it already. After any error it expires.
    pub async fn release(mut self) -> Result<(), LedgerError> {
        self.held.lose();
        self.write(true).await.map(drop)
    }

    /// Writes over what is known, or over what arrived late of our own.
    async fn write(&mut self, is_last: bool) -> Result<Grant, LedgerError> {
        for _ in 0..2 {
            let next = Next { after: Some(&self.document), is_last };
            let condition = Condition::Unchanged(self.token.clone());
            match self.desk.write(next, &condition).await {
                Ok(grant) => {
                    (self.document, self.token) = (grant.document.clone(), grant.token.clone());
                    return Ok(grant);
                }
                Err(Refusal::Failed(error)) => return Err(error),
                Err(Refusal::Rival(Some((document, token)))) if self.desk.is_ours(&document) => {
                    (self.document, self.token) = (document, token);
                }
                Err(Refusal::Rival(_)) => break,
            }
        }
        self.held.lose();
        Err(LeaseLost { holder: self.desk.holder.0.clone() }.into())
    }
}

/// Who holds the lease of a registry, and until when nobody else may; `None` where nobody does any more. Only looks:
/// one GET, and where somebody held it to the last the store's time. How long its holder lets others wait beyond its
/// end is not on record; a minute is taken for it.
///
/// # Errors
/// As [`Lease::acquire`]: what cannot be read or understood may be held by somebody.
pub async fn lease_holder<S: ReadStore>(
    store: &S,
    layout: &Layout,
) -> Result<Option<(Box<str>, Timestamp)>, LedgerError> {
    let key = keys::lease(layout);
    let Some(content) = found(&key, store.get(&key, AT_MOST).await)? else { return Ok(None) };
    let document: Document = document::read_one(&key, KIND, &content)?;
    if document.released {
        return Ok(None);
    }
    let until = document.expires.after(LeaseTimes::default().margin);
    let is_over = store.now().await? > until;
    Ok((!is_over).then_some((document.holder, until)))
}

/// What was read, if it is there; what is longer than any lease is none of ours.
fn found<T>(key: &str, read: Result<T, StoreError>) -> Result<Option<T>, LedgerError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind == ErrorKind::TooLarge => Err(LedgerError::damaged(key, error)),
        Err(error) => Err(error.into()),
    }
}

/// What to write next.
struct Next<'a> {
    after: Option<&'a Document>,
    is_last: bool,
}

impl<S: WriteStore> Desk<S> {
    async fn take(&self) -> Result<Grant, Refusal> {
        let Some((document, token)) = self.find().await? else {
            let first = Next { after: None, is_last: false };
            return self.write(first, &Condition::Absent).await;
        };
        if !document.released {
            let now = self.store.now().await?;
            let until = self.free_after(&document);
            if now <= until {
                return Err(LedgerError::Held { holder: document.holder, until }.into());
            }
        }
        let next = Next { after: Some(&document), is_last: false };
        self.write(next, &Condition::Unchanged(token)).await
    }

    fn is_ours(&self, document: &Document) -> bool {
        document.holder == self.holder.0
    }

    fn free_after(&self, document: &Document) -> Timestamp {
        document.expires.after(self.times.margin)
    }

    /// Somebody else was first, and may be done already.
    fn outrun(&self, found: Option<(Document, Token)>) -> LedgerError {
        match found {
            Some((document, _)) if !document.released => {
                let until = self.free_after(&document);
                LedgerError::Held { holder: document.holder, until }
            }
            Some(_) | None => LedgerError::Overtaken { key: self.key.as_str().into() },
        }
    }

    async fn find(&self) -> Result<Option<(Document, Token)>, LedgerError> {
        let read = self.store.read(&self.key, AT_MOST).await;
        let Some(found) = found(&self.key, read)? else { return Ok(None) };
        let document = document::read_one(&self.key, KIND, &found.content)?;
        Ok(Some((document, found.token)))
    }

    async fn write(&self, next: Next<'_>, condition: &Condition) -> Result<Grant, Refusal> {
        // In this order: what is relied on counts from before the store was asked.
        let asked = self.clock.now();
        let now = self.store.now().await?;
        let document = self.document(&next, now);
        let content =
            document::write(&self.key, KIND, document::FORMAT, std::slice::from_ref(&document))?;
        match self.store.write(&self.key, Bytes::clone(&content), condition).await {
            Ok(token) => Ok(Grant { document, token, asked }),
            Err(error) => self.settle(document, asked, error).await,
        }
    }

    fn document(&self, next: &Next<'_>, now: Timestamp) -> Document {
        let ours = next.after.filter(|document| self.is_ours(document));
        Document {
            holder: self.holder.0.clone(),
            acquired: ours.map_or(now, |document| document.acquired),
            expires: now.after(self.times.life),
            sequence: next.after.map_or(0, |document| document.sequence).saturating_add(1),
            released: next.is_last,
        }
    }

    /// Whether what failed was written all the same.
    async fn settle(
        &self,
        document: Document,
        asked: Moment,
        error: StoreError,
    ) -> Result<Grant, Refusal> {
        match self.find().await? {
            Some((found, token)) if found == document => Ok(Grant { document, token, asked }),
            found if error.kind == ErrorKind::Precondition => Err(Refusal::Rival(found)),
            _ => Err(error.into()),
        }
    }
}
