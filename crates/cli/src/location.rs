//! Where a registry is: from what was typed to what is meant.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use config::{Configuration, Storage};
use store::{Addresses, DefaultEndpoint, DeleteChecksum, S3Config, StaticCredentials};

use crate::args::{ChecksumKind, StoreArgs};
use crate::command_line::quoted;
use crate::{Failure, Refusal};

/// A registry's place, understood.
#[derive(Clone, Debug)]
pub struct Location {
    /// What was typed; paths made absolute, so that it means the same from anywhere.
    pub source: String,
    /// The place itself.
    pub place: Place,
    /// The storage driver's `rootdirectory` inside a bucket; empty on files.
    pub root_directory: String,
    /// The registry's configuration, where the location is one.
    pub configuration: Option<Box<Configuration>>,
    /// What a plan has to remember so that the place is understood again without typing it again; no secrets.
    pub options: BTreeMap<String, String>,
}

/// This process's environment. What is not Unicode is replaced: it names nothing that we know.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

/// Variables that name the address of a store where nothing else does, the first one first.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

/// A directory or a bucket.
#[derive(Clone, Debug)]
pub enum Place {
    /// The folder that holds `docker/registry/v2`.
    Directory(PathBuf),
    /// A bucket, and how to reach it.
    Bucket(Box<S3Config>),
}

impl Location {
    /// The location with the options of its store, as it can be typed again.
    pub(crate) fn typed(&self) -> String {
        let option = |(name, value): (&String, &String)| match value.as_str() {
            "" => format!(" --{name}"),
            value => format!(" --{name} {}", quoted(value)),
        };
        quoted(&self.source) + &self.options.iter().map(option).collect::<String>()
    }

    /// Understands a location: a `config.yml`, a directory, or `s3://bucket/rootdirectory`.
    ///
    /// `environment` is this process's: its `REGISTRY_*` variables override a `config.yml`, and its
    /// `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` says where a bucket is that was typed without an address.
    ///
    /// # Errors
    /// [`Failure::Location`] for what is none of these, [`Failure::Config`] for a configuration that is wrong or not
    /// ours to collect.
    pub fn resolve(
        typed: &str,
        store: &StoreArgs,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Failure> {
        if let Some(rest) = typed.strip_prefix("s3://") {
            let environment = environment.into_iter().collect();
            return bucket(typed, rest, &with_endpoint(store, &environment));
        }
        let wrong = |error: io::Error| Failure::Location {
            location: typed.to_owned(),
            problem: without_number(&error),
        };
        let path = Path::new(typed).canonicalize().map_err(wrong)?;
        let is_directory = std::fs::metadata(&path).map_err(wrong)?.is_dir();
        if is_directory { Ok(directory(path)) } else { configured(&path, store, environment) }
    }

    /// Whether the registry itself says that it takes no pushes.
    #[must_use]
    pub fn is_readonly(&self) -> bool {
        self.configuration.as_ref().is_some_and(|configuration| configuration.readonly)
    }

    /// What is odd about the registry's configuration, a sentence each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let warnings = self.configuration.iter().flat_map(|configuration| &configuration.warnings);
        let relative = self.configuration.iter().filter(|it| is_relative(&it.storage)).map(|_| {
            "storage.filesystem.rootdirectory: is relative; it is taken from the folder where this runs".to_owned()
        });
        let warnings = warnings.map(ToString::to_string).chain(relative);
        warnings.map(|warning| format!("{}: {warning}", self.source))
    }

    /// Why the registry is not ours to collect, where its configuration says so.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let is_proxy = self.configuration.as_ref().is_some_and(|configuration| configuration.proxy);
        is_proxy.then(|| Refusal::Foreign {
            may_be_listed: false,
            location: self.describe(),
            system: "a pull-through cache",
            evidence: format!(
                "`proxy: remoteurl` is set in {}, so the cache removes what has expired by its own schedule",
                self.source
            ),
        })
    }

    /// The place in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.place {
            Place::Directory(path) => path.display().to_string(),
            Place::Bucket(bucket) if self.root_directory.trim_matches('/').is_empty() => {
                format!("s3://{}", bucket.bucket)
            }
            Place::Bucket(bucket) => {
                format!("s3://{}/{}", bucket.bucket, self.root_directory.trim_matches('/'))
            }
        }
    }
}

fn directory(path: PathBuf) -> Location {
    Location {
        source: path.display().to_string(),
        place: Place::Directory(path),
        root_directory: String::new(),
        configuration: None,
        options: BTreeMap::new(),
    }
}

