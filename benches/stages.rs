//! The work that each stage does for one object, without a store: `cargo bench -p regsweep`.

#![expect(clippy::unwrap_used, reason = "a bench")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use cache::{Limits, ManifestCache};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use marker::{DigestSet, DigestSetBuilder};
use planner::{
    Doubts, Facts, Header, Location, PlanError, PlanWriter, Policy, Reason, Requests, Row, RowKind,
    Sealed,
};
use registry::{Digest, KeyKind, Layout, Manifest, RepositoryName, Timestamp};

const DIGESTS: u32 = 100_000;
const ROWS: u32 = 50_000;

fn digest(n: u32) -> Digest {
    Digest::sha256(&n.to_be_bytes())
}

fn classify(criterion: &mut Criterion) {
    let layout = Layout::new("/registry");
    let repository = "team-a/shop";
    let keys: Vec<String> = (0..1000)
        .flat_map(|n| {
            let digest = digest(n);
            let kinds = [
                KeyKind::Blob(digest),
                KeyKind::Layer { repository, digest },
                KeyKind::Revision { repository, digest },
                KeyKind::TagIndex { repository, tag: "v1.0", digest },
            ];
            kinds.map(|kind| layout.key_of(&kind).unwrap_or_default())
        })
        .collect();
    let mut group = criterion.benchmark_group("registry");
    group.throughput(Throughput::Elements(keys.len() as u64));
    group.bench_function("classify keys", |bencher| {
        bencher.iter(|| {
            let known = |key: &&String| !matches!(layout.classify(key), KeyKind::Foreign(_));
            black_box(&keys).iter().filter(known).count()
        });
    });
    group.finish();
}

fn image(layers: u32) -> Vec<u8> {
    let descriptor = |n: u32| {
        let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
        format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{n}}}"#, digest(n))
    };
    let layers: Vec<String> = (1..=layers).map(descriptor).collect();
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let (config, layers) = (descriptor(0), layers.join(","));
    format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{config},"layers":[{layers}]}}"#)
        .into_bytes()
}

fn parse(criterion: &mut Criterion) {
    let manifest = image(12);
    let digest = Digest::sha256(&manifest);
    let mut group = criterion.benchmark_group("registry");
    group.throughput(Throughput::Bytes(manifest.len() as u64));
    group.bench_function("parse a manifest", |bencher| {
        bencher.iter(|| Manifest::parse(black_box(&manifest)).map(|parsed| parsed.edges().count()));
    });
    group.bench_function("verify and parse a manifest", |bencher| {
        bencher.iter(|| {
            let content = black_box(&manifest);
            (Digest::sha256(content) == digest).then(|| Manifest::parse(content).is_ok())
        });
    });
    group.finish();
}

/// Adds each digest four times, as layers are shared, and sorts.
fn marks(digests: &[Digest]) -> DigestSet {
    let builder = DigestSetBuilder::new();
    for _ in 0..4 {
        for some in digests.chunks(50) {
            builder.add(some.iter().copied()).unwrap();
        }
    }
    builder.finish().unwrap()
}

fn mark_set(criterion: &mut Criterion) {
    let mut listed: Vec<Digest> = (0..DIGESTS * 2).map(digest).collect();
    let digests = listed[..DIGESTS as usize].to_vec();
    listed.sort_unstable();
    let marked = marks(&digests);
    let mut group = criterion.benchmark_group("marker");
    group.sample_size(20);
    group.throughput(Throughput::Elements(u64::from(DIGESTS) * 4));
    group.bench_function("sort marks", |bencher| {
        bencher.iter(|| assert_eq!(marks(black_box(&digests)).len(), u64::from(DIGESTS)));
    });
    group.throughput(Throughput::Elements(listed.len() as u64));
    group.bench_function("merge a sorted listing with the marks", |bencher| {
        bencher.iter(|| {
            let mut reader = marked.reader();
            let listed = black_box(&listed).iter();
            listed.filter(|digest| reader.contains(digest).is_ok_and(|kept| kept)).count()
        });
    });
    group.finish();
}

/// Looks for every manifest that an earlier run remembered, in the order of nothing.
fn recall(criterion: &mut Criterion) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let Ok(manifest) = Manifest::parse(&image(10)) else { return };
    let remembered = ManifestCache::open(folder.path(), Limits::of(1 << 30)).and_then(|cache| {
        (0..DIGESTS).for_each(|n| cache.put(&digest(n), &manifest));
        cache.close()?;
        ManifestCache::open(folder.path(), Limits::of(1 << 30))
    });
    let Ok(cache) = remembered else { return };
    let digests: Vec<Digest> = (0..DIGESTS).map(digest).collect();
    let repositories = digests.chunks(50);
    let mut group = criterion.benchmark_group("cache");
    group.sample_size(20);
    group.throughput(Throughput::Elements(u64::from(DIGESTS)));
    group.bench_function("recall manifests", |bencher| {
        bencher.iter(|| {
            let recalled = repositories.clone().map(|digests| cache.get_all(digests));
            let recalled = recalled.map(|found| found.iter().flatten().count()).sum::<usize>();
            assert_eq!(recalled, digests.len());
        });
    });
    group.finish();
}

fn rows(etag: Option<&str>) -> Vec<Row> {
    let layout = Layout::new("");
    let repository = RepositoryName::new("team-a/shop").ok();
    let row = |n: u32| Row {
        kind: RowKind::LayerLink,
        repository: repository.clone(),
        digest: Some(digest(n)),
        key: layout
            .key_of(&KeyKind::Layer { repository: "team-a/shop", digest: digest(n) })
            .unwrap_or_default()
            .into(),
        bytes: 71,
        modified: Timestamp::from_seconds(1_700_000_000),
        reason: Reason::UnneededHere,
        rule: None,
        upload: None,
        etag: etag.map(Into::into),
    };
    (0..ROWS).map(row).collect()
}

/// Stands for the marks that a plan asks for.
struct Marks;

impl Sealed for Marks {}

fn header() -> Header {
    let day = Duration::from_hours(24);
    Header {
        created_by: String::new(),
        location: Location {
            identity: String::new(),
            source: String::new(),
            base: String::new(),
            options: BTreeMap::new(),
        },
        purpose: planner::Purpose::Collection,
        policy: Policy { untagged: false, grace: day, uploads_older_than: day },
        t0: Timestamp::from_seconds(1_800_000_000),
        doubts: Doubts::default(),
        notes: Vec::new(),
        retention: None,
        keep_list: None,
        facts: Facts::default(),
        requests: Requests::default(),
        multipart: None,
    }
}

/// A whole plan: rows, footers, syncs, and reading it back.
fn write(folder: &Path, rows: Vec<Row>, has_etags: bool) -> Result<u64, PlanError> {
    let writer = PlanWriter::create(&folder.join("plan"))?;
    let writer = if has_etags { writer.with_etags() } else { writer };
    writer.add(rows)?;
    Ok(writer.finish(&header(), &Marks)?.totals().all().count)
}

fn plan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("planner");
    group.sample_size(20);
    group.throughput(Throughput::Elements(u64::from(ROWS)));
    let etag = "9bb58f26192e4ba00f01e2e7b136bbd8";
    for (name, etag) in [("write a plan", None), ("the same with entity tags", Some(etag))] {
        let rows = rows(etag);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (tempfile::tempdir(), rows.clone()),
                |(folder, rows)| {
                    let written = folder.map(|folder| write(folder.path(), rows, etag.is_some()));
                    assert_eq!(written.ok().and_then(Result::ok), Some(u64::from(ROWS)));
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, classify, parse, mark_set, recall, plan);
criterion_main!(benches);
