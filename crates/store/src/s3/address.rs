//! Where a bucket answers, and where signatures for it count: told by the SDK, whose rules these are.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, Credentials};
use aws_sdk_s3::presigning::PresigningConfig;

use super::sign::Scope;
use crate::{ErrorKind, Operation, StoreError};

/// The address of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Scheme and authority, as `https://bucket.s3.eu-west-1.amazonaws.com`.
    pub(super) origin: String,
    /// The `Host` header: without the port that the scheme implies, without a user.
    pub(super) host: String,
    /// The path of the bucket itself, percent-encoded, ending in `/`; keys are appended.
    pub(super) path: String,
}

/// Has the SDK sign a GET of the bucket, for a day and a key that do not matter, and takes the address from it: regions,
/// styles, FIPS, access points and endpoints come out as they do for every request of the SDK. Nothing is sent.
pub(super) async fn find(client: &Client, bucket: &str) -> Result<(Address, Scope), StoreError> {
    let failed = || StoreError::new(Operation::Open, bucket, ErrorKind::Fatal);
    let nobody = Credentials::new("nobody", "nothing", None, None, "the address");
    let signed = client
        .list_object_versions()
        .bucket(bucket)
        .customize()
        .config_override(Builder::new().credentials_provider(nobody))
        .presigned(presigning().map_err(|error| failed().because(error))?)
        .await
        // Nothing was asked of anybody, so it will be the same next time.
        .map_err(|error| failed().because(error))?;
    parse(signed.uri())
        .ok_or_else(|| failed().because(format!("`{}` is no address", without_query(signed.uri()))))
}

fn presigning() -> Result<PresigningConfig, impl std::error::Error + Send + Sync> {
    PresigningConfig::builder()
        .start_time(std::time::UNIX_EPOCH)
        .expires_in(Duration::from_secs(1))
        .build()
}

fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

fn parse(url: &str) -> Option<(Address, Scope)> {
    let (place, query) = url.split_once('?')?;
    let (scheme, rest) = place.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let address = Address {
        origin: format!("{scheme}://{authority}"),
        host: host(scheme, authority).to_owned(),
        path: format!("{}/", path.trim_end_matches('/')),
    };
    Some((address, scope(query)?))
}

fn host<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let host = authority.rsplit('@').next().unwrap_or_default();
    let implied = if scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(implied).unwrap_or(host)
}

