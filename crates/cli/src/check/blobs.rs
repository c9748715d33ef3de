//! Which blobs are there.

use std::collections::BTreeSet;
use std::sync::Arc;

use checker::{Blobs, BlobsBuilder, Finding, Kind, Report, has_data};
use lister::ListError;
use monitor::{Counter, Monitor};
use registry::{Algorithm, Digest, KeyKind, Layout};
use store::{Listed, ReadStore};

use crate::Failure;
use crate::survey::{SeesBlobs, Survey, TOGETHER, lost, sole, visit_blobs};

/// All that was listed below `blobs/`.
pub(super) struct Known {
    pub(super) blobs: Blobs,
    /// Algorithms by which there are any.
    pub(super) algorithms: BTreeSet<Algorithm>,
}

/// Lists every blob; tells of keys that are none, and of those without data.
pub(super) async fn list<S: ReadStore>(
    survey: Survey<'_, S>,
    report: &mut Report,
) -> Result<Known, Failure> {
    let blobs = Arc::new(BlobsBuilder::new(&survey.in_memory(survey.memory / 4))?);
    let (shared, layout) = (Arc::clone(&blobs), survey.layout.clone());
    let (monitor, empty) = (Arc::clone(survey.monitor), report.clone());
    let new_visitor = move || Range {
        layout: layout.clone(),
        blobs: Arc::clone(&shared),
        monitor: Arc::clone(&monitor),
        report: empty.clone(),
        algorithms: BTreeSet::new(),
        without_data: Vec::new(),
    };
    let (mut algorithms, mut without_data) = (BTreeSet::new(), Vec::new());
    for range in visit_blobs(survey, new_visitor).await? {
        report.merge(range.report);
        algorithms.extend(range.algorithms);
        without_data.extend(range.without_data);
    }
    tell_empty(survey, without_data, report).await?;
    let blobs = sole(blobs, "blobs are still being listed")?.finish()?;
    Ok(Known { blobs, algorithms })
}

/// Files may be seen while they are written: what had no data is looked at again.
async fn tell_empty<S: ReadStore>(
    survey: Survey<'_, S>,
    keys: Vec<Box<str>>,
    report: &mut Report,
) -> Result<(), Failure> {
    let within = survey.layout.blobs();
    let store = Arc::clone(survey.store);
    let look = move |keys: Vec<Box<str>>| {
        let (store, within) = (Arc::clone(&store), within.as_str().into());
        async move {
            let failed = |source| Failure::from(ListError::Store { within, source });
            store.look(keys).await.map_err(failed)
        }
    };
    let bundles = keys.chunks(TOGETHER).map(<[_]>::to_vec).collect();
    let looked = crew::each(bundles, survey.width, look, lost).await?;
    let objects = looked.into_iter().flatten().flatten();
    for object in objects.filter(|object| object.size == 0) {
        report.add(in_no_repository(Kind::EmptyData, &object.key, ""));
    }
    Ok(())
}

/// A finding about what lies in no repository.
pub(super) fn in_no_repository(kind: Kind, key: &str, detail: &str) -> Finding {
    Finding { kind, repository: None, key: key.into(), detail: detail.into() }
}

/// Takes in the pages of one range.
struct Range {
    layout: Layout,
    blobs: Arc<BlobsBuilder>,
    monitor: Arc<Monitor>,
    report: Report,
    algorithms: BTreeSet<Algorithm>,
    without_data: Vec<Box<str>>,
}

impl SeesBlobs for Range {
    fn see(&mut self, page: Vec<Listed>) -> Result<Vec<Box<str>>, Failure> {
        let (mut sized, mut unlooked) = (Vec::with_capacity(page.len()), Vec::new());
        for listed in page {
            match (self.layout.classify(listed.key()), &listed) {
                (KeyKind::Blob(digest), Listed::Object(object)) => {
                    sized.push((digest, object.size));
                }
                (KeyKind::Blob(_), Listed::Presumed(_)) => unlooked.push(listed.into_key()),
                (KeyKind::Marker { .. }, _) => {}
                (_, listed) => {
                    self.monitor.count(Counter::ForeignKeys, 1);
                    self.report.add(in_no_repository(Kind::ForeignKey, listed.key(), ""));
                }
            }
        }
        self.take(&sized)?;
        Ok(unlooked)
    }
}

impl Range {
    fn take(&mut self, sized: &[(Digest, u64)]) -> Result<(), Failure> {
        self.monitor.count(Counter::Blobs, sized.len() as u64);
        self.monitor.count(Counter::BlobBytes, sized.iter().map(|(_, size)| size).sum());
        self.algorithms.extend(sized.iter().map(|(digest, _)| digest.algorithm()));
        let without_data = sized.iter().filter(|(digest, size)| !has_data(digest, *size));
        let keys = without_data.map(|(digest, _)| self.layout.blob(digest).into());
        self.without_data.extend(keys);
        Ok(self.blobs.add(sized)?)
    }
}
