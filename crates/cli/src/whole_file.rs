//! Files that others read at any time, and never see half-written.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Those who may read any new file here.
    AsUsual,
    /// Everybody, whatever the mask of this process: programs of other users wait for it.
    Everybody,
}

/// Looks whether a file can be replaced. A link is no file either: what it leads to may be anything. `made` is a
/// directory that the run makes.
///
/// # Errors
/// Where there is something else, or no directory for it.
pub(crate) fn check(file: &Path, made: Option<&Path>) -> io::Result<()> {
    match fs::symlink_metadata(file) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(io::Error::new(ErrorKind::AlreadyExists, "it is there, and is no file")),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Err(_) if Some(directory(file)) == made => Ok(()),
        Err(_) if directory(file).is_dir() => Ok(()),
        Err(_) => Err(io::Error::new(ErrorKind::NotADirectory, "its directory is not there")),
    }
}

fn directory(file: &Path) -> &Path {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or_else(|| Path::new("."))
}

/// Puts a whole file in place in one step.
///
/// # Errors
/// As [`check`], and where the file cannot be written. What was there is there still.
pub(crate) fn replace(file: &Path, text: &str, readers: Readers) -> io::Result<()> {
    check(file, None)?;
    let mut builder = tempfile::Builder::new();
    // The system takes the mask off; who collects metrics looks at names that end in `.prom` only.
    let builder = builder.prefix(".regsweep-").permissions(Permissions::from_mode(0o666));
    let mut unfinished = builder.tempfile_in(directory(file))?;
    unfinished.write_all(text.as_bytes())?;
    if readers == Readers::Everybody {
        unfinished.as_file().set_permissions(Permissions::from_mode(0o644))?;
    }
    unfinished.as_file().sync_all()?;
    unfinished.persist(file).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_replaces_a_file_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        replace(&at("new.html"), "one", Readers::AsUsual).unwrap();
        replace(&at("new.html"), "two", Readers::AsUsual).unwrap();
        assert_eq!(fs::read_to_string(at("new.html")).unwrap(), "two");
        fs::create_dir(at("folder")).unwrap();
        std::os::unix::fs::symlink(at("new.html"), at("link")).unwrap();
        for taken in ["folder", "link", "missing/new.html"] {
            assert!(replace(&at(taken), "three", Readers::AsUsual).is_err(), "{taken}");
        }
        assert_eq!(fs::read_to_string(at("new.html")).unwrap(), "two");
        let mode = fs::metadata(at("new.html")).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 3, "nothing unfinished stays");
    }

    #[test]
    fn a_directory_that_the_run_makes_need_not_be_there() {
        let home = tempfile::tempdir().unwrap();
        let (made, file) = (home.path().join("plan"), home.path().join("plan/report.html"));
        assert!(check(&file, Some(&made)).is_ok());
        assert!(check(&file, None).is_err());
    }

    #[test]
    fn who_reads_meanwhile_never_sees_half_a_file() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("metrics.prom");
        let text = |letter: char| letter.to_string().repeat(1 << 20);
        replace(&file, &text('a'), Readers::Everybody).unwrap();
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                for letter in ('a'..='z').cycle().take(50) {
                    replace(&file, &text(letter), Readers::Everybody).unwrap();
                }
            });
            while !writing.is_finished() {
                let read = fs::read(&file).unwrap();
                assert!(read.len() == 1 << 20 && read.iter().all(|letter| *letter == read[0]));
            }
        });
    }

    #[test]
    fn everybody_may_read_what_is_for_everybody() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("metrics.prom");
        replace(&file, "one", Readers::Everybody).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    }
}
