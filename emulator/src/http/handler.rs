//! One request, from its arrival to its answer: key, faults, handler, log. It knows nothing of incidents.

use std::{
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, Response, StatusCode, header},
};
use bytes::Bytes;
use coralogix_incidents::ApiGeneration;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::sleep;

use crate::{
    faults::model::{Act, Effect},
    http::auth::{Key, Kind},
    http::operations::{Call, Done},
    http::request::Parts,
    http::response::{self, Ending, Framing, GatewayStyle, Refusal},
    http::router::{BASE_PATH, Route},
    log::{Answer, EntryId, LoggedRequest},
    net::connection::{Break, Line},
    service::Service,
};

/// Operations that have to know which user acts, so that a team's key does not do. Unassigning goes by the same permission as
/// assigning, but the document refuses team keys only for these two.
const PERSONAL: [(&str, &str); 2] = [("assignIncidents", "assign"), ("acknowledgeIncidents", "acknowledge")];

/// Answers a request to this route, or to none.
pub(crate) async fn serve(service: &Arc<Service>, route: Option<&Route>, request: Request) -> Response<Body> {
    let line = request.extensions().get::<Line>().cloned().unwrap_or_default();
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let key = key(service, &head.headers);
    let body = read(body, service.max_body_bytes).await;
    let arrived = Instant::now();
    let route = route.and_then(|route| reroute(service, route, path, &head.headers, body.as_ref().ok()));
    let empty = Bytes::new();
    let parts = route.map(|route| {
        let path = path.strip_prefix(BASE_PATH).unwrap_or(path);
        Parts::new(route.path, path, &head.uri, body.as_ref().unwrap_or(&empty))
    });
    let entry = service.log.begin(LoggedRequest {
        operation_id: route.map(|route| route.operation.id()),
        generation: route.map(|route| route.generation),
        method: head.method.to_string(),
        path: head.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        correlation_id: header_text(&head.headers, "x-cx-correlation-id"),
        ids: parts.as_ref().map(Parts::ids).unwrap_or_default(),
        key_owner: key.map(|key| key.owner.clone()),
        changed: Vec::new(),
        answer: Answer::Pending,
    });
    let (Some(route), Some(parts)) = (route, parts) else {
        hold(arrived, service.latency).await;
        return answered(service, entry, unrouted(service, &head.method, path));
    };

    let plan = service.faults.decide(route.operation.id());
    let respond = |result: Result<Done, Refusal>| match result {
        Ok(done) => response::ok(done.json),
        Err(refusal) => refusal.into_response(route.generation, service.format),
    };
    let work = || {
        let done = body.as_ref().map_err(|refusal| Refusal::new(refusal.status, refusal.message.clone()));
        let done = done.and_then(|_| perform(service, route, &parts, key));
        if let Ok(done) = &done
            && !done.changed.is_empty()
        {
            service.log.update(entry, |request| request.changed.clone_from(&done.changed));
        }
        done
    };
    let done = match plan.act {
        None | Some((_, Effect::Applied)) => work(),
        Some((_, Effect::NotApplied)) => Ok(Done { json: b"{}".to_vec(), changed: Vec::new() }),
    };
    hold(arrived, service.latency.saturating_add(plan.delay)).await;
    let Some((act, _)) = plan.act else { return answered(service, entry, respond(done)) };
    let (sent, framing, ending) = match act {
        Act::Status { status, body, retry_after } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let message = status.canonical_reason().unwrap_or("fault").to_lowercase();
            let response = response::error(status, &body, &message, route.generation, service.format);
            let response = match retry_after {
                Some(wait) => response::with_retry_after(response, wait),
                None => response,
            };
            return answered(service, entry, response);
        }
        Act::Lose => return lost(service, entry, &line, Some(Break::Close)).await,
        Act::Reset => return lost(service, entry, &line, Some(Break::Reset)).await,
        Act::StallHeaders => return lost(service, entry, &line, None).await,
        Act::ResetBody(sent) => (sent, Framing::ContentLength, Ending::Break(Break::Reset)),
        Act::Truncate(sent) => (sent, Framing::ContentLength, Ending::Break(Break::Close)),
        Act::TruncateChunked(sent) => (sent, Framing::Chunked, Ending::Break(Break::Close)),
        Act::StallBody(sent) => (sent, Framing::ContentLength, Ending::Stall),
    };
    match done {
        Ok(done) => {
            service.log.update(entry, |request| request.answer = Answer::Broken(200));
            response::broken(done.json, sent, framing, ending, line)
        }
        // A refusal is answered as it is: there is no reply to break.
        refused => answered(service, entry, respond(refused)),
    }
}

