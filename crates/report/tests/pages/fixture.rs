//! Plans to show: tiny, empty, refused, and of thousands of repositories.

use std::time::Duration;

use monitor::Phase;
use planner::{
    Amount, Breaker, Doubt, Doubts, Facts, Header, Location, Note, Plan, PlanWriter, Policy,
    Reason, Requests, Row, RowKind, Sealed, Severity,
};
use registry::{Digest, RepositoryName, Timestamp};
use report::{Ended, FailedObject, Figures, Outcome, Point, Prices, Subject, Timeline, page};
use tempfile::TempDir;

/// When every plan is made.
pub(crate) const T0: Timestamp = Timestamp::from_seconds(1_787_000_000);

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const DAY: u64 = 86_400;

struct Marks;

impl Sealed for Marks {}

/// A plan, and what else is known of it.
pub(crate) struct Shown {
    pub(crate) plan: Plan,
    pub(crate) figures: Figures,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) timeline: Timeline,
    pub(crate) prices: Prices,
    _dir: TempDir,
}

impl Shown {
    pub(crate) fn new(header: &Header, rows: Vec<Row>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let writer = PlanWriter::scratch(dir.path()).unwrap();
        writer.add(rows).unwrap();
        let plan = writer.finish(header, &Marks).unwrap();
        let figures = Figures::of(&plan).unwrap();
        let (timeline, prices) = (Timeline::default(), Prices::default());
        Self { plan, figures, outcome: None, timeline, prices, _dir: dir }
    }

    pub(crate) fn page(&self) -> String {
        let planned = Subject::planned(&self.plan, &self.figures, &self.timeline, &self.prices);
        page(&Subject { outcome: self.outcome.as_ref(), ..planned })
    }
}

pub(crate) fn header() -> Header {
    Header {
        retention: None,
        keep_list: None,
        created_by: "0.1.0".into(),
        location: Location {
            identity: "s3://registry at us-east-1".into(),
            source: "s3://registry/production".into(),
            base: "production/docker/registry/v2/".into(),
            options: [].into(),
        },
        purpose: planner::Purpose::Collection,
        policy: Policy {
            untagged: true,
            grace: Duration::from_hours(24),
            uploads_older_than: Duration::from_hours(168),
        },
        t0: T0,
        doubts: Doubts::default(),
        notes: Vec::new(),
        facts: Facts {
            blobs: Amount { count: 4000, bytes: 9_000 * MIB },
            repositories: 12,
            revisions: 900,
            tags: 310,
            marked: 3700,
            keys: 12_000,
            ..Facts::default()
        },
        requests: Requests {
            list: 270,
            get: 812,
            manifests: 800,
            recalled: 100,
            ..Requests::default()
        },
        multipart: None,
    }
}

fn row(
    kind: RowKind,
    reason: Reason,
    repository: Option<&str>,
    number: u64,
    bytes: u64,
    age: u64,
) -> Row {
    let digest = Digest::sha256(&number.to_be_bytes());
    let repository = repository.map(|name| RepositoryName::new(name).unwrap());
    let at = repository.as_ref().map_or_else(String::new, ToString::to_string);
    Row {
        rule: None,
        upload: None,
        etag: None,
        kind,
        key: format!("production/docker/registry/v2/{}/{at}/{digest}", kind.name()).into(),
        repository,
        digest: Some(digest),
        bytes,
        modified: Timestamp::from_seconds(T0.as_millis() / 1000 - i64::try_from(age).unwrap()),
        reason,
    }
}

/// A blob that nobody needs.
pub(crate) fn blob(number: u64, bytes: u64, age: u64) -> Row {
    row(RowKind::Blob, Reason::Unreferenced, None, number, bytes, age)
}

/// An upload in parts that nobody ended: into a repository, or to where blobs lie.
pub(crate) fn multipart(repository: Option<&str>, number: u64, bytes: u64) -> Row {
    let (kind, reason) = (RowKind::MultipartUpload, Reason::StaleUpload);
    let upload = Some(format!("id-{number}").into());
    Row { digest: None, upload, ..row(kind, reason, repository, number, bytes, 9 * DAY) }
}

/// A repository's link to it.
pub(crate) fn link(repository: &str, number: u64) -> Row {
    row(RowKind::LayerLink, Reason::UnneededHere, Some(repository), number, 71, 40 * DAY)
}

/// A manifest that goes, with its link.
fn manifest(repository: &str, number: u64, age: u64) -> [Row; 2] {
    [
        row(RowKind::RevisionLink, Reason::Untagged, Some(repository), number, 71, age),
        blob(number, 1500, age),
    ]
}

/// One of each kind, in two repositories.
pub(crate) fn tiny() -> Shown {
    let app = "library/app";
    let mut rows = vec![
        row(RowKind::TagLink, Reason::DeadTagHistory, Some(app), 1, 71, 40 * DAY),
        row(RowKind::Upload, Reason::StaleUpload, Some("library/old"), 2, 300 * KIB, 9 * DAY),
        link(app, 3),
        link("library/old", 3),
        link(app, 4),
        blob(3, 30 * MIB, 40 * DAY),
        blob(4, 5 * MIB, 200 * DAY),
        blob(5, 800 * KIB, 1000 * DAY),
    ];
    rows.extend(manifest(app, 1, 40 * DAY));
    Shown::new(&header(), rows)
}

