//! Starting and stopping a server, and what tests look at.

mod uploads;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use registry::Timestamp;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::connection;
use crate::faults::{Injector, Struck};
use crate::limits::{Class, Throttle};
use crate::log::Log;
use crate::objects::{Content, Object, Objects};
use crate::procedural::Procedural;
use crate::request::Ask;
use crate::storage_class::StorageClass;
use crate::uploads::Uploads;
use crate::{Clock, Faults, Kind, Latencies, Limits, Load, Need, Request, S3Error, Shape, needs};

/// How a server is set up; for misbehaviour see [`Faults`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// The name of the one bucket.
    pub bucket: String,
    /// The region of the bucket; requests signed for another are refused where this is set.
    pub region: Option<String>,
    /// Access keys to refuse; all others are let in, whatever their signature.
    pub refused_access_keys: Vec<String>,
    /// Insist on `Content-MD5` for `DeleteObjects`, with this error where it is missing. Otherwise any checksum will
    /// do.
    pub insists_on_content_md5: Option<S3Error>,
    /// The most keys that one `DeleteObjects` may name.
    pub delete_limit: usize,
    /// A registry that is there from the start without being held.
    pub procedural: Option<Shape>,
    /// Keep versions of objects.
    pub versioned: bool,
    /// The smallest part of a multipart upload in bytes, but for the last.
    pub smallest_part: u64,
    /// How many requests per second are too many; none are without.
    pub limits: Option<Limits>,
    /// The clock of the limits.
    pub clock: Clock,
    /// How long answers take.
    pub latency: Latencies,
    /// How many threads answer.
    pub threads: usize,
    /// Remember all that a policy would have had to allow: [`Server::needs`]. It takes memory for each key.
    pub remembers_needs: bool,
    /// How to misbehave at first.
    pub faults: Faults,
}

impl Default for Options {
    /// A free port of the loopback, an empty bucket named `registry`, one thread, no limits, no latency, no faults.
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            bucket: "registry".to_owned(),
            region: None,
            refused_access_keys: Vec::new(),
            insists_on_content_md5: None,
            delete_limit: 1000,
            procedural: None,
            versioned: false,
            smallest_part: 5 << 20,
            limits: None,
            clock: Clock::real(),
            latency: Latencies::default(),
            threads: 1,
            remembers_needs: false,
            faults: Faults::none(),
        }
    }
}

/// Something that is done before a request is carried out.
type Deed = Arc<dyn Fn() + Send + Sync>;

/// What is done before each request; it shows nothing of itself.
#[derive(Default)]
struct BeforeEach(Mutex<Option<Deed>>);

impl fmt::Debug for BeforeEach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BeforeEach").finish_non_exhaustive()
    }
}

/// What all connections share. No lock is held while anything waits.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) objects: RwLock<Objects>,
    pub(crate) log: Log,
    pub(crate) uploads: Mutex<Uploads>,
    needs: Mutex<BTreeSet<Need>>,
    throttle: Option<Mutex<Throttle>>,
    injector: Mutex<Injector>,
    answered: AtomicU64,
    now: Mutex<Option<Timestamp>>,
    before_each: BeforeEach,
}

