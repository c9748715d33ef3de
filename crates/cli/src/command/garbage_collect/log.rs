//! What the registry logs of each deletion, on stderr.

use config::{Formatter, Level, Log};
use planner::{Row, RowKind};
use registry::Layout;
use serde_json::json;
use store::KeyOutcome;
use sweeper::Observer;

use crate::location::{Location, Place};
use crate::{Console, clock};

/// Logs deletions in the form that the registry's configuration asks for.
pub(super) struct DeletionLog {
    log: Option<Log>,
    console: Console,
    /// What stands before a path of the storage driver in a key.
    root: String,
}

impl DeletionLog {
    pub(super) fn new(location: &Location, console: Console, layout: &Layout) -> Self {
        let log = location.configuration.as_ref().map(|configuration| configuration.log);
        let root = match location.place {
            Place::Directory(_) => String::new(),
            Place::Bucket(_) => layout.root().to_owned(),
        };
        Self {
            log: log.filter(|log| matches!(log.level, Level::Info | Level::Debug)),
            console,
            root,
        }
    }

    /// The message for one object, with the path that the registry names.
    fn message(&self, row: &Row) -> String {
        let key = row.key.strip_prefix(&self.root).unwrap_or(&row.key);
        let folder = key.rsplit_once('/').map_or(key, |(folder, _)| folder);
        match row.kind {
            RowKind::BrokenLink => format!("writing link: /{key}"),
            RowKind::TagLink => format!("deleting manifest tag reference: /{folder}"),
            RowKind::RevisionLink => format!("deleting manifest: /{folder}"),
            RowKind::LayerLink => format!("Deleting layer link path: /{key}"),
            RowKind::Upload | RowKind::MultipartUpload => format!("Deleting upload: /{key}"),
            RowKind::Blob => format!("Deleting blob: /{folder}"),
        }
    }
}

impl Observer for DeletionLog {
    fn outcome(&self, row: &Row, outcome: &KeyOutcome) {
        let (Some(log), KeyOutcome::Deleted(_)) = (&self.log, outcome) else { return };
        self.console.talk(&line(log.formatter, &clock::now().to_string(), &self.message(row)));
    }
}

fn line(formatter: Formatter, time: &str, message: &str) -> String {
    match formatter {
        Formatter::Text => format!("time=\"{time}\" level=info msg={message:?}"),
        Formatter::Json => json!({ "level": "info", "msg": message, "time": time }).to_string(),
        Formatter::Logstash => json!({
            "@timestamp": time,
            "@version": "1",
            "level": "info",
            "message": message,
        })
        .to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_in_the_form_that_the_registry_is_configured_for() {
        let line = |formatter| line(formatter, "2026-01-02T03:04:05Z", "Deleting blob: /a\"b");
        assert_eq!(
            line(Formatter::Text),
            r#"time="2026-01-02T03:04:05Z" level=info msg="Deleting blob: /a\"b""#
        );
        assert_eq!(
            line(Formatter::Json),
            r#"{"level":"info","msg":"Deleting blob: /a\"b","time":"2026-01-02T03:04:05Z"}"#
        );
        assert_eq!(
            line(Formatter::Logstash),
            r#"{"@timestamp":"2026-01-02T03:04:05Z","@version":"1","level":"info","message":"Deleting blob: /a\"b"}"#
        );
    }
}
