//! The one way to the service and back: deadline, attempt loop, budget, spans, size limit, error normalisation, decoding.
//! It takes the place of progenitor's `exec` hook. It knows no operation by name.

mod attempt;
mod classify;

use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, Method, header};
use serde::de::{DeserializeOwned, Unexpected};
use serde_json::error::Category;
use tokio::time::{Instant, sleep};
use tracing::{Instrument, Span};

use self::attempt::{AttemptError, Reply};
use crate::{
    ApiGeneration, Binding, Client, Effect, Error, Idempotency, Operation, ResponseValue,
    error::{Call, RouteUnknown},
    headers,
    http_client::missing_roots,
    retry::{self, Decision, FailedAttempt, StopReason},
    telemetry::{self, Drift},
};

/// The longest URL that proxies commonly accept, in bytes.
pub(crate) const MAX_URL: usize = 8 * 1024;
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-cx-correlation-id");

/// Builds the request of a call for one of the operation's bindings. It is called once for each attempt, so that nothing is
/// copied in case there is a second.
pub(crate) type BuildRequest<'a> = dyn Fn(&'static Binding) -> Result<reqwest::Request, Error> + Send + Sync + 'a;

/// Whether a reply holds any of the incidents that the call was for.
pub(crate) type Answers<'a, T> = dyn Fn(&T) -> bool + Send + Sync + 'a;

/// A call under way.
struct Exchange<'a> {
    build: &'a BuildRequest<'a>,
    binding: &'static Binding,
    correlation_id: HeaderValue,
    deadline: Instant,
    span: Span,
    /// Whether the call may go to another generation where the host does not know the route.
    may_change: bool,
}

