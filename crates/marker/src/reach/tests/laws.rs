//! Laws of reach on arbitrary small repositories.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::links::served_by_layer_links;

/// So many manifests, and as many other blobs.
pub(super) const COUNT: u8 = 7;

pub(super) fn number(n: u8) -> Digest {
    Digest::sha256(&[n])
}

/// One of three tags; the last belongs to a manifest by its name.
pub(super) fn tag_name(tag: u8) -> String {
    if tag == 2 { format!("sha256-{}.sig", number(1).hex()) } else { format!("v{tag}") }
}

/// What reading a manifest would give.
#[derive(Clone, Debug)]
enum Body {
    Manifest { layers: Vec<u8>, children: Vec<u8>, subject: Option<u8> },
    Missing,
    Broken,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Revision(u8, bool),
    Layer(u8, bool),
    History(u8, u8),
    Signature(u8, u8),
}

/// A repository, and the manifests of the whole registry.
#[derive(Clone, Debug)]
pub(super) struct Small {
    bodies: Vec<Body>,
    keys: BTreeSet<Key>,
    /// By tag.
    pub(super) targets: Vec<(u8, u8)>,
    pub(super) aliases: Vec<(u8, u8)>,
    is_doubtful: bool,
}

fn body(doubts: bool) -> impl Strategy<Value = Body> {
    let some = || prop::collection::vec(0..COUNT * 2, 0..4);
    let manifest = (some(), some(), prop::option::of(0..COUNT))
        .prop_map(|(layers, children, subject)| Body::Manifest { layers, children, subject });
    prop_oneof![
        8 => manifest,
        1 => Just(Body::Missing),
        u32::from(doubts) => Just(Body::Broken),
    ]
}

fn key() -> impl Strategy<Value = Key> {
    let any = || 0..COUNT * 2;
    let is_young = || prop::bool::weighted(0.2);
    prop_oneof![
        4 => (0..COUNT, is_young()).prop_map(|(n, young)| Key::Revision(n, young)),
        4 => (any(), is_young()).prop_map(|(n, young)| Key::Layer(n, young)),
        2 => (0u8..3, any()).prop_map(|(tag, n)| Key::History(tag, n)),
        1 => (0..COUNT, any()).prop_map(|(revision, n)| Key::Signature(revision, n)),
    ]
}

pub(super) fn small(doubts: bool) -> impl Strategy<Value = Small> {
    (
        prop::collection::vec(body(doubts), usize::from(COUNT)),
        prop::collection::btree_set(key(), 0..20),
        prop::collection::vec((0u8..3, 0..COUNT), 0..3),
        prop::collection::vec((COUNT..COUNT * 2, COUNT..COUNT * 2), 0..3),
        prop::bool::weighted(if doubts { 0.1 } else { 0.0 }),
    )
        .prop_map(|(bodies, mut keys, targets, aliases, is_doubtful)| {
            // A registry writes the history before it moves the tag.
            keys.extend(targets.iter().map(|(tag, target)| Key::History(*tag, *target)));
            Small { bodies, keys, targets, aliases, is_doubtful }
        })
}

impl Small {
    pub(super) fn tree(&self) -> RepositoryTree {
        let time = |is_young: bool| if is_young { CUTOFF } else { OLD };
        let links = self.keys.iter().map(|key| match key {
            Key::Revision(n, young) => (testing::revision(number(*n)), time(*young)),
            Key::Layer(n, young) => (testing::layer(number(*n)), time(*young)),
            Key::History(tag, n) => (testing::history(&tag_name(*tag), number(*n)), OLD),
            Key::Signature(revision, n) => (testing::signature(number(*revision), number(*n)), OLD),
        });
        // A link that is given both old and young is young: it comes later.
        let sorted: BTreeMap<String, Timestamp> = links.collect();
        let mut tree = testing::tree();
        for (key, modified) in sorted {
            add(&mut tree, &key, modified);
        }
        tree
    }

    fn known(&self, digest: Digest) -> Known {
        let at = (0..COUNT).find(|n| number(*n) == digest);
        match at.map(|n| &self.bodies[usize::from(n)]) {
            Some(Body::Manifest { layers, children, subject }) => {
                let numbers = |all: &[u8]| all.iter().map(|n| number(*n)).collect::<Vec<_>>();
                let (layers, children) = (&numbers(layers), &numbers(children));
                let subject = subject.map(number);
                Known::Manifest(Text { layers, children, subject }.manifest())
            }
            Some(Body::Broken) => {
                Known::doubtful(What::NotUnderstood { digest, message: "by plan".into() })
            }
            Some(Body::Missing) | None => Known::Missing,
        }
    }

