//! A lease that renews itself.

use std::panic::resume_unwind;

use store::WriteStore;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::{Lease, LedgerError};

/// A lease that is renewed in a task of its own, whatever its holder is busy with, until it is given back or this is
/// dropped. What fails is tried again; where the lease is lost, [`crate::Fenced`] stops what would still change
/// something.
#[derive(Debug)]
pub struct Kept<S> {
    renewing: JoinSet<Lease<S>>,
    enough: oneshot::Sender<()>,
}

impl<S: WriteStore> Lease<S> {
    /// Renews the lease from now on. Needs a tokio runtime with time.
    #[must_use]
    pub fn keep(self) -> Kept<S> {
        let (enough, end) = oneshot::channel();
        let mut renewing = JoinSet::new();
        renewing.spawn(renew_until(self, end));
        Kept { renewing, enough }
    }
}

async fn renew_until<S: WriteStore>(
    mut lease: Lease<S>,
    mut end: oneshot::Receiver<()>,
) -> Lease<S> {
    loop {
        if tokio::time::timeout(lease.renew_every(), &mut end).await.is_ok() {
            return lease;
        }
        if let Err(error) = lease.renew().await {
            tracing::warn!(%error, "cannot renew the lease");
        }
    }
}

impl<S: WriteStore> Kept<S> {
    /// Gives the lease back.
    ///
    /// # Errors
    /// As [`Lease::release`].
    pub async fn release(self) -> Result<(), LedgerError> {
        let Self { mut renewing, enough } = self;
        drop(enough);
        match renewing.join_next().await {
            Some(Ok(lease)) => lease.release().await,
            // Nobody cancels it, so it panicked.
            Some(Err(error)) => resume_unwind(error.into_panic()),
            None => Ok(()), // one task was spawned
        }
    }
}