fn answered(service: &Service, entry: EntryId, response: Response<Body>) -> Response<Body> {
    service.log.update(entry, |request| request.answer = Answer::Status(response.status().as_u16()));
    response
}

/// Never answers. The connection breaks, or stays until the client or the emulator ends it.
async fn lost(service: &Service, entry: EntryId, line: &Line, how: Option<Break>) -> Response<Body> {
    service.log.update(entry, |request| request.answer = Answer::Lost);
    if let Some(how) = how {
        line.break_off(how);
    }
    pending().await
}

/// Waits until so long after the arrival of a request.
async fn hold(arrived: Instant, wait: Duration) {
    if !wait.is_zero() {
        sleep(wait.saturating_sub(arrived.elapsed())).await;
    }
}

/// The whole body. One over the limit is read to its end all the same, within reason: a client that is still sending does not
/// see an answer.
async fn read(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    const PATIENCE: usize = 64 * 1024 * 1024;
    let mut body = Limited::new(body, limit.saturating_add(PATIENCE));
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
            Err(problem) => return Err(Refusal::bad_request(format!("unreadable request body: {problem}"))),
        }
    }
    if length > limit {
        let message = format!("request body of more than {limit} bytes");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    Ok(bytes.into())
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The key of a bearer token, if it is one of ours.
fn key<'a>(service: &'a Service, headers: &HeaderMap) -> Option<&'a Key> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") { service.keys.get(token.trim()) } else { None }
}

/// Where a gateway sends a request that matches this route.
fn reroute<'a>(
    service: &'a Service,
    route: &'a Route,
    path: &str,
    headers: &HeaderMap,
    body: Option<&Bytes>,
) -> Option<&'a Route> {
    // A gateway decodes the path before it takes it apart, so that an escaped slash is a slash.
    if path.to_ascii_lowercase().contains("%2f") {
        return None;
    }
    if service.gateway == GatewayStyle::V1_6 && route.path.ends_with('}') {
        let last = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        if last.contains(':') || last.contains("%3a") {
            return None;
        }
    }
    // A POST that does not say that its body is JSON is taken for a form, and a form for a GET.
    if route.method == Method::POST && body.is_none_or(|body| !body.is_empty()) && !is_json(headers) {
        return service.routes.iter().find(|other| other.method == Method::GET && other.path == route.path);
    }
    Some(route)
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

fn unrouted(service: &Service, method: &Method, path: &str) -> Response<Body> {
    let path = path.strip_prefix(BASE_PATH).unwrap_or_default();
    let same_path = service.routes.iter().filter(|route| matches(route.path, path) && route.method != *method);
    let allowed: Vec<&str> = same_path.map(|route| route.method.as_str()).collect();
    if allowed.is_empty() {
        response::unknown_path(service.gateway, service.format)
    } else {
        response::wrong_method(service.gateway, &allowed.join(", "), service.format)
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (mut expected, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (expected.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(segment)) if part == segment || part.starts_with('{') && !segment.is_empty() => {}
            _ => return false,
        }
    }
}

fn perform(service: &Service, route: &Route, parts: &Parts, key: Option<&Key>) -> Result<Done, Refusal> {
    let Some(key) = key else { return Err(Refusal::new(StatusCode::UNAUTHORIZED, "invalid API key")) };
    let permission = route.operation.permission();
    if !key.permissions.contains(permission) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, format!("the API key lacks the permission {permission}")));
    }
    if key.kind == Kind::Team
        && let Some((_, verb)) = PERSONAL.iter().find(|(id, _)| *id == route.operation.id())
    {
        return Err(Refusal::new(StatusCode::FORBIDDEN, format!("team API keys cannot {verb} incidents")));
    }
    let generation: ApiGeneration = route.generation;
    let ids_in_query = route.method != Method::POST;
    (route.handler)(&Call { service, generation, ids_in_query, parts, user: &key.owner })
}
