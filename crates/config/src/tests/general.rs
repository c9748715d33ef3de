use std::time::Duration;

use proptest::prelude::*;

use super::{cached_by, filesystem, read, refusal, warnings};
use crate::{Cache, Configuration, Formatter, Level, Oddity, Secret, UploadPurging};

#[test]
fn version_is_the_text_0_1_and_mandatory() {
    for version in ["0.1", "\"0.1\"", "'0.1'", "!!str 0.1"] {
        assert!(read(&format!("version: {version}\nstorage: filesystem")).is_ok(), "{version}");
    }
    for version in ["0.10", "0.2", "1", "00.1", "+0.1", "v0.1"] {
        let message = refusal(&format!("version: {version}\nstorage: filesystem"));
        assert_eq!(
            message,
            format!("version: must be 0.1, the version of both 2.8 and 3, not `{version}`")
        );
    }
    for yaml in ["", "storage: filesystem", "version:\nstorage: filesystem"] {
        assert_eq!(
            refusal(yaml),
            "version: must be 0.1, the version of both 2.8 and 3, and is missing"
        );
    }
}

#[test]
fn the_file_must_be_a_mapping() {
    for yaml in ["5", "[]", "filesystem"] {
        assert_eq!(refusal(yaml), "configuration: must be a mapping of fields");
    }
}

#[test]
fn a_syntax_error_tells_line_and_column() {
    let message = refusal("version: 0.1\nstorage:\n  filesystem: @x");
    assert!(message.starts_with("configuration: line 3, column 15: "), "{message}");
    let message = refusal("version: 0.1\nstorage:\n\tfilesystem: {}");
    assert!(message.starts_with("configuration: line 3, column "), "{message}");
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert!(read("\u{feff}version: 0.1\nstorage: filesystem").is_ok());
}

#[test]
fn only_the_first_document_counts() {
    let yaml = "---\nversion: 0.1\nstorage: filesystem\n---\n{{{";
    assert!(read(yaml).is_ok());
}

#[test]
fn json_is_yaml() {
    let yaml = r#"{"version": "0.1", "storage": {"filesystem": {"rootdirectory": "/x"}}}"#;
    assert_eq!(read(yaml).unwrap().storage, filesystem("/x"));
}

#[test]
fn a_field_given_twice_counts_as_given_last() {
    let yaml = "version: 0.1\nstorage: {filesystem: {rootdirectory: /a, rootdirectory: /b}}\nstorage: {filesystem: {rootdirectory: /c, rootdirectory: /d}}";
    assert_eq!(read(yaml).unwrap().storage, filesystem("/d"));
}

#[test]
fn a_section_given_twice_keeps_what_its_second_part_does_not_name() {
    let yaml =
        "version: 0.1\nstorage: filesystem\nproxy: {remoteurl: https://x}\nproxy: {username: y}";
    assert!(read(yaml).unwrap().proxy);
}

#[test]
fn a_merge_stands_where_it_is_written() {
    let merged = |fields: &str| {
        let yaml = format!(
            "version: 0.1\na: &a {{rootdirectory: /a}}\nb: &b {{rootdirectory: /b}}\nstorage: {{filesystem: {{{fields}}}}}"
        );
        read(&yaml).map(|configuration| configuration.storage)
    };
    assert_eq!(merged("<<: *a").unwrap(), filesystem("/a"));
    assert_eq!(merged("<<: *a, rootdirectory: /own").unwrap(), filesystem("/own"));
    assert_eq!(merged("rootdirectory: /own, <<: *a").unwrap(), filesystem("/a"));
    assert_eq!(merged("<<: [*a, *b]").unwrap(), filesystem("/a"));
    let message = merged("<<: 5").unwrap_err().to_string();
    assert!(message.ends_with("only mappings can be merged"), "{message}");
    assert_eq!(merged("\"<<\": *a, rootdirectory: /own").unwrap(), filesystem("/own"));
}

#[test]
fn keys_are_single_values() {
    let message = refusal("version: 0.1\n? [a]\n: b\nstorage: filesystem");
    assert!(message.ends_with("a key must be a single value"), "{message}");
}

#[test]
fn tags_decide_the_meaning() {
    let root = |value: &str| {
        let yaml = format!("version: 0.1\nstorage: {{filesystem: {{rootdirectory: {value}}}}}");
        read(&yaml).map(|configuration| configuration.storage)
    };
    assert_eq!(root("!!str 010").unwrap(), filesystem("010"));
    assert_eq!(root("!!int '010'").unwrap(), filesystem("8"));
    assert_eq!(root("!!float 5").unwrap(), filesystem("5"));
    assert_eq!(root("!own 010").unwrap(), filesystem("010"));
    assert!(root("!!int x").is_err());
    assert!(root("!!bool 1").is_err());
    assert!(root("!!binary aGk=").is_err());
}

