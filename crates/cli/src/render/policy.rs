//! Retention policies in words.

use std::fmt::Write as _;
use std::path::Path;

use policy::{
    Action, Expire, Judgement, Keep, Kept, Retention, Rule, RuleId, Scope, TaggedAt, Verdict,
};
use registry::RepositoryName;
use serde::Serialize;

use crate::Console;

/// A policy that was understood, for machines. Fields are only ever added.
#[derive(Clone, Debug, Serialize)]
pub struct PolicySummary {
    /// `policy`.
    #[serde(rename = "type")]
    kind: &'static str,
    file: String,
    rules: Vec<RuleSummary>,
    notes: Vec<String>,
    judged: Option<TagsJudged>,
}

/// A rule.
#[derive(Clone, Debug, Serialize)]
struct RuleSummary {
    name: String,
    line: usize,
    column: usize,
    repositories: Vec<String>,
    tags: Vec<String>,
    semver: Option<String>,
    pre_releases: Option<bool>,
    /// `keep`, `expire` or `untagged`.
    action: &'static str,
    always: bool,
    last: Option<usize>,
    newer_than_hours: Option<u64>,
    older_than_hours: Option<u64>,
    untagged_after_hours: Option<u64>,
    means: String,
}

/// What becomes of some tags.
#[derive(Clone, Debug, Serialize)]
pub struct TagsJudged {
    repository: String,
    is_covered: bool,
    tags: Vec<TagJudged>,
    untagged_after_hours: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
struct TagJudged {
    tag: String,
    written: Option<String>,
    /// `keep`, `expire` or `follow`.
    verdict: &'static str,
    rule: Option<String>,
    why: String,
}

const fn hours(span: std::time::Duration) -> u64 {
    span.as_secs() / 3600
}

impl From<&Rule> for RuleSummary {
    fn from(rule: &Rule) -> Self {
        let none = Scope::default();
        let scope = match &rule.action {
            Action::Keep(scope, _) | Action::Expire(scope, _) => scope,
            Action::Untagged(_) => &none,
        };
        let texts =
            |patterns: &[policy::Pattern]| patterns.iter().map(ToString::to_string).collect();
        let summary = Self {
            name: rule.name.to_string(),
            line: rule.place.line,
            column: rule.place.column,
            repositories: texts(&rule.repositories),
            tags: texts(&scope.tags),
            semver: scope.versions.as_ref().map(ToString::to_string),
            pre_releases: scope.versions.as_ref().map(policy::Versions::takes_pre_releases),
            action: "untagged",
            always: false,
            last: None,
            newer_than_hours: None,
            older_than_hours: None,
            untagged_after_hours: None,
            means: rule.to_string(),
        };
        summary.doing(&rule.action)
    }
}

impl RuleSummary {
    fn doing(self, action: &Action) -> Self {
        match action {
            Action::Keep(_, Keep::Always) => Self { action: "keep", always: true, ..self },
            Action::Keep(_, Keep::Some { last, newer_than }) => Self {
                action: "keep",
                last: *last,
                newer_than_hours: newer_than.map(hours),
                ..self
            },
            Action::Expire(_, Expire::Always) => Self { action: "expire", always: true, ..self },
            Action::Expire(_, Expire::OlderThan(age)) => {
                Self { action: "expire", older_than_hours: Some(hours(*age)), ..self }
            }
            Action::Untagged(after) => Self { untagged_after_hours: after.map(hours), ..self },
        }
    }
}

impl PolicySummary {
    /// The summary of a policy.
    #[must_use]
    pub fn of(file: &Path, policy: &Retention, judged: Option<TagsJudged>) -> Self {
        let file = file.display().to_string();
        let rules = policy.rules().iter().map(RuleSummary::from).collect();
        Self { kind: "policy", file, rules, notes: notes(policy), judged }
    }
}

/// What is understood, and may not be meant.
fn notes(policy: &Retention) -> Vec<String> {
    let mut notes = Vec::new();
    let rules = policy.rules();
    if !rules.iter().any(Rule::lets_go) {
        notes.push("no rule lets anything go, so this policy changes nothing".to_owned());
    }
    let expires = |rule: &&Rule| matches!(rule.action, Action::Expire(..));
    let takes_untagged = policy.takes_untagged();
    if rules.iter().any(|rule| expires(&rule)) && !takes_untagged {
        notes.push(
            "tags go, and their manifests stay, since no rule has untagged-after: nothing is freed"
                .to_owned(),
        );
    }
    notes
}

impl TagsJudged {
    /// What `judgement` says of `tags`.
    #[must_use]
    pub fn of(
        policy: &Retention,
        repository: &RepositoryName,
        tags: &[TaggedAt<'_>],
        judgement: Option<&Judgement>,
    ) -> Self {
        let none = Verdict::Keep(Kept::ByNone);
        let verdict = |at: usize| judgement.and_then(|judgement| judgement.tags.get(at)).copied();
        let judged = |(at, tagged): (usize, &TaggedAt<'_>)| {
            TagJudged::of(policy, tagged, verdict(at).unwrap_or(none))
        };
        let untagged = judgement.and_then(|judgement| judgement.untagged);
        Self {
            repository: repository.to_string(),
            is_covered: judgement.is_some(),
            tags: tags.iter().enumerate().map(judged).collect(),
            untagged_after_hours: untagged.map(|untagged| hours(untagged.after)),
        }
    }
}

impl TagJudged {
    fn of(policy: &Retention, tagged: &TaggedAt<'_>, verdict: Verdict) -> Self {
        let name = |rule: RuleId| policy.rule(rule).map(|rule| rule.name.to_string());
        let (verdict, rule, why) = match verdict {
            Verdict::Keep(Kept::ByRule(rule)) => ("keep", name(rule), "a rule keeps it"),
            Verdict::Keep(Kept::ByNone) => ("keep", None, "no rule lets it go"),
            Verdict::Keep(Kept::Young) => ("keep", None, "it is younger than the grace"),
            Verdict::Keep(Kept::UnknownTime) => ("keep", None, "nobody knows when it was written"),
            Verdict::Expire(rule) => ("expire", name(rule), "a rule lets it go, and none keeps it"),
            Verdict::Follow(_) => ("follow", None, "it stays as long as the manifest in its name"),
        };
        let written = tagged.written.map(|written| written.to_string());
        Self { tag: tagged.tag.to_owned(), written, verdict, rule, why: why.to_owned() }
    }
}

/// A policy in words, for people.
#[must_use]
pub fn policy_table(summary: &PolicySummary, console: Console) -> String {
    let mut text = format!("{}\n\n", console.bold(&summary.file));
    let width = summary.rules.iter().map(|rule| rule.name.chars().count()).max().unwrap_or(0);
    for (rule, number) in summary.rules.iter().zip(1..) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{number:>3}  {:<width$}  {}", rule.name, rule.means);
    }
    text.push_str(
        "\nWhat a rule keeps stays, in whatever order they stand; so does what no rule lets go, what is younger\n\
         than --grace, and all of a repository that is in doubt.\n",
    );
    for note in &summary.notes {
        let _ = writeln!(text, "\nnote: {note}");
    }
    if let Some(judged) = &summary.judged {
        text.push_str(&judged_table(judged));
    }
    text
}

fn judged_table(judged: &TagsJudged) -> String {
    let covered = if judged.is_covered { "" } else { ": no rule lets anything of it go" };
    let mut text = format!("\n{}{covered}\n", judged.repository);
    let width = judged.tags.iter().map(|tag| tag.tag.len()).max().unwrap_or(0);
    for TagJudged { tag, verdict, rule, why, .. } in &judged.tags {
        let rule = rule.as_ref().map_or_else(String::new, |rule| format!(" ({rule})"));
        let _ = writeln!(text, "  {tag:<width$}  {verdict:<6}  {why}{rule}");
    }
    text
}
