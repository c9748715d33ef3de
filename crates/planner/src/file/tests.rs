//! The plan on disk: there and back, damaged, of other versions, unfinished.

mod damage;
mod hostile;
mod round_trip;
mod unfinished;
mod versions;

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use registry::{Algorithm, Digest, RepositoryName, Shard, Timestamp};

use crate::{
    Doubts, Facts, Header, Location, Plan, PlanError, PlanWriter, Policy, Purpose, Reason,
    Requests, Row, RowKind, Sealed, Segment,
};

/// Stands for a sealed mark set.
struct Marks;

impl Sealed for Marks {}

fn header() -> Header {
    Header {
        created_by: "0.1.0".into(),
        location: Location {
            identity: "s3://registry.example/data".into(),
            source: "s3://registry.example/data/".into(),
            base: "data/docker/registry/v2/".into(),
            options: [("region".to_owned(), "eu-central-1".to_owned())].into(),
        },
        purpose: Purpose::Collection,
        policy: Policy {
            untagged: true,
            grace: Duration::from_hours(24),
            uploads_older_than: Duration::from_hours(168),
        },
        t0: Timestamp::from_seconds(1_700_000_000),
        retention: None,
        keep_list: None,
        doubts: Doubts::default(),
        notes: Vec::new(),
        facts: Facts::default(),
        requests: Requests { list: 5, ..Requests::default() },
        multipart: None,
    }
}

fn blob(number: u32) -> Row {
    let digest = Digest::sha256(&number.to_be_bytes());
    Row {
        kind: RowKind::Blob,
        repository: None,
        digest: Some(digest),
        key: format!("blobs/{digest}/data").into(),
        bytes: u64::from(number) * 1000,
        modified: Timestamp::from_millis(1_600_000_000_123),
        reason: Reason::Unreferenced,
        rule: None,
        upload: None,
        etag: None,
    }
}

/// A row of an upload.
fn multipart(number: u32) -> Row {
    let kind = RowKind::MultipartUpload;
    Row { kind, digest: None, upload: Some(format!("id{number}").into()), ..blob(number) }
}

/// The same row, with an entity tag.
fn tagged(row: Row) -> Row {
    Row { etag: Some("d41d8cd98f00b204e9800998ecf8427e".into()), ..row }
}

/// One row of each stage of objects, in a shard of its own.
fn one_row_each() -> Vec<Row> {
    let kinds = [RowKind::TagLink, RowKind::RevisionLink, RowKind::LayerLink, RowKind::Blob];
    kinds.into_iter().zip(1..).map(|(kind, number)| Row { kind, ..blob(number) }).collect()
}

fn write(dir: &Path, rows: Vec<Row>) -> Result<Plan, PlanError> {
    let writer = PlanWriter::create(dir)?;
    writer.add(rows)?;
    writer.finish(&header(), &Marks)
}

fn all_rows(plan: &Plan) -> Vec<Row> {
    let rows = plan.segments().iter().flat_map(|segment| plan.rows(segment).unwrap());
    let rows: Vec<Row> = rows.map(Result::unwrap).collect();
    assert_eq!(plan.all_rows().collect::<Result<Vec<_>, _>>().unwrap(), rows);
    rows
}

prop_compose! {
    /// Any row that a plan can hold, in any of a few shards.
    fn any_row()(
        kind in prop::sample::select(&RowKind::ALL[..]),
        reason in prop::sample::select(&Reason::ALL[..]),
        repository in prop::option::of("[a-z\u{e9}]{1,3}(/[a-z\u{1f40b}]{1,3}){0,2}"),
        digest in prop::option::of((prop::sample::select(&Algorithm::ALL[..]), 0..8u8)),
        key in "\\PC{1,40}|[ -~]{1,40}|\u{0}\n\"",
        bytes in prop_oneof![0..10_000u64, Just(i64::MAX.cast_unsigned())],
        modified in any::<i64>(),
        rule in prop::option::of("[a-z ]{1,9}"),
        upload in "[ -~]{1,9}",
        etag in prop::option::of("\\PC{0,9}|[0-9a-f]{32}(-[0-9]{1,5})?"),
    ) -> Row {
        Row {
            kind,
            reason,
            repository: repository.map(|name| RepositoryName::new(&name).unwrap()),
            digest: digest
                .or((kind == RowKind::BrokenLink).then_some((Algorithm::Sha256, 9)))
                .map(|(algorithm, number)| Digest::of(algorithm, &[number])),
            key: key.into(),
            bytes,
            modified: Timestamp::from_millis(modified),
            rule: rule.map(Into::into),
            upload: (kind == RowKind::MultipartUpload).then_some(upload.into()),
            etag: etag.filter(|_| kind != RowKind::MultipartUpload).map(Into::into),
        }
    }
}

/// Rows stand in a plan by stage, then by shard.
fn place(row: &Row) -> (crate::Stage, Shard) {
    (row.kind.stage(), row.shard())
}
