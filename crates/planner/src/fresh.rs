//! Links written since a run began, as a set that two listings can compare.

use registry::Timestamp;
use serde::{Deserialize, Serialize};
use store::Object;

/// Which links were written at or after an instant: how many, and the exclusive or of their keys' hashes.
///
/// Two listings whose sets are equal saw the same fresh links (but for a chance of 2⁻⁶⁴): nobody pushed in between,
/// because every push writes links, also where they were there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshLinks {
    /// How many.
    pub count: u64,
    /// Hashes of their keys, combined.
    pub keys: u64,
}

impl FreshLinks {
    /// Takes in a link, where it is fresh.
    pub fn see(&mut self, link: &Object, since: Timestamp) {
        if link.modified >= since {
            self.count += 1;
            self.keys ^= xxhash_rust::xxh3::xxh3_64(link.key.as_bytes());
        }
    }

    /// Adds what another part of the listing saw; in any order.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.keys ^= other.keys;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(key: &str, second: i64) -> Object {
        let modified = Timestamp::from_seconds(second);
        Object { key: key.into(), size: 71, modified, etag: None }
    }

    fn seen(links: &[(&str, i64)]) -> FreshLinks {
        let mut fresh = FreshLinks::default();
        for (key, second) in links {
            fresh.see(&link(key, *second), Timestamp::from_seconds(10));
        }
        fresh
    }

    #[test]
    fn only_what_was_written_since_makes_a_difference() {
        assert_eq!(seen(&[("a", 9), ("b", 10)]), seen(&[("b", 11)]));
        assert_ne!(seen(&[("a", 9)]), seen(&[("a", 10)]), "written again");
        assert_ne!(seen(&[("a", 10)]), seen(&[("b", 10)]), "one gone, another new");
        let mut halves = seen(&[("a", 10)]);
        halves.merge(seen(&[("b", 12)]));
        assert_eq!(halves, seen(&[("b", 12), ("a", 10)]));
    }
}
