//! One request, from its arrival to its response: key, faults, operation, log. It knows nothing of incidents.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, StatusCode, Uri, request::Parts},
    response::Response,
};
use bytes::Bytes;
use coralogix_incidents::{Binding, Idempotency, Operation};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::sleep;

use super::{
    auth::{Key, authenticate, authorize},
    head::{ReceivedHead, is_form, is_long_query},
    operations::{Call, Handler, OperationResult},
    quirk::Quirk,
    request::RequestParts,
    response::{self, GatewayStyle, HttpError},
    service::Service,
};
use crate::{
    faults::{
        body::Ending,
        model::{Effect, FaultAction},
    },
    log::{Answer, Entry, LoggedRequest},
    net::connection::ConnectionControl,
};

/// An operation in one generation.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) operation: &'static Operation,
    pub(crate) binding: &'static Binding,
    pub(crate) method: Method,
    /// Whether the request message is the body. Otherwise, it is the query.
    pub(crate) has_body: bool,
    pub(crate) handler: Handler,
}

impl Route {
    /// The ids of incidents that a request names, for the log. The id of an event is none.
    fn incident_ids(&self, parts: &RequestParts) -> Vec<String> {
        match self.operation.incident_ids() {
            None => Vec::new(),
            Some(_) if self.binding.path().contains('{') => parts.path_parameter.iter().cloned().collect(),
            Some(member) => parts.texts(member),
        }
    }
}

/// A request whose body was read.
struct Received<'a> {
    head: Parts,
    body: Result<Bytes, HttpError>,
    arrived: Instant,
    key: Option<&'a Key>,
    connection: ConnectionControl,
}

impl<'a> Received<'a> {
    async fn read(service: &'a Service, request: Request) -> Self {
        let (head, body) = request.into_parts();
        let key = authenticate(&service.keys, &head.headers);
        let body = read_body(body, service.max_body_bytes).await;
        let connection = head.extensions.get::<ConnectionControl>().cloned().unwrap_or_default();
        Self { head, body, arrived: Instant::now(), key, connection }
    }

    /// The method and URI that the client sent.
    fn sent(&self) -> (&Method, &Uri) {
        let received = self.head.extensions.get::<ReceivedHead>();
        received.map_or((&self.head.method, &self.head.uri), |ReceivedHead { method, uri }| (method, uri))
    }

    /// Adds the request to the log.
    fn log(&self, service: &Service, route: Option<(&Route, &RequestParts)>) -> Entry {
        let (method, uri) = self.sent();
        service.log.begin(LoggedRequest {
            received_at: service.now(),
            operation_id: route.map(|(route, _)| route.operation.id()),
            generation: route.map(|(route, _)| route.binding.generation()),
            method: method.to_string(),
            path: uri.path_and_query().map_or_else(String::new, ToString::to_string),
            correlation_id: header_text(&self.head.headers, "x-cx-correlation-id"),
            ids: route.map(|(route, parts)| route.incident_ids(parts)).unwrap_or_default(),
            key_owner: self.key.map(|key| key.owner().to_owned()),
            changed: Vec::new(),
            answer: Answer::Pending,
        })
    }
}

/// Answers a request whose path no operation has.
pub(crate) async fn serve_unknown_path(service: &Service, request: Request) -> Response {
    let received = Received::read(service, request).await;
    unrouted(service, &received, response::unknown_path(service.gateway, service.format)).await
}

/// Answers a request whose path has these routes.
pub(crate) async fn serve_path(
    service: &Service,
    routes: &[Route],
    parameter: Option<String>,
    request: Request,
) -> Response {
    let with_method = |method: &Method| routes.iter().find(|route| route.method == *method);
    let long_query = is_long_query(request.method(), request.headers());
    let route = with_method(request.method()).or_else(|| with_method(&Method::GET).filter(|_| long_query));
    let received = Received::read(service, request).await;
    let Some(route) = route else {
        let allowed: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
        let response = response::wrong_method(service.gateway, &allowed.join(", "), service.format);
        return unrouted(service, &received, response).await;
    };
    // grpc-gateway 1.6 takes a colon in the last segment of a path for the beginning of a verb.
    if service.gateway == GatewayStyle::V1_6
        && route.binding.path().ends_with('}')
        && parameter.as_ref().is_some_and(|value| value.contains(':'))
    {
        return unrouted(service, &received, response::unknown_path(service.gateway, service.format)).await;
    }
    let parts = parts(route, parameter, &received);
    serve(service, route, &parts, received).await
}

