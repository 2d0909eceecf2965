//! The one error of this crate, and how the service's many error bodies are read.

mod api;
mod text;

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

pub use self::api::ApiError;
use self::text::{KEPT_BODY, cut, one_line};
use crate::{ApiGeneration, Operation, types};

/// Why a call failed.
///
/// `Display` is one line that a human can act on; the predicates are for code. What to do:
///
/// | predicate | what it means | what to do |
/// | --- | --- | --- |
/// | [`is_unauthorized`](Self::is_unauthorized) | 401: the key is missing, wrong, or of another region | check key and region |
/// | [`is_permission_denied`](Self::is_permission_denied) | 403: the key may not do this | give it the operation's permission; use a personal key |
/// | [`is_not_found`](Self::is_not_found) | 404: there is no such incident | check the id |
/// | [`is_unknown_route`](Self::is_unknown_route) | the host does not know the path | check the base URL; try the other [`ApiGeneration`] |
/// | [`is_rate_limited`](Self::is_rate_limited) | 429: too many requests | slow down; wait [`retry_after`](Self::retry_after) |
/// | [`is_timeout`](Self::is_timeout) | no answer in time | see [`effect`](Self::effect) |
/// | [`is_retryable`](Self::is_retryable) | it may pass, and the client has retried it as far as it may | try again later |
///
/// What has no predicate has a variant: [`Config`](Self::Config) and [`InvalidRequest`](Self::InvalidRequest) are yours to
/// mend, and the message says what; [`Transport`](Self::Transport) tells by its [`kind`](TransportError::kind) how far the
/// request came; with [`Undecodable`](Self::Undecodable) and [`TooLarge`](Self::TooLarge) a success was reported, in an answer
/// that is of no use, by the service or by something before it.
///
/// Whether a change was applied is a question of its own: [`effect`](Self::effect) answers it for every error.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = coralogix_incidents_emulator::Emulator::start().await?;
/// # let client = emulator.client()?;
/// use coralogix_incidents::{Effect, Error, types::UnassignIncidentsRequest};
///
/// let request = UnassignIncidentsRequest::default().with_incident_ids(["incident_id_1"]);
/// match client.unassign_incidents(&request).await {
///     Ok(response) => println!("{} incidents are unassigned", response.incidents.len()),
///     Err(error) if error.is_unauthorized() || error.is_permission_denied() => {
///         println!("no retry will help until somebody sees to the key: {error}");
///     }
///     Err(error) if error.is_retryable() => {
///         // Unassigning twice leaves the same state, so that it does not matter whether this one took effect.
///         println!("again in {:?}: {error}", error.retry_after());
///     }
///     Err(Error::InvalidRequest(error)) => println!("nothing was sent: {error}"),
///     Err(error) => match error.effect() {
///         Effect::None => println!("nothing was changed: {error}"),
///         Effect::Unknown => println!("read the incidents to know what was changed: {error}"),
///         Effect::Applied => println!("done, but the answer is lost: {error}; it began with {:?}", error.body()),
///     },
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The client can't be built as configured.
    Config(ConfigError),
    /// The request breaks a limit of the API. Nothing was sent.
    InvalidRequest(InvalidRequest),
    /// No complete response came.
    Transport(Box<TransportError>),
    /// The service, or something before it, answered with an error.
    Api(Box<ApiError>),
    /// The answer was a success, but its body can't be read, or is no answer to what was asked.
    Undecodable(Box<UndecodableResponse>),
    /// The answer was a success, but its body is larger than the limit.
    TooLarge(Box<ResponseTooLarge>),
}

/// Whether a failed call changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing was changed: the request was never sent, or it was refused.
    None,
    /// Not known: a request was sent, or may have been, and no answer settled what became of it. A timeout says so, unless it
    /// is the connect timeout: others, where they are shorter, may end the connecting.
    Unknown,
    /// Success was reported, in JSON: it was the service that answered.
    Applied,
}

