use super::{cached_by, filesystem, read_with, s3_of, warnings};
use crate::{Configuration, Level, Oddity};

const FILE: &str = "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /file\n  delete:\n    enabled: false\n";
const READONLY: &str = "version: 0.1\nstorage:\n  filesystem: {}\n  maintenance:\n    readonly:\n      enabled: true\n";

fn with(variables: &[(&str, &str)]) -> Configuration {
    read_with(FILE, variables).unwrap()
}

fn refusal(variables: &[(&str, &str)]) -> String {
    read_with(FILE, variables).unwrap_err().to_string()
}

#[test]
fn a_variable_overwrites_a_field() {
    let found = with(&[
        ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/variable"),
        ("REGISTRY_STORAGE_DELETE_ENABLED", "true"),
    ]);
    assert_eq!(found.storage, filesystem("/variable"));
    assert!(found.delete_enabled && found.warnings.is_empty());
}

#[test]
fn other_variables_are_nothing_to_us() {
    let others = [
        ("PATH", "/bin"),
        ("REGISTRY", "x"),
        ("XREGISTRY_STORAGE", "s3"),
        ("registry_storage", "s3"),
    ];
    assert_eq!(with(&others), with(&[]));
}

#[test]
fn the_path_of_the_file_is_no_field() {
    assert_eq!(with(&[("REGISTRY_CONFIGURATION_PATH", "/etc/x.yml")]), with(&[]));
}

#[test]
fn registry_storage_replaces_the_whole_section_before_deeper_variables_apply() {
    let found = with(&[
        ("REGISTRY_STORAGE_S3_REGION", "eu-west-1"),
        ("REGISTRY_STORAGE_S3_BUCKET", "b"),
        ("REGISTRY_STORAGE", "s3"),
    ]);
    assert!(!found.delete_enabled);
    let s3 = s3_of(found);
    assert_eq!((s3.bucket.as_str(), s3.region.as_str()), ("b", "eu-west-1"));
    let found = with(&[
        ("REGISTRY_STORAGE", "{filesystem: {rootdirectory: /x}, cache: {blobdescriptor: redis}}"),
        ("REGISTRY_REDIS_ADDR", "cache:6379"),
    ]);
    assert_eq!((found.storage, found.cache), (filesystem("/x"), cached_by("cache")));
}

#[test]
fn without_registry_storage_a_second_driver_is_an_error() {
    let message =
        refusal(&[("REGISTRY_STORAGE_S3_BUCKET", "b"), ("REGISTRY_STORAGE_S3_REGION", "r")]);
    assert!(
        message.starts_with("storage: exactly one storage driver is allowed, found filesystem, s3"),
        "{message}"
    );
    let message = refusal(&[("REGISTRY_STORAGE", "{s3: {}, gcs: {}}")]);
    assert!(message.contains("found gcs, s3"), "{message}");
}

#[test]
fn two_drivers_in_the_file_are_an_error_whatever_the_variables_say() {
    let file = "version: 0.1\nstorage: {filesystem: {}, s3: {}}";
    assert!(read_with(file, &[("REGISTRY_STORAGE", "filesystem")]).is_err());
}

#[test]
fn an_empty_registry_storage_takes_the_section_away() {
    assert_eq!(refusal(&[("REGISTRY_STORAGE", "")]), "storage: no storage driver is configured");
}

#[test]
fn a_section_can_come_from_variables_alone() {
    let found =
        read_with("version: 0.1", &[("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/x")]).unwrap();
    assert_eq!(found.storage, filesystem("/x"));
}

#[test]
fn a_whole_part_can_be_set_and_must_be_a_mapping() {
    assert_eq!(
        with(&[("REGISTRY_STORAGE_FILESYSTEM", "{rootdirectory: /x}")]).storage,
        filesystem("/x")
    );
    assert_eq!(
        with(&[("REGISTRY_STORAGE_FILESYSTEM", "")]).storage,
        filesystem("/var/lib/registry")
    );
    let message = refusal(&[("REGISTRY_STORAGE_FILESYSTEM", "/x")]);
    assert_eq!(message, "REGISTRY_STORAGE_FILESYSTEM: must be a mapping of fields");
}

