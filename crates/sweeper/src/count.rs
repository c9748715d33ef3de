//! Counting objects and their bytes together.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// Objects, and the bytes they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub objects: u64,
    /// Their sizes, added up, as they were listed.
    pub bytes: u64,
}

impl Count {
    /// One object of `bytes`.
    #[must_use]
    pub const fn one(bytes: u64) -> Self {
        Self { objects: 1, bytes }
    }

    /// What remains without `other`; `None` where `other` is more than this.
    #[must_use]
    pub fn without(self, other: Self) -> Option<Self> {
        let objects = self.objects.checked_sub(other.objects)?;
        Some(Self { objects, bytes: self.bytes.checked_sub(other.bytes)? })
    }
}

// Saturating: sizes come from files that anybody may have written; a wrong sum breaks the balance, never the program.
impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            objects: self.objects.saturating_add(other.objects),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Count {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

/// What became of planned objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// The store said it deleted them.
    pub deleted: Count,
    /// Links that were broken and are written anew.
    pub rewritten: Count,
    /// They were not there any more, or not broken any more.
    pub already_gone: Count,
    /// Kept: written since they were listed, or held back because a reference to them could not be removed (G8).
    pub spared: Count,
    /// They could not be deleted.
    pub failed: Count,
}

impl Fates {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> Count {
        self.deleted + self.rewritten + self.already_gone + self.spared + self.failed
    }
}

impl AddAssign for Fates {
    fn add_assign(&mut self, other: Self) {
        self.deleted += other.deleted;
        self.rewritten += other.rewritten;
        self.already_gone += other.already_gone;
        self.spared += other.spared;
        self.failed += other.failed;
    }
}
