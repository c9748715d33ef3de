//! What a policy would have to allow for each kind of request.

use simstore::{Need, Options, Server};

use crate::by_hand::{ask, get};

fn server() -> Server {
    let options = Options { remembers_needs: true, versioned: true, ..Options::default() };
    let server = Server::start(options).unwrap();
    server.put("a", "content", server.now());
    server
}

/// What a request needs, as `action subject`.
fn needs(server: &Server, method: &str, target: &str, headers: &str, body: &str) -> Vec<String> {
    server.forget_requests();
    ask(server, method, target, headers, body);
    let text = |need: Need| format!("{} {}", need.action, need.subject).trim_end().to_owned();
    server.needs().into_iter().map(text).collect()
}

#[test]
fn each_request_needs_its_action_on_what_it_is_about() {
    let server = server();
    for (method, target, headers, needed) in [
        ("GET", "?list-type=2&prefix=a/b", "", &["s3:ListBucket a/b"][..]),
        ("GET", "?versions&prefix=a", "", &["s3:ListBucketVersions a"]),
        ("GET", "?uploads", "", &["s3:ListBucketMultipartUploads"]),
        ("GET", "?versioning", "", &["s3:GetBucketVersioning"]),
        ("GET", "?location", "", &["s3:GetBucketLocation"]),
        ("HEAD", "", "", &["s3:ListBucket"]),
        ("GET", "/a", "", &["s3:GetObject a"]),
        ("HEAD", "/a", "", &["s3:GetObject a"]),
        ("GET", "/a?versionId=v", "", &["s3:GetObjectVersion a"]),
        ("PUT", "/b", "", &["s3:PutObject b"]),
        ("PUT", "/b", "if-match: \"x\"\r\n", &["s3:GetObject b", "s3:PutObject b"]),
        ("PUT", "/b", "x-amz-copy-source: registry/a\r\n", &["s3:GetObject a", "s3:PutObject b"]),
        (
            "PUT",
            "/b",
            "x-amz-copy-source: /registry/a%2Fc?versionId=v\r\n",
            &["s3:GetObjectVersion a/c", "s3:PutObject b"],
        ),
        ("POST", "/b?uploads", "", &["s3:PutObject b"]),
        ("GET", "/b?uploadId=1", "", &["s3:ListMultipartUploadParts b"]),
        ("DELETE", "/b?uploadId=1", "", &["s3:AbortMultipartUpload b"]),
        ("DELETE", "/a", "", &["s3:DeleteObject a"]),
        ("DELETE", "/a?versionId=v", "", &["s3:DeleteObjectVersion a"]),
    ] {
        let target = format!("/registry{target}");
        assert_eq!(needs(&server, method, &target, headers, ""), needed, "{method} {target}");
    }
}

#[test]
fn a_deletion_of_many_needs_the_right_to_each() {
    let body = "<Delete><Object><Key>a</Key></Object>\
                <Object><Key>b</Key><VersionId>v</VersionId></Object></Delete>";
    let needed = needs(&server(), "POST", "/registry?delete", "", body);
    assert_eq!(needed, ["s3:DeleteObject a", "s3:DeleteObjectVersion b"]);
}

#[test]
fn nothing_is_remembered_where_nobody_asked_for_it() {
    let server = Server::start(Options::default()).unwrap();
    get(&server, "/registry/a");
    assert_eq!(server.needs(), []);
}
