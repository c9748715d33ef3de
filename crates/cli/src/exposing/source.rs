//! Where the text comes from, at any moment of a run.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use metrics::{Ended, Former, Labels, Run, text};
use monitor::Monitor;
use registry::Timestamp;

use crate::args::MetricsArgs;
use crate::open::Watch;
use crate::{Code, clock};

/// The most bytes of a former file that are read; ours are a fiftieth of it.
const MOST: u64 = 1 << 20;

/// All that a text needs.
#[derive(Debug)]
pub(super) struct Source {
    monitor: Arc<Monitor>,
    labels: Labels,
    began: Timestamp,
    former: Former,
    clock: fn() -> Timestamp,
    stopwatch: fn() -> Instant,
}

impl Source {
    pub(super) fn begin(command: &str, args: &MetricsArgs, watch: &Watch) -> Self {
        let labels = args.metrics_labels.iter().cloned().fold(Labels::of(command), Labels::with);
        let former = args.metrics_file.as_deref().map_or_else(Former::default, |file| {
            // A file that cannot be read, or is none, is as if there were none.
            read(file).map_or_else(|_| Former::default(), |text| Former::read(&text, &labels))
        });
        let (clock, stopwatch) = (clock::now, clock::start);
        let (monitor, began) = (Arc::clone(&watch.monitor), clock());
        Self { monitor, labels, began, former, clock, stopwatch }
    }

    /// The metrics now; `code` where the run has ended.
    pub(super) fn text(&self, code: Option<Code>) -> String {
        let at = (self.clock)();
        let run = Run {
            version: env!("CARGO_PKG_VERSION"),
            labels: &self.labels,
            began: self.began,
            now: (self.stopwatch)(),
            ended: code.map(|code| Ended { at, exit_code: code as u8 }),
            former: &self.former,
        };
        text(&self.monitor, &run)
    }
}

/// Reads what may be a text of ours; a part of a file that is larger has no end of a text.
fn read(file: &Path) -> io::Result<String> {
    if !std::fs::symlink_metadata(file)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = String::new();
    File::open(file)?.take(MOST).read_to_string(&mut text)?;
    Ok(text)
}
