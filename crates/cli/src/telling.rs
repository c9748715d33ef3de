//! What is told of a run to those who watch many: metrics while it goes on, a trace when it is over.

use std::io;

use crate::args::Command;
use crate::exposing::Exposing;
use crate::open::Watch;
use crate::otel::Otel;
use crate::{Code, Console, Failure, signals};

/// What is told of a run; of most, nothing.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    exposing: Option<Exposing>,
    otel: Option<Otel>,
}

impl Telling {
    /// Begins to tell what was asked for, before anything is done.
    ///
    /// # Errors
    /// [`Failure::Listen`].
    pub(crate) async fn begin(
        command: &Command,
        watch: &Watch,
        console: Console,
    ) -> Result<Self, Failure> {
        let Some((name, asked)) = command.metrics() else { return Ok(Self::default()) };
        let exposing = Exposing::begin(name, asked, watch, console).await?;
        let otel = asked.otel.then(|| Otel::begin(name, watch, console)).flatten();
        Ok(Self { exposing: Some(exposing), otel })
    }

    /// Tells how the run ended. Whoever does not want to wait for that need not.
    pub(crate) async fn end(self, outcome: &Result<(), Failure>, console: Console) {
        let impatience = signals::impatience();
        if let Some(exposing) = self.exposing {
            exposing.end(outcome.as_ref().err().map_or(Code::Done, Failure::code)).await;
        }
        let Some(otel) = self.otel else { return };
        tokio::select! {
            () = otel.end(outcome) => {}
            () = heard(impatience) => {
                console.warn("the trace of this run is lost: nobody waited for it");
            }
        }
    }
}

/// Never, where the system does not let us listen.
async fn heard(signal: io::Result<impl Future<Output = ()>>) {
    match signal {
        Ok(signal) => signal.await,
        Err(error) => {
            tracing::warn!(%error, "no signal is heard any more");
            std::future::pending::<()>().await;
        }
    }
}
