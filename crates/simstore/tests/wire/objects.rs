//! Objects, their versions and their parts over the wire.

use crate::by_hand::{ask, body, delete_body, get, header, put, status, texts};
use registry::{Digest, Layout, Manifest, Timestamp, parse_link};
use simstore::{Kind, Latencies, Latency, Options, Server, Shape};

const T: Timestamp = Timestamp::from_seconds(1_787_000_000);

fn versioned() -> Server {
    Server::start(Options { versioned: true, ..Options::default() }).unwrap()
}

#[test]
fn part_of_an_object_may_be_read() {
    let server = Server::start(Options::default()).unwrap();
    server.put("a", "0123456789", T);
    for (range, code, content, said) in [
        ("bytes=2-4", "206", "234", Some("bytes 2-4/10")),
        ("bytes=7-", "206", "789", Some("bytes 7-9/10")),
        ("bytes=-1", "206", "9", Some("bytes 9-9/10")),
        ("bytes=0-1,4-5", "200", "0123456789", None),
        ("nonsense", "200", "0123456789", None),
    ] {
        let answer = ask(&server, "GET", "/registry/a", &format!("range: {range}\r\n"), "");
        assert_eq!((status(&answer), body(&answer)), (code, content), "{range}");
        assert_eq!(header(&answer, "content-range"), said, "{range}");
        let head = ask(&server, "HEAD", "/registry/a", &format!("range: {range}\r\n"), "");
        assert_eq!((status(&head), body(&head)), (code, ""), "{range}");
        assert_eq!(header(&head, "content-length"), Some(&*content.len().to_string()));
    }
    let beyond = ask(&server, "GET", "/registry/a", "range: bytes=10-\r\n", "");
    assert_eq!((status(&beyond), texts(&beyond, "Code")), ("416", vec!["InvalidRange"]));
}

#[test]
fn objects_are_read_on_conditions() {
    let server = Server::start(Options::default()).unwrap();
    server.put_as("a", "x", T, "e1");
    for (condition, code) in [
        ("if-match: \"e1\"", "200"),
        ("if-match: *", "200"),
        ("if-match: \"e2\"", "412"),
        ("if-none-match: \"e2\"", "200"),
        ("if-none-match: \"e1\"", "304"),
    ] {
        let answer = ask(&server, "GET", "/registry/a", &format!("{condition}\r\n"), "");
        assert_eq!(status(&answer), code, "{condition}");
        assert!(code != "304" || body(&answer).is_empty());
    }
}

#[test]
fn objects_are_put_on_conditions() {
    let server = Server::start(Options::default()).unwrap();
    let code = |condition: &str, content: &str| {
        let answer = put(&server, "/registry/a", &format!("{condition}\r\n"), content);
        status(&answer).to_owned()
    };
    assert_eq!(code("if-match: \"e\"", "0"), "404");
    assert_eq!(code("if-none-match: *", "1"), "200");
    assert_eq!(code("if-none-match: *", "2"), "412");
    assert_eq!(code("if-none-match: \"e\"", "2"), "501");
    assert_eq!(code("if-match: \"e\"", "2"), "412");
    assert_eq!(server.content("a").unwrap(), "1");
    assert_eq!(code("if-match: \"c4ca4238a0b923820dcc509a6f75849b\"", "2"), "200");
    assert_eq!(server.content("a").unwrap(), "2");
    assert_eq!(code("content-md5: AAAA", "3"), "400");
    assert_eq!(server.content("a").unwrap(), "2");
}

#[test]
fn one_object_is_deleted_on_conditions_and_a_missing_one_counts_as_deleted() {
    let server = Server::start(Options::default()).unwrap();
    server.put_as("a", "x", T, "e1");
    let code = |headers: &str| {
        let answer = ask(&server, "DELETE", "/registry/a", headers, "");
        assert!(header(&answer, "x-amz-version-id").is_none());
        status(&answer).to_owned()
    };
    assert_eq!(code("if-match: \"e2\"\r\n"), "412");
    assert_eq!(server.keys(), ["a"]);
    assert_eq!(code("if-match: \"e1\"\r\n"), "204");
    assert!(server.keys().is_empty());
    assert_eq!(code(""), "204");
    assert_eq!(server.count(Kind::DeleteOne), 3);
}

