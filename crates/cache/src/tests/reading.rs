//! What is remembered is what parsing gives.

use proptest::prelude::*;
use registry::MANIFEST_READING;
use xxhash_rust::xxh3::xxh3_64;

use super::*;

fn bytes_of(manifest: &Manifest) -> Vec<u8> {
    let mut bytes = Vec::new();
    manifest.append_to(&mut bytes);
    bytes
}

fn descriptor(n: u32) -> String {
    let kinds = [
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json; charset=utf-8",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.oci.artifact.manifest.v1+json",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ];
    let (kind, digest) = (kinds[n as usize % kinds.len()], digest(n / 7));
    format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":{n}}}"#)
}

/// Fields that documents of any kind have, in any order.
fn document() -> impl Strategy<Value = String> {
    let list = || prop::collection::vec(any::<u32>(), 0..5);
    let text = |list: Vec<u32>| list.into_iter().map(descriptor).collect::<Vec<_>>().join(",");
    let kind = prop::option::of(prop_oneof![
        Just("application/vnd.oci.image.manifest.v1+json"),
        Just("application/vnd.oci.image.index.v1+json"),
        Just("application/vnd.docker.distribution.manifest.v2+json"),
        Just("application/vnd.docker.distribution.manifest.list.v2+json"),
        Just("application/vnd.docker.distribution.manifest.v1+json"),
        Just("application/vnd.oci.artifact.manifest.v1+json"),
    ]);
    let fields = (
        kind.prop_map(|kind| kind.map(|kind| format!(r#""mediaType":"{kind}""#))),
        any::<u32>().prop_map(|n| Some(format!(r#""config":{}"#, descriptor(n)))),
        list().prop_map(move |list| Some(format!(r#""layers":[{}]"#, text(list)))),
        prop::option::of(list().prop_map(move |list| format!(r#""manifests":[{}]"#, text(list)))),
        prop::option::of(list().prop_map(move |list| format!(r#""blobs":[{}]"#, text(list)))),
        prop::option::of(any::<u32>().prop_map(|n| format!(r#""subject":{}"#, descriptor(n)))),
    );
    fields
        .prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f].into_iter().flatten().collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(|fields| format!(r#"{{"schemaVersion":2,{}}}"#, fields.join(",")))
}

proptest! {
    #[test]
    fn g4_what_is_remembered_is_what_parsing_gave(document in document()) {
        let parsed = Manifest::parse(document.as_bytes()).unwrap();
        prop_assert_eq!(Manifest::remembered(&bytes_of(&parsed)), Some(parsed));
    }

    #[test]
    fn bytes_that_are_read_are_the_bytes_that_would_be_written(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
        kind in 0..8u8,
        may_be_signed in any::<bool>(),
    ) {
        if let Some(first) = bytes.first_mut() {
            *first = kind | if may_be_signed { 1 << 7 } else { 0 };
        }
        if let Some(manifest) = Manifest::remembered(&bytes) {
            prop_assert_eq!(bytes_of(&manifest), bytes);
        }
    }
}

/// Documents in which parsing has to decide something.
fn telling_documents() -> [String; 8] {
    let layers = |field: &str| format!(r#""{field}":[{},{}]"#, descriptor(6), descriptor(6));
    let schema1 = format!(r#"{{"blobSum":"{0}"}},{{"blobSum":"{0}"}}"#, digest(1));
    let index = "application/vnd.oci.image.index.v1+json";
    [
        format!(r#"{{"schemaVersion":1,"fsLayers":[{schema1}],"history":[]}}"#),
        format!(r#"{{"schemaVersion":2,"config":{},{}}}"#, descriptor(13), layers("layers")),
        format!(r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#, descriptor(0), descriptor(8)),
        format!(r#"{{"mediaType":"{index}; a=b",{},{}}}"#, layers("layers"), layers("manifests")),
        format!(r#"{{"schemaVersion":2,{},"subject":{}}}"#, layers("blobs"), descriptor(2)),
        r#"{"schemaVersion":2,"manifests":null,"layers":[],"annotations":{"config":"x"}}"#.into(),
        format!(r#"{{"schemaVersion":2,{}}}"#, layers("foreign")),
        r#"{"schemaVersion":2,"layers":[],"name":"a"}"#.into(),
    ]
}

#[test]
fn g4_a_change_of_how_manifests_are_understood_forgets_what_was_remembered() {
    let understood = telling_documents().iter().fold(Vec::new(), |mut all, text| {
        match Manifest::parse(text.as_bytes()) {
            Ok(manifest) => manifest.append_to(&mut all),
            Err(_) => all.push(0),
        }
        all
    });
    let known = [(2, 16_776_946_358_959_217_689)];
    let now = (MANIFEST_READING, xxh3_64(&understood));
    assert!(known.contains(&now), "{now:?} is new: let MANIFEST_READING grow, and add it here");
}