async fn unrouted(service: &Service, received: &Received<'_>, response: Response) -> Response {
    let entry = received.log(service, None);
    wait(received.arrived, service.latency).await;
    answer(&entry, response)
}

async fn serve(service: &Service, route: &Route, parts: &RequestParts, received: Received<'_>) -> Response {
    let entry = received.log(service, Some((route, parts)));
    let generation = route.binding.generation();
    let plan = service.faults.plan(route.operation.id());
    let respond = |result: Result<OperationResult, HttpError>| match result {
        Ok(result) => response::ok(result.json),
        Err(error) => error.into_response(generation, service.format),
    };
    let result = if matches!(plan.action, Some((_, Effect::NotApplied))) {
        Ok(OperationResult { json: b"{}".to_vec(), changed: Vec::new() })
    } else {
        let body = received.body.as_ref().map_err(HttpError::clone);
        body.and_then(|_| perform(service, route, parts, received.key))
    };
    if let Ok(result) = &result
        && !result.changed.is_empty()
    {
        entry.update(|request| request.changed.clone_from(&result.changed));
    }
    wait(received.arrived, service.latency.saturating_add(plan.delay)).await;
    let (after, chunked, ending) = match plan.action {
        None => return answer(&entry, respond(result)),
        Some((FaultAction::Status { status, body, retry_after }, _)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let message = status.canonical_reason().unwrap_or("fault").to_lowercase();
            let response = response::error(status, &body, &message, generation, service.format);
            return answer(&entry, response::with_retry_after(response, retry_after));
        }
        Some((FaultAction::Cut { after, chunked, ending }, _)) => (after, chunked, ending),
    };
    let Some(sent) = after else {
        entry.set_answer(Answer::Lost);
        if let Some(how) = ending {
            received.connection.disconnect(how);
        }
        // Never answers. The connection is ended, or stays open until the client or the emulator ends it.
        return pending().await;
    };
    match result {
        Ok(result) => {
            entry.set_answer(Answer::Broken(200));
            let ending = ending.map_or(Ending::Stall, |how| Ending::Disconnect(how, received.connection));
            response::incomplete(result.json, sent, chunked, ending)
        }
        // An error response is sent whole: such a fault is about the body of a 200.
        error => answer(&entry, respond(error)),
    }
}

fn perform(
    service: &Service,
    route: &Route,
    parts: &RequestParts,
    key: Option<&Key>,
) -> Result<OperationResult, HttpError> {
    let key = authorize(key, route.operation)?;
    let mut result = (route.handler)(&Call { service, binding: route.binding, parts, user: key.owner() })?;
    if service.has(Quirk::EmptyResponses) && route.operation.idempotency() != Idempotency::Safe {
        result.json.clear();
    }
    Ok(result)
}

fn parts(route: &Route, parameter: Option<String>, received: &Received<'_>) -> RequestParts {
    let empty = Bytes::new();
    let body = received.body.as_ref().unwrap_or(&empty);
    let query = received.head.uri.query().unwrap_or_default();
    if route.has_body {
        RequestParts::with_body(parameter, body)
    } else if is_form(received.sent().0, &received.head.headers) {
        RequestParts::with_query(parameter, &[&String::from_utf8_lossy(body), query].join("&"))
    } else {
        RequestParts::with_query(parameter, query)
    }
}

fn answer(entry: &Entry, response: Response) -> Response {
    entry.set_answer(Answer::Status(response.status().as_u16()));
    response
}

/// Waits until this long after the arrival of a request.
async fn wait(arrived: Instant, wait: Duration) {
    if !wait.is_zero() {
        sleep(wait.saturating_sub(arrived.elapsed())).await;
    }
}

/// Reads the whole body. One that is over the limit is read to its end all the same, up to a second limit: a client that is still
/// sending does not see the response.
async fn read_body(body: Body, limit: usize) -> Result<Bytes, HttpError> {
    const MAX_DISCARDED: usize = 64 * 1024 * 1024;
    let mut body = Limited::new(body, limit.saturating_add(MAX_DISCARDED));
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let data = frame.into_data().unwrap_or_default();
                length += data.len();
                if length <= limit {
                    bytes.extend_from_slice(&data);
                }
            }
            Err(problem) if problem.is::<LengthLimitError>() => break,
            Err(problem) => return Err(HttpError::bad_request(format!("unreadable request body: {problem}"))),
        }
    }
    if length > limit {
        let message = format!("request body of more than {limit} bytes");
        return Err(HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    Ok(bytes.into())
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
