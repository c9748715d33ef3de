//! What benches measure of a request: its signature.

use std::time::SystemTime;

use super::percent;
use super::sign::{NO_BODY, Scope, Signed, Signer, wire_time};

/// Signs requests with made-up keys.
#[derive(Debug)]
pub struct Signing(Signer);

impl Default for Signing {
    fn default() -> Self {
        let scope = Scope { region: "us-east-1".into(), service: "s3".into() };
        Self(Signer::new("access", "secret", None, scope))
    }
}

impl Signing {
    /// The proof of a GET of an object, with all that is written for it: path, time, header.
    #[must_use]
    pub fn proof(&self, key: &str, now: SystemTime) -> String {
        let (path, time) = (percent::path(key), wire_time(now));
        let headers = [
            ("host", "registry.s3.us-east-1.amazonaws.com"),
            ("x-amz-content-sha256", NO_BODY),
            ("x-amz-date", &time),
        ];
        self.0.authorization(Signed { path: &path, query: "", headers: &headers }, &time)
    }
}
