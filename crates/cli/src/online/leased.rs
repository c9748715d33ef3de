//! Opens a registry with the right to collect it: a store that changes nothing once the lease is lost.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ledger::{
    Fenced, Held, Holder, Lease, LeaseTimes, LedgerError, LocalClock, LocalLease, lease_holder,
    probe_key,
};
use monitor::{Phase, Stop};
use store::{
    Guarded, ReadStore as _, RestoreStore, S3Config, Timeouts, WriteStore, guarded,
    heeds_conditions,
};

use crate::identify::Truth;
use crate::location::{Location, Place};
use crate::open::{Access, Open, Raw, Watch, bucket, directory, failed_at, identify_at};
use crate::{Console, Failure, Refusal};

/// Something to do with a registry while nobody else collects it.
pub(super) trait LeasedWork {
    /// Whether it deletes anything: what brings something back does no harm when it arrives late.
    const DELETES: bool;

    /// What it gives.
    type Out;

    /// Where a lock can lie that keeps other collectors of this machine away.
    ///
    /// # Errors
    /// Where there is no such place.
    fn lock_folder(&self, identity: &str, base: &str) -> Result<PathBuf, Failure>;

    /// Does it.
    ///
    /// # Errors
    /// Whatever may go wrong with it.
    fn run<S: RestoreStore + WriteStore>(
        self,
        open: Open<S>,
        right: Right,
    ) -> impl Future<Output = Result<Self::Out, Failure>>;
}

/// The right to collect.
#[derive(Clone, Debug)]
pub(super) struct Right {
    /// What shows it.
    pub(super) held: Held,
    /// Whether the store looks at conditions.
    pub(super) conditional: bool,
}

/// The times of a lease that lives for `life`: three tenths are for requests in flight, and others wait a tenth longer.
fn times(life: Duration) -> Option<LeaseTimes> {
    LeaseTimes::new(life, flight(life), life / 10)
}

/// The longest that a request may take.
fn flight(life: Duration) -> Duration {
    life * 3 / 10
}

/// Opens the registry, takes the lease, does `work`, and gives the lease back.
///
/// # Errors
/// [`Refusal::Leased`] where somebody else collects; [`Failure::Ledger`]; as [`crate::open::with_registry`].
pub(super) async fn with_lease<W: LeasedWork>(
    access: Access<'_>,
    life: Duration,
    watch: &Watch,
    console: Console,
    work: W,
) -> Result<W::Out, Failure> {
    watch.monitor.enter(Phase::Opening);
    if let Some(refusal) = access.location.refusal() {
        return Err(refusal.into());
    }
    let opening = Opening { location: access.location, life, watch, console };
    match &access.location.place {
        Place::Directory(root) => {
            let raw = directory(access, root, watch)?;
            Box::pin(opening.lease(raw, work)).await
        }
        Place::Bucket(config) => {
            let raw = bucket(access, &in_flight_for(config, flight(life)), watch).await?;
            Box::pin(opening.lease(raw, work)).await
        }
    }
}

/// Requests that give up before the lease does.
fn in_flight_for(config: &S3Config, flight: Duration) -> S3Config {
    let Timeouts { connect, read, delete } = config.timeouts;
    let [connect, read, delete] = [connect, read, delete].map(|timeout| timeout.min(flight));
    S3Config { timeouts: Timeouts { connect, read, delete }, ..config.clone() }
}

struct Opening<'a> {
    location: &'a Location,
    life: Duration,
    watch: &'a Watch,
    console: Console,
}

impl Opening<'_> {
    async fn lease<S, W>(self, raw: Raw<S>, work: W) -> Result<W::Out, Failure>
    where
        S: RestoreStore + WriteStore + Clone,
        W: LeasedWork,
    {
        let (monitor, failed) = (&self.watch.monitor, failed_at(self.location));
        // A run that is asked to stop keeps its lease until it has ended.
        let desk = guarded(raw.store.clone(), raw.guard, monitor, &Arc::new(Stop::new()));
        let desk = Arc::new(desk);
        identify_at(self.location, desk.as_ref(), &raw.layout, Truth::Links).await?;
        let conditional = heeds_conditions(desk.as_ref(), &probe_key(&raw.layout)).await;
        if conditional.map_err(failed)? {
            return self.with_lease(raw, desk, work).await;
        }
        // Somebody may have taken one where the store looked at conditions, or seemed to.
        if let Some((holder, until)) =
            lease_holder(desk.as_ref(), &raw.layout).await.map_err(Failure::Ledger)?
        {
            return Err(Refusal::Leased { holder, until }.into());
        }
        let folder = work.lock_folder(desk.identity(), raw.layout.base())?;
        let lock = folder.join("lease");
        let (lease, warning) =
            LocalLease::acquire(&lock, &name(), LocalClock::system()).map_err(not_leased)?;
        self.console.warn(&warning.to_string());
        let right = Right { held: lease.guard(), conditional: false };
        self.run(raw, right, work).await
    }

    async fn with_lease<S, W>(
        self,
        raw: Raw<S>,
        desk: Arc<Guarded<S>>,
        work: W,
    ) -> Result<W::Out, Failure>
    where
        S: RestoreStore + WriteStore + Clone,
        W: LeasedWork,
    {
        let times = times(self.life).ok_or(Failure::Lease { life: self.life })?;
        let (holder, clock) = (Holder::new(&name()), LocalClock::system());
        let lease = Lease::acquire(desk, &raw.layout, holder, times, clock);
        let lease = lease.await.map_err(not_leased)?;
        let (held, kept) = (lease.guard(), lease.keep());
        let outcome = self.run(raw, Right { held, conditional: true }, work).await;
        // A request whose answer did not come may still have its effect: then nobody collects before the lease ends.
        let is_answered = matches!(outcome, Ok(_) | Err(Failure::Refused(_)));
        if (is_answered || !W::DELETES)
            && let Err(error) = kept.release().await
        {
            tracing::warn!(%error, "the lease expires by itself");
        }
        outcome
    }

    async fn run<S, W>(&self, raw: Raw<S>, right: Right, work: W) -> Result<W::Out, Failure>
    where
        S: RestoreStore + WriteStore,
        W: LeasedWork,
    {
        let Raw { store, layout, width, guard } = raw;
        let fenced = Fenced::new(store, right.held.clone());
        let store = guarded(fenced, guard, &self.watch.monitor, &self.watch.stop);
        let store = Arc::new(store);
        let identified = identify_at(self.location, store.as_ref(), &layout, Truth::Links).await?;
        work.run(Open { store, layout, width, identified }, right).await
    }
}

/// Who collects, for people.
fn name() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{host} process {}", std::process::id())
}

fn not_leased(error: LedgerError) -> Failure {
    match error {
        LedgerError::Held { holder, until } => Refusal::Leased { holder, until }.into(),
        error => Failure::Ledger(error),
    }
}
