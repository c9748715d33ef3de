//! What a journal says, as bytes.
//!
//! Numbers are LEB128 unless a width is named. A record is its kind, one byte, then its fields:
//! ```text
//! 0 header    format, plan id (length, UTF-8)        its shape is the same in every format
//! 1 intent    batch, time, number of spans, spans    span: segment, first ordinal, length
//! 2 outcome   batch, time, number of runs, runs      run: span, kind, fate, bytes
//! 3 ended     stage
//! 4 finished  deleted, gone, spared                  each: objects, bytes
//! 5 began     time, whether the trash is used        milliseconds since 1970 by the store's clock
//! 6 markers   batch, number of rows, rows            row: segment, ordinal, version id (length, UTF-8)
//! 7 undone
//! 8 finished  deleted, gone, spared, rewritten       where links were written anew
//! ```
//! The time of an intent or outcome is in seconds since the sweep began.

use planner::{RowKind, Stage};
use registry::Timestamp;
use store::ErrorKind;

use super::bytes::{Bytes, put_number};
use crate::{Count, Fates};

/// The version of the format written here, and the only one read.
pub(crate) const FORMAT: u64 = 2;

/// Consecutive rows of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The position of the segment in its plan.
    pub(crate) segment: u32,
    /// The ordinal of the first row in its segment.
    pub(crate) start: u32,
    /// How many rows, at least one; `start + length` fits 32 bits.
    pub(crate) length: u32,
}

impl Span {
    /// The ordinal after the last.
    pub(crate) const fn end(self) -> u32 {
        self.start + self.length
    }

    /// Whether it is about the row that a marker hides.
    pub(crate) fn holds(&self, marked: &Marked) -> bool {
        self.segment == marked.segment && (self.start..self.end()).contains(&marked.ordinal)
    }

    /// Whether `next` continues this span.
    pub(crate) const fn meets(self, next: Self) -> bool {
        self.segment == next.segment && self.end() == next.start
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Deleted,
    Trashed,
    Rewritten,
    Gone,
    Spared,
    Failed(ErrorKind),
}

/// Consecutive rows of one kind with one fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) span: Span,
    pub(crate) kind: RowKind,
    pub(crate) fate: Fate,
    /// The sizes of the rows, added up.
    pub(crate) bytes: u64,
}

impl Run {
    /// Whether `next` is the next row with the same fate.
    pub(crate) fn is_continued_by(&self, next: &Self) -> bool {
        self.span.meets(next.span) && self.kind == next.kind && self.fate == next.fate
    }
}

/// One entry of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// The first, and only the first.
    Header { format: u64, plan: Box<str> },
    /// These rows are about to be deleted; durable before anything is asked of the store.
    Intent { batch: u64, after: u64, spans: Vec<Span> },
    /// What became of the rows of an intent: the same rows in the same order.
    Outcome { batch: u64, after: u64, runs: Vec<Run> },
    /// Every row of the stage has a final outcome.
    Ended(Stage),
    /// Every row of the plan has a final outcome; nothing but an undo follows.
    Finished(Fates),
    /// A sweep began, at this time by the store's clock.
    Began { now: Timestamp, trash: bool },
    /// The delete markers that the request of an intent made; before its outcome.
    Markers { batch: u64, markers: Vec<Marked> },
    /// What was deleted is about to be taken back; nothing follows.
    Undone,
}

/// A row that is hidden by a delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marked {
    /// The position of its segment in the plan.
    pub(crate) segment: u32,
    /// Its ordinal in the segment.
    pub(crate) ordinal: u32,
    /// The marker's version id.
    pub(crate) id: Box<str>,
}

/// What cannot be read as a record.
pub(crate) type Nonsense = &'static str;

/// The codes of failures. Part of the format: only ever appended to.
const FAILURES: [ErrorKind; 12] = [
    ErrorKind::Fatal,
    ErrorKind::NotFound,
    ErrorKind::NoContainer,
    ErrorKind::Denied,
    ErrorKind::Credentials,
    ErrorKind::Throttled,
    ErrorKind::Transient,
    ErrorKind::Unreachable,
    ErrorKind::WrongAddress,
    ErrorKind::TooLarge,
    ErrorKind::Malformed,
    ErrorKind::Stopped,
];
const FAILED: u64 = 4;
/// Far from the failures, of which there may be more.
const REWRITTEN: u64 = 64;

