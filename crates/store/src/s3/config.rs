//! What the caller says of a bucket.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a bucket is and how to speak to it.
#[derive(Clone, Debug)]
pub struct S3Config {
    /// The bucket's name.
    pub bucket: String,
    /// Where the server is, with or without a scheme. None: [`default_endpoint`](Self::default_endpoint).
    pub endpoint_url: Option<String>,
    /// Where the server is where nobody says.
    pub default_endpoint: DefaultEndpoint,
    /// The region. None: what the AWS settings say; with an endpoint of one's own, at last `us-east-1`.
    pub region: Option<String>,
    /// Whether the bucket stands in the path and not in the host name; most servers other than AWS want it.
    pub path_style: bool,
    /// Which of Amazon's own addresses to use.
    pub addresses: Addresses,
    /// Keys given outright. None: the AWS chain (environment, profile, SSO, web identity, container, instance).
    pub credentials: Option<StaticCredentials>,
    /// Whether an [`endpoint_url`](Self::endpoint_url) without a scheme means `https`.
    pub secure: bool,
    /// Takes any certificate. Whoever stands in between can then read and change everything.
    pub skip_tls_verify: bool,
    /// A file of certificates in PEM form, to be trusted beside the system's. None: what `AWS_CA_BUNDLE` names.
    pub ca_bundle: Option<PathBuf>,
    /// A word of the caller's own for the `User-Agent` header.
    pub user_agent: Option<String>,
    /// How a delete request proves that it arrived whole.
    pub delete_checksum: DeleteChecksum,
    /// The prefix below which the time is asked, for credentials that may only list there.
    pub probe_prefix: String,
    /// How many keys to ask for in one LIST, 1 to 1000.
    pub keys_per_page: u16,
    /// The most bytes of an object that is copied by one request; larger ones are copied in parts.
    pub copy_limit: u64,
    /// How long to wait.
    pub timeouts: Timeouts,
}

impl S3Config {
    /// A bucket under the defaults: AWS over TLS, its own chain of credentials, pages of 1000 keys.
    #[must_use]
    pub fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            endpoint_url: None,
            default_endpoint: DefaultEndpoint::Settings,
            region: None,
            path_style: false,
            addresses: Addresses::default(),
            credentials: None,
            secure: true,
            skip_tls_verify: false,
            ca_bundle: None,
            user_agent: None,
            delete_checksum: DeleteChecksum::Auto,
            probe_prefix: String::new(),
            keys_per_page: Self::MOST_KEYS_PER_PAGE,
            copy_limit: Self::COPY_LIMIT,
            timeouts: Timeouts::default(),
        }
    }

    /// The most bytes that are copied by one request unless told: 512 MiB. A store that reads and writes what it copies
    /// needs no more than 4.5 MB a second to answer in time.
    pub const COPY_LIMIT: u64 = 512 << 20;

    /// The most keys that a LIST answers.
    ///
    /// Source: Amazon S3 API, `ListObjectsV2`: "up to 1,000 objects".
    pub const MOST_KEYS_PER_PAGE: u16 = 1000;
}

/// Where the server is whose endpoint nobody gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultEndpoint {
    /// Where the AWS settings say, at last AWS itself.
    Settings,
    /// AWS itself: a registry's own configuration is not redirected by a variable that the registry does not know.
    Amazon,
}

/// Which of Amazon's own addresses to use; of no effect with an endpoint of one's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Those that answer over IPv4 and IPv6.
    pub dual_stack: bool,
    /// Those of transfer acceleration.
    pub accelerated: bool,
    /// Those with FIPS 140 validated cryptography.
    pub fips: bool,
}

/// An access key; its secret halves never show in debug output.
#[derive(Clone)]
pub struct StaticCredentials {
    /// The public half.
    pub access_key: String,
    /// The secret half.
    pub secret_key: String,
    /// The token of a session, where there is one.
    pub session_token: Option<String>,
}

impl fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticCredentials")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

/// How a delete request proves that it arrived whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeleteChecksum {
    /// CRC32, and MD5 for good once the server asked for it.
    #[default]
    Auto,
    /// `x-amz-checksum-crc32`.
    Crc32,
    /// `Content-MD5`, which servers that keep to the older protocol insist on.
    Md5,
}

/// How long to wait for a server; each counts for one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For a listing page or an object, body included.
    pub read: Duration,
    /// For the answer to a delete request; some servers delete one key after the other.
    pub delete: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(30),
            delete: Duration::from_mins(2),
        }
    }
}