#[test]
fn a_part_without_fields_is_made_anew() {
    let file = "version: 0.1\nstorage: {filesystem: }";
    let found = read_with(file, &[("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/x")]).unwrap();
    assert_eq!(found.storage, filesystem("/x"));
}

#[test]
fn a_new_field_is_named_in_small_letters_beside_one_in_capitals() {
    let file = "version: 0.1\nstorage: {filesystem: {RootDirectory: /file}}";
    let found = read_with(file, &[]).unwrap();
    assert_eq!(found.storage, filesystem("/var/lib/registry"));
    let found = read_with(file, &[("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/x")]).unwrap();
    assert_eq!(found.storage, filesystem("/x"));
}

#[test]
fn values_are_yaml() {
    let file = "version: 0.1\nstorage: {s3: {bucket: b, region: r}}";
    let value = |name: &str, value: &str| read_with(file, &[(name, value)]).map(s3_of);
    assert!(value("REGISTRY_STORAGE_S3_SKIPVERIFY", "on").unwrap().skip_verify);
    assert_eq!(value("REGISTRY_STORAGE_S3_BUCKET", "010").unwrap().bucket, "8");
    assert_eq!(value("REGISTRY_STORAGE_S3_BUCKET", "'010'").unwrap().bucket, "010");
    let message = value("REGISTRY_STORAGE_S3_REGION", "").unwrap_err().to_string();
    assert_eq!(message, "storage.s3.region: is missing");
}

#[test]
fn a_value_that_is_no_yaml_is_an_error_that_names_the_variable_and_not_its_value() {
    let message = refusal(&[("REGISTRY_STORAGE_S3_SECRETKEY", "@hush")]);
    assert!(message.starts_with("REGISTRY_STORAGE_S3_SECRETKEY: line 1, column 1: "), "{message}");
    assert!(!message.contains("hush"));
}

#[test]
fn an_unknown_field_is_a_warning() {
    // Kubernetes makes such variables for a service named `registry`.
    let found = with(&[
        ("REGISTRY_PORT", "tcp://10.0.0.1:5000"),
        ("REGISTRY_SERVICE_HOST", "10.0.0.1"),
        ("REGISTRY_", ""),
    ]);
    assert_eq!(
        warnings(&found),
        [
            "REGISTRY_: names no field of the configuration; the registry ignores it",
            "REGISTRY_PORT: names no field of the configuration; the registry ignores it",
            "REGISTRY_SERVICE_HOST: names no field of the configuration; the registry ignores it",
        ]
    );
}

#[test]
fn fields_that_do_not_bear_on_collecting_are_known_all_the_same() {
    let found = with(&[
        ("REGISTRY_AUTH", "htpasswd"),
        ("REGISTRY_HTTP_ADDR", ":5000"),
        ("REGISTRY_LOG_FIELDS_SERVICE", "x"),
        ("REGISTRY_PROXY_PASSWORD", "x"),
        ("REGISTRY_VERSION", "0.2"),
    ]);
    assert_eq!(found, with(&[]));
}

#[test]
fn names_of_fields_are_in_capitals() {
    assert_eq!(with(&[("REGISTRY_storage", "s3")]).warnings[0].oddity, Oddity::UnknownField);
}

#[test]
fn g4_readonly_enabled_as_one_variable_does_not_make_readonly() {
    let found = with(&[("REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED", "true")]);
    assert!(!found.readonly);
    let message = &warnings(&found)[0];
    assert!(
        message.starts_with("storage.maintenance.readonly: the registry refuses this form"),
        "{message}"
    );
    assert!(
        message.contains("REGISTRY_STORAGE_MAINTENANCE_READONLY='{\"enabled\":true}'"),
        "{message}"
    );
}

