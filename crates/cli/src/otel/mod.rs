//! The run as an OpenTelemetry trace: a span for it and one for each of its phases, sent when it is over.
//!
//! A run has a dozen spans, all known at its end, and one request carries them: OTLP over HTTP as JSON, written here,
//! on the connections that the store has too. Libraries for it would bring their own runtime, queues and encodings.
//! What goes wrong is a warning; a run ends as it ends.
//!
//! Source: OpenTelemetry specification, "OTLP Specification" (JSON Protobuf Encoding), "OpenTelemetry Protocol
//! Exporter", "Environment Variable Specification".

mod export;
mod ids;
mod json;
mod settings;
mod spans;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use monitor::Monitor;
use registry::Timestamp;

use self::settings::Settings;
use self::spans::{Ended, Origin, spans};
use crate::failure::causes_of;
use crate::open::Watch;
use crate::render::failure_line;
use crate::{Code, Console, Failure, clock};

/// A trace under way.
#[derive(Debug)]
pub(crate) struct Otel {
    command: &'static str,
    settings: Settings,
    monitor: Arc<Monitor>,
    origin: Origin,
    stopwatch: fn() -> Instant,
    console: Console,
}

impl Otel {
    /// A trace of a run that begins now, sent as the variables of the environment say. None where they say that there
    /// is none, or make no sense, which is a warning.
    pub(crate) fn begin(command: &'static str, watch: &Watch, console: Console) -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok();
        let settings = match Settings::of(&variable) {
            Ok(settings) => settings?,
            Err(error) => {
                console.warn(&format!("there is no trace of this run: {error}"));
                return None;
            }
        };
        let (now, began) = (clock::now(), clock::start());
        let origin = Origin { at: began, time: since_epoch(now) };
        let (monitor, stopwatch) = (Arc::clone(&watch.monitor), clock::start);
        Some(Self { command, settings, monitor, origin, stopwatch, console })
    }

    /// Sends the trace of a run that ended so.
    pub(crate) async fn end(self, outcome: &Result<(), Failure>) {
        let ended = Ended {
            at: (self.stopwatch)(),
            code: outcome.as_ref().err().map_or(Code::Done, Failure::code),
            error: outcome.as_ref().err().map(failure_line),
        };
        let spans = spans(self.command, &self.monitor, self.origin, &ended);
        let document = json::document(&self.settings, &spans, ids::random);
        if let Err(error) = export::post(&self.settings, document).await {
            let words = [vec![error.to_string()], causes_of(&error)].concat().join(": ");
            self.console.warn(&format!("the trace of this run is lost: {words}"));
        }
    }
}

fn since_epoch(time: Timestamp) -> Duration {
    time.since(Timestamp::from_millis(0))
}
