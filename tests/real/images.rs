//! Images made from numbers: the same number gives the same bytes, in every run and every store.

use std::fs;
use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Bytes and their digest, `sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) digest: String,
    pub(crate) bytes: Vec<u8>,
}

impl Blob {
    /// Any bytes, with their digest.
    pub(crate) fn new(bytes: Vec<u8>) -> Blob {
        let digest = format!("sha256:{}", hex(&Sha256::digest(&bytes)));
        Blob { digest, bytes }
    }

    /// A layer of one to nine kilobytes: a real gzip stream, so that no client wants to compress it again.
    pub(crate) fn layer(number: u64) -> Blob {
        let content = scatter(number);
        Blob::new(gzip(&content))
    }

    /// The digest without its `sha256:`.
    pub(crate) fn hex(&self) -> &str {
        &self.digest["sha256:".len()..]
    }

    /// Where a registry keeps it.
    pub(crate) fn key(&self) -> String {
        let hex = self.hex();
        format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2])
    }

    fn descriptor(&self, media_type: &str) -> serde_json::Value {
        json!({ "mediaType": media_type, "digest": self.digest, "size": self.bytes.len() })
    }
}

/// A manifest with all that it refers to: the blobs of an image, or the images of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) manifest: Blob,
    pub(crate) media_type: &'static str,
    /// The config and the layers, in the order of the manifest; none for an index.
    pub(crate) blobs: Vec<Blob>,
    /// The images of an index.
    pub(crate) children: Vec<Image>,
    /// The digest of the manifest that this one is about.
    pub(crate) subject: Option<String>,
}

impl Image {
    /// An image of its own config and the layers of these numbers.
    pub(crate) fn new(number: u64, layers: &[u64]) -> Image {
        Image::build(number, layers, "amd64", None)
    }

    /// The same for another machine.
    pub(crate) fn for_architecture(number: u64, layers: &[u64], architecture: &str) -> Image {
        Image::build(number, layers, architecture, None)
    }

    /// An image that says something about `subject`: a signature, a bill of materials.
    pub(crate) fn about(subject: &Image, number: u64) -> Image {
        Image::build(number, &[number], "amd64", Some(subject))
    }

    /// An index of these images.
    pub(crate) fn index(children: Vec<Image>) -> Image {
        let machines = ["amd64", "arm64", "riscv64", "s390x"];
        let describe = |(child, machine): (&Image, &&str)| {
            let mut descriptor = child.manifest.descriptor(child.media_type);
            descriptor["platform"] = json!({ "architecture": machine, "os": "linux" });
            descriptor
        };
        let manifests: Vec<_> = children.iter().zip(&machines).map(describe).collect();
        let content = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        let manifest = Blob::new(content.to_string().into_bytes());
        Image { manifest, media_type: INDEX, blobs: Vec::new(), children, subject: None }
    }

    fn build(number: u64, layers: &[u64], architecture: &str, subject: Option<&Image>) -> Image {
        let config = json!({
            "architecture": architecture, "os": "linux", "author": format!("test image {number}"),
            "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|&layer| {
                Blob::new(scatter(layer)).digest
            }).collect::<Vec<_>>() },
        });
        let config = Blob::new(config.to_string().into_bytes());
        let layers: Vec<Blob> = layers.iter().map(|&layer| Blob::layer(layer)).collect();
        let mut content = json!({
            "schemaVersion": 2, "mediaType": IMAGE, "config": config.descriptor(CONFIG),
            "layers": layers.iter().map(|layer| layer.descriptor(LAYER)).collect::<Vec<_>>(),
        });
        if let Some(subject) = subject {
            content["subject"] = subject.manifest.descriptor(subject.media_type);
        }
        Image {
            manifest: Blob::new(content.to_string().into_bytes()),
            media_type: IMAGE,
            blobs: std::iter::once(config).chain(layers).collect(),
            children: Vec::new(),
            subject: subject.map(|subject| subject.manifest.digest.clone()),
        }
    }

    /// This manifest and all below it, the children before the index.
    pub(crate) fn manifests(&self) -> Vec<&Image> {
        let below = self.children.iter().flat_map(Image::manifests);
        below.chain(std::iter::once(self)).collect()
    }

    /// Writes an OCI image layout: a folder that clients push from, holding this image under `reference`.
    pub(crate) fn write_layout(&self, folder: &Path, reference: &str) -> std::io::Result<()> {
        let blobs = folder.join("blobs/sha256");
        fs::create_dir_all(&blobs)?;
        for image in self.manifests() {
            for blob in image.blobs.iter().chain([&image.manifest]) {
                fs::write(blobs.join(blob.hex()), &blob.bytes)?;
            }
        }
        let mut descriptor = self.manifest.descriptor(self.media_type);
        descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": reference });
        let index = json!({ "schemaVersion": 2, "manifests": [descriptor] });
        fs::write(folder.join("index.json"), index.to_string())?;
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)
    }
}

/// One to nine kilobytes that look random and depend on the number alone (splitmix64).
fn scatter(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0xD1B5_4A32_D192_ED03);
    let words = 128 + usize::try_from(number % 1024).unwrap();
    let next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    std::iter::repeat_with(next).take(words).flat_map(u64::to_le_bytes).collect()
}

/// A gzip stream with one stored block (RFC 1951 section 3.2.4, RFC 1952 section 2.3).
fn gzip(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let mut stream = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(content);
    stream.extend(crc32(content).to_le_bytes());
    stream.extend(u32::from(length).to_le_bytes());
    stream
}

fn crc32(content: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
    !content.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
