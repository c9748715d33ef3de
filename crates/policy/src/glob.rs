//! Globs, made regular expressions.

use crate::Problem;

/// The regular expression that matches what the glob does, to be held at both ends.
///
/// `*` is any text without a `/`, `?` one character but `/`, `[a-z]` and `[!a-z]` one of some, `{a,b}` either. `**` is
/// whole components: `**/x` is also `x`, `a/**/b` is also `a/b`, `a/**` is everything below `a`, and `**` everything. A
/// `\` takes its meaning from what follows.
pub(crate) fn regex_of(glob: &str) -> Result<String, Problem> {
    let mut made = Made { regex: String::new(), braces: 0 };
    let mut rest = glob;
    while let Some(first) = rest.chars().next() {
        let before = rest.len() == glob.len() || glob[..glob.len() - rest.len()].ends_with('/');
        rest = made.take(first, rest, before)?;
    }
    if made.braces > 0 {
        return Err(Problem::Glob("a `{` is not closed"));
    }
    Ok(made.regex)
}

struct Made {
    regex: String,
    braces: usize,
}

impl Made {
    /// Takes what stands first; what follows it comes back.
    fn take<'g>(&mut self, first: char, glob: &'g str, begins: bool) -> Result<&'g str, Problem> {
        let rest = &glob[first.len_utf8()..];
        match first {
            '*' if rest.starts_with('*') => return self.take_components(&rest[1..], begins),
            '*' => self.regex.push_str("[^/]*"),
            '?' => self.regex.push_str("[^/]"),
            '[' => return self.take_class(rest),
            '{' => {
                self.braces += 1;
                self.regex.push_str("(?:");
            }
            ',' if self.braces > 0 => self.regex.push('|'),
            '}' if self.braces > 0 => {
                self.braces -= 1;
                self.regex.push(')');
            }
            ']' => return Err(Problem::Glob("a `]` closes nothing")),
            '}' => return Err(Problem::Glob("a `}` closes nothing")),
            '\\' => return self.take_escaped(rest),
            letter => self.push_literal(letter),
        }
        Ok(rest)
    }

    /// What follows `**`.
    fn take_components<'g>(&mut self, rest: &'g str, begins: bool) -> Result<&'g str, Problem> {
        if !begins {
            return Err(Problem::Glob(
                "`**` stands for whole components: `a/**`, `**/b`, `a/**/b`",
            ));
        }
        match rest.strip_prefix('/') {
            Some(behind) if !behind.is_empty() => {
                self.regex.push_str("(?:[^/]+/)*");
                Ok(behind)
            }
            None if rest.is_empty() => {
                self.regex.push_str("(?:[^/]+/)*[^/]+");
                Ok(rest)
            }
            Some(_) | None => {
                Err(Problem::Glob("`**` stands for whole components: `a/**`, `**/b`, `a/**/b`"))
            }
        }
    }

    fn take_class<'g>(&mut self, rest: &'g str) -> Result<&'g str, Problem> {
        let is_not = rest.starts_with(['!', '^']);
        let rest = &rest[usize::from(is_not)..];
        let Some((inside, behind)) = rest.split_once(']') else {
            return Err(Problem::Glob("a `[` is not closed"));
        };
        let letters: Vec<char> = inside.chars().collect();
        self.regex.push_str(if is_not { "[^/" } else { "[" });
        let mut at = 0;
        while let Some(&from) = letters.get(at) {
            let to = match letters.get(at + 1..at + 3) {
                Some(&['-', to]) => to,
                _ => from,
            };
            if !is_in_class(from) || !is_in_class(to) || from > to {
                return Err(Problem::Glob("`[…]` holds letters, digits, `.`, `_`, `-` and ranges"));
            }
            self.regex.push_str(&regex_lite::escape(&from.to_string()));
            if to != from {
                self.regex.push('-');
                self.regex.push(to);
            }
            at += if to == from { 1 } else { 3 };
        }
        if letters.is_empty() {
            return Err(Problem::Glob("`[]` matches nothing"));
        }
        self.regex.push(']');
        Ok(behind)
    }

    fn take_escaped<'g>(&mut self, rest: &'g str) -> Result<&'g str, Problem> {
        let Some(letter) = rest.chars().next() else {
            return Err(Problem::Glob("a `\\` at the end escapes nothing"));
        };
        self.push_literal(letter);
        Ok(&rest[letter.len_utf8()..])
    }

    fn push_literal(&mut self, letter: char) {
        self.regex.push_str(&regex_lite::escape(&letter.to_string()));
    }
}

/// What names of repositories and tags are made of.
fn is_in_class(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-')
}
