//! Repository names and tags.

use std::fmt;
use std::sync::Arc;

/// The path of a repository below `repositories/`, cheap to clone.
///
/// Any key decides its repository by its first component that starts with `_`, so every value has at least one
/// component, none of them empty and none starting with `_`. Whether the registry would serve the name is another
/// question: [`RepositoryName::is_regular`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(Arc<str>);

/// A text that is no repository name or no tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a repository path: components are not empty and do not start with `_`")]
pub struct NameError;

impl RepositoryName {
    /// Checks and takes a path.
    ///
    /// # Errors
    /// [`NameError`] where a component is empty or starts with `_`.
    pub fn new(path: &str) -> Result<Self, NameError> {
        if Self::is_valid(path) { Ok(Self(Arc::from(path))) } else { Err(NameError) }
    }

    /// Whether [`RepositoryName::new`] takes `path`.
    #[must_use]
    pub fn is_valid(path: &str) -> bool {
        path.split('/').all(|part| !part.is_empty() && !part.starts_with('_'))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a registry could serve this name: the grammar of `reference.WithName`, at most 255 characters.
    ///
    /// Source: distribution `reference/regexp.go`: an optional domain component, then lower-case components.
    #[must_use]
    pub fn is_regular(&self) -> bool {
        let (first, rest) = self.0.split_once('/').unwrap_or((&self.0, ""));
        let rest_is_regular = rest.is_empty() || rest.split('/').all(is_path_component);
        let first_is_regular = is_path_component(first) || (!rest.is_empty() && is_domain(first));
        self.0.len() <= 255 && first_is_regular && rest_is_regular
    }
}

/// `[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*`
fn is_path_component(part: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    letter(first)
        && letter(last)
        && bytes.split(|byte| letter(*byte)).all(|gap| {
            matches!(gap, b"" | b"." | b"_" | b"__") || gap.iter().all(|byte| *byte == b'-')
        })
}

/// A host with an optional port: letters, digits, dots, inner hyphens.
fn is_domain(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(label) && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A tag: `[\w][\w.-]{0,127}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Box<str>);

impl Tag {
    /// Whether `text` is a tag by the grammar of the specification.
    #[must_use]
    pub fn is_valid(text: &str) -> bool {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let bytes = text.as_bytes();
        bytes.len() <= 128
            && bytes.first().is_some_and(|byte| word(*byte))
            && bytes.iter().all(|byte| word(*byte) || matches!(byte, b'.' | b'-'))
    }

    /// Checks and takes a tag.
    ///
    /// # Errors
    /// [`NameError`] where the grammar does not allow it.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if Self::is_valid(text) { Ok(Self(text.into())) } else { Err(NameError) }
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_names_are_those_a_registry_serves() {
        for name in [
            "a",
            "foo/bar",
            "foo-bar",
            "foo.x",
            "a__b",
            "a--b/c",
            "Host.example:5000/a",
            "localhost/a",
        ] {
            assert!(RepositoryName::new(name).unwrap().is_regular(), "{name}");
        }
        for name in ["Bad", "a..b", "a_-b", "-a", "a-", "a/B", "a/b:c", &"a".repeat(256)] {
            assert!(!RepositoryName::new(name).unwrap().is_regular(), "{name}");
        }
        for name in ["", "/a", "a/", "a//b", "_a", "a/_b"] {
            assert!(RepositoryName::new(name).is_err(), "{name}");
        }
    }

    #[test]
    fn tags_follow_the_specification() {
        for tag in ["v1", "_x", "v1.0-rc", "latest", &"t".repeat(128)] {
            assert!(Tag::new(tag).is_ok(), "{tag}");
        }
        for tag in ["", ".x", "-x", "a/b", "a:b", &"t".repeat(129)] {
            assert!(Tag::new(tag).is_err(), "{tag}");
        }
    }
}
