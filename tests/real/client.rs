//! A client of the registry's own API, fast enough to push many images and strict about what comes back.

use crate::http::{self, Answer};
use crate::images::{Blob, Image};

/// The kinds of manifest that this client understands.
pub(crate) const ACCEPT: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

/// What is wrong with an image that does not pull.
pub(crate) type Broken = String;

/// Speaks to the registry at a port of the loopback address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) port: u16,
}

impl Client {
    /// Pushes everything an image needs, children first, and the image under a tag or its digest.
    pub(crate) fn push(self, repository: &str, reference: &str, image: &Image) {
        for child in &image.children {
            self.push(repository, &child.manifest.digest, child);
        }
        for blob in &image.blobs {
            self.push_blob(repository, blob);
        }
        let target = format!("/v2/{repository}/manifests/{reference}");
        let headers = [("Content-Type", image.media_type)];
        let answer = self.ask("PUT", &target, &headers, &image.manifest.bytes);
        expect(&answer, 201, &target);
    }

    /// Pushes one blob.
    pub(crate) fn push_blob(self, repository: &str, blob: &Blob) {
        let target = end_of_upload(&self.upload(repository), blob);
        let headers = [("Content-Type", "application/octet-stream")];
        expect(&self.ask("PUT", &target, &headers, &blob.bytes), 201, &target);
    }

    /// The status of a HEAD of a blob.
    pub(crate) fn status_of_blob(self, repository: &str, digest: &str) -> u16 {
        self.ask("HEAD", &format!("/v2/{repository}/blobs/{digest}"), &[], &[]).status
    }

    /// Starts an upload. Nobody needs to finish it.
    pub(crate) fn start_upload(self, repository: &str) {
        self.upload(repository);
    }

    /// Starts an upload and sends some of its data. Nobody needs to finish it.
    pub(crate) fn start_upload_with(self, repository: &str, data: &[u8]) {
        let answer = self.upload(repository);
        let headers = [("Content-Type", "application/octet-stream")];
        let target = place_of_upload(&answer);
        expect(&self.ask("PATCH", &target, &headers, data), 202, &target);
    }

    fn upload(self, repository: &str) -> Answer {
        let target = format!("/v2/{repository}/blobs/uploads/");
        let answer = self.ask("POST", &target, &[], &[]);
        expect(&answer, 202, &target);
        answer
    }

    /// Deletes a manifest, and with it every tag that points at it.
    pub(crate) fn delete_manifest(self, repository: &str, digest: &str) {
        let target = format!("/v2/{repository}/manifests/{digest}");
        expect(&self.ask("DELETE", &target, &[], &[]), 202, &target);
    }

    /// Pulls an image and all below it, and compares every byte with what was pushed.
    pub(crate) fn pull(
        self,
        repository: &str,
        reference: &str,
        image: &Image,
    ) -> Result<(), Broken> {
        self.pull_manifest(repository, reference, image)?;
        for blob in &image.blobs {
            self.fetch(&format!("/v2/{repository}/blobs/{}", blob.digest), &[], blob)?;
        }
        for child in &image.children {
            self.pull(repository, &child.manifest.digest, child)?;
        }
        Ok(())
    }

    /// Pulls an image's manifest alone.
    pub(crate) fn pull_manifest(
        self,
        repository: &str,
        reference: &str,
        image: &Image,
    ) -> Result<(), Broken> {
        let target = format!("/v2/{repository}/manifests/{reference}");
        self.fetch(&target, &[("Accept", ACCEPT)], &image.manifest)
    }

    /// The bytes of the manifest that a repository serves.
    pub(crate) fn manifest(self, repository: &str, reference: &str) -> Vec<u8> {
        let target = format!("/v2/{repository}/manifests/{reference}");
        let answer = self.ask("GET", &target, &[("Accept", ACCEPT)], &[]);
        expect(&answer, 200, &target);
        answer.body
    }

    fn fetch(self, target: &str, headers: &[(&str, &str)], blob: &Blob) -> Result<(), Broken> {
        match http::ask(self.port, "GET", target, headers, &[]) {
            Ok(answer) if answer.status != 200 => {
                Err(format!("{target} answers {}", answer.status))
            }
            Ok(answer) if answer.body == blob.bytes => Ok(()),
            Ok(_) => Err(format!("{target} is not {}", blob.digest)),
            Err(error) => Err(format!("{target}: {error}")),
        }
    }

    fn ask(self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        http::ask(self.port, method, target, headers, body)
            .unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }
}

/// Where an upload goes on, by the answer that began it.
fn place_of_upload(answer: &Answer) -> String {
    let location = answer.header("Location").expect("an upload has a location");
    let after_scheme = location.split_once("://").map_or(location, |(_, rest)| rest);
    after_scheme[after_scheme.find('/').expect("a location has a path")..].to_owned()
}

/// Where the bytes of a blob go, by the answer that began their upload.
pub(crate) fn end_of_upload(answer: &Answer, blob: &Blob) -> String {
    let path = place_of_upload(answer);
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}digest={}", blob.digest)
}

#[track_caller]
fn expect(answer: &Answer, status: u16, target: &str) {
    let body = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, status, "{target} answers {body}");
}