#[test]
fn a_bucket_tells_whether_it_keeps_versions() {
    let server = versioned();
    assert_eq!(texts(&get(&server, "/registry?versioning"), "Status"), ["Enabled"]);
    server.suspend_versions();
    assert_eq!(texts(&get(&server, "/registry?versioning"), "Status"), ["Suspended"]);
    let plain = Server::start(Options::default()).unwrap();
    assert_eq!(texts(&get(&plain, "/registry?versioning"), "Status"), [""; 0]);
}

#[test]
fn a_deleted_object_is_hidden_by_a_marker_and_comes_back_without_it() {
    let server = versioned();
    let first = put(&server, "/registry/a", "", "one");
    let first = header(&first, "x-amz-version-id").unwrap();
    put(&server, "/registry/a", "", "two");
    let deleted = ask(&server, "DELETE", "/registry/a", "", "");
    assert_eq!((status(&deleted), header(&deleted, "x-amz-delete-marker")), ("204", Some("true")));
    let marker = header(&deleted, "x-amz-version-id").unwrap();
    let hidden = get(&server, "/registry/a");
    assert_eq!((status(&hidden), header(&hidden, "x-amz-delete-marker")), ("404", Some("true")));
    assert!(server.keys().is_empty());
    let version = |id: &str| get(&server, &format!("/registry/a?versionId={id}"));
    assert_eq!(body(&version(first)), "one");
    assert_eq!(status(&version(marker)), "405");
    assert_eq!(texts(&version("nobody's"), "Code"), ["NoSuchVersion"]);
    let target = format!("/registry/a?versionId={marker}");
    assert_eq!(status(&ask(&server, "DELETE", &target, "", "")), "204");
    assert_eq!(body(&get(&server, "/registry/a")), "two");
    let conditional = ask(&server, "DELETE", &target, "if-match: *\r\n", "");
    assert_eq!(status(&conditional), "501");
}

#[test]
fn where_versioning_is_suspended_the_null_version_is_replaced_by_what_comes() {
    let server = versioned();
    let first = put(&server, "/registry/a", "", "one");
    let first = header(&first, "x-amz-version-id").unwrap();
    server.suspend_versions();
    let deleted = ask(&server, "DELETE", "/registry/a", "", "");
    assert_eq!(header(&deleted, "x-amz-version-id"), Some("null"));
    assert_eq!(versions(&server, 1000), [("a", "null", true), ("a", first, false)].map(owned));
    assert_eq!(status(&get(&server, "/registry/a")), "404");
    put(&server, "/registry/a", "", "two");
    assert_eq!(versions(&server, 1000), [("a", "null", true), ("a", first, false)].map(owned));
    assert_eq!(body(&get(&server, "/registry/a")), "two");
    assert_eq!(status(&ask(&server, "DELETE", "/registry/a?versionId=null", "", "")), "204");
    assert_eq!(body(&get(&server, "/registry/a")), "one");
}

fn owned((key, id, is_latest): (&str, &str, bool)) -> (String, String, bool) {
    (key.to_owned(), id.to_owned(), is_latest)
}

#[test]
fn many_versions_are_deleted_by_one_request() {
    let server = versioned();
    let put = put(&server, "/registry/a", "", "one");
    let id = header(&put, "x-amz-version-id").unwrap();
    let delete = |body: &str| {
        ask(&server, "POST", "/registry?delete", "x-amz-checksum-sha256: any\r\n", body)
    };
    let answer = delete(&delete_body(&["a"]));
    assert_eq!(texts(&answer, "DeleteMarker"), ["true"]);
    let marker = texts(&answer, "DeleteMarkerVersionId")[0].to_owned();
    let with_version = |id: &str| {
        delete_body(&["a"]).replace("</Key>", &format!("</Key><VersionId>{id}</VersionId>"))
    };
    let answer = delete(&with_version(&marker));
    assert_eq!(
        (texts(&answer, "VersionId"), texts(&answer, "DeleteMarker")),
        (vec![&*marker], vec!["true"])
    );
    assert_eq!(server.keys(), ["a"]);
    let answer = delete(&with_version(id));
    assert_eq!((texts(&answer, "VersionId"), texts(&answer, "DeleteMarker")), (vec![id], vec![]));
    assert!(server.keys().is_empty());
    assert_eq!(texts(&get(&server, "/registry?versions"), "VersionId"), [""; 0]);
}

