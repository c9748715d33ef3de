//! A push, as the registry carries it out: ask, mount or send what is missing, verify, write the manifest.

use crate::client::{Answer, At, Client, Lookup, stat};
use crate::system::{State, System};
use crate::world::{CacheKind, is_manifest, link};

/// What is pushed, and where to.
pub(crate) struct Push<'s> {
    pub(crate) system: &'s System,
    pub(crate) repository: u8,
    pub(crate) manifest: u8,
    pub(crate) tag: bool,
    pub(crate) mount: Option<u8>,
}

impl Push<'_> {
    /// Carries out the request at which `client` is, and tells the next.
    pub(crate) fn next(&self, state: &mut State, client: &mut Client) -> At {
        let named = self.named(client.named).unwrap_or(0);
        let here = link(self.repository, named);
        match client.at {
            At::Head(lookup) => self.head(state, client, lookup, here),
            At::Mount(lookup) => self.mount(state, lookup, named),
            At::MountLink => {
                state.store.write_link(here);
                self.next_named(client)
            }
            At::Post | At::Stat | At::Write | At::Link | At::Set => {
                self.upload(state, client, here)
            }
            At::Verify(lookup) => self.verify(state, client, lookup, here),
            _ => self.put_manifest(state, *client),
        }
    }

    fn named(&self, index: u8) -> Option<u8> {
        self.system.edges[usize::from(self.manifest)].each().nth(usize::from(index))
    }

    fn head(&self, state: &mut State, client: &mut Client, lookup: Lookup, here: u8) -> At {
        match stat(self.system, state, lookup, here) {
            Answer::Next(lookup) => At::Head(lookup),
            Answer::Found => self.next_named(client),
            // Who sees a child missing pushes it first: another client's job.
            Answer::Missing if is_manifest(here % 4) => At::Failed,
            Answer::Missing if self.mount.is_some() => At::Mount(Lookup::Link),
            Answer::Missing => At::Post,
        }
    }

    fn mount(&self, state: &mut State, lookup: Lookup, blob: u8) -> At {
        let there = link(self.mount.unwrap_or(self.repository), blob);
        match stat(self.system, state, lookup, there) {
            Answer::Next(lookup) => At::Mount(lookup),
            Answer::Found => At::MountLink,
            Answer::Missing => At::Post,
        }
    }

    fn upload(&self, state: &mut State, client: &mut Client, here: u8) -> At {
        match client.at {
            At::Post => At::Stat,
            At::Stat if state.store.data.has(here % 4) => At::Link,
            At::Stat => At::Write,
            At::Write => {
                state.store.write_data(here % 4);
                At::Link
            }
            At::Link => {
                state.store.write_link(here);
                At::Set
            }
            _ => {
                self.fill(state, here);
                self.next_named(client)
            }
        }
    }

    /// What comes after one of what the manifest names is there.
    fn next_named(&self, client: &mut Client) -> At {
        client.named += 1;
        if self.named(client.named).is_some() {
            return At::Head(Lookup::Link);
        }
        client.named = 0;
        self.verify_next(client)
    }

    fn verify(&self, state: &mut State, client: &mut Client, lookup: Lookup, here: u8) -> At {
        match stat(self.system, state, lookup, here) {
            Answer::Next(lookup) => At::Verify(lookup),
            Answer::Missing => At::Failed,
            Answer::Found => {
                client.named += 1;
                self.verify_next(client)
            }
        }
    }

    /// A registry that does not validate the platforms of an index does not look at children.
    fn verify_next(&self, client: &mut Client) -> At {
        while let Some(named) = self.named(client.named) {
            if !is_manifest(named) || self.system.validates_children {
                return At::Verify(Lookup::Link);
            }
            client.named += 1;
        }
        client.named = 0;
        At::ManifestStat
    }

    fn put_manifest(&self, state: &mut State, client: Client) -> At {
        let revision = link(self.repository, self.manifest);
        match client.at {
            At::ManifestStat if self.has_manifest(state) => At::ManifestSet,
            At::ManifestStat => At::ManifestWrite,
            At::ManifestWrite => {
                state.store.write_data(self.manifest);
                At::ManifestSet
            }
            At::ManifestSet => {
                self.fill(state, revision);
                At::ManifestLink
            }
            At::ManifestLink => {
                state.store.write_link(revision);
                state.acknowledge(revision, client.early);
                if self.tag { At::ManifestTag } else { At::Done }
            }
            _ => {
                state.store.tags.put(revision);
                At::Done
            }
        }
    }

    /// Registries up to 3.1.1 believe the cache.
    fn has_manifest(&self, state: &State) -> bool {
        let trusts = self.system.trusts_cached_manifests && self.system.cache != CacheKind::None;
        let believed = trusts && state.cache.blobs.has(self.manifest);
        believed || state.store.data.has(self.manifest)
    }

    fn fill(&self, state: &mut State, link: u8) {
        if self.system.cache != CacheKind::None {
            state.cache.fill(link);
        }
    }
}
