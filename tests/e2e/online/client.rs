//! Who pushes, mounts and deletes, a request's step at a time.

use std::collections::BTreeSet;

use registry::Digest;

use super::served::Registry;

/// An image, or an index of images: its manifest and what that names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Image {
    pub(crate) manifest: Digest,
    pub(crate) blobs: Vec<Digest>,
    pub(crate) children: Vec<Image>,
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
        let children = Vec::new();
        Self { manifest: registry.content(manifest.as_bytes()), blobs, children }
    }

    /// An index of images.
    pub(crate) fn index(registry: &Registry, children: Vec<Image>) -> Self {
        let descriptor = |child: &Image| {
            let kind = "application/vnd.oci.image.manifest.v1+json";
            let digest = child.manifest;
            format!("{{\"mediaType\":\"{kind}\",\"digest\":\"{digest}\",\"size\":7}}")
        };
        let descriptors: Vec<String> = children.iter().map(descriptor).collect();
        let manifest = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\
             \"manifests\":[{}]}}",
            descriptors.join(",")
        );
        let manifest = registry.content(manifest.as_bytes());
        Self { manifest, blobs: Vec::new(), children }
    }

    /// Every digest that it needs.
    pub(crate) fn digests(&self) -> Vec<Digest> {
        let own = self.blobs.iter().copied().chain([self.manifest]);
        own.chain(self.children.iter().flat_map(Image::digests)).collect()
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
    /// A blob that a manifest names is looked for.
    Verify(Digest),
    /// Asks whether a manifest is there; if so, nothing of it is sent.
    HeadManifest,
    FindManifest,
    ManifestData,
    Revision,
    /// A manifest that an index names is looked for.
    VerifyChild(Digest),
    TagIndex,
    Tag,
}

/// How blobs are sent.
type OfBlob = [fn(Digest) -> Step];

const BLIND: &OfBlob = &[Step::Start, Step::Find, Step::Data, Step::Link];
const ASKING: &OfBlob = &[Step::Head, Step::Start, Step::Find, Step::Data, Step::Link];
const MOUNTING: &OfBlob =
    &[Step::MountStat, Step::MountLink, Step::Start, Step::Find, Step::Data, Step::Link];

/// A push, step by step.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub(crate) repository: &'static str,
    pub(crate) image: Image,
    tag: Option<&'static str>,
    /// Where blobs are mounted from.
    from: Option<&'static str>,
    /// Each with the manifest that it is for.
    steps: Vec<(Digest, Step)>,
    next: usize,
    /// What is there, as far as the client was told: it is not sent.
    told: BTreeSet<Digest>,
    /// What the registry found in its store when it was sent.
    found: BTreeSet<Digest>,
    /// How often it was refused.
    refused: u32,
}

impl Push {
    /// A client that asks first.
    pub(crate) fn new(repository: &'static str, image: &Image, tag: Option<&'static str>) -> Self {
        Self::with(repository, image, tag, None, ASKING)
    }

    /// A client that sends whatever is there.
    pub(crate) fn blind(
        repository: &'static str,
        image: &Image,
        tag: Option<&'static str>,
    ) -> Self {
        Self::with(repository, image, tag, None, BLIND)
    }

    /// A client that mounts.
    pub(crate) fn mounting(
        repository: &'static str,
        image: &Image,
        tag: Option<&'static str>,
        from: &'static str,
    ) -> Self {
        Self::with(repository, image, tag, Some(from), MOUNTING)
    }

    fn with(
        repository: &'static str,
        image: &Image,
        tag: Option<&'static str>,
        from: Option<&'static str>,
        of_blob: &OfBlob,
    ) -> Self {
        let asks = of_blob != BLIND;
        let mut steps = Vec::new();
        for child in &image.children {
            let of = child.manifest;
            steps.extend(asks.then_some((of, Step::HeadManifest)));
            steps.extend(manifest_steps(child, of_blob).into_iter().map(|step| (of, step)));
        }
        let mut own = manifest_steps(image, of_blob);
        if tag.is_some() {
            own.extend([Step::TagIndex, Step::Tag]);
        }
        steps.extend(own.into_iter().map(|step| (image.manifest, step)));
        let (told, found) = (BTreeSet::new(), BTreeSet::new());
        let image = image.clone();
        Self { repository, image, tag, from, steps, next: 0, told, found, refused: 0 }
    }

    /// How many steps it takes, if nothing is refused.
    pub(crate) fn length(&self) -> usize {
        self.steps.len()
    }

    /// The tag that it moves.
    pub(crate) fn tag(&self) -> Option<&'static str> {
        self.tag
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
        let ((manifest, step), repository) = (self.steps[self.next], self.repository);
        self.next += 1;
        let is_told = |digest| self.told.contains(&digest);
        match step {
            _ if manifest != self.image.manifest && is_told(manifest) => {}
            Step::Head(digest) => self.tell(digest, registry.stat(repository, digest)),
            Step::HeadManifest => self.tell(manifest, registry.serves(repository, manifest)),
            Step::MountStat(digest) => {
                self.tell(digest, registry.stat(self.from.unwrap(), digest));
            }
            Step::MountLink(digest) => {
                if is_told(digest) {
                    registry.write_layer(repository, digest);
                }
            }
            Step::Start(digest) | Step::Find(digest) | Step::Data(digest) | Step::Link(digest)
                if is_told(digest) => {}
            Step::Start(_) => registry.start_upload(repository),
            Step::Find(digest) => self.find(digest, registry.has_data(digest)),
            Step::Data(digest) => self.send(registry, digest),
            Step::Link(digest) => registry.write_layer(repository, digest),
            Step::Verify(digest) => self.require(registry.stat(repository, digest)),
            Step::VerifyChild(digest) => self.require(registry.serves(repository, digest)),
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

    /// Without it the manifest is refused, and everything is sent again.
    fn require(&mut self, is_there: bool) {
        if !is_there {
            let refused = self.refused + 1;
            *self = Self { refused, ..Self::blind(self.repository, &self.image, self.tag) };
        }
    }
}

/// The steps that push one manifest.
fn manifest_steps(image: &Image, of_blob: &OfBlob) -> Vec<Step> {
    let blobs = image.blobs.iter().flat_map(|blob| of_blob.iter().map(|step| step(*blob)));
    let verified = image.blobs.iter().map(|blob| Step::Verify(*blob));
    let children = image.children.iter().map(|child| Step::VerifyChild(child.manifest));
    let manifest = [Step::FindManifest, Step::ManifestData, Step::Revision];
    blobs.chain(verified).chain(children).chain(manifest).collect()
}
