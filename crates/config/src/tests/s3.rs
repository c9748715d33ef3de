use super::{read, refusal, s3_file, s3_of, warnings};
use crate::{Encryption, S3};

const AWS: [&str; 2] = ["bucket: b", "region: eu-west-1"];
const ENDPOINT: [&str; 2] = ["bucket: b", "regionendpoint: minio:9000"];

fn with(base: [&str; 2], lines: &[&str]) -> String {
    s3_file(&[&base, lines].concat())
}

fn s3(base: [&str; 2], lines: &[&str]) -> S3 {
    s3_of(read(&with(base, lines)).unwrap())
}

#[test]
fn the_defaults_are_those_of_the_driver() {
    let s3 = s3(AWS, &[]);
    assert_eq!((s3.bucket.as_str(), s3.region.as_str()), ("b", "eu-west-1"));
    assert_eq!(
        (s3.endpoint.as_ref(), s3.credentials.as_ref(), s3.encryption.as_ref()),
        (None, None, None)
    );
    assert!(s3.secure && !s3.skip_verify && !s3.use_dual_stack && !s3.accelerate && !s3.use_fips);
    assert_eq!((s3.root_directory.as_str(), s3.user_agent.as_ref()), ("", None));
    assert_eq!((s3.storage_class, s3.object_acl), (Some("STANDARD"), "private"));
}

#[test]
fn s3aws_is_s3() {
    let file = with(AWS, &[]).replace("  s3:", "  s3aws:");
    assert_eq!(s3_of(read(&file).unwrap()), s3(AWS, &[]));
    let message = refusal("version: 0.1\nstorage: s3aws");
    assert_eq!(message, "storage.s3aws.region: is missing");
}

#[test]
fn a_bucket_is_required() {
    for bucket in ["bucket:", "bucket: \"\"", "other: b"] {
        assert_eq!(refusal(&s3_file(&[bucket, "region: x"])), "storage.s3.bucket: is missing");
    }
    assert_eq!(
        refusal(&s3_file(&["bucket: {}", "region: x"])),
        "storage.s3.bucket: must be a single value"
    );
}

#[test]
fn a_region_is_required_without_an_endpoint_and_us_east_1_with_one() {
    for region in ["region:", "region: \"\"", "other: x"] {
        assert_eq!(refusal(&s3_file(&["bucket: b", region])), "storage.s3.region: is missing");
        assert_eq!(s3(ENDPOINT, &[region]).region, "us-east-1");
    }
    assert_eq!(s3(ENDPOINT, &["region: home"]).region, "home");
    assert_eq!(
        refusal(&s3_file(&["bucket: b", "regionendpoint: \"\""])),
        "storage.s3.region: is missing"
    );
}

#[test]
fn path_style_is_what_forcepathstyle_says_else_what_an_endpoint_suggests() {
    assert!(!s3(AWS, &[]).path_style());
    assert!(s3(AWS, &["forcepathstyle: true"]).path_style());
    assert!(s3(ENDPOINT, &[]).path_style());
    assert!(s3(ENDPOINT, &["forcepathstyle:"]).path_style());
    assert!(!s3(ENDPOINT, &["forcepathstyle: false"]).path_style());
    assert_eq!(s3(ENDPOINT, &[]).force_path_style, None);
}

#[test]
fn booleans_are_those_of_yaml_or_of_go() {
    for (text, value) in [
        ("true", true),
        ("on", true),
        ("\"1\"", true),
        ("\"t\"", true),
        ("\"TRUE\"", true),
        ("T", true),
        ("no", false),
        ("\"0\"", false),
        ("F", false),
    ] {
        assert_eq!(s3(AWS, &[&format!("skipverify: {text}")]).skip_verify, value, "{text}");
    }
    for text in ["1", "\"yes\"", "\"on\"", "\"\"", "tRUE", "[true]"] {
        for field in [
            "secure",
            "skipverify",
            "v4auth",
            "encrypt",
            "forcepathstyle",
            "usedualstack",
            "accelerate",
            "usefipsendpoint",
        ] {
            let message = refusal(&with(AWS, &[&format!("{field}: {text}")]));
            assert!(message.starts_with(&format!("storage.s3.{field}: must be a ")), "{message}");
        }
    }
}

#[test]
fn an_endpoint_gets_the_scheme_that_secure_asks_for() {
    let endpoint = |lines: &[&str]| s3(["bucket: b", "region: r"], lines).endpoint.unwrap();
    assert_eq!(endpoint(&["regionendpoint: minio:9000"]), "https://minio:9000");
    assert_eq!(endpoint(&["regionendpoint: minio:9000", "secure: false"]), "http://minio:9000");
    assert_eq!(
        endpoint(&["regionendpoint: http://minio:9000", "secure: true"]),
        "http://minio:9000"
    );
    assert_eq!(endpoint(&["regionendpoint: HTTPS://minio", "secure: false"]), "HTTPS://minio");
}

