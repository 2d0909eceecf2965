//! The error type of this crate, its constructors and its wording. This module must not know of connections.

mod kind;
mod response;
mod text;

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::error::Category;

pub use self::kind::{ConfigErrorKind, Effect, ErrorKind, TransportErrorKind};
pub(crate) use self::response::{RouteUnknown, error_message};
use self::{
    response::ErrorResponse,
    text::{KEPT_BODY, cut, is_html, one_line, without_byte_order_mark},
};
use crate::{ApiGeneration, Idempotency, Operation, correlation_id::CorrelationId, types};

/// Why a call failed, or why a client cannot be built.
///
/// [`kind`](Self::kind) and the predicates are for code:
///
/// | predicate | meaning | what to do |
/// | --- | --- | --- |
/// | [`is_unauthorized`](Self::is_unauthorized) | 401: the API key is missing, wrong, or of another region | check the key and the region |
/// | [`is_permission_denied`](Self::is_permission_denied) | 403: the API key may not do this | give it the operation's permission; use a personal key |
/// | [`is_not_found`](Self::is_not_found) | 404: there is no such incident | check the id |
/// | [`is_unknown_route`](Self::is_unknown_route) | the host does not know the path | check the base URL; try the other [`ApiGeneration`] |
/// | [`is_rate_limited`](Self::is_rate_limited) | 429: too many requests | slow down; wait [`retry_after`](Self::retry_after) |
/// | [`is_timeout`](Self::is_timeout) | no response in time | see [`effect`](Self::effect) |
/// | [`is_retryable`](Self::is_retryable) | a transient failure, which the client has retried as far as it may | try again later |
///
/// [`effect`](Self::effect) says of every error whether the failed call changed anything.
///
/// `Display` is one line that a human can act on. `Debug` is that line and one more for each cause, which is what
/// `fn main() -> Result<(), Error>` prints. The wording of both may change in any release: it is not part of the API.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = coralogix_incidents_emulator::Emulator::start().await?;
/// # let client = emulator.client()?;
/// use coralogix_incidents::{Effect, ErrorKind, types::UnassignIncidentsRequest};
///
/// let request = UnassignIncidentsRequest::new(["incident_id_1"]);
/// match client.unassign_incidents(&request).await {
///     Ok(response) => println!("{} incidents are unassigned", response.incidents.len()),
///     Err(error) if error.is_unauthorized() || error.is_permission_denied() => {
///         println!("a retry will not help, check the API key: {error}");
///     }
///     Err(error) if error.is_retryable() => {
///         // Unassigning is idempotent: it is safe to repeat, applied or not.
///         println!("try again in {:?}: {error}", error.retry_after());
///     }
///     Err(error) if error.kind() == ErrorKind::InvalidRequest => {
///         println!("nothing was sent: {error}");
///     }
///     Err(error) => match error.effect() {
///         Effect::None => println!("nothing was changed: {error}"),
///         Effect::Unknown => println!("read what was changed: {error}"),
///         Effect::Applied => println!("done, but the response cannot be used: {error}"),
///     },
/// }
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    /// What happened and what to do about it. `Display` appends the effect, the attempts and the correlation id.
    message: String,
    call: Option<Call>,
    status: Option<StatusCode>,
    body: Option<String>,
    /// What was read from an error response. Empty for other kinds of errors.
    response: ErrorResponse,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// What all errors of a call have in common.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    pub(crate) generation: ApiGeneration,
    /// The host, and the port unless it is the scheme's default.
    pub(crate) authority: Arc<str>,
    pub(crate) base_url: Arc<str>,
    /// Whether the API generation was set by the application.
    pub(crate) is_generation_fixed: bool,
    /// Whether the host did not know the route of the other generation either.
    pub(crate) changed_generation: bool,
    pub(crate) correlation_id: CorrelationId,
    pub(crate) attempts: u32,
    /// Of all attempts so far.
    pub(crate) effect: Effect,
    pub(crate) retryable: bool,
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status, if a response was received.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The `code` of the error body. V1 sends a gRPC code and generation 5 an HTTP status, so don't rely on it: use
    /// [`status`](Self::status).
    pub fn code(&self) -> Option<i32> {
        self.0.response.code
    }

    /// The message of the error response, in whichever format it was sent. `None` if it has no message.
    pub fn message(&self) -> Option<&str> {
        self.0.response.message.as_deref()
    }

    /// The `details` of the error body.
    pub fn details(&self) -> &[types::Any] {
        &self.0.response.details
    }

    /// The response's body as received, decoded from UTF-8 with replacement characters, without the API key if the body
    /// quotes it, and cut at 8 KiB. `None` if no response was received or its body was not kept. Empty if the response has no
    /// body, or a compressed one.
    pub fn body(&self) -> Option<&str> {
        self.0.body.as_deref()
    }

    /// The line that `Display` shows without the attempts and the correlation id at its end, for callers that display those
    /// separately. Its wording is not part of the API.
    pub fn summary(&self) -> String {
        format!("{}{}", self.0.message, self.effect_text())
    }

    /// The summary for logs, without texts of the service, because they may name incidents and people.
    pub(crate) fn log_line(&self) -> String {
        let Some(call) = &self.0.call else { return self.0.kind.to_string() };
        let what = match self.0.kind {
            ErrorKind::Status(status) => format!("{} failed at {}: {status}", call.operation.id, call.authority),
            _ => self.summary(),
        };
        what + &call.ending()
    }

    /// The operation that was called. `None` if the error does not belong to a call.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.0.call.as_ref().map(|call| call.operation)
    }

    /// The host that was called, with its port if that is not the scheme's own; `None` if no call was made.
    pub fn host(&self) -> Option<&str> {
        self.0.call.as_ref().map(|call| &*call.authority)
    }

    /// The `x-cx-correlation-id` of the call, by which Coralogix support can find it; `None` if no call was made.
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.call.as_ref().map(|call| call.correlation_id.as_str())
    }

    /// How many times the request was attempted, including attempts that got no connection; 0 if no call was made.
    pub fn attempts(&self) -> u32 {
        self.0.call.as_ref().map_or(0, |call| call.attempts)
    }

    /// Whether the failed call changed anything. All attempts count: if the reply to the first one was lost, a refused
    /// connection afterwards does not make it [`Effect::None`].
    ///
    /// After a timeout it is [`Effect::Unknown`], except after a connect timeout, when nothing was sent.
    pub fn effect(&self) -> Effect {
        self.0.call.as_ref().map_or(Effect::None, |call| call.effect)
    }

    /// Whether the same call may succeed later, as far as HTTP can tell: after a lost connection, a timeout, or one of the
    /// statuses 408, 425, 429, 500, 502, 503 and 504. The client has already retried it as far as its policy, its
    /// [budget](crate::RetryBudget), the call's timeout and the operation's idempotency allow, which may be not at all; a
    /// `tracing` event of level `DEBUG` says which of them ended it.
    pub fn is_retryable(&self) -> bool {
        self.0.call.as_ref().is_some_and(|call| call.retryable)
    }

    /// Whether the incident does not exist: a 404 in the service's format, to a call that names an incident. A 404 in another
    /// format was sent by a gateway and says nothing about incidents. A 404 without a body is taken as the service's if the
    /// path names an incident.
    pub fn is_not_found(&self) -> bool {
        self.0.response.not_found
    }

    /// Whether the host does not know the path, because the base URL is wrong or the host does not serve the API generation:
    /// a 501, a 405, or a 404 that cannot be about an incident.
    pub fn is_unknown_route(&self) -> bool {
        self.0.response.route_unknown == RouteUnknown::Certain
    }

    pub(crate) fn route_unknown(&self) -> RouteUnknown {
        self.0.response.route_unknown
    }

    /// 401: the key is missing, wrong, or belongs to another region.
    pub fn is_unauthorized(&self) -> bool {
        self.has_status(StatusCode::UNAUTHORIZED)
    }

    /// 403: the key may not do this. A 403 in another format than the service's, such as an HTML page, is that of a proxy or a
    /// firewall and does not count.
    pub fn is_permission_denied(&self) -> bool {
        self.0.response.permission_denied
    }

    /// 429: too many requests. A 429 that gRPC gateways send for a message that is too large does not count, because waiting
    /// does not help.
    pub fn is_rate_limited(&self) -> bool {
        self.has_status(StatusCode::TOO_MANY_REQUESTS) && self.is_retryable()
    }

    /// Whether the call failed by a timeout: the connect, read, attempt or total timeout.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Transport(kind) if kind.is_timeout())
    }

    /// How long the service asked to wait, counted from the end of the response: by `Retry-After`, or by a
    /// `google.rpc.RetryInfo` in [`details`](Self::details).
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.response.retry_after
    }

    fn effect_text(&self) -> &'static str {
        let Some(call) = self.0.call.as_ref().filter(|call| call.operation.idempotency != Idempotency::Safe) else {
            return "";
        };
        match (call.effect, self.0.kind) {
            (Effect::None, _) => "",
            // No response proves that the service has finished the request.
            (Effect::Unknown, ErrorKind::Transport(_) | ErrorKind::Status(_)) => {
                "; it may have taken effect, or still take effect"
            }
            (Effect::Unknown, _) => "; it may have taken effect",
            (Effect::Applied, _) => "; it took effect",
        }
    }

    fn has_status(&self, status: StatusCode) -> bool {
        self.0.kind == ErrorKind::Status(status)
    }
}

