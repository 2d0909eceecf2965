//! Sends every call: headers, deadline, attempts, the change of the API generation, and spans. It replaces progenitor's `exec`
//! hook. This module must not know single operations.

mod attempt;
mod classify;
mod decode;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method, header};
use tokio::time::{Instant, sleep};
use tracing::{Instrument, Span};

use self::{
    attempt::{AttemptError, Reply},
    decode::{Decode, Received},
};
use crate::{
    ApiGeneration, Binding, Client, Effect, Error, Idempotency, Operation, ResponseValue,
    correlation_id::CorrelationId,
    error::{Call, RouteUnknown},
    http_client::missing_roots,
    retry::{self, Decision, FailedAttempt, StopReason},
    telemetry,
    wire::unknown::Response,
};

/// The longest URL that proxies commonly accept, in bytes.
pub(crate) const MAX_URL: usize = 8 * 1024;
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-cx-correlation-id");

/// Builds the request of a call for one of the operation's bindings. It is called once for each attempt, so that no request is
/// cloned for a retry that may not be needed.
pub(crate) type BuildRequest<'a> = dyn Fn(&'static Binding) -> Result<reqwest::Request, Error> + Send + Sync + 'a;

/// Whether a response contains any of the incidents that the call named.
pub(crate) type Answers<'a, T> = dyn Fn(&T) -> bool + Send + Sync + 'a;

/// A call under way.
struct Exchange<'a> {
    build: &'a BuildRequest<'a>,
    binding: &'static Binding,
    deadline: Instant,
    span: Span,
    /// Whether the call may be sent in the other generation if the host does not know the route.
    may_change: bool,
}

impl Client {
    /// Sends a request with retries and decodes the response. An operation that changes the incidents whose ids it is given says by
    /// `answers` whether a response contains any of them.
    ///
    /// Some gateways ignore the bodies of V1 requests, answer 200 with an empty message, and change nothing. A V1 reply without
    /// any of the incidents therefore proves nothing, unless an earlier V1 reply has shown that the gateway reads bodies. The
    /// same request is then sent in the other generation, if the generation is not set: the operations are idempotent.
    pub(crate) async fn exec<T: Response>(
        &self,
        operation: &'static Operation,
        build: &BuildRequest<'_>,
        answers: Option<&Answers<'_, T>>,
    ) -> Result<ResponseValue<T>, Error> {
        let mut message = Received { message: T::default(), answers };
        let response = self.call(operation, build, &mut message).await?;
        Ok(response.map(|()| message.message))
    }

