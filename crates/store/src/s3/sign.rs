//! AWS Signature Version 4, for requests without a body.
//!
//! Source: AWS General Reference, "Create a signed AWS API request"; Amazon S3 API, "Authenticating Requests:
//! Using the Authorization Header".

use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use ring::{digest, hmac};

/// The SHA-256 of nothing, which stands for the body of every GET.
pub(super) const NO_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Where a signature counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// The region, as `eu-west-1`.
    pub(super) region: Box<str>,
    /// The service, mostly `s3`.
    pub(super) service: Box<str>,
}

/// What of a GET is signed: all of it, as it goes over the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    /// The path, percent-encoded.
    pub(super) path: &'a str,
    /// The query, percent-encoded and sorted, without `?`.
    pub(super) query: &'a str,
    /// Names in lower case and values, sorted by name.
    pub(super) headers: &'a [(&'static str, &'a str)],
}

/// An access key at work in one scope.
pub(super) struct Signer {
    access_key: Box<str>,
    secret_key: Box<str>,
    session_token: Option<Box<str>>,
    scope: Scope,
    /// The last day that was signed for, as `20260818`, and its key: deriving one costs more than a signature.
    of_day: Mutex<Option<(Box<str>, hmac::Key)>>,
}

impl Signer {
    pub(super) fn new(
        access_key: &str,
        secret_key: &str,
        session_token: Option<&str>,
        scope: Scope,
    ) -> Self {
        Self {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            session_token: session_token.map(Into::into),
            scope,
            of_day: Mutex::new(None),
        }
    }