/// The codes of kinds and stages. Part of the format, only ever appended to.
const KINDS: [RowKind; RowKind::ALL.len()] = [
    RowKind::TagLink,
    RowKind::RevisionLink,
    RowKind::LayerLink,
    RowKind::Upload,
    RowKind::Blob,
    RowKind::MultipartUpload,
    RowKind::BrokenLink,
];
const STAGES: [Stage; Stage::ALL.len()] =
    [Stage::Tags, Stage::Revisions, Stage::Layers, Stage::Blobs, Stage::Multipart, Stage::Repairs];

impl Fate {
    /// 0 deleted, 1 gone, 2 spared, 3 deleted to the trash, from 4 on the failures, 64 written anew.
    fn code(self) -> u64 {
        match self {
            Self::Deleted => 0,
            Self::Gone => 1,
            Self::Spared => 2,
            Self::Trashed => 3,
            Self::Rewritten => REWRITTEN,
            Self::Failed(kind) => FAILED + position(&FAILURES, &kind),
        }
    }

    fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            0 => Self::Deleted,
            1 => Self::Gone,
            2 => Self::Spared,
            3 => Self::Trashed,
            REWRITTEN => Self::Rewritten,
            _ => Self::Failed(at(&FAILURES, code - FAILED)?),
        })
    }
}

/// The first entry stands for everything that is not listed.
fn position<T: PartialEq>(table: &[T], value: &T) -> u64 {
    table.iter().position(|entry| entry == value).map_or(0, |position| position as u64)
}

fn at<T: Copy>(table: &[T], position: u64) -> Option<T> {
    table.get(usize::try_from(position).ok()?).copied()
}

impl Record {
    /// The bytes of the record.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Header { format, plan } => {
                out.push(0);
                put_number(&mut out, *format);
                put_text(&mut out, plan);
            }
            Self::Intent { batch, after, spans } => {
                out.push(1);
                put_number(&mut out, *batch);
                put_number(&mut out, *after);
                put_list(&mut out, spans, put_span);
            }
            Self::Outcome { batch, after, runs } => {
                out.push(2);
                put_number(&mut out, *batch);
                put_number(&mut out, *after);
                put_list(&mut out, runs, put_run);
            }
            Self::Ended(stage) => {
                out.push(3);
                put_number(&mut out, position(&STAGES, stage));
            }
            Self::Finished(fates) => {
                let has_rewritten = fates.rewritten != Count::default();
                out.push(if has_rewritten { 8 } else { 4 });
                put_totals(&mut out, fates, has_rewritten);
            }
            Self::Began { now, trash } => {
                out.push(5);
                put_number(&mut out, u64::try_from(now.as_millis()).unwrap_or(0));
                put_number(&mut out, u64::from(*trash));
            }
            Self::Markers { batch, markers } => {
                out.push(6);
                put_number(&mut out, *batch);
                put_list(&mut out, markers, put_marked);
            }
            Self::Undone => out.push(7),
        }
        out
    }

    /// Reads the bytes of exactly one record.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Nonsense> {
        let mut bytes = Bytes(bytes);
        let record = match bytes.byte()? {
            0 => Self::Header { format: bytes.number()?, plan: bytes.text()?.into() },
            1 => Self::Intent {
                batch: bytes.number()?,
                after: bytes.number()?,
                spans: list(&mut bytes, span)?,
            },
            2 => Self::Outcome {
                batch: bytes.number()?,
                after: bytes.number()?,
                runs: list(&mut bytes, run)?,
            },
            3 => Self::Ended(at(&STAGES, bytes.number()?).ok_or("no such stage")?),
            4 => Self::Finished(totals(&mut bytes)?),
            8 => {
                let fates = totals(&mut bytes)?;
                Self::Finished(Fates { rewritten: count(&mut bytes)?, ..fates })
            }
            5 => Self::Began { now: time(bytes.number()?)?, trash: bytes.number()? != 0 },
            6 => Self::Markers { batch: bytes.number()?, markers: list(&mut bytes, marked)? },
            7 => Self::Undone,
            _ => return Err("no such kind of record"),
        };
        if bytes.0.is_empty() { Ok(record) } else { Err("a record that is too long") }
    }
}

