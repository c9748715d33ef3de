//! What may happen to a registry, as values: property tests make lists of them.

use registry::Digest;

use crate::mode::hours;
use crate::{Content, Form, Image, Index, Part, Random, World};

/// Something that happens to a registry.
///
/// Numbers are taken modulo what there is to choose from; a step that finds nothing to act upon does nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "every field is a number that chooses what its name says")]
pub enum Step {
    /// Pushes an image with one to three layers.
    PushImage { repository: u8, form: u8, content: u8, tag: Option<u8> },
    /// Pushes an index of up to three manifests, which may live in other repositories or nowhere.
    PushIndex { repository: u8, first: u8, count: u8, tag: Option<u8> },
    /// Pushes a build cache.
    PushCacheIndex { repository: u8, content: u8, tag: Option<u8> },
    /// Pushes a referrer of any manifest.
    PushArtifact { repository: u8, subject: u8, content: u8, tag: Option<u8> },
    /// Pushes an old image, perhaps with signatures.
    PushSchema1 { repository: u8, content: u8, tag: Option<u8> },
    /// Pushes a manifest that nobody understands.
    PushUnknown { repository: u8, content: u8, tag: Option<u8> },
    /// Moves a tag to a manifest of its repository.
    Tag { repository: u8, manifest: u8, tag: u8 },
    /// Deletes a tag.
    Untag { repository: u8, tag: u8 },
    /// Deletes a manifest.
    DeleteManifest { repository: u8, manifest: u8 },
    /// Deletes a layer link.
    DeleteLayerLink { repository: u8, layer: u8 },
    /// Mounts a layer.
    Mount { from: u8, to: u8, layer: u8 },
    /// Copies a manifest with all it names.
    Copy { from: u8, to: u8, manifest: u8, tag: Option<u8> },
    /// Uploads a blob that no manifest names yet.
    UploadOrphan { repository: u8, content: u8 },
    /// Starts an upload and abandons it.
    StartUpload { repository: u8, content: u8 },
    /// Lets time pass.
    Age { hours: u16 },
    /// Loses any object.
    Lose { object: u16 },
    /// Leaves a blob, a layer link, or a revision link alone, without what belongs to it.
    Leave { repository: u8, what: u8, content: u8 },
    /// Flips a bit of any object.
    Corrupt { object: u16 },
    /// Writes a directory marker, or a file that is none of the registry's.
    Litter { repository: u8, what: u8 },
    /// Makes a manifest one that is linked as a layer only.
    MakeLegacy { repository: u8, manifest: u8 },
}

const REPOSITORIES: [&str; 6] = ["app", "app-x", "app.x", "app/x", "base", "Odd"];
const TAGS: [&str; 4] = ["v1", "v1-rc", "v1.0", "latest"];
const AGES: [u16; 8] = [1, 5, 23, 24, 25, 100, 7 * 24, 30 * 24];
const FORMS: [Form; 4] = [Form::Oci, Form::Docker, Form::Untyped, Form::Artifact];
/// How many kinds of steps there are: the first number of [`Step::from_numbers`] is less.
pub(crate) const KINDS: u8 = 56;

/// `count` steps, as `seed` decides.
#[must_use]
pub fn steps(seed: u64, count: usize) -> Vec<Step> {
    let mut random = Random::new(seed);
    (0..count)
        .map(|_| {
            let kind = random.byte();
            Step::from_numbers(kind, [random.byte(), random.byte(), random.byte(), random.byte()])
        })
        .collect()
}

impl Step {
    /// A step out of any five numbers. Lower first numbers make simpler steps, and damage is rare.
    #[must_use]
    pub fn from_numbers(kind: u8, [repository, a, b, c]: [u8; 4]) -> Self {
        let tag = (c % 3 > 0).then_some(c / 3);
        let object = u16::from_be_bytes([a, b]);
        // The last repository has a name that pins it: seldom chosen.
        let repository = if repository % 40 == 39 { 5 } else { repository % 5 };
        match kind % KINDS {
            0..=9 => Self::PushImage { repository, form: a, content: b, tag },
            10..=15 => Self::PushIndex { repository, first: a, count: b, tag },
            16..=17 => Self::PushCacheIndex { repository, content: a, tag },
            18..=22 => Self::PushArtifact { repository, subject: a, content: b, tag },
            23..=24 => Self::PushSchema1 { repository, content: a, tag },
            25..=27 => Self::Tag { repository, manifest: a, tag: b },
            28..=30 => Self::Untag { repository, tag: a },
            31..=33 => Self::DeleteManifest { repository, manifest: a },
            34 => Self::DeleteLayerLink { repository, layer: a },
            35..=36 => Self::Mount { from: a % 5, to: repository, layer: b },
            37..=39 => Self::Copy { from: a % 5, to: repository, manifest: b, tag },
            40..=41 => Self::UploadOrphan { repository, content: a },
            42 => Self::StartUpload { repository, content: a },
            43..=50 => Self::Age { hours: AGES[usize::from(a) % AGES.len()] },
            51 => Self::Leave { repository, what: a, content: b },
            52 => Self::Lose { object },
            53 => Self::MakeLegacy { repository, manifest: a },
            54 => Self::Litter { repository, what: a },
            _ if a % 3 > 0 => Self::Age { hours: 1 },
            _ if a % 2 > 0 => Self::Corrupt { object },
            _ => Self::PushUnknown { repository, content: b, tag },
        }
    }
}

