//! What manifests claim of what they name, beyond its digest.

use serde_json::Value;

use crate::Digest;

/// What a descriptor says of its target. Whoever only collects has no need of it; whoever compares has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What is named.
    pub digest: Digest,
    /// Its size in bytes, where the descriptor tells one.
    pub size: Option<u64>,
    /// Whether clients may fetch it elsewhere, so that the registry need not have it.
    pub is_elsewhere: bool,
}

/// The claims of a manifest about what it keeps alive; none where `manifest` is not one.
///
/// Source: OCI image specification 1.1, "Content Descriptors": `size`, `urls`.
pub(crate) fn claims(manifest: &[u8]) -> Vec<Claim> {
    // Whoever asks has parsed it before: what is no JSON never comes here.
    let Ok(document) = serde_json::from_slice::<Value>(manifest) else { return Vec::new() };
    let list = |field| document.get(field).and_then(Value::as_array);
    let lists = ["layers", "blobs", "manifests"].into_iter().filter_map(list).flatten();
    document.get("config").into_iter().chain(lists).filter_map(claim).collect()
}

fn claim(descriptor: &Value) -> Option<Claim> {
    let digest = descriptor.get("digest")?.as_str()?.parse().ok()?;
    let size = descriptor.get("size").and_then(Value::as_u64);
    let urls = descriptor.get("urls").and_then(Value::as_array);
    Some(Claim { digest, size, is_elsewhere: urls.is_some_and(|urls| !urls.is_empty()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_addresses_are_told_as_far_as_they_make_sense() {
        let digests = [1, 2, 3, 4].map(|n: u8| Digest::sha256(&[n]));
        let text = format!(
            r#"{{"schemaVersion":2,"config":{{"digest":"{}","size":7}},
            "layers":[{{"digest":"{}","size":"8","urls":[]}},{{"digest":"{}","size":9,"urls":["https://a"]}},
            {{"digest":"{}","size":-1,"urls":null}}]}}"#,
            digests[0], digests[1], digests[2], digests[3]
        );
        let told: Vec<_> =
            claims(text.as_bytes()).iter().map(|claim| (claim.size, claim.is_elsewhere)).collect();
        assert_eq!(told, [(Some(7), false), (None, false), (Some(9), true), (None, false)]);
        assert!(claims(b"no manifest").is_empty());
    }
}
