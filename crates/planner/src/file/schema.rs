//! The Parquet schemas of segments: which columns there are, and with what they are written.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, SchemaDescriptor, TypePtr};

use crate::Stage;

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

/// The last column of all others, where the store tells entity tags; formats 2.2 and 3.1.
const ETAG: &str = "    OPTIONAL BYTE_ARRAY etag (UTF8);\n}";

/// Where `rule` stands, which format 1 does not have.
pub(crate) const RULE_COLUMN: usize = 7;

/// Where the last column stands, whichever it is.
pub(crate) const LAST_COLUMN: usize = 8;

/// Columns whose few values repeat.
const DICTIONARY: [&str; 4] = ["kind", "repository", "reason", "rule"];

/// Digits of hashes, which do not compress; and trying takes longer than all else.
const RANDOM: [&str; 2] = ["digest", "etag"];

/// What every segment is written with.
#[derive(Clone)]
pub(crate) struct Encoding {
    schema: TypePtr,
    properties: WriterPropertiesPtr,
}

impl Encoding {
    pub(crate) fn with_schema(schema: &str) -> Result<Self> {
        // Neither statistics nor an index: rows are read whole, and both are memory for each row group until the end.
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("regsweep ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .set_dictionary_enabled(false);
        for column in RANDOM {
            properties = properties
                .set_column_compression(ColumnPath::from(column), Compression::UNCOMPRESSED);
        }
        for column in DICTIONARY {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), true);
        }
        Ok(Self { schema: parse_schema(schema)?, properties: Arc::new(properties.build()) })
    }

    /// What a segment of `stage` is written with, in a plan with entity tags or without.
    pub(crate) fn of_stage(stage: Stage, has_etags: bool) -> Result<Self> {
        Self::with_schema(&match (stage, has_etags) {
            (Stage::Multipart, _) => with_column(UPLOAD),
            (_, true) => with_column(ETAG),
            (_, false) => SCHEMA.to_owned(),
        })
    }

    pub(crate) fn begin<W: Write + Send>(&self, target: W) -> Result<SerializedFileWriter<W>> {
        SerializedFileWriter::new(target, Arc::clone(&self.schema), Arc::clone(&self.properties))
    }
}

/// The schema with one more column.
fn with_column(last: &str) -> String {
    SCHEMA.replace('}', last)
}

fn parse_schema(text: &str) -> Result<TypePtr> {
    parse_message_type(text).map(Arc::new)
}

/// Whether a segment's columns begin with those of its format; a newer minor version may add some behind them.
pub(crate) fn check_columns(found: &SchemaDescriptor) -> Result<bool> {
    let (schema, known) = match (has_rules(found), has_uploads(found), has_etags(found)) {
        (false, ..) => (SCHEMA.to_owned(), RULE_COLUMN),
        (true, true, _) => (with_column(UPLOAD), LAST_COLUMN + 1),
        (true, false, true) => (with_column(ETAG), LAST_COLUMN + 1),
        (true, false, false) => (SCHEMA.to_owned(), LAST_COLUMN),
    };
    let ours = SchemaDescriptor::new(parse_schema(&schema)?);
    let is_same = |index: usize| {
        let (ours, found) = (ours.column(index), found.column(index));
        ours.path() == found.path()
            && ours.physical_type() == found.physical_type()
            && ours.max_def_level() == found.max_def_level()
            && ours.max_rep_level() == found.max_rep_level()
    };
    Ok(found.num_columns() >= known && (0..known).all(is_same))
}

/// Whether a segment says by which rules its rows go.
pub(crate) fn has_rules(found: &SchemaDescriptor) -> bool {
    has_column(found, RULE_COLUMN, "rule")
}

/// Whether a segment is of multipart uploads.
pub(crate) fn has_uploads(found: &SchemaDescriptor) -> bool {
    has_column(found, LAST_COLUMN, "upload")
}

/// Whether a segment says which entity tags were listed.
pub(crate) fn has_etags(found: &SchemaDescriptor) -> bool {
    has_column(found, LAST_COLUMN, "etag")
}

fn has_column(found: &SchemaDescriptor, index: usize, name: &str) -> bool {
    found.num_columns() > index && found.column(index).name() == name
}
