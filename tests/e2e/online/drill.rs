//! What was deleted while people pushed comes back byte for byte: drilled at every request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use collector::{Asked, CollectError, Keeper, Undo, UndoSettings, Undone, Which};
use ledger::GenerationId;
use monitor::{Monitor, Stop};
use registry::{Digest, KeyKind};
use regsweep::Failure;
use store::{Condition, Trash, WriteStore as _};

use super::bucket::Bucket;
use super::client::Image;
use super::nights::{LONGEST_PUSH, Nights, People, pushed};
use super::opened::Opened;
use super::served::{Registry, name};
use crate::hand::Handled;
use crate::harness::runtime;

/// Objects of the registry, with their contents.
type Objects = BTreeMap<String, Bytes>;

/// How a registry comes to have garbage, and how it is kept.
#[derive(Clone, Copy, Debug)]
struct Ways {
    /// In a bucket without versions.
    uses_trash: bool,
    /// Untagged manifests go; otherwise they were deleted through the registry.
    untagged: bool,
}

const WAYS: [Ways; 4] = [
    Ways { uses_trash: false, untagged: false },
    Ways { uses_trash: false, untagged: true },
    Ways { uses_trash: true, untagged: false },
    Ways { uses_trash: true, untagged: true },
];

/// Of those whose garbage has links of every kind.
const DEADLY: [Ways; 2] = [WAYS[1], WAYS[3]];

/// A registry with garbage: an image in two repositories, one beside it with which it shares a layer, an index; and an
/// image that stays, of which garbage shares a layer too.
struct Drill {
    nights: Nights,
    kept: Image,
    old: Image,
    other: Image,
    index: Image,
    before: Objects,
}

impl Drill {
    fn new(ways: Ways) -> Self {
        let registry = Registry::new(Bucket::memory(!ways.uses_trash), false);
        let image = |contents: &[&str]| Image::new(&registry, contents);
        let kept = image(&["kept", "base"]);
        let (old, other) = (image(&["old", "base", "shared"]), image(&["other", "shared", "own"]));
        let index = Image::index(&registry, vec![image(&["child", "leaf"])]);
        pushed(&registry, "app", &kept, Some("v1"));
        for (repository, image) in [("app", &old), ("lib", &old), ("app", &other)] {
            pushed(&registry, repository, image, None);
        }
        for image in index.children.iter().chain([&index]) {
            pushed(&registry, "app", image, None);
        }
        if !ways.untagged {
            for (repository, image) in [("app", &old), ("lib", &old), ("app", &other)] {
                registry.delete_manifest(repository, image.manifest);
            }
            for image in index.children.iter().chain([&index]) {
                registry.delete_manifest("app", image.manifest);
            }
        }
        registry.pass(2 * LONGEST_PUSH);
        let before = objects(&registry);
        let nights = Nights::new(&registry, ways.uses_trash, Box::new(|_, _| {}));
        let nights = nights.untagged(ways.untagged);
        Self { nights, kept, old, other, index, before }
    }

    /// A drill in which so many nights have passed.
    fn after(ways: Ways, nights: usize) -> Self {
        let mut drill = Self::new(ways);
        drill.nights.nights(nights);
        drill
    }

    fn objects(&self) -> Objects {
        objects(&self.nights.registry)
    }

    /// Takes back; cut off where the process dies.
    fn undo(&self, asked: &Asked, is_dry_run: bool) -> (Undone, Result<(), CollectError<Failure>>) {
        let nights = &self.nights;
        let settings = UndoSettings { width: 2, conditional: true, is_dry_run };
        let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
        let (layout, held) = (nights.registry.layout.clone(), nights.lease.guard());
        runtime().block_on(async {
            let store = nights.open().await;
            let keeper = Notes { store: Arc::clone(&store) };
            let undo = Undo::new(store, layout, held, keeper, settings, monitor, stop);
            undo.run(&Which::Latest, asked).await
        })
    }

    /// Takes all back, and gives what was done.
    #[track_caller]
    fn undone(&self, when: &str) -> Undone {
        let (report, outcome) = self.undo(&Asked::default(), false);
        outcome.unwrap_or_else(|error| panic!("{when}: {error}"));
        assert_eq!((report.lost.count, report.missing.len()), (0, 0), "{when}");
        report
    }

    #[track_caller]
    fn assert_all_is_back(&self, when: &str) {
        assert_eq!(self.objects(), self.before, "{when}");
    }

    /// Links to data that is not there.
    fn dangling(&self) -> Vec<String> {
        let (layout, objects) = (&self.nights.registry.layout, self.objects());
        let leads_nowhere = |key: &String| match layout.classify(key) {
            KeyKind::Layer { digest, .. } | KeyKind::Revision { digest, .. } => {
                !objects.contains_key(&layout.blob(&digest))
            }
            _ => false,
        };
        objects.keys().filter(|key| leads_nowhere(key)).cloned().collect()
    }