/// What all errors of a call have in common.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    pub(crate) generation: ApiGeneration,
    /// Host, and port where it is not the scheme's own.
    pub(crate) authority: Arc<str>,
    pub(crate) correlation_id: String,
    pub(crate) attempts: u32,
    /// Of all attempts so far.
    pub(crate) effect: Effect,
    pub(crate) retryable: bool,
}

impl Error {
    /// The HTTP status, where a response came.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Api(error) => Some(error.status),
            Self::Undecodable(error) => Some(error.status),
            Self::TooLarge(error) => Some(error.status),
            Self::Transport(error) => error.status,
            Self::Config(_) | Self::InvalidRequest(_) => None,
        }
    }

    /// The `code` of the error body: a gRPC code from the v1 generation and an HTTP status from generation 5, so don't rely
    /// on it. Go by [`status`](Self::status).
    pub fn code(&self) -> Option<i32> {
        self.api().and_then(|error| error.code)
    }

    /// What the service said, in whichever of its shapes; `None` where it said nothing.
    pub fn message(&self) -> Option<&str> {
        self.api().and_then(|error| error.message.as_deref())
    }

    /// The `details` of the error body.
    pub fn details(&self) -> &[types::Any] {
        self.api().map_or(&[], |error| &error.details)
    }

    /// The response's body as it came, without the API key should it have quoted it, cut at 8 KiB; lossily decoded from
    /// UTF-8. `None` where no response came, or none that was kept; empty where it had no body, or one in an encoding that
    /// was not asked for.
    pub fn body(&self) -> Option<&str> {
        match self {
            Self::Api(error) => Some(&error.body),
            Self::Undecodable(error) => Some(&error.body),
            _ => None,
        }
    }

    /// The line that `Display` shows, without the attempts and the correlation id at its end: for where those are shown apart.
    pub fn summary(&self) -> String {
        match self {
            Self::Config(error) => error.to_string(),
            Self::InvalidRequest(error) => error.to_string(),
            Self::Transport(error) => error.to_string(),
            Self::Api(error) => error.to_string(),
            Self::Undecodable(error) => error.to_string(),
            Self::TooLarge(error) => error.to_string(),
        }
    }

    /// What may be logged: the summary without the words of the service, which may name incidents and people.
    pub(crate) fn log_line(&self) -> String {
        let Some(call) = self.call() else { return self.kind() };
        let what = match self {
            Self::Api(error) => format!("{} failed at {}: {}", call.operation.id, call.authority, error.status),
            other => other.summary(),
        };
        what + &call.ending()
    }

    /// The operation's `operationId`, such as `unassignIncidents`.
    pub fn operation(&self) -> Option<&'static str> {
        self.call().map(|call| call.operation.id)
    }

    /// The `x-cx-correlation-id` of the call, by which Coralogix support can find it; `None` where no call was made.
    pub fn correlation_id(&self) -> Option<&str> {
        self.call().map(|call| call.correlation_id.as_str())
    }

    /// How many times the request was tried, one that got no connection included; 0 where no call was made.
    pub fn attempts(&self) -> u32 {
        self.call().map_or(0, |call| call.attempts)
    }

    /// Whether the failed call changed anything. It weighs every attempt: after a lost reply, a refused connection does not
    /// make it [`Effect::None`].
    pub fn effect(&self) -> Effect {
        self.call().map_or(Effect::None, |call| call.effect)
    }

    /// Whether the same call may succeed later, as far as HTTP can tell: a lost connection, a timeout, or one of the
    /// statuses 408, 425, 429, 500, 502, 503 and 504. The client has already retried it as far as its policy, its
    /// [budget](crate::RetryBudget), the call's timeout and the operation's idempotency allow, which may be not at all; a
    /// `tracing` event at the level `DEBUG` says which of them ended it.
    pub fn is_retryable(&self) -> bool {
        self.call().is_some_and(|call| call.retryable)
    }

    /// There is no such incident: a 404 that is about the resource, not about the path.
    pub fn is_not_found(&self) -> bool {
        self.has_status(StatusCode::NOT_FOUND) && !self.is_unknown_route()
    }

    /// The host does not know the path: a wrong base URL, or a generation that it does not speak. A 501, a 405, or a 404
    /// that does not speak of a resource.
    pub fn is_unknown_route(&self) -> bool {
        self.api().is_some_and(ApiError::is_unknown_route)
    }

    /// 401: the key is missing, wrong, or belongs to another region.
    pub fn is_unauthorized(&self) -> bool {
        self.has_status(StatusCode::UNAUTHORIZED)
    }

    /// 403: the key may not do this.
    pub fn is_permission_denied(&self) -> bool {
        self.has_status(StatusCode::FORBIDDEN)
    }

    /// 429: too many requests. A 429 that says that a message is too large, as gRPC gateways do, is none: wait as long as you
    /// like, it comes again.
    pub fn is_rate_limited(&self) -> bool {
        self.has_status(StatusCode::TOO_MANY_REQUESTS) && self.is_retryable()
    }

    /// No answer came in time: a connect, read, attempt or total timeout.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Transport(error) if error.kind.is_timeout())
    }

    /// How long the service asked to wait, from the end of the response on.
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(|error| error.retry_after)
    }

    fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }

    fn has_status(&self, status: StatusCode) -> bool {
        self.api().is_some_and(|error| error.status == status)
    }

    fn call(&self) -> Option<&Call> {
        match self {
            Self::Config(_) | Self::InvalidRequest(_) => None,
            Self::Transport(error) => Some(&error.call),
            Self::Api(error) => Some(&error.call),
            Self::Undecodable(error) => Some(&error.call),
            Self::TooLarge(error) => Some(&error.call),
        }
    }

    /// `error.type` of OpenTelemetry's HTTP conventions: the status, or a low-cardinality name.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Config(_) => "config".to_owned(),
            Self::InvalidRequest(_) => "invalid_request".to_owned(),
            Self::Transport(error) => error.kind.as_str().to_owned(),
            Self::Api(error) => error.status.as_str().to_owned(),
            Self::Undecodable(_) => "undecodable_response".to_owned(),
            Self::TooLarge(_) => "response_too_large".to_owned(),
        }
    }

    /// reqwest could not build a request. Not from user input, which is checked before, unless a value can't be serialised.
    pub(crate) fn unbuildable(error: reqwest::Error) -> Self {
        InvalidRequest::new(format!("the request can't be built: {}", error.without_url())).into()
    }

    pub(crate) fn not_in_generation(operation: &'static Operation, generation: ApiGeneration) -> Self {
        let message =
            format!("{} is not part of API generation {generation}: use a client of generation v1", operation.id);
        InvalidRequest::new(message).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        self.call().map_or(Ok(()), |call| f.write_str(&call.ending()))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Config(error) => error.source(),
            Self::Transport(error) => error.source(),
            Self::Undecodable(error) => error.source(),
            Self::InvalidRequest(_) | Self::Api(_) | Self::TooLarge(_) => None,
        }
    }
}

