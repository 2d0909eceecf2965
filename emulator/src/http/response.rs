//! Responses: the errors in the shapes that are seen in practice, and bodies that break off. It knows nothing of incidents.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use bytes::Bytes;
use coralogix_incidents::{ApiGeneration, types};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::{
    faults::model::{FaultBody, RetryAfter},
    net::connection::{Break, Line},
    proto_json::writer::{Format, encode},
};

/// Larger replies are chunked, and so are all errors: that is what gateways written in Go do.
const CHUNKED_FROM: usize = 2048;

/// How routing errors look: which gateway the vendor runs is not known, so a client must cope with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum GatewayStyle {
    /// grpc-gateway 1.6: 501 `{"error":"Not Implemented","code":12,"message":"Not Implemented"}` for an unknown path and for a
    /// wrong method; a colon in the last segment of a path is taken for a verb.
    V1_6,
    /// grpc-gateway 2.10: 404 `{"code":5,"message":"Not Found","details":[]}` for an unknown path, 501 for a wrong method.
    #[default]
    V2_10,
    /// A front that speaks plain text: 404 `Not Found: Not Found` for an unknown path, 405 with `Allow` for a wrong method.
    PlainText,
}

/// Why a request is not served.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn into_response(self, generation: ApiGeneration, format: Format) -> Response<Body> {
        let mut response = error(self.status, &FaultBody::Documented, &self.message, generation, format);
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// 200 with this JSON.
pub(crate) fn ok(json: Vec<u8>) -> Response<Body> {
    let body = if json.len() > CHUNKED_FROM { Body::new(Chunked::new(json)) } else { Body::from(json) };
    with_type(StatusCode::OK, "application/json", body)
}

/// An error with a body of this kind.
pub(crate) fn error(
    status: StatusCode,
    kind: &FaultBody,
    message: &str,
    generation: ApiGeneration,
    format: Format,
) -> Response<Body> {
    let json = |value: serde_json::Value| ("application/json", value.to_string());
    let (content_type, body) = match kind {
        FaultBody::Documented => {
            let code = if generation == ApiGeneration::V5 { i32::from(status.as_u16()) } else { grpc_code(status) };
            let body = types::Status::default().with_code(code).with_message(message);
            let body = encode(&body, format).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            ("application/json", body.unwrap_or_default())
        }
        FaultBody::Error => json(serde_json::json!({ "error": message })),
        FaultBody::ErrorMessage => json(serde_json::json!({ "error": { "message": message } })),
        FaultBody::Detail => json(serde_json::json!({ "detail": message })),
        FaultBody::Text(text) => ("text/plain; charset=utf-8", text.clone()),
        FaultBody::Html => {
            let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
            let page = format!(
                "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
                 <hr><center>awselb/2.0</center>\r\n</body>\r\n</html>\r\n"
            );
            ("text/html", page)
        }
        FaultBody::Empty => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            return response;
        }
    };
    with_type(status, content_type, Body::new(Chunked::new(body.into_bytes())))
}

/// A path that is not there.
pub(crate) fn unknown_path(gateway: GatewayStyle, format: Format) -> Response<Body> {
    match gateway {
        GatewayStyle::V1_6 => not_implemented(),
        GatewayStyle::V2_10 => {
            error(StatusCode::NOT_FOUND, &FaultBody::Documented, "Not Found", ApiGeneration::V1, format)
        }
        GatewayStyle::PlainText => {
            let body = FaultBody::Text("Not Found: Not Found".to_owned());
            error(StatusCode::NOT_FOUND, &body, "", ApiGeneration::V1, format)
        }
    }
}

/// A path that is there, but not with this method.
pub(crate) fn wrong_method(gateway: GatewayStyle, allowed: &str, format: Format) -> Response<Body> {
    match gateway {
        GatewayStyle::V1_6 => not_implemented(),
        GatewayStyle::V2_10 => {
            error(StatusCode::NOT_IMPLEMENTED, &FaultBody::Documented, "Method Not Allowed", ApiGeneration::V1, format)
        }
        GatewayStyle::PlainText => {
            let body = FaultBody::Text("Method Not Allowed".to_owned());
            let mut response = error(StatusCode::METHOD_NOT_ALLOWED, &body, "", ApiGeneration::V1, format);
            if let Ok(allowed) = HeaderValue::from_str(allowed) {
                response.headers_mut().insert(header::ALLOW, allowed);
            }
            response
        }
    }
}

fn not_implemented() -> Response<Body> {
    let body = r#"{"error":"Not Implemented","code":12,"message":"Not Implemented"}"#;
    with_type(StatusCode::NOT_IMPLEMENTED, "application/json", Body::new(Chunked::new(body.into())))
}

pub(crate) fn with_retry_after(mut response: Response<Body>, wait: RetryAfter) -> Response<Body> {
    let value = match wait {
        RetryAfter::Seconds(seconds) => HeaderValue::from(seconds),
        RetryAfter::Date(wait) => {
            let date = httpdate::fmt_http_date(SystemTime::now() + wait);
            HeaderValue::from_str(&date).unwrap_or(HeaderValue::from_static("1"))
        }
    };
    response.headers_mut().insert(header::RETRY_AFTER, value);
    response
}

fn with_type(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The code that gRPC has for a status, by which v1 reports it.
fn grpc_code(status: StatusCode) -> i32 {
    match status.as_u16() {
        400 => 3,
        401 => 16,
        403 => 7,
        404 => 5,
        409 => 10,
        413 | 429 => 8,
        500 => 13,
        501 => 12,
        503 => 14,
        408 | 504 => 4,
        _ => 2,
    }
}

/// What follows on the part of a body that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Break(Break),
    Stall,
}

/// How the length of a body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    ContentLength,
    Chunked,
}

/// The beginning of a reply, and then its ending.
pub(crate) fn broken(json: Vec<u8>, sent: usize, framing: Framing, ending: Ending, line: Line) -> Response<Body> {
    let length = json.len();
    let mut part = Bytes::from(json);
    part.truncate(sent);
    let body = Body::new(Broken { part: Some(part), ending, line, pause: None });
    let mut response = with_type(StatusCode::OK, "application/json", body);
    if framing == Framing::ContentLength {
        // One more than there is if all of it is sent: it has to stay incomplete.
        let promised = length.max(sent.saturating_add(1));
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(promised));
    }
    response
}

/// A whole body whose length is not told beforehand.
struct Chunked(Option<Bytes>);

impl Chunked {
    fn new(bytes: Vec<u8>) -> Self {
        Self(Some(bytes.into()))
    }
}

impl HttpBody for Chunked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// A body that never ends.
struct Broken {
    part: Option<Bytes>,
    ending: Ending,
    line: Line,
    pause: Option<Pin<Box<Sleep>>>,
}

/// How long a peer has to take in what was sent before a reset: one that arrives at the same time may swallow it.
const BEFORE_RESET: Duration = Duration::from_millis(20);

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(part) = self.part.take().filter(|part| !part.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        if let Ending::Break(how) = self.ending {
            let pause = if how == Break::Reset { BEFORE_RESET } else { Duration::ZERO };
            ready!(self.pause.get_or_insert_with(|| Box::pin(sleep(pause))).as_mut().poll(cx));
            self.line.break_off(how);
            self.ending = Ending::Stall;
        }
        Poll::Pending
    }
}
