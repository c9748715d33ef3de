//! Reads one page of a listing, or one manifest, as often as told: `instructions page 100`.
//!
//! `scripts/test instructions` has callgrind count what that takes.

#![expect(clippy::unwrap_used, reason = "a bench")]

mod sample_page;

use std::hint::black_box;

use registry::{Digest, Manifest};
use store::keys_of_page;

const LAYERS: u32 = 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, times] = &arguments[..] else { panic!("usage: instructions page|manifest TIMES") };
    let (page, manifest) = (sample_page::listing(), image());
    for _ in 0..times.parse().unwrap() {
        match &**what {
            "page" => assert_eq!(keys_of_page(black_box(page.as_bytes())), Some(1000)),
            "manifest" => assert_eq!(parse(black_box(&manifest)), LAYERS as usize + 1),
            _ => panic!("there is no `{what}` to read"),
        }
    }
}

#[inline(never)]
fn parse(manifest: &str) -> usize {
    black_box(Manifest::parse(manifest.as_bytes()).unwrap()).edges().count()
}

fn digest(n: u32) -> Digest {
    Digest::sha256(&n.to_be_bytes())
}

/// An image as builders write it.
fn image() -> String {
    let descriptor = |n: u32, kind: &str| {
        let kind = format!("application/vnd.oci.image.{kind}");
        format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{}}}"#, digest(n), n * 977)
    };
    let layers: Vec<String> = (1..=LAYERS).map(|n| descriptor(n, "layer.v1.tar+gzip")).collect();
    let (config, layers) = (descriptor(0, "config.v1+json"), layers.join(","));
    let annotations = r#"{"org.opencontainers.image.created":"2026-08-18T10:00:00Z"}"#;
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[{layers}],"annotations":{annotations}}}"#
    )
}
