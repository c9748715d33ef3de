//! What the registry remembers of a digest, and the commands that take it away.

use redis::{Cmd, Pipeline, cmd};
use registry::{Digest, RepositoryName};

/// What the registry remembers of a digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The repository that serves it; none for what is known of the store alone.
    pub repository: Option<RepositoryName>,
    /// The digest.
    pub digest: Digest,
}

/// The fields of a digest's hash. Before 2.2 the size was called length.
const FIELDS: [&str; 4] = ["digest", "size", "mediatype", "length"];

impl Entry {
    /// Adds the commands that forget the entry; returns how many.
    pub(crate) fn forget(&self, commands: &mut Pipeline) -> usize {
        let repository = self.repository.as_ref().map(RepositoryName::as_str);
        forget(repository, &self.digest.to_string(), commands)
    }
}

/// Adds the commands that forget an entry that nobody has.
pub(crate) fn forget_nothing(commands: &mut Pipeline) {
    let digest = Digest::sha256(b"what no registry holds, so that regsweep may ask for it");
    forget(Some("regsweep/probe"), &digest.to_string(), commands);
}

/// 3.1 clears a repository's entry with all three commands. Earlier versions left the first two undone, so that a
/// digest came back to every repository that had known it as soon as one pushed it again.
fn forget(repository: Option<&str>, digest: &str, commands: &mut Pipeline) -> usize {
    let of_repository = repository.map(|name| of_repository(name, digest)).into_iter().flatten();
    let all: Vec<Cmd> = of_repository.chain([of_store(digest)]).collect();
    let count = all.len();
    for command in all {
        commands.add_command(command);
    }
    count
}

fn of_repository(name: &str, digest: &str) -> [Cmd; 2] {
    let blobs = format!("repository::{name}::blobs");
    let mut leave = cmd("SREM");
    leave.arg(&blobs).arg(digest);
    let mut delete = cmd("DEL");
    delete.arg(format!("{blobs}::{digest}"));
    [leave, delete]
}

fn of_store(digest: &str) -> Cmd {
    let mut command = cmd("HDEL");
    command.arg(format!("blobs::{digest}")).arg(&FIELDS);
    command
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
        let mut pipeline = Pipeline::new();
        let count = entry.forget(&mut pipeline);
        let said: Vec<String> = pipeline.cmd_iter().map(line).collect();
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
