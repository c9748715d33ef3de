//! Ranges of semantic versions.

use std::fmt;

use semver::{Op, Version, VersionReq};

use crate::Problem;

/// A range of versions that tags may lie in.
///
/// A tag is a version where it is one of three numbers, as in `1.2.3`, `v1.2.3` or `1.2.3-rc.1`. `1.2` and `latest` are
/// none, since what they point to moves. A `_` stands for the `+` that no tag may have, as Helm writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    range: VersionReq,
    /// Whether a pre-release lies in the range if its release does.
    pre_releases: bool,
}

impl Versions {
    /// The range that a text says: `>=1.2, <2`, `^1.2`, `~1.2.3`, `=1.2.3`, `1.*`.
    ///
    /// # Errors
    /// [`Problem::Range`]; [`Problem::BareVersion`] where an operator is missing.
    pub fn parse(text: &str, pre_releases: bool) -> Result<Self, Problem> {
        let range = VersionReq::parse(text).map_err(|error| Problem::Range(error.to_string()))?;
        for (part, comparator) in text.split(',').map(str::trim).zip(&range.comparators) {
            if comparator.op == Op::Caret && !part.starts_with('^') {
                return Err(Problem::BareVersion(part.to_owned()));
            }
        }
        Ok(Self { range, pre_releases })
    }

    /// Whether a tag is a version of this range.
    ///
    /// A pre-release is one where the range names a pre-release of the same version, as `>=1.3.0-rc.1` does of
    /// `1.3.0-rc.2`; and where pre-releases count, wherever the version without them is.
    #[must_use]
    pub fn holds(&self, tag: &str) -> bool {
        let Some(version) = version_of(tag) else { return false };
        let release = Version::new(version.major, version.minor, version.patch);
        self.range.matches(&version)
            || (self.pre_releases && !version.pre.is_empty() && self.range.matches(&release))
    }

    /// Whether pre-releases count.
    #[must_use]
    pub const fn takes_pre_releases(&self) -> bool {
        self.pre_releases
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.range.fmt(f)
    }
}

fn version_of(tag: &str) -> Option<Version> {
    let number = tag.strip_prefix(['v', 'V']).unwrap_or(tag);
    Version::parse(&number.replace('_', "+")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(range: &str, pre_releases: bool, tag: &str) -> bool {
        Versions::parse(range, pre_releases).unwrap().holds(tag)
    }

    #[test]
    fn tags_of_three_numbers_are_versions() {
        for tag in ["1.2.3", "v1.2.3", "V1.9.0", "1.2.3_build.5"] {
            assert!(holds(">=1.2, <2", false, tag), "{tag}");
        }
        for tag in ["1.1.9", "2.0.0", "1.2", "v1", "latest", "01.2.3", "vv1.2.3", "1.2.3.4", ""] {
            assert!(!holds(">=1.2, <2", true, tag), "{tag}");
        }
    }

    #[test]
    fn pre_releases_count_where_they_are_named_or_asked_for() {
        assert!(!holds(">=1.2", false, "1.3.0-rc.1"));
        assert!(holds(">=1.2", true, "1.3.0-rc.1"));
        assert!(holds(">=1.3.0-rc.1", false, "1.3.0-rc.2"));
        assert!(!holds(">=1.3.0-rc.1", false, "1.4.0-rc.1"));
        assert!(!holds("<2", true, "2.0.0-rc.1"), "it leads to what is outside");
        assert!(holds(">=1.2", true, "1.3.0-alpine"), "by the grammar this is a pre-release");
    }

    #[test]
    fn a_range_says_what_it_means() {
        for text in ["^1.2", "~1.2.3", "=1.2.3", ">=1, <2", "1.*", "*", "> 1.0.0-rc.1"] {
            assert!(Versions::parse(text, false).is_ok(), "{text}");
        }
        for text in ["1.2.3", "1.2", ">=1, 1.5"] {
            let found = Versions::parse(text, false);
            assert!(matches!(found, Err(Problem::BareVersion(_))), "{text}: {found:?}");
        }
        for text in ["", ">=1 <2", "||", "latest", ">=v1"] {
            assert!(matches!(Versions::parse(text, false), Err(Problem::Range(_))), "{text}");
        }
    }
}
