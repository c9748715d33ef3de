//! From what the caller says of a bucket to a client for it.

use std::sync::Arc;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    Builder, Credentials, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use monitor::Monitor;

use super::address;
use super::clock::Clock;
use super::config::{Addresses, DefaultEndpoint, S3Config, StaticCredentials};
use super::credentials::Keyring;
use super::http_client::{connector, http_client};
use super::wire::Wire;
use crate::{ErrorKind, Operation, StoreError};

/// The region of servers that have none.
const NO_REGION: &str = "us-east-1";

/// The ways to a bucket, and the words that tell it from others.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) wire: Wire,
    pub(super) identity: String,
}

/// Finds region, address and credentials; the last are asked for once, so that having none is told at once and by its
/// own name.
pub(super) async fn connect(
    config: &S3Config,
    monitor: &Arc<Monitor>,
) -> Result<Connected, StoreError> {
    let failed = |kind| StoreError::new(Operation::Open, &config.bucket, kind);
    let connector = connector(config).map_err(|error| failed(ErrorKind::Fatal).because(error))?;
    let clock = Clock::new(SharedTimeSource::default());
    let shared = settings(config, &connector, &clock).await?;
    let client = Client::from_conf(client_config(&shared, config));
    let (address, scope) = address::find(&client, &config.bucket).await?;
    let provider = shared.credentials_provider().ok_or_else(|| {
        failed(ErrorKind::Credentials).because("there is no source of credentials")
    })?;
    let keyring = Keyring::open(provider, scope, clock.clone())
        .await
        .map_err(|error| failed(ErrorKind::Credentials).because(error))?;
    let (user_agent, monitor) = (user_agent(config), Arc::clone(monitor));
    let wire = Wire { connector, address, keyring, clock, user_agent, monitor };
    Ok(Connected { client, wire, identity: identity(config, &shared) })
}

fn identity(config: &S3Config, shared: &SdkConfig) -> String {
    let region = || shared.region().map(Region::as_ref).unwrap_or_default().to_owned();
    let place = endpoint(config).map_or_else(region, |endpoint| without_user(&endpoint).to_owned());
    format!("s3://{} at {place}", config.bucket)
}

fn user_agent(config: &S3Config) -> String {
    let program = concat!("regsweep/", env!("CARGO_PKG_VERSION"));
    match &config.user_agent {
        Some(word) => format!("{program} app/{word}"),
        None => program.to_owned(),
    }
}

/// What the AWS settings say, and what the caller says in their place.
async fn settings(
    config: &S3Config,
    connector: &SharedHttpConnector,
    clock: &Clock,
) -> Result<SdkConfig, StoreError> {
    let mut loader = loader(config)?
        .http_client(http_client(connector.clone()))
        .time_source(SharedTimeSource::new(clock.clone()));
    if let Some(region) = region(config).await {
        loader = loader.region(region);
    }
    let shared = loader.load().await;
    if shared.region().is_none() {
        return Err(StoreError::new(Operation::Open, &config.bucket, ErrorKind::WrongAddress)
            .because("no region is set: not here, not in the AWS settings"));
    }
    Ok(shared)
}

/// Everything but region and HTTP client. One retry loop is enough and it is ours: the SDK's own would hide throttling
/// from the pace, and its shared budget of retries runs dry under it.
fn loader(config: &S3Config) -> Result<ConfigLoader, StoreError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(own) = &config.credentials {
        loader = loader.credentials_provider(credentials(own));
    }
    if let Some(word) = &config.user_agent {
        let name = AppName::new(word.clone()).map_err(|error| {
            StoreError::new(Operation::Open, &config.bucket, ErrorKind::Fatal).because(error)
        })?;
        loader = loader.app_name(name);
    }
    Ok(loader)
}

fn credentials(own: &StaticCredentials) -> Credentials {
    let token = own.session_token.clone();
    Credentials::new(&own.access_key, &own.secret_key, token, None, "the configuration")
}

fn client_config(shared: &SdkConfig, config: &S3Config) -> aws_sdk_s3::Config {
    let connect = TimeoutConfig::builder().connect_timeout(config.timeouts.connect).build();
    let mut builder = Builder::from(shared)
        .force_path_style(config.path_style)
        // Directory buckets are not for us, and opening a session would be a request that nobody counts.
        .disable_s3_express_session_auth(true)
        .retry_config(RetryConfig::disabled())
        .timeout_config(connect)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = endpoint(config) {
        // The SDK's rules append the bucket to a path as it stands.
        return builder.endpoint_url(format!("{endpoint}/")).build();
    }
    if config.default_endpoint == DefaultEndpoint::Amazon {
        builder.set_endpoint_url(None);
    }
    let Addresses { dual_stack, accelerated, fips } = config.addresses;
    // Set only where wanted, so that what the AWS settings say stands.
    for (wanted, set) in [
        (dual_stack, Builder::set_use_dual_stack as fn(&mut Builder, Option<bool>) -> &mut Builder),
        (accelerated, Builder::set_accelerate),
        (fips, Builder::set_use_fips),
    ] {
        if wanted {
            set(&mut builder, Some(true));
        }
    }
    builder.build()
}

