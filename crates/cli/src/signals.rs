//! SIGINT and SIGTERM: the first ends what only reads and asks a sweep to drain, the second leaves.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use monitor::{Asked, Phase};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::open::Watch;
use crate::{Code, Console};

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Waits for somebody who does not want to wait any more, when the command is over. Whoever says so from now on is
/// heard, also where nobody waits for it yet.
///
/// # Errors
/// Where the system does not let us listen.
pub(crate) fn impatience() -> io::Result<impl Future<Output = ()>> {
    let mut signals = Signals::new()?;
    Ok(async move { signals.next().await })
}

/// Listens until the command is to be dropped: at the first signal where nothing is being deleted, for there is
/// nothing to finish. A sweep is asked to drain, and the next signal leaves, which is safe: a journal is whole at every
/// instant (G11).
///
/// # Errors
/// Where the system does not let us listen.
pub(crate) fn listen(
    watch: &Watch,
    console: Console,
) -> io::Result<impl Future<Output = ()> + use<>> {
    let mut signals = Signals::new()?;
    let (stop, monitor) = (Arc::clone(&watch.stop), Arc::clone(&watch.monitor));
    Ok(async move {
        signals.next().await;
        stop.ask(Asked::Drain);
        tracing::info!("asked to stop");
        if !is_sweeping(monitor.phase()) {
            return;
        }
        console.note("finishing what is in flight; once more to leave at once");
        signals.next().await;
        stop.ask(Asked::Abort);
        console.note("leaving at once; run the same command again");
        match leave() {}
    })
}

/// From the first delete, or the first that is brought back, on, until all that was done is told.
const fn is_sweeping(phase: Phase) -> bool {
    matches!(
        phase,
        Phase::SweepingLinks | Phase::SweepingBlobs | Phase::Restoring | Phase::Finished
    )
}

#[expect(clippy::exit, reason = "the operator asked twice; nothing is left to save")]
fn leave() -> Infallible {
    std::process::exit(i32::from(Code::Stopped as u8))
}
