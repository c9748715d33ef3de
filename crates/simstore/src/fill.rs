//! A synthetic registry, so that there is something to look at.

use registry::{Digest, KeyKind, Layout, link_text};

/// Images of one repository.
const IMAGES: usize = 50;

/// Keys and contents of a registry in the distribution layout at the root of the bucket: as many as asked, always the
/// same, a valid registry but for the last image, which may be cut short.
///
/// Every image has a layer, a configuration and a manifest. Every fifth manifest is not tagged, and every tenth image
/// leaves a layer that nothing refers to.
pub fn registry_objects(count: usize) -> impl Iterator<Item = (String, String)> {
    (0..).flat_map(image).take(count)
}

fn image(n: usize) -> Vec<(String, String)> {
    let layout = Layout::new("");
    let repository = &format!("library/app-{:05}", n / IMAGES);
    let tag = &format!("v{}", n % IMAGES);
    let layer = format!("layer {n}");
    let configuration = format!(r#"{{"architecture":"amd64","os":"linux","image":{n}}}"#);
    let manifest = manifest(&configuration, &layer);
    let digest = Digest::sha256(manifest.as_bytes());
    let layer_of = |content: &str| {
        let digest = Digest::sha256(content.as_bytes());
        KeyKind::Layer { repository, digest }
    };
    let mut links =
        vec![layer_of(&layer), layer_of(&configuration), KeyKind::Revision { repository, digest }];
    if !n.is_multiple_of(5) {
        links.push(KeyKind::TagIndex { repository, tag, digest });
        links.push(KeyKind::TagCurrent { repository, tag });
    }
    let mut blobs = vec![layer, configuration, manifest];
    if n.is_multiple_of(10) {
        blobs.push(format!("orphan {n}"));
    }
    let blobs = blobs.into_iter().map(|blob| (layout.blob(&Digest::sha256(blob.as_bytes())), blob));
    let links = links.iter().filter_map(|kind| link(&layout, kind, &digest));
    blobs.chain(links).collect()
}

fn manifest(configuration: &str, layer: &str) -> String {
    let descriptor = |media_type: &str, content: &str| {
        format!(
            r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#,
            Digest::sha256(content.as_bytes()),
            content.len()
        )
    };
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}}"#,
        descriptor("application/vnd.oci.image.config.v1+json", configuration),
        descriptor("application/vnd.oci.image.layer.v1.tar", layer),
    )
}

/// A link and its text: the digest in its key, or the manifest's where the key has none.
fn link(layout: &Layout, kind: &KeyKind<'_>, manifest: &Digest) -> Option<(String, String)> {
    let digest = match kind {
        KeyKind::Layer { digest, .. } => digest,
        _ => manifest,
    };
    Some((layout.key_of(kind)?, link_text(digest)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use registry::{Manifest, parse_link};

    use super::*;

    #[test]
    fn every_link_leads_to_a_blob_and_every_manifest_to_what_it_names() {
        let layout = Layout::new("");
        // 19 images of 8 or 6 objects, 2 orphans.
        let images: Vec<_> = (0..19).flat_map(image).collect();
        let objects: BTreeMap<_, _> = registry_objects(images.len()).collect();
        assert_eq!(objects.len(), images.len(), "no key comes twice");
        let has_blob = |digest: &Digest| objects.contains_key(&layout.blob(digest));
        for (key, content) in &objects {
            match layout.classify(key) {
                KeyKind::Blob(digest) => assert_eq!(Digest::sha256(content.as_bytes()), digest),
                KeyKind::Revision { digest, .. } => {
                    let manifest =
                        Manifest::parse(objects[&layout.blob(&digest)].as_bytes()).unwrap();
                    assert_eq!(manifest.edges().count(), 2);
                    assert!(manifest.edges().all(|edge| has_blob(&edge.digest)));
                }
                KeyKind::Foreign(_) | KeyKind::Marker { .. } => panic!("{key}"),
                _ => assert!(has_blob(&parse_link(content.as_bytes()).unwrap())),
            }
        }
    }
}