impl World {
    /// Does what a step says.
    pub fn apply(&mut self, step: &Step) {
        match *step {
            Step::Tag { .. }
            | Step::Untag { .. }
            | Step::DeleteManifest { .. }
            | Step::DeleteLayerLink { .. }
            | Step::Mount { .. }
            | Step::Copy { .. } => self.apply_change(step),
            Step::Age { hours: count } => self.age(hours(u64::from(count))),
            Step::Lose { .. }
            | Step::Leave { .. }
            | Step::Corrupt { .. }
            | Step::Litter { .. }
            | Step::MakeLegacy { .. } => self.apply_damage(step),
            _ => self.apply_push(step),
        }
    }

    fn apply_push(&mut self, step: &Step) {
        match *step {
            Step::PushImage { repository, form, content, tag } => {
                self.push_image(name(repository), &image(form, content), label(tag));
            }
            Step::PushIndex { repository, first, count, tag } => {
                let known: Vec<Digest> = self.manifests.keys().copied().collect();
                let places = (0..count % 4).map(|step| first.wrapping_add(step * 7));
                let children: Vec<Digest> =
                    places.filter_map(|place| choose(&known, place)).collect();
                let form = FORMS[usize::from(count / 4) % 3];
                let index = Index::of(&children).form(form);
                self.push_index(name(repository), &index, label(tag));
            }
            Step::PushCacheIndex { repository, content, tag } => {
                self.push_cache_index(name(repository), &contents(content), label(tag));
            }
            Step::PushArtifact { repository, subject, content, tag } => {
                let known: Vec<Digest> = self.manifests.keys().copied().collect();
                if let Some(subject) = choose(&known, subject) {
                    self.push_artifact(name(repository), subject, small(content), label(tag));
                }
            }
            Step::PushSchema1 { repository, content, tag } => {
                let signatures = if content % 2 == 0 { vec![small(content)] } else { Vec::new() };
                let layers = contents(content);
                self.push_schema1(name(repository), &layers, &signatures, label(tag));
            }
            Step::PushUnknown { repository, content, tag } => {
                let layers = contents(content);
                self.push_unknown(name(repository), u64::from(content), &layers, label(tag));
            }
            Step::UploadOrphan { repository, content } if content % 3 == 0 => {
                self.upload_sha512(name(repository), small(content));
            }
            Step::UploadOrphan { repository, content } => {
                self.upload_orphan(name(repository), small(content));
            }
            Step::StartUpload { repository, content } => {
                self.start_upload(name(repository), small(content));
            }
            _ => {}
        }
    }

    fn apply_change(&mut self, step: &Step) {
        match *step {
            Step::Tag { repository, manifest, tag } => {
                if let Some(digest) = self.chosen_revision(repository, manifest) {
                    self.tag(name(repository), tag_name(tag), digest);
                }
            }
            Step::Untag { repository, tag } => {
                if let Some(tag) = choose(&self.tags(name(repository)), tag) {
                    self.untag(name(repository), &tag);
                }
            }
            Step::DeleteManifest { repository, manifest } => {
                if let Some(digest) = self.chosen_revision(repository, manifest) {
                    self.delete_manifest(name(repository), digest);
                }
            }
            Step::DeleteLayerLink { repository, layer } => {
                if let Some(digest) = choose(&self.layers(name(repository)), layer) {
                    self.delete_layer_link(name(repository), digest);
                }
            }
            Step::Mount { from, to, layer } => {
                if let Some(digest) = choose(&self.layers(name(from)), layer) {
                    self.mount(name(from), name(to), digest);
                }
            }
            Step::Copy { from, to, manifest, tag } => {
                if let Some(digest) = self.chosen_revision(from, manifest) {
                    self.copy(name(from), name(to), digest, label(tag));
                }
            }
            _ => {}
        }
    }

