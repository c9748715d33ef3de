use std::time::Duration;

use super::{read, read_with, warnings};
use crate::{
    Cache, ClientCertificate, ConfigError, Configuration, Redis, RedisAddress, RedisServers,
    RedisTimeouts, RedisTls, Secret,
};

const CACHED: &str =
    "version: 0.1\nstorage: {filesystem: {}, cache: {blobdescriptor: redis}}\nredis: ";

fn parsed(section: &str) -> Result<Configuration, ConfigError> {
    read(&format!("{CACHED}{section}\n"))
}

fn redis_of(configuration: &Configuration) -> Redis {
    match &configuration.cache {
        Cache::Redis(redis) => (**redis).clone(),
        other => panic!("{other:?}"),
    }
}

fn redis(section: &str) -> Redis {
    redis_of(&parsed(section).unwrap())
}

fn refusal(section: &str) -> String {
    parsed(section).unwrap_err().to_string()
}

fn with(section: &str, variables: &[(&str, &str)]) -> Configuration {
    read_with(&format!("{CACHED}{section}\n"), variables).unwrap()
}

fn at(host: &str, port: u16) -> RedisAddress {
    RedisAddress::Network { host: host.to_owned(), port }
}

fn plain(servers: RedisServers) -> Redis {
    Redis {
        servers,
        username: None,
        password: None,
        database: 0,
        tls: None,
        timeouts: RedisTimeouts::default(),
    }
}

#[test]
fn version_2_has_one_address_and_what_came_after_it_tls() {
    let section = "{addr: cache.example:6380, password: hidden, db: 3, dialtimeout: 10ms, \
                   readtimeout: 2s, writetimeout: 5000000, pool: {maxidle: 16}, tls: {enabled: true}}";
    let expected = Redis {
        password: Some(Secret::new("hidden".to_owned())),
        database: 3,
        tls: Some(RedisTls::default()),
        timeouts: RedisTimeouts {
            dial: Some(Duration::from_millis(10)),
            read: Some(Duration::from_secs(2)),
            write: Some(Duration::from_millis(5)),
        },
        ..plain(RedisServers::Single(at("cache.example", 6380)))
    };
    assert_eq!(redis(section), expected);
    let off = redis("{addr: 'cache.example:6380', tls: {enabled: false}}");
    assert_eq!(off, plain(RedisServers::Single(at("cache.example", 6380))));
    let unknown_to_it = redis("{addr: 'h:1', username: somebody, mastername: one}");
    assert_eq!(unknown_to_it, plain(RedisServers::Single(at("h", 1))));
}

#[test]
fn version_3_has_users_and_certificates() {
    let section = "{addrs: ['cache:6379'], username: regi, password: hidden, db: 1, \
                   tls: {certificate: /c.pem, key: /k.pem, rootcas: [/a.pem, /b.pem]}, poolsize: 3}";
    let expected = Redis {
        username: Some("regi".to_owned()),
        password: Some(Secret::new("hidden".to_owned())),
        database: 1,
        tls: Some(RedisTls {
            client: Some(ClientCertificate {
                certificate: "/c.pem".to_owned(),
                key: "/k.pem".to_owned(),
            }),
            root_certificates: vec!["/a.pem".to_owned(), "/b.pem".to_owned()],
        }),
        ..plain(RedisServers::Single(at("cache", 6379)))
    };
    assert_eq!(redis(section), expected);
    let roots_alone = redis("{addrs: ['cache:6379'], tls: {rootcas: [/a.pem]}}");
    let tls = RedisTls { client: None, root_certificates: vec!["/a.pem".to_owned()] };
    assert_eq!(roots_alone.tls, Some(tls));
    let servers_own = redis("{addrs: ['cache:6379'], tls: {clientcas: [/a.pem]}}");
    assert_eq!(servers_own.tls, None);
    assert_eq!(
        refusal("{addrs: ['cache:6379'], tls: {certificate: /c.pem}}"),
        "redis.tls.key: is missing"
    );
}

#[test]
fn a_master_name_makes_sentinels_and_several_addresses_without_one_a_cluster() {
    let sentinels = redis(
        "{addrs: ['a:26379', '[::1]:26379'], mastername: main, sentinelusername: s, sentinelpassword: p}",
    );
    let expected = RedisServers::Sentinels {
        master: "main".to_owned(),
        sentinels: vec![at("a", 26379), at("::1", 26379)],
        username: Some("s".to_owned()),
        password: Some(Secret::new("p".to_owned())),
    };
    assert_eq!(sentinels, plain(expected));
    let cluster = redis("{addrs: ['a:1', 'b:2']}");
    assert_eq!(cluster.servers, RedisServers::Cluster(vec![at("a", 1), at("b", 2)]));
}

