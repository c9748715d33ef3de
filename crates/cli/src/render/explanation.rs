//! Why something is kept, or would go, in words.

use std::fmt::Write as _;

use marker::{Ground, Path};
use planner::Reason;
use policy::span;

use super::size;
use crate::Console;
use crate::explain::{
    Because, Explanation, Gone, Holding, NamedBy, Ruled, TagTold, Verdict, lead_word,
};

/// How many ways, and keys, are shown of a repository.
const SHOWN: usize = 8;
/// How many repositories are shown.
const REPOSITORIES: usize = 20;

/// In words: the verdict, then each repository that has to do with it.
#[must_use]
pub(crate) fn explanation_text(explanation: &Explanation, console: Console) -> String {
    let mut text = console.bold(&explanation.subject.to_string());
    text.push('\n');
    if let Some(digest) =
        explanation.digest.filter(|digest| explanation.subject.to_string() != digest.to_string())
    {
        line(&mut text, &format!("  is {digest}"));
    }
    if let Some(blob) = &explanation.blob {
        line(&mut text, &format!("  {}, written {}", size(blob.size), blob.modified));
    }
    if let Some(tag) = explanation.tag() {
        line(&mut text, &format!("  the tag {}", of_tag(tag)));
    }
    line(&mut text, &format!("  {}", verdict(explanation)));
    if let Some(repository) = explanation.stranger() {
        line(&mut text, &format!("  {repository} neither keeps nor names it"));
    }
    for holding in explanation.holdings.iter().take(REPOSITORIES) {
        text.push_str(&of_repository(holding, explanation.tag(), console));
    }
    let more = explanation.holdings.len().saturating_sub(REPOSITORIES);
    if more > 0 {
        line(&mut text, &format!("\nand {more} more repositories; --json names all"));
    }
    text
}

fn line(text: &mut String, words: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{words}");
}

fn verdict(explanation: &Explanation) -> String {
    let Explanation { verdict, cutoffs, holdings, .. } = explanation;
    let last = holdings.iter().flat_map(|holding| &holding.links);
    let last = last.filter_map(|link| link.modified).max();
    let last = last.map_or_else(String::new, |last| format!("; last linked {last}"));
    match verdict {
        Verdict::Kept => {
            let keepers = holdings.iter().filter(|holding| !holding.paths.is_empty()).count();
            let plural = if keepers == 1 { "y keeps" } else { "ies keep" };
            format!("stays: {keepers} repositor{plural} it")
        }
        Verdict::Young => format!(
            "stays for now: nothing needs it, and it was not written before {}{last}",
            cutoffs.objects
        ),
        Verdict::Garbage(reason) => format!("garbage: {}{last}", reason_words(*reason)),
        Verdict::Missing => "is not there, though something names it".to_owned(),
        Verdict::NoTag => "there is no such tag".to_owned(),
        Verdict::BrokenTag(error) => {
            format!("the tag's link {error}; `regsweep check` says what else is broken")
        }
        Verdict::Unknown => "is unknown: nothing names it, and it is not there".to_owned(),
    }
}

/// What a repository has to do with it; `told` is the tag of which all was said.
fn of_repository(holding: &Holding, told: Option<&TagTold>, console: Console) -> String {
    let mut text = format!("\n{}\n", console.bold(holding.repository.as_str()));
    if let Some(ruled) = &holding.ruled {
        of_rules(&mut text, ruled, holding, told);
    }
    for path in holding.paths.iter().take(SHOWN) {
        line(&mut text, &format!("  {}", way(path, holding.ruled.as_ref())));
    }
    more(&mut text, holding.paths.len(), "ways");
    for doubt in holding.doubts.iter().take(SHOWN) {
        line(&mut text, &format!("  in doubt: {doubt}"));
    }
    more(&mut text, holding.doubts.len(), "doubts");
    let idle = |link: &&NamedBy| holding.paths.is_empty() || link.goes.is_some();
    let links: Vec<&NamedBy> = holding.links.iter().filter(idle).collect();
    for link in links.iter().take(SHOWN) {
        line(&mut text, &format!("  {}", of_link(link)));
    }
    more(&mut text, links.len(), "keys");
    text
}

fn more(text: &mut String, all: usize, what: &str) {
    if all > SHOWN {
        line(text, &format!("  and {} more {what}; --json names all", all - SHOWN));
    }
}

