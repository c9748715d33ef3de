//! `regsweep doctor`: whether a command would run at a location, and what is missing.

use super::Context;
use crate::args::DoctorArgs;
use crate::render::{DiagnosisSummary, diagnosis_table};
use crate::{Failure, doctor as diagnosis};

/// Looks for all that commands need, and tells of each thing whether it is there.
///
/// # Errors
/// [`Failure::NotReady`] where something is missing.
pub(crate) async fn doctor(args: &DoctorArgs, context: &Context<'_>) -> Result<(), Failure> {
    let diagnosis = diagnosis::examine(args, context).await?;
    if context.output.json {
        context.object(&DiagnosisSummary::of(&diagnosis))?;
    } else {
        context.data(&diagnosis_table(&diagnosis, context.console))?;
    }
    diagnosis.verdict()
}
