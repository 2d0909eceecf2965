//! The one way to the service and back: deadline, attempt loop, budget, spans, size limit, error normalisation, decoding.
//! It takes the place of progenitor's `exec` hook. It knows no operation by name.

mod attempt;
mod classify;

use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde::de::{DeserializeOwned, Unexpected};
use serde_json::error::Category;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use self::attempt::{AttemptError, Reply};
use crate::{
    Client, Effect, Error, Idempotency, Operation, ResponseValue,
    error::Call,
    headers,
    operation::Binding,
    retry::{self, Decision, FailedAttempt, StopReason},
    telemetry::{self, Drift},
};

/// The longest URL that proxies commonly accept, in bytes.
pub(crate) const MAX_URL: usize = 8 * 1024;
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-cx-correlation-id");

impl Client {
    /// Sends a request, again where that may help, and decodes the answer.
    pub(crate) async fn exec<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        mut request: reqwest::Request,
    ) -> Result<ResponseValue<T>, Error> {
        let (call, binding) = self.prepare(operation, &mut request)?;
        let span = telemetry::operation_span(operation, binding, request.url(), &call.correlation_id);
        let outcome = async {
            let (reply, call) = self.attempts(call, binding, &request).await?;
            self.decode(call, reply)
        };
        let outcome = outcome.instrument(span.clone()).await;
        let attempts = outcome.as_ref().map_or_else(Error::attempts, ResponseValue::attempts);
        span.record("cx.attempts", attempts);
        if let Err(error) = &outcome {
            telemetry::failed(&span, error.kind());
        }
        outcome
    }

    /// An error for a reply that leaves open what became of an id.
    pub(crate) fn unaccounted<T>(
        &self,
        operation: &'static Operation,
        reply: &ResponseValue<T>,
        what: String,
    ) -> Error {
        let shared = &self.inner.shared;
        let call = Call {
            operation,
            generation: self.api_generation(),
            authority: Arc::clone(&shared.authority),
            correlation_id: reply.correlation_id.clone(),
            attempts: reply.attempts,
            effect: if operation.idempotency == Idempotency::Safe { Effect::None } else { Effect::Unknown },
            retryable: false,
        };
        Error::incomplete(call, reply.status, &shared.api_key.redact(what))
    }

    /// Checks a request, stamps it, and begins the account of its call.
    fn prepare(&self, operation: &'static Operation, request: &mut reqwest::Request) -> Result<(Call, Binding), Error> {
        let length = request.url().as_str().len();
        if length > MAX_URL {
            let message = format!(
                "the URL would be {length} bytes long, and proxies commonly accept {MAX_URL}: give fewer ids, or use \
                 `Client::bulk`"
            );
            return Err(Error::invalid_request(message));
        }
        let generation = self.api_generation();
        let Some(binding) = operation.binding(generation) else {
            return Err(Error::not_in_generation(operation, generation));
        };
        let correlation_id = self.stamp(request)?;
        let call = Call {
            operation,
            generation,
            authority: Arc::clone(&self.inner.shared.authority),
            correlation_id,
            attempts: 0,
            effect: Effect::None,
            retryable: false,
        };
        Ok((call, binding))
    }

    /// Sends a request within the call's deadline, attempt by attempt.
    async fn attempts(
        &self,
        mut call: Call,
        binding: Binding,
        request: &reqwest::Request,
    ) -> Result<(Reply, Call), Error> {
        let (shared, options) = (&self.inner.shared, &self.inner.options);
        let policy = options.retry_policy.as_ref().unwrap_or(&shared.retry_policy);
        let deadline = later(Instant::now(), options.timeout.unwrap_or(shared.timeout));
        let idempotency = call.operation.idempotency;
        let mut retries = 0;
        let mut spent = None;
        // Whether an attempt so far may have been processed.
        let mut uncertain = false;
        loop {
            let Some(attempt) = request.try_clone() else {
                return Err(Error::invalid_request("the request's body cannot be sent twice"));
            };
            let span = telemetry::attempt_span(binding, request.url(), &call.correlation_id, call.attempts);
            call.attempts += 1;
            let begun = Instant::now();
            let limit = later(begun, shared.attempt_timeout).min(deadline);
            let response = self.client.execute(attempt);
            let failed = match self.attempt(response, request.url(), limit).instrument(span.clone()).await {
                Ok(reply) => {
                    span.record("http.response.status_code", reply.status.as_u16());
                    shared.retry_budget.give_back(spent);
                    return Ok((reply, call));
                }
                Err(failed) => failed,
            };

            let class = failed.retry_class();
            uncertain |= !class.is_unprocessed(shared.own_http_client);
            call.effect = match &failed {
                _ if idempotency == Idempotency::Safe => Effect::None,
                AttemptError::TooLarge { json: true, .. } => Effect::Applied,
                _ if uncertain => Effect::Unknown,
                _ => Effect::None,
            };
            call.retryable = class.is_transient();
            let error = self.error(call.clone(), failed, begun.elapsed());
            if let Some(status) = error.status() {
                span.record("http.response.status_code", status.as_u16());
            }
            telemetry::failed(&span, error.kind());
            // The request is over; the wait is no part of it.
            drop(span);

            let time_left = deadline.saturating_duration_since(Instant::now());
            let own_http_client = shared.own_http_client;
            let retry_after = error.retry_after();
            let failed = FailedAttempt { class, idempotency, own_http_client, retries, retry_after, time_left };
            let retry = match retry::decide(policy, &failed, fastrand::f64()) {
                Decision::Retry { delay, cost } => {
                    shared.retry_budget.acquire(cost).map(|permit| (delay, permit)).ok_or(StopReason::BudgetEmpty)
                }
                Decision::Stop(reason) => Err(reason),
            };
            let line = error.log_line();
            let (delay, permit) = match retry {
                Ok(retry) => retry,
                Err(reason) => {
                    tracing::debug!(target: telemetry::TARGET, reason = %reason, error = %line, "not retrying");
                    return Err(error);
                }
            };
            tracing::debug!(target: telemetry::TARGET, delay_ms = delay.as_secs_f64() * 1e3, error = %line, "retrying");
            sleep(delay).await;
            retries += 1;
            spent = permit.spend();
        }
    }

    /// Sets the headers that every request has, and returns the correlation id.
    fn stamp(&self, request: &mut reqwest::Request) -> Result<String, Error> {
        // It tells calls apart and keeps no secret: no need to ask the system for its randomness.
        let correlation_id = uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid().to_string();
        let correlation = HeaderValue::from_str(&correlation_id)
            .map_err(|_| Error::invalid_request("the correlation id cannot be sent in an HTTP header"))?;
        let empty_post = request.method() == Method::POST && request.body().is_none();
        let mut headers = self.inner.options.headers.clone();
        for (name, value) in request.headers() {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        if empty_post {
            // Without the one, some gateways take a POST for a GET; without the other, some proxies refuse it.
            headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        headers.insert(CORRELATION_ID, correlation);
        *request.headers_mut() = headers;
        Ok(correlation_id)
    }

    fn error(&self, call: Call, failed: AttemptError, elapsed: Duration) -> Error {
        let shared = &self.inner.shared;
        match failed {
            AttemptError::Transport { kind, status, source } => Error::transport(call, kind, status, elapsed, source),
            AttemptError::Status(reply) => {
                let Reply { status, headers, body } = *reply;
                let redact = |text| shared.api_key.redact(text);
                Error::status_error(call, status, &headers, &body, redact)
            }
            AttemptError::TooLarge { status, .. } => Error::too_large(call, status, shared.max_response_bytes),
            AttemptError::Encoded(status, encoding) => Error::encoded(call, status, &shared.api_key.redact(encoding)),
            AttemptError::Redirected(status, to) => Error::redirected(call, status, &shared.api_key.redact(to)),
            AttemptError::Unsendable(source) => Error::unbuildable(source),
        }
    }

    fn decode<T: DeserializeOwned>(&self, mut call: Call, reply: Reply) -> Result<ResponseValue<T>, Error> {
        let shared = &self.inner.shared;
        let redact = |text| shared.api_key.redact(text);
        let Reply { status, headers, body } = reply;
        let json: &[u8] = if status == StatusCode::NO_CONTENT { b"{}" } else { &body };
        // Some servers write a byte order mark.
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let decoded = if json.trim_ascii_start().starts_with(b"[") {
            // serde would take an array for the members in order.
            Err(serde::de::Error::invalid_type(Unexpected::Seq, &"an object"))
        } else if Drift::is_watched() {
            shared.drift.watch(call.operation, redact, |note| {
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
                // What is no JSON object need not be the service's: a sign-in page is a 200, too.
                let object = headers::is_json(&headers) && json.trim_ascii_start().starts_with(b"{");
                call.effect = match (call.operation.idempotency, source.classify()) {
                    (Idempotency::Safe, _) => Effect::None,
                    (_, Category::Data) if object => Effect::Applied,
                    _ => Effect::Unknown,
                };
                call.retryable = false;
                Err(Error::undecodable(call, status, &body, &source, redact))
            }
        }
    }
}

/// `start` after a time that may be as long as [`Duration::MAX`].
pub(crate) fn later(start: Instant, time: Duration) -> Instant {
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
