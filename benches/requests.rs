//! What our own part of a request to a bucket costs: `cargo bench -p regsweep-store --features benches,s3 --bench requests`.

mod sample_page;

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use registry::{Digest, Layout};
use store::{Signing, keys_of_page};

fn scan(criterion: &mut Criterion) {
    let page = sample_page::listing();
    let mut group = criterion.benchmark_group("store");
    group.throughput(Throughput::Elements(sample_page::KEYS.into()));
    group.bench_function("scan a page", |bencher| {
        bencher.iter(|| assert_eq!(keys_of_page(black_box(page.as_bytes())), Some(1000)));
    });
    group.finish();
}

fn sign(criterion: &mut Criterion) {
    let (signing, key) = (Signing::default(), Layout::new("").blob(&Digest::sha256(b"a manifest")));
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_787_000_000);
    let mut group = criterion.benchmark_group("store");
    group.throughput(Throughput::Elements(1));
    group.bench_function("sign a request", |bencher| {
        bencher.iter(|| signing.proof(black_box(&key), black_box(now)));
    });
    group.finish();
}

criterion_group!(benches, scan, sign);
criterion_main!(benches);