#[test]
fn addresses_are_those_of_go() {
    let address = |text: &str| match redis(&format!("{{addrs: ['{text}']}}")).servers {
        RedisServers::Single(address) => address,
        other => panic!("{other:?}"),
    };
    assert_eq!(address(":6379"), at("localhost", 6379));
    assert_eq!(address("[2001:db8::1]:6379").to_string(), "[2001:db8::1]:6379");
    assert_eq!(address("/run/redis.sock"), RedisAddress::Socket("/run/redis.sock".to_owned()));
    for wrong in ["cache", "cache:", "cache:0", "cache:redis", "::1:6379", "", "a[b]:1"] {
        let message = refusal(&format!("{{addrs: ['{wrong}']}}"));
        assert_eq!(message, "redis.addrs: must be host:port", "{wrong}");
    }
    let message = refusal("{addr: /run/redis.sock}");
    assert_eq!(message, "redis.addr: must be host:port", "2.8 knows no sockets");
}

#[test]
fn a_cache_without_a_server_is_refused_as_the_registry_does() {
    for section in ["", "{}", "{addr: }", "{addr: ''}", "{addrs: []}", "{password: x}"] {
        assert_eq!(refusal(section), "redis.addrs: is missing", "{section}");
    }
}

#[test]
fn the_section_is_not_looked_at_where_redis_is_not_the_cache() {
    let yaml = "version: 0.1\nstorage: {filesystem: {}}\nredis: {addr: nonsense, db: many}\n";
    assert_eq!(read(yaml).unwrap().cache, Cache::None);
    let message = read("version: 0.1\nstorage: filesystem\nredis: 5\n").unwrap_err().to_string();
    assert_eq!(message, "redis: must be a mapping of fields");
}

#[test]
fn a_section_for_both_versions_leads_both_to_the_same_keys() {
    let both = redis("{addr: 'a:1', addrs: ['a:1'], password: x}");
    assert_eq!(both.servers, RedisServers::Single(at("a", 1)));
    for section in [
        "{addr: 'a:1', addrs: ['b:1']}",
        "{addr: 'a:1', addrs: ['a:1'], username: u}",
        "{addr: 'a:1', addrs: ['a:1'], mastername: m}",
        "{addr: 'a:1', addrs: ['a:1'], tls: {enabled: true}}",
    ] {
        let message = refusal(section);
        assert!(message.starts_with("redis.addr: leads version 2.8 to other keys"), "{message}");
    }
}

#[test]
fn a_field_that_cannot_be_read_is_an_error_that_names_it() {
    for (section, message) in [
        ("{addr: [a]}", "redis.addr: must be a single value"),
        ("{addrs: a:1}", "redis.addrs: must be a list"),
        ("{addrs: [[a]]}", "redis.addrs: must be a single value"),
        ("{addr: 'a:1', db: first}", "redis.db: must be an integer"),
        ("{addr: 'a:1', db: -1}", "redis.db: must be between 0 and 4294967295"),
        ("{addr: 'a:1', dialtimeout: soon}", "redis.dialtimeout: must be a duration such as 500ms"),
        ("{addr: 'a:1', tls: true}", "redis.tls: must be a mapping of fields"),
        ("{addr: 'a:1', tls: {enabled: 1}}", "redis.tls.enabled: must be a boolean: true or false"),
        ("{addr: 'a:1', password: {x: y}}", "redis.password: must be a single value"),
    ] {
        assert_eq!(refusal(section), message, "{section}");
    }
}

#[test]
fn who_asks_for_tls_in_the_words_of_the_other_version_is_warned() {
    for section in
        ["{addr: 'a:1', tls: {rootcas: [/a.pem]}}", "{addrs: ['a:1'], tls: {enabled: true}}"]
    {
        let found = parsed(section).unwrap();
        assert_eq!(redis_of(&found).tls, None, "{section}");
        let said = warnings(&found);
        assert!(said[0].starts_with("redis.tls: the registry speaks to redis without TLS"));
    }
    let right = parsed("{addrs: ['a:1'], tls: {rootcas: [/a.pem]}}").unwrap();
    assert_eq!(warnings(&right), Vec::<String>::new());
    let old = parsed("{addr: 'a:1', tls: {enabled: true}}").unwrap();
    assert!(redis_of(&old).tls.is_some(), "no password goes out in the clear");
    assert!(
        warnings(&old)[0].starts_with("redis.tls.enabled: version 2.8 speaks to redis without")
    );
}