#[test]
fn values_may_not_lie_too_deep() {
    let deep =
        format!("version: 0.1\nstorage: filesystem\nx: {}{}", "[".repeat(150), "]".repeat(150));
    assert!(refusal(&deep).ends_with("values lie too deep in each other"));
    let block = (0..20_000).map(|depth| " ".repeat(depth % 200) + "a:\n").collect::<String>();
    assert!(read(&block).is_err());
}

#[test]
fn log_level_wins_over_loglevel_and_info_is_the_default() {
    let level = |lines: &str| {
        read(&format!("version: 0.1\nstorage: filesystem\n{lines}")).map(|it| it.log.level)
    };
    assert_eq!(level("").unwrap(), Level::Info);
    assert_eq!(level("loglevel: Debug").unwrap(), Level::Debug);
    assert_eq!(level("loglevel: debug\nlog: {level: ERROR}").unwrap(), Level::Error);
    assert_eq!(level("loglevel: debug\nlog: {level: }").unwrap(), Level::Debug);
    let message = level("loglevel: off").unwrap_err().to_string();
    assert_eq!(message, "loglevel: must be one of error, warn, info, debug");
    let message = level("log: {level: trace}").unwrap_err().to_string();
    assert_eq!(message, "log.level: must be one of error, warn, info, debug");
    assert!(level("log: debug").is_err());
}

#[test]
fn formatters_are_three() {
    let formatter = |text: &str| {
        let yaml = format!("version: 0.1\nstorage: filesystem\nlog: {{formatter: {text}}}");
        read(&yaml).map(|it| it.log.formatter)
    };
    assert_eq!(formatter("").unwrap(), Formatter::Text);
    assert_eq!(formatter("text").unwrap(), Formatter::Text);
    assert_eq!(formatter("json").unwrap(), Formatter::Json);
    assert_eq!(formatter("logstash").unwrap(), Formatter::Logstash);
    let message = formatter("JSON").unwrap_err().to_string();
    assert_eq!(message, "log.formatter: must be one of text, json, logstash");
}

#[test]
fn a_remoteurl_makes_a_pull_through_cache() {
    let proxy =
        |lines: &str| read(&format!("version: 0.1\nstorage: filesystem\n{lines}")).unwrap().proxy;
    assert!(proxy("proxy: {remoteurl: https://registry.example}"));
    assert!(!proxy("proxy: {remoteurl: }"));
    assert!(!proxy("proxy: {remoteurl: \"\"}"));
    assert!(!proxy("proxy: {username: x}"));
    assert!(!proxy("proxy:"));
}

fn in_storage(lines: &str) -> Configuration {
    let redis = "redis: {addr: 'cache:6379'}";
    read(&format!("version: 0.1\nstorage:\n  filesystem: {{}}\n  {lines}\n{redis}\n")).unwrap()
}

#[test]
fn g4_readonly_only_where_the_registry_would_be() {
    for enabled in ["true", "True", "on", "yes", "y"] {
        let found = in_storage(&format!("maintenance: {{readonly: {{enabled: {enabled}}}}}"));
        assert!(found.readonly && found.warnings.is_empty(), "{enabled}");
    }
    for readonly in ["{enabled: false}", "{enabled: off}", "{}", "{disabled: true}"] {
        let found = in_storage(&format!("maintenance: {{readonly: {readonly}}}"));
        assert!(!found.readonly && found.warnings.is_empty(), "{readonly}");
    }
    for readonly in [
        "true",
        "\"true\"",
        "",
        "[]",
        "{enabled: \"true\"}",
        "{enabled: 1}",
        "{enabled: }",
        "{enabled: {}}",
    ] {
        let found = in_storage(&format!("maintenance: {{readonly: {readonly}}}"));
        assert!(!found.readonly, "{readonly}");
        assert_eq!(found.warnings[0].oddity, Oddity::UnusableReadonly, "{readonly}");
        assert!(
            warnings(&found)[0]
                .contains("REGISTRY_STORAGE_MAINTENANCE_READONLY='{\"enabled\":true}'")
        );
    }
    assert!(!in_storage("maintenance: {Readonly: {enabled: true}}").readonly);
}

#[test]
fn deletion_is_enabled_by_a_boolean_only() {
    assert!(in_storage("delete: {enabled: true}").delete_enabled);
    assert!(in_storage("delete: {enabled: yes}").delete_enabled);
    for delete in ["", "{}", "{enabled: false}", "{enabled: \"true\"}", "{enabled: 1}"] {
        assert!(!in_storage(&format!("delete: {delete}")).delete_enabled, "{delete}");
    }
}

