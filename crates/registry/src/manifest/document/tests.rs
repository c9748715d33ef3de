//! Plain documents are read as all documents are.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// As `docker push` writes it.
fn docker() -> String {
    let digest = Digest::sha256(b"docker");
    format!(
        r#"{{
   "schemaVersion": 2,
   "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
   "config": {{
      "mediaType": "application/vnd.docker.container.image.v1+json",
      "size": 1469,
      "digest": "{digest}"
   }},
   "layers": [
      {{
         "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
         "size": 0,
         "digest": "{digest}"
      }},
      {{
         "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
         "size": 123456789012345678,
         "digest": "{digest}",
         "urls": [ "https://example.com/größe" , "" ]
      }}
   ]
}}"#
    )
}

/// As `docker buildx` writes it.
fn index() -> String {
    let digest = Digest::of(crate::Algorithm::Sha512, b"index");
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":
"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":1,"platform":{{"architecture":"arm64","os":"linux",
"os.features":[],"variant":null}},"annotations":{{}}}}],"subject":null,"annotations":{{"a":true,"b":[[{{"c":false}},7]]}}}}"#
    )
}

#[test]
fn what_clients_push_is_plain() {
    for text in [docker(), index(), r#" { "schemaVersion" : 2 , "layers" : [ ] } "#.to_owned()] {
        let document = Document::read_plain(&text).unwrap_or_else(|NotPlain| panic!("{text}"));
        assert_eq!(document, Document::read_text(&text).unwrap());
    }
}

#[test]
fn what_is_not_plain_is_read_the_long_way() {
    let deep = format!(r#"{{"layers":[],"x":{}{}}}"#, "[".repeat(40), "]".repeat(40));
    let escaped = docker().replace("digest", "dig\\u0065st");
    for text in [
        r#"{"layers":[],"x":1.5}"#,
        r#"{"layers":[],"x":-1}"#,
        r#"{"layers":[],"x":1e3}"#,
        r#"{"layers":[],"x":1234567890123456789}"#,
        r#"{"layers":[],"x":"\n"}"#,
        &deep,
        &escaped,
    ] {
        assert!(Document::read_plain(text).is_err(), "{text}");
        assert!(Document::read_text(text).is_ok(), "{text}");
    }
    let same = Document::parse(escaped.as_bytes()).unwrap();
    assert_eq!(same, Document::read_text(&docker()).unwrap());
}

/// A piece of JSON, or of what nearly is.
fn piece() -> impl Strategy<Value = String> {
    let digest = format!(r#""{}""#, Digest::sha256(b"piece"));
    let words: Vec<String> = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        " ",
        "\n",
        "\t",
        "\u{1}",
        "\u{7f}",
        "é",
        "null",
        "nul",
        "true",
        "false",
        "0",
        "00",
        "1",
        "-1",
        "1.5",
        "1e9",
        "123456789012345678",
        "1234567890123456789",
        r#""digest":"#,
        r#""Digest":"#,
        r#""layers":"#,
        r#""schemaVersion":"#,
        r#""mediaType":"#,
        r#""config":{"#,
        r#""subject":null"#,
        r#""text""#,
        r#""a longer text with \" in it""#,
    ]
    .map(str::to_owned)
    .into();
    prop_oneof![9 => select(words), 1 => Just(digest)]
}

proptest! {
    #[test]
    fn g4_whatever_is_read_as_plain_is_read_the_same_the_long_way(
        base in select(vec![docker(), index()]),
        changes in prop::collection::vec((any::<Index>(), 0..3usize, piece()), 1..4),
    ) {
        let mut text: Vec<char> = base.chars().collect();
        for (place, length, piece) in changes {
            let start = place.index(text.len());
            let end = text.len().min(start + length);
            text.splice(start..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        if let Ok(document) = Document::read_plain(&text) {
            prop_assert_eq!(Document::read_text(&text).ok(), Some(document), "{}", text);
        }
    }

    #[test]
    fn g4_pieces_of_json_are_read_as_plain_only_where_they_are_read_the_long_way(
        pieces in prop::collection::vec(piece(), 0..12),
    ) {
        let text = format!("{{{}}}", pieces.concat());
        if let Ok(document) = Document::read_plain(&text) {
            prop_assert_eq!(Document::read_text(&text).ok(), Some(document), "{}", text);
        }
    }
}
