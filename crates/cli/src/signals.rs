//! SIGINT and SIGTERM: the first asks to drain, the second leaves.

use std::io;
use std::sync::Arc;

use monitor::{Asked, Stop};
use tokio::signal::unix::{SignalKind, signal};

use crate::{Code, Console};

/// Listens until the process ends. Leaving at the second signal is safe: a journal is whole at every instant (G11).
///
/// # Errors
/// Where the system does not let us listen.
pub(crate) fn listen(stop: &Arc<Stop>, console: Console) -> io::Result<impl Future<Output = ()> + use<>> {
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
        console.talk("regsweep: finishing what is in flight; once more to leave at once");
        next().await;
        stop.ask(Asked::Abort);
        leave();
    })
}

#[expect(clippy::exit, reason = "the operator asked twice; nothing is left to save")]
fn leave() {
    std::process::exit(i32::from(Code::Stopped as u8));
}
