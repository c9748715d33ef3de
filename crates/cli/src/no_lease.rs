//! Does anybody collect this registry while people push?
//!
//! Who does holds a lease that all its own deletions depend on; a collection or an undo of another kind takes none, so
//! that it has to stay away as long as there is one. And what a generation took is not seen by a plan: what only a
//! taken link leads to would look like garbage.

use std::sync::Arc;

use ledger::{Ledger, lease_holder};
use store::{ReadStore, WriteStore};

use crate::open::Open;
use crate::{Failure, Refusal};

/// Refuses where somebody holds the lease. Writes nothing: one GET.
///
/// # Errors
/// [`Refusal::Leased`]; [`Failure::Ledger`] where the store does not tell, or the lease cannot be understood (G4).
pub(crate) async fn require_no_lease<S: ReadStore>(open: &Open<S>) -> Result<(), Failure> {
    match lease_holder(open.store.as_ref(), &open.layout).await.map_err(Failure::Ledger)? {
        Some((holder, until)) => Err(Refusal::Leased { holder, until }.into()),
        None => Ok(()),
    }
}

/// Refuses where somebody collects while people push, or has begun to and not ended.
///
/// # Errors
/// As [`require_no_lease`]; [`Refusal::OpenGeneration`].
pub(crate) async fn require_alone<S: WriteStore>(open: &Open<S>) -> Result<(), Failure> {
    require_no_lease(open).await?;
    require_no_generation(open).await
}

/// Refuses where a generation has not ended. Writes nothing: one LIST, and a GET for each generation on record.
///
/// # Errors
/// [`Refusal::OpenGeneration`]; [`Failure::Ledger`] where the record cannot be read or understood (G4).
pub(crate) async fn require_no_generation<S: WriteStore>(open: &Open<S>) -> Result<(), Failure> {
    let ledger = Ledger::new(Arc::clone(&open.store), &open.layout);
    let generations = ledger.generations().await.map_err(Failure::Ledger)?;
    match generations.iter().find(|generation| generation.is_open()) {
        Some(open) => Err(Refusal::OpenGeneration { generation: open.id().as_str().into() }.into()),
        None => Ok(()),
    }
}
