//! Rows as columns: the Parquet schema, and the way there and back.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::reader::RowGroupReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, SchemaDescriptor, TypePtr};
use registry::{RepositoryName, Timestamp};

use crate::{Damage, PlanError, Reason, Row, RowDamage, RowKind, Stage};

/// The columns of a segment, in the order in which `show --format csv` has them too.
pub(crate) const SCHEMA: &str = "message plan {
    REQUIRED BYTE_ARRAY kind (UTF8);
    OPTIONAL BYTE_ARRAY repository (UTF8);
    OPTIONAL BYTE_ARRAY digest (UTF8);
    REQUIRED BYTE_ARRAY key (UTF8);
    REQUIRED INT64 bytes;
    REQUIRED INT64 last_modified (TIMESTAMP(MILLIS,true));
    REQUIRED BYTE_ARRAY reason (UTF8);
    OPTIONAL BYTE_ARRAY rule (UTF8);
}";

/// The last column, of multipart uploads alone; format 3.
const UPLOAD: &str = "    REQUIRED BYTE_ARRAY upload (UTF8);\n}";

/// How many columns there are before it.
const COLUMNS: usize = 8;

/// How many of the columns format 1 has: all but `rule`.
const OLDEST_COLUMNS: usize = 7;

/// Columns whose few values repeat.
const DICTIONARY: [&str; 4] = ["kind", "repository", "reason", "rule"];

/// The most rows that a row group may have: a reader holds one group in memory (G12). Writers stay far below.
const GROUP_LIMIT: i64 = 1 << 20;

/// What every segment is written with.
#[derive(Clone)]
pub(crate) struct Encoding {
    schema: TypePtr,
    properties: WriterPropertiesPtr,
}

impl Encoding {
    pub(crate) fn new() -> Result<Self> {
        Self::with_schema(SCHEMA)
    }

    pub(crate) fn with_schema(schema: &str) -> Result<Self> {
        // Neither statistics nor an index: rows are read whole, and both are memory for each row group until the end.
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("regsweep ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .set_dictionary_enabled(false);
        // Digits of hashes do not compress, and trying takes longer than all else.
        properties = properties
            .set_column_compression(ColumnPath::from("digest"), Compression::UNCOMPRESSED);
        for column in DICTIONARY {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), true);
        }
        Ok(Self { schema: parse_schema(schema)?, properties: Arc::new(properties.build()) })
    }

    /// The same for a segment of `stage`.
    pub(crate) fn of_stage(stage: Stage) -> Result<Self> {
        Self::with_schema(&schema_of(stage))
    }

    pub(crate) fn begin<W: Write + Send>(&self, target: W) -> Result<SerializedFileWriter<W>> {
        SerializedFileWriter::new(target, Arc::clone(&self.schema), Arc::clone(&self.properties))
    }
}

fn schema_of(stage: Stage) -> String {
    match stage {
        Stage::Multipart => SCHEMA.replace('}', UPLOAD),
        Stage::Repairs | Stage::Tags | Stage::Revisions | Stage::Layers | Stage::Blobs => {
            SCHEMA.to_owned()
        }
    }
}

fn parse_schema(text: &str) -> Result<TypePtr> {
    parse_message_type(text).map(Arc::new)
}

/// Refuses a row that would not come back as it went.
pub(crate) fn check_row(row: &Row) -> std::result::Result<(), PlanError> {
    let refuse = |what| Err(PlanError::Row { key: row.key.to_string(), what });
    match row {
        Row { key, .. } if key.is_empty() => refuse(RowDamage::EmptyKey),
        Row { bytes, .. } if i64::try_from(*bytes).is_err() => refuse(RowDamage::Size),
        Row { kind, upload, .. } if !names_upload(*kind, upload.as_deref()) => {
            refuse(RowDamage::Upload)
        }
        Row { kind: RowKind::BrokenLink, digest: None, .. } => refuse(RowDamage::Digest),
        _ => Ok(()),
    }
}

/// Whether a row names an upload where its kind has one, and only there: deleting an object in the place of an upload, or
/// the other way round, is not what was planned (G6).
fn names_upload(kind: RowKind, upload: Option<&str>) -> bool {
    match upload {
        Some(id) => kind == RowKind::MultipartUpload && !id.is_empty(),
        None => kind != RowKind::MultipartUpload,
    }
}

/// Writes `rows`, which are of one stage, as one row group.
pub(crate) fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    rows: &[Row],
) -> Result<()> {
    let mut group = writer.next_row_group()?;
    required(&mut group, rows, |row| text(row.kind.name()))?;
    optional(&mut group, rows, |row| row.repository.as_ref().map(|name| name.as_str().into()))?;
    optional(&mut group, rows, |row| {
        row.digest.map(|digest| digest.to_string().into_bytes().into())
    })?;
    required(&mut group, rows, |row| (&*row.key).into())?;
    let sizes =
        rows.iter().map(|row| i64::try_from(row.bytes)).collect::<std::result::Result<Vec<_>, _>>();
    let sizes = sizes.map_err(|error| ParquetError::External(Box::new(error)))?;
    column::<Int64Type, _>(&mut group, &sizes, None)?;
    let times: Vec<i64> = rows.iter().map(|row| row.modified.as_millis()).collect();
    column::<Int64Type, _>(&mut group, &times, None)?;
    required(&mut group, rows, |row| text(row.reason.name()))?;
    optional(&mut group, rows, |row| row.rule.as_ref().map(|rule| (&**rule).into()))?;
    if rows.iter().any(|row| row.upload.is_some()) {
        required(&mut group, rows, |row| row.upload.as_deref().unwrap_or_default().into())?;
    }
    group.close().map(drop)
}

