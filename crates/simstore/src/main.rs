//! `regsweep-simstore`: serves a simulated S3 bucket until interrupted.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Parser;
use simstore::{Faults, Options, Server, registry_objects};

/// Serves a simulated S3 bucket, in memory, to anybody, until interrupted
#[derive(Debug, Parser)]
#[command(name = "regsweep-simstore", version)]
struct Arguments {
    /// Address to listen on
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 9000)]
    port: u16,

    /// Name of the bucket
    #[arg(long, value_name = "NAME", default_value = "registry")]
    bucket: String,

    /// How long every answer takes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency_ms: u64,

    /// Start with so many objects of a synthetic registry
    #[arg(long, value_name = "N", default_value_t = 0)]
    fill: usize,
}

/// Old enough for every grace period that is usual.
const AGE: Duration = Duration::from_hours(60 * 24);

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let server = Server::start(Options {
        address: SocketAddr::new(arguments.host, arguments.port),
        bucket: arguments.bucket,
        faults: Faults::none().latency(Duration::from_millis(arguments.latency_ms)),
        ..Options::default()
    })?;
    let modified = server.now().before(AGE);
    for (key, content) in registry_objects(arguments.fill) {
        server.put(&key, content, modified);
    }
    writeln!(io::stdout(), "{}/{}", server.endpoint(), server.bucket())?;
    runtime.block_on(tokio::signal::ctrl_c())
}
