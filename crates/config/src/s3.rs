//! The drivers `s3` and `s3aws`.

use crate::error::{ConfigError, Problem};
use crate::secret::Secret;
use crate::section::Section;
use crate::warning::{Oddity, Warning};

/// The parameters of the `s3` driver.
///
/// What only bears on uploads of layers (part sizes and the like) is checked as the registry checks it, then dropped.
///
/// Source: distribution `registry/storage/driver/s3-aws/s3.go`, `FromParameters`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the registry's own switches, independent of each other"
)]
pub struct S3 {
    /// The bucket.
    pub bucket: String,
    /// The region to sign for. With an endpoint and without a region it is `us-east-1`; the registry signs with the
    /// text `<nil>` there, which only servers that do not look at the region accept.
    pub region: String,
    /// The address of a server that is not Amazon's, always with a scheme.
    pub endpoint: Option<String>,
    /// `forcepathstyle`, where it is set. See [`S3::path_style`].
    pub force_path_style: Option<bool>,
    /// Fixed credentials. Without them they come from the surroundings: environment, profile, role.
    pub credentials: Option<Credentials>,
    /// Whether Amazon is asked over TLS; an endpoint tells by its scheme.
    pub secure: bool,
    /// Whether the server's certificate is not checked.
    pub skip_verify: bool,
    /// The key prefix of everything the registry keeps, as written.
    pub root_directory: String,
    /// Whether Amazon is asked over its addresses for IPv4 and IPv6.
    pub use_dual_stack: bool,
    /// Whether Amazon is asked over its acceleration addresses.
    pub accelerate: bool,
    /// Whether Amazon is asked over its FIPS addresses.
    pub use_fips: bool,
    /// How objects are encrypted where they are written.
    pub encryption: Option<Encryption>,
    /// The storage class of objects that are written; `None` where the server has none.
    pub storage_class: Option<&'static str>,
    /// The canned access control list of objects that are written.
    pub object_acl: &'static str,
    /// What is added to the user agent of requests.
    pub user_agent: Option<String>,
}

/// A fixed pair of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Public half.
    pub access_key: String,
    /// Secret half.
    pub secret_key: Secret,
}

/// How the server encrypts an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// With a key of the store.
    Aes256,
    /// With a key of the key management service.
    Kms {
        /// Which key.
        key_id: String,
    },
}

const PART_SIZE: std::ops::RangeInclusive<i64> = 5 << 20..=5 << 30;

/// All that versions 2.8 and 3 accept between them.
const STORAGE_CLASSES: [&str; 9] = [
    NO_STORAGE_CLASS,
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "OUTPOSTS",
    "GLACIER_IR",
    "EXPRESS_ONEZONE",
];

const NO_STORAGE_CLASS: &str = "NONE";

