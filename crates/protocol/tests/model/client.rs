//! Who pushes, pulls, and deletes through the registry, one request to cache or store at a time.

use crate::push::Push;
use crate::system::{State, System};
use crate::world::{Bits, CacheKind, link};

/// What a client does, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Job {
    /// Pushes a manifest and all it names. Layers that are missing are mounted from `mount`, or sent.
    Push { repository: u8, manifest: u8, tag: bool, mount: Option<u8> },
    /// Asks for a layer.
    Pull { repository: u8, layer: u8 },
    /// Deletes a manifest through the registry.
    Delete { repository: u8, manifest: u8 },
}

/// How the registry finds out whether something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lookup {
    /// Asks the cache, or reads the link.
    Link,
    /// Asks the cache, or looks at the data.
    Data,
    /// Tells the cache.
    Fill,
}

/// What a step of it leads to.
pub(crate) enum Answer {
    Next(Lookup),
    Found,
    Missing,
}

/// What a client does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum At {
    /// Begins.
    Start,
    /// HEAD of what is to be pulled, or of what the manifest names.
    Head(Lookup),
    /// Mount: looks in the other repository.
    Mount(Lookup),
    /// Mount: writes the link.
    MountLink,
    /// Upload: begins, visibly.
    Post,
    /// Upload: looks whether the data is there.
    Stat,
    /// Upload: writes the data.
    Write,
    /// Upload: writes the link, whether it is there or not.
    Link,
    /// Upload: tells the cache, and ends.
    Set,
    /// Manifest: looks whether what it names is there.
    Verify(Lookup),
    /// Manifest: looks whether its data is there.
    ManifestStat,
    /// Manifest: writes its data.
    ManifestWrite,
    /// Manifest: tells the cache.
    ManifestSet,
    /// Manifest: writes the revision link, whether it is there or not.
    ManifestLink,
    /// Manifest: writes the tag.
    ManifestTag,
    /// Deletes: clears the cache.
    Clear,
    /// Deletes: removes the revision link.
    Unlink,
    /// Deletes: removes the tag.
    Untag,
    /// Was answered.
    Done,
    /// Was told that something it needs is not there.
    Failed,
}

/// One client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    pub(crate) at: At,
    /// Which of what the manifest names.
    pub(crate) named: u8,
    /// By generation: began before its last purge ended.
    pub(crate) before_purge: Bits,
    /// Began before the first purge ended.
    pub(crate) early: bool,
}

impl Client {
    pub(crate) const NEW: Self =
        Self { at: At::Start, named: 0, before_purge: Bits(0), early: false };

    pub(crate) fn is_over(self) -> bool {
        matches!(self.at, At::Done | At::Failed)
    }

    pub(crate) fn is_active(self) -> bool {
        !self.is_over() && self.at != At::Start
    }

    /// Whether no request of its is under way.
    fn is_between_requests(self) -> bool {
        use At::{Head, Mount, Post, Stat, Verify};
        let asks = matches!(self.at, Head(Lookup::Link) | Mount(Lookup::Link) | Post | Stat);
        asks || self.at == Verify(Lookup::Link) && self.named == 0
    }

    fn is_uploading(self) -> bool {
        matches!(self.at, At::Stat | At::Write | At::Link | At::Set)
    }

    fn has_asked_for_all(self) -> bool {
        use At::{ManifestLink, ManifestSet, ManifestStat, ManifestTag, ManifestWrite, Verify};
        let at = self.at;
        matches!(
            at,
            Verify(_) | ManifestStat | ManifestWrite | ManifestSet | ManifestLink | ManifestTag
        )
    }
}

/// Whether an upload is in progress in `repository`.
pub(crate) fn is_uploading(system: &System, state: &State, repository: u8) -> bool {
    system.jobs.iter().zip(&state.clients).any(|(job, client)| {
        let is_here = matches!(job, Job::Push { repository: at, .. } if *at == repository);
        is_here && client.is_uploading()
    })
}