    /// The collector goes on with what was taken back, and loses nothing that is needed.
    #[track_caller]
    fn assert_goes_on(&mut self, when: &str) {
        for _ in 0..4 {
            self.nights.night().unwrap_or_else(|error| panic!("{when}: {error}"));
        }
        assert_eq!(self.nights.broken("app", &self.kept), Vec::<String>::new(), "{when}");
        assert_eq!(self.nights.too_much(&[&self.kept]), Vec::<String>::new(), "{when}");
    }
}

/// All that is the registry's.
fn objects(registry: &Registry) -> Objects {
    let all = registry.bucket.snapshot().into_iter();
    all.filter(|(key, _)| key.starts_with(registry.layout.base())).collect()
}

/// Writes a note at each call.
struct Notes {
    store: Arc<Handled<People, Opened>>,
}

impl Notes {
    async fn write(&self) -> Result<(), Failure> {
        let location = || "a test".to_owned();
        let written = self.store.write("regsweep/undone/note", "x".into(), &Condition::None).await;
        written.map(drop).map_err(|source| Failure::Store { location: location(), source })
    }
}

impl Keeper for Notes {
    type Error = Failure;

    fn trash_of(&self, generation: &GenerationId) -> Trash {
        Trash::new("", &format!("regsweep/trash/{generation}/"))
    }

    async fn begun(&mut self, _: &GenerationId) -> Result<(), Failure> {
        self.write().await
    }

    async fn closed(&mut self, _: &GenerationId) -> Result<(), Failure> {
        self.write().await
    }

    async fn ended(&mut self, _: &GenerationId) -> Result<(), Failure> {
        self.write().await
    }
}

#[test]
fn what_a_generation_took_is_back_byte_for_byte_whenever_it_is_asked_for() {
    for ways in WAYS {
        for nights in 1..=3 {
            let mut drill = Drill::after(ways, nights);
            let when = format!("{ways:?}, after night {nights}");
            assert!(drill.objects().len() + 8 <= drill.before.len(), "{when}: nothing was taken");
            let report = drill.undone(&when);
            drill.assert_all_is_back(&when);
            let deleted = drill.nights.sums().deleted;
            assert_eq!(deleted > 8, nights > 1, "{when}");
            assert_eq!(report.restored.count, deleted, "{when}");
            assert!(report.links >= 8 && report.links_present == 0, "{when}: {report:?}");
            let again = drill.undone(&when);
            assert_eq!((again.restored.count, again.links), (0, 0), "{when}: again");
            drill.assert_all_is_back(&when);
            drill.assert_goes_on(&when);
        }
    }
}

#[test]
fn a_dry_run_says_what_would_be_back_and_changes_nothing() {
    for ways in WAYS {
        let drill = Drill::after(ways, 2);
        let before = drill.nights.registry.bucket.snapshot();
        let (dry, outcome) = drill.undo(&Asked::default(), true);
        outcome.unwrap();
        assert_eq!(drill.nights.registry.bucket.snapshot(), before, "{ways:?}");
        let done = drill.undone("for good");
        assert_eq!(Undone { is_dry_run: false, ..dry }, done, "{ways:?}");
    }
}

#[test]
fn g11_an_undo_that_dies_at_any_request_and_is_done_again_brings_all_back() {
    for ways in DEADLY {
        for nights in [2, 3] {
            for request in 0.. {
                let drill = Drill::after(ways, nights);
                let when = format!("{ways:?}, after night {nights}, request {request}");
                drill.nights.die_after(Some(request));
                let (_, outcome) = drill.undo(&Asked::default(), false);
                drill.nights.die_after(None);
                assert_eq!(drill.dangling(), Vec::<String>::new(), "{when}: G8");
                drill.undone(&when);
                drill.assert_all_is_back(&when);
                if outcome.is_ok() {
                    assert!(request > 25, "{when}: too few requests to mean anything");
                    break;
                }
            }
        }
    }
}

#[test]
fn g11_what_a_night_that_died_at_any_request_took_comes_back() {
    for ways in DEADLY {
        for nights in [0, 1, 2] {
            for request in 0.. {
                let mut drill = Drill::after(ways, nights);
                let when = format!("{ways:?}, in night {}, request {request}", nights + 1);
                drill.nights.die_after(Some(request));
                let outcome = drill.nights.night();
                drill.nights.die_after(None);
                match drill.undo(&Asked::default(), false) {
                    (report, Ok(())) => assert_eq!(report.lost.count, 0, "{when}"),
                    (_, Err(CollectError::NoGeneration)) => {}
                    (_, Err(error)) => panic!("{when}: {error}"),
                }
                drill.assert_all_is_back(&when);
                if request % 5 == 0 {
                    drill.assert_goes_on(&when);
                }
                if outcome.is_ok() {
                    assert!(request > 25, "{when}: too few requests to mean anything");
                    break;
                }
            }
        }
    }
}

#[test]
fn what_came_back_out_of_its_quarantine_is_not_deleted_when_that_is_over() {
    for ways in WAYS {
        let mut drill = Drill::after(ways, 1);
        drill.undone("in its quarantine");
        drill.nights.nights(1);
        let (layout, objects) = (drill.nights.registry.layout.clone(), drill.objects());
        let blobs = drill.before.keys().filter(|key| key.starts_with(&layout.blobs()));
        let deleted: Vec<&String> = blobs.filter(|key| !objects.contains_key(*key)).collect();
        assert_eq!(deleted, Vec::<&String>::new(), "{ways:?}");
    }
}

