//! `regsweep-simstore`: serves a simulated S3 bucket until interrupted.

mod arguments;

use std::io::{self, Write};
use std::time::Duration;

use clap::Parser;
use simstore::{Load, Server, registry_objects};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::arguments::Arguments;

/// Old enough for every grace period that is usual.
const AGE: Duration = Duration::from_hours(60 * 24);

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let server = start(&arguments)?;
    // Whoever reads the address may interrupt at once.
    let signals = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    writeln!(io::stdout(), "{}/{}", server.endpoint(), server.bucket())?;
    runtime.block_on(either(signals));
    if arguments.has_limits() {
        say_load(&server)?;
    }
    Ok(())
}

fn start(arguments: &Arguments) -> io::Result<Server> {
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
    Ok(server)
}

/// Waits for one of two signals.
async fn either((mut one, mut other): (Signal, Signal)) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

fn say_load(server: &Server) -> io::Result<()> {
    let Load { reads, writes, refused_reads, refused_writes } = server.load();
    writeln!(
        io::stderr(),
        "{reads} reads and {writes} writes let through, {refused_reads} and {refused_writes} refused; {} partitions",
        server.partitions().len()
    )
}
