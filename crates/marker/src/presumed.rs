//! Which presumed entries have to be looked at, and which closed folders opened: pure.
//!
//! A store of files presumes links, because nearly all of them are needed and then say nothing new. What could go is
//! looked at before anybody judges it.

use std::collections::HashMap;

use lister::{Link, RepositoryTree};
use store::{Listed, Object};

use crate::{Reach, Rules, links, reach};

/// The keys of presumed entries whose facts matter: links in places that no registry knows, and whatever `reach` does
/// not need.
pub(crate) fn unlooked(tree: &RepositoryTree, reach: &Reach, rules: &Rules) -> Vec<Box<str>> {
    let odd = tree.odd_links.iter().chain(&tree.foreign);
    if reach.is_pinned() {
        return presumed(odd);
    }
    let is_needed = |link: &&Link| reach.needed.contains(&link.digest);
    let is_bare = !tree.revisions.iter().chain(&tree.layers).any(|link| is_needed(&link));
    let layers = tree.layers.iter().filter(|link| !is_needed(link));
    let is_dead = |link: &&Link| rules.untagged && !reach.manifests.contains(&link.digest);
    let history = tree.tags.iter().flat_map(|tag| &tag.index);
    let history = history.filter(|link| is_bare || is_dead(link));
    let tags = tree.tags.iter().filter_map(|tag| tag.current.as_ref()).filter(|_| is_bare);
    let links = layers.chain(history).map(|link| &link.listed);
    presumed(odd.chain(links).chain(tags))
}

/// The keys of presumed entries of tags: who judges tags has to know when they were written.
pub(crate) fn of_tags(tree: &RepositoryTree) -> Vec<Box<str>> {
    let history = tree.tags.iter().flat_map(|tag| &tag.index).map(|link| &link.listed);
    presumed(tree.tags.iter().filter_map(|tag| tag.current.as_ref()).chain(history))
}

/// Whether what lies in closed folders, the tags, could keep more than `reach` does.
///
/// It cannot where every manifest is a root and every layer link is needed: whatever a tag points to, a client can pull
/// nothing from the repository that is not kept. In a repository that is pinned, everything that any key names counts
/// (G4).
pub(crate) fn is_open_needed(tree: &RepositoryTree, reach: &Reach, rules: &Rules) -> bool {
    let is_whole = || tree.layers.iter().all(|link| reach.needed.contains(&link.digest));
    let is_settled =
        !rules.untagged && !reach.is_pinned() && !tree.revisions.is_empty() && is_whole();
    !tree.closed.is_empty() && !is_settled
}

fn presumed<'t>(entries: impl Iterator<Item = &'t Listed>) -> Vec<Box<str>> {
    entries
        .filter_map(|listed| match listed {
            Listed::Presumed(key) => Some((**key).into()),
            Listed::Object(_) | Listed::Closed(_) => None,
        })
        .collect()
}

/// Takes in what was seen of the keys of [`unlooked`]. Whether that changes what the repository keeps alive: an odd link
/// was among them, or a link that is too young to judge, or one that no registry writes.
pub(crate) fn settle(
    tree: &mut RepositoryTree,
    looked: &HashMap<Box<str>, Option<Object>>,
    rules: &Rules,
) -> bool {
    let had_odd = tree.odd_links.iter().any(|odd| looked.contains_key(odd.key()));
    tree.settle(looked);
    let mut layers = tree.layers.iter().filter(|link| looked.contains_key(link.listed.key()));
    had_odd || layers.any(|link| reach::is_young(link, rules) || links::is_irregular(link))
}
