//! Hashing content that comes in pieces.

use sha2::Digest as _;

use crate::{Algorithm, Digest};

/// The digest of content that comes piece by piece.
#[derive(Clone, Debug)]
pub struct Digester(State);

#[derive(Clone, Debug)]
enum State {
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

impl Digester {
    /// Of no content yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha384 => State::Sha384(sha2::Sha384::new()),
            Algorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
        })
    }

    /// Adds what comes next.
    pub fn update(&mut self, piece: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(piece),
            State::Sha384(state) => state.update(piece),
            State::Sha512(state) => state.update(piece),
        }
    }

    /// The digest of all that was added.
    #[must_use]
    pub fn finish(self) -> Digest {
        let mut bytes = [0; 64];
        let algorithm = match self.0 {
            State::Sha256(state) => {
                bytes[..32].copy_from_slice(&state.finalize());
                Algorithm::Sha256
            }
            State::Sha384(state) => {
                bytes[..48].copy_from_slice(&state.finalize());
                Algorithm::Sha384
            }
            State::Sha512(state) => {
                bytes.copy_from_slice(&state.finalize());
                Algorithm::Sha512
            }
        };
        Digest::from_padded(algorithm, bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_hash_to_what_the_whole_does(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6),
        ) {
            for algorithm in Algorithm::ALL {
                let mut digester = Digester::new(algorithm);
                for piece in &pieces {
                    digester.update(piece);
                }
                prop_assert_eq!(digester.finish(), Digest::of(algorithm, &pieces.concat()));
            }
        }
    }
}
