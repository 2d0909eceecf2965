//! Reads a response with an error status: its message, its details, and whether the service or a gateway sent it. This module
//! must not know of connections.

use std::{
    fmt::Write,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use super::{
    Call,
    text::{is_binary, is_html, non_blank, one_line, strip_prefix_ignoring_case, title, without_byte_order_mark},
};
use crate::{Idempotency, headers, types, wire};

/// The parsed content of a response with an error status.
#[derive(Debug, Default)]
pub(super) struct ErrorResponse {
    pub(super) code: Option<i32>,
    pub(super) message: Option<String>,
    pub(super) details: Vec<types::Any>,
    pub(super) retry_after: Option<Duration>,
    pub(super) route_unknown: RouteUnknown,
    /// The response is about an incident that does not exist.
    pub(super) not_found: bool,
    /// The response is about what the key may do.
    pub(super) permission_denied: bool,
    format: Format,
}

/// Whether a response says that the host does not know the route of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RouteUnknown {
    /// The response proves it, so nothing was changed.
    Certain,
    /// Either that, or the resource named by the request does not exist.
    Possible,
    #[default]
    No,
}

/// The format of an error body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Format {
    /// One of the shapes in which the service reports errors.
    Service,
    /// No information: empty, without members, or truncated.
    #[default]
    Nothing,
    /// JSON in another format.
    Json,
    Text,
    Html,
    Binary,
    /// Compressed, although the request did not accept that.
    Encoded(String),
}

/// How many incidents a request names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// One, in the path.
    One,
    /// A list of ids.
    Several,
    None,
}

impl Names {
    fn of(call: &Call) -> Self {
        let binding = call.operation.binding(call.generation);
        if binding.is_some_and(|binding| binding.path.contains('{')) {
            Self::One
        } else if call.operation.idempotency != Idempotency::Safe || call.operation.incident_ids.is_some() {
            Self::Several
        } else {
            Self::None
        }
    }
}

impl ErrorResponse {
    /// Reads an error response with any body. `text` is the body with the API key redacted.
    pub(super) fn new(
        call: &Call,
        status: StatusCode,
        headers: &HeaderMap,
        text: &str,
        redact: impl Fn(String) -> String,
    ) -> Self {
        let mut response = Self { retry_after: headers::retry_after(headers, SystemTime::now()), ..Self::default() };
        response.format = match headers::content_coding(headers) {
            Some(coding) if !text.is_empty() => Format::Encoded(redact(coding)),
            _ => response.read(status, headers, without_byte_order_mark(text)),
        };
        if let Some(location) = headers.get(header::LOCATION).filter(|_| status.is_redirection()) {
            let location = String::from_utf8_lossy(location.as_bytes());
            let location = location.split(['?', '#']).next().unwrap_or_default();
            response.message = Some(redact(format!("a redirect to {location}, which is not followed")));
        }
        response.classify(Names::of(call), status);
        response
    }

    /// Whether the body is compressed and therefore not readable.
    pub(super) fn is_encoded(&self) -> bool {
        matches!(self.format, Format::Encoded(_))
    }

