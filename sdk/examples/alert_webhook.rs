//! A web service that an alert's webhook calls: it acknowledges the alert's incident by the id of the event, as soon as
//! somebody, or a program, takes care of it. Nothing has to be looked up first.
//!
//! ```sh
//! cargo run -p coralogix-incidents --example alert_webhook -- --emulator
//! curl -s localhost:3000/alert -H 'x-webhook-secret: not-a-secret' --json '{"eventId": "event_id_1"}'
//! CORALOGIX_API_KEY=... CORALOGIX_REGION=EU1 WEBHOOK_SECRET=... cargo run -p coralogix-incidents --example alert_webhook
//! cargo test -p coralogix-incidents --test examples alert_webhook
//! ```
//!
//! In Coralogix, make a generic outbound webhook with this address, the header `x-webhook-secret`, and a body in which `eventId`
//! is the event's id.
#![allow(clippy::print_stdout, reason = "an example prints")]

mod setup;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use coralogix_incidents::{Client, ErrorKind};
use serde::Deserialize;
use tokio::net::TcpListener;

#[derive(Clone)]
struct Service {
    client: Client,
    /// Who knows it may acknowledge.
    secret: Arc<str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    event_id: String,
}

fn router(service: Service) -> Router {
    Router::new().route("/alert", post(alert)).with_state(service)
}

/// The status tells Coralogix whether to send the alert again: after a 5xx it may, and acknowledging twice does no harm.
async fn alert(
    State(service): State<Service>,
    headers: HeaderMap,
    Json(alert): Json<Alert>,
) -> Result<String, (StatusCode, &'static str)> {
    if !is_same(headers.get("x-webhook-secret").map_or(&[], |secret| secret.as_bytes()), service.secret.as_bytes()) {
        return Err((StatusCode::UNAUTHORIZED, "who are you?"));
    }
    match service.client.acknowledge_incident_by_event_id(&alert.event_id).await {
        Ok(response) => {
            let id = response.incident.as_ref().map_or("of the event", |incident| incident.id.as_str());
            tracing::info!(event_id = alert.event_id, correlation_id = response.correlation_id(), "acknowledged");
            Ok(format!("the incident {id} is acknowledged\n"))
        }
        Err(error) => {
            tracing::error!(%error, event_id = alert.event_id, "not acknowledged");
            Err(match error.kind() {
                ErrorKind::InvalidRequest => (StatusCode::BAD_REQUEST, "that is no event id"),
                // The alert may be faster than the incident that it opens.
                _ if error.is_not_found() => (StatusCode::SERVICE_UNAVAILABLE, "there is no such incident yet"),
                _ if error.is_retryable() => (StatusCode::SERVICE_UNAVAILABLE, "Coralogix does not answer"),
                _ => (StatusCode::BAD_GATEWAY, "Coralogix refuses"),
            })
        }
    }
}

/// Compares in a time that does not depend on where the two differ.
fn is_same(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len()
        && given.iter().zip(expected).fold(0, |found, (one, other)| found | (one ^ other)) == 0
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let (client, emulator) = setup::client().await?;
    let secret = match std::env::var("WEBHOOK_SECRET") {
        Ok(secret) if !secret.is_empty() => secret,
        _ if emulator.is_some() => "not-a-secret".to_owned(),
        _ => return Err("WEBHOOK_SECRET is not set".into()),
    };
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let service = Service { client, secret: secret.into() };
    axum::serve(listener, router(service)).with_graceful_shutdown(shutdown()).await?;
    Ok(())
}

/// Requests under way are finished first.
async fn shutdown() {
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use coralogix_incidents::types::IncidentStatus;
    use coralogix_incidents_emulator::{Emulator, Fault};
    use tower::ServiceExt;

    use super::*;

    /// The status of the answer to one alert.
    async fn send(emulator: &Emulator, secret: &str, body: serde_json::Value) -> StatusCode {
        let service = Service { client: emulator.client().unwrap(), secret: "expected".into() };
        let request = Request::post("/alert").header("x-webhook-secret", secret);
        let request = request.header("content-type", "application/json").body(body.to_string()).unwrap();
        router(service).oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn an_alert_acknowledges_the_incident_of_its_event() {
        let emulator = Emulator::start().await.unwrap();
        let incidents = emulator.incidents();
        let triggered = incidents.iter().find(|incident| incident.status == IncidentStatus::Triggered).unwrap();
        let alert = serde_json::json!({ "eventId": triggered.events[0].id });
        assert_eq!(send(&emulator, "expected", alert).await, StatusCode::OK);
        assert_eq!(emulator.incident(&triggered.id).unwrap().status, IncidentStatus::Acknowledged);
    }

    #[tokio::test]
    async fn a_request_without_the_secret_is_refused() {
        let emulator = Emulator::start().await.unwrap();
        let alert = || serde_json::json!({ "eventId": "event_id_2" });
        for secret in ["", "Expected", "expected-and-more"] {
            assert_eq!(send(&emulator, secret, alert()).await, StatusCode::UNAUTHORIZED, "{secret:?}");
        }
        assert_eq!(emulator.requests(), []);
    }

    #[tokio::test]
    async fn transient_failures_are_503_and_permanent_ones_are_not() {
        let emulator = Emulator::builder().fault(Fault::status(403).nth(2)).start().await.unwrap();
        let alert = |id: &str| serde_json::json!({ "eventId": id });
        assert_eq!(send(&emulator, "expected", alert("too_early")).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(send(&emulator, "expected", alert("event_id_2")).await, StatusCode::BAD_GATEWAY);
        assert_eq!(send(&emulator, "expected", alert("a/b")).await, StatusCode::BAD_REQUEST);
    }
}
