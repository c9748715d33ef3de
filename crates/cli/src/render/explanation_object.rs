//! Why something is kept, or would go, as the object of `--json`.

use marker::{Ground, Path};
use serde::Serialize;
use store::Object;

use crate::explain::{
    Because, Explanation, Gone, Holding, NamedBy, Ruled, TagTold, Verdict, ground_word, lead_word,
};

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
    /// The tag that was asked about, under a policy.
    tag: Option<TagObject>,
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
    /// Under a policy.
    policy: Option<RuledObject>,
}

#[derive(Debug, Serialize)]
struct RuledObject {
    covered: bool,
    untagged: Option<UntaggedObject>,
    /// Those that lead to the digest.
    tags: Vec<TagObject>,
}

#[derive(Debug, Serialize)]
struct UntaggedObject {
    rule: String,
    /// In seconds.
    after: u64,
}

#[derive(Debug, Serialize)]
struct TagObject {
    tag: String,
    goes: Option<&'static str>,
    because: &'static str,
    rule: Option<String>,
    subject: Option<String>,
}

#[derive(Debug, Serialize)]
struct PathObject {
    kept_by: &'static str,
    tag: Option<String>,
    /// Until when, where it is kept only for a time.
    until: Option<String>,
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
    rule: Option<String>,
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
            tag: explanation.tag().map(tag_object),
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
        goes: link.goes.as_ref().map(reason_of),
        rule: link.goes.as_ref().and_then(rule_of),
    };
    HoldingObject {
        repository: holding.repository.to_string(),
        paths: holding.paths.iter().map(path_object).collect(),
        doubts: holding.doubts.clone(),
        keys: holding.links.iter().map(key).collect(),
        policy: holding.ruled.as_ref().map(ruled_object),
    }
}

const fn reason_of(gone: &Gone) -> &'static str {
    gone.reason.name()
}

fn rule_of(gone: &Gone) -> Option<String> {
    gone.rule.as_ref().map(ToString::to_string)
}

fn ruled_object(ruled: &Ruled) -> RuledObject {
    let untagged = ruled.untagged.as_ref().map(|untagged| UntaggedObject {
        rule: untagged.rule.to_string(),
        after: untagged.after.as_secs(),
    });
    let tags = ruled.tags.iter().map(tag_object).collect();
    RuledObject { covered: ruled.is_covered, untagged, tags }
}

fn tag_object(told: &TagTold) -> TagObject {
    let subject = match &told.because {
        Because::Follows(subject) => Some(subject.to_string()),
        _ => None,
    };
    let gone = told.goes.as_ref();
    let kept = || told.because.rule().map(ToString::to_string);
    TagObject {
        tag: told.name.to_string(),
        goes: gone.map(reason_of),
        because: told.because.word(),
        rule: gone.map_or_else(kept, rule_of),
        subject,
    }
}

fn path_object(path: &Path) -> PathObject {
    let tag = match &path.ground {
        Ground::Tag(tag) | Ground::History(tag) | Ground::ExpiredTag(tag) => Some(tag.to_string()),
        _ => None,
    };
    let until = match &path.ground {
        Ground::Recent { until, .. } => Some(until.to_string()),
        _ => None,
    };
    let step = |(lead, digest): &(_, registry::Digest)| StepObject {
        role: lead_word(*lead),
        digest: digest.to_string(),
    };
    PathObject {
        kept_by: ground_word(&path.ground),
        tag,
        until,
        root: path.root.to_string(),
        steps: path.steps.iter().map(step).collect(),
    }
}
