//! Each manifest is read once.

use std::path::Path;

use store::MemoryStore;

use super::*;
use crate::testing::{REPOSITORY, Registry, Text, Watched};

fn library(store: &MemoryStore) -> (Watched, Arc<Library<Watched>>) {
    let store = Watched::new(store.clone());
    let monitor = Arc::new(Monitor::new());
    let library = Library::new(Arc::new(store.clone()), &Layout::new(""), 3, monitor);
    (store, Arc::new(library))
}

fn name() -> RepositoryName {
    RepositoryName::new(REPOSITORY).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_manifest_is_read_once_however_many_ask() {
    let registry = Registry::new();
    let digests: Vec<Digest> = (0..20)
        .map(|n: u8| {
            registry.manifest(&Text { layers: &[Digest::sha256(&[n])], ..Text::default() })
        })
        .collect();
    let missing = Digest::sha256(b"missing");
    let (store, library) = library(&registry.store);
    let mut group = tokio::task::JoinSet::new();
    for digest in digests.iter().chain([&missing]).cycle().take(21 * 30).copied() {
        let library = Arc::clone(&library);
        group.spawn(async move { (digest, library.read(digest, &name()).await.unwrap()) });
    }
    for (digest, known) in group.join_all().await {
        assert_eq!(matches!(known, Known::Missing), digest == missing, "{known:?}");
    }
    for digest in digests.iter().chain([&missing]) {
        assert_eq!(store.reads_of(&Layout::new("").blob(digest)), 1, "{digest}");
    }
}

#[tokio::test]
async fn g4_an_error_that_may_pass_is_no_answer_and_the_next_one_asks_again() {
    let registry = Registry::new();
    let digest = registry.manifest(&Text::default());
    let key = Layout::new("").blob(&digest);
    for kind in [
        ErrorKind::Transient,
        ErrorKind::Throttled,
        ErrorKind::Credentials,
        ErrorKind::NoContainer,
        ErrorKind::Unreachable,
        ErrorKind::WrongAddress,
        ErrorKind::Malformed,
        ErrorKind::Stopped,
        ErrorKind::Fatal,
    ] {
        let (store, library) = library(&registry.store);
        store.fail(&key, [kind, kind]);
        for _ in 0..2 {
            let outcome = library.read(digest, &name()).await;
            let is_error =
                matches!(&outcome, Err(MarkError::Manifest { source, .. }) if source.kind == kind);
            assert!(is_error, "{kind:?}: {outcome:?}");
        }
        assert!(matches!(library.read(digest, &name()).await, Ok(Known::Manifest(_))));
        assert_eq!(store.reads_of(&key), 3);
    }
}

#[tokio::test]
async fn whoever_waits_for_a_read_that_fails_reads_for_itself() {
    let registry = Registry::new();
    let digest = registry.manifest(&Text::default());
    let (store, library) = library(&registry.store);
    store.fail(&Layout::new("").blob(&digest), [ErrorKind::Transient]);
    let name = name();
    let (first, second) = tokio::join!(library.read(digest, &name), library.read(digest, &name));
    assert!(first.is_err());
    assert!(matches!(second, Ok(Known::Manifest(_))), "{second:?}");
}

fn doubt(known: &Known) -> &What {
    let Known::Doubtful(what) = known else { panic!("{known:?}") };
    what
}

#[tokio::test]
async fn g4_what_a_store_says_no_to_is_an_answer_that_is_kept() {
    let registry = Registry::new();
    let digest = registry.manifest(&Text::default());
    for kind in [ErrorKind::Denied, ErrorKind::TooLarge] {
        let (store, library) = library(&registry.store);
        store.fail(&Layout::new("").blob(&digest), [kind]);
        for _ in 0..2 {
            let known = library.read(digest, &name()).await.unwrap();
            assert!(matches!(doubt(&known), What::Unreadable { .. }), "{known:?}");
        }
        assert_eq!(store.reads(), 1);
    }
}

#[tokio::test]
async fn g4_content_that_cannot_be_right_is_a_doubt() {
    let registry = Registry::new();
    let digest = registry.manifest(&Text::default());
    registry.put(&Layout::new("").blob(&digest), "{}");
    let other = registry.blob("no manifest");
    let large = registry.blob(&" ".repeat(4 * 1024 * 1024 + 1));
    let (_, library) = library(&registry.store);
    let known = library.read(digest, &name()).await.unwrap();
    assert!(matches!(doubt(&known), What::OtherContent { .. }), "{known:?}");
    let known = library.read(other, &name()).await.unwrap();
    assert!(matches!(doubt(&known), What::NotUnderstood { .. }), "{known:?}");
    let known = library.read(large, &name()).await.unwrap();
    assert!(matches!(doubt(&known), What::Unreadable { .. }), "{known:?}");
}

#[tokio::test]
async fn g12_no_more_manifests_are_remembered_than_allowed() {
    let registry = Registry::new();
    let digests: Vec<Digest> = (0..100)
        .map(|n: u8| {
            registry.manifest(&Text { layers: &[Digest::sha256(&[n])], ..Text::default() })
        })
        .collect();
    let (store, library) = library(&registry.store);
    let library = Library { most: 7.into(), ..Arc::into_inner(library).unwrap() };
    for digest in digests.iter().chain(&digests) {
        assert!(matches!(library.read(*digest, &name()).await, Ok(Known::Manifest(_))));
        assert!(matches!(library.read(*digest, &name()).await, Ok(Known::Manifest(_))));
        assert!(library.shelf.len() <= 7, "{}", library.shelf.len());
    }
    assert!(store.reads() <= 2 * digests.len(), "what was just read is remembered");
}

/// A library that remembers in a folder, as a new run would open it.
fn remembering(store: &MemoryStore, folder: &Path) -> (Watched, Arc<Library<Watched>>) {
    let (store, library) = library(store);
    let cache = ManifestCache::open(folder, cache::Limits::of(1 << 20)).unwrap();
    library.remember_in(Arc::new(cache));
    (store, library)
}

/// Reads all that is not remembered, as a whole run. What is known comes in the order of the digests.
async fn read_all(library: &Library<Watched>, digests: &[Digest]) -> Vec<Known> {
    let Recalled { known, unread } = library.recall(digests.to_vec()).await.unwrap();
    let mut known: HashMap<Digest, Known> = known.into_iter().collect();
    for digest in unread {
        known.insert(digest, library.read(digest, &name()).await.unwrap());
    }
    library.cache.get().unwrap().close().unwrap();
    digests.iter().map(|digest| known[digest].clone()).collect()
}

#[tokio::test]
async fn what_an_earlier_run_read_is_recalled() {
    let (registry, folder) = (Registry::new(), tempfile::tempdir().unwrap());
    let layers: Vec<Digest> = (0..20).map(|n: u8| Digest::sha256(&[n])).collect();
    let image = |count| Text { layers: &layers[..count], ..Text::default() };
    let digests: Vec<Digest> = (0..20).map(|count| registry.manifest(&image(count))).collect();
    let (store, first) = remembering(&registry.store, folder.path());
    let read = read_all(&first, &digests).await;
    assert_eq!(store.reads(), digests.len());
    let (store, second) = remembering(&registry.store, folder.path());
    let recalled = read_all(&second, &digests).await;
    assert_eq!(store.reads(), 0);
    for (read, recalled) in read.iter().zip(&recalled) {
        assert!(matches!((read, recalled), (Known::Manifest(a), Known::Manifest(b)) if a == b));
    }
}

#[tokio::test]
async fn g4_what_is_missing_or_in_doubt_is_not_remembered() {
    let (registry, folder) = (Registry::new(), tempfile::tempdir().unwrap());
    let missing = Digest::sha256(b"missing");
    let strange = registry.blob("no manifest");
    let other = registry.manifest(&Text { layers: &[missing], ..Text::default() });
    registry.put(&Layout::new("").blob(&other), Text::default().json());
    let denied = registry.manifest(&Text::default());
    for _ in 0..2 {
        let (store, library) = remembering(&registry.store, folder.path());
        store.fail(&Layout::new("").blob(&denied), [ErrorKind::Denied]);
        let known = read_all(&library, &[missing, strange, other, denied]).await;
        assert!(matches!(known[0], Known::Missing));
        assert!(known[1..].iter().all(|known| matches!(known, Known::Doubtful(_))), "{known:?}");
        assert_eq!(store.reads(), 4);
    }
}

#[tokio::test]
async fn g4_what_was_understood_once_stays_so_whatever_becomes_of_its_blob() {
    let (registry, folder) = (Registry::new(), tempfile::tempdir().unwrap());
    let texts = [[1], [2], [3]].map(|n| [Digest::sha256(&n)]);
    let digests =
        texts.each_ref().map(|layers| registry.manifest(&Text { layers, ..Text::default() }));
    let (_, first) = remembering(&registry.store, folder.path());
    read_all(&first, &digests).await;
    let keys = digests.map(|digest| Layout::new("").blob(&digest));
    registry.put(&keys[0], "rotten");
    registry.store.hollow(&keys[1]);
    let (store, second) = remembering(&registry.store, folder.path());
    store.fail(&keys[2], [ErrorKind::Denied]);
    for (known, layers) in read_all(&second, &digests).await.iter().zip(&texts) {
        let Known::Manifest(manifest) = known else { panic!("{known:?}") };
        assert!(manifest.edges().map(|edge| edge.digest).eq(*layers));
    }
}