#[test]
fn caches_have_an_old_and_a_new_name() {
    assert_eq!(in_storage("cache: {blobdescriptor: inmemory}").cache, Cache::InMemory);
    assert_eq!(in_storage("cache: {layerinfo: redis}").cache, cached_by("cache"));
    assert_eq!(
        in_storage("cache: {layerinfo: redis, blobdescriptor: inmemory}").cache,
        Cache::InMemory
    );
    for cache in ["", "{}", "{blobdescriptor: }", "{blobdescriptor: \"\", layerinfo: redis}"] {
        let found = in_storage(&format!("cache: {cache}"));
        assert_eq!((found.cache, found.warnings.len()), (Cache::None, 0), "{cache}");
    }
    let found = in_storage("cache: {blobdescriptor: memcached}");
    assert_eq!(found.cache, Cache::None);
    assert_eq!(
        warnings(&found),
        ["storage.cache: is neither inmemory nor redis; the registry caches nothing"]
    );
}

#[test]
fn upload_purging_is_read_leniently() {
    let default = UploadPurging::default();
    assert_eq!(in_storage("cache: {}").upload_purging, default);
    let full =
        "maintenance: {uploadpurging: {enabled: true, age: 72h, interval: 90m, dryrun: true}}";
    let purging = in_storage(full).upload_purging;
    assert_eq!(
        (purging.age, purging.interval),
        (Duration::from_hours(72), Duration::from_mins(90))
    );
    assert!(purging.enabled && purging.dry_run);
    let off = in_storage("maintenance: {uploadpurging: {enabled: false}}");
    assert!(!off.upload_purging.enabled && off.warnings.is_empty());
    for broken in
        ["{enabled: true, age: 72h}", "{age: 72, interval: 24h, dryrun: false}", "true", ""]
    {
        let found = in_storage(&format!("maintenance: {{uploadpurging: {broken}}}"));
        assert_eq!(found.warnings[0].oddity, Oddity::UnusableUploadPurging, "{broken}");
        assert_eq!(found.upload_purging.interval, default.interval, "{broken}");
    }
}

#[test]
fn a_secret_does_not_show() {
    let secret = Secret::new("hidden".to_owned());
    assert_eq!(format!("{secret:?}"), "Secret(…)");
    assert_eq!(secret.expose(), "hidden");
}

/// Lines that make files close to real ones.
fn lines() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "version",
        "storage",
        "s3",
        "filesystem",
        "maintenance",
        "readonly",
        "enabled",
        "cache",
        "bucket",
        "rootdirectory",
        "log",
        "level",
        "proxy",
        "remoteurl",
        "redis",
        "addrs",
        "tls",
        "<<",
        "&a",
        "*a",
        "?",
        "-",
        "",
    ]);
    let value = prop::sample::select(vec![
        "0.1", "true", "off", "{}", "[", "]", "{", "&a", "*a", "!!int", "\"", "|", ">-", "---",
        "...", "null", "",
    ]);
    prop::collection::vec((0_usize..4, name, value), 0..12).prop_map(|lines| {
        let line = |(depth, name, value)| format!("{}{name}: {value}\n", "  ".repeat(depth));
        lines.into_iter().map(line).collect()
    })
}

fn variable() -> impl Strategy<Value = (String, String)> {
    (
        "REGISTRY_(STORAGE|LOG|PROXY|LOGLEVEL|REDIS|X)(_(S3|FILESYSTEM|MAINTENANCE|READONLY|ENABLED|LEVEL|OPTIONS|ADDRS|TLS|0|))*",
        ".{0,12}",
    )
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,60}|[-:{}\\[\\]&*!|>'\"%@`#,?\n\t a]{0,60}") {
        drop(Configuration::parse(&text, []));
        drop(Configuration::parse("version: 0.1\nstorage: s3", [("REGISTRY_STORAGE_S3_BUCKET".to_owned(), text)]));
    }

    #[test]
    fn no_configuration_panics(text in lines(), variables in prop::collection::vec(variable(), 0..5)) {
        drop(Configuration::parse(&text, variables));
    }

    #[test]
    fn g4_variables_in_any_order_mean_the_same(mut variables in prop::collection::vec(variable(), 0..6)) {
        let yaml = "version: 0.1\nstorage: {filesystem: {rootdirectory: /x}}";
        variables.sort();
        variables.dedup_by(|a, b| a.0 == b.0);
        let sorted = Configuration::parse(yaml, variables.clone());
        variables.reverse();
        prop_assert_eq!(Configuration::parse(yaml, variables), sorted);
    }

    #[test]
    fn a_quoted_root_directory_is_taken_byte_for_byte(root in "[^\\p{C}]{1,40}") {
        let quoted = root.replace('\'', "''");
        let yaml = format!("version: 0.1\nstorage: {{filesystem: {{rootdirectory: '{quoted}'}}}}");
        prop_assume!(!root.starts_with([' ', '\u{2028}', '\u{2029}', '\u{85}']));
        prop_assert_eq!(read(&yaml).unwrap().storage, filesystem(&root));
    }
}