#[test]
fn credentials_count_only_as_a_pair() {
    let full = s3(AWS, &["accesskey: a", "secretkey: s"]).credentials.unwrap();
    assert_eq!((full.access_key.as_str(), full.secret_key.expose()), ("a", "s"));
    for (half, field) in [("accesskey: a", "accesskey"), ("secretkey: s", "secretkey")] {
        let found = read(&with(AWS, &[half])).unwrap();
        assert!(warnings(&found)[0].starts_with(&format!(
            "storage.s3.{field}: accesskey and secretkey count only together"
        )));
        assert_eq!(s3_of(found).credentials, None);
    }
    assert_eq!(s3(AWS, &["accesskey: \"\"", "secretkey: \"\""]).credentials, None);
}

#[test]
fn a_secret_that_looks_like_a_number_is_what_the_registry_prints() {
    let credentials =
        s3(AWS, &["accesskey: 0123", "secretkey: 12345678901234567890123"]).credentials.unwrap();
    assert_eq!(
        (credentials.access_key.as_str(), credentials.secret_key.expose()),
        ("83", "1.2345678901234568e+22")
    );
}

#[test]
fn a_secret_shows_in_no_text() {
    let found =
        read(&with(AWS, &["accesskey: a", "secretkey: hush", "sessiontoken: hush"])).unwrap();
    assert!(!format!("{found:?}{}", warnings(&found).concat()).contains("hush"));
    assert!(!refusal(&with(AWS, &["secretkey: [hush]"])).contains("hush"));
}

#[test]
fn a_session_token_is_not_read_by_any_registry() {
    let found = read(&with(AWS, &["sessiontoken: x"])).unwrap();
    assert!(warnings(&found)[0].ends_with("set AWS_SESSION_TOKEN"));
}

#[test]
fn signature_version_2_is_refused_for_amazon_and_replaced_elsewhere() {
    let refused = "storage.s3.v4auth: must be true for Amazon S3";
    assert_eq!(refusal(&with(AWS, &["v4auth: false"])), refused);
    assert_eq!(
        refusal(&with(AWS, &["v4auth: false", "regionendpoint: https://s3.amazonaws.com"])),
        refused
    );
    assert!(
        warnings(&read(&with(ENDPOINT, &["v4auth: \"f\""])).unwrap())[0]
            .starts_with("storage.s3.v4auth: ")
    );
}

#[test]
fn sizes_are_checked_as_go_scans_them() {
    for good in [
        "chunksize: 5242880",
        "chunksize: \"33554432\"",
        "chunksize: 5368709120 bytes",
        "multipartcopythresholdsize: 0",
    ] {
        assert!(read(&with(AWS, &[good])).is_ok(), "{good}");
    }
    for (bad, problem) in [
        ("chunksize: 10MB", "chunksize: must be between 5242880 and 5368709120"),
        ("chunksize: big", "chunksize: must be an integer"),
        (
            "multipartcopychunksize: 5368709121",
            "multipartcopychunksize: must be between 5242880 and 5368709120",
        ),
        (
            "multipartcopymaxconcurrency: 0",
            "multipartcopymaxconcurrency: must be between 1 and 9223372036854775807",
        ),
        (
            "multipartcopythresholdsize: -1",
            "multipartcopythresholdsize: must be between 0 and 5368709120",
        ),
    ] {
        assert_eq!(refusal(&with(AWS, &[bad])), format!("storage.s3.{problem}"));
    }
}

#[test]
fn what_is_written_is_encrypted_as_the_registry_encrypts() {
    assert_eq!(s3(AWS, &["encrypt: true"]).encryption, Some(Encryption::Aes256));
    let kms = Encryption::Kms { key_id: "k".to_owned() };
    assert_eq!(s3(AWS, &["encrypt: true", "keyid: k"]).encryption, Some(kms));
    assert_eq!(s3(AWS, &["keyid: k"]).encryption, None);
}

#[test]
fn storage_classes_are_read_in_any_case_and_none_means_none() {
    assert_eq!(
        s3(AWS, &["storageclass: reduced_redundancy"]).storage_class,
        Some("REDUCED_REDUNDANCY")
    );
    assert_eq!(s3(AWS, &["storageclass: None"]).storage_class, None);
    let message = refusal(&with(AWS, &["storageclass: GLACIER"]));
    assert!(
        message.starts_with("storage.s3.storageclass: must be one of NONE, STANDARD, "),
        "{message}"
    );
    assert!(read(&with(AWS, &["storageclass: true"])).is_err());
}

#[test]
fn access_control_lists_are_the_canned_ones() {
    assert_eq!(
        s3(AWS, &["objectacl: bucket-owner-full-control"]).object_acl,
        "bucket-owner-full-control"
    );
    assert!(
        refusal(&with(AWS, &["objectacl: Private"]))
            .starts_with("storage.s3.objectacl: must be one of private, ")
    );
}

#[test]
fn unknown_fields_and_the_log_level_are_passed_over() {
    let lines =
        ["loglevel: off", "objectownership: true", "redirectendpoint: x", "pathstyle: [odd]"];
    let found = read(&with(AWS, &lines)).unwrap();
    assert!(found.warnings.is_empty());
    assert_eq!(s3_of(found), s3(AWS, &[]));
}

#[test]
fn a_root_directory_is_taken_as_written() {
    assert_eq!(s3(AWS, &["rootdirectory: /a//b/"]).root_directory, "/a//b/");
    assert_eq!(s3(AWS, &["rootdirectory:"]).root_directory, "");
}
