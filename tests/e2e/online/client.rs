//! Who pushes, mounts and deletes, a request's step at a time.

use std::collections::BTreeSet;

use registry::Digest;

use super::served::Registry;

/// An image: its manifest and what that names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Image {
    pub(crate) manifest: Digest,
    pub(crate) blobs: Vec<Digest>,
}

impl Image {
    /// An image of layers with these contents; the first is its configuration.
    pub(crate) fn new(registry: &Registry, contents: &[&str]) -> Self {
        let blobs: Vec<Digest> =
            contents.iter().map(|content| registry.content(content.as_bytes())).collect();
        let descriptor = |(digest, content): (&Digest, &&str)| {
            let (kind, size) = ("application/vnd.oci.image.layer.v1.tar", content.len());
            format!("{{\"mediaType\":\"{kind}\",\"digest\":\"{digest}\",\"size\":{size}}}")
        };
        let descriptors: Vec<String> = blobs.iter().zip(contents).map(descriptor).collect();
        let manifest = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\
             \"config\":{},\"layers\":[{}]}}",
            descriptors[0],
            descriptors[1..].join(",")
        );
        Self { manifest: registry.content(manifest.as_bytes()), blobs }
    }
}

/// A step of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Asks whether a blob is there; if so, nothing is sent.
    Head(Digest),
    /// Begins to send a blob.
    Start(Digest),
    /// What is sent is found in the store, or not.
    Find(Digest),
    Data(Digest),
    Link(Digest),
    /// Asks for a blob of another repository to be linked here.
    MountStat(Digest),
    MountLink(Digest),
    /// A blob that the manifest names is looked for.
    Verify(Digest),
    FindManifest,
    ManifestData,
    Revision,
    TagIndex,
    Tag,
}

/// A push, step by step.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub(crate) repository: &'static str,
    pub(crate) image: Image,
    tag: Option<&'static str>,
    /// Where blobs are mounted from.
    from: Option<&'static str>,
    steps: Vec<Step>,
    next: usize,
    /// What is there, as far as the client was told: it is not sent.
    told: BTreeSet<Digest>,
    /// What the registry found in its store when it was sent.
    found: BTreeSet<Digest>,
    /// How often it was refused.
    pub(crate) refused: u32,
}

impl Push {
    /// A client that asks first.
    pub(crate) fn new(repository: &'static str, image: &Image, tag: Option<&'static str>) -> Self {
        Self::with(
            repository,
            image,
            tag,
            None,
            &[Step::Head, Step::Start, Step::Find, Step::Data, Step::Link],
        )
    }

    /// A client that sends whatever is there.
    pub(crate) fn blind(
        repository: &'static str,
        image: &Image,
        tag: Option<&'static str>,
    ) -> Self {
        Self::with(repository, image, tag, None, &[Step::Start, Step::Find, Step::Data, Step::Link])
    }

    /// A client that mounts.
    pub(crate) fn mounting(repository: &'static str, image: &Image, from: &'static str) -> Self {
        let steps =
            [Step::MountStat, Step::MountLink, Step::Start, Step::Find, Step::Data, Step::Link];
        Self::with(repository, image, None, Some(from), &steps)
    }

    fn with(
        repository: &'static str,
        image: &Image,
        tag: Option<&'static str>,
        from: Option<&'static str>,
        of_blob: &[fn(Digest) -> Step],
    ) -> Self {
        let blobs = image.blobs.iter();
        let mut steps: Vec<Step> =
            blobs.flat_map(|blob| of_blob.iter().map(|step| step(*blob))).collect();
        steps.extend(image.blobs.iter().map(|blob| Step::Verify(*blob)));
        steps.extend([Step::FindManifest, Step::ManifestData, Step::Revision]);
        if tag.is_some() {
            steps.extend([Step::TagIndex, Step::Tag]);
        }
        Self {
            repository,
            image: image.clone(),
            tag,
            from,
            steps,
            next: 0,
            told: BTreeSet::new(),
            found: BTreeSet::new(),
            refused: 0,
        }
    }

    /// How many steps it takes, if nothing is refused.
    pub(crate) fn length(&self) -> usize {
        self.steps.len()
    }

    /// Whether anything of it was done.
    pub(crate) fn has_begun(&self) -> bool {
        self.next > 0 || self.refused > 0
    }

    /// Whether the manifest was acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.next == self.steps.len()
    }

    /// Takes up to so many steps.
    pub(crate) fn advance(&mut self, registry: &Registry, steps: usize) {
        for _ in 0..steps {
            if self.is_done() {
                return;
            }
            self.step(registry);
        }
    }

    /// Goes on to the end.
    pub(crate) fn finish(&mut self, registry: &Registry) {
        self.advance(registry, 1000);
        assert!(self.is_done(), "{self:?} is refused for ever");
    }

    fn step(&mut self, registry: &Registry) {
        let (step, repository, manifest) =
            (self.steps[self.next], self.repository, self.image.manifest);
        self.next += 1;
        match step {
            Step::Head(digest) => self.tell(digest, registry.stat(repository, digest)),
            Step::MountStat(digest) => {
                self.tell(digest, registry.stat(self.from.unwrap(), digest));
            }
            Step::MountLink(digest) => {
                if self.told.contains(&digest) {
                    registry.write_layer(repository, digest);
                }
            }
            Step::Start(digest) | Step::Find(digest) | Step::Data(digest) | Step::Link(digest)
                if self.told.contains(&digest) => {}
            Step::Start(_) => registry.start_upload(repository),
            Step::Find(digest) => self.find(digest, registry.has_data(digest)),
            Step::Data(digest) => self.send(registry, digest),
            Step::Link(digest) => registry.write_layer(repository, digest),
            Step::Verify(digest) => {
                if !registry.stat(repository, digest) {
                    self.start_over();
                }
            }
            Step::FindManifest => self.find(manifest, registry.knows(manifest)),
            Step::ManifestData => {
                self.send(registry, manifest);
                registry.believe(repository, manifest);
            }
            Step::Revision => registry.write_revision(repository, manifest),
            Step::TagIndex => registry.write_tag_index(repository, self.tag.unwrap(), manifest),
            Step::Tag => registry.write_tag(repository, self.tag.unwrap(), manifest),
        }
    }

    fn tell(&mut self, digest: Digest, is_there: bool) {
        self.told.extend(is_there.then_some(digest));
    }

    fn find(&mut self, digest: Digest, is_there: bool) {
        self.found.extend(is_there.then_some(digest));
    }

    fn send(&self, registry: &Registry, digest: Digest) {
        if !self.found.contains(&digest) {
            registry.write_data(digest);
        }
    }

    /// The manifest was refused: everything is sent again.
    fn start_over(&mut self) {
        let refused = self.refused + 1;
        *self = Self { refused, ..Self::blind(self.repository, &self.image, self.tag) };
    }
}
