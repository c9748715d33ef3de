//! Objects put in parts, and uploads that nobody has ended.

use registry::Timestamp;
use simstore::{Options, Server};

use crate::by_hand::{ask, get, header, put, status, texts};

const T: Timestamp = Timestamp::from_seconds(1_787_000_000);

/// Begins an upload; its id.
fn create(server: &Server, key: &str) -> String {
    let answer = ask(server, "POST", &format!("/registry/{key}?uploads"), "", "");
    texts(&answer, "UploadId")[0].to_owned()
}

fn complete(server: &Server, target: &str, parts: &[(u32, &str)]) -> String {
    let part = |(number, etag): &(u32, &str)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
    };
    let parts: String = parts.iter().map(part).collect();
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    ask(server, "POST", target, "", &body)
}

#[test]
fn an_object_may_be_put_in_parts() {
    let server = Server::start(Options { smallest_part: 2, ..Options::default() }).unwrap();
    let id = create(&server, "a");
    let target = format!("/registry/a?uploadId={id}");
    let part = |number: u32, content: &str| {
        let answer = put(&server, &format!("{target}&partNumber={number}"), "", content);
        header(&answer, "etag").map(str::to_owned)
    };
    let (one, two, short) = (part(1, "ab").unwrap(), part(7, "cd").unwrap(), part(3, "e").unwrap());
    assert_eq!(part(0, "x"), None);
    for (parts, code) in [
        (vec![(7, &*two), (1, &*one)], "InvalidPartOrder"),
        (vec![(1, &*two)], "InvalidPart"),
        (vec![(2, &*two)], "InvalidPart"),
        (vec![(3, &*short), (7, &*two)], "EntityTooSmall"),
        (vec![], "MalformedXML"),
    ] {
        assert_eq!(texts(&complete(&server, &target, &parts), "Code"), [code]);
    }
    assert!(server.keys().is_empty(), "nothing is there before it is complete");
    let answer = complete(&server, &target, &[(1, &*one), (3, &*short)]);
    assert_eq!(status(&answer), "200");
    assert_eq!(texts(&answer, "ETag"), ["&quot;4e3c5a5c876eb45c5467c0855d964b1b-2&quot;"]);
    assert_eq!(server.content("a").unwrap(), "abe");
    assert_eq!(texts(&complete(&server, &target, &[(1, &one)]), "Code"), ["NoSuchUpload"]);
}

#[test]
fn uploads_under_way_are_listed_until_they_end() {
    let server = Server::start(Options::default()).unwrap();
    let ids: Vec<String> = ["a", "b", "b", "c/d"].iter().map(|key| create(&server, key)).collect();
    let mut found = Vec::new();
    let mut markers = String::new();
    loop {
        let page = get(&server, &format!("/registry?uploads&max-uploads=1{markers}"));
        found.extend(texts(&page, "UploadId").into_iter().map(str::to_owned));
        if texts(&page, "IsTruncated") == ["false"] {
            break;
        }
        let key = texts(&page, "NextKeyMarker")[0];
        let id = texts(&page, "NextUploadIdMarker")[0];
        markers = format!("&key-marker={key}&upload-id-marker={id}");
    }
    assert_eq!(found, ids);
    let listed = |query: &str| {
        let page = get(&server, &format!("/registry?uploads{query}"));
        texts(&page, "Key").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed("&prefix=c/"), ["c/d"]);
    assert_eq!(listed("&key-marker=b"), ["c/d"]);
    let target = format!("/registry/b?uploadId={}", ids[1]);
    assert_eq!(status(&ask(&server, "DELETE", &target, "", "")), "204");
    assert_eq!(texts(&ask(&server, "DELETE", &target, "", ""), "Code"), ["NoSuchUpload"]);
    assert_eq!(listed(""), ["a", "b", "c/d"]);
    assert!(server.keys().is_empty());
}

#[test]
fn parts_of_an_upload_are_listed_by_number_until_it_ends() {
    let server = Server::start(Options::default()).unwrap();
    let id = server.begin_upload("a b", T);
    for (number, content) in [(7, "four"), (2, "22"), (1, "x"), (2, "two")] {
        assert!(server.put_part("a b", &id, number, content, T));
    }
    assert!(!server.put_part("a", &id, 1, "", T), "of another key");
    let target = format!("/registry/a%20b?uploadId={id}");
    let all = get(&server, &target);
    assert_eq!(texts(&all, "PartNumber"), ["1", "2", "7"]);
    assert_eq!(texts(&all, "Size"), ["1", "3", "4"]);
    assert_eq!(texts(&all, "LastModified").len(), 3);
    assert_eq!((texts(&all, "Key"), texts(&all, "UploadId")), (vec!["a b"], vec![&*id]));
    let mut numbers = Vec::new();
    let mut marker = "0".to_owned();
    loop {
        let page = get(&server, &format!("{target}&max-parts=1&part-number-marker={marker}"));
        numbers.extend(texts(&page, "PartNumber").into_iter().map(str::to_owned));
        if texts(&page, "IsTruncated") == ["false"] {
            break;
        }
        marker = texts(&page, "NextPartNumberMarker")[0].to_owned();
    }
    assert_eq!(numbers, ["1", "2", "7"]);
    assert_eq!(texts(&get(&server, &format!("{target}&max-parts=x")), "Code"), ["InvalidArgument"]);
    ask(&server, "DELETE", &target, "", "");
    assert_eq!(texts(&get(&server, &target), "Code"), ["NoSuchUpload"]);
}
