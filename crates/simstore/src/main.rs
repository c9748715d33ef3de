//! `regsweep-simstore`: serves a simulated S3 bucket until interrupted.

mod arguments;

use std::io::{self, Write};
use std::time::Duration;

use clap::Parser;
use simstore::{Load, Server, registry_objects};
use tokio::signal::unix::{SignalKind, signal};

use self::arguments::Arguments;

/// Old enough for every grace period that is usual.
const AGE: Duration = Duration::from_hours(60 * 24);

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let server = Server::start(arguments.options())?;
    let modified = server.now().before(AGE);
    for (key, content) in registry_objects(arguments.fill) {
        server.put(&key, content, modified);
    }
    if let Some(shape) = arguments.shape() {
        let (objects, manifests) = (shape.objects(), shape.manifests());
        let garbage = shape.garbage_blobs();
        writeln!(
            io::stderr(),
            "{objects} objects, of which {manifests} manifests; {garbage} blobs are garbage"
        )?;
    }
    writeln!(io::stdout(), "{}/{}", server.endpoint(), server.bucket())?;
    runtime.block_on(interrupted())?;
    if arguments.has_limits() {
        let Load { reads, writes, refused_reads, refused_writes } = server.load();
        writeln!(
            io::stderr(),
            "{reads} reads and {writes} writes let through, {refused_reads} and {refused_writes} refused; {} partitions",
            server.partitions().len()
        )?;
    }
    Ok(())
}

/// Waits until the process is asked to end.
async fn interrupted() -> io::Result<()> {
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
