//! What the registry remembers of a digest, and the commands that take it away.

use redis::{Cmd, cmd};
use registry::{Digest, RepositoryName};

/// What the registry remembers of a digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The repository that serves it; none for what is known of the store alone.
    pub repository: Option<RepositoryName>,
    /// The digest.
    pub digest: Digest,
}

/// The fields of a digest's hash. The size was once called length.
const FIELDS: [&str; 4] = ["digest", "size", "mediatype", "length"];

impl Entry {
    /// Adds the commands that forget the entry; returns how many.
    pub(crate) fn forget(&self, commands: &mut Vec<Command>) -> usize {
        let repository = self.repository.as_ref().map(RepositoryName::as_str);
        forget(repository, &self.digest.to_string(), commands)
    }
}

/// A command on one key.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) key: String,
    pub(crate) words: Cmd,
}

/// The commands that forget an entry that nobody has.
pub(crate) fn forget_nothing() -> Vec<Command> {
    let digest = Digest::sha256(b"what no registry holds, so that regsweep may ask for it");
    let mut commands = Vec::new();
    forget(Some("regsweep/probe"), &digest.to_string(), &mut commands);
    commands
}

/// 3.1 clears a repository's entry with all three commands. Earlier versions left the first two undone, so that a
/// digest came back to every repository that had known it as soon as one pushed it again.
fn forget(repository: Option<&str>, digest: &str, commands: &mut Vec<Command>) -> usize {
    let before = commands.len();
    if let Some(name) = repository {
        let blobs = format!("repository::{name}::blobs");
        let own = format!("{blobs}::{digest}");
        commands.push(Command::new("SREM", blobs, &[digest]));
        commands.push(Command::new("DEL", own, &[]));
    }
    commands.push(Command::new("HDEL", format!("blobs::{digest}"), &FIELDS));
    commands.len() - before
}

impl Command {
    fn new(name: &str, key: String, more: &[&str]) -> Self {
        let mut words = cmd(name);
        words.arg(&key).arg(more);
        Self { key, words }
    }
}

#[cfg(test)]
mod tests {
    use registry::Algorithm;

    use super::*;

    fn line(command: &Cmd) -> String {
        let words = command.args_iter().map(|arg| match arg {
            redis::Arg::Simple(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => panic!("{other:?}"),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn said(entry: &Entry) -> Vec<String> {
        let mut commands = Vec::new();
        let count = entry.forget(&mut commands);
        let said: Vec<String> = commands.iter().map(|command| line(&command.words)).collect();
        assert_eq!(said.len(), count);
        said
    }

    #[test]
    fn a_repositorys_entry_is_cleared_as_version_3_1_does() {
        let digest = Digest::sha256(b"x");
        let repository = RepositoryName::new("team/app").unwrap();
        assert_eq!(
            said(&Entry { repository: Some(repository), digest }),
            [
                format!("SREM repository::team/app::blobs {digest}"),
                format!("DEL repository::team/app::blobs::{digest}"),
                format!("HDEL blobs::{digest} digest size mediatype length"),
            ]
        );
    }

    #[test]
    fn what_is_known_of_the_store_is_one_hash() {
        let digest = Digest::of(Algorithm::Sha512, b"x");
        let hash = format!("HDEL blobs::{digest} digest size mediatype length");
        assert_eq!(said(&Entry { repository: None, digest }), [hash]);
    }
}
