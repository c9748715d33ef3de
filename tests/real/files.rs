//! A registry on files, collected by the reference and by regsweep, each on a copy of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{assert_done, assert_pulls, assert_same};
use crate::population::Population;
use crate::registry::{self, Config, Registry};
use crate::regsweep;

#[test]
fn what_remains_is_what_the_reference_leaves() {
    let (population, reference) = populated();
    let ours = reference.copy();
    assert_done(&registry::garbage_collect(&Config::files(reference.path()), &[]));
    assert_done(&regsweep::garbage_collect(&Config::files(ours.path()), &[]));
    assert_same(&ours.blobs(), &reference.blobs());
    assert_same(&ours.blobs(), &population.linked());
    assert_pulls(&Config::files(ours.path()), &population.pullable());
}

#[test]
fn images_of_a_tagged_index_stay_where_the_reference_loses_them() {
    let (population, reference) = populated();
    let ours = reference.copy();
    assert_done(&registry::garbage_collect(&Config::files(reference.path()), &["-m"]));
    assert_done(&regsweep::garbage_collect(&Config::files(ours.path()), &["-m"]));
    assert_same(&ours.blobs(), &population.reachable_from_tags());
    assert!(ours.blobs().is_superset(&reference.blobs()), "we keep all that the reference keeps");
    assert!(ours.blobs().len() > reference.blobs().len(), "the reference loses images");
    assert_pulls(&Config::files(ours.path()), &population.alive());
}

#[test]
fn a_dry_run_changes_nothing() {
    let (_, tree) = populated();
    let before = tree.everything();
    for flags in [&["-d"][..], &["-d", "-m"]] {
        let output = regsweep::garbage_collect(&Config::files(tree.path()), flags);
        assert_done(&output);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("blob eligible for deletion: sha256:"), "{flags:?}: {said}");
        assert_eq!(tree.everything(), before);
    }
}

#[test]
fn a_second_collection_finds_nothing() {
    let (population, tree) = populated();
    let config = Config::files(tree.path());
    let first = tree.everything();
    assert_done(&regsweep::garbage_collect(&config, &["-m"]));
    let second = tree.everything();
    assert!(second.len() < first.len(), "the first collection deletes something");
    assert_done(&regsweep::garbage_collect(&config, &["-m"]));
    assert_eq!(tree.everything(), second);
    assert_pulls(&config, &population.alive());
}

#[test]
fn what_went_to_the_trash_is_taken_back_and_pulls_again() {
    let (population, tree) = populated();
    let (config, before) = (Config::files(tree.path()), tree.contents());
    let mut collect = regsweep::gc(&config);
    let collected = regsweep::run(collect.args(["--untagged", "--trash"]));
    assert_same(&tree.blobs(), &population.reachable_from_tags());
    let plan = regsweep::summary(&collected)["plan"].as_str().unwrap().to_owned();
    regsweep::run(&mut regsweep::undo(&config, &plan));
    assert!(tree.contents() == before, "not byte for byte");
    assert_pulls(&config, &population.pullable());
}

/// A registry's data folder.
#[derive(Debug)]
pub(crate) struct Tree {
    folder: tempfile::TempDir,
}

impl Tree {
    /// An empty one.
    pub(crate) fn new() -> Tree {
        Tree { folder: tempfile::tempdir().unwrap() }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The digests of its blobs.
    pub(crate) fn blobs(&self) -> BTreeSet<String> {
        let files = files_below(&self.folder.path().join("docker/registry/v2/blobs"));
        files.iter().filter_map(|path| blob_digest(&path.to_string_lossy())).collect()
    }

    /// Takes a blob away behind the registry's back.
    pub(crate) fn remove_blob(&self, digest: &str) {
        let (algorithm, hex) = digest.split_once(':').unwrap();
        let blobs = self.folder.path().join("docker/registry/v2/blobs");
        fs::remove_file(blobs.join(format!("{algorithm}/{}/{hex}/data", &hex[..2]))).unwrap();
    }

    /// The paths of all its files.
    fn everything(&self) -> BTreeSet<PathBuf> {
        files_below(self.folder.path())
    }

    /// The content of every file of the registry's own.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = files_below(&self.path().join("docker")).into_iter();
        files
            .filter(|file| file.is_file())
            .map(|file| (file.clone(), fs::read(file).unwrap()))
            .collect()
    }

    fn copy(&self) -> Tree {
        let copy = Tree::new();
        for from in self.everything() {
            let to = copy.path().join(from.strip_prefix(self.path()).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&from, to).unwrap();
        }
        copy
    }
}

/// The digest in a key that ends in `blobs/ALGORITHM/XX/HEX/data`.
pub(crate) fn blob_digest(key: &str) -> Option<String> {
    let mut parts = key.strip_suffix("/data")?.rsplit('/');
    let (hex, _, algorithm) = (parts.next()?, parts.next()?, parts.next()?);
    (parts.next()? == "blobs").then(|| format!("{algorithm}:{hex}"))
}

pub(crate) fn populated() -> (Population, Tree) {
    let (population, tree) = (Population::typical(), Tree::new());
    let registry = Registry::start(&Config::files(tree.path()));
    population.enact_fast(registry.client());
    (population, tree)
}

fn files_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.insert(entry.path());
        }
    }
    files
}
