//! Patterns: globs and regular expressions that match whole names.

use std::fmt;

use regex_lite::{Regex, RegexBuilder};

use crate::{Problem, glob};

/// What a compiled pattern may take, in bytes; a policy has few of them.
const SIZE_LIMIT: usize = 1 << 20;

/// A pattern as it was written. It matches a name from its first to its last character, or not at all.
#[derive(Clone)]
pub struct Pattern {
    text: Box<str>,
    is_regex: bool,
    regex: Regex,
}

impl Pattern {
    /// A glob: `team/**`, `v*`, `*-{dev,test}`.
    ///
    /// # Errors
    /// [`Problem::Glob`], [`Problem::Empty`].
    pub fn glob(text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::Empty);
        }
        Self::compile(text, &glob::regex_of(text)?, false)
    }

    /// A regular expression, over ASCII classes.
    ///
    /// # Errors
    /// [`Problem::Regex`]; [`Problem::HalfAnchored`] where it says `^` or `$` at one end only: who writes `^v` may mean
    /// everything that begins so, and would keep nothing.
    pub fn regex(text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::Empty);
        }
        if text.starts_with('^') != (text.ends_with('$') && !text.ends_with("\\$")) {
            return Err(Problem::HalfAnchored);
        }
        Self::compile(text, text, true)
    }

    fn compile(text: &str, regex: &str, is_regex: bool) -> Result<Self, Problem> {
        let broken = |error: regex_lite::Error| Problem::Regex(error.to_string());
        let build = |regex: &str| RegexBuilder::new(regex).size_limit(SIZE_LIMIT).build();
        // Alone first: nothing is accepted that only fits between our parentheses.
        build(regex).map_err(broken)?;
        let regex = build(&format!("\\A(?:{regex})\\z")).map_err(broken)?;
        Ok(Self { text: text.into(), is_regex, regex })
    }

    /// Whether the whole of `name` is as the pattern says.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is a regular expression, not a glob.
    #[must_use]
    pub const fn is_regex(&self) -> bool {
        self.is_regex
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (self.is_regex, &self.text) == (other.is_regex, &other.text)
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Pattern {
    /// The glob as it is, a regular expression between slashes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_regex { write!(f, "/{}/", self.text) } else { f.write_str(&self.text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> Pattern {
        Pattern::glob(text).unwrap()
    }

    #[test]
    fn globs_match_whole_names() {
        for (pattern, yes, no) in [
            ("team/**", &["team/a", "team/a/b"][..], &["team", "teams/a", "x/team/a"][..]),
            ("team/*", &["team/a"], &["team", "team/a/b"]),
            ("**/cache", &["cache", "a/cache", "a/b/cache"], &["a/caches", "acache"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/xb", "b", "a/b/c"]),
            ("**", &["a", "a/b"], &[]),
            ("*", &["a", "v1.2"], &["a/b"]),
            ("v*", &["v", "v1.2.3"], &["1v", "V1"]),
            ("pr-[0-9]*", &["pr-7", "pr-71x"], &["pr-", "pr-x"]),
            ("[!v]*", &["1.2"], &["v1", ""]),
            ("{dev,test}-?", &["dev-1", "test-x"], &["dev-", "dev-12", "{dev,test}-1"]),
            ("{a,b{1,2}}", &["a", "b1", "b2"], &["b", "a1"]),
            ("a.b", &["a.b"], &["axb"]),
            ("a\\*", &["a*"], &["ab"]),
            ("a,b", &["a,b"], &["a"]),
            ("[a-c._-]x", &["bx", ".x", "-x"], &["dx"]),
        ] {
            let matches = |name: &&&str| glob(pattern).matches(name);
            assert_eq!(yes.iter().find(|name| !matches(name)), None, "{pattern}");
            assert_eq!(no.iter().find(matches), None, "{pattern}");
        }
    }

    #[test]
    fn globs_that_could_mean_two_things_are_refused() {
        for text in [
            "", "a**", "**a", "a/**/", "[", "[]", "[z-a]", "[a/b]", "{a", "a}", "]", "a\\",
            "**/**b",
        ] {
            assert!(Pattern::glob(text).is_err(), "{text}");
        }
    }

    #[test]
    fn regular_expressions_match_whole_names_and_are_held_at_both_ends_or_at_none() {
        let pattern = Pattern::regex("v[0-9]+|latest").unwrap();
        assert!(pattern.matches("v10") && pattern.matches("latest"));
        assert!(!pattern.matches("v10-rc") && !pattern.matches("xlatest"));
        assert!(Pattern::regex("^v.*$").unwrap().matches("v1"));
        for text in ["^v", "v$", "^v\\$"] {
            assert_eq!(Pattern::regex(text), Err(Problem::HalfAnchored), "{text}");
        }
        for text in ["(", "a)(b", "[", "a{2,1}", "(?:a{999}){999}"] {
            assert!(matches!(Pattern::regex(text), Err(Problem::Regex(_))), "{text}");
        }
    }
}
