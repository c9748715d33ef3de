//! Damage made by hand and at random, on registries that were sound.

mod damage;
mod data;
mod disturbed;
mod model;
mod pushes;
mod refused;
mod repaired;

use std::collections::BTreeSet;
use std::sync::Arc;

use checker::{Kind, Links, Report};
use monitor::{Monitor, Stop};
use registry::{Layout, Timestamp};
use store::{MemoryStore, PartStore};
use world::World;

use super::{Ask, Checked, Mending, check};
use crate::Failure;

pub(super) const T: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// How closely to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Close {
    pub(super) links: Links,
    pub(super) percent: Option<u8>,
}

/// As without options.
pub(super) const USUAL: Close = Close { links: Links::Doubtful, percent: None };
pub(super) const CLOSE: Close = Close { links: Links::All, percent: Some(100) };

/// A world as a store, in small pages.
pub(super) fn store_of(world: &World, has_etags: bool) -> MemoryStore {
    let store = MemoryStore::new().with_page(7);
    let store = if has_etags { store.with_md5_etags() } else { store };
    for (key, stored) in world.objects() {
        store.put(key, stored.bytes.clone(), stored.modified);
    }
    store.set_now(world.now());
    store
}

pub(super) async fn checked<S: PartStore>(store: S, close: Close) -> Checked {
    try_check(store, close).await.unwrap()
}

pub(super) async fn try_check<S: PartStore>(store: S, close: Close) -> Result<Checked, Failure> {
    ask(&Arc::new(store), close, None).await
}

async fn ask<S: PartStore>(
    store: &Arc<S>,
    close: Close,
    mending: Option<Mending<'_>>,
) -> Result<Checked, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let ask = Ask {
        layout: &Layout::new(""),
        width: 4,
        memory: 1 << 20,
        folder: folder.path(),
        links: close.links,
        percent: close.percent,
        most: usize::MAX,
        mending,
    };
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    check(store, &ask, &monitor, &stop).await
}

/// What was found, by kind and key.
pub(super) fn findings(report: &Report) -> BTreeSet<(Kind, String)> {
    let all = report.kinds().flat_map(|(_, _, sample)| sample);
    all.map(|finding| (finding.kind, finding.key.to_string())).collect()
}

/// What cannot be pulled, as a client would name it.
pub(super) fn images(report: &Report) -> BTreeSet<String> {
    let names = report.images().iter().flat_map(|image| {
        let tags = image.tags.iter().map(|tag| format!("{}:{tag}", image.repository));
        tags.chain(image.digest.map(|digest| format!("{}@{digest}", image.repository)))
    });
    names.collect()
}