/// Key, version and kind of every version, by pages of `size`.
fn versions(server: &Server, size: usize) -> Vec<(String, String, bool)> {
    let mut found = Vec::new();
    let mut markers = String::new();
    loop {
        let page = get(server, &format!("/registry?versions&max-keys={size}{markers}"));
        let entries = texts(&page, "Key").into_iter().zip(texts(&page, "VersionId"));
        assert!(texts(&page, "Key").len() <= size);
        found.extend(
            entries
                .zip(texts(&page, "IsLatest"))
                .map(|((key, id), is_latest)| (key.to_owned(), id.to_owned(), is_latest == "true")),
        );
        if texts(&page, "IsTruncated") == ["false"] {
            return found;
        }
        let (key, id) = (texts(&page, "NextKeyMarker")[0], texts(&page, "NextVersionIdMarker")[0]);
        markers = format!("&key-marker={key}&version-id-marker={id}");
    }
}

#[test]
fn versions_are_listed_newest_first_whatever_the_page() {
    let server = versioned();
    for (key, times) in [("a", 3), ("b", 1), ("c/d", 2)] {
        for _ in 0..times {
            put(&server, &format!("/registry/{key}"), "", "x");
        }
    }
    ask(&server, "DELETE", "/registry/b", "", "");
    let all = versions(&server, 1000);
    let latest: Vec<bool> = all.iter().map(|(.., is_latest)| *is_latest).collect();
    assert_eq!(latest, [true, false, false, true, false, true, false]);
    assert!(all.windows(2).all(|two| two[0].0 < two[1].0 || two[0].1 > two[1].1));
    for size in 1..5 {
        assert_eq!(versions(&server, size), all, "{size}");
    }
    let below = get(&server, "/registry?versions&prefix=c/");
    assert_eq!(texts(&below, "Key"), ["c/d", "c/d"]);
    let markers = texts(&get(&server, "/registry?versions"), "DeleteMarker").len();
    assert_eq!(markers, 1);
    let behind = get(&server, "/registry?versions&key-marker=a");
    assert_eq!(texts(&behind, "Key"), ["b", "b", "c/d", "c/d"]);
}

#[test]
fn objects_without_versions_are_the_version_null() {
    let server = Server::start(Options::default()).unwrap();
    server.put("a", "x", T);
    server.put("b", "x", T);
    let null = |key: &str| (key.to_owned(), "null".to_owned(), true);
    assert_eq!(versions(&server, 1), [null("a"), null("b")]);
    assert_eq!(status(&get(&server, "/registry/a?versionId=null")), "200");
    assert_eq!(status(&get(&server, "/registry/a?versionId=v1")), "404");
}

/// All keys below a prefix, page by page.
fn list(server: &Server, prefix: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    loop {
        let after = keys.last().map(|key| format!("&start-after={key}")).unwrap_or_default();
        let page = get(
            server,
            &format!("/registry?list-type=2&max-keys=7&encoding-type=url&prefix={prefix}{after}"),
        );
        keys.extend(texts(&page, "Key").into_iter().map(str::to_owned));
        if texts(&page, "IsTruncated") == ["false"] {
            return keys;
        }
    }
}

