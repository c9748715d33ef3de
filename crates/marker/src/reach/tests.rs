//! The rules of what lives, one by one, on repositories of a few names.

use std::collections::BTreeSet;

use registry::{LinkError, Timestamp};

use super::*;
use crate::TagTarget;
use crate::testing::{self, CUTOFF, OLD, Text, add, digest, marks_of};

mod laws;
mod traced;

/// Every name that the cases use, so that digests can be told in words.
const NAMES: [&str; 14] =
    ["M", "N", "I", "J", "S", "T", "a", "b", "c", "d", "x", "y", "sig", "canonical"];

fn digests(names: &str) -> Vec<Digest> {
    names.split_whitespace().map(digest).collect()
}

fn names(digests: &HashSet<Digest>) -> BTreeSet<&'static str> {
    let name = |known: &Digest| NAMES.into_iter().find(|name| digest(name) == *known);
    digests.iter().map(|known| name(known).unwrap()).collect()
}

fn words(words: &str) -> BTreeSet<&str> {
    words.split_whitespace().collect()
}

/// A repository under construction.
struct Case {
    tree: RepositoryTree,
    evidence: Evidence,
}

impl Case {
    fn new() -> Self {
        Self { tree: testing::tree(), evidence: Evidence::default() }
    }

    fn key(mut self, key: &str, modified: Timestamp) -> Self {
        add(&mut self.tree, key, modified);
        self
    }

    fn revision(self, name: &str) -> Self {
        self.key(&testing::revision(digest(name)), OLD)
    }

    fn layer(self, name: &str) -> Self {
        self.key(&testing::layer(digest(name)), OLD)
    }

    fn known(mut self, name: &str, known: Known) -> Self {
        self.evidence.manifests.insert(digest(name), known);
        self
    }

    fn text(self, name: &str, text: &Text<'_>) -> Self {
        self.known(name, Known::Manifest(text.manifest()))
    }

    /// A manifest that was read, without a revision link.
    fn unlinked(self, name: &str, layers: &str) -> Self {
        self.text(name, &Text { layers: &digests(layers), ..Text::default() })
    }

    fn image(self, name: &str, layers: &str) -> Self {
        self.revision(name).unlinked(name, layers)
    }

    fn index(self, name: &str, children: &str) -> Self {
        let text = Text { children: &digests(children), ..Text::default() };
        self.revision(name).text(name, &text)
    }

    fn referrer(self, name: &str, subject: &str, layers: &str) -> Self {
        let layers = &digests(layers);
        let text = Text { layers, subject: Some(digest(subject)), ..Text::default() };
        self.revision(name).text(name, &text)
    }

    /// A tag that points to the last of its history.
    fn tag(mut self, tag: &str, history: &str) -> Self {
        self = self.key(&testing::current(tag), OLD);
        for name in history.split_whitespace() {
            self = self.key(&testing::history(tag, digest(name)), OLD);
        }
        let target = history.split_whitespace().last().unwrap();
        self.target(target)
    }

    fn target(mut self, name: &str) -> Self {
        self.evidence.targets.push(TagTarget { tag: 0, digest: digest(name) });
        self
    }

    fn alias(mut self, name: &str, canonical: &str) -> Self {
        let alias = Alias { digest: digest(name), canonical: digest(canonical) };
        self.evidence.aliases.push(alias);
        self
    }

    fn doubt(mut self, what: What) -> Self {
        self.evidence.doubts.push(what);
        self
    }

    fn reach(&self, untagged: bool) -> Reach {
        reach(&self.tree, &self.evidence, &Rules::new(untagged, CUTOFF), &mut drop)
    }

    /// Asserts which manifests stay and which digests are marked.
    #[track_caller]
    fn keeps(&self, untagged: bool, manifests: &str, marks: &str) -> &Self {
        let reach = self.reach(untagged);
        assert_eq!(names(&reach.manifests), words(manifests), "manifests, untagged: {untagged}");
        assert_eq!(names(&marks_of(&reach)), words(marks), "marks, untagged: {untagged}");
        self
    }
}

#[test]
fn every_revision_is_a_root_unless_untagged_ones_go() {
    let case = Case::new().image("M", "a b").image("N", "b c").tag("v1", "N");
    case.keeps(false, "M N", "M N a b c").keeps(true, "N", "N b c");
}

#[test]
fn a_tag_keeps_what_it_points_to_and_not_what_it_pointed_to() {
    let case = Case::new().image("M", "a").image("N", "b").tag("v1", "M N");
    case.keeps(false, "M N", "M N a b").keeps(true, "N", "N b");
}

#[test]
fn a_history_keeps_nothing_of_a_manifest_that_was_deleted() {
    let case = Case::new().image("N", "b").tag("v1", "M N");
    case.keeps(false, "N", "N b").keeps(true, "N", "N b");
}

