//! What the registry remembers of a digest, and the commands that ask for it and take it away.

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
    let mut commands = Vec::new();
    forget(Some("regsweep/probe"), &nobodys_digest().to_string(), &mut commands);
    commands
}

/// The commands that ask of which digests anything is remembered, one for each, behind one that clears nothing.
///
/// A registry keeps what it knows of a digest in one hash, and whatever else it keeps, of each repository, it believes
/// only together with that. The first command is one that writes: a replica, which may not have been told all yet,
/// refuses it, and where one command is refused no answer counts.
pub(crate) fn whether_known(digests: &[Digest]) -> Vec<Command> {
    let mut commands = Vec::with_capacity(1 + digests.len());
    forget(None, &nobodys_digest().to_string(), &mut commands);
    let known = |digest: &Digest| Command::new("EXISTS", hash_of(&digest.to_string()), &[]);
    commands.extend(digests.iter().map(known));
    commands
}

fn nobodys_digest() -> Digest {
    Digest::sha256(b"what no registry holds, so that regsweep may ask for it")
}

/// Where a registry remembers what it knows of the digest itself.
fn hash_of(digest: &str) -> String {
    format!("blobs::{digest}")
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
    commands.push(Command::new("HDEL", hash_of(digest), &FIELDS));
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

    fn lines(commands: &[Command]) -> Vec<String> {
        commands.iter().map(|command| line(&command.words)).collect()
    }

    fn said(entry: &Entry) -> Vec<String> {
        let mut commands = Vec::new();
        let count = entry.forget(&mut commands);
        let said = lines(&commands);
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

    #[test]
    fn what_is_asked_for_is_what_every_version_needs_to_answer_from_its_cache() {
        let [one, other] = [Digest::sha256(b"x"), Digest::of(Algorithm::Sha512, b"x")];
        let asked = lines(&whether_known(&[one, other]));
        let nothing = nobodys_digest();
        assert_eq!(
            asked,
            [
                format!("HDEL blobs::{nothing} digest size mediatype length"),
                format!("EXISTS blobs::{one}"),
                format!("EXISTS blobs::{other}"),
            ]
        );
    }
}
