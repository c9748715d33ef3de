//! Writes the bulk registry into a folder, for timing and comparing collectors: `write_bulk DIR [REPOSITORIES]`.
//!
//! The folder is made, or must be empty. Each file is as old as its object.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use registry::Timestamp;
use world::{Bulk, Stored, bulk};

fn main() -> Result<(), Box<dyn Error>> {
    const USAGE: &str = "usage: write_bulk DIR [REPOSITORIES]";
    let mut typed = std::env::args_os().skip(1);
    let folder = typed.next().ok_or(USAGE)?;
    let mut of = Bulk::default();
    if let Some(repositories) = typed.next() {
        of.repositories = repositories.to_str().ok_or(USAGE)?.parse()?;
    }
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    if fs::read_dir(folder)?.next().is_some() {
        return Err(format!("{} is not empty", folder.display()).into());
    }
    let world = bulk(now()?, &of);
    for (key, stored) in world.objects() {
        write(&folder.join(key), stored)?;
    }
    writeln!(io::stderr(), "{}", world.summary())?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the files are as old as the registry says, by the real clock"
)]
fn now() -> Result<Timestamp, Box<dyn Error>> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Timestamp::from_seconds(since.as_secs().try_into()?))
}

fn write(path: &Path, stored: &Stored) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = File::create(path)?;
    file.write_all(&stored.bytes)?;
    file.set_modified(SystemTime::UNIX_EPOCH + since_epoch(stored.modified))
}

fn since_epoch(time: Timestamp) -> Duration {
    time.since(Timestamp::from_seconds(0))
}
