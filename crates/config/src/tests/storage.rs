use super::{filesystem, read, refusal};

fn in_storage(lines: &str) -> String {
    format!("version: 0.1\nstorage:\n{lines}\n")
}

#[test]
fn a_bare_driver_name_is_a_storage_section() {
    assert_eq!(
        read("version: 0.1\nstorage: filesystem").unwrap().storage,
        filesystem("/var/lib/registry")
    );
    assert_eq!(refusal("version: 0.1\nstorage: s3"), "storage.s3.region: is missing");
}

#[test]
fn a_driver_without_fields_has_its_defaults() {
    for fields in ["", " {}", " null", " {maxthreads: 100}"] {
        let found = read(&in_storage(&format!("  filesystem:{fields}"))).unwrap();
        assert_eq!(found.storage, filesystem("/var/lib/registry"));
        assert_eq!(found.storage.root_directory(), "/var/lib/registry");
    }
}

#[test]
fn a_storage_section_names_exactly_one_driver() {
    for storage in ["", " {}", " null", " {cache: {}, tag: {concurrencylimit: 5}}"] {
        let message = refusal(&format!("version: 0.1\nstorage:{storage}"));
        assert_eq!(message, "storage: no storage driver is configured", "{storage}");
    }
    assert_eq!(refusal("version: 0.1"), "storage: no storage driver is configured");
    let message = refusal(&in_storage("  s3: {}\n  filesystem: {}\n  cache: {}"));
    assert!(
        message
            .starts_with("storage: exactly one storage driver is allowed, found filesystem, s3;"),
        "{message}"
    );
}

#[test]
fn what_stands_beside_the_driver_is_no_driver() {
    let beside = "  filesystem: {}\n  cache: {}\n  delete: {}\n  maintenance: {}\n  redirect: {disable: true}\n  tag: {}";
    assert!(read(&in_storage(beside)).is_ok());
    let message = refusal(&in_storage("  filesystem: {}\n  Cache: {}"));
    assert!(message.contains("found Cache, filesystem"), "{message}");
}

#[test]
fn drivers_that_are_not_collected_are_named() {
    for driver in ["gcs", "azure", "swift", "oss", "inmemory"] {
        assert_eq!(
            refusal(&in_storage(&format!("  {driver}: {{}}"))),
            format!(
                "storage.{driver}: the {driver} driver is not supported; supported are s3 and filesystem"
            )
        );
    }
}

#[test]
fn an_unknown_driver_is_another_error() {
    for driver in ["S3", "s3fs", "file system"] {
        let message = refusal(&in_storage(&format!("  {driver}: {{}}")));
        let expected = format!("storage.{driver}: is neither a storage driver nor one of ");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn parts_of_the_storage_section_are_mappings() {
    for (lines, field) in [
        ("  filesystem: /var", "storage.filesystem"),
        ("  filesystem: {}\n  delete: true", "storage.delete"),
        ("  filesystem: {}\n  cache: [inmemory]", "storage.cache"),
        ("  - filesystem", "storage"),
    ] {
        assert_eq!(refusal(&in_storage(lines)), format!("{field}: must be a mapping of fields"));
    }
}

#[test]
fn a_root_directory_is_what_the_registry_prints() {
    for (value, root) in [
        ("/srv", "/srv"),
        ("007", "7"),
        ("\"007\"", "007"),
        ("on", "true"),
        ("2001-01-01", "2001-01-01"),
    ] {
        let found =
            read(&in_storage(&format!("  filesystem: {{rootdirectory: {value}}}"))).unwrap();
        assert_eq!(found.storage, filesystem(root), "{value}");
    }
}

#[test]
fn g4_a_root_directory_that_is_nothing_is_refused() {
    for value in ["", "~", "\"\""] {
        let message = refusal(&in_storage(&format!("  filesystem: {{rootdirectory: {value}}}")));
        assert_eq!(message, "storage.filesystem.rootdirectory: must not be empty", "{value}");
    }
    let message = refusal(&in_storage("  filesystem: {rootdirectory: [a]}"));
    assert_eq!(message, "storage.filesystem.rootdirectory: must be a single value");
}
