//! Responses: JSON, errors in the shapes that gateways and proxies send, and routing errors in the style of each gateway. It
//! knows nothing of incidents.

use std::time::SystemTime;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use coralogix_incidents::{ApiGeneration, types};

use crate::{
    domain::error::Rejection,
    faults::{
        body::{ControlledBody, Ending},
        model::{FaultBody, RetryAfter},
    },
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

    pub(crate) fn into_response(self, generation: ApiGeneration, format: Format) -> Response {
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
pub(crate) fn ok(json: Vec<u8>) -> Response {
    let body = if json.len() > CHUNKED_FROM { chunked(json) } else { Body::from(json) };
    with_type(StatusCode::OK, "application/json", body)
}

/// An error response with a body of this kind.
pub(crate) fn error(
    status: StatusCode,
    kind: &FaultBody,
    message: &str,
    generation: ApiGeneration,
    format: Format,
) -> Response {
    let json = |value: serde_json::Value| ("application/json", value.to_string());
    let (content_type, body) = match kind {
        FaultBody::Documented => {
            let code = if generation == ApiGeneration::V5 { i32::from(status.as_u16()) } else { grpc_code(status) };
            let body = types::Status::default().with_code(code).with_message(message);
            return with_type(
                status,
                "application/json",
                chunked(json_writer::write(&body, format).unwrap_or_default()),
            );
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
        FaultBody::Empty => return status.into_response(),
    };
    with_type(status, content_type, chunked(body))
}

/// The response to a path that does not exist.
pub(crate) fn unknown_path(gateway: GatewayStyle, format: Format) -> Response {
    match gateway {
        GatewayStyle::V1_6 => not_implemented(),
        GatewayStyle::V2_10 => {
            HttpError::new(StatusCode::NOT_FOUND, "Not Found").into_response(ApiGeneration::V1, format)
        }
        GatewayStyle::PlainText => plain_text(StatusCode::NOT_FOUND, "Not Found: Not Found"),
    }
}

/// The response to a path that exists, but not with the method of the request.
pub(crate) fn wrong_method(gateway: GatewayStyle, allowed: &str, format: Format) -> Response {
    match gateway {
        GatewayStyle::V1_6 => not_implemented(),
        GatewayStyle::V2_10 => {
            let error = HttpError::new(StatusCode::NOT_IMPLEMENTED, "Method Not Allowed");
            error.into_response(ApiGeneration::V1, format)
        }
        GatewayStyle::PlainText => {
            let response = plain_text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
            ([(header::ALLOW, allowed)], response).into_response()
        }
    }
}

fn not_implemented() -> Response {
    let body = r#"{"error":"Not Implemented","code":12,"message":"Not Implemented"}"#;
    with_type(StatusCode::NOT_IMPLEMENTED, "application/json", chunked(body))
}

fn plain_text(status: StatusCode, text: &'static str) -> Response {
    with_type(status, "text/plain; charset=utf-8", chunked(text))
}

pub(crate) fn with_retry_after(response: Response, wait: Option<RetryAfter>) -> Response {
    let value = match wait {
        None => return response,
        Some(RetryAfter::Seconds(seconds)) => seconds.to_string(),
        Some(RetryAfter::Date(wait)) => httpdate::fmt_http_date(SystemTime::now() + wait),
    };
    ([(header::RETRY_AFTER, value)], response).into_response()
}

fn with_type(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

fn chunked(body: impl Into<Bytes>) -> Body {
    Body::new(ControlledBody::new(body.into(), Ending::Complete))
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

/// A 200 response that is cut off or stalls after `sent` bytes of its body.
pub(crate) fn incomplete(json: Vec<u8>, sent: usize, chunked: bool, ending: Ending) -> Response {
    let length = json.len();
    let mut part = Bytes::from(json);
    part.truncate(sent);
    let mut response = with_type(StatusCode::OK, "application/json", Body::new(ControlledBody::new(part, ending)));
    if !chunked {
        // More than what is sent, also where all of the body is sent: the response has to stay incomplete.
        let promised = length.max(sent.saturating_add(1));
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(promised));
    }
    response
}
