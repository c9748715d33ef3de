//! Nights to show: one of each thing, a quiet one, and one that was refused.

use std::time::Duration;

use monitor::Phase;
use planner::{Amount, Doubt, Header, MultipartSeen, Reason, Requests, Row, RowKind};
use report::{
    Awaited, Deeds, FailedObject, Figures, Gathering, Night, NightBill, NightEnd, NightRules,
    Point, Prices, Timeline, WaitsFor, night_page,
};

use crate::fixture::{T0, blob, header, link};

const MIB: u64 = 1 << 20;
const DAY: u64 = 86_400;

/// A night, and what it is told of.
pub(crate) struct Shown {
    source: String,
    identity: String,
    pub(crate) ended: NightEnd,
    pub(crate) why: Option<String>,
    pub(crate) deeds: Deeds,
    waiting: Vec<Awaited>,
    pub(crate) look: Option<Header>,
    stored: Option<Amount>,
    condemned: Figures,
    deleted: Figures,
    requests: Requests,
    pub(crate) bill: Option<NightBill>,
    timeline: Timeline,
}

impl Shown {
    pub(crate) fn page(&self) -> String {
        night_page(&Night {
            source: &self.source,
            identity: &self.identity,
            base: "production/docker/registry/v2/",
            created_by: "0.1.0",
            began: T0,
            rules: NightRules {
                untagged: true,
                grace: Duration::from_hours(24),
                uploads_older_than: Duration::from_hours(168),
                quarantine: Duration::from_hours(24),
                longest_push: Duration::from_hours(2),
                windowed: false,
            },
            ended: self.ended,
            why: self.why.as_deref(),
            deeds: &self.deeds,
            waiting: &self.waiting,
            look: self.look.as_ref(),
            stored: self.stored,
            condemned: &self.condemned,
            deleted: &self.deleted,
            requests: self.requests,
            bill: self.bill.as_ref(),
            timeline: &self.timeline,
        })
    }
}

/// Blobs, each with the links to it.
pub(crate) type Blobs = Vec<(Row, Vec<Row>)>;

fn condemned() -> Blobs {
    let revision = |name: &str, number| Row {
        kind: RowKind::RevisionLink,
        reason: Reason::Untagged,
        ..link(name, number)
    };
    vec![
        (blob(1, 1500, 40 * DAY), vec![revision("library/app", 1), revision("team/app", 1)]),
        (blob(2, 30 * MIB, 40 * DAY), vec![link("library/app", 2), link("team/app", 2)]),
        (blob(3, 5 * MIB, 200 * DAY), vec![link("library/old", 3)]),
        (blob(4, 800, 1000 * DAY), Vec::new()),
    ]
}

fn deleted() -> Blobs {
    vec![
        (blob(5, 70 * MIB, 9 * DAY), vec![link("team/app", 5)]),
        (blob(6, 3 * MIB, 30 * DAY), Vec::new()),
    ]
}

pub(crate) fn gathered(blobs: &Blobs, count: fn(&mut Gathering, &Row, &[Row])) -> Figures {
    let mut gathering = Gathering::new(T0);
    for (blob, links) in blobs {
        count(&mut gathering, blob, links);
    }
    gathering.finish()
}

pub(crate) fn amount(blobs: &Blobs) -> Amount {
    let mut amount = Amount::default();
    for (blob, _) in blobs {
        amount.add(blob.bytes);
    }
    amount
}

fn waits(generation: u64, waits_for: WaitsFor, count: u64) -> Awaited {
    let condemned = Amount { count, bytes: count * MIB };
    Awaited { generation: format!("{generation:015}"), waits_for, condemned }
}

