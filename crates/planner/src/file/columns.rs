//! Rows as columns of a segment: the way there and back.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::RowGroupReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::SchemaDescriptor;
use registry::{RepositoryName, Timestamp};

use crate::file::schema::{LAST_COLUMN, RULE_COLUMN, has_etags, has_rules, has_uploads};
use crate::{Damage, PlanError, Reason, Row, RowDamage, RowKind};

/// The most rows that a row group may have: a reader holds one group in memory (G12). Writers stay far below.
const GROUP_LIMIT: i64 = 1 << 20;

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
    let schema = writer.schema_descr();
    let (has_uploads, has_etags) = (has_uploads(schema), has_etags(schema));
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
    if has_uploads {
        required(&mut group, rows, |row| row.upload.as_deref().unwrap_or_default().into())?;
    }
    if has_etags {
        optional(&mut group, rows, |row| row.etag.as_deref().map(Into::into))?;
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
    /// Empty where the segment does not know any.
    etag: Vec<Option<ByteArray>>,
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
            rule: texts_of(group, has_rules, RULE_COLUMN, count)?,
            upload: texts_of(group, has_uploads, LAST_COLUMN, count)?,
            etag: texts_of(group, has_etags, LAST_COLUMN, count)?,
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
            etag: self.etag(index)?,
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

    fn etag(&self, index: usize) -> std::result::Result<Option<Box<str>>, RowDamage> {
        let etag = self.etag.get(index).and_then(Option::as_ref);
        etag.map(|etag| as_text(Some(etag)).map(Into::into)).transpose()
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

/// The texts of a column that only some segments have.
fn texts_of(
    group: &dyn RowGroupReader,
    is_there: fn(&SchemaDescriptor) -> bool,
    index: usize,
    count: usize,
) -> Result<Vec<Option<ByteArray>>> {
    let is_there = is_there(group.metadata().schema_descr());
    if is_there { texts(group, index, count) } else { Ok(Vec::new()) }
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
