//! Every family: its name, its help, its type, and where its samples come from.

use monitor::Counter;

/// What a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Grows, from zero at the beginning of each run.
    Counter,
    /// Anything.
    Gauge,
    /// Counts by size.
    Histogram,
}

impl Type {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Where samples come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// A counter.
    One(Counter),
    /// Counters that are told apart by a label.
    By(&'static str, &'static [(&'static str, Counter)]),
    /// Requests by kind and outcome.
    Outcomes,
    /// How long requests took, by kind.
    Latencies,
    /// The phase.
    Phase,
    /// How long each phase took.
    PhaseSeconds,
    /// The program's version.
    Version,
    /// When the run began.
    Began,
    /// When the last run ended.
    LastRun,
    /// Its exit code.
    LastExitCode,
    /// When the last one ended that went well.
    LastSuccess,
    /// The time of the oldest garbage.
    OldestGarbage,
}

/// A name, and all that is to be said of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Type,
    /// Without backslashes and line feeds, which would have to be escaped.
    pub(crate) help: &'static str,
    pub(crate) source: Source,
}

/// Every counter with its name, without what all names have: `freed_bytes`, `requests.list`.
pub fn counters() -> impl Iterator<Item = (String, Counter)> {
    FAMILIES.iter().flat_map(|family| {
        let name = family.name.trim_start_matches("regsweep_").trim_end_matches("_total");
        match family.source {
            Source::One(counter) => vec![(name.to_owned(), counter)],
            Source::By(_, counters) => counters
                .iter()
                .map(|(label, counter)| (format!("{name}.{label}"), *counter))
                .collect(),
            _ => Vec::new(),
        }
    })
}

const fn gauge(name: &'static str, source: Source, help: &'static str) -> Family {
    Family { name, kind: Type::Gauge, help, source }
}

const fn counter(name: &'static str, counter: Counter, help: &'static str) -> Family {
    Family { name, kind: Type::Counter, help, source: Source::One(counter) }
}

pub(crate) const LAST_RUN: &str = "regsweep_last_run_timestamp_seconds";
pub(crate) const LAST_EXIT_CODE: &str = "regsweep_last_run_exit_code";
pub(crate) const LAST_SUCCESS: &str = "regsweep_last_success_timestamp_seconds";
pub(crate) const OLDEST_GARBAGE: &str = "regsweep_oldest_garbage_timestamp_seconds";

/// Every family, in the order of the text.
pub(crate) const FAMILIES: &[Family] = &[
    gauge("regsweep_build_info", Source::Version, "Always 1; the label tells the version."),
    gauge(
        "regsweep_run_start_timestamp_seconds",
        Source::Began,
        "When this run began. Counters begin at zero with it.",
    ),
    gauge(
        LAST_RUN,
        Source::LastRun,
        "When the last run ended, however. Before the start of this run while it goes on, and where it was killed.",
    ),
    gauge(LAST_EXIT_CODE, Source::LastExitCode, "The exit code with which the last run ended."),
    gauge(
        LAST_SUCCESS,
        Source::LastSuccess,
        "When the last run ended that did all that was asked: with exit code 0.",
    ),
    gauge(
        OLDEST_GARBAGE,
        Source::OldestGarbage,
        "When the oldest object was written that the last plan names and that was not deleted. Not there where there \
         is none, or where it is not known.",
    ),
    gauge(
        "regsweep_phase",
        Source::Phase,
        "1 for the phase in which the run is, or was last, and 0 for all others.",
    ),
    gauge(
        "regsweep_phase_seconds",
        Source::PhaseSeconds,
        "How long the run was in each phase so far.",
    ),
    Family {
        name: "regsweep_requests_total",
        kind: Type::Counter,
        help: "Requests sent to the store, each attempt. On files: folders and files opened, looked at, written, deleted.",
        source: Source::By(
            "kind",
            &[
                ("list", Counter::ListRequests),
                ("get", Counter::GetRequests),
                ("head", Counter::HeadRequests),
                ("put", Counter::PutRequests),
                ("delete", Counter::DeleteRequests),
            ],
        ),
    },
    Family {
        name: "regsweep_request_outcomes_total",
        kind: Type::Counter,
        help: "Requests to a bucket that have ended. What an answer says of single keys does not count here.",
        source: Source::Outcomes,
    },
    Family {
        name: "regsweep_request_duration_seconds",
        kind: Type::Histogram,
        help: "How long requests to a bucket took until their answer was read, however they ended. Waiting for a turn does not count.",
        source: Source::Latencies,
    },
    counter(
        "regsweep_throttled_answers_total",
        Counter::ThrottledAnswers,
        "Answers that asked to slow down, for a request or for a key of it.",
    ),
    counter(
        "regsweep_retried_requests_total",
        Counter::RetriedRequests,
        "Requests sent again after an answer that may pass.",
    ),
    counter(
        "regsweep_listed_ranges_total",
        Counter::ListedRanges,
        "Ranges into which the listing was cut.",
    ),
    Family {
        name: "regsweep_keys_total",
        kind: Type::Counter,
        help: "Keys listed.",
        source: Source::By(
            "below",
            &[("repositories", Counter::RepositoryKeys), ("blobs", Counter::BlobKeys)],
        ),
    },
    counter("regsweep_foreign_keys_total", Counter::ForeignKeys, "Keys that no registry writes."),
    counter("regsweep_repositories_total", Counter::Repositories, "Repositories listed."),
    counter(
        "regsweep_marked_repositories_total",
        Counter::MarkedRepositories,
        "Repositories whose manifests were followed.",
    ),
    counter("regsweep_revisions_total", Counter::Revisions, "Links to manifests seen."),
    counter("regsweep_tags_total", Counter::Tags, "Tags seen."),
    counter(
        "regsweep_asked_manifests_total",
        Counter::AskedManifests,
        "Manifests asked of the store.",
    ),
    counter(
        "regsweep_read_manifests_total",
        Counter::ReadManifests,
        "Manifests read and understood.",
    ),
    counter(
        "regsweep_recalled_manifests_total",
        Counter::RecalledManifests,
        "Manifests that an earlier run had read, so that the store was not asked; once for each repository.",
    ),
    counter("regsweep_blobs_total", Counter::Blobs, "Blobs listed."),
    counter("regsweep_blob_bytes_total", Counter::BlobBytes, "Bytes of the blobs listed."),
    counter(
        "regsweep_verified_blobs_total",
        Counter::VerifiedBlobs,
        "Blobs compared with their digest.",
    ),
    counter("regsweep_verified_bytes_total", Counter::VerifiedBytes, "Bytes of those."),
    counter(
        "regsweep_planned_objects_total",
        Counter::PlannedObjects,
        "Objects that the plan names.",
    ),
    counter(
        "regsweep_planned_bytes_total",
        Counter::PlannedBytes,
        "Bytes that the plan would free.",
    ),
    counter(
        "regsweep_swept_objects_total",
        Counter::SweptObjects,
        "Planned objects of which is known what became of them.",
    ),
    counter("regsweep_deleted_objects_total", Counter::DeletedObjects, "Objects deleted."),
    counter("regsweep_freed_bytes_total", Counter::FreedBytes, "Bytes of the objects deleted."),
    counter(
        "regsweep_failed_objects_total",
        Counter::FailedObjects,
        "Objects that could not be deleted.",
    ),
    counter("regsweep_restored_objects_total", Counter::RestoredObjects, "Objects brought back."),
    counter(
        "regsweep_purged_objects_total",
        Counter::PurgedObjects,
        "Objects that went from the trash.",
    ),
    counter("regsweep_purged_bytes_total", Counter::PurgedBytes, "Bytes of those."),
];
