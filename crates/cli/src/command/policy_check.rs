//! `regsweep policy check`: says what a retention policy means.

use std::path::Path;

use policy::{Moment, TaggedAt};
use registry::Timestamp;

use super::Context;
use crate::args::{CheckPolicyArgs, Written};
use crate::render::{PolicySummary, policy_table};
use crate::retaining::Retaining;
use crate::{Failure, clock};

/// Reads a policy and says what each rule means; where tags are given, what becomes of them.
///
/// # Errors
/// [`Failure::Policy`] with all that is wrong; [`Failure::File`] where the file cannot be read.
pub(crate) fn policy_check(args: &CheckPolicyArgs, context: &Context<'_>) -> Result<(), Failure> {
    let retaining = Retaining::read(&args.file)?;
    let judged = judged(args, &retaining, clock::now());
    let summary = PolicySummary::of(Path::new(&args.file), &retaining.policy, judged);
    if context.output.json {
        return context.object(&summary);
    }
    context.data(&policy_table(&summary, context.console))
}

/// What becomes of the tags that were given.
fn judged(
    args: &CheckPolicyArgs,
    retaining: &Retaining,
    now: Timestamp,
) -> Option<crate::render::TagsJudged> {
    let repository = args.repository.as_ref()?;
    let written = |written: Written| match written {
        Written::At(time) => time,
        Written::Ago(age) => now.before(age),
    };
    let tags = args.tag.iter();
    let tags: Vec<TaggedAt<'_>> =
        tags.map(|(tag, time)| TaggedAt { tag, written: Some(written(*time)) }).collect();
    let moment = Moment { t0: now, cutoff: now.before(args.grace) };
    let judgement = retaining.policy.judge(repository.as_str(), &tags, &moment);
    Some(crate::render::TagsJudged::of(&retaining.policy, repository, &tags, judgement.as_ref()))
}