/// What clients that are pushing were told is there.
pub(crate) fn told(system: &System, state: &State) -> Bits {
    let clients = system.jobs.iter().zip(&state.clients).filter(|(_, client)| client.is_active());
    clients.fold(Bits(0), |told, (job, client)| match job {
        Job::Push { manifest, .. } => {
            let named = system.edges[usize::from(*manifest)];
            let asked = if client.has_asked_for_all() { 8 } else { usize::from(client.named) };
            named.each().take(asked).fold(told, |told, blob| told.or(Bits(1 << blob)))
        }
        Job::Pull { .. } | Job::Delete { .. } => told,
    })
}

/// The revision link that client `index` is about to write.
pub(crate) fn promised_link(system: &System, state: &State, index: usize) -> Option<u8> {
    match system.jobs.get(index)? {
        Job::Push { repository, manifest, .. } if state.clients[index].at == At::ManifestLink => {
            Some(link(*repository, *manifest))
        }
        _ => None,
    }
}

/// Whether `client` does something that a look after a purge at this moment waits for (A2).
pub(crate) fn is_under_way(system: &System, client: Client) -> bool {
    let is_asking = !(system.waits_for_requests_alone && client.is_between_requests());
    client.is_active() && is_asking
}

/// The first request of a job.
pub(crate) fn first(system: &System, job: Job) -> At {
    match job {
        Job::Push { manifest, .. } if system.edges[usize::from(manifest)].is_empty() => {
            At::ManifestStat
        }
        Job::Push { .. } | Job::Pull { .. } => At::Head(Lookup::Link),
        Job::Delete { .. } => At::Clear,
    }
}

/// The next request of client `index`.
pub(crate) fn step(system: &System, state: &mut State, index: usize) {
    let job = system.jobs[index];
    let mut client = state.clients[index];
    let is_asking = system.waits_for_requests_alone && client.is_between_requests();
    if client.at == At::Start || is_asking {
        client.early = !state.collector.has_purged && !system.overlapping;
    }
    client.at = if client.at == At::Start {
        first(system, job)
    } else {
        next(system, state, &mut client, job)
    };
    if system.waits_for_requests_alone && client.is_between_requests() {
        client.before_purge = Bits(0);
        client.early = false;
    }
    if client.is_over() {
        client = Client { at: client.at, ..Client::NEW };
    }
    state.clients[index] = client;
}

fn next(system: &System, state: &mut State, client: &mut Client, job: Job) -> At {
    match job {
        Job::Push { repository, manifest, tag, mount } => {
            Push { system, repository, manifest, tag, mount }.next(state, client)
        }
        Job::Pull { repository, layer } => pull(system, state, client.at, link(repository, layer)),
        Job::Delete { repository, manifest } => {
            delete(state, client.at, link(repository, manifest))
        }
    }
}

fn pull(system: &System, state: &mut State, at: At, here: u8) -> At {
    let At::Head(lookup) = at else { return At::Done };
    match stat(system, state, lookup, here) {
        Answer::Next(lookup) => At::Head(lookup),
        Answer::Found | Answer::Missing => At::Done,
    }
}

fn delete(state: &mut State, at: At, revision: u8) -> At {
    state.acked.drop(revision);
    state.settled.drop(revision);
    match at {
        At::Clear => {
            state.cache.links.drop(revision);
            state.cache.blobs.drop(revision % 4);
            At::Unlink
        }
        At::Unlink => {
            state.store.remove_link(revision);
            At::Untag
        }
        _ => {
            state.store.tags.drop(revision);
            At::Done
        }
    }
}

/// One step of finding out whether what `link` leads to is there.
pub(crate) fn stat(system: &System, state: &mut State, lookup: Lookup, link: u8) -> Answer {
    let is_caching = system.cache != CacheKind::None;
    let believed = is_caching && state.cache.blobs.has(link % 4);
    match lookup {
        Lookup::Link if is_caching && state.cache.knows(link) => Answer::Found,
        Lookup::Link if state.store.links.has(link) => Answer::Next(Lookup::Data),
        Lookup::Data if believed || state.store.data.has(link % 4) => {
            if is_caching {
                Answer::Next(Lookup::Fill)
            } else {
                Answer::Found
            }
        }
        Lookup::Link | Lookup::Data => Answer::Missing,
        Lookup::Fill => {
            state.cache.fill(link);
            Answer::Found
        }
    }
}
