//! Deleting only while nobody can push, and all else while people do.

use planner::Amount;

use super::bucket::Bucket;
use super::client::Image;
use super::nights::{Doing, LONGEST_PUSH, Nights, pushed};
use super::served::Registry;

/// A registry on a store that keeps nothing, with an image that stays and two that do not.
struct Case {
    nights: Nights,
    kept: Image,
    old: Image,
    other: Image,
}

impl Case {
    fn new() -> Self {
        let registry = Registry::new(Bucket::memory(false), true);
        let image = |contents: &[&str]| Image::new(&registry, contents);
        let kept = image(&["kept", "base"]);
        let (old, other) = (image(&["old", "base", "shared"]), image(&["other", "shared"]));
        pushed(&registry, "app", &kept, Some("v1"));
        for image in [&old, &other] {
            pushed(&registry, "app", image, None);
            registry.delete_manifest("app", image.manifest);
        }
        registry.pass(2 * LONGEST_PUSH);
        let nights = Nights::new(&registry, false, Box::new(|_, _| {}));
        Self { nights, kept, old, other }
    }

    fn night(&mut self, doing: Doing) {
        self.nights.doing = doing;
        self.nights.nights(1);
    }

    /// Two nights of all but deleting.
    fn due() -> Self {
        let mut case = Self::new();
        for _ in 0..2 {
            case.night(Doing::BetweenWindows);
        }
        case
    }

    fn waiting(&self) -> Option<Amount> {
        self.nights.reports.last().unwrap().for_window
    }

    #[track_caller]
    fn assert_left(&self, images: &[&Image]) {
        for image in images {
            assert_eq!(self.nights.broken("app", image), Vec::<String>::new());
        }
        assert_eq!(self.nights.too_much(images), Vec::<String>::new());
    }
}

#[test]
fn what_is_due_waits_for_a_window_which_deletes_it_and_condemns_nothing() {
    let mut case = Case::new();
    case.night(Doing::BetweenWindows);
    let condemned = case.nights.reports[0].condemned;
    assert_eq!((condemned.count, case.waiting()), (5, None), "it is in its quarantine");
    for _ in 0..2 {
        case.night(Doing::BetweenWindows);
        assert_eq!((case.nights.sums().deleted, case.waiting()), (0, Some(condemned)));
    }
    let registry = case.nights.registry.clone();
    let late = Image::new(&registry, &["late"]);
    pushed(&registry, "app", &late, None);
    registry.delete_manifest("app", late.manifest);
    registry.pass(2 * LONGEST_PUSH);
    case.night(Doing::InWindow);
    let in_window = case.nights.reports.last().unwrap();
    assert_eq!((in_window.deleted, in_window.condemned.count), (condemned, 0));
    assert_eq!(in_window.for_window, None);
    assert!(registry.has_data(late.manifest), "what came later is condemned later");
    case.night(Doing::BetweenWindows);
    let last = case.nights.reports.last().unwrap();
    assert_eq!((last.closed, last.condemned.count), (1, 2), "the last look is a later run's");
    for doing in [Doing::InWindow, Doing::BetweenWindows] {
        case.night(doing);
    }
    case.assert_left(&[&case.kept]);
}

#[test]
fn nothing_is_looked_at_again_nor_deleted_between_windows() {
    let case = Case::due();
    let registry = &case.nights.registry;
    for blob in case.old.digests().iter().chain(&case.other.digests()) {
        assert!(registry.has_data(*blob), "{blob}");
    }
    assert!(!registry.has_layer("app", case.old.blobs[0]), "links are taken all the same");
}

#[test]
fn what_was_pushed_before_a_window_is_given_back_in_it() {
    let mut case = Case::due();
    let registry = case.nights.registry.clone();
    pushed(&registry, "app", &case.old, Some("again"));
    registry.pass(LONGEST_PUSH);
    case.night(Doing::InWindow);
    case.night(Doing::BetweenWindows);
    case.assert_left(&[&case.kept, &case.old]);
}

#[test]
fn g11_a_window_that_ends_at_any_request_is_gone_on_with_in_the_next_and_loses_nothing() {
    for request in 0.. {
        let mut case = Case::due();
        let registry = case.nights.registry.clone();
        pushed(&registry, "app", &case.other, Some("again"));
        registry.pass(LONGEST_PUSH);
        case.nights.doing = Doing::InWindow;
        case.nights.die_after(Some(request));
        let outcome = case.nights.night();
        case.nights.die_after(None);
        for doing in [Doing::BetweenWindows, Doing::InWindow, Doing::BetweenWindows] {
            case.night(doing);
        }
        case.assert_left(&[&case.kept, &case.other]);
        if outcome.is_ok() {
            assert!(request > 20, "{request} requests are too few");
            break;
        }
    }
}
