//! What only a write can tell, tried with an object of the program's own. No other key is ever written or deleted.

use bytes::Bytes;
use registry::{Layout, Timestamp};
use store::{
    Condition, DeleteBatch, Doomed, Kept, KeyOutcome, Operation, RestoreStore, StoreError, Version,
    heeds_conditions,
};

use super::check::{Check, Name};
use crate::Failure;
use crate::args::DoctorArgs;
use crate::location::Location;
use crate::open::{Open, failed_at};

/// What is written.
const BODY: &[u8] = b"regsweep doctor writes and deletes this to learn whether it may\n";

/// The one object that is written and deleted.
pub(super) fn key(layout: &Layout) -> String {
    format!("{}doctor", layout.own())
}

/// Writes, and deletes what it wrote, where it may.
pub(super) struct Trial<'a, S> {
    pub(super) open: &'a Open<S>,
    pub(super) args: &'a DoctorArgs,
    pub(super) location: &'a Location,
}

impl<S: RestoreStore> Trial<'_, S> {
    /// Everything that matters.
    pub(super) async fn run(&self) -> Vec<Check> {
        let names = [Name::Write, Name::Conditions, Name::Delete, Name::TakeBack];
        let names: Vec<Name> =
            names.into_iter().filter(|name| name.matters_to(&self.args.tasks)).collect();
        let mut checks = match () {
            () if names.is_empty() => return Vec::new(),
            () if self.args.write => self.tried(&names).await,
            () => names.iter().map(|name| self.untried(*name)).collect(),
        };
        checks.retain(|check| names.contains(&check.name));
        checks
    }

    /// Some stores say of themselves what others have to be tried for.
    fn untried(&self, name: Name) -> Check {
        match self.open.store.conditional_puts().filter(|_| name == Name::Conditions) {
            Some(heeds) => heeded(heeds),
            None => Check::not_probed(name, "--write tries it, with an object of its own"),
        }
    }

    async fn tried(&self, names: &[Name]) -> Vec<Check> {
        let key = key(&self.open.layout);
        let written = self.open.store.write(&key, Bytes::from_static(BODY), &Condition::None).await;
        if let Err(error) = written {
            let failure = failed_at(self.location)(error);
            let why = format!("{} is missing", Name::Write.text());
            let others = names.iter().filter(|name| **name != Name::Write);
            let others = others.map(|name| Check::not_probed(*name, &why));
            let itself = Check::failed(Name::Write, &failure, self.location);
            return std::iter::once(itself).chain(others).collect();
        }
        let mut checks = vec![Check::there(Name::Write, "")];
        if names.contains(&Name::Conditions) {
            let heeds = heeds_conditions(self.open.store.as_ref(), &key).await;
            checks.push(match heeds {
                Ok(heeds) => heeded(heeds),
                Err(error) => self.failed(Name::Conditions, error),
            });
        }
        checks.extend(self.deleted(&key).await);
        checks
    }

    /// Deletes it; where a version stays, brings it back and deletes it again.
    async fn deleted(&self, key: &str) -> Vec<Check> {
        let kept = match self.delete(key).await {
            Ok(kept) => kept,
            Err(error) => {
                let why = format!("{} is missing", Name::Delete.text());
                let back = Check::not_probed(Name::TakeBack, &why);
                return vec![self.failed(Name::Delete, error), back];
            }
        };
        let mut checks = vec![Check::there(Name::Delete, "")];
        if matches!(kept, Kept::Marker(_)) && Name::TakeBack.matters_to(&self.args.tasks) {
            checks.push(match self.take_back(key).await {
                Ok(()) => Check::there(Name::TakeBack, ""),
                Err(error) => self.failed(Name::TakeBack, error),
            });
        }
        checks
    }

    async fn delete(&self, key: &str) -> Result<Kept, StoreError> {
        let doomed = Doomed { key: key.into(), modified: Timestamp::FAR_FUTURE, upload: None };
        let failed = |kind| StoreError::new(Operation::Delete, key, kind);
        let batch = DeleteBatch::new(vec![doomed])
            .map_err(|error| failed(store::ErrorKind::Fatal).because(error))?;
        match self.open.store.delete(&batch).await?.pop() {
            Some(KeyOutcome::Deleted(kept)) => Ok(kept),
            Some(KeyOutcome::Failed(failure)) => {
                Err(failed(failure.kind).because(String::from(failure.message)))
            }
            Some(KeyOutcome::Gone | KeyOutcome::Spared | KeyOutcome::Rewritten) | None => {
                Err(failed(store::ErrorKind::Fatal).because("the store did not delete it"))
            }
        }
    }

    async fn take_back(&self, key: &str) -> Result<(), StoreError> {
        let failed = |kind| StoreError::new(Operation::Restore, key, kind);
        let versions = self.open.store.versions(key).await?;
        let Some(Version::Marker(marker)) = versions.into_iter().next() else {
            return Err(failed(store::ErrorKind::NotFound));
        };
        if let Some(Err(failure)) = self.open.store.unmark(&[marker]).await?.pop() {
            return Err(failed(failure.kind).because(String::from(failure.message)));
        }
        self.delete(key).await.map(drop)
    }

    fn failed(&self, name: Name, error: StoreError) -> Check {
        let failure: Failure = failed_at(self.location)(error);
        Check::failed(name, &failure, self.location)
    }
}

fn heeded(heeds: bool) -> Check {
    if heeds {
        return Check::there(Name::Conditions, "");
    }
    let advice =
        "collect from one machine only: there a lock in its state directory keeps two runs apart";
    Check::odd(Name::Conditions, "the store does not look at conditions".to_owned(), advice)
}
