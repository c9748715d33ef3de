//! Settings, spans, and the document, without a network.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use monitor::{Counter, Phase};
use serde_json::json;

use super::ids::Parent;
use super::settings::SettingsError;
use super::spans::Status;
use super::*;

fn settings(variables: &[(&str, &str)]) -> Result<Option<Settings>, SettingsError> {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    Settings::of(&|name| variables.get(name).map(ToString::to_string))
}

fn sent(variables: &[(&str, &str)]) -> Settings {
    settings(variables).unwrap().unwrap()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_trace_goes_where_the_standard_variables_say() {
    const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    for (variables, address) in [
        (&[][..], "http://localhost:4318/v1/traces"),
        (&[(ALL, "")], "http://localhost:4318/v1/traces"),
        (&[(ALL, "https://otel.example:443/")], "https://otel.example:443/v1/traces"),
        (&[(ALL, "http://a/b")], "http://a/b/v1/traces"),
        (&[(ALL, "http://a"), (TRACES, "http://c/d")], "http://c/d"),
    ] {
        assert_eq!(sent(variables).address, address);
    }
    for wrong in ["localhost:4318", "grpc://a", "http://a b", "http://a?b=c"] {
        assert_eq!(settings(&[(ALL, wrong)]), Err(SettingsError::Address(ALL)), "{wrong}");
    }
}

#[test]
fn headers_service_and_resource_are_read_as_others_read_them() {
    let all = sent(&[
        ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20a%3Db, x=y=z ,"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment.name=prod"),
        ("OTEL_SERVICE_NAME", "night"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ]);
    assert_eq!(all.headers, owned(&[("Authorization", "Bearer a=b"), ("x", "y=z")]));
    let attributes = [("service.name", "night"), ("deployment.environment.name", "prod")];
    assert_eq!(all.attributes, owned(&attributes));
    assert_eq!(all.timeout, Duration::from_millis(2500));
    let named = sent(&[("OTEL_RESOURCE_ATTRIBUTES", "service.name=other")]);
    assert_eq!(named.attributes, owned(&[("service.name", "other")]));
    assert_eq!(sent(&[]).attributes, owned(&[("service.name", "regsweep")]));
}

#[test]
fn a_variable_that_makes_no_sense_is_named() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_HEADERS", "a"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "=a"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=%zz"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%ff"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ] {
        let error = settings(&[(name, value)]).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn who_turned_traces_off_gets_none() {
    for (name, value) in [("OTEL_SDK_DISABLED", "True"), ("OTEL_TRACES_EXPORTER", "none")] {
        assert_eq!(settings(&[(name, value)]), Ok(None));
    }
}

#[test]
fn a_parent_is_one_that_the_field_knows() {
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let parent = Parent::parse(good).unwrap();
    assert_eq!(parent.trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(parent.span.to_string(), "b7ad6b7169203331");
    assert_eq!(Parent::parse(&good.replacen("00", "01", 1)), Some(parent));
    for wrong in [
        "",
        "00",
        &good.to_uppercase(),
        &good.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
        &good.replace("b7ad6b7169203331", &"0".repeat(16)),
        &good.replacen("00", "ff", 1),
        &format!("{good}-more"),
        &good[..good.len() - 1],
    ] {
        assert_eq!(Parent::parse(wrong), None, "{wrong}");
    }
}

static START: LazyLock<Instant> = LazyLock::new(clock::start);

thread_local!(static SECONDS: AtomicU64 = const { AtomicU64::new(0) });

/// A second later each time it is asked.
fn ticking() -> Instant {
    *START + Duration::from_secs(SECONDS.with(|seconds| seconds.fetch_add(1, Ordering::Relaxed)))
}

/// Opens at 0 s, marks from 1 s on, and ends at 2 s.
fn course(error: Option<&str>) -> Vec<spans::Span> {
    SECONDS.with(|seconds| seconds.store(0, Ordering::Relaxed));
    let monitor = Monitor::timed(ticking);
    monitor.count(Counter::ListRequests, 2);
    monitor.enter(Phase::Marking);
    monitor.count(Counter::ListRequests, 3);
    monitor.count(Counter::Revisions, 7);
    let origin = Origin { at: *START, time: Duration::from_secs(1000) };
    let code = if error.is_some() { Code::Store } else { Code::Done };
    let ended = Ended { at: ticking(), code, error: error.map(str::to_owned) };
    spans("gc", &monitor, origin, &ended)
}

#[test]
fn a_run_has_a_span_and_each_of_its_phases_has_one_with_what_it_counted() {
    let told: Vec<_> = course(None)
        .into_iter()
        .map(|span| (span.name, span.began.as_secs(), span.ended.as_secs(), span.numbers))
        .collect();
    let number = |name: &str, value| (format!("regsweep.{name}"), value);
    let all = vec![number("requests.list", 5), number("revisions", 7), number("exit_code", 0)];
    assert_eq!(
        told,
        [
            ("regsweep gc".to_owned(), 1000, 1002, all),
            ("opening".to_owned(), 1000, 1001, vec![number("requests.list", 2)]),
            (
                "marking".to_owned(),
                1001,
                1002,
                vec![number("requests.list", 3), number("revisions", 7)]
            ),
        ]
    );
}

#[test]
fn what_failed_is_the_run_and_its_last_phase() {
    let statuses =
        |error| -> Vec<Status> { course(error).into_iter().map(|span| span.status).collect() };
    assert_eq!(statuses(None), [Status::Ok, Status::Unset, Status::Unset]);
    let error = Status::Error("no".to_owned());
    assert_eq!(statuses(Some("no")), [error.clone(), Status::Unset, error]);
}

#[test]
fn the_document_is_one_that_collectors_read() {
    let parent = ("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let mut next = 0;
    let counting = || {
        next += 1;
        next
    };
    let document = json::document(&sent(&[parent]), &course(Some("no")), counting);
    let resource = &document["resourceSpans"][0];
    assert_eq!(
        resource["resource"]["attributes"],
        json!([{ "key": "service.name", "value": { "stringValue": "regsweep" } }])
    );
    let spans = &resource["scopeSpans"][0]["spans"];
    let mut marking = spans[2].clone();
    let attributes = marking["attributes"].take();
    assert_eq!(
        marking,
        json!({
            "traceId": "0af7651916cd43dd8448eb211c80319c",
            "spanId": "0000000000000003",
            "parentSpanId": "0000000000000001",
            "name": "marking",
            "kind": 1,
            "startTimeUnixNano": "1001000000000",
            "endTimeUnixNano": "1002000000000",
            "attributes": null,
            "status": { "code": 2, "message": "no" },
        })
    );
    let listed = json!({ "key": "regsweep.requests.list", "value": { "intValue": "3" } });
    assert_eq!(attributes[1], listed);
    assert_eq!(spans[0]["parentSpanId"], "b7ad6b7169203331");
    let mut seed = 7;
    let own = json::document(&sent(&[]), &course(None), || {
        seed += 1;
        seed
    });
    let root = &own["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(root["traceId"], "00000000000000080000000000000009");
    assert_eq!((&root["parentSpanId"], &root["status"]), (&json!(null), &json!({ "code": 1 })));
}
