//! From what the caller says of a bucket to a client for it.

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    Builder, Credentials, ProvideCredentials, RequestChecksumCalculation,
    ResponseChecksumValidation,
};

use super::config::{Addresses, S3Config, StaticCredentials};
use super::http_client::http_client;
use crate::{ErrorKind, Operation, StoreError};

/// The region of servers that have none.
const NO_REGION: &str = "us-east-1";

/// A client, and the words that tell its store from others.
pub(super) async fn connect(config: &S3Config) -> Result<(Client, String), StoreError> {
    let failed = |kind| StoreError::new(Operation::Open, &config.bucket, kind);
    let endpoint = endpoint(config);
    let http = http_client(config).map_err(|error| failed(ErrorKind::Fatal).because(error))?;
    let mut loader = loader(config)?.http_client(http);
    if let Some(region) = region(config, endpoint.is_some()).await {
        loader = loader.region(region);
    }
    let shared = loader.load().await;
    let region = shared.region().cloned().ok_or_else(|| {
        failed(ErrorKind::WrongAddress)
            .because("no region is set: not here, not in the AWS settings")
    })?;
    check_credentials(&shared).await.map_err(|e| failed(ErrorKind::Credentials).because(e))?;
    let place = endpoint.as_deref().map_or(region.as_ref(), without_user);
    let identity = format!("s3://{} at {place}", config.bucket);
    Ok((Client::from_conf(client_config(&shared, config, endpoint.as_deref())), identity))
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

fn client_config(
    shared: &SdkConfig,
    config: &S3Config,
    endpoint: Option<&str>,
) -> aws_sdk_s3::Config {
    let connect = TimeoutConfig::builder().connect_timeout(config.timeouts.connect).build();
    let mut builder = Builder::from(shared)
        .force_path_style(config.path_style)
        .retry_config(RetryConfig::disabled())
        .timeout_config(connect)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = endpoint {
        return builder.endpoint_url(endpoint).build();
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
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
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
async fn region(config: &S3Config, has_endpoint: bool) -> Option<Region> {
    let given = config.region.clone().filter(|given| !given.is_empty()).map(Region::new);
    if given.is_some() || !has_endpoint {
        return given;
    }
    let set = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::new(NO_REGION));
    set.region().await
}

/// Asks for credentials once, so that having none is told at once and by its own name.
async fn check_credentials(
    shared: &SdkConfig,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let provider = shared.credentials_provider().ok_or("there is no source of credentials")?;
    provider.provide_credentials().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
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
        let (_, identity) = connect(&config).await.unwrap();
        assert_eq!(identity, "s3://bucket at https://minio:9000");
    }

    #[tokio::test]
    async fn a_crooked_user_agent_is_an_error() {
        let mut config = static_config();
        config.region = Some("eu-west-1".into());
        config.user_agent = Some("not allowed: (".into());
        assert_eq!(connect(&config).await.unwrap_err().kind, ErrorKind::Fatal);
    }
}