/// The scope of the one kind of signature that we make.
fn scope(query: &str) -> Option<Scope> {
    let value = |name| query.split('&').find_map(|pair| pair.strip_prefix(name));
    if value("X-Amz-Algorithm=")? != "AWS4-HMAC-SHA256" {
        return None;
    }
    let mut parts = value("X-Amz-Credential=")?.split("%2F").skip(2);
    Some(Scope { region: parts.next()?.into(), service: parts.next()?.into() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::s3::{S3Config, StaticCredentials, connect};

    async fn opened(
        bucket: &str,
        change: impl FnOnce(&mut S3Config),
    ) -> Result<[String; 3], ErrorKind> {
        let mut config = S3Config::new(bucket);
        config.region = Some("eu-west-1".into());
        config.credentials = Some(StaticCredentials {
            access_key: "access".into(),
            secret_key: "secret".into(),
            session_token: None,
        });
        change(&mut config);
        let connected = connect::connect(&config, &Arc::default()).await;
        let connected = connected.map_err(|error| error.kind)?;
        let Address { origin, host, path } = connected.wire.address;
        Ok([origin, host, path])
    }

    async fn url(bucket: &str, change: impl FnOnce(&mut S3Config)) -> String {
        let [origin, _, path] = opened(bucket, change).await.unwrap();
        origin + &path
    }

    fn own(endpoint: &'static str, path_style: bool) -> impl Fn(&mut S3Config) {
        move |config| {
            config.endpoint_url = Some(endpoint.into());
            config.path_style = path_style;
        }
    }

    #[tokio::test]
    async fn buckets_of_amazon_are_addressed_as_the_settings_say() {
        let path_style = |config: &mut S3Config| config.path_style = true;
        let plain = |_: &mut S3Config| {};
        assert_eq!(url("bucket", plain).await, "https://bucket.s3.eu-west-1.amazonaws.com/");
        assert_eq!(url("buc.ket", plain).await, "https://s3.eu-west-1.amazonaws.com/buc.ket/");
        assert_eq!(url("bucket", path_style).await, "https://s3.eu-west-1.amazonaws.com/bucket/");
        let china = |config: &mut S3Config| config.region = Some("cn-north-1".into());
        assert_eq!(url("bucket", china).await, "https://bucket.s3.cn-north-1.amazonaws.com.cn/");
        let fips = |config: &mut S3Config| config.addresses.fips = true;
        assert_eq!(url("bucket", fips).await, "https://bucket.s3-fips.eu-west-1.amazonaws.com/");
        let both = |config: &mut S3Config| config.addresses.dual_stack = true;
        assert_eq!(
            url("bucket", both).await,
            "https://bucket.s3.dualstack.eu-west-1.amazonaws.com/"
        );
        let quick = |config: &mut S3Config| config.addresses.accelerated = true;
        assert_eq!(url("bucket", quick).await, "https://bucket.s3-accelerate.amazonaws.com/");
        let point = "arn:aws:s3:eu-west-1:123456789012:accesspoint/name";
        let expected = "https://name-123456789012.s3-accesspoint.eu-west-1.amazonaws.com/";
        assert_eq!(url(point, plain).await, expected);
    }

    #[tokio::test]
    async fn buckets_of_other_servers_are_addressed_below_the_endpoint() {
        for (endpoint, path_style, expected) in [
            ("http://minio:9000", true, "http://minio:9000/bucket/"),
            ("http://minio:9000", false, "http://bucket.minio:9000/"),
            ("https://host/some/where/", true, "https://host/some/where/bucket/"),
            ("https://host/some/where", false, "https://bucket.host/some/where/"),
            ("http://127.0.0.1:9000", false, "http://127.0.0.1:9000/bucket/"),
            ("http://[::1]:9000", true, "http://[::1]:9000/bucket/"),
        ] {
            assert_eq!(url("bucket", own(endpoint, path_style)).await, expected, "{endpoint}");
        }
    }

    #[tokio::test]
    async fn the_host_header_leaves_out_what_the_scheme_implies() {
        for (endpoint, expected) in [
            ("https://host:443", "host"),
            ("http://host:80", "host"),
            ("http://host:443", "host:443"),
            ("https://[::1]:9000", "[::1]:9000"),
        ] {
            let [_, host, _] = opened("bucket", own(endpoint, true)).await.unwrap();
            assert_eq!(host, expected, "{endpoint}");
        }
        assert_eq!(host("https", "me:secret@host:443"), "host");
    }

    #[tokio::test]
    async fn settings_that_contradict_themselves_are_told_at_once() {
        let both = |config: &mut S3Config| {
            config.addresses.accelerated = true;
            config.path_style = true;
        };
        assert_eq!(opened("bucket", both).await, Err(ErrorKind::Fatal));
    }

    #[test]
    fn signatures_of_another_kind_are_not_ours() {
        let url = |algorithm: &str| {
            format!(
                "https://host/?versions&X-Amz-Algorithm={algorithm}&X-Amz-Date=19700101T000000Z\
                 &X-Amz-Credential=nobody%2F19700101%2Feu-west-1%2Fs3-outposts%2Faws4_request"
            )
        };
        let scope = Scope { region: "eu-west-1".into(), service: "s3-outposts".into() };
        assert_eq!(parse(&url("AWS4-HMAC-SHA256")).map(|found| found.1), Some(scope));
        assert_eq!(parse(&url("AWS4-ECDSA-P256-SHA256")), None);
    }
}