/// The server's address where it is not AWS: the caller's, else that of the AWS variables.
fn endpoint(config: &S3Config) -> Option<String> {
    let given = config.endpoint_url.clone().filter(|given| !given.is_empty());
    let heeds_settings = config.default_endpoint == DefaultEndpoint::Settings;
    let is_heeded = |value: &String| heeds_settings && !value.is_empty();
    let variable = |name| std::env::var(name).ok().filter(is_heeded);
    let found = given
        .or_else(|| variable("AWS_ENDPOINT_URL_S3"))
        .or_else(|| variable("AWS_ENDPOINT_URL"))?;
    Some(with_scheme(&found, config.secure))
}

fn with_scheme(endpoint: &str, secure: bool) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    match endpoint.contains("://") {
        true => endpoint.to_owned(),
        false if secure => format!("https://{endpoint}"),
        false => format!("http://{endpoint}"),
    }
}

/// An address without what may stand before `@`: identities are printed and kept.
fn without_user(endpoint: &str) -> &str {
    match endpoint.rsplit_once('@') {
        Some((_, host)) => host,
        None => endpoint,
    }
}

/// The region: given, or set, or of the profile. `None` where the store is AWS itself and nothing is given: its own
/// chain asks the instance too, where nobody would answer elsewhere, slowly.
async fn region(config: &S3Config) -> Option<Region> {
    let given = config.region.clone().filter(|given| !given.is_empty()).map(Region::new);
    if given.is_some() || endpoint(config).is_none() {
        return given;
    }
    let set = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::new(NO_REGION));
    set.region().await
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::SharedCredentialsProvider;

    use super::*;

    fn static_config() -> S3Config {
        let mut config = S3Config::new("bucket");
        config.credentials = Some(StaticCredentials {
            access_key: "access".into(),
            secret_key: "very-secret".into(),
            session_token: Some("token-secret".into()),
        });
        config
    }

    #[test]
    fn an_endpoint_without_a_scheme_gets_one() {
        for (endpoint, secure, url) in [
            ("minio:9000", true, "https://minio:9000"),
            ("minio:9000/", false, "http://minio:9000"),
            ("http://minio:9000", true, "http://minio:9000"),
        ] {
            assert_eq!(with_scheme(endpoint, secure), url);
        }
    }

    #[test]
    fn no_secret_shows() {
        let shown = format!("{:?}", static_config());
        assert!(shown.contains("access") && !shown.contains("-secret"), "{shown}");
        assert_eq!(without_user("https://me:secret@host:1"), "host:1");
        assert_eq!(without_user("https://host:1"), "https://host:1");
    }

    #[tokio::test]
    async fn the_identity_names_bucket_and_place() {
        let mut config = static_config();
        config.region = Some("eu-west-1".into());
        config.endpoint_url = Some("minio:9000".into());
        let found = connect(&config, &Arc::default()).await.unwrap();
        assert_eq!(found.identity, "s3://bucket at https://minio:9000");
    }

    #[tokio::test]
    async fn a_configuration_that_names_no_endpoint_means_amazon_where_it_says_so() {
        let region = Region::new("eu-west-1");
        let shared = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .credentials_provider(SharedCredentialsProvider::new(credentials(
                &static_config().credentials.unwrap(),
            )))
            .endpoint_url("http://elsewhere:9000")
            .build();
        for (default_endpoint, is_amazon) in
            [(DefaultEndpoint::Settings, false), (DefaultEndpoint::Amazon, true)]
        {
            let config = S3Config { default_endpoint, ..static_config() };
            let client = Client::from_conf(client_config(&shared, &config));
            let (address, _) = address::find(&client, "bucket").await.unwrap();
            let shown = format!("{address:?}");
            assert_eq!(shown.contains("amazonaws.com"), is_amazon, "{shown}");
        }
    }

    #[tokio::test]
    async fn a_crooked_user_agent_is_an_error() {
        let mut config = static_config();
        config.region = Some("eu-west-1".into());
        config.user_agent = Some("not allowed: (".into());
        assert_eq!(connect(&config, &Arc::default()).await.err().unwrap().kind, ErrorKind::Fatal);
    }
}
