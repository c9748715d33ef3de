//! Edges as bytes: half of what they would take otherwise, and just what is remembered of a manifest on disk.
//!
//! ```text
//! each edge: role | algorithm << 2 | target << 4 (1 byte), the bytes of its digest
//! ```
//! The target is the number of a media type, or 0 where the descriptor names none that is a manifest's.

use std::iter::FusedIterator;
use std::sync::Arc;

use crate::{Algorithm, Digest, Edge, MediaType, Role};

/// What most edges take: all whose digest is a SHA-256.
const USUAL: usize = 1 + Algorithm::Sha256.length();

/// Edges in the order in which they came, each once where it came twice in a row.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Packer {
    bytes: Vec<u8>,
    /// Where the last of them starts.
    last: usize,
}

impl Packer {
    /// One with room for about so many edges.
    pub(super) fn with_room(edges: usize) -> Self {
        Self { bytes: Vec::with_capacity(edges * USUAL), last: 0 }
    }

    pub(super) fn push(&mut self, edge: &Edge) {
        let start = self.bytes.len();
        let target = edge.target.map_or(0, MediaType::number);
        let algorithm = edge.digest.algorithm().number();
        self.bytes.push(role_number(edge.role) | algorithm << 2 | target << 4);
        self.bytes.extend_from_slice(edge.digest.as_bytes());
        if self.bytes[self.last..start] == self.bytes[start..] {
            self.bytes.truncate(start);
        } else {
            self.last = start;
        }
    }

    pub(super) fn finish(self) -> Packed {
        Packed(Arc::from(self.bytes))
    }
}

/// Packed edges: nothing but whole ones, which is why none gets lost where they are read (G4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed(Arc<[u8]>);

impl Packed {
    /// Takes bytes that were packed before; `None` for any others.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let mut edges = Edges { rest: bytes };
        while edges.next().is_some() {}
        edges.rest.is_empty().then(|| Self(bytes.into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn iter(&self) -> Edges<'_> {
        Edges { rest: &self.0 }
    }
}

/// The edges of a manifest, in the order in which it names them.
#[derive(Clone, Debug)]
pub struct Edges<'m> {
    rest: &'m [u8],
}

impl Iterator for Edges<'_> {
    type Item = Edge;

    fn next(&mut self) -> Option<Edge> {
        let (tag, rest) = self.rest.split_first()?;
        let algorithm = Algorithm::of_number(tag >> 2 & 3)?;
        let (digest, rest) = rest.split_at_checked(algorithm.length())?;
        let target = match tag >> 4 {
            0 => None,
            number => Some(MediaType::of_number(number)?),
        };
        let digest = Digest::from_bytes(algorithm, digest)?;
        self.rest = rest;
        Some(Edge { role: role_of(tag & 3), digest, target })
    }
}

// What is left of packed edges is no edge only where nothing is left.
impl FusedIterator for Edges<'_> {}

const fn role_number(role: Role) -> u8 {
    match role {
        Role::Config => 0,
        Role::Layer => 1,
        Role::Child => 2,
        Role::Subject => 3,
    }
}

/// The role of a number of two bits.
const fn role_of(number: u8) -> Role {
    match number {
        0 => Role::Config,
        1 => Role::Layer,
        2 => Role::Child,
        _ => Role::Subject,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edge() -> impl Strategy<Value = Edge> {
        let role = prop::sample::select(&[Role::Config, Role::Layer, Role::Child, Role::Subject]);
        let digest = (prop::sample::select(&Algorithm::ALL), 0..4u8);
        let target = prop::option::of((1..=6u8).prop_map(|n| MediaType::of_number(n).unwrap()));
        (role, digest, target).prop_map(|(role, (algorithm, content), target)| Edge {
            role,
            digest: Digest::of(algorithm, &[content]),
            target,
        })
    }

    fn packed(edges: &[Edge]) -> Packed {
        let mut packer = Packer::default();
        for edge in edges {
            packer.push(edge);
        }
        packer.finish()
    }

    proptest! {
        #[test]
        fn g4_edges_come_out_as_they_went_in(mut edges in prop::collection::vec(edge(), 0..20)) {
            let packed = packed(&edges);
            edges.dedup();
            prop_assert!(packed.iter().eq(edges));
            prop_assert_eq!(Packed::of(packed.as_bytes()), Some(packed));
        }

        #[test]
        fn g4_bytes_of_which_any_edge_would_get_lost_are_refused(
            edges in prop::collection::vec(edge(), 1..4),
            cut in any::<prop::sample::Index>(),
            tag in any::<u8>(),
        ) {
            let mut bytes = packed(&edges).as_bytes().to_vec();
            let ends: Vec<usize> = edges.iter().scan(0, |end, edge| {
                *end += 1 + edge.digest.as_bytes().len();
                Some(*end)
            }).collect();
            let end = cut.index(bytes.len());
            let is_whole = end == 0 || ends.contains(&end);
            prop_assume!(edges.windows(2).all(|pair| pair[0] != pair[1]));
            prop_assert_eq!(Packed::of(&bytes[..end]).is_some(), is_whole);
            bytes[0] = tag;
            if let Some(read) = Packed::of(&bytes) {
                let length: usize = read.iter().map(|edge| 1 + edge.digest.as_bytes().len()).sum();
                prop_assert_eq!(length, bytes.len());
            }
        }
    }
}
