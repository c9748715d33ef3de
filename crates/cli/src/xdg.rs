//! Where the XDG base directory specification wants files of a user.
//!
//! Source: XDG base directory specification 0.8: a relative path in a variable is ignored.

use std::path::PathBuf;

/// `regsweep` in the directory that the variable names, or else in `below_home`; `None` where no home is known.
pub(crate) fn directory(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)));
    base.map(|base| base.join("regsweep"))
}