/// The client can't be built as configured.
#[derive(Debug)]
pub struct ConfigError {
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    pub(crate) fn with_source(message: impl Into<String>, source: impl StdError + Send + Sync + 'static) -> Self {
        Self { message: message.into(), source: Some(Box::new(source)) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ConfigError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// The request breaks a limit of the API. Nothing was sent.
#[derive(Debug)]
pub struct InvalidRequest {
    message: String,
}

impl InvalidRequest {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for InvalidRequest {}

impl From<InvalidRequest> for Error {
    fn from(error: InvalidRequest) -> Self {
        Self::InvalidRequest(error)
    }
}

/// No complete response came.
#[derive(Debug)]
pub struct TransportError {
    pub(crate) call: Call,
    pub(crate) kind: TransportErrorKind,
    /// Of a response whose body did not come whole.
    pub(crate) status: Option<StatusCode>,
    /// How long the last attempt took.
    pub(crate) elapsed: Duration,
    pub(crate) source: Option<reqwest::Error>,
}

/// What went wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: the name has no address, or the host refused it or did not answer. Nothing was sent.
    Connect,
    /// No connection within the connect timeout. Nothing was sent.
    ConnectTimeout,
    /// No trusted TLS session. Nothing was sent.
    Tls,
    /// No whole answer within the read, attempt or total timeout.
    Timeout,
    /// The connection ended before the whole answer came.
    Reset,
    /// What came is not HTTP, or breaks its rules.
    Protocol,
}

impl TransportErrorKind {
    /// Its name in telemetry (`error.type`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect_timeout",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
        }
    }

    pub(crate) fn is_timeout(self) -> bool {
        matches!(self, Self::ConnectTimeout | Self::Timeout)
    }

    /// Whether it happened before a byte of the request was sent.
    pub(crate) fn is_unsent(self) -> bool {
        matches!(self, Self::Connect | Self::ConnectTimeout | Self::Tls)
    }
}

impl TransportError {
    /// What went wrong.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.call.authority;
        // It tells which of the limits it was.
        let seconds = self.elapsed.as_secs_f64();
        write!(f, "{} failed: ", self.call.operation.id)?;
        match self.kind {
            TransportErrorKind::Connect => {
                write!(f, "no connection to {host}; check the network, the proxy and the region")
            }
            TransportErrorKind::ConnectTimeout => write!(f, "{host} did not accept a connection within {seconds:.1} s"),
            TransportErrorKind::Tls => {
                write!(f, "no trusted TLS session with {host}; check its certificate and the system's roots")
            }
            TransportErrorKind::Timeout => write!(f, "no whole answer from {host} within {seconds:.1} s"),
            TransportErrorKind::Reset => write!(f, "{host} closed the connection before the whole answer came"),
            TransportErrorKind::Protocol => write!(f, "what {host} answered is not valid HTTP"),
        }?;
        self.call.fmt_effect(f)
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

/// The service answered with success, but the body can't be read, or is no answer to what was asked.
#[derive(Debug)]
pub struct UndecodableResponse {
    pub(crate) call: Call,
    pub(crate) status: StatusCode,
    body: String,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Json(Box<dyn StdError + Send + Sync>),
    Encoding(String),
    Redirected(String),
    Unaccounted(String),
}

impl UndecodableResponse {
    pub(crate) fn json(
        call: Call,
        status: StatusCode,
        body: &Bytes,
        source: &serde_json::Error,
        redact: impl Fn(String) -> String,
    ) -> Self {
        // The key is searched for before the cut, for half a key would not be found.
        let body = cut(redact(String::from_utf8_lossy(body).into_owned()), KEPT_BODY);
        // serde_json quotes the value that it did not expect, whatever that is.
        let source = redact(source.to_string()).into();
        Self { call, status, body, reason: Reason::Json(source) }
    }

