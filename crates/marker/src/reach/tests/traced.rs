//! Laws of the ways that are traced back, on arbitrary small repositories.

use std::sync::Arc;
use std::time::Duration;

use policy::{Moment, Retention};
use proptest::prelude::*;
use registry::Role;

use super::laws::{COUNT, Small, number, small, tag_name};
use super::*;
use crate::{Ground, Lead, Marked, Path, tags_to, trace};

/// Policies over the repository of the cases.
const POLICIES: [&str; 4] = [
    "- {name: a, repositories: '**', tags: 'v*', expire: always}",
    "- {name: a, repositories: '**', tags: v0, expire: always}\n\
     - {name: b, repositories: '**', untagged-after: 1h}",
    "- {name: a, repositories: '**', untagged-after: 2d}\n\
     - {name: b, repositories: '**', tags: v1, expire: always}",
    "- {name: a, repositories: '**', tags: v1, keep: always}\n\
     - {name: b, repositories: '**', tags: '*', expire: always}\n\
     - {name: c, repositories: '**', untagged-after: 1h}",
];

const BESIDE: [Beside; 4] = [Beside::Nothing, Beside::Aliased, Beside::InUse, Beside::Linked];

impl Small {
    fn marked(&self, untagged: bool, beside: Beside) -> (Marked, Rules) {
        let tree = self.tree();
        let evidence = self.evidence(&tree, untagged);
        let rules = Rules { beside, ..Rules::new(untagged, CUTOFF) };
        let reach = reach(&tree, &evidence, &rules, &mut drop);
        let (events, started) = (Vec::new(), Vec::new());
        (Marked { tree, evidence, reach, expiry: None, events, started }, rules)
    }

    /// The same under one of the policies, a day after the cut-off.
    fn retained(&self, policy: &str) -> (Marked, Rules) {
        let mut tree = self.tree();
        for (tag, _) in &self.targets {
            add(&mut tree, &testing::current(&tag_name(*tag)), OLD);
        }
        let t0 = CUTOFF.after(Duration::from_hours(24));
        let rules = Rules { t0, ..Rules::new(false, CUTOFF) };
        let policy = Retention::parse(format!("version: 1\nrules:\n{policy}\n").as_bytes());
        let moment = Moment { t0, cutoff: CUTOFF };
        let verdicts = Verdicts::of(&tree, &Arc::new(policy.unwrap()), &moment).unwrap();
        let (evidence, own) = (self.evidence(&tree, true), rules.under(verdicts.untagged));
        let (reach, expiry) = reach_under(&tree, &evidence, &own, Some(verdicts), &mut drop);
        let (events, started) = (Vec::new(), Vec::new());
        (Marked { tree, evidence, reach, expiry, events, started }, rules)
    }
}

/// That ways lead from what is kept to `digest`, step by step, and that there are some exactly where it is kept.
fn check(marked: &Marked, paths: &[Path], digest: Digest) -> Result<(), TestCaseError> {
    let marks = marks_of(&marked.reach);
    prop_assert_eq!(paths.is_empty(), !marks.contains(&digest), "{}", digest);
    for path in paths {
        // What is served under another digest is kept for the link's sake; under that digest there is no blob.
        let aliases = &mut marked.evidence.aliases.iter();
        let is_alias = aliases.any(|alias| alias.digest == path.root);
        prop_assert!(marks.contains(&path.root) || is_alias);
        let mut from = path.root;
        for (lead, to) in &path.steps {
            prop_assert!(leads(marked, from, *lead, *to), "{:?} {}", lead, to);
            from = *to;
        }
        prop_assert_eq!(from, digest);
    }
    Ok(())
}

/// Whether a tag goes.
fn goes(marked: &Marked, name: &str) -> bool {
    let at = marked.tree.tags.iter().position(|tag| *tag.name == *name).unwrap();
    marked.expiry.as_ref().unwrap().tags.contains_key(&at)
}

/// That no tag which goes keeps anything, but where no rule lets manifests go.
fn check_ground(marked: &Marked, path: &Path, t0: Timestamp) -> Result<(), TestCaseError> {
    let untagged = marked.expiry.as_ref().unwrap().untagged;
    match &path.ground {
        Ground::Tag(tag) => prop_assert!(!goes(marked, tag), "{}", tag),
        Ground::ExpiredTag(tag) => prop_assert!(goes(marked, tag) && untagged.is_none()),
        Ground::Recent { rule, until } => {
            prop_assert_eq!(Some(*rule), untagged.map(|untagged| untagged.rule));
            prop_assert!(*until > t0);
        }
        _ => {}
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_kept_is_traced_to_what_is_kept_for_its_own_sake_and_nothing_else_is(
        small in small(true), untagged: bool, beside in prop::sample::select(BESIDE.to_vec()),
    ) {
        let (marked, rules) = small.marked(untagged, beside);
        for digest in (0..COUNT * 2).map(number) {
            check(&marked, &trace(&marked, &rules, digest), digest)?;
        }
    }

    #[test]
    fn under_a_policy_too_and_every_tag_that_leads_to_what_goes_goes_itself(
        mut small in small(true), policy in prop::sample::select(POLICIES.to_vec()),
    ) {
        // A link leads to data, and never by way of another link.
        small.aliases.truncate(1);
        let (marked, rules) = small.retained(policy);
        // What a tag alone makes a manifest of, which no link serves, leads on from that tag only.
        let revisions = &marked.tree.revisions;
        let has_link = |digest: &Digest| revisions.iter().any(|link| link.digest == *digest);
        let all_linked = marked.evidence.targets.iter().all(|target| has_link(&target.digest));
        let marks = marks_of(&marked.reach);
        for digest in (0..COUNT * 2).map(number) {
            let paths = trace(&marked, &rules, digest);
            check(&marked, &paths, digest)?;
            let tags = tags_to(&marked, digest);
            let names: Vec<&str> = tags.iter().map(|tag| &*marked.tree.tags[*tag].name).collect();
            for path in &paths {
                check_ground(&marked, path, rules.t0)?;
                if let Ground::Tag(tag) | Ground::ExpiredTag(tag) = &path.ground {
                    prop_assert!(names.contains(&&**tag), "{} of {:?}", tag, names);
                }
            }
            let all_go = || names.iter().all(|tag| goes(&marked, tag));
            prop_assert!(!all_linked || marks.contains(&digest) || all_go(), "{digest} {names:?}");
        }
    }
}

/// Whether one digest leads to another in this way.
fn leads(marked: &Marked, from: Digest, lead: Lead, to: Digest) -> bool {
    let names = |from: &Digest, role: Option<Role>, to: Digest| {
        let Some(Known::Manifest(manifest)) = marked.evidence.manifests.get(from) else {
            return false;
        };
        let edges = &mut manifest.edges();
        edges.any(|edge| edge.digest == to && role.is_none_or(|role| role == edge.role))
    };
    match lead {
        Lead::Names(role) => role != Role::Subject && names(&from, Some(role), to),
        Lead::RefersTo => names(&to, Some(Role::Subject), from),
        Lead::Signs => marked
            .tree
            .signatures
            .iter()
            .any(|signature| signature.revision == from && signature.link.digest == to),
        Lead::ServedAs => marked
            .evidence
            .aliases
            .iter()
            .any(|alias| alias.digest == from && alias.canonical == to),
        Lead::Follows => {
            let targets = &mut marked.evidence.targets.iter();
            let name = |tag: usize| marked.tree.tags.get(tag).map(|tag| tag.name.to_string());
            let own = Some(format!("sha256-{}.sig", from.hex()));
            targets.any(|target| target.digest == to && name(target.tag) == own)
        }
    }
}