    /// Makes a call of any operation. The future is boxed, so that its code is compiled in this crate, and not again in each crate
    /// that makes calls.
    fn call<'a>(
        &'a self,
        operation: &'static Operation,
        build: &'a BuildRequest<'a>,
        message: &'a mut dyn Decode,
    ) -> BoxFuture<'a, Result<ResponseValue<()>, Error>> {
        Box::pin(self.call_in_span(operation, build, message))
    }

    async fn call_in_span(
        &self,
        operation: &'static Operation,
        build: &BuildRequest<'_>,
        message: &mut dyn Decode,
    ) -> Result<ResponseValue<()>, Error> {
        let shared = &self.inner.shared;
        let binding = self.first_binding(operation)?;
        let correlation_id = CorrelationId::random();
        let request = self.request(build, binding, &correlation_id)?;
        if let Some(cause) = &shared.missing_roots {
            return Err(missing_roots(cause));
        }
        let timeout = self.inner.options.timeout.unwrap_or(shared.timeout);
        let deadline = saturating_deadline(Instant::now(), timeout);
        let span = telemetry::operation_span(operation, binding, request.url(), correlation_id.as_str());
        let may_change = shared.generations.may_change();
        let mut exchange = Exchange { build, binding, deadline, span: span.clone(), may_change };
        let mut call = self.new_call(operation, binding.generation, correlation_id);
        let outcome = async {
            let reply = self.attempts(&mut call, &mut exchange, request).await?;
            let response = self.decode(call.clone(), reply, message)?;
            let (Some(has_answer), Some(other)) = (message.answers(), self.other_binding(operation, exchange.binding))
            else {
                return Ok(response);
            };
            if !response.has_body {
                return Ok(response);
            }
            if has_answer {
                shared.generations.v1_has_read_a_body();
                return Ok(response);
            }
            self.ask_again(&mut call, &mut exchange, other, response, message).await
        };
        let outcome = outcome.instrument(span.clone()).await;
        let attempts = outcome.as_ref().map_or_else(Error::attempts, ResponseValue::attempts);
        span.record("cx.attempts", attempts);
        if let Err(error) = &outcome {
            telemetry::failed(&span, error.kind());
        }
        outcome
    }

    /// Sends a V1 call again in the other generation, after a reply without any of the incidents.
    async fn ask_again(
        &self,
        call: &mut Call,
        exchange: &mut Exchange<'_>,
        other: &'static Binding,
        first: ResponseValue<()>,
        message: &mut dyn Decode,
    ) -> Result<ResponseValue<()>, Error> {
        let Ok(request) = self.request(exchange.build, other, &call.correlation_id) else { return Ok(first) };
        telemetry::changed_generation(&exchange.span, other, "the reply holds none of the incidents");
        exchange.binding = other;
        exchange.may_change = false;
        call.generation = other.generation;
        let second = match self.attempts(call, exchange, request).await {
            Ok(reply) => self.decode(call.clone(), reply, message),
            Err(error) => Err(error),
        };
        match second {
            // The other generation changed nothing, so the first reply stands.
            Err(error) if error.effect() == Effect::None => Ok(ResponseValue { attempts: error.attempts(), ..first }),
            second => second,
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

    /// The binding by which a V1 call may be sent again.
    fn other_binding(&self, operation: &'static Operation, sent: &Binding) -> Option<&'static Binding> {
        let generations = &self.inner.shared.generations;
        let may = generations.may_change() && !generations.v1_reads_bodies();
        operation.binding(ApiGeneration::V5).filter(|_| may && sent.generation == ApiGeneration::V1)
    }

    /// An error for a success response that does not say what became of the request; `what` is the reason.
    pub(crate) fn incomplete_response<T>(
        &self,
        operation: &'static Operation,
        reply: &ResponseValue<T>,
        what: String,
    ) -> Error {
        let call = Call {
            attempts: reply.attempts,
            effect: if operation.idempotency == Idempotency::Safe { Effect::None } else { Effect::Unknown },
            ..self.new_call(operation, reply.generation, reply.correlation_id)
        };
        Error::incomplete(call, reply.status, &self.inner.shared.api_key.redact(what))
    }

    fn new_call(
        &self,
        operation: &'static Operation,
        generation: ApiGeneration,
        correlation_id: CorrelationId,
    ) -> Call {
        let shared = &self.inner.shared;
        Call {
            operation,
            generation,
            authority: Arc::clone(&shared.authority),
            base_url: Arc::clone(&shared.base_url),
            is_generation_fixed: !shared.generations.may_change(),
            changed_generation: false,
            correlation_id,
            attempts: 0,
            effect: Effect::None,
            retryable: false,
        }
    }

    /// Builds the request of one attempt, with all its headers.
    fn request(
        &self,
        build: &BuildRequest<'_>,
        binding: &'static Binding,
        correlation_id: &CorrelationId,
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

    /// Sends a request and its retries until the call's deadline. If the host does not know the route, nothing was changed, and
    /// the same call is sent in the other generation at once. That is not a retry.
    async fn attempts(
        &self,
        call: &mut Call,
        exchange: &mut Exchange<'_>,
        request: reqwest::Request,
    ) -> Result<Reply, Error> {
        let shared = &self.inner.shared;
        let idempotency = call.operation.idempotency;
        let may_repeat = idempotency != Idempotency::NonIdempotent;
        let mut retries = 0;
        let mut spent = None;
        // Whether any attempt so far may have been processed.
        let mut uncertain = call.effect != Effect::None;
        let mut request = Some(request);
        loop {
            let attempt = match request.take() {
                Some(request) => request,
                None => self.request(exchange.build, exchange.binding, &call.correlation_id)?,
            };
            let binding = exchange.binding;
            let url = attempt.url().clone();
            let span = telemetry::attempt_span(binding, &url, call.correlation_id.as_str(), call.attempts);
            call.attempts += 1;
            let begun = Instant::now();
            let limit = saturating_deadline(begun, shared.attempt_timeout).min(exchange.deadline);
            let response = self.client.execute(attempt);
            let failed = match self.attempt(response, &url, limit).instrument(span.clone()).await {
                Ok(reply) => {
                    span.record("http.response.status_code", reply.status.as_u16());
                    shared.retry_budget.give_back(spent);
                    self.answered(call.operation, binding);
                    return Ok(reply);
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
            // The span of the request ends before the wait.
            drop(span);

            let is_unknown = self.is_route_unknown(&error);
            let other = call.operation.bindings.iter().find(|other| other.generation != binding.generation);
            let may_change = exchange.may_change && !call.changed_generation && (may_repeat || !uncertain);
            if let Some(other) = other.filter(|_| is_unknown && may_change) {
                telemetry::changed_generation(&exchange.span, other, "the host does not know the route");
                call.changed_generation = true;
                exchange.binding = other;
                call.generation = other.generation;
                continue;
            }
            // A host that refuses a call with a 4xx knows its route. A 5xx may come from a proxy.
            if !is_unknown && call.changed_generation && error.status().is_some_and(|status| status.is_client_error()) {
                self.answered(call.operation, binding);
            }

            let failed = FailedAttempt {
                class,
                idempotency,
                own_http_client: shared.own_http_client,
                retries,
                retry_after: error.retry_after(),
                time_left: exchange.deadline.saturating_duration_since(Instant::now()),
            };
            spent = self.wait_for_retry(&failed, error).await?;
            retries += 1;
        }
    }

    /// Whether the host does not know the route of the request.
    fn is_route_unknown(&self, error: &Error) -> bool {
        match error.route_unknown() {
            RouteUnknown::Certain => true,
            // A host that has answered before knows its routes, so an incident is missing.
            RouteUnknown::Possible => self.inner.shared.generations.current().is_none(),
            RouteUnknown::No => false,
        }
    }

    /// Waits until a failed attempt is repeated and returns what that costs the budget, or returns the error if it is not
    /// repeated.
    async fn wait_for_retry(&self, failed: &FailedAttempt, error: Error) -> Result<Option<u32>, Error> {
        let (shared, options) = (&self.inner.shared, &self.inner.options);
        let policy = options.retry_policy.as_ref().unwrap_or(&shared.retry_policy);
        let retry = match retry::decide(policy, failed, fastrand::f64()) {
            Decision::Retry { delay, cost } => {
                shared.retry_budget.acquire(cost).map(|permit| (delay, permit)).ok_or(StopReason::BudgetEmpty)
            }
            // Not logged: only transient failures are candidates for a retry.
            Decision::Stop(StopReason::NotTransient) => return Err(error),
            Decision::Stop(reason) => Err(reason),
        };
        let line = error.log_line();
        match retry {
            Ok((delay, permit)) => {
                let delay_ms = delay.as_secs_f64() * 1e3;
                tracing::debug!(target: telemetry::TARGET, delay_ms, error = %line, "retrying");
                sleep(delay).await;
                Ok(permit.spend())
            }
            Err(reason) => {
                tracing::debug!(target: telemetry::TARGET, reason = %reason, error = %line, "not retrying");
                Err(error)
            }
        }
    }

    /// Sets the headers that every request carries.
    fn apply_headers(&self, request: &mut reqwest::Request, correlation_id: &CorrelationId) {
        let empty_post = request.method() == Method::POST && request.body().is_none();
        let mut headers = self.inner.options.headers.clone();
        for (name, value) in request.headers() {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        if empty_post {
            // Without a content type some gateways treat the POST as a GET, and without a length some proxies refuse it.
            headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        headers.insert(CORRELATION_ID, correlation_id.header_value());
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
}

/// The instant `time` after `start`. It saturates, so that `time` may be as long as [`Duration::MAX`].
pub(crate) fn saturating_deadline(start: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);
    start + time.min(FAR)
}
