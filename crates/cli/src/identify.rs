//! Is this a registry, and is it ours to collect? Positive identification, not absence of bad signs.

use registry::Layout;
use store::{Cursor as _, ErrorKind, ReadStore, StoreError};

use crate::Refusal;

/// What was found at a location that may be collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identified {
    /// A registry in the distribution layout.
    Registry,
    /// Nothing at all: a registry to which nobody has pushed yet.
    Empty,
}

/// Where it is written what lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// In the registry's own links.
    Links,
    /// In a database too, of which there is a list: nothing but blobs goes, and none that is on it.
    Database,
    /// Wherever it is: nothing goes, and what is brought back was there.
    Anywhere,
}

impl Truth {
    /// As a plan says that remembers such a list.
    pub(crate) const fn of(keep_list: Option<&planner::KeepList>) -> Self {
        if keep_list.is_some() { Self::Database } else { Self::Links }
    }
}

/// Why a location was not identified.
#[derive(Debug)]
pub(crate) enum NotIdentified {
    /// It is not ours to collect.
    Refused(Refusal),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for NotIdentified {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Says that GitLab's registry keeps in a database what it keeps in links elsewhere.
const DATABASE: &str = "docker/registry/lockfiles/database-in-use";

/// Says that it keeps nothing in a database. It starts with neither file or with one.
const FILES: &str = "docker/registry/lockfiles/filesystem-in-use";

/// Files that say, by being there, that somebody else keeps the truth about a registry's data.
const MARKS: [(&str, &str, &str); 2] = [
    (
        DATABASE,
        "GitLab's registry in database mode",
        "which manifests exist is written in its database, and not here",
    ),
    (
        "scheduler-state.json",
        "a pull-through cache",
        "the cache removes what has expired by its own schedule",
    ),
];

/// Folders and files at the root of other systems' storage.
const OTHERS: [(&str, &str); 5] = [
    ("v2/", "another registry's layout, such as Angos'"),
    ("sha256/", "another registry's layout, such as Quay's"),
    ("uploads/", "another registry's layout, such as Quay's"),
    ("images/", "an old registry's layout, such as version 1"),
    ("registry/", "an old registry's layout, such as version 1"),
];

/// The keys that say so, in the registry at `layout`.
pub(crate) fn marks(layout: &Layout) -> impl Iterator<Item = String> {
    let files = MARKS.iter().map(|(file, ..)| *file).chain([FILES]);
    files.map(move |file| format!("{}{file}", layout.root()))
}

/// Looks at the root of a store. Costs at most three GET and three LIST requests.
///
/// # Errors
/// [`NotIdentified::Refused`] with the evidence, or the store's own error.
pub(crate) async fn identify<S: ReadStore>(
    store: &S,
    layout: &Layout,
    location: &str,
    truth: Truth,
) -> Result<Identified, NotIdentified> {
    if !store.abilities().lists_in_byte_order {
        let evidence =
            "the store does not list keys in byte order, on which every step relies".into();
        let location = location.to_owned();
        let refusal = Refusal::NotARegistry { location, evidence, instead: None };
        return Err(NotIdentified::Refused(refusal));
    }
    let known = store.folders(layout.base()).await?.prefixes;
    for (file, system, evidence) in MARKS {
        if !exists(store, &format!("{}{file}", layout.root())).await? {
            continue;
        }
        if file == DATABASE && truth == Truth::Anywhere {
            continue;
        }
        let mut evidence = format!("`{file}` is there, so {evidence}");
        if file == DATABASE && truth == Truth::Database {
            if !exists(store, &format!("{}{FILES}", layout.root())).await? {
                continue;
            }
            evidence = format!("`{file}` and `{FILES}` are both there, of which one is wrong");
        }
        let may_be_listed = file == DATABASE && truth == Truth::Links;
        let location = location.to_owned();
        let refusal = Refusal::Foreign { location, system, evidence, may_be_listed };
        return Err(NotIdentified::Refused(refusal));
    }
    if known.contains(&layout.repositories()) || known.contains(&layout.blobs()) {
        return Ok(Identified::Registry);
    }
    match holds(store, layout.root(), &layout.own()).await {
        Ok(names) if names.is_empty() => Ok(Identified::Empty),
        Ok(names) => Err(NotIdentified::Refused(unknown(layout, location, &names))),
        // Folders of other kinds hold what no registry does, such as symbolic links.
        Err(error) if matches!(error.kind, ErrorKind::Fatal) => {
            Err(NotIdentified::Refused(unknown(layout, location, &[])))
        }
        Err(error) => Err(error.into()),
    }
}

/// The folders directly below `root`, or the first key where there are none; without what is our `own`.
async fn holds<S: ReadStore>(store: &S, root: &str, own: &str) -> Result<Vec<String>, StoreError> {
    let mut folders = store.folders(root).await?.prefixes;
    folders.retain(|folder| *folder != own);
    if !folders.is_empty() {
        return Ok(folders);
    }
    let page = store.list(root, "").next().await?;
    let keys = page.into_iter().flatten().map(|listed| listed.into_key().into_string());
    Ok(keys.filter(|key| !key.starts_with(own)).take(1).collect())
}

async fn exists<S: ReadStore>(store: &S, key: &str) -> Result<bool, StoreError> {
    match store.get(key, 1 << 20).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
        Err(error) if error.kind == ErrorKind::TooLarge => Ok(true),
        Err(error) => Err(error),
    }
}

fn unknown(layout: &Layout, location: &str, names: &[String]) -> Refusal {
    let inside = |name: &str| names.iter().any(|folder| folder[layout.root().len()..] == *name);
    let instead = registry_around(location, inside);
    let foreign = OTHERS.into_iter().find(|(name, _)| inside(name));
    let location = location.to_owned();
    if let (None, Some((name, system))) = (&instead, foreign) {
        let evidence = format!("`{name}` is there and `docker/registry/v2` is not");
        return Refusal::Foreign { location, system, evidence, may_be_listed: false };
    }
    let some: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    let evidence = match some.join(", ") {
        some if some.is_empty() => "it holds no `docker/registry/v2`".to_owned(),
        some => format!("it holds {some} and no `docker/registry/v2`"),
    };
    Refusal::NotARegistry { location, evidence, instead }
}

/// The location of the registry in whose folders `location` seems to lie.
fn registry_around(location: &str, inside: impl Fn(&str) -> bool) -> Option<String> {
    const FOLDERS: [(&str, &[&str]); 3] = [
        ("/docker/registry/v2", &["blobs/", "repositories/"]),
        ("/docker/registry", &["v2/"]),
        ("/docker", &["registry/"]),
    ];
    FOLDERS.into_iter().find_map(|(folder, children)| {
        let around = location.strip_suffix(folder)?;
        let around = if around.is_empty() { "/" } else { around };
        children.iter().any(|child| inside(child)).then(|| around.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use registry::Timestamp;
    use store::MemoryStore;

    use super::*;

    async fn look(root: &str, keys: &[&str]) -> Result<Identified, String> {
        look_by(root, keys, Truth::Links).await
    }

    async fn look_by(root: &str, keys: &[&str], truth: Truth) -> Result<Identified, String> {
        let store = MemoryStore::new();
        for key in keys {
            store.put(key, "text", Timestamp::default());
        }
        let location = format!("s3://bucket/{root}");
        let found =
            identify(&store, &Layout::new(root), location.trim_end_matches('/'), truth).await;
        found.map_err(|error| match error {
            NotIdentified::Refused(refusal) => {
                let hint = refusal.hints("").into_iter().next().unwrap_or_default();
                format!("{refusal}; {hint}")
            }
            NotIdentified::Store(error) => error.to_string(),
        })
    }

    const BLOB: &str = "docker/registry/v2/blobs/sha256/ab/abcd/data";
    const LINK: &str = "docker/registry/v2/repositories/a/_layers/sha256/abcd/link";

    #[tokio::test]
    async fn blobs_or_repositories_make_a_registry_and_nothing_makes_an_empty_one() {
        for keys in [&[BLOB][..], &[LINK], &[BLOB, LINK, "beside"]] {
            assert_eq!(look("", keys).await, Ok(Identified::Registry));
        }
        assert_eq!(look("", &[]).await, Ok(Identified::Empty));
        assert_eq!(look("root", &["other/file"]).await, Ok(Identified::Empty));
        let own = "regsweep/trash/plan/docker/registry/v2/blobs/sha256/ab/abcd/data";
        assert_eq!(look("", &[own]).await, Ok(Identified::Empty), "all of it is in the trash");
        assert_eq!(look("", &[own, BLOB]).await, Ok(Identified::Registry));
        assert!(look("", &[own, "photos/1.jpg"]).await.is_err());
    }

    #[tokio::test]
    async fn g4_what_others_keep_is_refused_by_its_marks() {
        for (keys, system) in [
            (&[BLOB, "docker/registry/lockfiles/database-in-use"][..], "GitLab"),
            (&[BLOB, "scheduler-state.json"], "pull-through cache"),
            (&["sha256/ab/abcd"], "Quay"),
            (&["uploads/1"], "Quay"),
            (&["v2/blobs/sha256/ab"], "Angos"),
            (&["images/abcd/json", "repositories/library/a/tag_latest"], "version 1"),
        ] {
            let said = look("", keys).await.unwrap_err();
            assert!(said.contains(system), "{said}");
        }
    }

    #[tokio::test]
    async fn a_list_of_what_the_database_knows_answers_for_the_database_and_for_nothing_else() {
        let by = |keys| look_by("", keys, Truth::Database);
        assert_eq!(by(&[BLOB, DATABASE]).await, Ok(Identified::Registry));
        assert_eq!(by(&[BLOB, FILES]).await, Ok(Identified::Registry));
        assert_eq!(look("", &[BLOB, FILES]).await, Ok(Identified::Registry));
        let both = by(&[BLOB, DATABASE, FILES]).await.unwrap_err();
        assert!(both.contains("are both there"), "{both}");
        for keys in
            [&[BLOB, DATABASE, "scheduler-state.json"][..], &["sha256/ab/abcd"], &["readme"]]
        {
            assert!(by(keys).await.is_err(), "{keys:?}");
        }
    }

    #[tokio::test]
    async fn g4_what_is_no_registry_is_refused_with_what_is_there() {
        for (keys, evidence) in [
            (&["photos/1.jpg", "readme"][..], "it holds photos/ and no"),
            (&["readme"], "it holds readme and no"),
            (&["docker/registry/v2/other/file"], "it holds docker/ and no"),
        ] {
            let said = look("", keys).await.unwrap_err();
            assert!(said.contains(evidence), "{said}");
        }
    }

    #[tokio::test]
    async fn a_location_inside_a_registry_is_told_from_the_registry() {
        for inside in ["docker", "docker/registry", "docker/registry/v2"] {
            let said = look(inside, &[BLOB, LINK]).await.unwrap_err();
            assert!(said.ends_with("seems to be s3://bucket"), "{said}");
        }
    }
}