#[test]
fn g1_a_young_revision_is_a_root_though_nothing_tags_it() {
    let old = CUTOFF.before(std::time::Duration::from_millis(1));
    for (modified, manifests) in [(CUTOFF, "M"), (old, "")] {
        let case = Case::new().key(&testing::revision(digest("M")), modified).unlinked("M", "");
        case.keeps(true, manifests, manifests);
    }
}

#[test]
fn children_are_kept_at_any_depth() {
    let case = Case::new().image("M", "a").index("I", "M").index("J", "I").tag("v1", "J");
    case.keeps(true, "J I M", "J I M a");
}

#[test]
fn a_child_that_is_not_served_here_keeps_its_blob_only() {
    let case = Case::new().index("I", "M N").image("N", "b").tag("v1", "I");
    case.keeps(true, "I N", "I M N b");
}

#[test]
fn g4_a_manifest_is_followed_whatever_names_it() {
    let case = Case::new().image("N", "b").image("M", "N a").tag("v1", "M");
    case.keeps(true, "M N", "M N a b");
}

#[test]
fn manifests_that_name_each_other_end() {
    let case = Case::new().index("I", "J").index("J", "I").tag("v1", "I");
    case.keeps(true, "I J", "I J").keeps(false, "I J", "I J");
}

#[test]
fn indexes_nest_as_deep_as_they_like() {
    let chain: Vec<Digest> = (0..50_000u32).map(|n| Digest::sha256(&n.to_be_bytes())).collect();
    let mut case = Case::new();
    for pair in chain.windows(2) {
        let text = Text { children: &pair[1..], ..Text::default() };
        case.evidence.manifests.insert(pair[0], Known::Manifest(text.manifest()));
        add(&mut case.tree, &testing::revision(pair[0]), OLD);
    }
    case.evidence.targets.push(TagTarget { tag: 0, digest: chain[0] });
    assert_eq!(marks_of(&case.reach(true)).len(), chain.len());
}

#[test]
fn a_referrer_lives_as_long_as_its_subject() {
    let case = Case::new().image("M", "a").image("N", "b");
    let case = case.referrer("S", "M", "c").referrer("T", "N", "d").tag("v1", "M");
    case.keeps(true, "M S", "M S a c").keeps(false, "M N S T", "M N S T a b c d");
}

#[test]
fn a_referrer_does_not_keep_its_subject() {
    Case::new().image("M", "a").referrer("S", "M", "c").tag("v1", "S").keeps(true, "S", "S c");
}

#[test]
fn referrers_of_referrers_and_of_children_live_in_whatever_order_they_are_listed() {
    let chain: Vec<Digest> = (0..300u32).map(|n| Digest::sha256(&n.to_be_bytes())).collect();
    let mut case = Case::new();
    for pair in chain.windows(2) {
        let text = Text { subject: Some(pair[0]), ..Text::default() };
        case.evidence.manifests.insert(pair[1], Known::Manifest(text.manifest()));
        add(&mut case.tree, &testing::revision(pair[1]), OLD);
    }
    let case = case.key(&testing::revision(chain[0]), OLD).index("I", "");
    let text = Text { children: &chain[..1], ..Text::default() };
    let case = case.text("I", &text).tag("v1", "I");
    assert_eq!(case.reach(true).manifests.len(), chain.len() + 1);
}

#[test]
fn a_young_layer_link_keeps_its_blob() {
    let case = Case::new().layer("a").key(&testing::layer(digest("b")), CUTOFF);
    case.keeps(false, "", "b").keeps(true, "", "b");
}

#[test]
fn a_blob_lives_under_its_canonical_digest_where_its_alias_is_needed() {
    let case = Case::new().image("M", "x").alias("x", "canonical").alias("y", "b").tag("v1", "M");
    let reach = case.keeps(true, "M", "M x canonical").reach(true);
    assert!(reach.needed.contains(&digest("canonical")), "its layer link stays, too");
    let young = Case::new().key(&testing::layer(digest("x")), CUTOFF).alias("x", "canonical");
    young.keeps(false, "", "x canonical");
}

#[test]
fn signatures_live_as_long_as_their_manifest_and_need_no_layer_link() {
    let case = Case::new().image("M", "").image("N", "").tag("v1", "M");
    let case = case.key(&testing::signature(digest("M"), digest("sig")), OLD);
    let case = case.key(&testing::signature(digest("N"), digest("x")), OLD);
    let reach = case.keeps(true, "M", "M sig").keeps(false, "M N", "M N sig x").reach(true);
    assert!(!reach.needed.contains(&digest("sig")));
}

#[test]
fn a_manifest_that_only_a_layer_link_serves_lives_by_its_tags() {
    let case = Case::new().layer("M").unlinked("M", "a").layer("N").unlinked("N", "b");
    let case = case.tag("v1", "N M");
    case.keeps(false, "M N", "M N a b").keeps(true, "M", "M a");
}