    /// What a marker would gather.
    pub(super) fn evidence(&self, tree: &RepositoryTree, untagged: bool) -> Evidence {
        let alias = |(digest, canonical): &(u8, u8)| Alias {
            digest: number(*digest),
            canonical: number(*canonical),
        };
        let place = |name: String| tree.tags.iter().position(|tag| *tag.name == *name);
        let target = |(tag, target): &(u8, u8)| TagTarget {
            tag: place(tag_name(*tag)).unwrap_or(usize::MAX),
            digest: number(*target),
        };
        let mut evidence = Evidence {
            aliases: self.aliases.iter().map(alias).collect(),
            targets: self.targets.iter().filter(|_| untagged).map(target).collect(),
            doubts: self.is_doubtful.then_some(What::IrregularName).into_iter().collect(),
            ..Evidence::default()
        };
        let mut unread: Vec<Digest> = tree.revisions.iter().map(|link| link.digest).collect();
        loop {
            evidence.manifests.extend(unread.iter().map(|digest| (*digest, self.known(*digest))));
            unread = served_by_layer_links(tree, &evidence);
            if unread.is_empty() {
                return evidence;
            }
        }
    }

    fn reach(&self, untagged: bool) -> Reach {
        let tree = self.tree();
        reach(&tree, &self.evidence(&tree, untagged), &Rules::new(untagged, CUTOFF), &mut drop)
    }
}

proptest! {
    #[test]
    fn one_more_link_never_unmarks_anything(small in small(true), key in key(), untagged: bool) {
        let before = small.reach(untagged);
        let mut more = small.clone();
        more.keys.insert(key);
        let after = more.reach(untagged);
        prop_assert!(marks_of(&after).is_superset(&marks_of(&before)));
        prop_assert!(after.needed.is_superset(&before.needed));
        prop_assert!(after.manifests.is_superset(&before.manifests));
    }

    #[test]
    fn one_more_tag_or_doubt_never_unmarks_anything(
        small in small(true), target in (0u8..3, 0..COUNT), untagged: bool,
    ) {
        let before = small.reach(untagged);
        let mut tagged = small.clone();
        tagged.targets.push(target);
        prop_assert!(marks_of(&tagged.reach(untagged)).is_superset(&marks_of(&before)));
        let doubtful = Small { is_doubtful: true, ..small };
        prop_assert!(marks_of(&doubtful.reach(untagged)).is_superset(&marks_of(&before)));
    }

    #[test]
    fn what_stays_without_untagged_manifests_stays_with_them(mut small in small(true)) {
        // A tag that points to what no link serves is a root only where tags are read.
        let keys = small.keys.clone();
        small.targets.retain(|(_, target)| keys.iter().any(|key| {
            matches!(key, Key::Revision(n, _) | Key::Layer(n, _) if n == target)
        }));
        let (few, all) = (small.reach(true), small.reach(false));
        prop_assert!(marks_of(&few).is_subset(&marks_of(&all)));
        prop_assert!(few.needed.is_subset(&all.needed));
        prop_assert!(few.manifests.is_subset(&all.manifests));
    }

    #[test]
    fn g4_a_pinned_repository_keeps_every_digest_that_a_key_names(
        small in small(true), is_doubtful: bool, untagged: bool,
    ) {
        let small = Small { is_doubtful, ..small };
        let reach = small.reach(untagged);
        prop_assert!(reach.is_pinned() || !is_doubtful);
        if !reach.is_pinned() {
            return Ok(());
        }
        for key in &small.keys {
            let (Key::Revision(n, _) | Key::Layer(n, _) | Key::History(_, n) | Key::Signature(_, n)) = key;
            prop_assert!(marks_of(&reach).contains(&number(*n)) && reach.needed.contains(&number(*n)));
        }
        for (_, canonical) in &small.aliases {
            prop_assert!(marks_of(&reach).contains(&number(*canonical)));
        }
    }

    #[test]
    fn the_order_of_what_was_read_does_not_matter(small in small(true), untagged: bool) {
        let tree = small.tree();
        let evidence = small.evidence(&tree, untagged);
        let mut turned = evidence.clone();
        turned.manifests = evidence.manifests.clone().into_iter().collect();
        turned.aliases.reverse();
        turned.targets.reverse();
        turned.doubts.reverse();
        let rules = Rules::new(untagged, CUTOFF);
        let told = |evidence| {
            let mut events = Vec::new();
            (reach(&tree, evidence, &rules, &mut |event| events.push(event)), events)
        };
        let ((one, events), (other, others)) = (told(&evidence), told(&turned));
        prop_assert_eq!(marks_of(&one), marks_of(&other));
        prop_assert_eq!(one.needed, other.needed);
        prop_assert_eq!(one.manifests, other.manifests);
        prop_assert_eq!(one.missing, other.missing);
        prop_assert_eq!(events, others);
        prop_assert_eq!(one.doubts, other.doubts);
    }

    #[test]
    fn what_is_kept_keeps_what_it_names(small in small(false), untagged: bool) {
        let tree = small.tree();
        let evidence = small.evidence(&tree, untagged);
        let reach = reach(&tree, &evidence, &Rules::new(untagged, CUTOFF), &mut drop);
        for digest in &reach.manifests {
            let Some(Known::Manifest(manifest)) = evidence.manifests.get(digest) else { continue };
            for edge in manifest.references() {
                prop_assert!(reach.needed.contains(&edge.digest) && marks_of(&reach).contains(&edge.digest));
                let is_served = tree.revisions.iter().any(|link| link.digest == edge.digest);
                prop_assert!(!is_served || reach.manifests.contains(&edge.digest));
            }
        }
        prop_assert!(reach.needed.is_subset(&marks_of(&reach)));
    }
}
