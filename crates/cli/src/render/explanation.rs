//! Why something is kept, or would go, in words and as an object.

use std::fmt::Write as _;

use marker::{Ground, Path};
use planner::Reason;
use serde::Serialize;
use store::Object;

use super::size;
use crate::Console;
use crate::explain::{Explanation, Holding, NamedBy, Verdict, ground_word, lead_word};

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
    line(&mut text, &format!("  {}", verdict(explanation)));
    if let Some(repository) = explanation.stranger() {
        line(&mut text, &format!("  {repository} neither keeps nor names it"));
    }
    for holding in explanation.holdings.iter().take(REPOSITORIES) {
        text.push_str(&of_repository(holding, console));
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
        Verdict::Garbage(reason) => format!("garbage: {}{last}", why(*reason)),
        Verdict::Missing => "is not there, though something names it".to_owned(),
        Verdict::NoTag => "there is no such tag".to_owned(),
        Verdict::BrokenTag(error) => {
            format!("the tag's link {error}; `regsweep check` says what else is broken")
        }
        Verdict::Unknown => "is unknown: nothing names it, and it is not there".to_owned(),
    }
}

fn of_repository(holding: &Holding, console: Console) -> String {
    let mut text = format!("\n{}\n", console.bold(holding.repository.as_str()));
    for path in holding.paths.iter().take(SHOWN) {
        line(&mut text, &format!("  {}", way(path)));
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

/// From what is kept for its own sake to what was asked about.
fn way(path: &Path) -> String {
    let root = format!("{:.19}", path.root.to_string());
    let mut way = match &path.ground {
        Ground::Tag(tag) => format!("tag {tag} > {root}"),
        Ground::History(tag) => format!("history of tag {tag} > {root}"),
        Ground::Revision => format!("manifest {root}"),
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
    let goes =
        link.goes.map_or_else(|| "stays".to_owned(), |reason| format!("goes: {}", why(reason)));
    format!("{}{written}: {goes}", link.key)
}

/// The rule by which something goes.
const fn why(reason: Reason) -> &'static str {
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

/// For machines. Fields are only ever added.
#[derive(Debug, Serialize)]
pub(crate) struct ExplanationObject {
    #[serde(rename = "type")]
    kind: &'static str,
    subject: String,
    digest: Option<String>,
    verdict: &'static str,
    reason: Option<&'static str>,
    blob: Option<BlobObject>,
    /// Only what was written before may go.
    cutoff: String,
    repositories: Vec<HoldingObject>,
}

#[derive(Debug, Serialize)]
struct BlobObject {
    key: String,
    bytes: u64,
    last_modified: String,
}

#[derive(Debug, Serialize)]
struct HoldingObject {
    repository: String,
    paths: Vec<PathObject>,
    doubts: Vec<String>,
    keys: Vec<KeyObject>,
}

#[derive(Debug, Serialize)]
struct PathObject {
    kept_by: &'static str,
    tag: Option<String>,
    root: String,
    steps: Vec<StepObject>,
}

#[derive(Debug, Serialize)]
struct StepObject {
    role: &'static str,
    digest: String,
}

#[derive(Debug, Serialize)]
struct KeyObject {
    key: String,
    last_modified: Option<String>,
    goes: Option<&'static str>,
}

impl ExplanationObject {
    /// The object of an explanation.
    #[must_use]
    pub(crate) fn of(explanation: &Explanation) -> Self {
        let (verdict, reason) = match &explanation.verdict {
            Verdict::Kept => ("kept", None),
            Verdict::Young => ("young", None),
            Verdict::Garbage(reason) => ("garbage", Some(reason.name())),
            Verdict::Missing => ("missing", None),
            Verdict::Unknown => ("unknown", None),
            Verdict::NoTag => ("no-tag", None),
            Verdict::BrokenTag(_) => ("broken-tag", None),
        };
        Self {
            kind: "explanation",
            subject: explanation.subject.to_string(),
            digest: explanation.digest.map(|digest| digest.to_string()),
            verdict,
            reason,
            blob: explanation.blob.as_ref().map(blob_object),
            cutoff: explanation.cutoffs.objects.to_string(),
            repositories: explanation.holdings.iter().map(holding_object).collect(),
        }
    }
}

fn blob_object(blob: &Object) -> BlobObject {
    BlobObject {
        key: blob.key.to_string(),
        bytes: blob.size,
        last_modified: blob.modified.to_string(),
    }
}

fn holding_object(holding: &Holding) -> HoldingObject {
    let key = |link: &NamedBy| KeyObject {
        key: link.key.to_string(),
        last_modified: link.modified.map(|time| time.to_string()),
        goes: link.goes.map(Reason::name),
    };
    HoldingObject {
        repository: holding.repository.to_string(),
        paths: holding.paths.iter().map(path_object).collect(),
        doubts: holding.doubts.clone(),
        keys: holding.links.iter().map(key).collect(),
    }
}

fn path_object(path: &Path) -> PathObject {
    let tag = match &path.ground {
        Ground::Tag(tag) | Ground::History(tag) => Some(tag.to_string()),
        _ => None,
    };
    let step = |(lead, digest): &(_, registry::Digest)| StepObject {
        role: lead_word(*lead),
        digest: digest.to_string(),
    };
    PathObject {
        kept_by: ground_word(&path.ground),
        tag,
        root: path.root.to_string(),
        steps: path.steps.iter().map(step).collect(),
    }
}
