//! What a gateway makes of a request's method and path before it routes the request. It knows nothing of routes.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, Uri, header},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::proto_json::query_reader::invalid_escape;

/// The media type of an HTML form.
const FORM: &str = "application/x-www-form-urlencoded";

/// The method and URI of a request as they were received, where [`prepare`] changed one of them.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedHead {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
}

/// Everything in a path segment that axum's router compares as text.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/');

/// Decodes the path, and applies `X-HTTP-Method-Override`. Returns `None` if the path is not percent-encoded correctly.
pub(crate) fn prepare(mut request: Request) -> Option<Request> {
    if invalid_escape(request.uri().path()).is_some() {
        return None;
    }
    let (uri, method) = (decoded(request.uri()), overridden(&request));
    if uri.is_none() && method.is_none() {
        return Some(request);
    }
    let received = ReceivedHead { method: request.method().clone(), uri: request.uri().clone() };
    if let Some(uri) = uri {
        *request.uri_mut() = uri;
    }
    if let Some(method) = method {
        *request.method_mut() = method;
    }
    request.extensions_mut().insert(received);
    Some(request)
}

/// Whether a gateway takes the body of this request for a query that was too long for a URL.
pub(crate) fn is_long_query(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::POST && headers.get(header::CONTENT_TYPE).is_some_and(|value| value == FORM)
}

/// Whether the body is a form. Unlike [`is_long_query`], Go's library also reads the parameters of the media type here.
pub(crate) fn is_form(method: &Method, headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    method == Method::POST && media_type.trim().eq_ignore_ascii_case(FORM)
}

fn overridden(request: &Request) -> Option<Method> {
    let method = request.headers().get("x-http-method-override")?;
    let method = method.to_str().ok().filter(|_| is_long_query(request.method(), request.headers()))?;
    method.to_ascii_uppercase().parse().ok()
}

/// Routes a path by what it means, as gateways do: `/v1/incidents%3Aunassign` is `/v1/incidents:unassign`, and `%2F` is a slash.
/// axum compares paths as they are written.
fn decoded(uri: &Uri) -> Option<Uri> {
    if !uri.path().contains('%') {
        return None;
    }
    let decoded = percent_decode_str(uri.path()).decode_utf8_lossy();
    let mut rewritten = utf8_percent_encode(&decoded, ESCAPED).to_string();
    if let Some(query) = uri.query() {
        rewritten.push('?');
        rewritten.push_str(query);
    }
    rewritten.parse().ok()
}