fn text(name: &'static str) -> ByteArray {
    Bytes::from_static(name.as_bytes()).into()
}

fn required<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    rows: &[Row],
    value: impl Fn(&Row) -> ByteArray,
) -> Result<()> {
    let values: Vec<ByteArray> = rows.iter().map(value).collect();
    column::<ByteArrayType, _>(group, &values, None)
}

fn optional<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    rows: &[Row],
    value: impl Fn(&Row) -> Option<ByteArray>,
) -> Result<()> {
    let values: Vec<Option<ByteArray>> = rows.iter().map(value).collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let present: Vec<ByteArray> = values.into_iter().flatten().collect();
    column::<ByteArrayType, _>(group, &present, Some(&levels))
}

pub(crate) fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<()> {
    let missing = || ParquetError::General("the schema has too few columns".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

/// Whether a segment's columns begin with those of its format; a newer minor version may add some behind them.
pub(crate) fn check_columns(found: &SchemaDescriptor) -> Result<bool> {
    let ours = SchemaDescriptor::new(parse_schema(&schema_of(Stage::Multipart))?);
    let is_same = |index: usize| {
        let (ours, found) = (ours.column(index), found.column(index));
        ours.path() == found.path()
            && ours.physical_type() == found.physical_type()
            && ours.max_def_level() == found.max_def_level()
            && ours.max_rep_level() == found.max_rep_level()
    };
    let known = match (has_rules(found), has_uploads(found)) {
        (false, _) => OLDEST_COLUMNS,
        (true, false) => COLUMNS,
        (true, true) => COLUMNS + 1,
    };
    Ok(found.num_columns() >= known && (0..known).all(is_same))
}

/// Whether a segment says by which rules its rows go.
fn has_rules(found: &SchemaDescriptor) -> bool {
    found.num_columns() > OLDEST_COLUMNS && found.column(OLDEST_COLUMNS).name() == "rule"
}

/// Whether a segment is of multipart uploads.
fn has_uploads(found: &SchemaDescriptor) -> bool {
    found.num_columns() > COLUMNS && found.column(COLUMNS).name() == "upload"
}

/// Reads one row group whole; `first` is the position of its first row in the segment.
pub(crate) fn read_group(
    file: &Path,
    group: &dyn RowGroupReader,
    first: u64,
) -> std::result::Result<Vec<Row>, PlanError> {
    let decode = decode_error(file);
    let count = group.metadata().num_rows();
    if !(0..=GROUP_LIMIT).contains(&count) {
        return Err(PlanError::damaged(
            file,
            Damage::Decode(format!("a row group of {count} rows")),
        ));
    }
    let mut columns = Columns::read(group, usize::try_from(count).unwrap_or(0)).map_err(decode)?;
    (first..)
        .take(columns.kind.len())
        .zip(0..)
        .map(|(row, index)| {
            columns.row(index).map_err(|what| PlanError::damaged(file, Damage::Row { row, what }))
        })
        .collect()
}

/// Says of a decoder's error whether the file system or the file is to blame.
pub(crate) fn decode_error(file: &Path) -> impl Fn(ParquetError) -> PlanError + '_ {
    |error| match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => PlanError::Io { path: file.to_owned(), source: *source },
            Err(source) => PlanError::damaged(file, Damage::Decode(source.to_string())),
        },
        error => PlanError::damaged(file, Damage::Decode(error.to_string())),
    }
}

/// One row group, decoded; all columns are equally long.
struct Columns {
    kind: Vec<Option<ByteArray>>,
    repository: Vec<Option<ByteArray>>,
    digest: Vec<Option<ByteArray>>,
    key: Vec<Option<ByteArray>>,
    bytes: Vec<i64>,
    modified: Vec<i64>,
    reason: Vec<Option<ByteArray>>,
    /// Empty where the segment does not know any.
    rule: Vec<Option<ByteArray>>,
    /// Empty where the segment is not of multipart uploads.
    upload: Vec<Option<ByteArray>>,
    /// The last repository seen: neighbouring rows share its name.
    repository_name: Option<RepositoryName>,
    /// The last rule seen.
    rule_name: Option<Arc<str>>,
}