    pub(crate) fn encoding(call: Call, status: StatusCode, encoding: String) -> Self {
        Self { call, status, body: String::new(), reason: Reason::Encoding(encoding) }
    }

    pub(crate) fn redirected(call: Call, status: StatusCode, to: String) -> Self {
        Self { call, status, body: String::new(), reason: Reason::Redirected(to) }
    }

    pub(crate) fn unaccounted(call: Call, status: StatusCode, what: String) -> Self {
        Self { call, status, body: String::new(), reason: Reason::Unaccounted(what) }
    }
}

impl fmt::Display for UndecodableResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call { operation, authority: host, .. } = &self.call;
        write!(f, "{} was answered by {host} with {}, but ", operation.id, self.status)?;
        match &self.reason {
            Reason::Json(_) => f.write_str("the body can't be read")?,
            Reason::Encoding(encoding) => {
                write!(f, "the body is encoded as `{}`, which was not asked for", one_line(encoding))?;
            }
            Reason::Redirected(to) => {
                let to = one_line(to);
                write!(f, "by {to}, to which the HTTP client followed a redirect: give it `redirect(Policy::none())`")?;
            }
            Reason::Unaccounted(what) => f.write_str(&one_line(what))?,
        }
        self.call.fmt_effect(f)
    }
}