#[test]
fn timeouts_of_zero_and_less_are_the_defaults() {
    let section = "{addrs: ['a:1'], dialtimeout: 0, readtimeout: -1, writetimeout: 0s}";
    assert_eq!(redis(section).timeouts, RedisTimeouts::default());
}

#[test]
fn variables_overwrite_by_both_names_of_version_3() {
    let file = "{addrs: ['file:1'], db: 1}";
    for name in ["REGISTRY_REDIS_ADDRS", "REGISTRY_REDIS_OPTIONS_ADDRS"] {
        let found = with(file, &[(name, "['variable:2']")]);
        assert_eq!(redis_of(&found).servers, RedisServers::Single(at("variable", 2)), "{name}");
        assert!(found.warnings.is_empty() && redis_of(&found).database == 1);
    }
    let found = with(
        "",
        &[
            ("REGISTRY_REDIS_ADDR", "cache:6379"),
            ("REGISTRY_REDIS_PASSWORD", "hidden"),
            ("REGISTRY_REDIS_TLS_ENABLED", "true"),
            ("REGISTRY_REDIS_POOL_MAXIDLE", "5"),
        ],
    );
    let found = (redis_of(&found), found.warnings);
    assert_eq!(found.0.password, Some(Secret::new("hidden".to_owned())));
    assert!(found.0.tls.is_some() && found.1.len() == 1);
}

#[test]
fn variables_replace_whole_sections_and_warn_of_what_names_nothing() {
    let file = "{addrs: ['file:1'], db: 1, tls: {rootcas: [/a.pem]}}";
    let whole = redis_of(&with(file, &[("REGISTRY_REDIS", "{addr: 'v:1'}")]));
    assert_eq!(whole, plain(RedisServers::Single(at("v", 1))));
    let options = redis_of(&with(file, &[("REGISTRY_REDIS_OPTIONS", "{addrs: ['v:1']}")]));
    assert!(options.database == 0 && options.tls.is_some());
    let tls = redis_of(&with(file, &[("REGISTRY_REDIS_TLS", "{}")]));
    assert_eq!(tls.tls, None);
    let odd = with(file, &[("REGISTRY_REDIS_HOST", "x"), ("REGISTRY_REDIS_DB_X", "1")]);
    assert_eq!(
        warnings(&odd),
        [
            "REGISTRY_REDIS_DB_X: reaches below a single value; the registry ignores it",
            "REGISTRY_REDIS_HOST: names no field of the configuration; the registry ignores it",
        ]
    );
}

#[test]
fn an_entry_of_a_list_cannot_be_set_by_its_number() {
    let found = with("{addrs: ['file:1']}", &[("REGISTRY_REDIS_ADDRS_0", "variable:2")]);
    assert_eq!(redis_of(&found).servers, RedisServers::Single(at("file", 1)));
    assert!(warnings(&found)[0].contains("cannot overwrite a field this deep"));
    let appended =
        read_with(CACHED, &[("REGISTRY_REDIS_ADDRS_0", "variable:2")]).unwrap_err().to_string();
    assert_eq!(appended, "redis.addrs: must be host:port");
    let past = read_with(CACHED, &[("REGISTRY_REDIS_ADDRS_7", "x:1")]).unwrap_err().to_string();
    assert!(past.starts_with("REGISTRY_REDIS_ADDRS_7: must name an existing entry"), "{past}");
}

#[test]
fn passwords_do_not_show() {
    let found =
        redis("{addrs: ['a:1'], mastername: m, password: hidden, sentinelpassword: hidden}");
    assert!(!format!("{found:?}").contains("hidden"));
}

#[test]
fn a_section_given_twice_is_read_twice() {
    let yaml = format!("{CACHED}{{addrs: ['a:1'], db: 1}}\nredis: {{db: 2}}\n");
    let found = redis_of(&read(&yaml).unwrap());
    assert_eq!(found, Redis { database: 2, ..plain(RedisServers::Single(at("a", 1))) });
}
