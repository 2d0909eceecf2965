//! Responses: JSON, errors in the shapes that gateways and proxies send, and routing errors in the style of each gateway. It
//! knows nothing of incidents.

use std::time::SystemTime;

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use bytes::Bytes;
use coralogix_incidents::{ApiGeneration, types};

use crate::{
    domain::error::Rejection,
    faults::{
        body::{ChunkedBody, Ending, IncompleteBody},
        model::{FaultBody, RetryAfter},
    },
    net::connection::ConnectionControl,
    proto_json::json_writer::{self, Format},
};

/// Responses larger than this are chunked, and so are all errors, as those of gateways written in Go are.
const CHUNKED_FROM: usize = 2048;

/// How routing errors look. Which gateway the service runs is not documented, so a client must handle each of them.
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

/// An error response: its status and the message in its body.
#[derive(Debug, Clone)]
pub(crate) struct HttpError {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl HttpError {
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

impl From<Rejection> for HttpError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::InvalidArgument(message) => Self::new(StatusCode::BAD_REQUEST, message),
            Rejection::NotFound(message) => Self::new(StatusCode::NOT_FOUND, message),
        }
    }
}

/// 200 with this JSON.
pub(crate) fn ok(json: Vec<u8>) -> Response<Body> {
    let body = if json.len() > CHUNKED_FROM { Body::new(ChunkedBody::new(json)) } else { Body::from(json) };
    with_type(StatusCode::OK, "application/json", body)
}

/// An error response with a body of this kind.
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
            let body = json_writer::write(&body, format).ok().and_then(|bytes| String::from_utf8(bytes).ok());
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
    with_type(status, content_type, Body::new(ChunkedBody::new(body.into_bytes())))
}

/// The response to a path that does not exist.
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

/// The response to a path that exists, but not with the method of the request.
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
    with_type(StatusCode::NOT_IMPLEMENTED, "application/json", Body::new(ChunkedBody::new(body.into())))
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

/// The gRPC code of an HTTP status: V1 reports errors by it.
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

/// How the end of a body is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    ContentLength,
    Chunked,
}

/// A 200 response that is cut off or stalls after `sent` bytes of its body.
pub(crate) fn incomplete(
    json: Vec<u8>,
    sent: usize,
    framing: Framing,
    ending: Ending,
    connection: ConnectionControl,
) -> Response<Body> {
    let length = json.len();
    let mut part = Bytes::from(json);
    part.truncate(sent);
    let body = Body::new(IncompleteBody::new(part, ending, connection));
    let mut response = with_type(StatusCode::OK, "application/json", body);
    if framing == Framing::ContentLength {
        // More than what is sent, also where all of the body is sent: the response has to stay incomplete.
        let promised = length.max(sent.saturating_add(1));
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(promised));
    }
    response
}
