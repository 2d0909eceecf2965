//! A web service that unassigns incidents on a webhook: one client for the whole service, a health route, tracing, graceful
//! shutdown; and tests of it against the emulator.
//!
//! ```sh
//! cargo run -p coralogix-incidents --example web_service -- --emulator
//! curl -s localhost:3000/webhook --json '{"incidentIds": ["incident_id_1", "nobody"]}'
//! CORALOGIX_API_KEY=... CORALOGIX_REGION=EU1 cargo run -p coralogix-incidents --example web_service
//! cargo test -p coralogix-incidents --test examples web_service
//! ```
#![allow(clippy::print_stdout, reason = "an example prints")]

mod setup;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use coralogix_incidents::{Client, Effect, Error, ErrorKind, types::UnassignIncidentsRequest};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    incident_ids: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Report {
    unassigned: Vec<String>,
    unknown: Vec<String>,
}

/// The service. The client is cheap to clone: all requests share its connections and its retry budget.
fn service(client: Client) -> Router {
    Router::new().route("/webhook", post(webhook)).route("/healthz", get(async || "ok")).with_state(client)
}

async fn webhook(State(client): State<Client>, Json(webhook): Json<Webhook>) -> Result<Json<Report>, Failure> {
    let request = UnassignIncidentsRequest::new(webhook.incident_ids);
    let response = client.unassign_incidents(&request).await?.into_inner();
    let unassigned: Vec<String> = response.incidents.into_iter().map(|incident| incident.id).collect();
    let unknown = request.incident_ids.into_iter().filter(|id| !unassigned.contains(id)).collect();
    Ok(Json(Report { unassigned, unknown }))
}

/// What the caller of the webhook is told when Coralogix could not be.
struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(error) = self;
        // The whole story is for the log; it never has the key in it.
        tracing::error!(%error, attempts = error.attempts(), correlation_id = error.correlation_id(), "unassign failed");
        let status = match error.kind() {
            ErrorKind::InvalidRequest => StatusCode::BAD_REQUEST,
            _ if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_GATEWAY,
        };
        let effect = match error.effect() {
            Effect::None => "nothing was changed",
            Effect::Unknown => "it is not known whether anything was changed; calling again is safe",
            Effect::Applied => "the change was made",
        };
        (status, format!("Coralogix: {effect}")).into_response()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let (client, _emulator) = setup::client().await?;
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, service(client)).with_graceful_shutdown(shutdown()).await?;
    Ok(())
}

/// Requests under way are finished first.
async fn shutdown() {
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use coralogix_incidents::{CallOptions, RetryPolicy};
    use coralogix_incidents_emulator::{Emulator, Fault};
    use tower::ServiceExt;

    use super::*;

    /// The service's answer to a webhook, and its body.
    async fn post(emulator: &Emulator, ids: &[&str]) -> (StatusCode, String) {
        let once = CallOptions::default().with_retry_policy(RetryPolicy::off());
        let client = emulator.client().unwrap().with_options(once);
        let request = Request::post("/webhook").header("content-type", "application/json");
        let request = request.body(serde_json::json!({ "incidentIds": ids }).to_string()).unwrap();
        let response = service(client).oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.into()).unwrap())
    }

    #[tokio::test]
    async fn a_webhook_unassigns_and_reports_ids_that_do_not_exist() {
        let emulator = Emulator::start().await.unwrap();
        let (_, body) = post(&emulator, &["incident_id_1", "nobody"]).await;
        let report: Report = serde_json::from_str(&body).unwrap();
        assert_eq!(report, Report { unassigned: vec!["incident_id_1".into()], unknown: vec!["nobody".into()] });
        assert!(emulator.incident("incident_id_1").unwrap().assignments.is_empty(), "the service's own state");
        assert_eq!(emulator.requests().len(), 1);
    }

    #[tokio::test]
    async fn an_outage_is_reported_as_503_with_what_is_known() {
        let emulator = Emulator::builder().fault(Fault::status(503)).start().await.unwrap();
        let (status, body) = post(&emulator, &["incident_id_1"]).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("calling again is safe"), "{body}");
    }

    #[tokio::test]
    async fn a_webhook_without_ids_is_a_400_and_sends_nothing() {
        let emulator = Emulator::start().await.unwrap();
        assert_eq!(post(&emulator, &[]).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(emulator.requests(), []);
    }
}