#[test]
fn readonly_as_a_mapping_in_a_variable_works() {
    for (name, value) in [
        ("REGISTRY_STORAGE_MAINTENANCE_READONLY", r#"{"enabled":true}"#),
        ("REGISTRY_STORAGE_MAINTENANCE", "{readonly: {enabled: true}}"),
    ] {
        let found = with(&[(name, value)]);
        assert!(found.readonly && found.warnings.is_empty(), "{name}");
    }
}

#[test]
fn g4_a_variable_cannot_reach_below_readonly_in_the_file() {
    let name = "REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED";
    let found = read_with(READONLY, &[(name, "false")]).unwrap();
    assert!(found.readonly);
    assert_eq!(
        warnings(&found),
        [format!(
            "{name}: the registry cannot overwrite a field this deep in the file and ignores it"
        )]
    );
    let found = read_with(&READONLY.replace("true", "false"), &[(name, "true")]).unwrap();
    assert!(!found.readonly);
    let found =
        read_with(READONLY, &[("REGISTRY_STORAGE_MAINTENANCE_READONLY", "{enabled: false}")])
            .unwrap();
    assert!(!found.readonly && found.warnings.is_empty());
}

#[test]
fn a_variable_below_a_single_value_is_a_warning() {
    let name = "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY_X";
    assert_eq!(with(&[(name, "y")]).warnings[0].oddity, Oddity::BelowScalar);
    assert_eq!(with(&[("REGISTRY_LOGLEVEL_X", "debug")]).warnings[0].oddity, Oddity::BelowScalar);
}

#[test]
fn a_list_is_reached_by_number() {
    let file = "version: 0.1\nstorage: {filesystem: {odd: [a, b]}}";
    let name = |index: &str| format!("REGISTRY_STORAGE_FILESYSTEM_ODD_{index}");
    let found = read_with(file, &[(&name("1"), "x")]).unwrap();
    assert_eq!(found.warnings[0].oddity, Oddity::TooDeep);
    for index in ["X", "2", "-1", ""] {
        let message = read_with(file, &[(&name(index), "x")]).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("{}: must name an existing entry of the list by its number", name(index))
        );
    }
}

#[test]
fn a_name_of_many_parts_is_harmless() {
    let name = format!("REGISTRY_STORAGE_FILESYSTEM{}", "_A".repeat(200_000));
    assert_eq!(with(&[(&name, "x")]).storage, filesystem("/file"));
}

#[test]
fn levels_come_from_variables() {
    assert_eq!(with(&[("REGISTRY_LOG_LEVEL", "DEBUG")]).log.level, Level::Debug);
    assert_eq!(with(&[("REGISTRY_LOGLEVEL", "warn")]).log.level, Level::Warn);
    assert_eq!(
        with(&[("REGISTRY_LOG", "{level: error}"), ("REGISTRY_LOGLEVEL", "warn")]).log.level,
        Level::Error
    );
    let message = refusal(&[("REGISTRY_LOG_LEVEL", "loud")]);
    assert_eq!(message, "REGISTRY_LOG_LEVEL: must be one of error, warn, info, debug");
    assert_eq!(with(&[("REGISTRY_LOG_COLOUR", "x")]).warnings[0].oddity, Oddity::UnknownField);
}

#[test]
fn a_proxy_comes_from_variables() {
    assert!(with(&[("REGISTRY_PROXY_REMOTEURL", "https://registry.example")]).proxy);
    assert!(with(&[("REGISTRY_PROXY", "{remoteurl: https://registry.example}")]).proxy);
    let file = format!("{FILE}proxy: {{remoteurl: https://registry.example}}");
    assert!(!read_with(&file, &[("REGISTRY_PROXY_REMOTEURL", "")]).unwrap().proxy);
}

#[test]
fn a_cache_comes_from_variables() {
    let redis = with(&[
        ("REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR", "redis"),
        ("REGISTRY_REDIS_ADDR", "cache:6379"),
    ]);
    assert_eq!(redis.cache, cached_by("cache"));
}
