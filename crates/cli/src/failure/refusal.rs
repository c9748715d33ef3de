//! Why a registry is not collected, or not yet.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use planner::{Breaker, Note};
use registry::Timestamp;

use crate::ClearError;
use crate::command_line::quoted;
use crate::online::generation_of;

/// Why a layout is not ours to collect, or a plan not to be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody promised that no one pushes.
    #[error("the registry at {location} may be accepting pushes, which a sweep could lose")]
    Online {
        /// The registry.
        location: String,
    },
    /// Another system keeps the truth about this data.
    #[error("{location} belongs to {system}: {evidence}")]
    Foreign {
        /// The registry.
        location: String,
        /// What it is.
        system: &'static str,
        /// What was seen.
        evidence: String,
        /// Whether a list of what its database knows makes good for that.
        may_be_listed: bool,
    },
    /// What was pushed since the keep list was exported is not on it, and no grace keeps that.
    #[error("{}", keep_list_age(file, *modified, *now, *grace))]
    KeepListAge {
        /// The list.
        file: String,
        /// When it was written.
        modified: Timestamp,
        /// The time by this machine's clock.
        now: Timestamp,
        /// How old it may be.
        grace: Duration,
    },
    /// There is no registry here.
    #[error("{location} is not a registry: {evidence}")]
    NotARegistry {
        /// Where we looked.
        location: String,
        /// What was seen.
        evidence: String,
        /// Where it seems to be instead.
        instead: Option<String>,
    },
    /// Somebody pushed since the plan was made.
    #[error(
        "the registry took pushes since the plan was made at {since}: {count} {what} were written, `{newest}` last"
    )]
    Written {
        /// How many links, or blobs.
        count: u64,
        /// Which of the two.
        what: &'static str,
        /// The key of the newest.
        newest: String,
        /// When the plan was made, by the store's clock.
        since: Timestamp,
    },
    /// The registry would go on believing in what is deleted.
    #[error("the registry's cache could not be cleared of what is deleted, so nothing was deleted")]
    Cache {
        /// Why not.
        source: ClearError,
    },
    /// Somebody else collects this registry while people push, or was killed doing so.
    #[error("`{holder}` collects this registry, or did and was killed; its lease ends at {until}")]
    Leased {
        /// Who.
        holder: Box<str>,
        /// From when on others may collect, by the store's clock.
        until: Timestamp,
    },
    /// What a collection while people push has taken is not seen by a plan.
    #[error("generation {generation} of a collection while people push has not ended")]
    OpenGeneration {
        /// Its name.
        generation: Box<str>,
    },
    /// What is deleted while people push must be able to come back.
    #[error("what is deleted from {location} could not come back where a push came to need it")]
    NoUndo {
        /// The registry.
        location: String,
    },
    /// The registry would believe in what is deleted, and accept pushes that need it.
    #[error("{why}")]
    CacheUnproven {
        /// What is known of its cache.
        why: &'static str,
    },
    /// Nothing of a collection while people push is on record.
    #[error("no such generation of {location} is on record")]
    NoGeneration {
        /// The registry.
        location: String,
    },
    /// A manifest that is pushed while its link is taken would not be noticed.
    #[error("manifests without a tag cannot be deleted from {location} while people push")]
    OnlineUntagged {
        /// The registry.
        location: String,
    },
    /// An undo was at work since the plan was made.
    #[error("what was deleted was taken back at {at}, after the plan was made at {since}")]
    TakenBack {
        /// When, by the store's clock.
        at: Timestamp,
        /// When the plan was made, by the store's clock.
        since: Timestamp,
    },
    /// An undo has begun and not ended: blobs may be back to which nothing refers yet.
    #[error("an undo has not ended, says `{note}`")]
    Undoing {
        /// The key of the object that says so.
        note: String,
    },
    /// The audit of a plan says no.
    #[error("the plan looks wrong, so nothing was deleted")]
    Audit {
        /// What it found.
        notes: Vec<Note>,
        /// The plan, where it can be looked at.
        plan: Option<PathBuf>,
    },
}

impl Refusal {
    /// What was found, a line each.
    pub(super) fn causes(&self) -> Vec<String> {
        match self {
            Self::Audit { notes, .. } => {
                notes.iter().map(|note| format!("{}: {}", note.breaker, note.evidence)).collect()
            }
            Self::Cache { source } => causes_of(source),
            Self::Online { .. }
            | Self::Foreign { .. }
            | Self::NotARegistry { .. }
            | Self::KeepListAge { .. }
            | Self::Written { .. }
            | Self::Leased { .. }
            | Self::OpenGeneration { .. }
            | Self::NoUndo { .. }
            | Self::CacheUnproven { .. }
            | Self::OnlineUntagged { .. }
            | Self::NoGeneration { .. }
            | Self::TakenBack { .. }
            | Self::Undoing { .. } => Vec::new(),
        }
    }