#[test]
fn a_child_that_only_a_layer_link_serves_is_followed() {
    let case = Case::new().index("I", "M").layer("M").unlinked("M", "a").tag("v1", "I");
    case.keeps(true, "I M", "I M a");
}

#[test]
fn a_manifest_that_is_not_there_is_told_and_not_in_doubt() {
    let case = Case::new().revision("M").known("M", Known::Missing).image("N", "b").tag("v1", "N");
    let reach = case.keeps(true, "N", "N b").keeps(false, "M N", "M N b").reach(true);
    assert_eq!(reach.missing, digests("M"));
    assert!(!reach.is_pinned());
}

#[test]
fn a_tag_that_points_nowhere_harms_nobody() {
    Case::new().image("N", "b").tag("v1", "M").keeps(true, "M", "M").keeps(false, "N", "N b");
}

/// A repository in which little lives, and whose keys name much.
fn littered() -> Case {
    let case = Case::new().image("M", "a").image("N", "b").layer("c").tag("v1", "J N");
    let case = case.key(&testing::signature(digest("M"), digest("sig")), OLD);
    case.alias("x", "canonical")
}

#[test]
fn g4_every_doubt_but_one_keeps_all_that_any_key_names() {
    let (d, message) = (digest("d"), || "why".into());
    let key = || "a/link".into();
    let read = |what| littered().revision("d").known("d", Known::doubtful(what));
    for case in [
        read(What::Unreadable { digest: d, message: message() }),
        read(What::OtherContent { digest: d, actual: digest("y") }),
        read(What::NotUnderstood { digest: d, message: message() }),
        littered().layer("d").doubt(What::UnreadableLink { key: key(), message: message() }),
        littered().layer("d").doubt(What::BrokenLink { key: key(), error: LinkError::Empty }),
        littered().layer("d").doubt(What::OddLink { key: key() }),
        littered().layer("d").doubt(What::IrregularName),
    ] {
        let reach = case.reach(true);
        assert!(reach.is_pinned() && reach.doubts.len() == 1, "{:?}", reach.doubts);
        let kept = words("M N J a b c d sig canonical");
        assert!(names(&marks_of(&reach)).is_superset(&kept), "{:?}", names(&marks_of(&reach)));
        assert!(words("M N").is_subset(&names(&reach.manifests)), "every revision is a root");
        for word in words("M N J a b c canonical") {
            assert!(reach.needed.contains(&digest(word)), "{word}");
        }
    }
}

#[test]
fn a_half_written_link_whose_key_says_it_all_pins_nothing() {
    let case = littered().doubt(What::HalfWrittenLink { key: "a/link".into() });
    let reach = case.keeps(true, "N", "N b").reach(true);
    assert_eq!(reach.doubts.len(), 1);
    assert!(!reach.is_pinned());
}

#[test]
fn events_tell_the_walk_in_order() {
    let case = Case::new().image("M", "a b").index("I", "M").tag("v1", "I");
    let (manifest, blob) = (Event::Manifest, Event::Blob);
    let [index, image, a, b] = ["I", "M", "a", "b"].map(digest);
    let (mut events, rules) = (Vec::new(), Rules::new(true, CUTOFF));
    let reach = reach(&case.tree, &case.evidence, &rules, &mut |event| events.push(event));
    assert_eq!(marks_of(&reach).len(), events.len());
    assert_eq!(events, [manifest(index), blob(image), blob(a), blob(b)]);
}

/// What stays of a registry to which people push.
#[track_caller]
fn keeps_beside(case: &Case, beside: Beside, marks: &str) {
    let rules = Rules { beside, ..Rules::new(false, CUTOFF) };
    let reach = reach(&case.tree, &case.evidence, &rules, &mut drop);
    assert_eq!(names(&marks_of(&reach)), words(marks), "{beside:?}");
}

#[test]
fn g4_where_somebody_uploads_every_layer_is_in_use_and_an_alias_always_is() {
    let upload = testing::upload("one");
    let case = || Case::new().image("M", "a").layer("a").layer("b").layer("c").alias("c", "d");
    keeps_beside(&case(), Beside::Nothing, "M a");
    keeps_beside(&case(), Beside::Aliased, "M a d");
    keeps_beside(&case(), Beside::InUse, "M a d");
    keeps_beside(&case().key(&upload, CUTOFF), Beside::Nothing, "M a");
    keeps_beside(&case().key(&upload, CUTOFF), Beside::Aliased, "M a d");
    keeps_beside(&case().key(&upload, CUTOFF), Beside::InUse, "M a b c d");
    keeps_beside(&case().key(&upload, OLD), Beside::InUse, "M a d");
}

#[test]
fn g4_what_is_linked_is_kept_where_that_is_asked_but_for_what_only_a_tag_once_named() {
    let case = Case::new().image("M", "a").layer("a").layer("b").tag("v1", "N M");
    keeps_beside(&case, Beside::InUse, "M a");
    keeps_beside(&case, Beside::Linked, "M a b");
}
