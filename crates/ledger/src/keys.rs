//! Where things are: beside the registry's own folder, where no collection ever lists.

use registry::Layout;

/// The prefix of all that the program keeps.
fn own(layout: &Layout) -> String {
    format!("{}regsweep/", layout.root())
}

/// The key for asking whether a store looks at conditions ([`store::heeds_conditions`]).
#[must_use]
pub fn probe_key(layout: &Layout) -> String {
    format!("{}probe", own(layout))
}

pub(crate) fn lease(layout: &Layout) -> String {
    format!("{}lease.json", own(layout))
}

/// The prefix of all generations.
pub(crate) fn generations(layout: &Layout) -> String {
    format!("{}generations/", own(layout))
}

#[cfg(test)]
mod tests {
    use registry::KeyKind;

    use super::*;

    #[test]
    fn nothing_of_ours_is_listed_by_a_collection_or_means_anything_to_it() {
        for root in ["", "/", "/var/lib/registry", "a/b/"] {
            let layout = Layout::new(root);
            let ours = [probe_key(&layout), lease(&layout), generations(&layout)];
            for key in
                ours.iter().flat_map(|key| [key.clone(), format!("{key}1-2/entries-000.jsonl")])
            {
                assert!(!key.starts_with(layout.base()), "{key}");
                for listed in [layout.blobs(), layout.repositories()] {
                    assert!(!key.starts_with(&listed) && !listed.starts_with(&key), "{key}");
                }
                assert!(key.starts_with(layout.root()), "{key}");
                assert!(
                    matches!(layout.classify(&key), KeyKind::Foreign(_)),
                    "{key}: never garbage"
                );
                assert_eq!(layout.repository_of(&key), None);
            }
        }
        assert_eq!(lease(&Layout::new("/var/lib")), "var/lib/regsweep/lease.json");
    }
}
