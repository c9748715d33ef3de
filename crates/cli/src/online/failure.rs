//! What ended a collection, as a failure of the program.

use collector::{CollectError, Report, Stubborn};
use store::ErrorKind;

use crate::location::Location;
use crate::{FailedKey, Failure, Refusal};

/// Turns what ended a run into the program's failure.
pub(super) fn of(location: &Location) -> impl Fn(CollectError<Failure>) -> Failure + '_ {
    |error| match error {
        // Whoever looked or listed had deleted nothing; earlier steps of the run may have.
        CollectError::Stopped | CollectError::Around(Failure::Stopped { .. }) => {
            Failure::Stopped { is_sweeping: true }
        }
        CollectError::Around(failure) => failure,
        CollectError::Ledger(error) => Failure::Ledger(error),
        // What waited for its turn to be sent was asked to stop.
        CollectError::Store(source) if source.kind == ErrorKind::Stopped => {
            Failure::Stopped { is_sweeping: true }
        }
        CollectError::Store(source) => Failure::Store { location: location.describe(), source },
        CollectError::Plan(error) => error.into(),
        CollectError::Marks(error) => error.into(),
        CollectError::NothingKept { .. } => {
            Refusal::NoUndo { location: location.describe() }.into()
        }
        CollectError::NotBack { key, source } => {
            let first = FailedKey { key: key.into(), message: source.to_string() };
            Failure::NotBack { lost: 0, failed: 1, may_go_on: true, first: Some(first) }
        }
        error => Failure::Internal { what: "the collection could not go on", source: error.into() },
    }
}

fn told(object: &Stubborn) -> FailedKey {
    FailedKey { key: object.key.to_string(), message: object.message.clone() }
}

/// Whether all that was begun came to its end.
///
/// # Errors
/// [`Failure::NotBack`], [`Failure::Partial`].
pub(super) fn verdict(report: &Report) -> Result<(), Failure> {
    if let Some(key) = report.lost.first() {
        let message = "it is needed, and was gone before it was deleted".to_owned();
        let first = Some(FailedKey { key: key.to_string(), message });
        let lost = report.lost.len() as u64;
        return Err(Failure::NotBack { lost, failed: 0, may_go_on: false, first });
    }
    if let Some(first) = report.not_back.first() {
        let (failed, first) = (report.not_back.len() as u64, Some(told(first)));
        return Err(Failure::NotBack { lost: 0, failed, may_go_on: true, first });
    }
    if report.failed > 0 {
        let first = report.first_failed.as_ref().map(told);
        let (failed, held_back) = (report.failed, 0);
        return Err(Failure::Partial { failed, held_back, first, needs_new_plan: false });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use store::{Operation, StoreError};

    use super::*;
    use crate::args::StoreArgs;

    #[test]
    fn a_stop_is_no_fault_of_the_store() {
        let location = Location::resolve("s3://b", &StoreArgs::default(), []).unwrap();
        let ended = |kind| {
            of(&location)(CollectError::Store(StoreError::new(Operation::Delete, "k", kind)))
        };
        assert!(matches!(ended(ErrorKind::Stopped), Failure::Stopped { is_sweeping: true }));
        assert!(matches!(ended(ErrorKind::Denied), Failure::Store { .. }));
        let looking = CollectError::Around(Failure::Stopped { is_sweeping: false });
        assert!(matches!(of(&location)(looking), Failure::Stopped { is_sweeping: true }));
    }
}
