//! Keys as paths below the root.

use super::trouble::Oddity;
use crate::{Operation, StoreError};

/// Refuses keys that no file has, so that no path ever leaves the root (G7).
pub(super) fn check_key(operation: Operation, key: &str) -> Result<(), StoreError> {
    let is_name = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    // Bytes: a search for each slash takes longer than the components are.
    let is_path = key.as_bytes().split(|byte| *byte == b'/').all(is_name) && !key.contains('\0');
    if is_path { Ok(()) } else { Err(Oddity::Key.at(operation, key)) }
}

/// Refuses folders that no file lies in; `folder` is empty or ends in `/`.
pub(super) fn check_folder(operation: Operation, folder: &str) -> Result<(), StoreError> {
    match folder.strip_suffix('/') {
        None if folder.is_empty() => Ok(()),
        None => Err(Oddity::Key.at(operation, folder)),
        Some(path) => check_key(operation, path),
    }
}

/// The folders on the way into `folder`, from the outermost: their names, and their keys, which end in `/`.
pub(super) fn steps(folder: &str) -> impl Iterator<Item = (&str, &str)> {
    folder.match_indices('/').scan(0, |start, (slash, _)| {
        let name = &folder[*start..slash];
        *start = slash + 1;
        Some((name, &folder[..=slash]))
    })
}

/// The key of the folder around the folder of `key`; the folder of `key` where that is the outermost.
pub(super) fn above(key: &str) -> &str {
    let (folder, _) = split(key);
    split(folder.trim_end_matches('/')).0
}

/// Splits a key into the key of its folder and its own name.
pub(super) fn split(key: &str) -> (&str, &str) {
    key.split_at(key.rfind('/').map_or(0, |slash| slash + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_would_leave_the_root_or_name_no_file_are_refused() {
        for key in ["", "/", "/etc/passwd", "..", "../x", "a/../b", "a//b", "a/", "./a", "a\0"] {
            assert!(check_key(Operation::Get, key).is_err(), "{key:?}");
        }
        for key in ["a", "a/b", "..a/b..", "...", ".wh"] {
            assert!(check_key(Operation::Get, key).is_ok(), "{key:?}");
        }
        for folder in ["/", "a", "a//", "../"] {
            assert!(check_folder(Operation::List, folder).is_err(), "{folder:?}");
        }
    }

    #[test]
    fn steps_lead_from_the_outermost_folder_inwards() {
        let steps: Vec<_> = steps("a/bc/").collect();
        assert_eq!(steps, [("a", "a/"), ("bc", "a/bc/")]);
        assert_eq!(split("a/bc/d"), ("a/bc/", "d"));
        assert_eq!(split("d"), ("", "d"));
        assert_eq!(["a/bc/d/e", "a/b/c", "a/b", "a"].map(above), ["a/bc/", "a/", "", ""]);
    }
}
