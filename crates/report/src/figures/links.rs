//! Which repositories' links lead to a blob.

use registry::Digest;

/// Links of one shard: the fingerprint of a digest, and the number of the repository.
///
/// Two digests of one fingerprint would share their bytes among too many; that is a wrong picture, and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Links {
    digests: Vec<u64>,
    places: Vec<u32>,
    unsorted: Vec<(u64, u32)>,
}

impl Links {
    pub(crate) fn add(&mut self, to: &Digest, of: u32) {
        self.unsorted.push((to.fingerprint(), of));
    }

    /// Ready to be asked.
    pub(crate) fn sorted(mut self) -> Self {
        self.unsorted.sort_unstable();
        self.unsorted.dedup();
        (self.digests, self.places) = std::mem::take(&mut self.unsorted).into_iter().unzip();
        self
    }

    /// The repositories whose links lead to `digest`, each once.
    pub(crate) fn to(&self, digest: &Digest) -> &[u32] {
        let fingerprint = digest.fingerprint();
        let from = self.digests.partition_point(|other| *other < fingerprint);
        let to = from + self.digests[from..].partition_point(|other| *other == fingerprint);
        &self.places[from..to]
    }
}