/// Half a minute: listed, deleted, slowed down, listed again, taken.
fn watched() -> Timeline {
    let mut timeline = Timeline::default();
    for step in 0..150_u64 {
        let phase = match step {
            0..50 | 100..130 => Phase::Marking,
            50..100 => Phase::SweepingBlobs,
            _ => Phase::SweepingLinks,
        };
        timeline.push(Point {
            at: Duration::from_millis(step * 200),
            phase,
            keys: step.min(50) * 4000 + step.saturating_sub(100) * 4000,
            objects: step.saturating_sub(50) * 11,
            bytes: step.clamp(50, 100) * MIB - 50 * MIB,
            throttled: step.saturating_sub(70).min(9),
            retried: step.saturating_sub(70).min(9),
        });
    }
    timeline
}

/// A night with one of each thing, in a bucket whose prices are known.
pub(crate) fn busy() -> Shown {
    let (condemned, deleted) = (condemned(), deleted());
    let mut look = header();
    look.doubts.add(Doubt {
        repository: "team/service".into(),
        what: "sha256:0000".into(),
        message: "the manifest has no media type that is known".into(),
    });
    let deeds = Deeds {
        condemned: amount(&condemned),
        taken: 5,
        deleted: amount(&deleted),
        rescued: 3,
        restored: 1,
        given_back: 7,
        closed: 1,
        aborted: Amount { count: 2, bytes: 9 * MIB },
        uploads: Some(MultipartSeen::Known { listed: 3, foreign: 0, young: 1, unread: 0 }),
        deleted_by: vec![format!("{:015}", 7)],
        ..Deeds::default()
    };
    let requests = Requests { list: 540, get: 60, put: 12, delete: 3, ..Requests::default() };
    let condemned = gathered(&condemned, Gathering::add);
    let deleted = gathered(&deleted, Gathering::add_alone);
    let stored = look.facts.blobs;
    let prices = Prices { minimum_days: 30, ..Prices::default() };
    Shown {
        source: look.location.source.clone(),
        identity: look.location.identity.clone(),
        ended: NightEnd::Completed,
        why: None,
        deeds,
        waiting: vec![
            waits(7, WaitsFor::LastLook(T0), 2),
            waits(8, WaitsFor::Deletion(T0), 4),
            waits(9, WaitsFor::Window(T0), 1),
            waits(10, WaitsFor::NextRun, 1),
        ],
        bill: Some(NightBill::of(&requests, stored.bytes, &deleted, &prices)),
        look: Some(look),
        stored: Some(stored),
        condemned,
        deleted,
        requests,
        timeline: watched(),
    }
}

/// A night in which nothing was to be done, of a registry in files.
pub(crate) fn quiet() -> Shown {
    let none = || Gathering::new(T0).finish();
    Shown {
        source: "/var/lib/registry".into(),
        identity: "files at /var/lib/registry".into(),
        deeds: Deeds::default(),
        waiting: Vec::new(),
        condemned: none(),
        deleted: none(),
        bill: None,
        timeline: Timeline::default(),
        look: Some(header()),
        ..busy()
    }
}

/// A night that its audit ended, after some things went wrong; `hostile` stands wherever anybody's text can.
pub(crate) fn ended_by_audit(hostile: &str) -> Shown {
    let mut look = crate::fixture::refused(hostile).plan.header().clone();
    look.facts.blobs = Amount::default();
    let mut shown = busy();
    let failed = FailedObject {
        key: format!("production/{hostile}/data"),
        message: format!("AccessDenied: {hostile}"),
    };
    shown.source = format!("s3://registry/{hostile}");
    shown.identity = format!("s3://registry at {hostile}");
    shown.ended = NightEnd::Refused;
    shown.why = Some(format!("the plan looks wrong {hostile}"));
    shown.deeds.failures = vec![failed];
    shown.deeds.uploads = Some(MultipartSeen::Unknown { why: hostile.into() });
    (shown.deeds.failed, shown.deeds.not_back, shown.deeds.lost) = (1, 1, 1);
    shown.waiting = vec![Awaited { generation: hostile.into(), ..waits(1, WaitsFor::NextRun, 1) }];
    (shown.look, shown.bill) = (Some(look), None);
    shown
}