/// The format that the bytes of a header name, whatever else that format puts there.
pub(crate) fn header_format(bytes: &[u8]) -> Option<u64> {
    let mut bytes = Bytes(bytes);
    if bytes.byte().ok()? == 0 { bytes.number().ok() } else { None }
}

fn put_list<T>(out: &mut Vec<u8>, list: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    put_number(out, list.len() as u64);
    for entry in list {
        put(out, entry);
    }
}

fn put_totals(out: &mut Vec<u8>, fates: &Fates, has_rewritten: bool) {
    let rewritten = has_rewritten.then_some(fates.rewritten);
    for count in [fates.deleted, fates.already_gone, fates.spared].into_iter().chain(rewritten) {
        put_number(out, count.objects);
        put_number(out, count.bytes);
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_marked(out: &mut Vec<u8>, marked: &Marked) {
    put_number(out, u64::from(marked.segment));
    put_number(out, u64::from(marked.ordinal));
    put_text(out, &marked.id);
}

fn put_span(out: &mut Vec<u8>, span: &Span) {
    for number in [span.segment, span.start, span.length] {
        put_number(out, u64::from(number));
    }
}

fn put_run(out: &mut Vec<u8>, run: &Run) {
    put_span(out, &run.span);
    put_number(out, position(&KINDS, &run.kind));
    put_number(out, run.fate.code());
    put_number(out, run.bytes);
}

fn list<T>(
    bytes: &mut Bytes<'_>,
    read: impl Fn(&mut Bytes<'_>) -> Result<T, Nonsense>,
) -> Result<Vec<T>, Nonsense> {
    let length = bytes.number()?;
    if length == 0 {
        return Err("an empty list");
    }
    // Grown as read, never reserved: the length is a claim.
    (0..length).map(|_| read(bytes)).collect()
}

fn word(bytes: &mut Bytes<'_>) -> Result<u32, Nonsense> {
    u32::try_from(bytes.number()?).map_err(|_| "an ordinal of more than 32 bits")
}

fn time(millis: u64) -> Result<Timestamp, Nonsense> {
    i64::try_from(millis).map(Timestamp::from_millis).map_err(|_| "a time of more than 63 bits")
}

fn marked(bytes: &mut Bytes<'_>) -> Result<Marked, Nonsense> {
    Ok(Marked { segment: word(bytes)?, ordinal: word(bytes)?, id: bytes.text()?.into() })
}

fn span(bytes: &mut Bytes<'_>) -> Result<Span, Nonsense> {
    let span = Span { segment: word(bytes)?, start: word(bytes)?, length: word(bytes)? };
    if span.length == 0 || span.start.checked_add(span.length).is_none() {
        return Err("an impossible span");
    }
    Ok(span)
}

fn run(bytes: &mut Bytes<'_>) -> Result<Run, Nonsense> {
    Ok(Run {
        span: span(bytes)?,
        kind: at(&KINDS, bytes.number()?).ok_or("no such kind of row")?,
        fate: Fate::from_code(bytes.number()?).ok_or("no such fate")?,
        bytes: bytes.number()?,
    })
}

fn count(bytes: &mut Bytes<'_>) -> Result<Count, Nonsense> {
    Ok(Count { objects: bytes.number()?, bytes: bytes.number()? })
}

fn totals(bytes: &mut Bytes<'_>) -> Result<Fates, Nonsense> {
    Ok(Fates {
        deleted: count(bytes)?,
        already_gone: count(bytes)?,
        spared: count(bytes)?,
        ..Fates::default()
    })
}

#[cfg(test)]
mod tests;