/// What the policy says of the tags that lead to it, and of manifests without.
fn of_rules(text: &mut String, ruled: &Ruled, holding: &Holding, told: Option<&TagTold>) {
    let is_told = |tag: &&TagTold| told.is_some_and(|told| std::ptr::eq(told, *tag));
    let tags: Vec<&TagTold> = ruled.tags.iter().filter(|tag| !is_told(tag)).collect();
    for tag in tags.iter().take(SHOWN) {
        line(text, &format!("  tag {} {}", tag.name, of_tag(tag)));
    }
    more(text, tags.len(), "tags");
    let is_sure = holding.doubts.is_empty();
    let is_revision = |path: &Path| is_sure && matches!(path.ground, Ground::Revision);
    match &ruled.untagged {
        None if !ruled.is_covered => line(text, "  no rule lets anything of this repository go"),
        None if holding.paths.iter().any(is_revision) => {
            line(text, "  no rule lets manifests of this repository go that no tag reaches");
        }
        _ => {}
    }
}

fn of_tag(tag: &TagTold) -> String {
    match &tag.goes {
        None => format!("stays: {}", stays(&tag.because)),
        Some(gone) => match &tag.because {
            Because::Follows(subject) => {
                format!("goes with {:.19}, to which it belongs: {}", subject.to_string(), why(gone))
            }
            _ => format!("goes: {}", why(gone)),
        },
    }
}

fn stays(because: &Because) -> String {
    match because {
        Because::Kept(rule) => format!("rule `{rule}` keeps it"),
        Because::NoRule => "no rule lets it go".to_owned(),
        Because::Young => "it is too young to judge".to_owned(),
        Because::UnknownTime => "it is not known when it was written".to_owned(),
        // No tag of which this is so stays.
        Because::Expired(rule) => format!("rule `{rule}` would let it go"),
        Because::Follows(subject) => {
            format!("it belongs to {:.19}, which stays", subject.to_string())
        }
        Because::Stray => "it belongs to a manifest that is not here".to_owned(),
        Because::NotCovered => "no rule lets anything of this repository go".to_owned(),
        Because::Doubt => "something of this repository is in doubt".to_owned(),
    }
}

/// From what is kept for its own sake to what was asked about.
fn way(path: &Path, ruled: Option<&Ruled>) -> String {
    let root = format!("{:.19}", path.root.to_string());
    let mut way = match &path.ground {
        Ground::Tag(tag) => format!("tag {tag} > {root}"),
        Ground::History(tag) => format!("history of tag {tag} > {root}"),
        Ground::ExpiredTag(tag) => format!("tag {tag}, which goes > {root}"),
        Ground::Revision => format!("manifest {root}"),
        Ground::Recent { until, .. } => {
            let rule = ruled.and_then(|ruled| ruled.untagged.as_ref());
            let rule = rule.map_or_else(String::new, |untagged| {
                let (rule, after) = (&untagged.rule, span(untagged.after));
                format!(", {after} after it was pushed, by rule `{rule}`")
            });
            format!("pushed lately: stays until {until}{rule} > {root}")
        }
        Ground::Young => format!("link too young to judge > {root}"),
        Ground::Upload => format!("upload in progress > {root}"),
        Ground::Linked => format!("link > {root}"),
        Ground::Doubt => format!("doubt keeps all that is named here > {root}"),
    };
    for (lead, digest) in &path.steps {
        // Writing to a string cannot fail.
        let _ = write!(way, " > {} {:.19}", lead_word(*lead), digest.to_string());
    }
    way
}

fn of_link(link: &NamedBy) -> String {
    let written = link.modified.map_or_else(String::new, |time| format!(", written {time}"));
    let goes = link.goes.as_ref();
    let goes = goes.map_or_else(|| "stays".to_owned(), |gone| format!("goes: {}", why(gone)));
    format!("{}{written}: {goes}", link.key)
}

/// The rule by which something goes, and that of the policy where it decided.
fn why(gone: &Gone) -> String {
    match (gone.reason, &gone.rule) {
        (Reason::Expired, Some(rule)) => format!("rule `{rule}` lets it go"),
        (reason, Some(rule)) => format!("{} (rule `{rule}`)", reason_words(reason)),
        (reason, None) => reason_words(reason).to_owned(),
    }
}

const fn reason_words(reason: Reason) -> &'static str {
    match reason {
        Reason::Unreferenced => "no manifest of any repository that stays refers to it",
        Reason::Untagged => "no tag reaches it, and it refers to no manifest that stays",
        Reason::Expired => "a rule of the policy lets it go",
        Reason::DeadTagHistory => "the tag once pointed to a manifest that goes",
        Reason::UnneededHere => "no manifest of this repository that stays needs it",
        Reason::StaleUpload => "the upload was abandoned",
        Reason::BrokenLink => "the link is broken, and written anew",
        Reason::EmptyRepository => "nothing is left in the repository that could be pulled",
    }
}
