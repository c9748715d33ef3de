use std::fs;
use std::io::Write;

use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::writer::SerializedRowGroupWriter;
use xxhash_rust::xxh3::xxh3_64;

use super::*;
use crate::file::columns::{column, write_group};
use crate::file::schema::{Encoding, SCHEMA};
use crate::{Damage, RowDamage, parse_header, parse_segment};

proptest! {
    #[test]
    fn whatever_bytes_are_no_segment(bytes in prop::collection::vec(any::<u8>(), 0..200), xxh3: u64) {
        let error = parse_segment(&bytes, xxh3).unwrap_err();
        prop_assert!(matches!(error, PlanError::Damaged { what: Damage::Checksum, .. }), "{}", error);
        prop_assert!(parse_segment(&bytes, xxh3_64(&bytes)).is_err());
    }

    #[test]
    fn whatever_bytes_are_no_header(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[{}\":,a1\\[\\]]{0,80}") {
        prop_assert!(parse_header(&bytes).is_err());
        prop_assert!(parse_header(text.as_bytes()).is_err());
    }
}

/// One row as a segment stores it, before anything is known of its meaning.
#[derive(Clone)]
struct Raw {
    kind: &'static [u8],
    repository: Option<&'static [u8]>,
    digest: Option<&'static [u8]>,
    key: &'static [u8],
    bytes: i64,
    reason: &'static [u8],
    /// Format 1 knows none.
    rule: Option<&'static [u8]>,
    /// Formats before 2.2 know none.
    etag: Option<&'static [u8]>,
}

const SOUND: Raw = Raw {
    kind: b"layer_link",
    repository: Some(b"a/b"),
    digest: Some(b"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    key: b"k",
    bytes: 1,
    reason: b"unneeded-here",
    rule: None,
    etag: None,
};

const RULE: &str = "    OPTIONAL BYTE_ARRAY rule (UTF8);\n";
const ETAG: &str = "    OPTIONAL BYTE_ARRAY etag (UTF8);\n}";

fn schema_of(raw: &Raw) -> String {
    match raw {
        Raw { etag: Some(_), .. } => SCHEMA.replace('}', ETAG),
        Raw { rule: Some(_), .. } => SCHEMA.to_owned(),
        _ => SCHEMA.replace(RULE, ""),
    }
}

fn required<W: Write + Send>(group: &mut SerializedRowGroupWriter<'_, W>, value: &'static [u8]) {
    column::<ByteArrayType, _>(group, &[value.to_vec().into()], None).unwrap();
}

fn optional<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    value: Option<&'static [u8]>,
) {
    let values: Vec<ByteArray> = value.map(|value| value.to_vec().into()).into_iter().collect();
    column::<ByteArrayType, _>(group, &values, Some(&[i16::from(value.is_some())])).unwrap();
}

fn segment(raw: &Raw) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Encoding::with_schema(&schema_of(raw)).unwrap().begin(&mut bytes).unwrap();
    let mut group = writer.next_row_group().unwrap();
    required(&mut group, raw.kind);
    optional(&mut group, raw.repository);
    optional(&mut group, raw.digest);
    required(&mut group, raw.key);
    column::<Int64Type, _>(&mut group, &[raw.bytes], None).unwrap();
    column::<Int64Type, _>(&mut group, &[0], None).unwrap();
    required(&mut group, raw.reason);
    if raw.rule.is_some() || raw.etag.is_some() {
        optional(&mut group, raw.rule);
    }
    if raw.etag.is_some() {
        optional(&mut group, raw.etag);
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

fn parse(bytes: &[u8]) -> Result<Vec<Row>, PlanError> {
    parse_segment(bytes, xxh3_64(bytes))
}

#[test]
fn a_row_that_means_nothing_is_damage() {
    assert_eq!(parse(&segment(&SOUND)).unwrap().len(), 1);
    for (raw, expected) in [
        (Raw { kind: b"manifest", ..SOUND }, RowDamage::Kind),
        (Raw { kind: b"multipart_upload", ..SOUND }, RowDamage::Upload),
        (Raw { kind: b"", ..SOUND }, RowDamage::Kind),
        (Raw { kind: b"\xff", ..SOUND }, RowDamage::Text),
        (Raw { repository: Some(b""), ..SOUND }, RowDamage::Repository),
        (Raw { repository: Some(b"a//b"), ..SOUND }, RowDamage::Repository),
        (Raw { repository: Some(b"\xc3"), ..SOUND }, RowDamage::Text),
        (Raw { digest: Some(b""), ..SOUND }, RowDamage::Digest),
        (Raw { digest: Some(b"sha256:00"), ..SOUND }, RowDamage::Digest),
        (Raw { digest: Some(b"\x80"), ..SOUND }, RowDamage::Text),
        (Raw { key: b"", ..SOUND }, RowDamage::EmptyKey),
        (Raw { key: b"a\xff", ..SOUND }, RowDamage::Text),
        (Raw { bytes: -1, ..SOUND }, RowDamage::Size),
        (Raw { reason: b"because", ..SOUND }, RowDamage::Reason),
        (Raw { rule: Some(b"\xff"), ..SOUND }, RowDamage::Text),
        (Raw { etag: Some(b"a\xff"), ..SOUND }, RowDamage::Text),
    ] {
        match parse(&segment(&raw)) {
            Err(PlanError::Damaged { what: Damage::Row { row: 0, what }, .. }) => {
                assert_eq!(what, expected);
            }
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn a_segment_of_format_1_has_no_rules() {
    let rule = |raw| parse(&segment(&raw)).unwrap().remove(0).rule;
    assert_eq!(rule(SOUND), None);
    assert_eq!(rule(Raw { rule: Some(b"old"), ..SOUND }).as_deref(), Some("old"));
}

#[test]
fn a_segment_without_the_column_has_no_entity_tags() {
    let etag = |raw| parse(&segment(&raw)).unwrap().remove(0).etag;
    assert_eq!(etag(Raw { rule: Some(b"old"), ..SOUND }), None);
    for told in [&b""[..], b"d41d8cd98f00b204e9800998ecf8427e-2", "\"\u{e9}\n".as_bytes()] {
        assert_eq!(etag(Raw { etag: Some(told), ..SOUND }).unwrap().as_bytes(), told);
    }
}

#[test]
fn the_damaged_row_is_named() {
    let mut bytes = Vec::new();
    let mut writer = Encoding::with_schema(SCHEMA).unwrap().begin(&mut bytes).unwrap();
    write_group(&mut writer, &[blob(1), blob(2)]).unwrap();
    write_group(&mut writer, &[blob(3), Row { key: "".into(), ..blob(4) }]).unwrap();
    writer.close().unwrap();
    let error = parse(&bytes).unwrap_err();
    assert_eq!(error.to_string(), " is damaged: row 3 has an empty key");
}

#[test]
fn other_columns_are_damage_and_more_columns_are_not_read() {
    for (before, after) in [
        ("BYTE_ARRAY kind", "BYTE_ARRAY sort"),
        ("OPTIONAL BYTE_ARRAY digest", "REQUIRED BYTE_ARRAY digest"),
        ("REQUIRED BYTE_ARRAY key", "OPTIONAL BYTE_ARRAY key"),
        ("REQUIRED BYTE_ARRAY key", "REPEATED BYTE_ARRAY key"),
        ("INT64 bytes", "INT32 bytes"),
        ("    REQUIRED BYTE_ARRAY reason (UTF8);\n", ""),
        ("OPTIONAL BYTE_ARRAY rule", "REPEATED BYTE_ARRAY rule"),
    ] {
        assert!(SCHEMA.contains(before), "{before}");
        let error = parse(&empty(&SCHEMA.replace(before, after))).unwrap_err();
        assert!(
            matches!(error, PlanError::Damaged { what: Damage::Columns, .. }),
            "{after}: {error}"
        );
    }
    let last = |column: &str| parse(&empty(&SCHEMA.replace('}', &format!("{column};\n}}"))));
    for column in ["REQUIRED BYTE_ARRAY etag", "REPEATED BYTE_ARRAY etag", "OPTIONAL INT64 etag"] {
        let is_damage =
            matches!(last(column), Err(PlanError::Damaged { what: Damage::Columns, .. }));
        assert!(is_damage, "{column}");
    }
    assert_eq!(last("REQUIRED INT32 more").unwrap(), []);
    assert_eq!(last("OPTIONAL BYTE_ARRAY etag (UTF8); REQUIRED INT32 more").unwrap(), []);
}

/// A segment without rows.
fn empty(schema: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    Encoding::with_schema(schema).unwrap().begin(&mut bytes).unwrap().close().unwrap();
    bytes
}

#[test]
fn a_segment_that_changed_after_opening_ends_in_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let plan = write(dir.path(), one_row_each()).unwrap();
    let segment = &plan.segments()[0];
    let file = dir.path().join(segment.file());
    let sound = fs::read(&file).unwrap();
    let damage = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        match plan.rows(segment) {
            Err(PlanError::Damaged { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    let (expected, found) = (sound.len() as u64, sound.len() as u64 / 2);
    assert_eq!(damage(&sound[..sound.len() / 2]), Damage::Length { expected, found });
    for position in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[position] ^= 1 << (position % 8);
        assert_eq!(damage(&bytes), Damage::Checksum, "byte {position}");
    }
    fs::remove_file(&file).unwrap();
    assert!(matches!(plan.rows(segment), Err(PlanError::Io { .. })));
}
