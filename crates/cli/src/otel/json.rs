//! Spans as one OTLP document.

use std::time::Duration;

use serde_json::{Value, json};

use super::ids::{SpanId, TraceId};
use super::settings::Settings;
use super::spans::{Span, Status};

/// Of the status of a span; it has no name in JSON.
const OK: u8 = 1;
const ERROR: u8 = 2;
/// Neither client nor server.
const INTERNAL: u8 = 1;

/// A document of `spans`, the first of which holds the others. `random` gives numbers that are not zero.
pub(super) fn document(
    settings: &Settings,
    spans: &[Span],
    mut random: impl FnMut() -> u64,
) -> Value {
    let (trace, outer) = match settings.parent {
        Some(parent) => (parent.trace, Some(parent.span)),
        None => (TraceId(u128::from(random()) << 64 | u128::from(random())), None),
    };
    let root = SpanId(random());
    let mut written = Vec::with_capacity(spans.len());
    for (number, span) in spans.iter().enumerate() {
        let (id, parent) = if number == 0 { (root, outer) } else { (SpanId(random()), Some(root)) };
        written.push(span_json(span, trace, id, parent));
    }
    let attributes: Vec<Value> =
        settings.attributes.iter().map(|(name, value)| text(name, value)).collect();
    let scope = json!({ "name": "regsweep", "version": env!("CARGO_PKG_VERSION") });
    json!({ "resourceSpans": [{
        "resource": { "attributes": attributes },
        "scopeSpans": [{ "scope": scope, "spans": written }],
    }] })
}

fn span_json(span: &Span, trace: TraceId, id: SpanId, parent: Option<SpanId>) -> Value {
    let words = span.words.iter().map(|(name, value)| text(name, value));
    let numbers = span.numbers.iter().map(|(name, value)| number(name, *value));
    let mut written = json!({
        "traceId": trace.to_string(),
        "spanId": id.to_string(),
        "name": span.name,
        "kind": INTERNAL,
        "startTimeUnixNano": nanos(span.began),
        "endTimeUnixNano": nanos(span.ended),
        "attributes": words.chain(numbers).collect::<Vec<_>>(),
        "status": status(&span.status),
    });
    if let Some(parent) = parent {
        written["parentSpanId"] = parent.to_string().into();
    }
    written
}

fn status(status: &Status) -> Value {
    match status {
        Status::Unset => json!({}),
        Status::Ok => json!({ "code": OK }),
        Status::Error(message) => json!({ "code": ERROR, "message": message }),
    }
}

fn text(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}

/// Numbers of 64 bits are texts in this encoding.
fn number(name: &str, value: u64) -> Value {
    json!({ "key": name, "value": { "intValue": value.to_string() } })
}

fn nanos(time: Duration) -> String {
    time.as_nanos().to_string()
}