impl StdError for UndecodableResponse {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.reason {
            Reason::Json(source) => Some(source.as_ref()),
            Reason::Encoding(_) | Reason::Redirected(_) | Reason::Unaccounted(_) => None,
        }
    }
}

/// The service answered with success, but the body is larger than
/// [`max_response_bytes`](crate::ClientBuilder::max_response_bytes).
#[derive(Debug)]
pub struct ResponseTooLarge {
    pub(crate) call: Call,
    pub(crate) status: StatusCode,
    pub(crate) limit: usize,
}

impl ResponseTooLarge {
    /// The limit, in bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl fmt::Display for ResponseTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call { operation, authority: host, .. } = &self.call;
        write!(
            f,
            "{} was answered by {host} with {}, but the body is larger than {} bytes; ask for less at once, or raise \
             `max_response_bytes`",
            operation.id, self.status, self.limit
        )?;
        self.call.fmt_effect(f)
    }
}

impl StdError for ResponseTooLarge {}

impl Call {
    /// A call of one attempt, for errors that are looked at without one.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn example() -> Self {
        Self {
            operation: &crate::generated::operations::UNASSIGN_INCIDENTS,
            generation: ApiGeneration::V1,
            authority: "localhost".into(),
            correlation_id: String::new(),
            attempts: 1,
            effect: Effect::None,
            retryable: false,
        }
    }

    /// What every line about a call ends in.
    fn ending(&self) -> String {
        let plural = if self.attempts == 1 { "" } else { "s" };
        format!(" ({} attempt{plural}, correlation id {})", self.attempts, self.correlation_id)
    }

    fn fmt_effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.operation.idempotency != crate::Idempotency::Safe {
            match self.effect {
                Effect::None => {}
                Effect::Unknown => f.write_str("; it may have taken effect")?,
                Effect::Applied => f.write_str("; it took effect")?,
            }
        }
        Ok(())
    }
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        Self::Transport(Box::new(error))
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

impl From<UndecodableResponse> for Error {
    fn from(error: UndecodableResponse) -> Self {
        Self::Undecodable(Box::new(error))
    }
}

impl From<ResponseTooLarge> for Error {
    fn from(error: ResponseTooLarge) -> Self {
        Self::TooLarge(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
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
        let error = ApiError::new(Call::example(), status, &HeaderMap::new(), &body, |text| key.redact(text), None);
        assert_eq!(error.message.as_deref(), Some("no [redacted]"));
        let kept: Value = serde_json::from_str(&error.body).unwrap();
        assert_eq!(
            kept,
            serde_json::json!({ "message": "no [redacted]", "details": [{ "[redacted]": "[redacted]" }], "n": 1 })
        );
        assert!(!format!("{error:?}").contains(KEY), "{error:?}");
    }

    #[test]
    fn a_key_at_the_end_of_what_is_kept_is_redacted_whole() {
        let key = ApiKey::new(KEY).unwrap();
        let body = Bytes::from(format!("{}{KEY}", "x".repeat(KEPT_BODY - 4)));
        let source = serde_json::from_str::<Value>("x").unwrap_err();
        let error = UndecodableResponse::json(Call::example(), StatusCode::OK, &body, &source, |text| key.redact(text));
        assert!(!error.body.contains("cxup"), "{}", &error.body[KEPT_BODY - 8..]);
        // Neither is JSON, so that only the text can be searched.
        let body = Bytes::from_static(br#"{"incidents": "cxup_k\/y \u0063xup_k/y "#.as_slice());
        let error = UndecodableResponse::json(Call::example(), StatusCode::OK, &body, &source, |text| key.redact(text));
        assert_eq!(error.body, r#"{"incidents": "[redacted] [redacted] "#);
        assert_eq!(key.redact(r"\u00 \é cxup\u".to_owned()), r"\u00 \é cxup\u", "what is no escape stays");
    }
}
