//! `regsweep iam`: the least that a command must be allowed to do to a bucket.

use registry::Layout;

use super::Context;
use crate::Failure;
use crate::args::IamArgs;
use crate::permissions::{self, Bucket};

/// Writes a policy document to stdout; asks nobody.
///
/// # Errors
/// Where stdout cannot be written.
pub(crate) fn iam(args: &IamArgs, context: &Context<'_>) -> Result<(), Failure> {
    let layout = Layout::new(&args.root_directory);
    let bucket = Bucket { partition: args.partition, name: &args.bucket };
    let policy = permissions::policy(&args.tasks, bucket, &layout);
    let text = serde_json::to_string_pretty(&policy).map_err(|error| Failure::Internal {
        what: "the policy cannot be written",
        source: error.into(),
    })?;
    context.data(&text)
}