/// The objects that were there before and tell of these digests, beside those that are there.
fn with_those_of(drill: &Drill, digests: &[Digest], is_asked: impl Fn(&str) -> bool) -> Objects {
    let hex: Vec<String> = digests.iter().map(Digest::hex).collect();
    let tells = |key: &str| hex.iter().any(|hex| key.contains(hex)) && is_asked(key);
    let mut expected = drill.objects();
    let before = drill.before.iter().filter(|(key, _)| tells(key));
    expected.extend(before.map(|(key, body)| (key.clone(), body.clone())));
    expected
}

#[test]
fn a_digest_comes_back_with_what_it_names_and_nothing_else() {
    for ways in WAYS {
        for nights in 1..=3 {
            let drill = Drill::after(ways, nights);
            for image in [&drill.old, &drill.index] {
                let expected = with_those_of(&drill, &image.digests(), |_| true);
                assert!(expected.len() > drill.objects().len());
                let asked = Asked { digest: Some(image.manifest), repository: None };
                let (report, outcome) = drill.undo(&asked, false);
                outcome.unwrap();
                assert_eq!(report.lost.count, 0);
                assert_eq!(drill.objects(), expected, "{ways:?}, after night {nights}");
            }
            assert_ne!(drill.objects(), drill.before, "the other image stays away");
            drill.undone("the rest");
            drill.assert_all_is_back("the rest");
        }
    }
}

#[test]
fn a_repository_comes_back_with_the_data_of_its_links() {
    for ways in WAYS {
        for nights in 1..=3 {
            let mut drill = Drill::after(ways, nights);
            let lib = format!("{}lib/", drill.nights.registry.layout.repositories());
            let blobs = drill.nights.registry.layout.blobs();
            let mut digests = drill.old.digests();
            if !ways.untagged {
                // No link of the repository leads to it.
                digests.retain(|digest| *digest != drill.old.manifest);
            }
            let here = |key: &str| key.starts_with(&lib) || key.starts_with(&blobs);
            let expected = with_those_of(&drill, &digests, here);
            let asked = Asked { digest: None, repository: Some(name("lib")) };
            drill.undo(&asked, false).1.unwrap();
            let when = format!("{ways:?}, after night {nights}");
            assert_eq!(drill.objects(), expected, "{when}");
            drill.undone("the rest");
            drill.assert_all_is_back(&when);
            drill.assert_goes_on(&when);
        }
    }
}

#[test]
fn what_is_linked_again_in_one_repository_is_not_deleted_by_the_next_night() {
    for ways in WAYS {
        let mut drill = Drill::after(ways, 1);
        let asked = Asked { digest: None, repository: Some(name("lib")) };
        drill.undo(&asked, false).1.unwrap();
        drill.nights.night().unwrap();
        let registry = &drill.nights.registry;
        let shared = drill.old.blobs[2];
        assert!(registry.has_data(shared) && registry.has_layer("lib", shared), "{ways:?}");
        assert!(!registry.has_data(drill.other.blobs[2]), "{ways:?}: the rest went");
    }
}

#[test]
fn what_is_there_again_is_left_as_it_is() {
    for ways in WAYS {
        let mut drill = Drill::after(ways, 2);
        pushed(&drill.nights.registry, "lib", &drill.old, Some("again"));
        let pushed_again = drill.objects();
        let report = drill.undone("beside a push");
        assert!(report.present.count > 0 && report.links_present > 0, "{report:?}");
        let after = drill.objects();
        for (key, body) in &pushed_again {
            assert_eq!(after.get(key), Some(body), "{key}");
        }
        assert!(drill.before.keys().all(|key| after.contains_key(key)), "{ways:?}");
        drill.nights.registry.pass(Duration::from_mins(5));
        let (old, kept) = (drill.old.clone(), drill.kept.clone());
        drill.nights.nights(4);
        assert_eq!(drill.nights.broken("lib", &old), Vec::<String>::new());
        assert_eq!(drill.nights.too_much(&[&old, &kept]), Vec::<String>::new());
    }
}

#[test]
fn what_nobody_kept_is_told_and_no_link_leads_to_it() {
    let ways = WAYS[0];
    let drill = Drill::after(ways, 3);
    let (registry, gone) = (&drill.nights.registry, drill.other.blobs[2]);
    let key = registry.layout.blob(&gone);
    registry.bucket.expire(&key);
    let (dry, _) = drill.undo(&Asked::default(), true);
    let (report, outcome) = drill.undo(&Asked::default(), false);
    outcome.unwrap();
    assert_eq!((report.lost.count, &report.missing), (1, &vec![key.into()]));
    assert_eq!((dry.lost, dry.links_dangling), (report.lost, report.links_dangling));
    assert!(!registry.has_layer("app", gone), "a link to nothing");
    let left: BTreeSet<String> =
        drill.before.keys().filter(|key| !key.contains(&gone.hex())).cloned().collect();
    assert_eq!(drill.objects().into_keys().collect::<BTreeSet<_>>(), left);
}
