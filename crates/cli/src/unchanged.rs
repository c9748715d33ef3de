//! Has anybody pushed since a plan was made?
//!
//! A plan says what nothing referred to when it was made. Where the registry took pushes between then and now, old
//! blobs may be needed again: a client that finds a layer does not send it a second time, so the blob itself shows
//! nothing. But every push ends by writing links, also where they were there already.

use std::collections::HashSet;
use std::sync::Arc;

use lister::{BlobSeeder, FolderSeeder, ListError, Part, Seeder, Walk, walk};
use monitor::Counter;
use planner::{FreshLinks, Plan, PlanError, Stage};
use registry::{KeyKind, Layout, Timestamp};
use store::{Listed, Object, ReadStore};

use crate::open::{Open, Watch};
use crate::{Failure, Refusal};

/// Refuses `plan` where links were written since its T0, by the store's clock, that it did not see. Lists
/// `repositories/` once. Where a database has taken the place of links, data is all that a push may leave: then it lists
/// `blobs/` too.
///
/// Broken links that the plan writes anew do not count: an earlier run may have written them. Whoever pushed and wrote
/// nothing else pushed what the plan saw, for a manifest that it did not see has a link of its own.
///
/// # Errors
/// [`Refusal::Written`] with the newest link; [`Failure::List`] where the listing is not whole; [`Failure::Plan`].
pub(crate) async fn require_unchanged<S: ReadStore>(
    open: &Open<S>,
    plan: &Plan,
    watch: &Watch,
) -> Result<(), Failure> {
    let (header, within) = (plan.header(), open.layout.repositories());
    let seeder = FolderSeeder::new(Arc::clone(&open.store), &within, open.width);
    let ask = listing(open, within, seeder, Counter::RepositoryKeys, watch);
    let links = Kind { what: "links", counts: is_link };
    let ours = Arc::new(repaired(plan)?);
    let known = header.facts.fresh_links;
    require_none(ask, &open.layout, links, header.t0, known, ours).await?;
    if header.keep_list.is_none() {
        return Ok(());
    }
    let seeder = BlobSeeder::new(&open.layout);
    let ask = listing(open, open.layout.blobs(), seeder, Counter::BlobKeys, watch);
    let blobs = Kind { what: "blobs", counts: |kind| matches!(kind, KeyKind::Blob(_)) };
    require_none(ask, &open.layout, blobs, header.t0, FreshLinks::default(), Arc::default()).await
}

fn listing<S, D>(
    open: &Open<S>,
    within: String,
    seeder: D,
    keys: Counter,
    watch: &Watch,
) -> Walk<S, D> {
    Walk {
        store: Arc::clone(&open.store),
        within,
        seeder,
        workers: open.width,
        keys,
        monitor: Arc::clone(&watch.monitor),
        stop: Arc::clone(&watch.stop),
    }
}

/// What a push writes.
#[derive(Clone, Copy)]
struct Kind {
    what: &'static str,
    counts: fn(&KeyKind<'_>) -> bool,
}

/// Refuses where anything of a kind was written since, but for what is `known` and for what is `ours`.
async fn require_none<S: ReadStore, D: Seeder>(
    ask: Walk<S, D>,
    layout: &Layout,
    kind: Kind,
    since: Timestamp,
    known: FreshLinks,
    ours: Arc<HashSet<Box<str>>>,
) -> Result<(), Failure> {
    let (store, layout, within) =
        (Arc::clone(&ask.store), layout.clone(), Arc::<str>::from(&*ask.within));
    let new_part = move || Written {
        store: Arc::clone(&store),
        layout: layout.clone(),
        within: Arc::clone(&within),
        kind,
        since,
        ours: Arc::clone(&ours),
        fresh: FreshLinks::default(),
        newest: None,
    };
    let mut fresh = FreshLinks::default();
    let mut newest = None;
    for part in walk(ask, new_part).await? {
        fresh.merge(part.fresh);
        newest = newest.max(part.newest);
    }
    if fresh == known {
        return Ok(());
    }
    let newest = newest.map_or_else(String::new, |(_, key)| key);
    Err(Refusal::Written { count: fresh.count, what: kind.what, newest, since }.into())
}

/// The links that a plan writes anew.
fn repaired(plan: &Plan) -> Result<HashSet<Box<str>>, PlanError> {
    let mut keys = HashSet::new();
    for segment in plan.segments().iter().filter(|segment| segment.stage == Stage::Repairs) {
        for row in plan.rows(segment)? {
            keys.insert(row?.key);
        }
    }
    Ok(keys)
}

/// What was written of one range at or after `since`.
struct Written<S> {
    store: Arc<S>,
    layout: Layout,
    within: Arc<str>,
    kind: Kind,
    since: Timestamp,
    /// What the plan itself may have written.
    ours: Arc<HashSet<Box<str>>>,
    fresh: FreshLinks,
    newest: Option<(Timestamp, String)>,
}

impl<S: ReadStore> Part for Written<S> {
    async fn take(&mut self, page: Vec<Listed>) -> Result<(), ListError> {
        let mut presumed = Vec::new();
        for listed in page {
            match listed {
                Listed::Object(object) => self.see(&object),
                Listed::Presumed(key) => presumed.push(key.into()),
                // A push that writes into it writes a revision link too.
                Listed::Closed(_) => {}
            }
        }
        if presumed.is_empty() {
            return Ok(());
        }
        let failed = |source| ListError::Store { within: (&*self.within).into(), source };
        let looked = self.store.look(presumed).await.map_err(failed)?;
        looked.iter().flatten().for_each(|object| self.see(object));
        Ok(())
    }
}

impl<S> Written<S> {
    fn see(&mut self, object: &Object) {
        let counts = self.kind.counts;
        if object.modified < self.since
            || !counts(&self.layout.classify(&object.key))
            || self.ours.contains(&*object.key)
        {
            return;
        }
        self.fresh.see(object, self.since);
        let written = (object.modified, object.key.to_string());
        self.newest = self.newest.take().max(Some(written));
    }
}

/// Whether a key is one that a push writes last. What is not understood counts (G4).
fn is_link(kind: &KeyKind<'_>) -> bool {
    match kind {
        KeyKind::Revision { .. }
        | KeyKind::Signature { .. }
        | KeyKind::TagCurrent { .. }
        | KeyKind::TagIndex { .. }
        | KeyKind::Layer { .. } => true,
        KeyKind::Foreign(foreign) => foreign.is_link,
        KeyKind::Blob(_) | KeyKind::Upload { .. } | KeyKind::Marker { .. } => false,
    }
}
