//! A round of the soak: a registry on a server of its own, its people, and its collector.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Options;
use crate::collector::{Collector, Kind};
use crate::people::Person;
use crate::pusher::Pusher;
use crate::random::Random;
use crate::redis::Redis;
use crate::registry::{Config, Registry};
use crate::s3::Bucket;
use crate::server::Server;
use crate::tally::{Shared, Tally};
use crate::verifier::Verifier;
use crate::world::World;

/// Between two lines that say how far it is.
const TELLING: Duration = Duration::from_secs(10);
/// How long what was deleted may be away: quarantines, waits for leases and runs that are killed before it is back.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// The same where nothing brings anything back.
const NO_PATIENCE: Duration = Duration::from_secs(5);

/// How long a round lasts: what comes first ends it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    pub(crate) time: Duration,
    pub(crate) events: u64,
}

/// Runs a round, with the registry's cache in redis or without a cache, and says what happened.
pub(crate) fn round(options: &Options, number: usize, with_redis: bool, length: Length) -> Tally {
    let server = Server::start();
    let bucket = Bucket::create_on(server.gateway(), "soak");
    bucket.keep_versions();
    let redis = with_redis.then(Redis::start);
    let config = match &redis {
        Some(redis) => Config::bucket(&bucket).cached_in(redis),
        None => Config::bucket(&bucket),
    };
    let registry = Registry::start(&config);
    let round = Round {
        options,
        name: format!("round {}, {}", number + 1, if with_redis { "redis" } else { "no cache" }),
        seed: options.seed.wrapping_add(number as u64),
        length,
        config: &config,
        registry: &registry,
        world: World::new(options.untagged),
        tally: Shared::default(),
    };
    round.run();
    round.take_stock(&bucket, with_redis);
    round.tally.lock().clone()
}

#[derive(Debug)]
struct Round<'a> {
    options: &'a Options,
    name: String,
    seed: u64,
    length: Length,
    config: &'a Config,
    registry: &'a Registry,
    world: World,
    tally: Shared,
}

impl Round<'_> {
    /// People and collector until it is enough, then the collector alone until it has nothing more to do.
    fn run(&self) {
        let (pushed_enough, over) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            let people = (0..self.options.clients).map(|number| {
                let person = self.person(number);
                scope.spawn(|| person.live(&pushed_enough))
            });
            let people: Vec<_> = people.collect();
            let collector = scope.spawn(|| self.collect(&pushed_enough));
            scope.spawn(|| self.verifier(self.registry).watch(&over));
            self.wait_until_enough(|| people.iter().any(thread::ScopedJoinHandle::is_finished));
            pushed_enough.store(true, Ordering::Relaxed);
            let people_ended: Vec<_> =
                people.into_iter().map(thread::ScopedJoinHandle::join).collect();
            let collector_ended = collector.join();
            over.store(true, Ordering::Relaxed);
            for end in people_ended.into_iter().chain([collector_ended]) {
                end.expect("a thread says what is wrong with it");
            }
        });
    }

    fn collect(&self, enough: &AtomicBool) {
        let mut collector = Collector {
            kind: self.options.collector,
            untagged: self.options.untagged,
            flags: &self.options.flag,
            config: self.config,
            tally: &self.tally,
            random: Random::new(self.seed, u64::MAX),
            log: self.options.log.as_deref(),
            usual: Duration::from_secs(1),
        };
        // Before that there is no registry to collect.
        while self.tally.lock().all_events() == 0 && !enough.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
        collector.collect(enough);
        collector.finish();
    }

    fn person(&self, number: u64) -> Person<'_> {
        let pusher = Pusher { client: self.registry.client(), tally: &self.tally };
        let random = Random::new(self.seed, number);
        Person { world: &self.world, pusher, random }
    }

    fn verifier(&self, registry: &Registry) -> Verifier<'_> {
        let online = self.options.collector == Kind::Online;
        Verifier {
            world: &self.world,
            client: registry.client(),
            tally: &self.tally,
            patience: if online { PATIENCE } else { NO_PATIENCE },
        }
    }

    /// Until the round is over, or a thread is.
    fn wait_until_enough(&self, somebody_ended: impl Fn() -> bool) {
        let (began, mut told) = (Instant::now(), Instant::now());
        while began.elapsed() < self.length.time && !self.is_proven() && !somebody_ended() {
            if told.elapsed() >= TELLING {
                self.tell(began.elapsed());
                told = Instant::now();
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.tell(began.elapsed());
    }

    /// All events happened; or something broke, which is all that an unsafe collector is run for.
    fn is_proven(&self) -> bool {
        let tally = self.tally.lock();
        let failed = !tally.broken.is_empty();
        tally.all_events() >= self.length.events || failed
    }

    fn tell(&self, passed: Duration) {
        let tally = self.tally.lock();
        let (events, collected) = (tally.all_events(), &tally.collected);
        eprintln!(
            "{}: {} s, {events} events, {} cycles, {} kills, {} deleted, {} refused, {} broken",
            self.name,
            passed.as_secs(),
            tally.cycles,
            tally.kills,
            collected.deleted,
            tally.refused,
            tally.broken.len()
        );
    }

    /// What pulls, through the registry that was there all the time, and where that has a cache through a new one that
    /// remembers nothing; and what is left.
    fn take_stock(&self, bucket: &Bucket, has_cache: bool) {
        self.verifier(self.registry).pull_everything("at the end");
        if has_cache {
            let fresh = Registry::start(&Config::bucket(bucket));
            self.verifier(&fresh).pull_everything("at the end, from a registry without a cache");
        }
        let (needed, left) = (self.world.needed(), blobs(bucket));
        let mut tally = self.tally.lock();
        tally.alive = self.world.all().map(|(_, known)| known.alive.len() as u64).sum();
        tally.blobs = left.len() as u64;
        tally.garbage = left.difference(&needed).count() as u64;
    }
}

/// The digests of the blobs in a bucket.
fn blobs(bucket: &Bucket) -> BTreeSet<String> {
    let digest = |key: String| {
        let mut parts = key.rsplit('/').skip(1);
        parts.next().map(|hex| format!("sha256:{hex}"))
    };
    bucket.objects("docker/registry/v2/blobs/").into_keys().filter_map(digest).collect()
}