#[test]
fn a_computed_registry_is_listed_read_collected_and_written_like_any_other() {
    let shape = Shape { blobs: 40, repositories: 2, images: 5, layers: 2, seed: 0 };
    let options = Options { procedural: Some(shape), ..Options::default() };
    let server = Server::start(options).unwrap();
    let layout = Layout::new("");
    let (blobs, links) = (list(&server, &layout.blobs()), list(&server, &layout.repositories()));
    assert_eq!((blobs.len(), links.len() as u64), (50, shape.links()));
    assert_eq!([blobs.clone(), links.clone()].concat(), server.keys());
    let read = |key: &str| body(&get(&server, &format!("/registry/{key}"))).to_owned();
    let revision = links.iter().find(|key| key.contains("/revisions/")).unwrap();
    let digest = parse_link(read(revision).as_bytes()).unwrap();
    let manifest = read(&layout.blob(&digest));
    assert_eq!(Digest::sha256(manifest.as_bytes()), digest);
    let digest = Manifest::parse(manifest.as_bytes()).unwrap().edges().nth(1).unwrap().digest;
    let layer = layout.blob(&digest);
    assert!(blobs.contains(&layer));
    let head = ask(&server, "HEAD", &format!("/registry/{layer}"), "", "");
    let size: u64 = header(&head, "content-length").unwrap().parse().unwrap();
    assert!(manifest.contains(&format!("{digest}\",\"size\":{size}}}")));
    let range = ask(&server, "GET", &format!("/registry/{layer}"), "range: bytes=5-9\r\n", "");
    assert_eq!(body(&range), "\0\0\0\0\0");
    let request = delete_body(&[&blobs[0], &blobs[1], &links[0]]);
    ask(&server, "POST", "/registry?delete", "x-amz-checksum-sha256: any\r\n", &request);
    put(&server, &format!("/registry/{}", blobs[1]), "", "again");
    assert_eq!(list(&server, &layout.blobs()), blobs[1..]);
    assert_eq!(list(&server, &layout.repositories()), links[1..]);
    assert_eq!(read(&blobs[1]), "again");
    assert_eq!(server.object_count(), shape.objects() - 2);
}

#[test]
fn a_shape_that_cannot_be_is_no_server() {
    let procedural = Some(Shape { blobs: 3, ..Shape::default() });
    let error = Server::start(Options { procedural, ..Options::default() }).unwrap_err();
    assert!(error.to_string().contains("101000 blobs"), "{error}");
}

#[test]
fn answers_that_take_an_hour_are_many_at_a_time() {
    use std::io::Write;

    let hour = Latency { fixed: std::time::Duration::from_hours(1), ..Latency::default() };
    let latency = Latencies::default().on(Kind::Get, hour);
    let server = Server::start(Options { latency, ..Options::default() }).unwrap();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(server.address()).unwrap();
            stream.write_all(b"GET /registry/a HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            stream
        })
        .collect();
    while server.most_in_flight() < waiting.len() {
        std::thread::yield_now();
    }
    assert_eq!(status(&ask(&server, "HEAD", "/registry/a", "", "")), "404");
}

#[test]
fn an_object_is_copied_whole_or_in_parts() {
    let server = Server::start(Options { smallest_part: 1, ..Options::default() }).unwrap();
    server.put("a b", "0123456789", T);
    let source = "x-amz-copy-source: registry/a%20b\r\n";
    let copied = put(&server, "/registry/copy", source, "");
    assert_eq!(status(&copied), "200");
    assert_eq!(server.content("copy").unwrap(), "0123456789");
    let begun = ask(&server, "POST", "/registry/parts?uploads", "", "");
    let id = texts(&begun, "UploadId").remove(0);
    let mut parts = Vec::new();
    for (number, range) in [(1, "bytes=0-6"), (2, "bytes=7-9")] {
        let target = format!("/registry/parts?partNumber={number}&uploadId={id}");
        let headers = format!("{source}x-amz-copy-source-range: {range}\r\n");
        let part = put(&server, &target, &headers, "");
        let etag = texts(&part, "ETag").remove(0);
        parts.push(format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    }
    let all = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.concat());
    let done = ask(&server, "POST", &format!("/registry/parts?uploadId={id}"), "", &all);
    assert_eq!(status(&done), "200", "{done}");
    assert_eq!(server.content("parts").unwrap(), "0123456789");
    assert_eq!(server.count(Kind::Copy), 3);
}

#[test]
fn a_copy_needs_its_source_and_its_conditions() {
    let server = Server::start(Options::default()).unwrap();
    server.put("a", "content", T);
    for (headers, code) in [
        ("x-amz-copy-source: registry/absent\r\n", "404"),
        ("x-amz-copy-source: other/a\r\n", "404"),
        ("x-amz-copy-source: registry/a\r\nx-amz-copy-source-if-match: \"x\"\r\n", "412"),
    ] {
        assert_eq!(status(&put(&server, "/registry/copy", headers, "")), code, "{headers}");
        assert_eq!(server.content("copy"), None);
    }
}
