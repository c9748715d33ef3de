//! What a retention policy comes down to, as the model is told it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use registry::{Digest, Timestamp};

use crate::World;
use crate::records::Repository;
use crate::world::Meaning;

/// Which tags a policy lets go, however it came to that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Repositories of which a rule lets anything go, each with the time after which manifests do that no tag reaches.
    pub covered: BTreeMap<String, Option<Duration>>,
    /// Tags that go: repository and name.
    pub tags: BTreeSet<(String, String)>,
    /// Tags that go with a manifest of their repository, and stay where it has no such manifest.
    pub following: BTreeMap<(String, String), Digest>,
}

impl Retention {
    /// The manifest of `repository` that a tag hangs on.
    pub(crate) fn subject(
        &self,
        name: &str,
        tag: &str,
        repository: &Repository<'_>,
    ) -> Option<Digest> {
        let subject = self.following.get(&(name.to_owned(), tag.to_owned()))?;
        repository.revisions.contains_key(subject).then_some(*subject)
    }

    /// Whether a tag goes whatever else does.
    pub(crate) fn expires(&self, name: &str, tag: &str) -> bool {
        self.tags.contains(&(name.to_owned(), tag.to_owned()))
    }

    /// What the tags point to that hang on manifests of a repository, with these.
    pub(crate) fn followers(
        &self,
        name: &str,
        repository: &Repository<'_>,
    ) -> Vec<(String, Digest, Option<Digest>)> {
        let hanging = repository.current.iter().filter_map(|(tag, link)| {
            Some(((*tag).to_owned(), self.subject(name, tag, repository)?, link.target))
        });
        hanging.collect()
    }
}

impl World {
    /// Every repository of which there is any key, also one of which nothing can be pulled.
    #[must_use]
    pub fn repository_names(&self) -> BTreeSet<String> {
        self.repositories().into_keys().map(str::to_owned).collect()
    }

    /// Every tag that points somewhere, by repository and name, and when anything of it was written last.
    #[must_use]
    pub fn tag_times(&self) -> BTreeMap<(String, String), Timestamp> {
        let mut tags: BTreeMap<(String, String), Timestamp> = BTreeMap::new();
        let mut current = BTreeSet::new();
        for (key, meaning) in &self.meanings {
            let (Meaning::Current { repository, tag } | Meaning::History { repository, tag, .. }) =
                meaning
            else {
                continue;
            };
            let name = (repository.clone(), tag.clone());
            if let Meaning::Current { .. } = meaning {
                current.insert(name.clone());
            }
            let Some(stored) = self.objects.get(key) else { continue };
            let written = tags.entry(name).or_insert(stored.modified);
            *written = stored.modified.max(*written);
        }
        tags.retain(|name, _| current.contains(name));
        tags
    }
}