    fn apply_damage(&mut self, step: &Step) {
        match *step {
            Step::Lose { object } => {
                if let Some(key) = self.chosen_object(object) {
                    self.lose(&key);
                }
            }
            Step::Corrupt { object } => {
                if let Some(key) = self.chosen_object(object) {
                    self.corrupt(&key);
                }
            }
            Step::MakeLegacy { repository, manifest } => {
                if let Some(digest) = self.chosen_revision(repository, manifest) {
                    self.make_legacy(name(repository), digest);
                }
            }
            Step::Leave { repository, what, content } => {
                let (repository, digest) = (name(repository), small(content).digest());
                match what % 3 {
                    0 => drop(self.put_blob(&small(content).bytes())),
                    1 => self.put_layer_link(repository, digest, digest),
                    _ => self.put_tag_links(repository, tag_name(what), digest),
                }
            }
            Step::Litter { repository, what } => self.litter(name(repository), what),
            _ => {}
        }
    }

    fn litter(&mut self, repository: &str, what: u8) {
        match what % 8 {
            0 | 1 => self.put_marker(repository, "_uploads/"),
            2 | 3 => self.put_marker(repository, "_layers/sha256/"),
            4 => self.put_marker(repository, ""),
            5 | 6 => self.put_foreign(repository, "_layers/sha256/note.txt"),
            _ => self.put_foreign(repository, "_manifests/revisions/odd/link"),
        }
    }

    fn chosen_revision(&self, repository: u8, place: u8) -> Option<Digest> {
        choose(&self.revisions(name(repository)), place)
    }

    fn chosen_object(&self, place: u16) -> Option<String> {
        let length = self.objects.len().max(1);
        self.objects.keys().nth(usize::from(place) % length).cloned()
    }
}

fn name(repository: u8) -> &'static str {
    REPOSITORIES[usize::from(repository) % REPOSITORIES.len()]
}

fn tag_name(tag: u8) -> &'static str {
    TAGS[usize::from(tag) % TAGS.len()]
}

fn label(tag: Option<u8>) -> Option<&'static str> {
    tag.map(tag_name)
}

fn choose<T: Clone>(from: &[T], place: u8) -> Option<T> {
    from.get(usize::from(place) % from.len().max(1)).cloned()
}

/// One of a few contents, so that much is shared.
fn small(number: u8) -> Content {
    Content::new(u64::from(number % 12), 24)
}

fn contents(number: u8) -> Vec<Content> {
    (0..=number % 3).map(|place| small(number.wrapping_add(place * 5))).collect()
}

fn image(form: u8, content: u8) -> Image {
    let parts = contents(content).into_iter().enumerate().map(|(place, content)| {
        match (form / 4).wrapping_add(u8::try_from(place).unwrap_or(0)) % 8 {
            6 => Part::Sha512(content),
            7 => Part::Foreign(content),
            5 => Part::Named(content),
            _ => Part::Stored(content),
        }
    });
    let config = Part::Stored(Content::new(100 + u64::from(content % 20), 24));
    let form = FORMS[usize::from(form) % FORMS.len()];
    Image { form, config, layers: parts.collect(), subject: None }
}

#[cfg(test)]
mod tests {
    use registry::Timestamp;

    use super::*;
    use crate::Mode;

    fn world(seed: u64) -> World {
        let mut world = World::new(Timestamp::from_seconds(1_700_000_000), "");
        for step in steps(seed, 40) {
            world.apply(&step);
        }
        world
    }

    #[test]
    fn a_seed_decides_a_script() {
        assert_eq!(steps(7, 30), steps(7, 30));
        assert_ne!(steps(7, 30), steps(8, 30));
        assert_eq!(world(7).objects(), world(7).objects());
    }

    #[test]
    fn scripts_make_garbage_of_every_kind_and_leave_most_worlds_with_something_to_pull() {
        let kinds = [
            "/v2/blobs/",
            "/_layers/sha256/",
            "/_layers/sha512/",
            "/_uploads/",
            "/_manifests/revisions/",
            "/signatures/",
            "/index/sha256/",
            "/current/link",
        ];
        let mut found = [0; 8];
        let mut pulled = 0;
        for seed in 0..150 {
            let world = world(seed);
            let garbage = world.garbage(&Mode::untagged());
            for (count, kind) in found.iter_mut().zip(kinds) {
                *count += usize::from(garbage.iter().any(|key| key.contains(kind)));
            }
            pulled += usize::from(!world.pulls(&Mode::untagged()).is_empty());
        }
        assert!(found.iter().all(|count| *count > 0), "{found:?} of {kinds:?}");
        assert!(found[0] > 75 && pulled > 120, "{found:?}, {pulled} worlds with pulls");
    }
}
