//! The verdict over a repository.

mod mend;

use std::collections::{BTreeMap, HashMap, HashSet};

use lister::{Link, TagTree};
use marker::{Known, SpillError, What};
use registry::{Algorithm, Digest, parse_link};

use crate::image::{BrokenImage, Fault, Part, Trouble};
use crate::repair::{Repair, Useless};
use crate::repository::Reference;
use crate::sight::Sight;
use crate::suspects::LinkText;
use crate::{Finding, Kind, Repository, Seen, Suspects};

/// What is wrong with a repository.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// All of it, each once.
    pub findings: Vec<Finding>,
    /// Images that cannot be pulled.
    pub images: Vec<BrokenImage>,
    /// What can be done about them, however young; nothing before a second look.
    pub repairs: Vec<Repair>,
    /// What has to be looked at before this may be believed; nothing after a second look.
    pub suspects: Suspects,
}

/// Findings by kind and key, with what is known beyond.
type Found = BTreeMap<(Kind, Box<str>), String>;

struct Judge<'a> {
    repository: &'a Repository<'a>,
    sight: Sight<'a>,
    found: Found,
    /// What manifests name.
    needed: HashSet<Digest>,
    /// Manifests that cannot be pulled.
    faults: BTreeMap<Digest, Fault>,
    images: Vec<BrokenImage>,
    repairs: Vec<Repair>,
}

impl Repository<'_> {
    /// What is wrong, as far as the listing tells; what is suspected only counts as wrong. With what a second look saw
    /// of the suspects, what is wrong.
    ///
    /// # Errors
    /// [`SpillError`] where it is not known which blobs are there.
    pub fn judge(&self, seen: Option<&Seen>) -> Result<Judgement, SpillError> {
        let mut judge = Judge {
            repository: self,
            sight: Sight::new(self, seen),
            found: Found::new(),
            needed: HashSet::new(),
            faults: BTreeMap::new(),
            images: Vec::new(),
            repairs: Vec::new(),
        };
        judge.judge_keys();
        judge.judge_links();
        judge.judge_manifests()?;
        judge.spread_faults();
        judge.judge_tags();
        judge.judge_layers()?;
        judge.judge_signatures()?;
        judge.mend_links()?;
        Ok(judge.end())
    }
}

fn add(found: &mut Found, kind: Kind, key: impl Into<Box<str>>, detail: impl Into<String>) {
    found.entry((kind, key.into())).or_insert_with(|| detail.into());
}