/// A registry in files of which nothing goes.
pub(crate) fn empty() -> Shown {
    let mut header = header();
    header.location.identity = "files at /var/lib/registry".into();
    header.location.source = "/var/lib/registry".into();
    header.location.base = String::new();
    header.policy.untagged = false;
    Shown::new(&header, Vec::new())
}

/// A plan that its audit forbids, with doubts; `hostile` stands wherever anybody's text can.
pub(crate) fn refused(hostile: &str) -> Shown {
    let mut header = header();
    header.location.source = format!("s3://registry/{hostile}");
    header.location.identity = format!("s3://registry at http://127.0.0.1:9000{hostile}");
    header.created_by = format!("0.1.0{hostile}");
    header.notes = [Severity::Fatal, Severity::Warning, Severity::Accepted]
        .map(|severity| Note {
            severity,
            breaker: Breaker::YoungOrphans,
            found: 210,
            of: 300,
            evidence: format!(
                "210 of 300 blobs younger than 30 days are linked by no repository{hostile}"
            ),
        })
        .into();
    for number in 0..3 {
        header.doubts.add(Doubt {
            repository: format!("team/service-{number}{hostile}"),
            what: format!("{}{hostile}", Digest::sha256(&[number])),
            message: format!("the manifest has no media type that is known{hostile}"),
        });
    }
    header.doubts.add_unseen(40);
    let rows = (0..300_u64).map(|number| blob(number, (number % 90) * MIB / 3, number * DAY / 11));
    Shown::new(&header, rows.collect())
}

/// A small generator, so that the same numbers come each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Thousands of repositories, some much larger than others, that share layers.
pub(crate) fn thousands() -> Shown {
    const TEAMS: [&str; 14] = [
        "platform",
        "payments",
        "library",
        "ml-research",
        "mobile",
        "data",
        "search",
        "internal-tools",
        "ads",
        "infra",
        "security",
        "web",
        "partners",
        "archive",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut rows = Vec::new();
    for number in 0..3000_u64 {
        let team = TEAMS[usize::try_from(random.below(196).isqrt()).unwrap()];
        let name = match number % 40 {
            0 => format!("standalone-{number}"),
            _ => format!("{team}/service-{number}/with-a-rather-long-name"),
        };
        for _ in 0..=40 / (1 + random.below(60)) {
            let digest = random.below(9_000);
            rows.push(link(&name, digest));
        }
        rows.extend(manifest(&name, 1_000_000 + number, random.below(900) * DAY));
    }
    for number in 0..9_000 {
        let bytes = 1 << random.below(30);
        rows.push(blob(number, bytes + random.below(bytes), random.below(40).pow(2) * DAY + DAY));
    }
    let mut header = header();
    header.facts.blobs = Amount { count: 410_000, bytes: 9 << 40 };
    (header.facts.repositories, header.facts.keys) = (3100, 1_900_000);
    header.requests = Requests { list: 2231, get: 40_312, ..Requests::default() };
    Shown::new(&header, rows)
}

/// The same, carried out under throttling, with some failures.
pub(crate) fn carried_out() -> Shown {
    let mut shown = thousands();
    let planned = shown.plan.totals().all();
    let failed = Amount { count: 12, bytes: 40 * MIB };
    let spared = Amount { count: 3, bytes: 213 };
    shown.timeline = watched(planned);
    shown.outcome = Some(Outcome {
        ended: Ended::Completed,
        planned,
        deleted: Amount {
            count: planned.count - failed.count - spared.count,
            bytes: planned.bytes - failed.bytes - spared.bytes,
        },
        already_gone: Amount::default(),
        spared,
        failed,
        left: Amount::default(),
        failures: vec![FailedObject {
            key: "production/docker/registry/v2/blobs/sha256/ab/abcdef0123456789/data".into(),
            message: "AccessDenied: not allowed by the bucket's policy".into(),
        }],
        requests: Requests { list: 3, delete: 61, ..Requests::default() },
    });
    shown
}

/// Two minutes: keys are listed, then links and blobs deleted, and slowed down on the way.
fn watched(planned: Amount) -> Timeline {
    let mut timeline = Timeline::default();
    let mut point = Point {
        at: Duration::ZERO,
        phase: Phase::Opening,
        keys: 0,
        objects: 0,
        bytes: 0,
        throttled: 0,
        retried: 0,
    };
    let mut random = Random(42);
    for step in 0..600 {
        point.phase = match step {
            0..5 => Phase::Opening,
            5..180 => Phase::Marking,
            180..250 => Phase::Planning,
            250..330 => Phase::SweepingLinks,
            _ => Phase::SweepingBlobs,
        };
        match point.phase {
            Phase::Marking | Phase::Planning => point.keys += 6000 + random.below(3000),
            Phase::SweepingLinks => point.objects += planned.count / 200,
            Phase::SweepingBlobs => {
                let is_slowed = (400..470).contains(&step);
                point.objects += planned.count * 6 / 10 / if is_slowed { 900 } else { 270 };
                point.bytes += planned.bytes / 270;
                point.throttled += if is_slowed { random.below(9) } else { 0 };
            }
            _ => {}
        }
        point.retried = point.throttled;
        timeline.push(point);
        point.at += Duration::from_millis(200);
    }
    timeline
}