    /// What to do next; `again` is the command that was typed.
    pub(crate) fn hints(&self, again: &str) -> Vec<String> {
        match self {
            Self::Online { .. } => vec![
                "set `storage: maintenance: readonly: enabled: true` in the registry's config.yml, restart it, and \
                 give that file as the location"
                    .to_owned(),
                format!("or make sure yourself that nobody pushes, and say so: `{again} --offline`"),
            ],
            Self::Foreign { may_be_listed, .. } => {
                let own = "collect it with that system's own tools";
                let list = "or say what its database still knows: `plan` and `gc` with --keep-list FILE";
                let hints = if *may_be_listed { &[own, list][..] } else { &[own] };
                hints.iter().copied().map(str::to_owned).collect()
            }
            Self::KeepListAge { .. } => vec![
                "export it again while nobody can push, and make a new plan by it".to_owned(),
            ],
            Self::NotARegistry { instead: Some(instead), .. } => {
                vec![format!("the location of the registry seems to be {}", quoted(instead))]
            }
            Self::NotARegistry { instead: None, .. } => vec![
                "the location is the folder or prefix that holds `docker/registry/v2`; config.yml calls it \
                 rootdirectory"
                    .to_owned(),
            ],
            Self::Written { .. } | Self::TakenBack { .. } => vec![
                "what was garbage then may be needed now: make a new plan with `regsweep plan`".to_owned(),
            ],
            Self::Leased { .. }
            | Self::OpenGeneration { .. }
            | Self::NoUndo { .. }
            | Self::CacheUnproven { .. }
            | Self::NoGeneration { .. }
            | Self::OnlineUntagged { .. } => self.online_hints(again),
            Self::Undoing { note } => vec![
                match generation_of(note) {
                    Some(id) => format!("`regsweep undo LOCATION --generation {id}`, as it was typed, goes on"),
                    None => "`regsweep undo DIR`, with the directory of the plan that is taken back, goes on".to_owned(),
                },
                format!(
                    "where that plan is lost, remove `{note}`: what is back without a link to it is collected then"
                ),
            ],
            Self::Cache { .. } => vec![
                "check `redis` in config.yml, and that it can be reached from here".to_owned(),
                "or see to the cache yourself, and say so: `regsweep gc` and `regsweep apply` with \
                 `--registry-cache restart`"
                    .to_owned(),
            ],
            Self::Audit { notes, plan } => audit_hints(notes, plan.as_deref()),
        }
    }

    /// What to do next where people push, or did.
    fn online_hints(&self, again: &str) -> Vec<String> {
        match self {
            Self::Leased { .. } => vec![format!("run `{again}` again then")],
            Self::OpenGeneration { generation } => vec![
                "`regsweep gc LOCATION --online`, once its waits are over, carries it to its end".to_owned(),
                format!(
                    "or take it back: `regsweep undo LOCATION --generation {generation}`, then run `gc --online` once"
                ),
            ],
            Self::NoUndo { .. } => vec![
                "turn on the bucket's versioning, or collect with --trash".to_owned(),
                "or accept that some image may be lost, and say so: --without-undo".to_owned(),
            ],
            Self::CacheUnproven { .. } => vec![
                "give the registry's config.yml as the location, with redis as its cache or none".to_owned(),
                "or say what you know: --registry-cache none, or --restarted-every DURATION".to_owned(),
            ],
            Self::NoGeneration { .. } => vec![
                "`regsweep gc --online` begins generations; `regsweep undo DIR` takes back what a plan deleted"
                    .to_owned(),
            ],
            Self::OnlineUntagged { .. } => vec![
                "turn on the bucket's versioning; on files, collect with --trash".to_owned(),
                format!(
                    "or leave out --untagged, or make the registry read-only and run `{}`",
                    again.replace(" --online", "")
                ),
            ],
            _ => Vec::new(),
        }
    }
}

fn keep_list_age(file: &str, modified: Timestamp, now: Timestamp, grace: Duration) -> String {
    if modified > now {
        return format!(
            "{file} was written at {modified}, which is later than this machine's time {now}"
        );
    }
    let grace = humantime::format_duration(grace);
    format!(
        "{file} was exported at {modified}, longer ago than the grace of {grace}: what was pushed since is not on it"
    )
}

fn causes_of(error: &ClearError) -> Vec<String> {
    let deeper = error.source().map(ToString::to_string);
    std::iter::once(error.to_string()).chain(deeper).collect()
}

/// What to do next where the numbers of a plan forbid it.
fn audit_hints(notes: &[Note], plan: Option<&Path>) -> Vec<String> {
    let look = plan.map(|plan| {
        let dir = plan.to_string_lossy();
        format!("`regsweep show {}` shows what would go, and why", quoted(&dir))
    });
    let is_about_list = |note: &Note| {
        matches!(
            note.breaker,
            Breaker::KeepListShort | Breaker::KeepListOutdated | Breaker::KeepListStranger
        )
    };
    let again = "export the list again, whole, of this registry, and while nobody can push";
    let again = notes.iter().any(is_about_list).then(|| again.to_owned());
    look.into_iter().chain(again).chain([accepting(notes)]).collect()
}

fn accepting(notes: &[Note]) -> String {
    let breakers: BTreeSet<Breaker> = notes.iter().map(|note| note.breaker).collect();
    let names: Vec<&str> = breakers.iter().map(|breaker| breaker.name()).collect();
    let accept = names.join(" --accept ");
    let is_share = breakers.contains(&Breaker::DeleteShare);
    let share = if is_share { " (or a higher --max-delete-share)" } else { "" };
    format!("if that is right, run `regsweep plan` or `regsweep gc` with --accept {accept}{share}")
}
