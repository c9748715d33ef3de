//! What the connections of a server share.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime};

use registry::Timestamp;

use crate::faults::{Injector, Struck};
use crate::limits::{Class, Throttle};
use crate::log::Log;
use crate::object::Object;
use crate::objects::Objects;
use crate::procedural::Procedural;
use crate::request::Ask;
use crate::uploads::Uploads;
use crate::{Faults, Kind, Need, Options, Shape, needs};

/// Something that is done before a request is carried out.
pub(crate) type Deed = Arc<dyn Fn() + Send + Sync>;

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
    objects: RwLock<Objects>,
    pub(crate) log: Log,
    uploads: Mutex<Uploads>,
    needs: Mutex<BTreeSet<Need>>,
    throttle: Option<Mutex<Throttle>>,
    injector: Mutex<Injector>,
    answered: AtomicU64,
    now: Mutex<Option<Timestamp>>,
    before_each: BeforeEach,
}

impl Shared {
    pub(crate) fn new(options: Options) -> io::Result<Self> {
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

    pub(crate) fn set_now(&self, now: Option<Timestamp>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    pub(crate) fn set_deed(&self, deed: Deed) {
        *self.before_each.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(deed);
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        *self.injector.lock().unwrap_or_else(PoisonError::into_inner) = Injector::new(faults);
    }

    pub(crate) fn objects(&self) -> RwLockReadGuard<'_, Objects> {
        self.objects.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn objects_to_change(&self) -> RwLockWriteGuard<'_, Objects> {
        self.objects.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn needs(&self) -> MutexGuard<'_, BTreeSet<Need>> {
        self.needs.lock().unwrap_or_else(PoisonError::into_inner)
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
            self.needs().extend(needs::of(ask));
        }
    }

    pub(crate) fn throttle(&self) -> Option<MutexGuard<'_, Throttle>> {
        Some(self.throttle.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn strike(&self, kind: Kind, subject: &str) -> Struck {
        self.injector.lock().unwrap_or_else(PoisonError::into_inner).next(kind, subject)
    }

    pub(crate) fn put(&self, key: &str, object: Object) {
        self.objects_to_change().put(key.to_owned(), object);
    }
}

#[expect(clippy::disallowed_methods, reason = "the server is where clients get the time from")]
fn system_time() -> Timestamp {
    SystemTime::now().into()
}
