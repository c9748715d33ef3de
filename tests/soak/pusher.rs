//! A client that asks as real clients do, and takes a refusal for an answer.

use std::thread;
use std::time::{Duration, Instant};

use crate::client::{self, Client};
use crate::http::{self, Answer};
use crate::images::{Blob, Image};
use crate::round::PATIENCE;
use crate::tally::Shared;

/// Between two tries of the same request.
pub(crate) const BREATH: Duration = Duration::from_millis(100);

/// What was asked and not granted.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The status of the answer, or why there was none.
    pub(crate) kind: String,
    /// All of it.
    pub(crate) message: String,
}

/// What is to be pushed, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Push<'a> {
    pub(crate) repository: &'static str,
    pub(crate) tag: &'a str,
    pub(crate) image: &'a Image,
    /// The repository to mount blobs from.
    pub(crate) from: Option<&'static str>,
    /// How long the client sleeps after asking what is there, and before its manifests.
    pub(crate) pauses: [Duration; 2],
}

/// Speaks to the registry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pusher<'a> {
    pub(crate) client: Client,
    pub(crate) tally: &'a Shared,
}

impl Pusher<'_> {
    /// Asks for each blob first and leaves out those that are there, as clients do.
    pub(crate) fn push(self, push: Push<'_>) -> Result<(), Refusal> {
        let mut missing = Vec::new();
        for blob in blobs(push.image) {
            if !self.is_there(&format!("/v2/{}/blobs/{}", push.repository, blob.digest))? {
                missing.push(blob);
            }
        }
        thread::sleep(push.pauses[0]);
        for blob in missing {
            self.mount_or_upload(push, blob)?;
        }
        thread::sleep(push.pauses[1]);
        for child in &push.image.children {
            let target = manifest(push.repository, &child.manifest.digest);
            if !self.is_there(&target)? {
                self.put_manifest(push.repository, &child.manifest.digest, child)?;
            }
        }
        self.put_manifest(push.repository, push.tag, push.image)
    }

    /// Sends everything, whatever is there.
    pub(crate) fn push_all(self, push: Push<'_>) -> Result<(), Refusal> {
        for blob in blobs(push.image) {
            self.upload(push.repository, "", blob)?;
        }
        for child in &push.image.children {
            self.put_manifest(push.repository, &child.manifest.digest, child)?;
        }
        self.put_manifest(push.repository, push.tag, push.image)
    }

    /// Puts a manifest alone.
    pub(crate) fn put_manifest(
        self,
        repository: &str,
        reference: &str,
        image: &Image,
    ) -> Result<(), Refusal> {
        let target = manifest(repository, reference);
        let headers = [("Content-Type", image.media_type)];
        self.ask("PUT", &target, &headers, &image.manifest.bytes, &[201]).map(drop)
    }

    /// Deletes an image, and then those of an index, each with every tag that leads there. One of these that is away
    /// goes when it is back: without its index nobody else would notice.
    pub(crate) fn delete(self, repository: &str, image: &Image) -> Result<(), Refusal> {
        self.delete_manifest(repository, image)?;
        for below in image.manifests().into_iter().rev().skip(1) {
            self.delete_when_back(repository, below)?;
        }
        Ok(())
    }

    fn delete_when_back(self, repository: &str, image: &Image) -> Result<(), Refusal> {
        let began = Instant::now();
        let mut away = None;
        loop {
            match self.delete_manifest(repository, image) {
                Err(refusal) if refusal.kind == "404" && began.elapsed() < PATIENCE => {
                    away.get_or_insert(refusal.message);
                    thread::sleep(BREATH);
                }
                result => {
                    if let (Ok(()), Some(away)) = (&result, away) {
                        self.tally.lock().came_back(began.elapsed(), &away);
                    }
                    return result;
                }
            }
        }
    }

    fn delete_manifest(self, repository: &str, image: &Image) -> Result<(), Refusal> {
        let target = manifest(repository, &image.manifest.digest);
        self.ask("DELETE", &target, &[], &[], &[202]).map(drop)
    }

    fn is_there(self, target: &str) -> Result<bool, Refusal> {
        let accept = [("Accept", client::ACCEPT)];
        let answer = self.ask("HEAD", target, &accept, &[], &[200, 404])?;
        Ok(answer.status == 200)
    }

    fn mount_or_upload(self, push: Push<'_>, blob: &Blob) -> Result<(), Refusal> {
        let from = push.from.map(|from| format!("?mount={}&from={from}", blob.digest));
        self.upload(push.repository, &from.unwrap_or_default(), blob)
    }

    /// A registry that cannot mount what the query asks for starts an upload instead.
    fn upload(self, repository: &str, query: &str, blob: &Blob) -> Result<(), Refusal> {
        let target = format!("/v2/{repository}/blobs/uploads/{query}");
        let answer = self.ask("POST", &target, &[], &[], &[201, 202])?;
        if answer.status == 201 {
            return Ok(());
        }
        let target = client::end_of_upload(&answer, blob);
        let headers = [("Content-Type", "application/octet-stream")];
        self.ask("PUT", &target, &headers, &blob.bytes, &[201]).map(drop)
    }

    fn ask(
        self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        welcome: &[u16],
    ) -> Result<Answer, Refusal> {
        let began = Instant::now();
        let answer = http::ask(self.client.port, method, target, headers, body);
        self.tally.lock().asked_for(began.elapsed());
        let refusal = |kind: String, said: &str| {
            let path = target.split('?').next().unwrap_or(target);
            Refusal { message: format!("{method} {path}: {kind} {said}"), kind }
        };
        let answer = answer.map_err(|error| refusal(error.to_string(), ""))?;
        if welcome.contains(&answer.status) {
            return Ok(answer);
        }
        Err(refusal(answer.status.to_string(), &String::from_utf8_lossy(&answer.body)))
    }
}

fn blobs(image: &Image) -> impl Iterator<Item = &Blob> {
    image.manifests().into_iter().flat_map(|image| &image.blobs)
}

fn manifest(repository: &str, reference: &str) -> String {
    format!("/v2/{repository}/manifests/{reference}")
}