impl Columns {
    fn read(group: &dyn RowGroupReader, count: usize) -> Result<Self> {
        Ok(Self {
            kind: texts(group, 0, count)?,
            repository: texts(group, 1, count)?,
            digest: texts(group, 2, count)?,
            key: texts(group, 3, count)?,
            bytes: numbers(group, 4, count)?,
            modified: numbers(group, 5, count)?,
            reason: texts(group, 6, count)?,
            rule: rules(group, count)?,
            upload: uploads(group, count)?,
            repository_name: None,
            rule_name: None,
        })
    }

    fn row(&mut self, index: usize) -> std::result::Result<Row, RowDamage> {
        let kind = as_text(self.kind[index].as_ref())?;
        let key = as_text(self.key[index].as_ref())?;
        let reason = as_text(self.reason[index].as_ref())?;
        let digest = self.digest[index].as_ref().map(|digest| as_text(Some(digest))).transpose()?;
        if key.is_empty() {
            return Err(RowDamage::EmptyKey);
        }
        let kind = find(&RowKind::ALL, RowKind::name, kind).ok_or(RowDamage::Kind)?;
        let upload = self.upload.get(index).map(|id| as_text(id.as_ref())).transpose()?;
        if !names_upload(kind, upload) {
            return Err(RowDamage::Upload);
        }
        // What a link has to say is never guessed.
        if kind == RowKind::BrokenLink && digest.is_none() {
            return Err(RowDamage::Digest);
        }
        Ok(Row {
            kind,
            upload: upload.map(Into::into),
            digest: digest.map(str::parse).transpose().map_err(|_| RowDamage::Digest)?,
            key: key.into(),
            bytes: u64::try_from(self.bytes[index]).map_err(|_| RowDamage::Size)?,
            modified: Timestamp::from_millis(self.modified[index]),
            reason: find(&Reason::ALL, Reason::name, reason).ok_or(RowDamage::Reason)?,
            repository: self.repository(index)?,
            rule: self.rule(index)?,
        })
    }

    fn rule(&mut self, index: usize) -> std::result::Result<Option<Arc<str>>, RowDamage> {
        let Some(text) = self.rule.get(index).and_then(Option::as_ref) else { return Ok(None) };
        let text = as_text(Some(text))?;
        if self.rule_name.as_deref() != Some(text) {
            self.rule_name = Some(text.into());
        }
        Ok(self.rule_name.clone())
    }

    fn repository(
        &mut self,
        index: usize,
    ) -> std::result::Result<Option<RepositoryName>, RowDamage> {
        let Some(text) = &self.repository[index] else { return Ok(None) };
        let text = as_text(Some(text))?;
        if self.repository_name.as_ref().is_none_or(|name| name.as_str() != text) {
            let name = RepositoryName::new(text).map_err(|_| RowDamage::Repository)?;
            self.repository_name = Some(name);
        }
        Ok(self.repository_name.clone())
    }
}

fn as_text(value: Option<&ByteArray>) -> std::result::Result<&str, RowDamage> {
    let bytes = value.map(ByteArray::data).unwrap_or_default();
    std::str::from_utf8(bytes).map_err(|_| RowDamage::Text)
}

fn find<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Option<T> {
    all.iter().copied().find(|one| name(*one) == text)
}

fn texts(group: &dyn RowGroupReader, index: usize, count: usize) -> Result<Vec<Option<ByteArray>>> {
    let is_optional = group.metadata().schema_descr().column(index).max_def_level() > 0;
    let ColumnReader::ByteArrayColumnReader(mut reader) = group.get_column_reader(index)? else {
        return Err(ParquetError::General(format!("column {index} holds no texts")));
    };
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let (records, ..) = reader.read_records(count, Some(&mut levels), None, &mut values)?;
    if !is_optional {
        levels = vec![1; values.len()];
    }
    let mut values = values.into_iter();
    let texts: Vec<_> =
        levels.iter().map(|level| if *level > 0 { values.next() } else { None }).collect();
    complete(texts, index, records, count)
}

fn rules(group: &dyn RowGroupReader, count: usize) -> Result<Vec<Option<ByteArray>>> {
    let has_rules = has_rules(group.metadata().schema_descr());
    if has_rules { texts(group, OLDEST_COLUMNS, count) } else { Ok(Vec::new()) }
}

fn uploads(group: &dyn RowGroupReader, count: usize) -> Result<Vec<Option<ByteArray>>> {
    let has_uploads = has_uploads(group.metadata().schema_descr());
    if has_uploads { texts(group, COLUMNS, count) } else { Ok(Vec::new()) }
}

fn numbers(group: &dyn RowGroupReader, index: usize, count: usize) -> Result<Vec<i64>> {
    let ColumnReader::Int64ColumnReader(mut reader) = group.get_column_reader(index)? else {
        return Err(ParquetError::General(format!("column {index} holds no numbers")));
    };
    let mut values = Vec::new();
    let (records, ..) = reader.read_records(count, None, None, &mut values)?;
    complete(values, index, records, count)
}

fn complete<T>(values: Vec<T>, index: usize, records: usize, count: usize) -> Result<Vec<T>> {
    if values.len() == count && records == count {
        return Ok(values);
    }
    Err(ParquetError::General(format!("column {index} holds {} of {count} values", values.len())))
}
