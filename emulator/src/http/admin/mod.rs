//! The administration API under `/_emulator` and the page at `/`: what Rust tests do by methods of `Emulator`, for programs in
//! any language and for people. `openapi.yaml` beside this file documents it. It knows nothing of the gateway.

use std::{cmp::Reverse, collections::BTreeMap, fmt::Display, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use coralogix_incidents::{ApiGeneration, Client, Operation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::service::Service;
use crate::{
    data::storage,
    domain::clock::Clock,
    faults::model::Fault,
    log::{Answer, LoggedRequest},
};

const PAGE: &str = include_str!("page.html");
const DOCUMENT: &str = include_str!("openapi.yaml");

/// The largest body that is read. Lists of incidents are larger than requests of the API.
const MAX_BODY_BYTES: usize = 256 * 1024 * 1024;

pub(crate) fn router(service: &Arc<Service>) -> Router {
    let api = Router::new()
        .route("/", get(overview))
        .route("/openapi.yaml", get(async || content("application/yaml", DOCUMENT)))
        .route("/requests", get(requests).delete(clear_requests))
        .route("/incidents", get(incidents).put(set_incidents))
        .route("/reset", post(reset))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/clock", get(clock).put(set_clock).delete(reset_clock))
        .fallback(async || error(StatusCode::NOT_FOUND, "there is no such path; see /_emulator/openapi.yaml"))
        .method_not_allowed_fallback(async || {
            error(StatusCode::METHOD_NOT_ALLOWED, "this path has other methods; see /_emulator/openapi.yaml")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    Router::new()
        .route("/", get(async || content("text/html; charset=utf-8", PAGE)))
        .nest("/_emulator", api)
        // `nest` has its root without the slash at the end only.
        .route("/_emulator/", get(overview))
        .with_state(Arc::clone(service))
}

type Shared = State<Arc<Service>>;

/// Why a request is refused: the message of any error.
struct BadRequest(String);

impl<E: Display> From<E> for BadRequest {
    fn from(problem: E) -> Self {
        Self(problem.to_string())
    }
}

impl IntoResponse for BadRequest {
    fn into_response(self) -> Response {
        error(StatusCode::BAD_REQUEST, &self.0)
    }
}

async fn overview(State(service): Shared) -> Result<Response, BadRequest> {
    reply(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "generations": service.generations.iter().copied().map(ApiGeneration::as_str).collect::<Value>(),
        "operations": Client::operations().map(Operation::id).collect::<Value>(),
        "incidentCount": service.read_state().all().len(),
        "requestCount": service.log.len(),
        "clock": clock_status(&service),
        "faults": fault_statuses(&service),
    }))
}

/// The requests, the oldest first; with `?limit=N` the newest N.
async fn requests(State(service): Shared, RawQuery(query): RawQuery) -> Result<Response, BadRequest> {
    let requests = service.log.newest(limit(query)?);
    reply(&json!({ "requests": requests.iter().map(request_entry).collect::<Value>() }))
}

fn request_entry(request: &LoggedRequest) -> Value {
    let answer = match request.answer {
        Answer::Pending => "pending",
        Answer::Status(_) => "complete",
        Answer::Broken(_) => "incomplete",
        Answer::Lost => "none",
    };
    json!({
        "receivedAt": request.received_at,
        "operationId": request.operation_id,
        "generation": request.generation.map(ApiGeneration::as_str),
        "method": request.method,
        "path": request.path,
        "correlationId": request.correlation_id,
        "ids": request.ids,
        "keyOwner": request.key_owner,
        "changed": request.changed,
        "answer": answer,
        "status": request.answer.status(),
    })
}

async fn clear_requests(State(service): Shared) -> StatusCode {
    service.log.clear();
    StatusCode::NO_CONTENT
}

/// The incidents, in the order in which they were added; with `?limit=N` those that changed last, or were opened last.
async fn incidents(State(service): Shared, RawQuery(query): RawQuery) -> Result<Response, BadRequest> {
    let limit = limit(query)?;
    let state = service.read_state();
    let mut all: Vec<_> = state.all().iter().collect();
    if limit < all.len() {
        all.sort_by_key(|stored| Reverse(stored.event_times.last().copied()));
        all.truncate(limit);
    }
    let incidents: Vec<_> = all.into_iter().map(|stored| &stored.incident).collect();
    reply(&BTreeMap::from([("incidents", incidents)]))
}

async fn set_incidents(State(service): Shared, body: Bytes) -> Result<StatusCode, BadRequest> {
    let saved = storage::parse(&body).map_err(|problem| format!("not a list of incidents: {problem}"))?;
    service.write_state().replace(saved.incidents);
    Ok(StatusCode::NO_CONTENT)
}

async fn reset(State(service): Shared) -> StatusCode {
    service.reset();
    StatusCode::NO_CONTENT
}

fn fault_statuses(service: &Service) -> Value {
    let faults = service.faults.all().into_iter();
    faults.map(|(fault, hits)| json!({ "fault": fault.to_string(), "hits": hits })).collect()
}

async fn faults(State(service): Shared) -> Result<Response, BadRequest> {
    reply(&json!({ "faults": fault_statuses(&service) }))
}

#[derive(Deserialize)]
struct NewFault {
    fault: String,
}

async fn add_fault(State(service): Shared, body: Bytes) -> Result<StatusCode, BadRequest> {
    let NewFault { fault } = serde_json::from_slice(&body)?;
    service.faults.add(fault.parse::<Fault>()?);
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_faults(State(service): Shared) -> StatusCode {
    service.faults.clear();
    StatusCode::NO_CONTENT
}

fn clock_status(service: &Service) -> Value {
    let clock = service.clock();
    json!({ "now": clock.now(), "stopped": clock.is_fixed() })
}

async fn clock(State(service): Shared) -> Result<Response, BadRequest> {
    reply(&clock_status(&service))
}

#[derive(Deserialize)]
struct NewClock {
    now: DateTime<Utc>,
}

async fn set_clock(State(service): Shared, body: Bytes) -> Result<StatusCode, BadRequest> {
    let NewClock { now } = serde_json::from_slice(&body)?;
    service.set_clock(Clock::fixed(now));
    Ok(StatusCode::NO_CONTENT)
}

async fn reset_clock(State(service): Shared) -> StatusCode {
    service.set_clock(service.seed.clock.clone());
    StatusCode::NO_CONTENT
}

/// The `limit` of a query; all if there is none.
fn limit(query: Option<String>) -> Result<usize, BadRequest> {
    let query = query.unwrap_or_default();
    let limit = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "limit");
    let Some((_, value)) = limit else { return Ok(usize::MAX) };
    Ok(value.parse().map_err(|_| format!("limit: {value:?} is not a number"))?)
}

fn reply(value: &impl Serialize) -> Result<Response, BadRequest> {
    Ok(content("application/json", serde_json::to_vec(value)?))
}

fn error(status: StatusCode, problem: &str) -> Response {
    (status, content("application/json", json!({ "error": problem }).to_string())).into_response()
}

fn content(content_type: &'static str, body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")], body.into()).into_response()
}
