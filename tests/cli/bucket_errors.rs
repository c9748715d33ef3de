//! Buckets that cannot be reached, are not there, or do not answer: one sentence, its cause, a hint, the exit code.

use std::net::TcpListener;

use simstore::{Fault, Faults, Kind, Options, S3Error, Server, When, Which};
use world::Mode;

use crate::program::{Outcome, Program};
use crate::registries::{T, bucket, bucket_with, keys, left, misbehaving, small};

const GC: [&str; 3] = ["gc", "s3://registry", "--offline"];

/// What was said on stderr apart from progress.
#[track_caller]
fn assert_said(outcome: &Outcome, what: &str, causes: &[&str], hints: &[&str]) {
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let start = lines.iter().position(|line| line.starts_with("regsweep: ")).unwrap();
    assert_eq!(lines[start], format!("regsweep: {what}"), "{outcome:?}");
    for cause in causes {
        assert!(
            lines.iter().any(|line| line.starts_with("  ") && line.contains(cause)),
            "{outcome:?}"
        );
    }
    for hint in hints {
        assert!(lines.iter().any(|line| line == &format!("hint: {hint}")), "{outcome:?}");
    }
    let told = lines.iter().filter(|line| line.starts_with("hint: ")).count();
    assert_eq!(told, hints.len(), "{outcome:?}");
}

fn refusing(kind: Kind, error: S3Error) -> Server {
    let server = bucket(&small(T, ""));
    server.set_faults(Faults::none().on(kind, When::Always, Fault::Refuse(error)));
    server
}

#[test]
fn an_address_where_nobody_answers() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let program = Program::at(&bucket(&small(T, "")));
    let gone = program.run(&[&GC[..], &["--endpoint-url", &endpoint]].concat()).with_code(5);
    assert_eq!(gone.stderr.lines().count(), 5, "no more words than needed: {gone:?}");
    assert_said(
        &gone,
        "cannot use s3://registry",
        &["nobody answers at this address", "Connection refused"],
        &["check --endpoint-url, and that the store runs"],
    );
}

#[test]
fn a_bucket_that_is_not_there() {
    let server = bucket(&small(T, ""));
    let missing = Program::at(&server).run(&["gc", "s3://other", "--offline"]).with_code(5);
    assert_said(
        &missing,
        "cannot use s3://other",
        &["no such bucket", "NoSuchBucket"],
        &["check the name of the bucket, and --endpoint-url"],
    );
}

#[test]
fn no_credentials_at_all() {
    let server = bucket(&small(T, ""));
    let program = Program::new().with("AWS_ENDPOINT_URL_S3", &server.endpoint());
    let unknown = program.run(&GC).with_code(5);
    assert_said(
        &unknown,
        "cannot use s3://registry",
        &["no credentials, or not accepted"],
        &["set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"],
    );
}

#[test]
fn a_region_that_nobody_set() {
    let program =
        Program::new().with("AWS_ACCESS_KEY_ID", "ACCESS").with("AWS_SECRET_ACCESS_KEY", "secret");
    let nowhere = program.run(&GC).with_code(5);
    assert_said(
        &nowhere,
        "cannot use s3://registry",
        &["no region is set: not here, not in the AWS settings"],
        &["give the bucket's own --region or --endpoint-url"],
    );
}

#[test]
fn credentials_that_the_store_does_not_know() {
    let refused = vec!["ACCESS".to_owned()];
    let options = Options { refused_access_keys: refused, ..Options::default() };
    let server = bucket_with(&small(T, ""), options);
    let refused = Program::at(&server).run(&GC).with_code(5);
    assert_said(
        &refused,
        "cannot use s3://registry",
        &["no credentials, or not accepted", "InvalidAccessKeyId"],
        &["set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"],
    );
}

