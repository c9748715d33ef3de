//! What is explained under a policy, held against plans by the same policy over random registries.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use marker::Beside;
use monitor::{Monitor, Stop};
use planner::{Breaker, Limits, Policy, Row, RowKind};
use proptest::prelude::*;
use registry::{Digest, KeyKind, Layout, RepositoryName, Tag, Timestamp};
use store::MemoryStore;
use tempfile::TempDir;
use tokio::runtime::Builder;
use world::strategy::script;
use world::{Content, Image, World};

use super::*;
use crate::Retaining;
use crate::collect::{Ask, make_plan};

const DAY: std::time::Duration = std::time::Duration::from_hours(24);
const WIDTH: usize = 4;
const MEMORY: usize = 1 << 20;

/// A rule, without its name.
fn rule() -> impl Strategy<Value = String> {
    let repositories = prop::sample::select(vec!["**", "app", "app/*", "base"]);
    let tags = prop::sample::select(vec!["*", "v1*", "latest", "v1"]);
    let says = prop::sample::select(vec![
        "keep: always",
        "keep: {last: 1}",
        "keep: {newer-than: 30d}",
        "expire: always",
        "expire: always",
        "expire: {older-than: 25d}",
        "untagged-after: 2d",
        "untagged-after: 45d",
        "untagged-after: never",
    ]);
    (repositories, tags, says).prop_map(|(repositories, tags, says)| {
        let tags = if says.starts_with('u') { String::new() } else { format!("tags: '{tags}', ") };
        format!("repositories: '{repositories}', {tags}{says}")
    })
}

fn policy_of(rules: &[String]) -> Retaining {
    let mut text = "version: 1\nrules:\n".to_owned();
    for (rule, number) in rules.iter().zip(1..) {
        writeln!(text, "- {{name: rule {number}, {rule}}}").unwrap();
    }
    Retaining::of("policy.yml", text.as_bytes()).unwrap()
}

/// A registry of which some manifests are signed, some of it old and some not.
fn registry(script: &[world::Step], signed: &[u8], days: u32) -> World {
    let mut world = World::new(Timestamp::from_seconds(1_700_000_000), "");
    let half = script.len() / 2;
    for (at, step) in script.iter().enumerate() {
        if at == half {
            world.age(20 * DAY);
        }
        world.apply(step);
    }
    for (number, which) in (0..).zip(signed) {
        let all: Vec<Digest> = world.revisions("app");
        let Some(digest) = all.get(usize::from(*which) % all.len().max(1)) else { continue };
        let image = Image::new(10_000 + number, &[Content::new(20_000 + number, 20)]);
        world.push_image("app", &image, Some(&format!("sha256-{}.sig", digest.hex())));
    }
    world.age(DAY * days);
    world
}

/// A registry, and all that a plan of it says.
struct Planned {
    store: Arc<MemoryStore>,
    retaining: Retaining,
    cutoffs: Cutoffs,
    rows: BTreeMap<String, Row>,
    /// By rule: how many tags it keeps, and how many go by it.
    rules: BTreeMap<String, (u64, u64)>,
    folder: TempDir,
}

async fn planned(world: &World, retaining: Retaining) -> Planned {
    let store = MemoryStore::new().with_page(50).with_md5_etags();
    for (key, stored) in world.objects() {
        store.put(key, stored.bytes.clone(), stored.modified);
    }
    store.set_now(world.now());
    let (store, folder) = (Arc::new(store), tempfile::tempdir().unwrap());
    let policy = Policy { untagged: false, grace: DAY, uploads_older_than: DAY };
    let ask = Ask {
        source: "a test",
        options: BTreeMap::new(),
        layout: &Layout::new(""),
        policy,
        retention: Some(retaining.clone()),
        keep_list: None,
        beside: Beside::Nothing,
        held: &[],
        multipart: false,
        limits: &Limits { max_delete_share_percent: Some(100), accepted: Breaker::ALL.into() },
        width: WIDTH,
        out: &folder.path().join("plan"),
        is_scratch: false,
        listener: None,
        cache: None,
        memory: MEMORY,
    };
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    let plan = make_plan(&store, &ask, &monitor, &stop).await.unwrap();
    let rows = plan.segments().iter().flat_map(|segment| plan.rows(segment).unwrap());
    let rows = rows.map(|row| row.unwrap()).map(|row| (row.key.to_string(), row)).collect();
    let rules = plan.header().retention.clone().unwrap().rules;
    let rules = rules.into_iter().map(|rule| (rule.name, (rule.keeps, rule.expires))).collect();
    Planned { store, retaining, cutoffs: policy.at(world.now()), rows, rules, folder }
}

impl Planned {
    async fn explain(&self, subject: Subject) -> Explanation {
        let (layout, monitor, stop) =
            (Layout::new(""), Arc::new(Monitor::new()), Arc::new(Stop::new()));
        let survey = Survey {
            store: &self.store,
            layout: &layout,
            width: WIDTH,
            cache: None,
            memory: MEMORY,
            folder: self.folder.path(),
            monitor: &monitor,
            stop: &stop,
        };
        let retention = Some(Arc::clone(&self.retaining.policy));
        let asked = Asked { subject, cutoffs: self.cutoffs, retention };
        explain(survey, asked).await.unwrap()
    }

