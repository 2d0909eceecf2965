//! What a response with an error status says. It knows the many shapes of an error body, and nothing of connections.

use std::{fmt::Write, time::Duration};

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::{
    Call,
    text::{non_blank, one_line, strip_prefix_ignoring_case, title},
};
use crate::types;

/// What a response with an error status says.
#[derive(Debug, Default)]
pub(super) struct ErrorResponse {
    pub(super) code: Option<i32>,
    pub(super) message: Option<String>,
    pub(super) details: Vec<types::Any>,
    pub(super) retry_after: Option<Duration>,
    pub(super) unknown_route: bool,
}

impl ErrorResponse {
    /// Reads an error response, whatever its body is. `text` is the body without the API key.
    pub(super) fn new(
        call: &Call,
        status: StatusCode,
        headers: &HeaderMap,
        text: &str,
        redact: impl Fn(String) -> String,
        retry_after: Option<Duration>,
    ) -> Self {
        let html = text.trim_start().starts_with('<')
            || headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
        let mut response = Self { retry_after, ..Self::default() };
        match serde_json::from_str(text) {
            Ok(value) => response.read(&value),
            Err(_) if html => response.message = title(text),
            Err(_) => response.message = non_blank(text),
        }
        if let Some(location) = headers.get(header::LOCATION).filter(|_| status.is_redirection()) {
            let location = String::from_utf8_lossy(location.as_bytes());
            let location = location.split(['?', '#']).next().unwrap_or_default();
            response.message = Some(redact(format!("a redirect to {location}, which is not followed")));
        }
        response.unknown_route = response.is_unknown_route(call, status, html);
        response
    }

    /// The shapes that occur: `{code, message, details}`, `{error, code, message}`, `{error: {message}}`, `{detail}`, a string.
    fn read(&mut self, value: &Value) {
        let inner = value.get("error").filter(|error| error.is_object()).unwrap_or(value);
        self.code = inner.get("code").and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok());
        let texts = [inner.get("message"), value.get("error"), value.get("detail"), Some(value)];
        self.message = texts.into_iter().flatten().filter_map(Value::as_str).find_map(non_blank);
        let details = inner.get("details").and_then(Value::as_array).into_iter().flatten();
        self.details = details.filter_map(|detail| serde_json::from_value(detail.clone()).ok()).collect();
    }

    /// "Not Found: Not Found" is the gateway's word for an unknown route, "Not Found: anything else" the service's for an
    /// unknown resource. Older gateways answer 501, some 405.
    fn is_unknown_route(&self, call: &Call, status: StatusCode, html: bool) -> bool {
        match status {
            StatusCode::NOT_IMPLEMENTED | StatusCode::METHOD_NOT_ALLOWED => true,
            StatusCode::NOT_FOUND => match &self.message {
                _ if html => true,
                Some(message) => {
                    let reason = message.trim().trim_end_matches('.');
                    let reason = strip_prefix_ignoring_case(reason, "not found:").unwrap_or(reason).trim();
                    // In lower case it is a service's own sentence; "404 page not found" is what Go's proxies say.
                    ["", "Not Found", "page not found", "404 page not found"].contains(&reason)
                }
                // Nothing said: where the path names an incident, that is the likelier thing to be missing.
                None => {
                    let binding = call.operation.binding(call.generation);
                    binding.is_some_and(|binding| !binding.path.contains('{'))
                }
            },
            _ => false,
        }
    }

    /// What happened and what to do about it, on one line.
    pub(super) fn describe(&self, call: &Call, status: StatusCode) -> String {
        let Call { operation, authority: host, generation, .. } = call;
        let verb = if status.is_client_error() { "was refused by" } else { "failed at" };
        let mut line = format!("{} {verb} {host}: {status}", operation.id);
        if let Some(message) = &self.message {
            // "404 Not Found: Not Found: no such incident" says it twice.
            let reason = status.canonical_reason().unwrap_or_default();
            let rest = strip_prefix_ignoring_case(message, reason).unwrap_or(message);
            let rest = rest.trim_start_matches(':').trim();
            if !rest.is_empty() && !rest.eq_ignore_ascii_case(reason) {
                let _ = write!(line, ": {}", one_line(rest));
            }
        }
        if self.unknown_route {
            let other = generation.other();
            line.push_str("; the host does not know this path: check the base URL");
            if operation.binding(other).is_some() {
                let _ = write!(line, ", or try API generation {other}");
            }
        } else if status == StatusCode::UNAUTHORIZED {
            line.push_str("; check the API key and that it belongs to this region");
        } else if status == StatusCode::FORBIDDEN {
            let _ = write!(line, "; the key needs {}", operation.permission);
            if ["incidents:assign", "incidents:acknowledge"].contains(&operation.permission) {
                line.push_str(" and must be a personal one, not a team's");
            }
        }
        if status == StatusCode::TOO_MANY_REQUESTS && !call.retryable {
            line.push_str("; ask for fewer incidents at once");
        }
        if let Some(retry_after) = self.retry_after {
            let _ = write!(line, "; retry after {} s", retry_after.as_secs_f64().ceil());
        }
        line
    }
}
