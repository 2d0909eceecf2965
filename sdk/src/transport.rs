//! The one way to the service and back: deadline, attempt loop, budget, spans, size limit, error normalisation, decoding.
//! It takes the place of progenitor's `exec` hook. It knows no operation by name.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument;

use crate::{
    Client, Effect, Error, Idempotency, InvalidRequest, Operation, ResponseTooLarge, ResponseValue, TransportError,
    TransportErrorKind, UndecodableResponse,
    error::{ApiError, Call},
    operation::Binding,
    retry::{Failure, retry_after},
    telemetry::{self, Drift},
};

/// The longest URL that proxies commonly accept, in bytes.
pub(crate) const MAX_URL: usize = 8 * 1024;
/// How much of an error response is read; the rest is of no use.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// A response whose body came whole.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Why an attempt gave no successful reply.
enum Failed {
    Transport { kind: TransportErrorKind, status: Option<StatusCode>, source: Option<reqwest::Error> },
    Refused(Box<Reply>),
    TooLarge(StatusCode),
    Encoded(StatusCode, String),
}

impl Client {
    /// Sends a request, again where that may help, and decodes the answer.
    pub(crate) async fn exec<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        request: reqwest::Request,
    ) -> Result<ResponseValue<T>, Error> {
        let (reply, call) = self.send(operation, request).await?;
        self.decode(call, reply)
    }

    /// Sends a request within the call's deadline, attempt by attempt.
    async fn send(&self, operation: &'static Operation, mut request: reqwest::Request) -> Result<(Reply, Call), Error> {
        let length = request.url().as_str().len();
        if length > MAX_URL {
            let message = format!(
                "the URL would be {length} bytes long, and proxies commonly accept {MAX_URL}: give fewer ids, or use `Client::bulk`"
            );
            return Err(InvalidRequest::new(message).into());
        }
        let generation = self.api_generation();
        let Some(binding) = operation.binding(generation) else {
            return Err(Error::not_in_generation(operation, generation));
        };
        let correlation_id = self.stamp(&mut request)?;
        let call = Call {
            operation,
            generation,
            authority: authority(request.url()),
            correlation_id,
            attempts: 0,
            effect: Effect::None,
            retryable: false,
        };
        let span = telemetry::operation_span(operation, binding, request.url(), &call.correlation_id);
        let outcome = self.attempts(call, binding, request).instrument(span.clone()).await;
        match &outcome {
            Ok((_, call)) => {
                span.record("cx.attempts", call.attempts);
            }
            Err(error) => {
                span.record("cx.attempts", error.attempts());
                telemetry::failed(&span, &error.kind());
            }
        }
        outcome
    }

    async fn attempts(
        &self,
        mut call: Call,
        binding: Binding,
        request: reqwest::Request,
    ) -> Result<(Reply, Call), Error> {
        let (shared, options) = (&self.inner.shared, &self.inner.options);
        let policy = options.retry_policy.as_ref().unwrap_or(&shared.retry_policy);
        let deadline = later(Instant::now(), options.timeout.unwrap_or(shared.timeout));
        let idempotency = call.operation.idempotency;
        let mut delays = policy.delays();
        let mut spent = None;
        // Whether an attempt so far may have been processed.
        let mut uncertain = false;
        loop {
            let Some(attempt) = request.try_clone() else {
                return Err(InvalidRequest::new("the request's body can't be sent twice").into());
            };
            let span = telemetry::attempt_span(binding, request.url(), &call.correlation_id, call.attempts);
            call.attempts += 1;
            let limit = shared.attempt_timeout.min(deadline.saturating_duration_since(Instant::now()));
            let outcome = timeout(limit, self.attempt(attempt)).instrument(span.clone()).await;
            let timed_out = || Failed::Transport { kind: TransportErrorKind::Timeout, status: None, source: None };
            let failed = match outcome.unwrap_or_else(|_| Err(timed_out())) {
                Ok(reply) => {
                    span.record("http.response.status_code", reply.status.as_u16());
                    shared.retry_budget.give_back(spent);
                    return Ok((reply, call));
                }
                Err(failed) => failed,
            };

            let failure = match &failed {
                Failed::Transport { kind, .. } => Some(Failure::Transport(*kind)),
                Failed::Refused(reply) => Some(Failure::Status(reply.status)),
                Failed::TooLarge(_) | Failed::Encoded(..) => None,
            };
            uncertain |= failure.is_some_and(|failure| !failure.is_unprocessed());
            call.effect = match failure {
                _ if idempotency == Idempotency::Safe => Effect::None,
                None => Effect::Applied,
                Some(_) if uncertain => Effect::Unknown,
                Some(_) => Effect::None,
            };
            call.retryable = failure.is_some_and(Failure::is_transient);
            let wait = match &failed {
                Failed::Refused(reply) => retry_after(&reply.headers, SystemTime::now()),
                _ => None,
            };
            let error = self.error(call.clone(), failed, wait);
            if let Some(status) = error.status() {
                span.record("http.response.status_code", status.as_u16());
            }
            telemetry::failed(&span, &error.kind());

            let retry = failure.filter(|failure| failure.may_retry(idempotency)).and_then(|failure| {
                let delay = delays.next()?.max(wait.unwrap_or_default());
                let in_time =
                    wait.is_none_or(|wait| wait <= policy.max_retry_after()) && later(Instant::now(), delay) < deadline;
                if !in_time {
                    return None;
                }
                spent = Some(shared.retry_budget.take(failure)?);
                Some(delay)
            });
            let Some(delay) = retry else { return Err(error) };
            tracing::debug!(target: telemetry::TARGET, delay_ms = delay.as_secs_f64() * 1e3, %error, "retrying");
            sleep(delay).await;
        }
    }

    /// Sends one request and reads its response.
    async fn attempt(&self, request: reqwest::Request) -> Result<Reply, Failed> {
        let mut response = self.client.execute(request).await.map_err(|error| transport(error, None))?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        if !status.is_success() {
            // Go by the status: an error whose body does not come whole is that error all the same.
            let mut body = BytesMut::new();
            while let Ok(Some(chunk)) = response.chunk().await {
                body.extend_from_slice(&chunk);
                if body.len() > MAX_ERROR_BODY {
                    break;
                }
            }
            return Err(Failed::Refused(Box::new(Reply { status, headers, body: body.freeze() })));
        }
        if let Some(encoding) = headers.get(header::CONTENT_ENCODING).filter(|value| *value != "identity") {
            return Err(Failed::Encoded(status, String::from_utf8_lossy(encoding.as_bytes()).into_owned()));
        }
        let limit = self.inner.shared.max_response_bytes;
        let expected = response.content_length().and_then(|length| usize::try_from(length).ok());
        if expected.is_some_and(|length| length > limit) {
            return Err(Failed::TooLarge(status));
        }
        let mut chunks: Option<BytesMut> = None;
        let mut first = Bytes::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| transport(error, Some(status)))? {
            let read = chunks.as_ref().map_or(first.len(), BytesMut::len);
            if read + chunk.len() > limit {
                return Err(Failed::TooLarge(status));
            }
            // Most bodies come in one chunk, which needs no copy.
            if read == 0 {
                first = chunk;
            } else {
                let body = chunks.get_or_insert_with(|| {
                    let mut body = BytesMut::with_capacity(expected.unwrap_or(2 * read));
                    body.extend_from_slice(&first);
                    body
                });
                body.extend_from_slice(&chunk);
            }
        }
        Ok(Reply { status, headers, body: chunks.map_or(first, BytesMut::freeze) })
    }

    /// Sets the headers that every request has, and returns the correlation id.
    fn stamp(&self, request: &mut reqwest::Request) -> Result<String, Error> {
        let (shared, options) = (&self.inner.shared, &self.inner.options);
        let correlation_id = uuid::Uuid::new_v4().to_string();
        let correlation = HeaderValue::from_str(&correlation_id)
            .map_err(|_| InvalidRequest::new("the correlation id can't stand in an HTTP header"))?;
        let empty_post = request.method() == Method::POST && request.body().is_none();
        let headers = request.headers_mut();
        if empty_post {
            // Without the one, some gateways take a POST for a GET; without the other, some proxies refuse it.
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        for (name, value) in &options.headers {
            headers.insert(name, value.clone());
        }
        headers.insert(header::USER_AGENT, shared.user_agent.clone());
        headers.insert("x-cx-sdk-version", HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
        headers.insert("x-cx-sdk-language", HeaderValue::from_static("rust"));
        headers.insert("x-cx-correlation-id", correlation);
        headers.insert(header::AUTHORIZATION, shared.authorization.clone());
        Ok(correlation_id)
    }

    fn error(&self, call: Call, failed: Failed, retry_after: Option<Duration>) -> Error {
        let shared = &self.inner.shared;
        match failed {
            Failed::Transport { kind, status, source } => TransportError { call, kind, status, source }.into(),
            Failed::Refused(reply) => {
                let Reply { status, headers, body } = *reply;
                let redact = |text| shared.api_key.redact(text);
                ApiError::new(call, status, &headers, &body, redact, retry_after).into()
            }
            Failed::TooLarge(status) => ResponseTooLarge { call, status, limit: shared.max_response_bytes }.into(),
            Failed::Encoded(status, encoding) => UndecodableResponse::encoding(call, status, encoding).into(),
        }
    }

    fn decode<T: DeserializeOwned>(&self, mut call: Call, reply: Reply) -> Result<ResponseValue<T>, Error> {
        let shared = &self.inner.shared;
        let Reply { status, headers, body } = reply;
        let json: &[u8] = if status == StatusCode::NO_CONTENT { b"{}" } else { &body };
        let decoded = if Drift::is_watched() {
            shared.drift.watch(call.operation, |note| {
                let mut deserializer = serde_json::Deserializer::from_slice(json);
                let value = serde_ignored::deserialize(&mut deserializer, |path| {
                    if let Some(name) = last_name(&path) {
                        note(name);
                    }
                })?;
                deserializer.end().map(|()| value)
            })
        } else {
            serde_json::from_slice(json)
        };
        match decoded {
            Ok(inner) => Ok(ResponseValue {
                inner,
                status,
                headers,
                correlation_id: call.correlation_id,
                attempts: call.attempts,
            }),
            Err(source) => {
                call.effect =
                    if call.operation.idempotency == Idempotency::Safe { Effect::None } else { Effect::Applied };
                call.retryable = false;
                let redact = |text| shared.api_key.redact(text);
                Err(UndecodableResponse::json(call, status, &body, &source, redact).into())
            }
        }
    }
}

/// Host, and port where it is not the scheme's own.
fn authority(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// `start` after a time that may be as long as [`Duration::MAX`].
fn later(start: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);
    start + time.min(FAR)
}

/// The name of an unknown member: the last step of its path. The steps before may be keys of a map, which are values.
fn last_name<'p>(path: &'p serde_ignored::Path<'_>) -> Option<&'p str> {
    match path {
        serde_ignored::Path::Map { key, .. } => Some(key),
        serde_ignored::Path::Some { parent }
        | serde_ignored::Path::NewtypeStruct { parent }
        | serde_ignored::Path::NewtypeVariant { parent } => last_name(parent),
        _ => None,
    }
}

/// Tells reqwest's errors apart.
fn transport(error: reqwest::Error, status: Option<StatusCode>) -> Failed {
    let kind = match (error.is_timeout(), error.is_connect()) {
        (true, true) => TransportErrorKind::ConnectTimeout,
        (true, false) => TransportErrorKind::Timeout,
        (false, true) if is_tls(&error) => TransportErrorKind::Tls,
        (false, true) => TransportErrorKind::Connect,
        (false, false) if is_protocol(&error) => TransportErrorKind::Protocol,
        (false, false) => TransportErrorKind::Reset,
    };
    // The URL may name incidents, and the error says where it was going by itself.
    Failed::Transport { kind, status, source: Some(error.without_url()) }
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| match error.downcast_ref::<std::io::Error>() {
        // An `io::Error` skips the error it wraps when asked for its source.
        Some(io) => io.get_ref().map(|inner| inner as _).or_else(|| error.source()),
        None => error.source(),
    })
}

fn is_tls(error: &reqwest::Error) -> bool {
    #[cfg(feature = "rustls")]
    if chain(error).any(<dyn std::error::Error>::is::<rustls::Error>) {
        return true;
    }
    // The platform's library has its errors in a crate that is not ours to name.
    cfg!(feature = "native-tls")
        && chain(error).any(|error| error.to_string().contains("certificate") || error.to_string().contains("SSL"))
}

fn is_protocol(error: &reqwest::Error) -> bool {
    chain(error).filter_map(|error| error.downcast_ref::<hyper::Error>()).any(hyper::Error::is_parse)
}