impl Shared {
    fn new(options: Options) -> io::Result<Self> {
        if let Some(fault) = options.procedural.as_ref().and_then(Shape::fault) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, fault));
        }
        let procedural = options.procedural.map(|shape| Procedural::new(shape, system_time()));
        Ok(Self {
            injector: Mutex::new(Injector::new(options.faults.clone())),
            objects: RwLock::new(Objects::new(procedural, options.versioned)),
            uploads: Mutex::default(),
            throttle: options.limits.clone().map(|limits| Mutex::new(Throttle::new(limits))),
            log: Log::default(),
            needs: Mutex::default(),
            answered: AtomicU64::new(0),
            now: Mutex::new(None),
            before_each: BeforeEach::default(),
            options,
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        let fixed = *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        fixed.unwrap_or_else(system_time)
    }

    /// Does what is to be done before a request is carried out.
    pub(crate) fn prepare(&self) {
        let deed = self.before_each.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(deed) = deed {
            deed();
        }
    }

    /// How long the next answer takes.
    pub(crate) fn latency(&self, kind: Kind) -> Duration {
        self.options.latency.draw(kind, self.answered.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether the limits let a request for one key through.
    pub(crate) fn one_let_through(&self, class: Class, key: &str) -> bool {
        let now = self.options.clock.passed();
        self.throttle().is_none_or(|mut throttle| throttle.one(now, class, key))
    }

    /// Which keys of one request the limits let through.
    pub(crate) fn many_let_through(&self, class: Class, keys: &[&str]) -> Vec<bool> {
        let now = self.options.clock.passed();
        match self.throttle() {
            Some(mut throttle) => throttle.many(now, class, keys),
            None => vec![true; keys.len()],
        }
    }

    /// Notes what a policy would have to allow for a request, where that is wanted.
    pub(crate) fn note_needs(&self, ask: &Ask) {
        if self.options.remembers_needs {
            self.needs.lock().unwrap_or_else(PoisonError::into_inner).extend(needs::of(ask));
        }
    }

    fn throttle(&self) -> Option<MutexGuard<'_, Throttle>> {
        Some(self.throttle.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn strike(&self, kind: Kind, subject: &str) -> Struck {
        self.injector.lock().unwrap_or_else(PoisonError::into_inner).next(kind, subject)
    }

    pub(crate) fn put(&self, key: &str, object: Object) {
        self.objects.write().unwrap_or_else(PoisonError::into_inner).put(key.to_owned(), object);
    }
}

#[expect(clippy::disallowed_methods, reason = "the server is where clients get the time from")]
fn system_time() -> Timestamp {
    SystemTime::now().into()
}

/// A running server. Dropping it closes every connection and waits until all its tasks have ended; it runs on a
/// thread of its own, so it may be started and dropped with or without a runtime.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Dropped to stop.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server; it accepts connections when this returns.
    ///
    /// # Errors
    /// Where the address cannot be listened on, the system gives no thread, or there is no procedural registry of the
    /// shape that is asked for.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options)?);
        let runtime = runtime(shared.options.threads)?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let serving = connection::accept(listener, Arc::clone(&shared), stopped);
        let thread = std::thread::Builder::new().name("simstore".to_owned());
        let thread = thread.spawn(move || runtime.block_on(serving))?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// The address as an endpoint URL, such as `http://127.0.0.1:9000`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The name of the bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.shared.options.bucket
    }

    /// Puts an object as if by `PutObject` at `modified`; its entity tag is the MD5 of its content.
    pub fn put(&self, key: &str, content: impl Into<Bytes>, modified: Timestamp) {
        self.shared.put(key, Object::new(content.into(), modified));
    }

    /// Puts an object with an entity tag of its own, as a multipart upload or encryption gives; without quotes.
    pub fn put_as(&self, key: &str, content: impl Into<Bytes>, modified: Timestamp, etag: &str) {
        let content = Content::Held(content.into());
        let (etag, class) = (etag.to_owned(), StorageClass::default());
        let object = Object { content, etag, modified, class };
        self.shared.put(key, object);
    }

    /// Puts an object of a storage class, such as `STANDARD_IA`.
    ///
    /// # Errors
    /// Where there is no such class.
    pub fn put_in_class(
        &self,
        key: &str,
        content: impl Into<Bytes>,
        modified: Timestamp,
        class: &str,
    ) -> Result<(), S3Error> {
        let class = StorageClass::named(Some(class))?;
        self.shared.put(key, Object { class, ..Object::new(content.into(), modified) });
        Ok(())
    }

    /// The storage class of an object.
    #[must_use]
    pub fn class(&self, key: &str) -> Option<&'static str> {
        let objects = self.shared.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.get(key).map(|object| object.class.name())
    }

    /// Removes an object as if somebody else deleted it.
    pub fn remove(&self, key: &str) {
        let now = self.shared.now();
        self.shared.objects.write().unwrap_or_else(PoisonError::into_inner).delete(key, now);
    }

    /// Removes for good what delete markers hide of a key, as a rule of a versioned bucket does after some time.
    pub fn expire(&self, key: &str) {
        self.shared.objects.write().unwrap_or_else(PoisonError::into_inner).expire(key);
    }

    /// Suspends versioning: whatever is written from now on, delete markers too, is the version `null`.
    pub fn suspend_versions(&self) {
        self.shared.objects.write().unwrap_or_else(PoisonError::into_inner).suspend_versions();
    }

    /// The content of an object.
    #[must_use]
    pub fn content(&self, key: &str) -> Option<Bytes> {
        let objects = self.shared.objects.read().unwrap_or_else(PoisonError::into_inner);
        match &objects.get(key)?.content {
            Content::Held(content) => Some(content.clone()),
            Content::Zeros(len) => Some(vec![0; usize::try_from(*len).ok()?].into()),
        }
    }

    /// Every key, ascending.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let objects = self.shared.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.keys()
    }

    /// How many objects there are.
    #[must_use]
    pub fn object_count(&self) -> u64 {
        self.shared.objects.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What the limits have let through and refused; nothing where there are none.
    #[must_use]
    pub fn load(&self) -> Load {
        self.shared.throttle().map(|throttle| throttle.load()).unwrap_or_default()
    }

    /// Where the partitions of the key space begin; none where there are no limits.
    #[must_use]
    pub fn partitions(&self) -> Vec<String> {
        self.shared.throttle().map(|throttle| throttle.starts()).unwrap_or_default()
    }

    /// Misbehaves like this from now on; rules count requests anew.
    pub fn set_faults(&self, faults: Faults) {
        let mut injector = self.shared.injector.lock().unwrap_or_else(PoisonError::into_inner);
        *injector = Injector::new(faults);
    }

    /// The time by the server's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// Stops the server's clock at a time; `None` lets it follow the system's again.
    pub fn set_now(&self, now: Option<Timestamp>) {
        *self.shared.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// From now on does something before it carries out a request, such as what somebody else does to the objects just
    /// then. Nothing of the server is locked meanwhile.
    pub fn before_each_request(&self, deed: impl Fn() + Send + Sync + 'static) {
        let mut before_each =
            self.shared.before_each.0.lock().unwrap_or_else(PoisonError::into_inner);
        *before_each = Some(Arc::new(deed));
    }

    /// The requests answered since the start or [`Server::forget_requests`], in the order of their answers; at most
    /// the last 65,536.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log.requests()
    }

    /// All that a policy would have had to allow since the start or [`Server::forget_requests`], also for requests that
    /// were refused; nothing unless [`Options::remembers_needs`].
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let needs = self.shared.needs.lock().unwrap_or_else(PoisonError::into_inner);
        needs.iter().cloned().collect()
    }

    /// How many requests of a kind were answered since the start or [`Server::forget_requests`].
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.shared.log.count(kind)
    }

    /// The most requests that were in flight at once since the start or [`Server::forget_requests`].
    #[must_use]
    pub fn most_in_flight(&self) -> usize {
        self.shared.log.most_in_flight()
    }

    /// Empties the log.
    pub fn forget_requests(&self) {
        self.shared.log.clear();
        self.shared.needs.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// With one thread, that of the server itself does everything.
fn runtime(threads: usize) -> io::Result<Runtime> {
    let mut builder = match threads {
        0 | 1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(threads.max(1)).enable_all().build()
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been printed by its thread; dropping must not raise it again.
            let _ = thread.join();
        }
    }
}
