//! SIGINT and SIGTERM: the first asks to drain, the second leaves.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use monitor::{Asked, Stop};
use tokio::signal::unix::{SignalKind, signal};

use crate::{Code, Console};

/// Listens until the process ends. Leaving at the second signal is safe: a journal is whole at every instant (G11).
///
/// # Errors
/// Where the system does not let us listen.
pub(crate) fn listen(
    stop: &Arc<Stop>,
    console: Console,
) -> io::Result<impl Future<Output = Infallible> + use<>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = Arc::clone(stop);
    Ok(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        next().await;
        stop.ask(Asked::Drain);
        tracing::info!("asked to stop");
        console.note("finishing what is in flight; once more to leave at once");
        next().await;
        stop.ask(Asked::Abort);
        console.note("leaving at once; run the same command again");
        leave()
    })
}

#[expect(clippy::exit, reason = "the operator asked twice; nothing is left to save")]
fn leave() -> Infallible {
    std::process::exit(i32::from(Code::Stopped as u8))
}
