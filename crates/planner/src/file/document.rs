//! `plan.json`: versioned, and bound to its content by its id.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::file::segment::SegmentEntry;
use crate::file::{
    ETAGS, FORMAT_MAJOR, Header, NEWEST, OLDEST_MAJOR, PLAN_FILE, PlanId, Segment, Totals, USUAL,
};
use crate::{Damage, PlanError, RowKind, Stage};

/// The whole of `plan.json`.
#[derive(Serialize, Deserialize)]
struct Document {
    format: Format,
    id: String,
    #[serde(flatten)]
    header: Header,
    totals: Totals,
    /// Whether its rows have entity tags.
    #[serde(default, skip_serializing_if = "is_false")]
    etags: bool,
    segments: Vec<SegmentEntry>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
const fn is_false(is: &bool) -> bool {
    !*is
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Format {
    major: u32,
    minor: u32,
}

/// What `plan.json` says, checked against itself.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) id: PlanId,
    pub(crate) header: Header,
    pub(crate) totals: Totals,
    /// By stage, then part; each at most once.
    pub(crate) segments: Vec<Segment>,
    /// Whether rows of objects may have entity tags.
    pub(crate) has_etags: bool,
}

/// The text of `plan.json`.
pub(crate) fn render(
    header: &Header,
    totals: Totals,
    segments: &[Segment],
    has_etags: bool,
) -> Result<String, serde_json::Error> {
    let newest = [RowKind::MultipartUpload, RowKind::BrokenLink];
    let has_newest = newest.into_iter().any(|kind| totals.of(kind).count > 0);
    let is_new = has_newest || header.keep_list.is_some();
    let (major, minor) = if is_new { NEWEST } else { USUAL };
    let minor = minor + if has_etags { ETAGS } else { 0 };
    let mut document = Document {
        format: Format { major, minor },
        id: String::new(),
        header: header.clone(),
        totals,
        etags: has_etags,
        segments: segments.iter().map(SegmentEntry::from).collect(),
    };
    document.id = id_of(serde_json::to_value(&document)?).to_string();
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Reads the bytes of a `plan.json`; never panics, whatever they are.
///
/// # Errors
/// [`PlanError::NotAPlan`] where they are somebody else's JSON, [`PlanError::OtherFormat`], [`PlanError::Damaged`].
pub fn parse_header(bytes: &[u8]) -> Result<Header, PlanError> {
    parse(bytes, Path::new("")).map(|contents| contents.header)
}

/// Reads `plan.json` of the plan in `dir`; the version comes first, so that another one is never called damaged.
pub(crate) fn parse(bytes: &[u8], dir: &Path) -> Result<Contents, PlanError> {
    let file = dir.join(PLAN_FILE);
    let json =
        |error: serde_json::Error| PlanError::damaged(&file, Damage::Json(error.to_string()));
    let value: Value = serde_json::from_slice(bytes).map_err(json)?;
    check_format(&value, dir)?;
    let document = Document::deserialize(&value).map_err(json)?;
    contents(document, value).map_err(|what| PlanError::damaged(&file, what))
}

fn check_format(value: &Value, dir: &Path) -> Result<(), PlanError> {
    let format = value.get("format").and_then(|format| Format::deserialize(format).ok());
    let Some(Format { major, minor }) = format else {
        return Err(PlanError::NotAPlan { dir: dir.to_owned() });
    };
    if (OLDEST_MAJOR..=FORMAT_MAJOR).contains(&major) {
        return Ok(());
    }
    let written_by =
        value.get("created_by").and_then(Value::as_str).unwrap_or("of unknown version");
    Err(PlanError::OtherFormat {
        written_by: written_by.to_owned(),
        major,
        minor,
        reads: FORMAT_MAJOR,
    })
}

fn contents(document: Document, value: Value) -> Result<Contents, Damage> {
    let id = id_of(value);
    if document.id != id.to_string() {
        return Err(Damage::Id);
    }
    let segments =
        document.segments.iter().map(SegmentEntry::parse).collect::<Result<Vec<_>, _>>()?;
    let place = |segment: &Segment| (segment.stage, segment.part);
    if let Some(pair) = segments.windows(2).find(|pair| place(&pair[0]) >= place(&pair[1])) {
        return Err(Damage::Entry {
            file: pair[1].file(),
            what: "is listed twice or out of order",
        });
    }
    check_totals(&document.totals, &segments)?;
    check_keep_list(&document)?;
    let Document { header, totals, etags: has_etags, .. } = document;
    Ok(Contents { id, header, totals, segments, has_etags })
}

/// By a keep list only blobs go: what its links say, a database may know better (G4).
fn check_keep_list(document: &Document) -> Result<(), Damage> {
    let goes = |stage: &Stage| document.totals.of_stage(*stage).count > 0;
    let mut others = Stage::ALL.into_iter().filter(|stage| *stage != Stage::Blobs);
    match others.find(goes).filter(|_| document.header.keep_list.is_some()) {
        Some(stage) => Err(Damage::NotOnlyBlobs(stage)),
        None => Ok(()),
    }
}

/// G10: what the plan says it deletes is what its segments hold.
fn check_totals(totals: &Totals, segments: &[Segment]) -> Result<(), Damage> {
    for stage in Stage::ALL {
        let of_stage = || segments.iter().filter(|segment| segment.stage == stage);
        let rows: u128 = of_stage().map(|segment| u128::from(segment.rows)).sum();
        let bytes: u128 = of_stage().map(|segment| u128::from(segment.bytes)).sum();
        let total = totals.of_stage(stage);
        // Totals of bytes saturate.
        if rows != total.count.into() || bytes.min(u64::MAX.into()) != total.bytes.into() {
            return Err(Damage::Totals(stage));
        }
    }
    Ok(())
}

/// Hashes the header without its id. Over the JSON value, not the struct, so that fields of a newer minor version count.
pub(crate) fn id_of(mut value: Value) -> PlanId {
    if let Some(id) = value.get_mut("id") {
        *id = Value::String(String::new());
    }
    PlanId::of(sorted(value).to_string().as_bytes())
}

/// The same value with the keys of every object in byte order, however the JSON library keeps its maps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        scalar => scalar,
    }
}
