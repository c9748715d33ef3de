//! Repositories where a database knows more than their links: marked and counted, and nothing of them goes.

use std::sync::Arc;

use marker::{DigestSet, DigestSetBuilder, Marked};
use planner::{Cutoffs, observe_repository, unneeded_layers};

use super::seen::Seen;
use crate::survey::SeesRepositories;
use crate::{Failure, KeepList};

/// Looks at repositories. It has no plan to write to, so that no link and no upload can get into one (G4).
pub(super) struct Observer {
    cutoffs: Cutoffs,
    keep_list: Arc<DigestSet>,
    unlinked: Arc<DigestSetBuilder>,
    seen: Seen,
}

impl Observer {
    pub(super) fn new(cutoffs: Cutoffs, list: &KeepList, unlinked: &Arc<DigestSetBuilder>) -> Self {
        let (keep_list, unlinked) = (Arc::clone(&list.digests), Arc::clone(unlinked));
        Self { cutoffs, keep_list, unlinked, seen: Seen::default() }
    }

    pub(super) fn into_seen(self) -> Seen {
        self.seen
    }
}

impl SeesRepositories for Observer {
    fn see(&mut self, marked: Marked) -> Result<(), Failure> {
        let facts = observe_repository(&marked, &self.cutoffs, &mut self.keep_list.reader())?;
        self.seen.see(&marked, &facts);
        Ok(self.unlinked.add(unneeded_layers(&marked))?)
    }
}
