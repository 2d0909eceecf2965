//! The decoding of paths before they are routed. It knows nothing of routes.

use axum::{extract::Request, http::Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The path and query of a request as they were received, where [`decode_path`] changed them.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedUri(pub(crate) Uri);

/// Everything in a path segment that axum's router compares as text.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/');

/// Routes a path by what it means, as gateways do: `/v1/incidents%3Aunassign` is `/v1/incidents:unassign`, and `%2F` is a slash.
/// axum compares paths as they are written.
pub(crate) fn decode_path(mut request: Request) -> Request {
    let uri = request.uri();
    if !uri.path().contains('%') {
        return request;
    }
    let decoded = percent_decode_str(uri.path()).decode_utf8_lossy();
    let mut rewritten = utf8_percent_encode(&decoded, ESCAPED).to_string();
    if let Some(query) = uri.query() {
        rewritten.push('?');
        rewritten.push_str(query);
    }
    if let Ok(rewritten) = rewritten.parse() {
        let received = std::mem::replace(request.uri_mut(), rewritten);
        request.extensions_mut().insert(ReceivedUri(received));
    }
    request
}
