//! Starting and stopping a server, and what tests look at.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::SystemTime;

use bytes::Bytes;
use registry::Timestamp;
use tokio::sync::oneshot;

use crate::connection;
use crate::faults::{Injector, Struck};
use crate::log::Log;
use crate::objects::{Content, Object, Objects};
use crate::{Faults, Kind, Request, S3Error};

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
    /// How to misbehave at first.
    pub faults: Faults,
}

impl Default for Options {
    /// A free port of the loopback, a bucket named `registry`, no faults.
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            bucket: "registry".to_owned(),
            region: None,
            refused_access_keys: Vec::new(),
            insists_on_content_md5: None,
            delete_limit: 1000,
            faults: Faults::none(),
        }
    }
}

/// What all connections share. No lock is held while anything waits.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) objects: RwLock<Objects>,
    pub(crate) log: Log,
    injector: Mutex<Injector>,
    now: Mutex<Option<Timestamp>>,
}

impl Shared {
    fn new(options: Options) -> Self {
        Self {
            injector: Mutex::new(Injector::new(options.faults.clone())),
            objects: RwLock::default(),
            log: Log::default(),
            now: Mutex::new(None),
            options,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the server is where clients get the time from")]
    pub(crate) fn now(&self) -> Timestamp {
        let fixed = *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        fixed.unwrap_or_else(|| SystemTime::now().into())
    }

    pub(crate) fn strike(&self, kind: Kind, subject: &str) -> Struck {
        self.injector.lock().unwrap_or_else(PoisonError::into_inner).next(kind, subject)
    }

    pub(crate) fn put(&self, key: &str, object: Object) {
        self.objects.write().unwrap_or_else(PoisonError::into_inner).put(key.to_owned(), object);
    }
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
    /// Where the address cannot be listened on, or the system gives no thread.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
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
        let object = Object { content, etag: etag.to_owned(), modified };
        self.shared.put(key, object);
    }

    /// Removes an object as if somebody else deleted it.
    pub fn remove(&self, key: &str) {
        let now = self.shared.now();
        self.shared.objects.write().unwrap_or_else(PoisonError::into_inner).delete(key, now);
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

    /// The requests answered since the start or [`Server::forget_requests`], in the order of their answers; at most
    /// the last 65,536.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log.requests()
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
    }
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
