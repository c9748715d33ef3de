//! Segments: the rows of one stage and shard.

use std::path::{Path, PathBuf};

use registry::Shard;
use serde::{Deserialize, Serialize};

use crate::{Damage, Stage};

/// One file of rows: what goes in one stage, of one shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// When its rows are swept.
    pub stage: Stage,
    /// The shard that all of its rows belong to.
    pub shard: Shard,
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
        file_of(self.stage, self.shard)
    }

    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(self.file())
    }
}

pub(crate) fn file_of(stage: Stage, shard: Shard) -> String {
    format!("{}/{shard}.parquet", stage.name())
}

/// A segment as it stands in `plan.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SegmentEntry {
    stage: String,
    shard: String,
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
            shard: segment.shard.to_string(),
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
            shard: Shard(
                hex(&self.shard, 2).and_then(to_byte).ok_or_else(|| damage("names no shard"))?,
            ),
            rows: self.rows,
            bytes: self.bytes,
            file_bytes: self.file_bytes,
            xxh3: hex(&self.xxh3, 16).ok_or_else(|| damage("has no checksum"))?,
        };
        // The path is never taken from the header, so that a plan reaches no file outside its directory.
        if self.file != segment.file() {
            return Err(damage("lies elsewhere than its stage and shard say"));
        }
        if self.rows == 0 { Err(damage("has no rows")) } else { Ok(segment) }
    }
}

fn to_byte(number: u64) -> Option<u8> {
    u8::try_from(number).ok()
}

fn hex(text: &str, digits: usize) -> Option<u64> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_hex && text.len() == digits { u64::from_str_radix(text, 16).ok() } else { None }
}
