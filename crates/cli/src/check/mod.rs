//! Checks a registry: lists its blobs, compares contents where that is wished, then judges every repository.
//!
//! Blobs come first: whatever is pushed meanwhile is then seen by a repository before its data is known, and looked at
//! once more; nothing that is there is called missing.

mod blobs;
mod data;
mod repairs;
mod repositories;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use checker::{Links, Report};
use monitor::{Counter, Monitor, Phase, Stop};
use planner::{Amount, Plan, Requests};
use registry::Layout;
use store::PartStore;

pub(crate) use self::data::Verified;
pub(crate) use self::repairs::Mending;

use crate::Failure;
use crate::collect::requests;
use crate::survey::Survey;

use self::repairs::Draft;

/// What to check, and how closely.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    /// The registry's keys.
    pub(crate) layout: &'a Layout,
    /// How many requests are in flight.
    pub(crate) width: usize,
    /// How many bytes lists, manifests and data may take.
    pub(crate) memory: usize,
    /// Where lists go that do not fit.
    pub(crate) folder: &'a Path,
    /// Which links to read.
    pub(crate) links: Links,
    /// Which part of the data to compare.
    pub(crate) percent: Option<u8>,
    /// How many findings of each kind are kept.
    pub(crate) most: usize,
    /// Which repairs are to be planned.
    pub(crate) mending: Option<Mending<'a>>,
}

/// What a check saw.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) report: Report,
    pub(crate) repositories: u64,
    pub(crate) manifests: u64,
    pub(crate) tags: u64,
    pub(crate) blobs: Amount,
    /// What was compared, where that was wished.
    pub(crate) verified: Option<Verified>,
    pub(crate) requests: Requests,
    /// What repairs that, where that was wished and there is any.
    pub(crate) repairs: Option<Plan>,
    /// How many findings could be repaired, were they old enough.
    pub(crate) mendable: u64,
}

/// Reads the registry and says what is wrong with it; changes nothing, and could not.
///
/// # Errors
/// Where anything may have been missed.
pub(crate) async fn check<S: PartStore>(
    store: &Arc<S>,
    ask: &Ask<'_>,
    monitor: &Arc<Monitor>,
    stop: &Arc<Stop>,
) -> Result<Checked, Failure> {
    let survey = Survey {
        store,
        layout: ask.layout,
        width: ask.width,
        cache: None,
        memory: ask.memory,
        folder: ask.folder,
        monitor,
        stop,
    };
    let mut report = Report::new(ask.most);
    let draft = match &ask.mending {
        Some(wish) => Some(Draft::begin(store.as_ref(), wish).await?),
        None => None,
    };
    monitor.enter(Phase::ListingBlobs);
    let listed = blobs::list(survey, &mut report).await?;
    let mut blobs = listed.blobs;
    let mut verified = None;
    if let Some(percent) = ask.percent {
        monitor.enter(Phase::Verifying);
        let found = data::verify(survey, &listed.algorithms, percent).await?;
        verified = Some(found.tell(ask.layout, &mut blobs, &mut report));
    }
    monitor.enter(Phase::Marking);
    let judged = repositories::judge(survey, blobs, ask.links, draft, &mut report).await?;
    let get = |counter| monitor.get(counter);
    Ok(Checked {
        report,
        repositories: get(Counter::Repositories),
        manifests: get(Counter::Revisions),
        tags: get(Counter::Tags),
        blobs: Amount { count: get(Counter::Blobs), bytes: get(Counter::BlobBytes) },
        verified,
        requests: requests(monitor),
        repairs: judged.repairs,
        mendable: judged.mendable,
    })
}
