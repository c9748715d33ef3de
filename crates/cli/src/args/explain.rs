//! What to explain.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args as ClapArgs;
use registry::{Digest, RepositoryName, Tag};

use super::{LOCATION, ResourceArgs, StoreArgs};

/// Arguments of `explain`.
#[derive(Debug, ClapArgs)]
pub struct ExplainArgs {
    /// The registry.
    #[arg(help = LOCATION)]
    pub location: String,
    /// A digest, or an image: NAME:TAG or NAME@DIGEST
    #[arg(value_name = "DIGEST|IMAGE")]
    pub subject: Subject,
    /// Say what a collection that also deletes manifests that no tag reaches would make of it
    #[arg(long)]
    pub untagged: bool,
    /// Say what a plan by this retention policy would make of it, and of the tags that lead to it
    ///
    /// Each tag with the rule that keeps it or lets it go; each manifest that no tag reaches with the time from which it may
    /// go.
    #[arg(long, value_name = "FILE", conflicts_with = "untagged")]
    pub policy: Option<PathBuf>,
    /// What is younger than this stays whatever becomes of it
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    pub grace: Duration,
    /// Store.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Resources.
    #[command(flatten)]
    pub resources: ResourceArgs,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Content, wherever it is named.
    Digest(Digest),
    /// What a repository serves under a tag.
    Tagged(RepositoryName, Tag),
    /// What a repository serves under a digest.
    Manifest(RepositoryName, Digest),
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = |name| RepositoryName::new(name).map_err(|error| error.to_string());
        let digest = |digest: &str| digest.parse().map_err(|error| format!("{error}"));
        if let Some((repository, manifest)) = text.split_once('@') {
            return Ok(Self::Manifest(name(repository)?, digest(manifest)?));
        }
        if let Ok(digest) = text.parse() {
            return Ok(Self::Digest(digest));
        }
        let Some((repository, tag)) = text.rsplit_once(':') else {
            return Err("it is no digest, and neither NAME:TAG nor NAME@DIGEST".to_owned());
        };
        let tag = Tag::new(tag).map_err(|error| error.to_string())?;
        Ok(Self::Tagged(name(repository)?, tag))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(digest) => digest.fmt(f),
            Self::Tagged(repository, tag) => write!(f, "{repository}:{tag}"),
            Self::Manifest(repository, digest) => write!(f, "{repository}@{digest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_as_they_are_written() {
        let digest = Digest::sha256(b"x");
        for text in [digest.to_string(), "team/app:v1.2".to_owned(), format!("team/app@{digest}")] {
            assert_eq!(text.parse::<Subject>().unwrap().to_string(), text);
        }
        for text in ["team/app", "", ":", "app:", "app@sha256:1", "app@v1", "sha256:abc:"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
