//! A real client that people use, to push and to pull with.

use std::path::Path;
use std::process::Command;

use crate::client::Client;
use crate::images::Image;

/// Pushes an image, an index with all its images, under a tag.
pub(crate) fn push(client: Client, repository: &str, tag: &str, image: &Image) {
    let folder = tempfile::tempdir().unwrap();
    image.write_layout(folder.path(), tag).unwrap();
    let from = format!("oci:{}:{tag}", folder.path().display());
    copy(&["--dest-tls-verify=false", &from, &address(client, repository, tag)]);
}

/// Pulls what a tag points at, an index with all its images, into a folder.
pub(crate) fn pull(client: Client, repository: &str, tag: &str, into: &Path) {
    let to = format!("dir:{}", into.display());
    copy(&["--src-tls-verify=false", &address(client, repository, tag), &to]);
}

fn address(client: Client, repository: &str, tag: &str) -> String {
    format!("docker://127.0.0.1:{}/{repository}:{tag}", client.port)
}

fn copy(arguments: &[&str]) {
    let mut command = Command::new("skopeo");
    command.args(["copy", "--quiet", "--all", "--preserve-digests", "--insecure-policy"]);
    let output = command.args(arguments).output().unwrap_or_else(|error| panic!("skopeo: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "skopeo copy {arguments:?}: {said}");
}
