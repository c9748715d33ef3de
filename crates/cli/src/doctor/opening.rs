//! What is known where a registry could not be opened.

use store::{ErrorKind, Operation, StoreError};

use super::check::{Check, Name};
use crate::args::DoctorArgs;
use crate::location::Location;
use crate::{Failure, Refusal};

/// What opening asks for, in order.
const STEPS: [Name; 4] = [Name::Store, Name::List, Name::Read, Name::Layout];

/// All that an open registry would be asked for.
const LATER: [Name; 14] = [
    Name::Time,
    Name::Clock,
    Name::Lease,
    Name::Generations,
    Name::UndoEnded,
    Name::Versioning,
    Name::Multipart,
    Name::OlderVersions,
    Name::WayBack,
    Name::Kept,
    Name::Write,
    Name::Conditions,
    Name::Delete,
    Name::TakeBack,
];

/// The step at which it ended is missing, those before it are there, and of the rest nothing is known.
pub(super) fn checks(failure: &Failure, args: &DoctorArgs, location: &Location) -> Vec<Check> {
    let is_asked = location.refusal().is_none();
    let broken = step(failure);
    let why = format!("{} is missing", broken.text());
    let at = STEPS.iter().position(|step| *step == broken).unwrap_or_default();
    let steps = STEPS.iter().enumerate().map(|(place, name)| match place.cmp(&at) {
        _ if *name == broken => Check::failed(*name, failure, location),
        std::cmp::Ordering::Less if is_asked => Check::there(*name, ""),
        _ => Check::not_probed(*name, &why),
    });
    let later = LATER.iter().filter(|name| name.matters_to(&args.tasks));
    steps.chain(later.map(|name| Check::not_probed(*name, &why))).collect()
}

/// What opening met.
fn step(failure: &Failure) -> Name {
    match failure {
        Failure::Refused(Refusal::Foreign { .. } | Refusal::NotARegistry { .. }) => Name::Layout,
        Failure::Store { source, .. } if says_no(source) => match source.operation {
            Operation::List => Name::List,
            Operation::Get | Operation::Look => Name::Read,
            _ => Name::Store,
        },
        _ => Name::Store,
    }
}

fn says_no(error: &StoreError) -> bool {
    !matches!(
        error.kind,
        ErrorKind::NoContainer
            | ErrorKind::Credentials
            | ErrorKind::Unreachable
            | ErrorKind::WrongAddress
    )
}