    /// What has to go into `x-amz-security-token`, where the key belongs to a session.
    pub(super) fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// Whether both sign alike.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let parts = |one: &Self| {
            (one.access_key.clone(), one.secret_key.clone(), one.session_token.clone())
        };
        parts(self) == parts(other)
    }

    /// The `Authorization` header of a request, whose `x-amz-date` is `time` as [`wire_time`] writes it.
    pub(super) fn authorization(&self, request: Signed<'_>, time: &str) -> String {
        let day = time.split('T').next().unwrap_or_default();
        let scope = format!("{day}/{}/{}/aws4_request", self.scope.region, self.scope.service);
        let names = names(request.headers);
        let mut signature = hmac::Context::with_key(&self.key_of(day));
        for part in ["AWS4-HMAC-SHA256\n", time, "\n", &scope, "\n", &hash(request, &names)] {
            signature.update(part.as_bytes());
        }
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            self.access_key,
            hex(signature.sign().as_ref())
        )
    }

    fn key_of(&self, day: &str) -> hmac::Key {
        let mut of_day = self.of_day.lock().unwrap_or_else(PoisonError::into_inner);
        match &*of_day {
            Some((known, key)) if **known == *day => key.clone(),
            _ => {
                let key = self.derive(day);
                *of_day = Some((day.into(), key.clone()));
                key
            }
        }
    }

    fn derive(&self, day: &str) -> hmac::Key {
        let first = hmac_key(format!("AWS4{}", self.secret_key).as_bytes());
        let parts = [day, &self.scope.region, &self.scope.service, "aws4_request"];
        parts.iter().fold(first, |key, part| hmac_key(hmac::sign(&key, part.as_bytes()).as_ref()))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("access_key", &self.access_key)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// A time as `x-amz-date` has it: `20260818T100000Z`.
pub(super) fn wire_time(time: SystemTime) -> String {
    let seconds = DateTime::from_secs(DateTime::from(time).secs());
    // Fails for years beyond 9999 alone, for which no server takes a signature.
    let text = seconds.fmt(Format::DateTime).unwrap_or_default();
    text.chars().filter(|sign| !matches!(sign, '-' | ':')).collect()
}

fn hmac_key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

fn names(headers: &[(&str, &str)]) -> String {
    let mut names = String::with_capacity(80);
    for (name, _) in headers {
        if !names.is_empty() {
            names.push(';');
        }
        names.push_str(name);
    }
    names
}

/// The hash of the canonical request, in hexadecimal.
fn hash(request: Signed<'_>, names: &str) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut add = |parts: &[&str]| parts.iter().for_each(|part| hash.update(part.as_bytes()));
    add(&["GET\n", request.path, "\n", request.query, "\n"]);
    for (name, value) in request.headers {
        add(&[name, ":", value.trim(), "\n"]);
    }
    add(&["\n", names, "\n", NO_BODY]);
    hex(hash.finish().as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::s3::percent::{path, query};

    /// The signer of AWS's own test suite, "Signature Version 4 signing test suite".
    fn suite(token: Option<&str>) -> Signer {
        let scope = Scope { region: "us-east-1".into(), service: "service".into() };
        Signer::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token, scope)
    }

    const SUITE_TIME: &str = "20150830T123600Z";

    fn suite_signature(path: &str, query: &str) -> String {
        let headers = [("host", "example.amazonaws.com"), ("x-amz-date", SUITE_TIME)];
        let request = Signed { path, query, headers: &headers };
        signature(&suite(None).authorization(request, SUITE_TIME))
    }

    fn signature(authorization: &str) -> String {
        authorization.split_once("Signature=").unwrap().1.to_owned()
    }

    #[test]
    fn paths_are_signed_as_the_suite_has_it() {
        for (sent, expected) in [
            ("/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("/ሴ", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
            ("/example space/", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
            ("//example//", "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"),
        ] {
            assert_eq!(suite_signature(&path(sent), ""), expected, "{sent}");
        }
    }

    #[test]
    fn queries_are_signed_sorted_as_the_suite_has_it() {
        let plain = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        for (sent, expected) in [
            (
                &[("Param-3", "Value3"), ("Param", "Value2"), ("ሴ", "Value1")][..],
                "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
            ),
            (
                &[("Param2", "value2"), ("Param1", "value1")],
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (&[(plain, plain)], "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
            (&[("ሴ", "bar")], "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        ] {
            assert_eq!(suite_signature("/", &query(sent)), expected, "{sent:?}");
        }
    }

    #[test]
    fn the_token_of_a_session_is_signed_as_the_suite_has_it() {
        let token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
        let signer = suite(Some(token));
        let headers = [
            ("host", "example.amazonaws.com"),
            ("x-amz-date", SUITE_TIME),
            ("x-amz-security-token", signer.session_token().unwrap()),
        ];
        let request = Signed { path: "/", query: "", headers: &headers };
        let expected = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8";
        assert_eq!(signature(&signer.authorization(request, SUITE_TIME)), expected);
    }

    /// The examples of the Amazon S3 API, "Signature Calculations for the Authorization Header".
    #[test]
    fn objects_and_listings_are_signed_as_the_documentation_has_it() {
        let scope = Scope { region: "us-east-1".into(), service: "s3".into() };
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let signer = Signer::new("AKIAIOSFODNN7EXAMPLE", secret, None, scope);
        let time = wire_time(SystemTime::UNIX_EPOCH + Duration::from_hours(380_376));
        assert_eq!(time, "20130524T000000Z");
        let object = [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", NO_BODY),
            ("x-amz-date", &time),
        ];
        let listing = [object[0], object[2], object[3]];
        let get = Signed { path: "/test.txt", query: "", headers: &object };
        let list = Signed {
            path: "/",
            query: &query(&[("max-keys", "2"), ("prefix", "J")]),
            headers: &listing,
        };
        assert_eq!(
            signer.authorization(get, &time),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
             Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        assert_eq!(
            signature(&signer.authorization(list, &time)),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn every_day_has_a_key_of_its_own() {
        let signer = suite(None);
        let request = Signed { path: "/", query: "", headers: &[] };
        let of = |time| signer.authorization(request, time);
        let (today, tomorrow) = (of("20260818T000000Z"), of("20260819T000000Z"));
        assert_ne!(signature(&today), signature(&tomorrow));
        assert_eq!(of("20260818T000000Z"), today);
    }

    #[test]
    fn no_secret_shows() {
        let shown = format!("{:?}", suite(Some("token-secret")));
        assert!(shown.contains("AKIDEXAMPLE"), "{shown}");
        assert!(!shown.contains("wJal") && !shown.contains("token"), "{shown}");
    }
}
