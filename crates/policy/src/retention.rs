//! A whole policy.

use crate::section::Findings;
use crate::{Action, Place, PolicyError, PolicyErrors, Problem, Rule, RuleId, read, yaml};

/// A policy: rules, in the order of the file, which decides nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    rules: Vec<Rule>,
}

impl Retention {
    /// The longest text that is read, in bytes.
    pub const LIMIT: usize = 1 << 20;

    /// Reads a policy; never panics, whatever the bytes are.
    ///
    /// # Errors
    /// All that is wrong with the fields, each with its place; or that the text is no YAML, with the first place.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyErrors> {
        let whole = |problem| {
            let place = Place { line: 1, column: 1 };
            PolicyErrors::new(vec![PolicyError { place, field: String::new(), problem }])
        };
        if bytes.len() > Self::LIMIT {
            return Err(whole(Problem::TooLong { limit: Self::LIMIT }));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| whole(Problem::NotUtf8))?;
        let document = yaml::parse(text).map_err(|error| PolicyErrors::new(vec![error]))?;
        let mut findings = Findings::default();
        let rules = read::rules(&document, &mut findings);
        if findings.0.is_empty() { Ok(Self { rules }) } else { Err(PolicyErrors::new(findings.0)) }
    }

    /// A policy of these rules.
    #[must_use]
    pub fn of(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// Its rules, in the order of the file.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule with this position.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(id.0)
    }

    /// Whether a rule lets anything of this repository go. Every other repository is left alone.
    #[must_use]
    pub fn covers(&self, repository: &str) -> bool {
        self.rules.iter().any(|rule| rule.lets_go() && rule.covers(repository))
    }

    /// Whether a rule lets manifests go that no tag reaches.
    #[must_use]
    pub fn takes_untagged(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.action, Action::Untagged(Some(_))))
    }
}