    fn read(&mut self, status: StatusCode, headers: &HeaderMap, text: &str) -> Format {
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => self.read_object(&object),
            Ok(Value::String(message)) => {
                self.message = non_blank(&message);
                Format::Json
            }
            Ok(Value::Array(array)) if !array.is_empty() => Format::Json,
            Ok(_) => Format::Nothing,
            Err(_) if is_html(text) || headers::is_html(headers) => {
                self.message = title(text);
                Format::Html
            }
            Err(_) if is_binary(text) => Format::Binary,
            Err(error) => {
                self.message = non_blank(text);
                let reason = status.canonical_reason().unwrap_or_default();
                let begins_with_reason =
                    strip_prefix_ignoring_case(text, reason).is_some_and(|rest| rest.starts_with(':'));
                match begins_with_reason {
                    _ if self.message.is_none() => Format::Nothing,
                    // "Not Found: no such incident"
                    true => Format::Service,
                    false if error.is_eof() => Format::Nothing,
                    false => Format::Text,
                }
            }
        }
    }

    /// The service sends `{code, message, details}`, `{error, code, message}`, `{error: {message}}` or `{detail}`. Gateways send
    /// other formats, such as `{message}` without a code, or members that the service does not have.
    fn read_object(&mut self, object: &Map<String, Value>) -> Format {
        let inner = object.get("error").and_then(Value::as_object).unwrap_or(object);
        let member = |object: &Map<String, Value>, name| object.get(name).and_then(Value::as_str).and_then(non_blank);
        let code = inner.get("code").and_then(Value::as_i64);
        self.code = code.and_then(|code| i32::try_from(code).ok());
        let message = member(inner, "message");
        self.message = message.clone().or_else(|| member(object, "error")).or_else(|| member(object, "detail"));
        let details = inner.get("details").and_then(Value::as_array).into_iter().flatten();
        self.details = details.filter_map(|detail| serde_json::from_value(detail.clone()).ok()).collect();
        self.retry_after = self.retry_after.or_else(|| self.details.iter().find_map(retry_delay));

        let known = ["code", "message", "details", "error", "detail"];
        let only_known = object.keys().all(|name| known.contains(&name.as_str()));
        let says_why = code.is_some() || object.contains_key("error") || object.contains_key("detail");
        if object.is_empty() {
            Format::Nothing
        } else if (code.is_some() && message.is_some()) || (only_known && says_why) {
            Format::Service
        } else {
            Format::Json
        }
    }

    /// Classifies the response. One in the service's format is trusted; any other may come from a gateway, a proxy or a
    /// firewall.
    fn classify(&mut self, names: Names, status: StatusCode) {
        self.route_unknown = match status {
            StatusCode::NOT_IMPLEMENTED | StatusCode::METHOD_NOT_ALLOWED => RouteUnknown::Certain,
            StatusCode::NOT_FOUND if self.is_message_of_unknown_route() => RouteUnknown::Certain,
            StatusCode::NOT_FOUND => match (&self.format, names) {
                (Format::Service, Names::One | Names::Several) => RouteUnknown::No,
                (Format::Service, Names::None) | (_, Names::One) => RouteUnknown::Possible,
                // The service answers 200 for ids that it does not know.
                (_, Names::Several | Names::None) => RouteUnknown::Certain,
            },
            _ => RouteUnknown::No,
        };
        self.not_found = status == StatusCode::NOT_FOUND
            && match self.format {
                Format::Service => names != Names::None && self.route_unknown == RouteUnknown::No,
                Format::Nothing => names == Names::One,
                _ => false,
            };
        let trusted = matches!(self.format, Format::Service | Format::Nothing);
        self.permission_denied = status == StatusCode::FORBIDDEN && trusted;
    }

    /// Gateways send "Not Found: Not Found" for an unknown route, and the service sends "Not Found: <reason>" for an unknown
    /// resource. The service sends no HTML.
    fn is_message_of_unknown_route(&self) -> bool {
        let Some(message) = self.message.as_deref().filter(|_| self.format != Format::Html) else {
            return self.format == Format::Html;
        };
        let reason = message.trim().trim_end_matches('.');
        let reason = strip_prefix_ignoring_case(reason, "not found:").unwrap_or(reason).trim();
        // The comparison is case sensitive: "not found" in lower case is sent by services. "404 page not found" is sent by
        // servers written in Go.
        ["", "Not Found", "page not found", "404 page not found"].contains(&reason)
    }

    /// What happened and what to do about it, on one line.
    pub(super) fn describe(&self, call: &Call, status: StatusCode) -> String {
        let verb = if status.is_client_error() { "was refused by" } else { "failed at" };
        let mut line = format!("{} {verb} {}: {status}", call.operation.id, call.authority);
        if let Some(message) = &self.message {
            // Avoid repeating the reason, as in "404 Not Found: Not Found: no such incident".
            let reason = status.canonical_reason().unwrap_or_default();
            let rest = strip_prefix_ignoring_case(message, reason).unwrap_or(message);
            let rest = rest.trim_start_matches(':').trim();
            if !rest.is_empty() && !rest.eq_ignore_ascii_case(reason) {
                let _ = write!(line, ": {}", one_line(rest));
            }
        }
        self.describe_cause(&mut line, call, status);
        if status == StatusCode::TOO_MANY_REQUESTS && !call.retryable {
            line.push_str("; ask for fewer incidents at once");
        }
        if let Some(retry_after) = self.retry_after {
            let _ = write!(line, "; retry after {} s", retry_after.as_secs_f64().ceil());
        }
        line
    }

    /// Appends why the request was refused, as far as the response tells, and what to check.
    fn describe_cause(&self, line: &mut String, call: &Call, status: StatusCode) {
        let Call { operation, generation, .. } = call;
        let unclear = match &self.format {
            Format::Service => None,
            Format::Nothing => Some("the response does not say why".to_owned()),
            Format::Json => Some("the response is JSON in another format, not an error of the service".to_owned()),
            Format::Text => Some("the response is plain text, not an error of the service".to_owned()),
            Format::Html if self.message.is_some() => Some("that is not an error of the service".to_owned()),
            Format::Html => Some("the response is an HTML page, not an error of the service".to_owned()),
            Format::Binary => Some("the response is not text".to_owned()),
            Format::Encoded(coding) => {
                Some(format!("the response is encoded as `{}`, which was not asked for", one_line(coding)))
            }
        };
        let _ = match (status, self.route_unknown, unclear) {
            (_, RouteUnknown::Certain, _) => {
                let base_url = &call.base_url;
                let knows = if call.changed_generation {
                    "knows this path in no API generation"
                } else {
                    "does not know this path"
                };
                let _ = write!(line, "; {base_url} {knows}: check the base URL");
                let other = operation.bindings.iter().find(|other| other.generation != *generation);
                match other.filter(|_| call.is_generation_fixed) {
                    Some(other) => write!(line, ", or use API generation {}", other.generation),
                    None => Ok(()),
                }
            }
            (StatusCode::NOT_FOUND, RouteUnknown::Possible, Some(unclear)) => write!(
                line,
                "; {unclear}: either there is no such incident, or the host does not know this path: check the id and the base URL"
            ),
            (StatusCode::NOT_FOUND, RouteUnknown::Possible, None) => {
                write!(line, "; {} names no incident that could be missing: check the base URL", operation.id)
            }
            (StatusCode::UNAUTHORIZED, ..) => {
                write!(line, "; check the API key and that it belongs to this region")
            }
            (StatusCode::FORBIDDEN, _, unclear) => {
                let other =
                    unclear.map(|why| format!("{why}: a proxy or a firewall may have refused the request, or "));
                let other = other.unwrap_or_default();
                let personal = if operation.personal_key { " and must be a personal one, not a team's" } else { "" };
                write!(line, "; {other}the key needs {}{personal}", operation.permission)
            }
            (_, _, Some(unreadable)) if matches!(self.format, Format::Binary | Format::Encoded(_)) => {
                write!(line, "; {unreadable}")
            }
            _ => Ok(()),
        };
    }
}

/// The message of a body that is an error in the service's format. An envelope such as `{"code":0,"message":"OK"}` is not.
pub(crate) fn error_message(json: &[u8]) -> Option<String> {
    let object = serde_json::from_slice(json).ok()?;
    let mut response = ErrorResponse::default();
    let is_error = response.read_object(&object) == Format::Service && !matches!(response.code, Some(0 | 200));
    response.message.filter(|_| is_error)
}

/// The wait that a `google.rpc.RetryInfo` asks for.
fn retry_delay(detail: &types::Any) -> Option<Duration> {
    let type_name = detail.type_.as_deref()?.rsplit('/').next()?;
    let delay = detail.other_members.get("retryDelay")?.as_str()?;
    let delay = wire::Duration::new(delay).to_time_delta().ok().filter(|_| type_name == "google.rpc.RetryInfo")?;
    delay.to_std().ok()
}