impl Client {
    /// Sends a request, again if that may help, and decodes the answer.
    pub(crate) fn exec<T: DeserializeOwned + Default + 'static>(
        &self,
        operation: &'static Operation,
        build: &BuildRequest<'_>,
    ) -> impl Future<Output = Result<ResponseValue<T>, Error>> {
        self.call(operation, build, None)
    }

    /// As [`exec`](Self::exec), for an operation that changes the incidents whose ids it is given.
    ///
    /// A gateway that drops the bodies of V1 requests answers them with 200 and an empty message, and changes nothing. So a V1
    /// reply in which none of the incidents stands proves nothing as long as no other V1 reply has held what was asked for. The
    /// same request is then sent in the other generation, where the client may choose that: the operations are idempotent.
    pub(crate) fn exec_verb<T: DeserializeOwned + Default + 'static>(
        &self,
        operation: &'static Operation,
        build: &BuildRequest<'_>,
        answers: &Answers<'_, T>,
    ) -> impl Future<Output = Result<ResponseValue<T>, Error>> {
        self.call(operation, build, Some(answers))
    }

    async fn call<T: DeserializeOwned + Default + 'static>(
        &self,
        operation: &'static Operation,
        build: &BuildRequest<'_>,
        answers: Option<&Answers<'_, T>>,
    ) -> Result<ResponseValue<T>, Error> {
        let shared = &self.inner.shared;
        let binding = self.first_binding(operation)?;
        // It tells calls apart and keeps no secret: no need to ask the system for its randomness.
        let id = uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid().to_string();
        let correlation_id = HeaderValue::from_str(&id)
            .map_err(|_| Error::invalid_request("the correlation id cannot be sent in an HTTP header"))?;
        let request = self.request(build, binding, &correlation_id)?;
        if let Some(cause) = &shared.missing_roots {
            return Err(missing_roots(cause));
        }
        let timeout = self.inner.options.timeout.unwrap_or(shared.timeout);
        let deadline = later(Instant::now(), timeout);
        let span = telemetry::operation_span(operation, binding, request.url(), &id);
        let may_change = shared.generations.may_change();
        let mut exchange = Exchange { build, binding, correlation_id, deadline, span: span.clone(), may_change };
        let call = Call {
            operation,
            generation: binding.generation,
            authority: Arc::clone(&shared.authority),
            base_url: Arc::clone(&shared.base_url),
            is_generation_fixed: !shared.generations.may_change(),
            changed_generation: false,
            correlation_id: id,
            attempts: 0,
            effect: Effect::None,
            retryable: false,
        };
        let outcome = async {
            let (reply, call) = self.attempts(call, &mut exchange, request).await?;
            let response = self.decode(call.clone(), reply)?;
            let (Some(answers), Some(other)) = (answers, self.other_binding(operation, exchange.binding)) else {
                return Ok(response);
            };
            if !response.has_body {
                return Ok(response);
            }
            if answers(&response) {
                shared.generations.v1_has_read_a_body();
                return Ok(response);
            }
            self.ask_again(call, &mut exchange, other, response, answers).await
        };
        let outcome = outcome.instrument(span.clone()).await;
        let attempts = outcome.as_ref().map_or_else(Error::attempts, ResponseValue::attempts);
        span.record("cx.attempts", attempts);
        if let Err(error) = &outcome {
            telemetry::failed(&span, error.kind());
        }
        outcome
    }

    /// Sends a V1 call again in another generation, after a reply in which nothing that was asked for stands.
    async fn ask_again<T: DeserializeOwned + Default + 'static>(
        &self,
        mut call: Call,
        exchange: &mut Exchange<'_>,
        other: &'static Binding,
        first: ResponseValue<T>,
        answers: &Answers<'_, T>,
    ) -> Result<ResponseValue<T>, Error> {
        let Ok(request) = self.request(exchange.build, other, &exchange.correlation_id) else { return Ok(first) };
        telemetry::changed_generation(&exchange.span, other, "the reply holds none of the incidents");
        let operation = call.operation;
        exchange.binding = other;
        exchange.may_change = false;
        call.generation = other.generation;
        let second = match self.attempts(call, exchange, request).await {
            Ok((reply, call)) => self.decode(call, reply),
            Err(error) => Err(error),
        };
        match second {
            Ok(second) => {
                if answers(&second) || !second.has_body {
                    self.answered(operation, other);
                }
                Ok(second)
            }
            // The other generation changed nothing, so the first reply stands.
            Err(error) if error.effect() == Effect::None => Ok(ResponseValue { attempts: error.attempts(), ..first }),
            Err(error) => Err(error),
        }
    }

    /// The binding that a call is sent by at first.
    fn first_binding(&self, operation: &'static Operation) -> Result<&'static Binding, Error> {
        let generations = &self.inner.shared.generations;
        let Some(generation) = generations.current() else { return Ok(operation.preferred()) };
        match operation.binding(generation) {
            Some(binding) => Ok(binding),
            None if generations.may_change() => Ok(operation.preferred()),
            None => Err(Error::not_in_generation(operation, generation)),
        }
    }

    /// Remembers the generation that answered, unless the operation left no choice.
    fn answered(&self, operation: &Operation, binding: &Binding) {
        if operation.bindings.len() > 1 {
            self.inner.shared.generations.answered(binding.generation);
        }
    }

    /// The binding that a V1 call may be sent by once more.
    fn other_binding(&self, operation: &'static Operation, sent: &Binding) -> Option<&'static Binding> {
        let generations = &self.inner.shared.generations;
        let may = generations.may_change() && !generations.v1_reads_bodies();
        operation.binding(ApiGeneration::V5).filter(|_| may && sent.generation == ApiGeneration::V1)
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
            generation: reply.generation,
            authority: Arc::clone(&shared.authority),
            base_url: Arc::clone(&shared.base_url),
            is_generation_fixed: !shared.generations.may_change(),
            changed_generation: false,
            correlation_id: reply.correlation_id.clone(),
            attempts: reply.attempts,
            effect: if operation.idempotency == Idempotency::Safe { Effect::None } else { Effect::Unknown },
            retryable: false,
        };
        Error::incomplete(call, reply.status, &shared.api_key.redact(what))
    }

    /// The request of one attempt, with all its headers.
    fn request(
        &self,
        build: &BuildRequest<'_>,
        binding: &'static Binding,
        correlation_id: &HeaderValue,
    ) -> Result<reqwest::Request, Error> {
        let mut request = build(binding)?;
        let length = request.url().as_str().len();
        if length > MAX_URL {
            let message = format!(
                "the URL would be {length} bytes long, and proxies commonly accept {MAX_URL}: give fewer ids, or use \
                 `Client::bulk`"
            );
            return Err(Error::invalid_request(message));
        }
        self.apply_headers(&mut request, correlation_id);
        Ok(request)
    }

    /// Sends a request within the call's deadline, attempt by attempt. Where a host does not know the route, nothing was done:
    /// the same call goes to the other generation at once, which is no retry.
    async fn attempts(
        &self,
        mut call: Call,
        exchange: &mut Exchange<'_>,
        request: reqwest::Request,
    ) -> Result<(Reply, Call), Error> {
        let (shared, options) = (&self.inner.shared, &self.inner.options);
        let policy = options.retry_policy.as_ref().unwrap_or(&shared.retry_policy);
        let deadline = exchange.deadline;
        let idempotency = call.operation.idempotency;
        let mut retries = 0;
        let mut spent = None;
        // Whether an attempt so far may have been processed.
        let mut uncertain = call.effect != Effect::None;
        // The generation whose route the host does not know.
        let mut unknown = None;
        let mut request = Some(request);
        loop {
            let attempt = match request.take() {
                Some(request) => request,
                None => self.request(exchange.build, exchange.binding, &exchange.correlation_id)?,
            };
            let binding = exchange.binding;
            let url = attempt.url().clone();
            let span = telemetry::attempt_span(binding, &url, &call.correlation_id, call.attempts);
            call.attempts += 1;
            let begun = Instant::now();
            let limit = later(begun, shared.attempt_timeout).min(deadline);
            let response = self.client.execute(attempt);
            let failed = match self.attempt(response, &url, limit).instrument(span.clone()).await {
                Ok(reply) => {
                    span.record("http.response.status_code", reply.status.as_u16());
                    shared.retry_budget.give_back(spent);
                    self.answered(call.operation, binding);
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
            call.changed_generation = unknown.is_some();
            let error = self.error(call.clone(), failed, begun.elapsed());
            if let Some(status) = error.status() {
                span.record("http.response.status_code", status.as_u16());
            }
            telemetry::failed(&span, error.kind());
            // The request is over; the wait is no part of it.
            drop(span);

            let is_unknown = match error.route_unknown() {
                RouteUnknown::Certain => true,
                // What has answered before knows its routes: there, an incident is missing.
                RouteUnknown::Possible => shared.generations.current().is_none(),
                RouteUnknown::No => false,
            };
            if is_unknown {
                let may = exchange.may_change && (!uncertain || idempotency != Idempotency::NonIdempotent);
                let other = call.operation.bindings.iter().find(|other| other.generation != binding.generation);
                if let Some(other) = other.filter(|_| may && unknown.is_none()) {
                    telemetry::changed_generation(&exchange.span, other, "the host does not know the route");
                    unknown = Some(binding.generation);
                    exchange.binding = other;
                    call.generation = other.generation;
                    continue;
                }
            } else if unknown.is_some() && error.status().is_some_and(|status| status.is_client_error()) {
                // Whoever refuses a call knows its route; something on the way may answer with a 5XX.
                self.answered(call.operation, binding);
            }

            let time_left = deadline.saturating_duration_since(Instant::now());
            let own_http_client = shared.own_http_client;
            let retry_after = error.retry_after();
            let failed = FailedAttempt { class, idempotency, own_http_client, retries, retry_after, time_left };
            let retry = match retry::decide(policy, &failed, fastrand::f64()) {
                Decision::Retry { delay, cost } => {
                    shared.retry_budget.acquire(cost).map(|permit| (delay, permit)).ok_or(StopReason::BudgetEmpty)
                }
                // There was nothing to decide.
                Decision::Stop(StopReason::NotTransient) => return Err(error),
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

    /// Sets the headers that every request has.
    fn apply_headers(&self, request: &mut reqwest::Request, correlation_id: &HeaderValue) {
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
        headers.insert(CORRELATION_ID, correlation_id.clone());
        *request.headers_mut() = headers;
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

    /// Reads a success. A state-changing call may be answered without a body: that is a success whose content is unknown. A
    /// read without a body is no answer.
    fn decode<T: DeserializeOwned + Default + 'static>(
        &self,
        mut call: Call,
        reply: Reply,
    ) -> Result<ResponseValue<T>, Error> {
        let shared = &self.inner.shared;
        let redact = |text| shared.api_key.redact(text);
        let Reply { status, headers, body } = reply;
        // Some servers write a byte order mark.
        let json = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
        if json.trim_ascii().is_empty() && call.operation.idempotency != Idempotency::Safe {
            return Ok(ResponseValue {
                inner: T::default(),
                status,
                headers,
                has_body: false,
                generation: call.generation,
                correlation_id: call.correlation_id,
                attempts: call.attempts,
                uncertain: call.effect != Effect::None,
            });
        }
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
            crate::wire::from_slice(json)
        };
        match decoded {
            Ok(inner) => Ok(ResponseValue {
                inner,
                status,
                headers,
                has_body: true,
                generation: call.generation,
                correlation_id: call.correlation_id,
                attempts: call.attempts,
                uncertain: call.effect != Effect::None,
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
