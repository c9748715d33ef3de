//! The store, the registry's cache, and what names what: all small enough for sets of bits.

use std::fmt;

/// A set of blobs, or of (repository, blob) pairs, by bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bits(pub(crate) u8);

impl Bits {
    pub(crate) fn has(self, bit: u8) -> bool {
        self.0 & (1 << bit) != 0
    }

    pub(crate) fn put(&mut self, bit: u8) {
        self.0 |= 1 << bit;
    }

    pub(crate) fn drop(&mut self, bit: u8) {
        self.0 &= !(1 << bit);
    }

    pub(crate) fn first(self) -> Option<u8> {
        (self.0 != 0).then(|| self.0.trailing_zeros().to_le_bytes()[0])
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn less(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn each(self) -> impl Iterator<Item = u8> {
        (0..8).filter(move |bit| self.has(*bit))
    }
}

/// Layers `X` and `Y`, manifests `M` and `N`.
pub(crate) const X: u8 = 0;
pub(crate) const Y: u8 = 1;
pub(crate) const M: u8 = 2;
pub(crate) const N: u8 = 3;
pub(crate) const BLOBS: std::ops::Range<u8> = 0..4;
pub(crate) const REPOSITORIES: std::ops::Range<u8> = 0..2;

pub(crate) fn is_manifest(blob: u8) -> bool {
    blob >= M
}

/// The bit of a link to `blob` in `repository`: a layer link, or a revision link of a manifest.
pub(crate) fn link(repository: u8, blob: u8) -> u8 {
    repository * 4 + blob
}

pub(crate) fn blobs(blobs: &[u8]) -> Bits {
    blobs.iter().fold(Bits::default(), |bits, blob| Bits(bits.0 | 1 << blob))
}

/// All links to any of `blobs`.
pub(crate) fn links_to(blobs: Bits) -> Bits {
    Bits(blobs.0 | blobs.0 << 4)
}

/// What `links` lead to.
pub(crate) fn targets(links: Bits) -> Bits {
    Bits((links.0 | links.0 >> 4) & 0b1111)
}

pub(crate) fn links_of(repository: u8) -> Bits {
    Bits(0b1111 << (repository * 4))
}

/// The objects, each atomic, and what the collector's record says of those it removed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Store {
    pub(crate) data: Bits,
    pub(crate) young_data: Bits,
    /// Data that was deleted and can be undone.
    pub(crate) trash: Bits,
    pub(crate) links: Bits,
    pub(crate) young_links: Bits,
    /// Tags `t-m`, by (repository, manifest).
    pub(crate) tags: Bits,
    /// Links that were taken and not given back.
    pub(crate) taken: Bits,
    /// Those of them that were written after they had been listed.
    pub(crate) overtaken: Bits,
}

impl Store {
    pub(crate) fn write_data(&mut self, blob: u8) {
        self.data.put(blob);
        self.young_data.put(blob);
    }

    pub(crate) fn write_link(&mut self, link: u8) {
        self.links.put(link);
        self.young_links.put(link);
    }

    pub(crate) fn remove_link(&mut self, link: u8) {
        self.links.drop(link);
        self.young_links.drop(link);
    }

    /// Takes a link, and looks at what was taken.
    pub(crate) fn take_link(&mut self, link: u8) {
        if self.links.has(link) {
            self.taken.put(link);
            if self.young_links.has(link) {
                self.overtaken.put(link);
            }
            self.remove_link(link);
        }
    }

    pub(crate) fn give_back_link(&mut self, link: u8) {
        self.write_link(link);
        self.taken.drop(link);
        self.overtaken.drop(link);
    }

    pub(crate) fn delete_data(&mut self, blob: u8) {
        if self.data.has(blob) {
            self.data.drop(blob);
            self.young_data.drop(blob);
            self.trash.put(blob);
        }
    }

    pub(crate) fn give_back_data(&mut self, blob: u8) {
        self.trash.drop(blob);
        self.data.put(blob);
    }

    /// What was removed of `blobs` goes for good.
    pub(crate) fn forget(&mut self, blobs: Bits) {
        self.trash = self.trash.less(blobs);
        self.taken = self.taken.less(links_to(blobs));
        self.overtaken = self.overtaken.less(links_to(blobs));
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "data {} trash {} links {} ",
            names(self.data),
            names(self.trash),
            pairs(self.links)
        )?;
        write!(f, "tags {} taken {} ", pairs(self.tags), pairs(self.taken))?;
        write!(f, "young: data {} links {}", names(self.young_data), pairs(self.young_links))
    }
}

fn names(blobs: Bits) -> String {
    blobs.each().map(|blob| ['X', 'Y', 'M', 'N', '?', '?', '?', '?'][usize::from(blob)]).collect()
}

fn pairs(links: Bits) -> String {
    links
        .each()
        .map(|link| {
            format!("{}{}", ['a', 'b'][usize::from(link / 4)], names(Bits(1 << (link % 4))))
        })
        .collect::<Vec<_>>()
        .join(",")
}

/// What the registry keeps descriptors in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CacheKind {
    /// Nothing.
    None,
    /// Shared by all processes, can be purged by the digest.
    Shared,
    /// In the one process of the registry; only a restart clears it, and requests under way start over.
    Process,
}

/// Descriptors: of blobs, and of blobs in repositories. An answer needs both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Cache {
    pub(crate) blobs: Bits,
    pub(crate) links: Bits,
}

impl Cache {
    pub(crate) fn knows(self, link: u8) -> bool {
        self.links.has(link) && self.blobs.has(link % 4)
    }

    pub(crate) fn fill(&mut self, link: u8) {
        self.links.put(link);
        self.blobs.put(link % 4);
    }

    pub(crate) fn purge(&mut self, blob: u8) {
        self.blobs.drop(blob);
        self.links = self.links.less(links_to(Bits(1 << blob)));
    }
}
