//! The later looks: what is given back.

/// What a fresh look saw of one condemned blob. A look marks over what it lists *and* what the generation took: a
/// manifest whose revision link was taken is still followed where something names it, as the registry would serve it
/// again once the link is back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent findings, any of which decides")]
pub struct Evidence {
    /// Something that may name or link it could not be read or understood.
    pub doubt: bool,
    /// Something that is reachable now names it, or it is a root itself.
    pub reached: bool,
    /// A link to it is listed. Every link that was known was taken, so this one is new, or could not be taken.
    pub linked: bool,
    /// A link to it was written again just before it was taken ([`crate::TakenLink::was_overtaken`]).
    pub overtaken: bool,
    /// A cache of the registry believes that it is there, asked when the look began. All was purged, so somebody saw
    /// it since; and who asks the cache believes it, whatever is listed.
    pub cached: bool,
    /// Its data was written since it was condemned.
    pub rewritten: bool,
}

/// Why something is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Needed {
    /// It may be needed (G4).
    Doubt,
    /// It is named.
    Reached,
    /// It is linked.
    Linked,
    /// It was linked when its link was taken.
    Overtaken,
    /// A cache believes in it.
    Cached,
    /// Somebody sent it.
    Rewritten,
}

/// The verdict of the second look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Second {
    /// Its data may be deleted, by the process that took this look.
    Delete,
    /// It is condemned no longer: data that is gone comes back first, then every link that was taken
    /// ([`crate::links_to_give_back`]).
    Rescue(Needed),
    /// Nothing asks for it, but the quarantine is not over.
    Wait,
}

/// The verdict of the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Last {
    /// Nothing needs it: it may go for good.
    Final,
    /// It came to be needed: its data comes back first, then every link that was taken.
    Restore(Needed),
    /// Nothing asks for it, but what was under way may still do so.
    Wait,
}

/// Judges one condemned blob by a second look. A look that is not due can rescue, at any time, and as often as one
/// likes; it cannot delete.
#[must_use]
pub fn look_again(evidence: Evidence, due: bool) -> Second {
    match needed(evidence) {
        Some(needed) => Second::Rescue(needed),
        None if evidence.rewritten => Second::Rescue(Needed::Rewritten),
        None if due => Second::Delete,
        None => Second::Wait,
    }
}

/// Judges one deleted blob by a last look. Data that was written since the deletion needs nothing back: nobody
/// deletes it.
#[must_use]
pub fn look_last(evidence: Evidence, due: bool) -> Last {
    match needed(evidence) {
        Some(needed) => Last::Restore(needed),
        None if due => Last::Final,
        None => Last::Wait,
    }
}

fn needed(evidence: Evidence) -> Option<Needed> {
    [
        (evidence.doubt, Needed::Doubt),
        (evidence.reached, Needed::Reached),
        (evidence.linked, Needed::Linked),
        (evidence.overtaken, Needed::Overtaken),
        (evidence.cached, Needed::Cached),
    ]
    .into_iter()
    .find_map(|(holds, needed)| holds.then_some(needed))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn evidences() -> impl Strategy<Value = Evidence> {
        proptest::array::uniform6(any::<bool>()).prop_map(
            |[doubt, reached, linked, overtaken, cached, rewritten]| Evidence {
                doubt,
                reached,
                linked,
                overtaken,
                cached,
                rewritten,
            },
        )
    }

    #[test]
    fn without_evidence_time_alone_decides() {
        let nothing = Evidence::default();
        assert_eq!(look_again(nothing, false), Second::Wait);
        assert_eq!(look_again(nothing, true), Second::Delete);
        assert_eq!(look_last(nothing, false), Last::Wait);
        assert_eq!(look_last(nothing, true), Last::Final);
    }

    proptest! {
        #[test]
        fn any_evidence_at_all_rescues_due_or_not(evidence in evidences(), due: bool) {
            let rescued = matches!(look_again(evidence, due), Second::Rescue(_));
            prop_assert_eq!(rescued, evidence != Evidence::default());
        }

        #[test]
        fn what_is_named_or_linked_is_restored_due_or_not(evidence in evidences(), due: bool) {
            let restored = matches!(look_last(evidence, due), Last::Restore(_));
            let rewritten_alone = Evidence { rewritten: false, ..evidence } == Evidence::default();
            prop_assert_eq!(restored, !rewritten_alone);
        }

        #[test]
        fn g4_doubt_keeps(evidence in evidences(), due: bool) {
            let evidence = Evidence { doubt: true, ..evidence };
            prop_assert_eq!(look_again(evidence, due), Second::Rescue(Needed::Doubt));
            prop_assert_eq!(look_last(evidence, due), Last::Restore(Needed::Doubt));
        }

        #[test]
        fn more_evidence_never_deletes(evidence in evidences(), more in evidences(), due: bool) {
            let both = Evidence {
                doubt: evidence.doubt || more.doubt,
                reached: evidence.reached || more.reached,
                linked: evidence.linked || more.linked,
                overtaken: evidence.overtaken || more.overtaken,
                cached: evidence.cached || more.cached,
                rewritten: evidence.rewritten || more.rewritten,
            };
            let deletes = |evidence: Evidence| look_again(evidence, due) == Second::Delete;
            let gives_up = |evidence: Evidence| look_last(evidence, due) == Last::Final;
            prop_assert!(!deletes(both) || deletes(evidence));
            prop_assert!(!gives_up(both) || gives_up(evidence));
        }
    }
}
