use std::time::Duration;

use super::{cached_by, filesystem, read, s3_of, warnings};
use crate::{
    Cache, ConfigError, Configuration, Encryption, Formatter, Level, Log, Secret, UploadPurging,
};

macro_rules! fixture {
    ($name:literal) => {
        read(include_str!(concat!("../../fixtures/", $name, ".yml")))
    };
}

fn message(result: Result<Configuration, ConfigError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn the_default_configuration_of_version_2() {
    let expected = Configuration {
        storage: filesystem("/var/lib/registry"),
        readonly: false,
        delete_enabled: false,
        cache: Cache::InMemory,
        upload_purging: UploadPurging::default(),
        log: Log { level: Level::Info, formatter: Formatter::Text },
        proxy: false,
        warnings: Vec::new(),
    };
    assert_eq!(fixture!("default-v2"), Ok(expected));
}

#[test]
fn the_default_configuration_of_version_3() {
    let expected = Configuration {
        storage: filesystem("/var/lib/registry"),
        readonly: false,
        delete_enabled: true,
        cache: Cache::InMemory,
        upload_purging: UploadPurging::default(),
        log: Log { level: Level::Debug, formatter: Formatter::Text },
        proxy: false,
        warnings: Vec::new(),
    };
    assert_eq!(fixture!("default-v3"), Ok(expected));
}

#[test]
fn amazon_with_everything_spelt_out() {
    let found = fixture!("s3-aws").unwrap();
    assert_eq!(
        (found.cache.clone(), found.log.formatter, found.delete_enabled),
        (cached_by("redis"), Formatter::Json, true)
    );
    assert_eq!(found.upload_purging.age, Duration::from_hours(72));
    assert!(found.warnings.is_empty());
    let s3 = s3_of(found);
    let credentials = s3.credentials.clone().unwrap();
    assert_eq!(credentials.secret_key, Secret::new("example+secret/key".to_owned()));
    assert_eq!(s3.encryption, Some(Encryption::Kms { key_id: "example-key".to_owned() }));
    assert_eq!(
        (s3.storage_class, s3.root_directory.as_str()),
        (Some("STANDARD_IA"), "/registry/one")
    );
    assert!(s3.use_dual_stack && !s3.path_style());
}

#[test]
fn an_endpoint_with_little_said() {
    let s3 = s3_of(fixture!("s3-endpoint").unwrap());
    assert_eq!(s3.endpoint.as_deref(), Some("http://minio.example:9000"));
    assert_eq!(s3.region, "us-east-1");
    assert!(s3.path_style() && s3.skip_verify && !s3.secure);
}

#[test]
fn credentials_of_the_surroundings() {
    let s3 = s3_of(fixture!("s3-role").unwrap());
    assert!(s3.credentials.is_none() && s3.use_fips);
}

#[test]
fn readonly_in_the_file() {
    assert!(fixture!("readonly").unwrap().readonly);
    let refused = fixture!("readonly-refused").unwrap();
    assert!(!refused.readonly);
    assert_eq!(warnings(&refused).len(), 1);
}

#[test]
fn a_pull_through_cache() {
    assert!(fixture!("proxy").unwrap().proxy);
}

#[test]
fn merges_repeats_and_documents() {
    let found = fixture!("merged").unwrap();
    assert_eq!(
        (found.storage, found.cache, found.log.level),
        (filesystem("/second"), cached_by("cache"), Level::Warn)
    );
}

#[test]
fn words_of_yaml_1_1() {
    let found = fixture!("yaml-1-1").unwrap();
    assert!(found.delete_enabled && found.readonly);
    let s3 = s3_of(found);
    assert_eq!((s3.bucket.as_str(), s3.region.as_str()), ("8", "false"));
    let credentials = s3.credentials.clone().unwrap();
    assert_eq!(
        (credentials.access_key.as_str(), credentials.secret_key.expose()),
        ("1000", "1e+07")
    );
    assert!(!s3.path_style() && !s3.secure);
}

#[test]
fn what_is_refused_and_how() {
    let several = message(fixture!("invalid-two-drivers"));
    assert_eq!(
        several,
        "storage: exactly one storage driver is allowed, found filesystem, s3; to replace the file's by variables, set `REGISTRY_STORAGE=<driver>` as well"
    );
    let gcs = "storage.gcs: the gcs driver is not supported; supported are s3 and filesystem";
    assert_eq!(message(fixture!("invalid-gcs")), gcs);
    let unknown = message(fixture!("invalid-unknown-driver"));
    assert!(
        unknown.starts_with("storage.filesytem: is neither a storage driver nor one of "),
        "{unknown}"
    );
    let version = "version: must be 0.1, the version of both 2.8 and 3, and is missing";
    assert_eq!(message(fixture!("invalid-no-version")), version);
    assert_eq!(message(fixture!("invalid-no-bucket")), "storage.s3.bucket: is missing");
    let chunks = "storage.s3.chunksize: must be between 5242880 and 5368709120";
    assert_eq!(message(fixture!("invalid-chunksize")), chunks);
}

#[test]
fn what_is_no_yaml_and_where() {
    let syntax = message(fixture!("invalid-syntax"));
    assert!(syntax.starts_with("configuration: line "), "{syntax}");
    let recursive = message(fixture!("invalid-recursive"));
    assert_eq!(
        recursive,
        "configuration: line 3, column 15: the alias stands inside the value it names"
    );
    let aliases = message(fixture!("invalid-aliases"));
    assert!(aliases.ends_with("holds too many values"), "{aliases}");
}
