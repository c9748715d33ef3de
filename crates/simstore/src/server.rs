//! Starting and stopping a server, and what tests look at.

mod uploads;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use registry::Timestamp;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::connection;
use crate::object::{Content, Object};
use crate::shared::Shared;
use crate::storage_class::StorageClass;
use crate::{Faults, Kind, Load, Need, Options, Request, S3Error};

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
        let objects = self.shared.objects();
        objects.get(key).map(|object| object.class.name())
    }

    /// Removes an object as if somebody else deleted it.
    pub fn remove(&self, key: &str) {
        let now = self.shared.now();
        self.shared.objects_to_change().delete(key, now);
    }

    /// Removes for good what delete markers hide of a key, as a rule of a versioned bucket does after some time.
    pub fn expire(&self, key: &str) {
        self.shared.objects_to_change().expire(key);
    }

    /// Suspends versioning: whatever is written from now on, delete markers too, is the version `null`.
    pub fn suspend_versions(&self) {
        self.shared.objects_to_change().suspend_versions();
    }

    /// The content of an object.
    #[must_use]
    pub fn content(&self, key: &str) -> Option<Bytes> {
        let objects = self.shared.objects();
        match &objects.get(key)?.content {
            Content::Held(content) => Some(content.clone()),
            Content::Zeros(len) => Some(vec![0; usize::try_from(*len).ok()?].into()),
        }
    }

    /// Every key, ascending.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let objects = self.shared.objects();
        objects.keys()
    }

    /// How many objects there are.
    #[must_use]
    pub fn object_count(&self) -> u64 {
        self.shared.objects().len()
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
        self.shared.set_faults(faults);
    }

    /// The time by the server's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// Stops the server's clock at a time; `None` lets it follow the system's again.
    pub fn set_now(&self, now: Option<Timestamp>) {
        self.shared.set_now(now);
    }

    /// From now on does something before it carries out a request, such as what somebody else does to the objects just
    /// then. Nothing of the server is locked meanwhile.
    pub fn before_each_request(&self, deed: impl Fn() + Send + Sync + 'static) {
        self.shared.set_deed(Arc::new(deed));
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
        self.shared.needs().iter().cloned().collect()
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
        self.shared.needs().clear();
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