const OBJECT_ACLS: [&str; 7] = [
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

impl S3 {
    pub(crate) fn read(
        section: &Section<'_>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, ConfigError> {
        check_unused(section)?;
        let secure = section.boolean("secure")?.unwrap_or(true);
        let endpoint = section.text("regionendpoint")?;
        check_signature(section, endpoint.as_deref(), warnings)?;
        let bucket = section.text("bucket")?;
        let class = section.word("storageclass", &STORAGE_CLASSES, str::to_uppercase)?;
        let acl = section.word("objectacl", &OBJECT_ACLS, str::to_owned)?;
        let switch = |field| section.boolean(field).map(Option::unwrap_or_default);
        Ok(Self {
            region: region(section, endpoint.is_some())?,
            bucket: bucket.ok_or_else(|| section.error("bucket", Problem::Missing))?,
            endpoint: endpoint.map(|endpoint| with_scheme(endpoint, secure)),
            force_path_style: section.boolean("forcepathstyle")?,
            credentials: credentials(section, warnings)?,
            secure,
            skip_verify: switch("skipverify")?,
            root_directory: section.text("rootdirectory")?.unwrap_or_default(),
            use_dual_stack: switch("usedualstack")?,
            accelerate: switch("accelerate")?,
            use_fips: switch("usefipsendpoint")?,
            encryption: encryption(section)?,
            storage_class: Some(class.unwrap_or("STANDARD")).filter(|it| *it != NO_STORAGE_CLASS),
            object_acl: acl.unwrap_or("private"),
            user_agent: section.text("useragent")?,
        })
    }

    /// Whether the bucket is named in the path of requests instead of in the host.
    ///
    /// What `forcepathstyle` says, where it is set. Otherwise yes with an endpoint, no without. Nothing in the file
    /// tells which version reads it, and with an endpoint the two differ: 2.8 always uses the path, 3 never. The path
    /// is right for every 2.8, and works for nearly every server that is not Amazon's, while the host works only where
    /// someone has made a name for each bucket.
    #[must_use]
    pub fn path_style(&self) -> bool {
        self.force_path_style.unwrap_or(self.endpoint.is_some())
    }
}

/// Refuses what the registry refuses of fields that are of no use here.
fn check_unused(section: &Section<'_>) -> Result<(), ConfigError> {
    section.check_integer("chunksize", PART_SIZE)?;
    section.check_integer("multipartcopychunksize", PART_SIZE)?;
    section.check_integer("multipartcopymaxconcurrency", 1..=i64::MAX)?;
    section.check_integer("multipartcopythresholdsize", 0..=*PART_SIZE.end())
}

/// Only Amazon's own regions are checked by the registry, against a list that grows; the store will tell.
fn region(section: &Section<'_>, has_endpoint: bool) -> Result<String, ConfigError> {
    match section.text("region")? {
        Some(region) => Ok(region),
        None if has_endpoint => Ok("us-east-1".to_owned()),
        None => Err(section.error("region", Problem::Missing)),
    }
}

/// Signature version 2 is refused for Amazon, as the registry does, and replaced by version 4 elsewhere.
fn check_signature(
    section: &Section<'_>,
    endpoint: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<(), ConfigError> {
    if section.boolean("v4auth")?.unwrap_or(true) {
        return Ok(());
    }
    if endpoint.is_none_or(|endpoint| endpoint.contains("s3.amazonaws.com")) {
        return Err(section.error("v4auth", Problem::SignatureVersion));
    }
    warnings.push(Warning::new(section.path("v4auth"), Oddity::SignatureVersion));
    Ok(())
}

fn credentials(
    section: &Section<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Credentials>, ConfigError> {
    if section.has("sessiontoken") {
        warnings.push(Warning::new(section.path("sessiontoken"), Oddity::SessionToken));
    }
    match (section.text("accesskey")?, section.text("secretkey")?) {
        (Some(access_key), Some(secret_key)) => {
            Ok(Some(Credentials { access_key, secret_key: Secret::new(secret_key) }))
        }
        (None, None) => Ok(None),
        (found, _) => {
            let field = if found.is_some() { "accesskey" } else { "secretkey" };
            warnings.push(Warning::new(section.path(field), Oddity::HalfCredentials));
            Ok(None)
        }
    }
}

fn encryption(section: &Section<'_>) -> Result<Option<Encryption>, ConfigError> {
    let key_id = section.text("keyid")?;
    Ok(match (section.boolean("encrypt")?, key_id) {
        (Some(true), Some(key_id)) => Some(Encryption::Kms { key_id }),
        (Some(true), None) => Some(Encryption::Aes256),
        (Some(false) | None, _) => None,
    })
}

/// An endpoint without a scheme gets the one that `secure` asks for.
///
/// Source: AWS SDK for Go, `endpoints.AddScheme`.
fn with_scheme(endpoint: String, secure: bool) -> String {
    match endpoint.split_once("://") {
        Some((scheme, _)) if !scheme.is_empty() && !scheme.contains(':') => endpoint,
        _ if secure => format!("https://{endpoint}"),
        _ => format!("http://{endpoint}"),
    }
}