#[test]
fn a_bucket_in_another_region() {
    let options = Options { region: Some("eu-west-1".into()), ..Options::default() };
    let server = bucket_with(&small(T, ""), options);
    let program = Program::at(&server);
    let elsewhere = program.run(&[&GC[..], &["--region", "us-west-2"]].concat()).with_code(5);
    assert_said(
        &elsewhere,
        "cannot use s3://registry",
        &["eu-west-1"],
        &["give the bucket's own --region or --endpoint-url"],
    );
    program.done(&[&GC[..], &["--region", "eu-west-1"]].concat());
}

#[test]
fn whoever_may_not_list_is_told_so() {
    let denied = Program::at(&refusing(Kind::List, S3Error::ACCESS_DENIED)).run(&GC).with_code(5);
    assert_said(
        &denied,
        "cannot use s3://registry",
        &["permission denied", "AccessDenied"],
        &["whoever runs this must be allowed to list, read and delete here"],
    );
}

#[test]
fn a_store_that_throttles_without_end_leaves_the_listing_incomplete() {
    let server = bucket(&small(T, ""));
    server.set_faults(misbehaving(Fault::Refuse(S3Error::SLOW_DOWN)));
    let program = Program::at(&server);
    let throttled = program.run(&[&GC[..], &["--patience", "300ms"]].concat()).with_code(7);
    assert_said(
        &throttled,
        "the listing is not whole, so nothing was deleted",
        &["list the keys below", "the store asks to slow down", "gave up after"],
        &[
            "the store failed all the while; try again later, with a lower --max-in-flight, or with more --patience",
        ],
    );
    assert_eq!(server.count(Kind::Delete), 0);
}

#[test]
fn a_store_that_breaks_the_protocol_is_not_believed() {
    let server = bucket(&small(T, ""));
    server.set_faults(misbehaving(Fault::NoIsTruncated));
    let malformed = Program::at(&server).run(&GC).with_code(7);
    assert_said(
        &malformed,
        "the listing is not whole, so nothing was deleted",
        &["the answer breaks the protocol"],
        &["the store does not answer as S3 does"],
    );
}

#[test]
fn whoever_may_not_delete_goes_on_where_it_ended_once_he_may() {
    let world = small(T, "");
    let server = bucket(&world);
    let denied = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, denied));
    let program = Program::at(&server);
    let broken = program.run(&GC).with_code(5);
    assert!(
        broken.stdout.contains("deleted                       0          0 B"),
        "what was done is told: {broken:?}"
    );
    let again = broken.stderr.lines().last().unwrap();
    assert!(again.ends_with("` goes on where this ended"), "{again}");
    server.set_faults(Faults::none());
    let binary = env!("CARGO_BIN_EXE_regsweep");
    let resumed =
        program.run_as_printed(&format!("{binary} gc s3://registry --offline")).with_code(0);
    assert!(resumed.stderr.contains("going on with the plan in "), "{resumed:?}");
    assert_eq!(keys(&server), left(&world, &Mode::default()));
}

#[test]
fn keys_that_cannot_be_deleted_are_told_and_tried_again() {
    let world = small(T, "");
    let server = bucket(&world);
    let fails = Fault::FailKeys(Which::Containing("/blobs/".into()), S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, fails));
    let program = Program::at(&server);
    let partial = program.run(&[&GC[..], &["--json"]].concat()).with_code(3);
    let summary = partial.summary();
    let failed = summary["swept"]["failed"]["count"].as_u64().unwrap();
    assert!(
        failed > 0 && summary["swept"]["failures"][0]["key"].as_str().unwrap().contains("/blobs/")
    );
    let failure = partial.failure();
    assert_eq!((failure["code"].as_u64(), failure["name"].as_str()), (Some(3), Some("partial")));
    assert!(failure["message"].as_str().unwrap().starts_with("could not delete "), "{failure}");
    assert!(failure["causes"][0].as_str().unwrap().contains("permission denied: AccessDenied"));
    server.set_faults(Faults::none());
    program.done(&GC);
    assert_eq!(keys(&server), left(&world, &Mode::default()));
}
