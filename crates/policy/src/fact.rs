//! What rules of other tools ask for and a registry's store does not tell.

use std::fmt;

/// A fact that is not on record, so that no rule may depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// When something was pulled last.
    LastPulled,
    /// How often something was pulled.
    Downloads,
    /// Labels or annotations of an image.
    Labels,
    /// When an image was built, by its own account.
    Created,
    /// What a scanner found.
    Findings,
}

impl Fact {
    /// The fact that a field of this name would need, in whatever way it is spelt.
    pub(crate) fn needed_by(field: &str) -> Option<Self> {
        let letters: String =
            field.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| letters.contains(word));
        let counts = has(&["count", "times"]);
        match () {
            () if has(&["download", "popular"]) || (has(&["pull"]) && counts) => {
                Some(Self::Downloads)
            }
            () if has(&["pull", "lastused", "active", "accessed", "idle"]) => {
                Some(Self::LastPulled)
            }
            () if has(&["label", "annotation", "property", "properties"]) => Some(Self::Labels),
            () if has(&["created", "built"]) => Some(Self::Created),
            () if has(&["vulnerab", "severity", "scan"]) => Some(Self::Findings),
            () => None,
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LastPulled => {
                "cannot be known: a registry keeps no record of when something was pulled last; \
                 rules go by when a tag was last written (newer-than, older-than)"
            }
            Self::Downloads => {
                "cannot be known: a registry does not count how often something is pulled; \
                 rules go by names and by when a tag was last written"
            }
            Self::Labels => {
                "is not looked at: labels and annotations say what their builder liked; \
                 rules go by the names of repositories and tags"
            }
            Self::Created => {
                "is not looked at: an image says of itself when it was made, often 1970; \
                 rules go by when a tag was last written (newer-than, older-than)"
            }
            Self::Findings => "cannot be known: a registry's store holds no results of scans",
        })
    }
}
