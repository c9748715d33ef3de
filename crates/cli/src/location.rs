//! Where a registry is: from what was typed to what is meant.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use config::{Configuration, Storage};
use store::{Addresses, DeleteChecksum, S3Config, StaticCredentials};

use crate::args::{ChecksumKind, StoreArgs};
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
        warnings.map(|warning| format!("{}: {warning}", self.source))
    }

    /// Why the registry is not ours to collect, where its configuration says so.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let is_proxy = self.configuration.as_ref().is_some_and(|configuration| configuration.proxy);
        is_proxy.then(|| Refusal::Foreign {
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
            (Place::Directory(PathBuf::from(&files.root_directory)), String::new())
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

fn s3_config(s3: &config::S3) -> S3Config {
    let mut config = S3Config::new(&s3.bucket);
    config.endpoint_url.clone_from(&s3.endpoint);
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
