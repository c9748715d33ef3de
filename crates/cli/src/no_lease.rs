//! Does anybody collect this registry while people push?
//!
//! Who does holds a lease that all its own deletions depend on; a collection or an undo of another kind takes none, so
//! that it has to stay away as long as there is one.

use ledger::lease_holder;
use store::ReadStore;

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
