//! Segments: the rows of a stage, together or by shard.

use std::fmt;
use std::path::{Path, PathBuf};

use registry::Shard;
use serde::{Deserialize, Serialize};

use crate::{Damage, Stage};

/// Which rows of its stage a segment holds.
///
/// A small stage is one segment: creating 256 files takes an ordinary disk longer than listing a small registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// All of them, ordered by shard; at most [`Part::SMALL_STAGE`].
    All,
    /// Those of one shard.
    Shard(Shard),
}

impl Part {
    /// The most rows of a stage that is one segment; with more it is one segment for each shard. Part of the format.
    pub const SMALL_STAGE: u64 = 1 << 16;

    /// Whether rows of `shard` belong here.
    #[must_use]
    pub fn holds(self, shard: Shard) -> bool {
        match self {
            Self::All => true,
            Self::Shard(own) => own == shard,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == ALL {
            return Some(Self::All);
        }
        let shard = hex(text, 2).and_then(|number| u8::try_from(number).ok())?;
        Some(Self::Shard(Shard(shard)))
    }
}

/// The name of [`Part::All`] in files and output.
const ALL: &str = "all";

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str(ALL),
            Self::Shard(shard) => shard.fmt(f),
        }
    }
}

/// One file of rows: what goes in one stage, or in one shard of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// When its rows are swept.
    pub stage: Stage,
    /// Which rows of the stage it holds.
    pub part: Part,
    /// Number of rows; at least one.
    pub rows: u64,
    /// Bytes that its rows free.
    pub bytes: u64,
    /// Size of the file.
    pub file_bytes: u64,
    /// XXH3-64 of the file.
    pub xxh3: u64,
}

impl Segment {
    /// The file, relative to the plan's directory.
    #[must_use]
    pub fn file(&self) -> String {
        file_of(self.stage, self.part)
    }

    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(self.file())
    }
}

pub(crate) fn file_of(stage: Stage, part: Part) -> String {
    format!("{}/{part}.parquet", stage.name())
}

/// A segment as it stands in `plan.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SegmentEntry {
    stage: String,
    part: String,
    rows: u64,
    bytes: u64,
    file: String,
    file_bytes: u64,
    xxh3: String,
}

impl From<&Segment> for SegmentEntry {
    fn from(segment: &Segment) -> Self {
        Self {
            stage: segment.stage.name().to_owned(),
            part: segment.part.to_string(),
            rows: segment.rows,
            bytes: segment.bytes,
            file: segment.file(),
            file_bytes: segment.file_bytes,
            xxh3: format!("{:016x}", segment.xxh3),
        }
    }
}

impl SegmentEntry {
    pub(crate) fn parse(&self) -> Result<Segment, Damage> {
        let damage = |what| Damage::Entry { file: self.file.clone(), what };
        let stage = Stage::ALL.into_iter().find(|stage| stage.name() == self.stage);
        let segment = Segment {
            stage: stage.ok_or_else(|| damage("names an unknown stage"))?,
            part: Part::parse(&self.part).ok_or_else(|| damage("names no part"))?,
            rows: self.rows,
            bytes: self.bytes,
            file_bytes: self.file_bytes,
            xxh3: hex(&self.xxh3, 16).ok_or_else(|| damage("has no checksum"))?,
        };
        // The path is never taken from the header, so that a plan reaches no file outside its directory.
        if self.file != segment.file() {
            return Err(damage("lies elsewhere than its stage and part say"));
        }
        match (segment.part, segment.rows) {
            (_, 0) => Err(damage("has no rows")),
            // Readers may hold a small stage in memory (G12).
            (Part::All, rows) if rows > Part::SMALL_STAGE => {
                Err(damage("has more rows than a small stage"))
            }
            _ => Ok(segment),
        }
    }
}

fn hex(text: &str, digits: usize) -> Option<u64> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_hex && text.len() == digits { u64::from_str_radix(text, 16).ok() } else { None }
}
