//! Spans, events, and what they never hold.

use std::{cell::RefCell, io, sync::Once};

use futures::StreamExt;
use tracing::Instrument;
use tracing_subscriber::{Layer, filter::dynamic_filter_fn, fmt::format::FmtSpan, layer::SubscriberExt};

use crate::scripted_server::{ScriptedServer, Step, json, response, unassign};

thread_local! {
    /// What was logged, while a [`Capture`] of this thread lives.
    static LOG: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Everything logged by this thread, at every level, spans and their fields included.
///
/// One subscriber for the whole process, whose filter asks the thread: tracing remembers for each place in the code whether
/// anybody listens, so subscribers that come and go beside other tests' would miss things.
pub(crate) struct Capture(());

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.as_mut().map(|log| log.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        LOG.set(None);
    }
}

impl Capture {
    pub(crate) fn start() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let layer = tracing_subscriber::fmt::layer()
                .with_writer(|| Log)
                .with_ansi(false)
                .with_span_events(FmtSpan::CLOSE)
                .without_time();
            let layer = layer.with_filter(dynamic_filter_fn(|_, _| LOG.with_borrow(Option::is_some)));
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
        });
        LOG.set(Some(Vec::new()));
        Self(())
    }

    #[expect(clippy::unused_self, reason = "there is something to read while it lives")]
    pub(crate) fn text(&self) -> String {
        LOG.with_borrow(|log| String::from_utf8(log.clone().unwrap()).unwrap())
    }

    /// Asserts how many lines have all of these parts.
    #[track_caller]
    fn has(&self, expected: usize, parts: &[&str]) {
        let text = self.text();
        let found = text.lines().filter(|line| parts.iter().all(|part| line.contains(part))).count();
        assert_eq!(found, expected, "{parts:?} in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_a_span_and_each_attempt_is_a_span_within_that_ends_before_the_wait() {
    let log = Capture::start();
    let server = ScriptedServer::start([Step::Reply(response("429 Too Many Requests", "retry-after: 20\r\n", ""))]);
    let response = unassign(&server.client()).await.unwrap();
    let id = format!("cx.correlation_id=\"{}\"", response.correlation_id());
    for outcome in [
        ["http.response.status_code=429", "error.type=\"429\"", "otel.status_code=\"ERROR\""].as_slice(),
        &["http.response.status_code=200", "http.request.resend_count=1"],
    ] {
        let attempt = [
            "coralogix_incidents: close",
            "}:request{",
            "otel.name=POST /v1/incidents:unassign",
            "http.request.method=\"POST\"",
            "url.template=\"/v1/incidents:unassign\"",
            "server.address=\"127.0.0.1\"",
            &id,
        ];
        log.has(1, &[&attempt, outcome].concat());
    }
    log.has(1, &["close", "operation{otel.name=\"unassignIncidents\"", "cx.attempts=2", &id]);
    // The first request is not sent again.
    log.has(0, &["status_code=429", "resend_count"]);
    let text = log.text();
    let closed = text.find("http.response.status_code=429").expect("the request's span is closed");
    let retrying = text.find("retrying").expect("the retry is logged");
    assert!(closed < retrying, "closed before the wait: {text}");
}

#[tokio::test]
async fn bulk_work_is_in_the_span_of_its_caller() {
    let log = Capture::start();
    let server = ScriptedServer::start([]);
    let run = server.client().bulk().unassign(["incident_id_1"]);
    run.count().instrument(tracing::info_span!("of_the_caller")).await;
    log.has(1, &["close", "of_the_caller:operation{", "cx.attempts=1"]);
}

#[tokio::test]
async fn a_failed_call_says_in_its_span_why_and_not_in_the_words_of_the_service() {
    let log = Capture::start();
    let refused = json("403 Forbidden", r#"{"message":"a body is not telemetry"}"#);
    let unavailable = json("503 Service Unavailable", r#"{"message":"a body is not telemetry"}"#);
    let server = ScriptedServer::start([unavailable, refused, json("200 OK", "{\"incidents\":7}")]);
    let client = server.client();
    unassign(&client).await.unwrap_err();
    log.has(1, &["DEBUG", "retrying", "503 Service Unavailable", "correlation id"]);
    // The attempt within the call, and the call.
    log.has(2, &["close", "operation{", "error.type=\"403\""]);
    assert!(!log.text().contains("a body is not telemetry"), "{}", log.text());
    assert!(!log.text().contains("incident_id_1"), "no ids: {}", log.text());
    unassign(&client).await.unwrap_err();
    log.has(1, &["close", "operation{", "error.type=\"undecodable_response\"", "otel.status_code=\"ERROR\""]);
}

#[tokio::test]
async fn drift_of_the_service_is_reported_once_for_each_name_and_never_with_values() {
    let body = r#"{"incidents":[
        {"id":"a","state":"INCIDENT_STATE_NOT_IN_THE_DOCUMENT","notInTheDocument":"some-value","contextualLabels":{"secret-label":"secret-value"},"unknown \"text\"":{"secret-name":{"deep":1}}},
        {"id":"b","state":"INCIDENT_STATE_NOT_IN_THE_DOCUMENT","notInTheDocument":true,"severity":42,"assignments":[{"assignedTo":{"userId":"u","mail":"m@x"}}]}
    ],"newMember":{}}"#;
    let log = Capture::start();
    let server = ScriptedServer::start([json("200 OK", body), json("200 OK", body)]);
    let client = server.client();
    let response = unassign(&client).await.unwrap();
    assert!(response.incidents[0].state.is_unrecognized(), "watching changes nothing");
    log.has(6, &["cx.drift.kind"]);
    unassign(&client.clone()).await.unwrap();
    log.has(6, &["cx.drift.kind"]);
    for parts in [
        [
            "cx.drift.kind=\"enum_value\"",
            "cx.drift.enum=\"IncidentState\"",
            "cx.drift.name=\"INCIDENT_STATE_NOT_IN_THE_DOCUMENT\"",
        ],
        ["cx.drift.kind=\"enum_value\"", "cx.drift.enum=\"IncidentSeverity\"", "cx.drift.name=\"42\""],
        ["cx.drift.kind=\"field\"", "operation=\"unassignIncidents\"", "cx.drift.name=\"notInTheDocument\""],
        ["cx.drift.kind=\"field\"", "WARN", "cx.drift.name=\"newMember\""],
        ["cx.drift.kind=\"field\"", "coralogix_incidents::drift", "cx.drift.name=\"mail\""],
        ["cx.drift.kind=\"field\"", "WARN", "unknown"],
    ] {
        log.has(1, &parts);
    }
    for value in ["some-value", "secret", "m@x"] {
        assert!(!log.text().contains(value), "{value} in {}", log.text());
    }
}

#[tokio::test]
async fn a_client_reports_at_most_1024_names() {
    let log = Capture::start();
    let bodies = (0..17).map(|response| {
        let members: Vec<String> = (0..65).map(|number| format!("\"unknown{response}x{number}\":1")).collect();
        json("200 OK", &format!("{{{}}}", members.join(",")))
    });
    let server = ScriptedServer::start(bodies);
    let client = server.client();
    unassign(&client).await.unwrap();
    // Of one response.
    log.has(64, &["cx.drift.kind"]);
    for _ in 1..17 {
        unassign(&client).await.unwrap();
    }
    log.has(1024, &["cx.drift.kind"]);
}

#[tokio::test]
async fn a_change_of_the_generation_is_in_the_span_and_in_the_log() {
    let log = Capture::start();
    let server = ScriptedServer::start([json("404 Not Found", r#"{"code":5,"message":"Not Found","details":[]}"#)]);
    unassign(&server.builder().build().unwrap()).await.unwrap();
    log.has(1, &["DEBUG", "in another API generation", "generation=v5"]);
    let template = "url.template=\"/5/incidents/incidents/v1/all/by-user\"";
    log.has(1, &["close", "operation{", template, "cx.attempts=2"]);
}

#[tokio::test]
async fn drift_is_found_in_a_map_of_messages_whose_keys_are_not_names() {
    let body = r#"{"incidents":{"id-a":{"id":"id-a","newInA":1}},"notFoundIds":["id-c"]}"#;
    let log = Capture::start();
    let server = ScriptedServer::start([json("200 OK", body)]);
    server.client().batch_get_incident(&["id-a", "id-b", "id-c"].map(str::to_owned)).await.unwrap();
    log.has(1, &["cx.drift.kind=\"field\"", "cx.drift.name=\"newInA\""]);
    log.has(1, &["cx.drift.kind"]);
}
