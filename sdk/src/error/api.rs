//! An error response, whatever its body is. It knows the service's many shapes of one, and nothing of connections.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::{
    Call,
    text::{KEPT_BODY, cut, non_blank, one_line, strip_prefix_ignoring_case, title},
};
use crate::types;

/// The service, or something before it, answered with an error.
#[derive(Debug)]
pub struct ApiError {
    pub(crate) call: Call,
    pub(crate) status: StatusCode,
    pub(super) code: Option<i32>,
    pub(super) message: Option<String>,
    pub(super) details: Vec<types::Any>,
    pub(super) body: String,
    html: bool,
    pub(super) retry_after: Option<Duration>,
}

impl ApiError {
    /// Reads an error response, whatever its body is.
    pub(crate) fn new(
        call: Call,
        status: StatusCode,
        headers: &HeaderMap,
        body: &Bytes,
        redact: impl Fn(String) -> String,
        retry_after: Option<Duration>,
    ) -> Self {
        let text = redact(String::from_utf8_lossy(body).into_owned());
        let html = text.trim_start().starts_with('<')
            || headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
        let mut error = Self {
            call,
            status,
            code: None,
            message: None,
            details: Vec::new(),
            body: String::new(),
            html,
            retry_after,
        };
        match serde_json::from_str(&text) {
            Ok(value) => error.read(&value),
            Err(_) if html => error.message = title(&text),
            Err(_) => error.message = non_blank(&text),
        }
        if let Some(location) = headers.get(header::LOCATION).filter(|_| status.is_redirection()) {
            let location = String::from_utf8_lossy(location.as_bytes());
            let location = location.split(['?', '#']).next().unwrap_or_default();
            error.message = Some(redact(format!("a redirect to {location}, which is not followed")));
        }
        error.body = cut(text, KEPT_BODY);
        error
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
    pub(super) fn is_unknown_route(&self) -> bool {
        match self.status {
            StatusCode::NOT_IMPLEMENTED | StatusCode::METHOD_NOT_ALLOWED => true,
            StatusCode::NOT_FOUND => match &self.message {
                _ if self.html => true,
                Some(message) => {
                    let reason = message.trim().trim_end_matches('.');
                    let reason = strip_prefix_ignoring_case(reason, "not found:").unwrap_or(reason).trim();
                    // In lower case it is a service's own sentence; "404 page not found" is what Go's proxies say.
                    ["", "Not Found", "page not found", "404 page not found"].contains(&reason)
                }
                // Nothing said: where the path names an incident, that is the likelier thing to be missing.
                None => {
                    let binding = self.call.operation.binding(self.call.generation);
                    binding.is_some_and(|binding| !binding.path.contains('{'))
                }
            },
            _ => false,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call { operation, authority: host, generation, .. } = &self.call;
        let verb = if self.status.is_client_error() { "was refused by" } else { "failed at" };
        write!(f, "{} {verb} {host}: {}", operation.id, self.status)?;
        if let Some(message) = &self.message {
            // "404 Not Found: Not Found: no such incident" says it twice.
            let reason = self.status.canonical_reason().unwrap_or_default();
            let rest = strip_prefix_ignoring_case(message, reason).unwrap_or(message);
            let rest = rest.trim_start_matches(':').trim();
            if !rest.is_empty() && !rest.eq_ignore_ascii_case(reason) {
                write!(f, ": {}", one_line(rest))?;
            }
        }
        if self.is_unknown_route() {
            let other = generation.other();
            f.write_str("; the host does not know this path: check the base URL")?;
            if operation.binding(other).is_some() {
                write!(f, ", or try API generation {other}")?;
            }
        } else if self.status == StatusCode::UNAUTHORIZED {
            f.write_str("; check the API key and that it belongs to this region")?;
        } else if self.status == StatusCode::FORBIDDEN {
            write!(f, "; the key needs {}", operation.permission)?;
            if ["incidents:assign", "incidents:acknowledge"].contains(&operation.permission) {
                f.write_str(" and must be a personal one, not a team's")?;
            }
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS && !self.call.retryable {
            f.write_str("; ask for fewer incidents at once")?;
        }
        if let Some(retry_after) = self.retry_after {
            write!(f, "; retry after {} s", retry_after.as_secs_f64().ceil())?;
        }
        self.call.fmt_effect(f)
    }
}