/// What the system says, without its number.
fn without_number(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_owned()
}

fn with_endpoint(store: &StoreArgs, environment: &BTreeMap<String, String>) -> StoreArgs {
    let variable = |name| environment.get(name).filter(|value: &&String| !value.is_empty());
    let set = || ENDPOINTS.into_iter().find_map(variable).cloned();
    StoreArgs { endpoint_url: store.endpoint_url.clone().or_else(set), ..store.clone() }
}

fn bucket(typed: &str, rest: &str, store: &StoreArgs) -> Result<Location, Failure> {
    let (name, root) = rest.split_once('/').unwrap_or((rest, ""));
    if name.is_empty() {
        let problem = "it names no bucket".to_owned();
        return Err(Failure::Location { location: typed.to_owned(), problem });
    }
    let mut config = S3Config::new(name);
    override_with(&mut config, store);
    Ok(Location {
        source: typed.to_owned(),
        place: Place::Bucket(Box::new(config)),
        root_directory: root.to_owned(),
        configuration: None,
        options: store.options(),
    })
}

fn configured(
    path: &Path,
    store: &StoreArgs,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Location, Failure> {
    let yaml = std::fs::read_to_string(path)
        .map_err(|source| Failure::File { path: path.to_owned(), source })?;
    let configuration = Configuration::parse(&yaml, environment)
        .map_err(|source| Failure::Config { path: path.to_owned(), source })?;
    let (place, root_directory) = match &configuration.storage {
        Storage::Filesystem(files) => {
            let root = std::path::absolute(&files.root_directory)
                .map_err(|source| Failure::File { path: path.to_owned(), source })?;
            (Place::Directory(root), String::new())
        }
        Storage::S3(s3) => {
            let mut config = s3_config(s3);
            override_with(&mut config, store);
            (Place::Bucket(Box::new(config)), s3.root_directory.clone())
        }
    };
    let configuration = Some(Box::new(configuration));
    let (source, options) = (path.display().to_string(), store.options());
    Ok(Location { source, place, root_directory, configuration, options })
}

/// The registry takes a relative path from its own folder, which is not known here.
fn is_relative(storage: &Storage) -> bool {
    matches!(storage, Storage::Filesystem(files) if Path::new(&files.root_directory).is_relative())
}

fn s3_config(s3: &config::S3) -> S3Config {
    let mut config = S3Config::new(&s3.bucket);
    config.endpoint_url.clone_from(&s3.endpoint);
    config.default_endpoint = DefaultEndpoint::Amazon;
    config.region = Some(s3.region.clone());
    config.path_style = s3.path_style();
    config.addresses =
        Addresses { dual_stack: s3.use_dual_stack, accelerated: s3.accelerate, fips: s3.use_fips };
    config.secure = s3.secure;
    config.skip_tls_verify = s3.skip_verify;
    config.credentials = s3.credentials.as_ref().map(|keys| StaticCredentials {
        access_key: keys.access_key.clone(),
        secret_key: keys.secret_key.expose().to_owned(),
        session_token: None,
    });
    config
}

/// What is typed wins over what is configured.
fn override_with(config: &mut S3Config, store: &StoreArgs) {
    if let Some(endpoint) = &store.endpoint_url {
        config.endpoint_url = Some(endpoint.clone());
        config.path_style = true;
    }
    if let Some(region) = &store.region {
        config.region = Some(region.clone());
    }
    config.path_style = (config.path_style || store.path_style) && !store.virtual_host_style;
    config.skip_tls_verify |= store.no_verify_tls;
    config.delete_checksum = match store.delete_checksum {
        ChecksumKind::Auto => DeleteChecksum::Auto,
        ChecksumKind::Crc32 => DeleteChecksum::Crc32,
        ChecksumKind::Md5 => DeleteChecksum::Md5,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn bucket_of(location: &Location) -> &S3Config {
        let Place::Bucket(bucket) = &location.place else { panic!("{location:?}") };
        bucket
    }

    /// A `config.yml` with this text, resolved.
    fn configured(
        text: &str,
        store: &StoreArgs,
        environment: &[(&str, &str)],
    ) -> Result<Location, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yml");
        std::fs::write(&path, text).unwrap();
        Location::resolve(&path.to_string_lossy(), store, variables(environment))
    }

    const S3: &str = "version: 0.1\nstorage:\n  s3:\n    bucket: b\n    region: eu-west-1\n    \
                      regionendpoint: http://own:9000\n    rootdirectory: /root\n    forcepathstyle: true\n";

    #[test]
    fn a_bucket_is_named_with_its_root() {
        for (typed, bucket, root) in [
            ("s3://b", "b", ""),
            ("s3://b/", "b", ""),
            ("s3://b/some/root", "b", "some/root"),
            ("s3://b//root/", "b", "/root/"),
        ] {
            let location = Location::resolve(typed, &StoreArgs::default(), []).unwrap();
            assert_eq!(bucket_of(&location).bucket, bucket);
            assert_eq!(location.root_directory, root, "{typed}");
            assert_eq!(location.source, typed);
        }
        let described = Location::resolve("s3://b//root/", &StoreArgs::default(), []).unwrap();
        assert_eq!(described.describe(), "s3://b/root");
        assert!(Location::resolve("s3:///root", &StoreArgs::default(), []).is_err());
    }

    #[test]
    fn the_address_is_what_was_typed_else_what_is_set() {
        let set =
            [("AWS_ENDPOINT_URL", "http://set"), ("AWS_ENDPOINT_URL_S3", "http://set-for-s3")];
        let typed = StoreArgs { endpoint_url: Some("http://typed".into()), ..<_>::default() };
        for (store, environment, endpoint) in [
            (&typed, &set[..], Some("http://typed")),
            (&StoreArgs::default(), &set, Some("http://set-for-s3")),
            (&StoreArgs::default(), &set[..1], Some("http://set")),
            (&StoreArgs::default(), &[("AWS_ENDPOINT_URL", "")], None),
        ] {
            let location = Location::resolve("s3://b", store, variables(environment)).unwrap();
            assert_eq!(bucket_of(&location).endpoint_url.as_deref(), endpoint);
            assert_eq!(bucket_of(&location).path_style, endpoint.is_some());
            let remembered = location.options.get("endpoint-url").map(String::as_str);
            assert_eq!(remembered, endpoint, "a plan remembers it");
        }
    }

    #[test]
    fn a_configuration_brings_its_own_address_and_only_what_is_typed_overrides_it() {
        let set = [("AWS_ENDPOINT_URL_S3", "http://set")];
        let location = configured(S3, &StoreArgs::default(), &set).unwrap();
        let bucket = bucket_of(&location);
        assert_eq!(bucket.endpoint_url.as_deref(), Some("http://own:9000"));
        assert_eq!(bucket.region.as_deref(), Some("eu-west-1"));
        assert_eq!((&*location.root_directory, bucket.path_style), ("/root", true));
        let amazon = S3.replace("regionendpoint: http://own:9000", "secure: true");
        let location = configured(&amazon, &StoreArgs::default(), &set).unwrap();
        let bucket = bucket_of(&location);
        assert_eq!(bucket.endpoint_url, None);
        assert_eq!(bucket.default_endpoint, DefaultEndpoint::Amazon);
        let typed = StoreArgs {
            endpoint_url: Some("http://typed".into()),
            region: Some("us-east-2".into()),
            virtual_host_style: true,
            ..<_>::default()
        };
        let location = configured(S3, &typed, &set).unwrap();
        let bucket = bucket_of(&location);
        assert_eq!(bucket.endpoint_url.as_deref(), Some("http://typed"));
        assert_eq!((bucket.region.as_deref(), bucket.path_style), (Some("us-east-2"), false));
    }

    #[test]
    fn a_relative_root_is_made_absolute_and_warned_of() {
        let text = "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: data\n";
        let location = configured(text, &StoreArgs::default(), &[]).unwrap();
        assert!(Path::new(&location.describe()).is_absolute());
        assert!(location.warnings().any(|warning| warning.contains("rootdirectory: is relative")));
        assert!(!location.is_readonly() && location.refusal().is_none());
    }

    #[test]
    fn only_the_registry_itself_says_that_it_is_read_only_or_a_cache() {
        let read_only = format!("{S3}  maintenance:\n    readonly:\n      enabled: true\n");
        assert!(configured(&read_only, &StoreArgs::default(), &[]).unwrap().is_readonly());
        let proxy = format!("{S3}proxy:\n  remoteurl: https://registry.example\n");
        let location = configured(&proxy, &StoreArgs::default(), &[]).unwrap();
        assert!(matches!(location.refusal(), Some(Refusal::Foreign { .. })));
    }
}
