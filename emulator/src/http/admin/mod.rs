//! The administration API under `/_emulator` and the page at `/`: what Rust tests do by methods of `Emulator`, for programs in
//! any language and for people. `openapi.yaml` beside this file documents it. It knows nothing of the gateway.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, RawQuery, State},
    http::{HeaderValue, Response, StatusCode, header},
    routing::get,
};
use chrono::{DateTime, Utc};
use coralogix_incidents::{ApiGeneration, Client, Operation, types};
use serde::{Deserialize, Serialize};

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
        .route("/reset", axum::routing::post(reset))
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Overview {
    version: &'static str,
    generations: Vec<&'static str>,
    operations: Vec<&'static str>,
    incident_count: usize,
    request_count: usize,
    clock: ClockStatus,
    faults: Vec<FaultStatus>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestEntry {
    received_at: DateTime<Utc>,
    operation_id: Option<&'static str>,
    generation: Option<&'static str>,
    method: String,
    path: String,
    correlation_id: Option<String>,
    ids: Vec<String>,
    key_owner: Option<String>,
    changed: Vec<String>,
    answer: &'static str,
    status: Option<u16>,
}

impl From<LoggedRequest> for RequestEntry {
    fn from(request: LoggedRequest) -> Self {
        Self {
            received_at: request.received_at,
            operation_id: request.operation_id,
            generation: request.generation.map(ApiGeneration::as_str),
            method: request.method,
            path: request.path,
            correlation_id: request.correlation_id,
            ids: request.ids,
            key_owner: request.key_owner,
            changed: request.changed,
            answer: match request.answer {
                Answer::Pending => "pending",
                Answer::Status(_) => "complete",
                Answer::Broken(_) => "incomplete",
                Answer::Lost => "none",
            },
            status: request.answer.status(),
        }
    }
}

#[derive(Serialize)]
struct FaultStatus {
    fault: String,
    hits: u64,
}

#[derive(Serialize)]
struct ClockStatus {
    now: DateTime<Utc>,
    stopped: bool,
}

async fn overview(State(service): State<Arc<Service>>) -> Response<Body> {
    json(&Overview {
        version: env!("CARGO_PKG_VERSION"),
        generations: service.generations.iter().copied().map(ApiGeneration::as_str).collect(),
        operations: Client::operations().map(Operation::id).collect(),
        incident_count: service.read_state().all().len(),
        request_count: service.log.len(),
        clock: clock_status(&service),
        faults: fault_statuses(&service),
    })
}

#[derive(Serialize)]
struct Requests {
    requests: Vec<RequestEntry>,
}

/// The requests, the oldest first; with `?limit=N` the newest N.
async fn requests(State(service): State<Arc<Service>>, RawQuery(query): RawQuery) -> Response<Body> {
    match limit(query.as_deref()) {
        Ok(limit) => {
            json(&Requests { requests: service.log.newest(limit).into_iter().map(RequestEntry::from).collect() })
        }
        Err(problem) => error(StatusCode::BAD_REQUEST, &problem),
    }
}

async fn clear_requests(State(service): State<Arc<Service>>) -> Response<Body> {
    service.log.clear();
    no_content()
}

#[derive(Serialize)]
struct Incidents<'a> {
    incidents: Vec<&'a types::Incident>,
}

/// The incidents, in the order in which they were added; with `?limit=N` those that changed last, or were opened last.
async fn incidents(State(service): State<Arc<Service>>, RawQuery(query): RawQuery) -> Response<Body> {
    let limit = match limit(query.as_deref()) {
        Ok(limit) => limit,
        Err(problem) => return error(StatusCode::BAD_REQUEST, &problem),
    };
    let state = service.read_state();
    let mut all: Vec<_> = state.all().iter().collect();
    if limit < all.len() {
        all.sort_by_key(|stored| std::cmp::Reverse(stored.event_times.last().copied()));
        all.truncate(limit);
    }
    json(&Incidents { incidents: all.into_iter().map(|stored| &stored.incident).collect() })
}

async fn set_incidents(State(service): State<Arc<Service>>, body: Bytes) -> Response<Body> {
    match storage::parse(&body) {
        Ok(saved) => {
            service.write_state().replace(saved.incidents);
            no_content()
        }
        Err(problem) => error(StatusCode::BAD_REQUEST, &format!("not a list of incidents: {problem}")),
    }
}

async fn reset(State(service): State<Arc<Service>>) -> Response<Body> {
    service.reset();
    no_content()
}

#[derive(Serialize)]
struct Faults {
    faults: Vec<FaultStatus>,
}

fn fault_statuses(service: &Service) -> Vec<FaultStatus> {
    service.faults.all().into_iter().map(|(fault, hits)| FaultStatus { fault: fault.to_string(), hits }).collect()
}

async fn faults(State(service): State<Arc<Service>>) -> Response<Body> {
    json(&Faults { faults: fault_statuses(&service) })
}

#[derive(Deserialize)]
struct NewFault {
    fault: String,
}

async fn add_fault(State(service): State<Arc<Service>>, body: Bytes) -> Response<Body> {
    let fault = serde_json::from_slice(&body).map_err(|problem| problem.to_string());
    let fault = fault.and_then(|new: NewFault| new.fault.parse::<Fault>().map_err(|problem| problem.to_string()));
    match fault {
        Ok(fault) => {
            service.faults.add(fault);
            no_content()
        }
        Err(problem) => error(StatusCode::BAD_REQUEST, &problem),
    }
}

async fn clear_faults(State(service): State<Arc<Service>>) -> Response<Body> {
    service.faults.clear();
    no_content()
}

fn clock_status(service: &Service) -> ClockStatus {
    ClockStatus { now: service.clock.now(), stopped: service.clock.is_fixed() }
}

async fn clock(State(service): State<Arc<Service>>) -> Response<Body> {
    json(&clock_status(&service))
}

#[derive(Deserialize)]
struct NewClock {
    now: DateTime<Utc>,
}

async fn set_clock(State(service): State<Arc<Service>>, body: Bytes) -> Response<Body> {
    match serde_json::from_slice(&body) {
        Ok(NewClock { now }) => {
            service.clock.set(Clock::fixed(now));
            no_content()
        }
        Err(problem) => error(StatusCode::BAD_REQUEST, &problem.to_string()),
    }
}

async fn reset_clock(State(service): State<Arc<Service>>) -> Response<Body> {
    service.clock.reset();
    no_content()
}

/// The `limit` of a query; all if there is none.
fn limit(query: Option<&str>) -> Result<usize, String> {
    let query = query.unwrap_or_default();
    let limit = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "limit");
    limit.map_or(Ok(usize::MAX), |(_, value)| value.parse().map_err(|_| format!("limit: {value:?} is not a number")))
}

fn json(value: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(json) => content("application/json", json),
        Err(problem) => error(StatusCode::INTERNAL_SERVER_ERROR, &problem.to_string()),
    }
}

fn error(status: StatusCode, problem: &str) -> Response<Body> {
    let mut response = content("application/json", serde_json::json!({ "error": problem }).to_string());
    *response.status_mut() = status;
    response
}

fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn content(content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
