//! Scripts for property tests. A script that fails shrinks to fewer and simpler steps.

use proptest::prelude::*;

use crate::script::KINDS;
use crate::{Mode, Step};

/// Up to `most` steps.
pub fn script(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (0..KINDS, any::<[u8; 4]>());
    let step = step.prop_map(|(kind, numbers)| Step::from_numbers(kind, numbers));
    prop::collection::vec(step, 0..=most)
}

/// A mode with the usual times.
pub fn mode() -> impl Strategy<Value = Mode> {
    any::<bool>().prop_map(|untagged| Mode { untagged, ..Mode::default() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use registry::{Digest, Timestamp};

    use super::*;
    use crate::World;

    fn world(script: &[Step]) -> World {
        let mut world = World::new(Timestamp::from_seconds(1_700_000_000), "");
        for step in script {
            world.apply(step);
        }
        world
    }

    fn without(world: &World, keys: &BTreeSet<String>) -> World {
        let mut left = world.clone();
        left.note_deleted(keys.iter().map(String::as_str));
        left
    }

    proptest! {
        #[test]
        fn nothing_is_both_live_and_garbage(script in script(40), mode in mode()) {
            let world = world(&script);
            let (live, garbage) = (world.expected_live(&mode), world.garbage(&mode));
            prop_assert!(live.is_disjoint(&garbage));
            prop_assert!(live.len() + garbage.len() <= world.objects().len());
        }

        #[test]
        fn every_key_that_a_pull_reads_is_live(script in script(40), mode in mode()) {
            let world = world(&script);
            let live = world.expected_live(&mode);
            for pull in world.pulls(&mode) {
                let lost: Vec<&String> = pull.reads.difference(&live).collect();
                prop_assert!(lost.is_empty(), "{pull} reads {lost:?}");
            }
        }

        #[test]
        fn deleting_all_garbage_breaks_no_pull(script in script(40), mode in mode()) {
            let world = world(&script);
            let pulls = world.pulls(&mode);
            let after = without(&world, &world.garbage(&mode));
            prop_assert_eq!(after.broken_pulls(&pulls), Vec::<String>::new());
        }

        #[test]
        fn g1_nothing_young_is_garbage(script in script(40), mode in mode()) {
            let world = world(&script);
            let young = world.now().before(mode.grace);
            for key in world.garbage(&mode) {
                prop_assert!(world.objects()[&key].modified < young, "{key}");
            }
        }

        #[test]
        fn collecting_untagged_manifests_only_adds_to_what_goes(script in script(40)) {
            let world = world(&script);
            // A tag that leads nowhere matters only where tags decide: it is a doubt, or keeps what it names.
            prop_assume!(world.objects().keys().all(|key| leads_somewhere(&world, key)));
            let more = world.garbage(&Mode::untagged());
            let lost: Vec<String> = world.garbage(&Mode::default()).difference(&more).cloned().collect();
            prop_assert!(lost.is_empty(), "{lost:?}");
        }

        #[test]
        fn a_second_collection_finds_only_what_was_open(script in script(40), mode in mode()) {
            let world = world(&script);
            let (live, garbage) = (world.expected_live(&mode), world.garbage(&mode));
            let after = without(&world, &garbage);
            let more = after.garbage(&mode);
            prop_assert!(more.is_disjoint(&live) && more.is_disjoint(&garbage), "{more:?}");
            prop_assert_eq!(without(&after, &more).garbage(&mode), BTreeSet::new());
        }
    }

    fn leads_somewhere(world: &World, key: &str) -> bool {
        let Some((repository, _)) =
            key.strip_suffix("/current/link").and_then(|key| key.split_once("_manifests/"))
        else {
            return true;
        };
        let revision = |digest: Digest| {
            let hex = digest.hex();
            world
                .objects()
                .contains_key(&format!("{repository}_manifests/revisions/sha256/{hex}/link"))
        };
        world.link(key).is_some_and(revision)
    }
}
