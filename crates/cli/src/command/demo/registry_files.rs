//! A model's objects as files, with their times.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use world::World;

/// Writes every object of `world` below `root`, which must be new or empty.
pub(super) fn write(world: &World, root: &Path) -> io::Result<()> {
    fs::create_dir_all(root)?;
    if fs::read_dir(root)?.next().is_some() {
        return Err(io::Error::new(io::ErrorKind::DirectoryNotEmpty, "the folder is not empty"));
    }
    for (key, stored) in world.objects().iter().filter(|(key, _)| !key.ends_with('/')) {
        let path = root.join(key);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(&path)?;
        file.write_all(&stored.bytes)?;
        let age = u64::try_from(stored.modified.as_millis()).unwrap_or(0);
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(age))?;
    }
    Ok(())
}

/// Every file below `root`, as keys.
pub(super) fn keys(root: &Path) -> io::Result<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if let Ok(key) = entry.path().strip_prefix(root) {
                keys.insert(key.to_string_lossy().into_owned());
            }
        }
    }
    Ok(keys)
}
