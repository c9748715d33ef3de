//! G8: references go before what they refer to.

use planner::{RowKind, Stage};
use store::{ErrorKind, KeyOutcome};

use super::store_double::Fault;
use super::world::{World, bystanders, denied, everything};

fn stage_of(key: &str) -> Stage {
    let name = key.split('/').next().unwrap();
    RowKind::ALL.into_iter().find(|kind| kind.name() == name).unwrap().stage()
}

#[tokio::test]
async fn g8_each_stage_ends_before_the_next_begins() {
    let world = World::of(everything(25));
    world.sweep().await.unwrap();
    let stages: Vec<Stage> =
        world.store.requests().iter().flatten().map(|key| stage_of(key)).collect();
    assert!(stages.is_sorted());
    assert_eq!(stages.len() as u64, world.planned().objects);
}

#[tokio::test]
async fn g8_a_stage_that_was_cut_off_ends_before_the_next_begins() {
    let world = World::of(everything(25));
    world.store.fail(3, Fault::Refused(ErrorKind::Transient));
    world.sweep().await.unwrap_err();
    let before = world.store.requests().len();
    world.sweep().await.unwrap();
    let stages: Vec<Stage> =
        world.store.requests()[before..].iter().flatten().map(|key| stage_of(key)).collect();
    assert_eq!(stages.first(), Some(&Stage::Tags));
    assert!(stages.is_sorted());
}

/// What a link that stays leaves behind: its repository's later links and uploads, and all blobs.
async fn sweep_with_a_link_that_stays(key: &str, outcome: KeyOutcome) -> World {
    let world = World::of(everything(9));
    world.store.answer(key, outcome);
    let report = world.sweep().await.unwrap();
    let left = world.store.objects();
    let stage = stage_of(key);
    for object in world.keys() {
        let number: u32 = object.rsplit('/').next().unwrap().parse().unwrap();
        let kind = RowKind::ALL.into_iter().find(|kind| object.starts_with(kind.name())).unwrap();
        // Numbers go round three repositories; the link that stays is number 0 of its kind.
        let is_upload = matches!(kind, RowKind::Upload | RowKind::MultipartUpload);
        let is_led_to = !is_upload && number.is_multiple_of(3) && kind.stage() > stage;
        let stays = &*object == key || kind == RowKind::Blob || is_led_to;
        assert_eq!(left.contains(&object), stays, "{object}");
    }
    assert!(!report.is_clean());
    let held_back: u64 = report.held_back.values().map(|count| count.objects).sum();
    assert_eq!(held_back, left.len() as u64 - 1 - 3);
    world
}

const LINKS: [&str; 3] = ["tag_link/0", "revision_link/0", "layer_link/0"];

#[tokio::test]
async fn g8_a_link_that_fails_keeps_what_it_may_lead_to_until_it_goes() {
    for key in LINKS {
        let world = sweep_with_a_link_that_stays(key, denied()).await;
        world.store.heal();
        let report = world.sweep().await.unwrap();
        assert!(report.is_clean());
        assert_eq!(world.store.objects(), bystanders());
    }
}

#[tokio::test]
async fn g8_a_link_that_was_written_since_keeps_what_it_may_lead_to_for_good() {
    for key in LINKS {
        let world = sweep_with_a_link_that_stays(key, KeyOutcome::Spared).await;
        let left = world.store.objects();
        world.store.heal();
        let report = world.sweep().await.unwrap();
        assert!(report.needs_new_plan() && !report.is_clean());
        assert_eq!(world.store.objects(), left);
    }
}

#[tokio::test]
async fn g8_an_upload_that_fails_keeps_nothing() {
    let world = World::of(everything(9));
    world.store.answer("upload/0", denied());
    let report = world.sweep().await.unwrap();
    assert_eq!(report.total.fates.failed.objects, 1);
    assert!(report.held_back.is_empty());
    assert_eq!(world.store.objects().len(), bystanders().len() + 1);
}

#[tokio::test]
async fn a_link_that_was_written_since_does_not_keep_other_links_of_its_own_stage() {
    let mut world = World::of(everything(9));
    world.settings.concurrency = 1;
    world.store.answer("tag_link/0", KeyOutcome::Spared);
    // The first request holds that link; the answer of the second is lost.
    world.store.fail(1, Fault::AnswerLost);
    world.sweep().await.unwrap_err();
    let held_back = world.sweep().await.unwrap().held_back;
    assert_eq!(held_back.get(&RowKind::TagLink), None);
    assert_eq!(held_back[&RowKind::RevisionLink].objects, 9);
}