/// Constructors.
impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let (message, response) = (message.into(), ErrorResponse::default());
        Self(Box::new(Inner { kind, message, call: None, status: None, body: None, response, cause: None }))
    }

    /// An error after a response, of whose body `body` is kept.
    fn of_response(kind: ErrorKind, message: String, call: Call, status: StatusCode, body: Option<String>) -> Self {
        let mut error = Self::new(kind, message);
        error.0.call = Some(call);
        error.0.status = Some(status);
        error.0.body = body;
        error
    }

    /// A response with a success status that cannot be used, because of `but`.
    fn unusable(kind: ErrorKind, call: Call, status: StatusCode, but: &str, body: Option<String>) -> Self {
        let message = format!("{} was answered by {} with {status}, but {but}", call.operation.id, call.authority);
        Self::of_response(kind, message, call, status, body)
    }

    pub(crate) fn with_cause(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    pub(crate) fn config(kind: ConfigErrorKind, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config(kind), message)
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    /// reqwest could not build the request. Arguments are validated before, so that this is a value that cannot be serialized.
    pub(crate) fn unbuildable(error: reqwest::Error) -> Self {
        Self::invalid_request("the request cannot be built").with_cause(error.without_url())
    }

    pub(crate) fn not_in_generation(operation: &'static Operation, generation: ApiGeneration) -> Self {
        Self::invalid_request(format!(
            "{} is not part of API generation {generation}, which the client is fixed to",
            operation.id
        ))
    }

    /// No complete response was received. `status` is the status of a response whose body is incomplete, and `elapsed` is the
    /// duration of the last attempt.
    pub(crate) fn transport(
        call: Call,
        kind: TransportErrorKind,
        status: Option<StatusCode>,
        elapsed: Duration,
        cause: Option<reqwest::Error>,
    ) -> Self {
        let host = &call.authority;
        // The duration shows which of the timeouts it was.
        let seconds = elapsed.as_secs_f64();
        let what = match kind {
            TransportErrorKind::Connect => {
                format!("no connection to {host}; check the network, the proxy and the region")
            }
            TransportErrorKind::ConnectTimeout => format!("{host} did not accept a connection within {seconds:.1} s"),
            TransportErrorKind::Tls => {
                format!("no trusted TLS session with {host}; check its certificate and the system's roots")
            }
            TransportErrorKind::Timeout => format!("no complete response from {host} within {seconds:.1} s"),
            TransportErrorKind::Reset => format!("{host} closed the connection before the response was complete"),
            TransportErrorKind::Protocol => format!("the response of {host} is not valid HTTP"),
        };
        let mut error = Self::new(ErrorKind::Transport(kind), format!("{} failed: {what}", call.operation.id));
        error.0.status = status;
        error.0.cause = cause.map(Into::into);
        error.0.call = Some(call);
        error
    }

    /// A response with an error status, with any body.
    pub(crate) fn status_error(
        call: Call,
        status: StatusCode,
        headers: &HeaderMap,
        body: &Bytes,
        redact: impl Fn(String) -> String,
    ) -> Self {
        let text = redact(String::from_utf8_lossy(body).into_owned());
        let response = ErrorResponse::new(&call, status, headers, &text, redact);
        let message = response.describe(&call, status);
        let body = if response.is_encoded() { String::new() } else { cut(text, KEPT_BODY) };
        let mut error = Self::of_response(ErrorKind::Status(status), message, call, status, Some(body));
        error.0.response = response;
        error
    }

    /// A success whose body is not the JSON of the operation's response.
    pub(crate) fn undecodable(
        call: Call,
        status: StatusCode,
        body: &Bytes,
        cause: &serde_json::Error,
        redact: impl Fn(String) -> String,
    ) -> Self {
        let text = redact(String::from_utf8_lossy(body).into_owned());
        let what = match cause.classify() {
            _ if without_byte_order_mark(&text).trim().is_empty() => "it has no body",
            Category::Data => "the body is not the expected JSON",
            _ if is_html(&text) => "the body is an HTML page",
            _ => "the body is not JSON",
        };
        // Redacted before it is cut: half a key would not be found.
        let body = Some(cut(text, KEPT_BODY));
        // serde_json quotes the unexpected value, which may be the key.
        let cause = redact(cause.to_string());
        Self::unusable(ErrorKind::UndecodableResponse, call, status, what, body).with_cause(cause)
    }

    /// A success whose body is compressed, although that was not asked for.
    pub(crate) fn encoded(call: Call, status: StatusCode, encoding: &str) -> Self {
        let what = format!("the body is encoded as `{}`, which was not asked for", one_line(encoding));
        Self::unusable(ErrorKind::UndecodableResponse, call, status, &what, Some(String::new()))
    }

    /// A success after a redirect that an application's own HTTP client followed.
    pub(crate) fn redirected(call: Call, status: StatusCode, to: &str) -> Self {
        let to = one_line(to);
        let what = format!("by {to}, to which the HTTP client followed a redirect: give it `redirect(Policy::none())`");
        Self::unusable(ErrorKind::RedirectFollowed, call, status, &what, Some(String::new()))
    }

    /// A success whose body does not say what became of the request.
    pub(crate) fn incomplete(call: Call, status: StatusCode, what: &str) -> Self {
        Self::unusable(ErrorKind::IncompleteResponse, call, status, &one_line(what), Some(String::new()))
    }

    /// A success whose body is larger than `limit` bytes.
    pub(crate) fn too_large(call: Call, status: StatusCode, limit: usize) -> Self {
        let what =
            format!("the body is larger than {limit} bytes; ask for less at once, or raise `max_response_bytes`");
        Self::unusable(ErrorKind::ResponseTooLarge, call, status, &what, None)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        self.0.call.as_ref().map_or(Ok(()), |call| f.write_str(&call.ending()))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, "\n  caused by: {}", one_line(&error.to_string()))?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

impl Call {
    /// A call of one attempt, for tests.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn example() -> Self {
        Self {
            operation: &crate::generated::operations::UNASSIGN_INCIDENTS,
            generation: ApiGeneration::V1,
            authority: "localhost".into(),
            base_url: "http://localhost/mgmt/openapi".into(),
            is_generation_fixed: true,
            changed_generation: false,
            correlation_id: CorrelationId::random(),
            attempts: 1,
            effect: Effect::None,
            retryable: false,
        }
    }

    /// The end of each message about a call.
    fn ending(&self) -> String {
        let plural = if self.attempts == 1 { "" } else { "s" };
        format!(" ({} attempt{plural}, correlation id {})", self.attempts, self.correlation_id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::ApiKey;

    const KEY: &str = "cxup_k/y";

    #[test]
    fn a_key_that_is_quoted_in_json_escapes_is_redacted() {
        let key = ApiKey::new(KEY).unwrap();
        let body = Bytes::from_static(
            br#"{"message": "no cxup_k\/y", "details": [{"cxup_k\u002fy": "\u0063xup_k/y"}], "n": 1}"#,
        );
        let status = StatusCode::UNAUTHORIZED;
        let error = Error::status_error(Call::example(), status, &HeaderMap::new(), &body, |text| key.redact(text));
        assert_eq!(error.message(), Some("no [redacted]"));
        let kept: Value = serde_json::from_str(error.body().unwrap()).unwrap();
        assert_eq!(
            kept,
            serde_json::json!({ "message": "no [redacted]", "details": [{ "[redacted]": "[redacted]" }], "n": 1 })
        );
        assert!(!format!("{error:?} {:?}", error.details()).contains(KEY), "{error:?}");
    }

    #[test]
    fn a_key_at_the_end_of_a_kept_body_is_redacted_completely() {
        let key = ApiKey::new(KEY).unwrap();
        let undecodable = |body: &Bytes| {
            let cause = serde_json::from_str::<Value>("x").unwrap_err();
            let error = Error::undecodable(Call::example(), StatusCode::OK, body, &cause, |text| key.redact(text));
            error.body().unwrap().to_owned()
        };
        let body = undecodable(&Bytes::from(format!("{}{KEY}", "x".repeat(KEPT_BODY - 4))));
        assert!(!body.contains("cxup"), "{}", &body[KEPT_BODY - 8..]);
        // Neither is JSON, so that only the text can be searched.
        let body = undecodable(&Bytes::from_static(br#"{"incidents": "cxup_k\/y \u0063xup_k/y "#.as_slice()));
        assert_eq!(body, r#"{"incidents": "[redacted] [redacted] "#);
        assert_eq!(key.redact(r"\u00 \é cxup\u".to_owned()), r"\u00 \é cxup\u", "what is no escape stays");
    }

    #[test]
    fn debug_shows_the_message_and_one_line_for_each_cause() {
        let cause = std::io::Error::other(Error::invalid_request("inner").with_cause("two\nlines"));
        let error = Error::config(ConfigErrorKind::Tls, "outer").with_cause(cause);
        assert_eq!(format!("{error:?}"), "outer\n  caused by: inner\n  caused by: two lines");
        assert_eq!(error.to_string(), "outer");
    }
}