impl Judge<'_> {
    fn end(self) -> Judgement {
        let name = &self.repository.marked.tree.name;
        let findings = self.found.into_iter().map(|((kind, key), detail)| {
            let repository = Some(name.clone());
            Finding { kind, repository, key, detail: detail.into() }
        });
        Judgement {
            findings: findings.collect(),
            images: self.images,
            repairs: self.repairs,
            suspects: self.sight.suspects,
        }
    }

    /// What the keys alone say.
    fn judge_keys(&mut self) {
        let tree = &self.repository.marked.tree;
        if !tree.name.is_regular() {
            add(&mut self.found, Kind::IrregularName, tree.name.as_str(), "");
        }
        for (kind, entries) in [(Kind::OddLink, &tree.odd_links), (Kind::ForeignKey, &tree.foreign)]
        {
            for entry in entries {
                add(&mut self.found, kind, entry.key(), "");
            }
        }
    }

    fn judge_links(&mut self) {
        let tree = &self.repository.marked.tree;
        for link in tree.revisions.iter().chain(&tree.layers) {
            self.judge_link(link, Kind::BrokenLink);
        }
        let history = tree.tags.iter().flat_map(|tag| &tag.index);
        for link in history.chain(tree.signatures.iter().map(|signature| &signature.link)) {
            self.judge_link(link, Kind::BrokenHistory);
        }
    }

    fn judge_link(&mut self, link: &Link, kind: Kind) {
        if let Some(trouble) = self.sight.link(link) {
            self.add_broken_link(link.listed.key(), trouble, kind);
        }
    }

    fn add_broken_link(&mut self, key: &str, trouble: Trouble, kind: Kind) {
        let kind = if trouble == Trouble::Unreadable { Kind::Unreadable } else { kind };
        add(&mut self.found, kind, key, "");
    }

    /// What each manifest lacks of its own.
    fn judge_manifests(&mut self) -> Result<(), SpillError> {
        for (digest, known) in self.repository.manifests() {
            if let Some(link) = self.repository.aliased_revision(&digest) {
                add(&mut self.found, Kind::OddLink, link.listed.key(), "it names another manifest");
                continue;
            }
            let mut found = Found::new();
            let mut fault = self.own_fault(digest, known, &mut found);
            if let Known::Manifest(manifest) = known {
                for reference in self.repository.references(digest, manifest) {
                    let canonical = self.repository.canonical(&reference.digest);
                    self.needed.extend([reference.digest, canonical]);
                    fault = fault.or(self.judge_reference(&reference, &mut found)?);
                }
            }
            // Somebody may have deleted it meanwhile.
            let link = self.repository.manifest_link(&digest).map(|link| link.listed.key());
            if (fault.is_some() || !found.is_empty())
                && link.is_none_or(|key| self.sight.is_there(key))
            {
                self.found.append(&mut found);
                self.faults.extend(fault.map(|fault| (digest, fault)));
            }
        }
        Ok(())
    }

    /// What is wrong with a manifest itself.
    fn own_fault(&mut self, digest: Digest, known: &Known, found: &mut Found) -> Option<Fault> {
        let link = self.repository.manifest_link(&digest);
        let link = link.and_then(|link| self.sight.link(link));
        let trouble = self.sight.manifest(&digest, known);
        let key = self.repository.layout.blob(&digest);
        let is_told = self.repository.blobs.rotten.contains_key(&digest);
        match trouble {
            Some(Trouble::Missing) => add(found, Kind::MissingManifest, key, ""),
            Some(Trouble::Content) if !is_told => add(found, Kind::WrongContent, key, ""),
            Some(Trouble::Unreadable) if !is_told => add(found, Kind::Unreadable, key, ""),
            _ => {
                if let Known::Doubtful(what) = known
                    && let What::NotUnderstood { message, .. } = &**what
                {
                    add(found, Kind::UnknownManifest, key, &**message);
                }
            }
        }
        let fault =
            |trouble| Fault { trouble, part: Part::Manifest, digest: Some(digest), holder: None };
        link.or(trouble).map(fault)
    }

    /// What is wrong with what a manifest names. What its data is, not only whether it is there, was told of the blob.
    fn judge_reference(
        &mut self,
        reference: &Reference,
        found: &mut Found,
    ) -> Result<Option<Fault>, SpillError> {
        let Reference { holder, digest, part, size } = *reference;
        let link = self.sight.link_of(reference);
        if link == Some(Trouble::Unlinked) {
            let (kind, key) = if part == Part::Manifest {
                (Kind::UnlinkedManifest, self.repository.revision_key(&digest))
            } else {
                (Kind::UnlinkedBlob, self.repository.layer_key(&digest))
            };
            add(found, kind, key, format!("{} of {holder}", part.name()));
        }
        // Where the link of an alias is not right, nothing tells where its data would be.
        let is_known =
            self.sight.is_first() || link.is_none() || digest.algorithm() == Algorithm::Sha256;
        let mut blob = None;
        if part != Part::Manifest && is_known {
            let canonical = self.repository.canonical(&digest);
            blob = self.sight.blob(&canonical, size)?;
            self.add_blob(&canonical, blob, reference, found);
        }
        let fault = |trouble| Fault { trouble, part, digest: Some(digest), holder: Some(holder) };
        Ok(link.or(blob).map(fault))
    }

    fn add_blob(
        &mut self,
        digest: &Digest,
        trouble: Option<Trouble>,
        reference: &Reference,
        found: &mut Found,
    ) {
        let key = self.repository.layout.blob(digest);
        let named = format!("{} of {}", reference.part.name(), reference.holder);
        match trouble {
            Some(Trouble::Missing) => add(found, Kind::MissingBlob, key, named),
            Some(Trouble::Size) => {
                let size = |size: Option<u64>| size.map_or("?".to_owned(), |size| size.to_string());
                let (is, should) = (size(self.sight.size_of(digest)), size(reference.size));
                add(found, Kind::WrongSize, key, format!("{is} bytes, not {should}; {named}"));
            }
            _ => {}
        }
    }

    /// An index cannot be pulled whole where a child cannot: at any depth, without a limit.
    fn spread_faults(&mut self) {
        let mut parents = Vec::new();
        for (digest, known) in self.repository.manifests() {
            if let Known::Manifest(manifest) = known {
                let references = self.repository.references(digest, manifest);
                let children = references.iter().filter(|child| child.part == Part::Manifest);
                let children: Vec<Digest> = children.map(|child| child.digest).collect();
                parents.extend((!children.is_empty()).then_some((digest, children)));
            }
        }
        loop {
            let before = self.faults.len();
            for (parent, children) in &parents {
                let fault = children.iter().find_map(|child| self.faults.get(child)).copied();
                if let Some(fault) = fault.filter(|_| !self.faults.contains_key(parent)) {
                    let holder = fault.holder.or(Some(*parent));
                    self.faults.insert(*parent, Fault { holder, ..fault });
                }
            }
            if self.faults.len() == before {
                return;
            }
        }
    }

    fn judge_tags(&mut self) {
        let marked = self.repository.marked;
        let mut tags: HashMap<Digest, Vec<Box<str>>> = HashMap::new();
        for target in &marked.evidence.targets {
            let Some(tag) = marked.tree.tags.get(target.tag) else { continue };
            if self.repository.manifest_link(&target.digest).is_some() {
                tags.entry(target.digest).or_default().push(tag.name.clone());
                self.judge_dead_history(tag, target.digest);
            } else {
                self.judge_lost_target(&tag.name, target.digest);
            }
        }
        for tag in &marked.tree.tags {
            match &tag.current {
                Some(current) => self.judge_current(&tag.name, current.key()),
                None => self.judge_history(&tag.name, &tag.index),
            }
        }
        for (digest, fault) in std::mem::take(&mut self.faults) {
            let tags = tags.remove(&digest).unwrap_or_default();
            self.add_image(Some(digest), tags, fault);
        }
    }

    /// A tag whose target its repository does not link.
    fn judge_lost_target(&mut self, tag: &str, digest: Digest) {
        let current = self.repository.tag_key(tag);
        let is_lost = self.sight.is_absent(self.repository.revision_key(&digest));
        if self.sight.is_there(&current) && is_lost {
            add(&mut self.found, Kind::TagToNowhere, current, format!("points to {digest}"));
            let (trouble, part) = (Trouble::Unlinked, Part::Target);
            let fault = Fault { trouble, part, digest: Some(digest), holder: None };
            self.add_image(None, vec![tag.into()], fault);
        }
    }

    /// Entries in the history of a tag that lead nowhere, where the tag itself leads somewhere.
    fn judge_dead_history(&mut self, tag: &TagTree, target: Digest) {
        let Some(current) = &tag.current else { return };
        let repository = self.repository;
        let is_dead = |link: &&Link| {
            link.digest != target && repository.manifest_link(&link.digest).is_none()
        };
        for link in tag.index.iter().filter(is_dead) {
            let is_lost = self.sight.is_absent(repository.revision_key(&link.digest))
                && self.sight.is_absent(repository.layer_key(&link.digest));
            let is_there =
                [current.key(), link.listed.key()].into_iter().all(|key| self.sight.is_there(key));
            if is_lost && is_there {
                let detail = format!("names {}", link.digest);
                add(&mut self.found, Kind::DeadHistory, link.listed.key(), detail);
                if self.is_whole(current, &target) {
                    self.remove(link, Useless::History);
                }
            }
        }
    }

    /// A tag whose link does not tell its target.
    fn judge_current(&mut self, tag: &str, key: &str) {
        let is_right = |text: &LinkText| match text {
            LinkText::Text(text) => parse_link(text).is_ok(),
            LinkText::Gone => true,
            LinkText::Unreadable => false,
        };
        if let Some(trouble) = self.sight.text(key, is_right) {
            self.add_broken_link(key, trouble, Kind::BrokenLink);
            let fault = Fault { trouble, part: Part::Target, digest: None, holder: None };
            self.add_image(None, vec![tag.into()], fault);
        }
    }

    /// A tag of which only the history is left.
    fn judge_history(&mut self, tag: &str, history: &[Link]) {
        let Some(first) = history.first().map(|link| link.listed.key()) else { return };
        let is_lost = self.sight.is_absent(self.repository.tag_key(tag));
        if self.sight.is_there(first) && is_lost {
            add(&mut self.found, Kind::TagWithoutTarget, first, "");
        }
    }

    /// Layers that no manifest names. Where a manifest is not known, it may name them (G4).
    fn judge_layers(&mut self) -> Result<(), SpillError> {
        let is_uncertain = self.repository.is_uncertain();
        for link in &self.repository.marked.tree.layers {
            let is_manifest = self.repository.marked.evidence.manifests.contains_key(&link.digest);
            if self.needed.contains(&link.digest) || is_manifest {
                continue;
            }
            let leads_nowhere = self.leads_nowhere(link)?;
            if leads_nowhere && is_uncertain {
                let key = self.repository.layout.blob(&self.repository.canonical(&link.digest));
                add(&mut self.found, Kind::MissingBlob, key, "a manifest may name it");
            } else if leads_nowhere {
                add(&mut self.found, Kind::DanglingLayer, link.listed.key(), "");
            }
            if (leads_nowhere || self.would_lead_nowhere(link)?)
                && !is_uncertain
                && !self.repository.names(&link.digest)
            {
                self.remove(link, Useless::Layer);
            }
        }
        Ok(())
    }

    fn judge_signatures(&mut self) -> Result<(), SpillError> {
        for signature in &self.repository.marked.tree.signatures {
            if self.leads_nowhere(&signature.link)? {
                let key = signature.link.listed.key();
                add(&mut self.found, Kind::DanglingSignature, key, "");
            }
        }
        Ok(())
    }

    /// Whether a link that is right leads to data that is not there.
    fn leads_nowhere(&mut self, link: &Link) -> Result<bool, SpillError> {
        let is_right = self.sight.link(link).is_none();
        let canonical = self.repository.canonical(&link.digest);
        let is_missing = self.sight.blob(&canonical, None)? == Some(Trouble::Missing);
        Ok(is_missing && self.sight.is_there(link.listed.key()) && is_right)
    }

    fn add_image(&mut self, digest: Option<Digest>, tags: Vec<Box<str>>, fault: Fault) {
        let repository = self.repository.marked.tree.name.clone();
        self.images.push(BrokenImage { repository, digest, tags, fault });
    }
}
