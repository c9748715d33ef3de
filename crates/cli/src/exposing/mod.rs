//! Metrics of a run, in a file and at an address, for as long as it goes on.
//!
//! One task writes the file, whatever the run does and whether or not anybody is shown progress; another one answers
//! who asks. Both end with the run.

mod endpoint;
mod source;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use self::source::Source;
use crate::args::MetricsArgs;
use crate::open::Watch;
use crate::whole_file::{self, Readers};
use crate::{Code, Console, Failure};

/// How often the file is written.
const EVERY: Duration = Duration::from_secs(15);

/// What is told of a run while it goes on; dropping it ends that.
#[derive(Debug)]
pub(crate) struct Exposing {
    source: Arc<Source>,
    file: Option<Arc<Target>>,
    tasks: JoinSet<()>,
}

impl Exposing {
    /// Begins to tell what was asked for. A file that cannot be written is a warning.
    ///
    /// # Errors
    /// [`Failure::Listen`].
    pub(crate) async fn begin(
        command: &str,
        args: &MetricsArgs,
        watch: &Watch,
        console: Console,
    ) -> Result<Self, Failure> {
        let source = Arc::new(Source::begin(command, args, watch));
        let mut exposing = Self { source, file: None, tasks: JoinSet::new() };
        if let Some(address) = args.metrics_listen {
            exposing.listen(address, console).await?;
        }
        if let Some(file) = args.metrics_file.clone() {
            exposing.write_to(file, console);
        }
        Ok(exposing)
    }

    async fn listen(&mut self, address: SocketAddr, console: Console) -> Result<(), Failure> {
        let failed = |source| Failure::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let taken = listener.local_addr().map_err(failed)?;
        console.note(&format!("metrics are at http://{taken}{}", endpoint::PATH));
        self.tasks.spawn(endpoint::serve(listener, Arc::clone(&self.source)));
        Ok(())
    }

    fn write_to(&mut self, file: PathBuf, console: Console) {
        let target = Arc::new(Target { file, console, has_warned: AtomicBool::new(false) });
        target.write(&self.source.text(None));
        self.tasks.spawn(keep_writing(Arc::clone(&target), Arc::clone(&self.source), EVERY));
        self.file = Some(target);
    }

    /// Writes how the run ended. Nobody writes afterwards.
    pub(crate) async fn end(mut self, code: Code) {
        self.tasks.shutdown().await;
        if let Some(target) = &self.file {
            target.write(&self.source.text(Some(code)));
        }
    }
}

async fn keep_writing(target: Arc<Target>, source: Arc<Source>, every: Duration) {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // A few kilobytes. Not in a thread for it: what is under way when the run ends would come after the end.
        target.write(&source.text(None));
    }
}

/// The file that was asked for.
#[derive(Debug)]
struct Target {
    file: PathBuf,
    console: Console,
    has_warned: AtomicBool,
}

impl Target {
    /// Where it cannot be written, that is told once. What the file says is then old, which who collects it can see.
    fn write(&self, text: &str) {
        let Err(error) = whole_file::replace(&self.file, text, Readers::Everybody) else { return };
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            let file = self.file.display();
            self.console.warn(&format!("the metrics cannot be written to {file}: {error}"));
        }
    }
}