    /// That a key goes where the plan says so, and by the same rule.
    fn check_key(&self, key: &str, goes: Option<&Gone>) {
        let row = self.rows.get(key);
        let planned = row.map(|row| Gone { reason: row.reason, rule: row.rule.clone() });
        assert_eq!(goes, planned.as_ref(), "{key}");
    }

    fn check_digest(&self, digest: Digest, told: &Explanation) {
        let row = told.blob.as_ref().and_then(|blob| self.rows.get(&*blob.key));
        let garbage = match told.verdict {
            Verdict::Garbage(reason) => Some(reason),
            _ => None,
        };
        assert_eq!(garbage, row.map(|row| row.reason), "{digest}");
        let links = told.holdings.iter().flat_map(|holding| &holding.links);
        let links: HashMap<&str, Option<&Gone>> =
            links.map(|link| (&*link.key, link.goes.as_ref())).collect();
        for (key, goes) in &links {
            self.check_key(key, *goes);
        }
        let of_digest = self.rows.values().filter(|row| row.digest == Some(digest));
        let unnamed = of_digest.filter(|row| row.kind != RowKind::Blob);
        let mut unnamed = unnamed.filter(|row| !links.contains_key(&*row.key));
        assert_eq!(unnamed.next(), None, "{digest}");
        for holding in &told.holdings {
            let Ruled { is_covered, tags, .. } = holding.ruled.as_ref().unwrap();
            for tag in tags {
                self.check_tag(&holding.repository, tag);
            }
            // What a tag that stays leads to is kept; where no rule lets anything go, tags that lead nowhere decide nothing.
            let stays = *is_covered && tags.iter().any(|tag| tag.goes.is_none());
            assert!(!stays || !holding.paths.is_empty(), "{digest} in {}", holding.repository);
        }
    }

    fn check_tag(&self, repository: &RepositoryName, told: &TagTold) {
        let (repository, tag) = (repository.as_str(), &*told.name);
        let key = Layout::new("").key_of(&KeyKind::TagCurrent { repository, tag }).unwrap();
        self.check_key(&key, told.goes.as_ref());
        if let (Because::Expired(rule), Some(gone)) = (&told.because, &told.goes) {
            assert_eq!(gone.rule.as_ref(), Some(rule), "{key}");
        }
        let may_go = matches!(told.because, Because::Expired(_) | Because::Follows(_));
        let is_remains = told.goes.as_ref().is_some_and(|gone| gone.rule.is_none());
        assert!(may_go || told.goes.is_none() || is_remains, "{told:?}");
        assert!(!matches!(told.because, Because::Expired(_)) || told.goes.is_some(), "{told:?}");
    }
}

/// Whether anything is only the history of a tag: a plan judges it as a tag, and nobody can ask for it as one.
fn has_bare_history(world: &World) -> bool {
    let layout = Layout::new("");
    let is_bare = |key: &String| match layout.classify(key) {
        KeyKind::TagIndex { repository, tag, .. } => {
            let current = layout.key_of(&KeyKind::TagCurrent { repository, tag }).unwrap();
            !world.objects().contains_key(&current)
        }
        _ => false,
    };
    world.objects().keys().any(is_bare)
}

/// Explains every digest of the registry, and every tag.
async fn check(world: &World, planned: &Planned) {
    let layout = Layout::new("");
    let mut rules: BTreeMap<String, (u64, u64)> =
        planned.rules.keys().map(|name| (name.clone(), (0, 0))).collect();
    for key in world.objects().keys() {
        match layout.classify(key) {
            KeyKind::Blob(digest) => {
                let told = planned.explain(Subject::Digest(digest)).await;
                planned.check_digest(digest, &told);
            }
            KeyKind::TagCurrent { repository, tag } => {
                let name = RepositoryName::new(repository).unwrap();
                let told = planned.explain(Subject::Tagged(name, Tag::new(tag).unwrap())).await;
                let tag = told.tag().unwrap_or_else(|| panic!("{key} is not told of"));
                let gone = tag.goes.as_ref().and_then(|gone| gone.rule.as_ref());
                if let Some(rule) = gone {
                    rules.get_mut(&**rule).unwrap().1 += 1;
                }
                if let Because::Kept(rule) = &tag.because {
                    rules.get_mut(&**rule).unwrap().0 += 1;
                }
            }
            _ => {}
        }
    }
    if !has_bare_history(world) {
        assert_eq!(rules, planned.rules, "as many tags by each rule as in the plan");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn under_a_policy_every_digest_and_tag_is_told_what_a_plan_does_with_it(
        script in script(30), rules in prop::collection::vec(rule(), 1..6),
        signed in prop::collection::vec(any::<u8>(), 0..3), days in 0..40u32,
    ) {
        let world = registry(&script, &signed, days);
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let planned = planned(&world, policy_of(&rules)).await;
            check(&world, &planned).await;
        });
    }
}
