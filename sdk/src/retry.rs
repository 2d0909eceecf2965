//! The retry policy, the decision whether a failed attempt is repeated, and the retry budget. This module must not know of
//! sockets or of the clock.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::StatusCode;

use crate::{Idempotency, TransportErrorKind};

/// How often a call is retried and how long it waits in between. Set it for a client by
/// [`ClientBuilder::retry_policy`](crate::ClientBuilder::retry_policy), or for single calls by
/// [`CallOptions::with_retry_policy`](crate::CallOptions::with_retry_policy).
///
/// Before the n-th retry, a call waits for a random time between 0 and `base_delay * 2^(n-1)`, but at most `max_delay`
/// (exponential backoff with full jitter). If the response asks for a wait with `Retry-After`, the random time is added to
/// it, so that callers who received the same response do not all return at the same moment. If the service asks for a wait
/// longer than `max_retry_after`, or the wait would exceed the call's total timeout, the call fails at once.
///
/// ```
/// use std::time::Duration;
///
/// use coralogix_incidents::RetryPolicy;
///
/// let patient = RetryPolicy::default()
///     .with_max_attempts(6)
///     .with_max_delay(Duration::from_secs(20));
/// assert_eq!(patient.max_attempts(), 6);
/// assert_eq!(RetryPolicy::off().max_attempts(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
    max_retry_after: Duration,
}

impl Default for RetryPolicy {
    /// 3 attempts, a base delay of 200 ms, a maximum delay of 5 s, and a `Retry-After` of up to 30 s.
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(5),
            max_retry_after: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// A policy of one attempt, without retries.
    pub fn off() -> Self {
        Self::default().with_max_attempts(1)
    }

    /// Sets the maximum number of attempts of a call, including the first one. 0 is taken as 1. Default: 3.
    #[must_use]
    pub fn with_max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts.max(1);
        self
    }

    /// Sets the longest wait before the first retry. It doubles with each further retry. Default: 200 ms.
    #[must_use]
    pub fn with_base_delay(mut self, base_delay: Duration) -> Self {
        self.base_delay = base_delay;
        self
    }

    /// Sets the longest random wait before any retry. Default: 5 s.
    #[must_use]
    pub fn with_max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// Sets the longest `Retry-After` that a call waits for. If the service asks for a longer wait, the call fails and
    /// [`Error::retry_after`](crate::Error::retry_after) returns it. Default: 30 s.
    #[must_use]
    pub fn with_max_retry_after(mut self, max_retry_after: Duration) -> Self {
        self.max_retry_after = max_retry_after;
        self
    }

    /// The maximum number of attempts of a call, including the first one.
    pub fn max_attempts(&self) -> u32 {
        self.max_attempts
    }
}

/// What the decision about a retry depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RetryClass {
    Transport(TransportErrorKind),
    Status(StatusCode),
    /// A 429 because a message, which may be the response, exceeds the gateway's size limit. A retry would exceed it again.
    Oversized,
    /// A success response that cannot be used, or a request that the HTTP client refuses to send.
    Unusable,
}

impl RetryClass {
    /// Classifies a response with an error status. gRPC has the same status code, `RESOURCE_EXHAUSTED`, for too many requests
    /// and for a message that is too large, and gateways map
    /// [both to 429](https://github.com/grpc-ecosystem/grpc-gateway/blob/main/runtime/errors.go). They are told apart by the
    /// wording of the gRPC implementations.
    pub(crate) fn of_response(status: StatusCode, body: &[u8]) -> Self {
        const OVERSIZED: [&str; 2] = ["message larger than max", "exceeds maximum size"];
        let is_oversized = || {
            let body = String::from_utf8_lossy(body);
            OVERSIZED.iter().any(|words| body.contains(words))
        };
        if status == StatusCode::TOO_MANY_REQUESTS && is_oversized() { Self::Oversized } else { Self::Status(status) }
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_transient(self) -> bool {
        match self {
            // A retry does not make a certificate valid.
            Self::Transport(kind) => !matches!(kind, TransportErrorKind::Tls | TransportErrorKind::Protocol),
            Self::Oversized | Self::Unusable => false,
            Self::Status(status) => matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504),
        }
    }

    /// Whether the service cannot have processed the request. If the HTTP client is the application's own, it may have
    /// followed a redirect or retried by itself, so that a failure to connect proves nothing about the first request.
    pub(crate) fn is_unprocessed(self, own_http_client: bool) -> bool {
        match self {
            Self::Transport(kind) => kind.is_unsent() && !own_http_client,
            Self::Oversized | Self::Unusable => false,
            // 408 and 499 (gRPC's CANCELLED) may be sent after the request was processed, 303 means that it was processed, and
            // server errors leave it open. Every other refusal means that it was not processed.
            Self::Status(status) => match status.as_u16() {
                303 | 408 | 499 => false,
                300..=499 | 501 => true,
                _ => false,
            },
        }
    }

    /// How many tokens of the budget a retry costs.
    fn cost(self) -> u32 {
        match self {
            Self::Transport(kind) if kind.is_timeout() => 10,
            _ => 5,
        }
    }
}

/// A retry is not started if less time than this would be left for it, because its timeout would hide the error of the attempt
/// before it.
const MIN_ATTEMPT_TIME: Duration = Duration::from_millis(100);

/// What is known of an attempt that has failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailedAttempt {
    pub(crate) class: RetryClass,
    pub(crate) idempotency: Idempotency,
    /// Whether the HTTP client is the application's own; see [`RetryClass::is_unprocessed`].
    pub(crate) own_http_client: bool,
    /// How many retries the call has made before.
    pub(crate) retries: u32,
    /// How long the service asked to wait.
    pub(crate) retry_after: Option<Duration>,
    /// The time until the call's deadline.
    pub(crate) time_left: Duration,
}

/// The decision about a failed attempt: when it is repeated, or why it is not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Decision {
    /// Repeat it after `delay`, if the budget has `cost` tokens.
    Retry {
        delay: Duration,
        cost: u32,
    },
    Stop(StopReason),
}

/// Why a call is not retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopReason {
    NotTransient,
    MayHaveBeenProcessed,
    AttemptsUsedUp,
    RetryAfterTooLong,
    NoTimeLeft,
    BudgetEmpty,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotTransient => "the failure is not transient",
            Self::MayHaveBeenProcessed => "the operation is not idempotent and may have been processed",
            Self::AttemptsUsedUp => "attempts are used up",
            Self::RetryAfterTooLong => "Retry-After is too long",
            Self::NoTimeLeft => "no time is left",
            Self::BudgetEmpty => "the retry budget is empty",
        })
    }
}

/// Decides whether a failed attempt is repeated. `jitter` is a random number from 0 to 1.
pub(crate) fn decide(policy: &RetryPolicy, failed: &FailedAttempt, jitter: f64) -> Decision {
    let FailedAttempt { class, retries, .. } = *failed;
    let wait = failed.retry_after.unwrap_or_default();
    let backoff = policy.base_delay.saturating_mul(1 << retries.min(31)).min(policy.max_delay);
    let delay = wait.saturating_add(backoff.mul_f64(jitter));
    let repeatable = failed.idempotency != Idempotency::NonIdempotent || class.is_unprocessed(failed.own_http_client);
    if !class.is_transient() {
        Decision::Stop(StopReason::NotTransient)
    } else if !repeatable {
        Decision::Stop(StopReason::MayHaveBeenProcessed)
    } else if retries.saturating_add(1) >= policy.max_attempts {
        Decision::Stop(StopReason::AttemptsUsedUp)
    } else if wait > policy.max_retry_after {
        Decision::Stop(StopReason::RetryAfterTooLong)
    } else if delay.saturating_add(MIN_ATTEMPT_TIME) >= failed.time_left {
        Decision::Stop(StopReason::NoTimeLeft)
    } else {
        Decision::Retry { delay, cost: class.cost() }
    }
}

/// A token bucket that limits retries, shared by all clones of a client. Retries take tokens and successful calls return some.
/// While a service is down the bucket runs empty and calls are no longer retried, so that retries do not make the outage
/// worse. The AWS SDKs do the same in their standard retry mode.
///
/// The default budget holds 100 tokens. A retry takes 5, or 10 after a timeout. A call that succeeds returns what its last
/// retry took, or 1 token if it was not retried. So a client makes 20 retries at the start of an outage and no more until
/// calls succeed again; then five successful calls pay for one retry. AWS's bucket holds 500 tokens, for clients that make
/// thousands of calls a second.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    tokens: Arc<Mutex<u32>>,
    capacity: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::with_capacity(100)
    }
}

impl RetryBudget {
    /// Creates a full budget of `capacity` tokens. Clones share their tokens, so that several clients can share a budget.
    pub fn with_capacity(capacity: u32) -> Self {
        Self { tokens: Arc::new(Mutex::new(capacity)), capacity }
    }

    /// The number of tokens left.
    pub fn available(&self) -> u32 {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the tokens for a retry, or returns `None` if too few are left. Dropping the permit returns them.
    pub(crate) fn acquire(&self, cost: u32) -> Option<Permit<'_>> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        *tokens = tokens.checked_sub(cost)?;
        Some(Permit { budget: self, cost: Some(cost) })
    }

    pub(crate) fn give_back(&self, cost: Option<u32>) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        *tokens = tokens.saturating_add(cost.unwrap_or(1)).min(self.capacity);
    }
}

/// The tokens for a retry that is not made yet. They are returned if the call is dropped while it waits.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    budget: &'a RetryBudget,
    cost: Option<u32>,
}

impl Permit<'_> {
    /// Keeps the tokens, because the retry is made. Returns how many they are.
    pub(crate) fn spend(mut self) -> Option<u32> {
        self.cost.take()
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.cost.is_some() {
            self.budget.give_back(self.cost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: FailedAttempt = FailedAttempt {
        class: RetryClass::Status(StatusCode::SERVICE_UNAVAILABLE),
        idempotency: Idempotency::Idempotent,
        own_http_client: false,
        retries: 0,
        retry_after: None,
        time_left: Duration::from_secs(60),
    };

    /// The delay and the cost of the retry, or why there is none.
    fn decided(policy: &RetryPolicy, failed: FailedAttempt, jitter: f64) -> Result<(Duration, u32), StopReason> {
        match decide(policy, &failed, jitter) {
            Decision::Retry { delay, cost } => Ok((delay, cost)),
            Decision::Stop(reason) => Err(reason),
        }
    }

    fn stop(failed: FailedAttempt) -> Option<StopReason> {
        decided(&RetryPolicy::default(), failed, 1.0).err()
    }

    #[test]
    fn delays_double_up_to_the_maximum_and_are_fully_jittered() {
        let policy = RetryPolicy::default().with_max_attempts(u32::MAX).with_max_delay(Duration::from_secs(2));
        let failed = |retries| FailedAttempt { retries, time_left: Duration::MAX, ..FAILED };
        let delay = |policy: &RetryPolicy, retries, jitter| decided(policy, failed(retries), jitter).unwrap().0;
        let ceilings = [200, 400, 800, 1600, 2000, 2000].map(Duration::from_millis);
        for (retries, ceiling) in (0..).zip(ceilings) {
            assert_eq!(delay(&policy, retries, 1.0), ceiling);
            assert_eq!(delay(&policy, retries, 0.25), ceiling / 4);
            assert_eq!(delay(&policy, retries, 0.0), Duration::ZERO);
        }
        assert_eq!(delay(&policy, u32::MAX - 2, 1.0), Duration::from_secs(2));
        let slow = policy.with_base_delay(Duration::from_secs(3600));
        assert_eq!(delay(&slow, 0, 1.0), Duration::from_secs(2), "the maximum holds for the first delay, too");
    }

    #[test]
    fn attempts_are_used_up_at_the_policys_maximum() {
        assert_eq!(stop(FailedAttempt { retries: 1, ..FAILED }), None);
        assert_eq!(stop(FailedAttempt { retries: 2, ..FAILED }), Some(StopReason::AttemptsUsedUp));
        assert_eq!(decided(&RetryPolicy::off(), FAILED, 0.0), Err(StopReason::AttemptsUsedUp));
    }

    #[test]
    fn retry_after_comes_before_the_random_time_and_is_bounded() {
        let asked = |seconds| FailedAttempt { retry_after: Some(Duration::from_secs(seconds)), ..FAILED };
        let expected = Ok((Duration::from_millis(30_100), 5));
        assert_eq!(decided(&RetryPolicy::default(), asked(30), 0.5), expected);
        assert_eq!(stop(asked(31)), Some(StopReason::RetryAfterTooLong));
        assert_eq!(stop(asked(u64::MAX)), Some(StopReason::RetryAfterTooLong));
    }

    #[test]
    fn a_retry_without_time_for_an_attempt_is_not_begun() {
        let left = |milliseconds| FailedAttempt { time_left: Duration::from_millis(milliseconds), ..FAILED };
        assert_eq!(stop(left(301)), None);
        assert_eq!(stop(left(300)), Some(StopReason::NoTimeLeft));
        assert_eq!(stop(left(0)), Some(StopReason::NoTimeLeft));
    }

    #[test]
    fn a_permanent_failure_is_not_retried() {
        let transport = RetryClass::Transport;
        let status = |status| RetryClass::Status(StatusCode::from_u16(status).unwrap());
        let body = b"grpc: received message larger than max (2 vs. 1)";
        for (class, expected) in [
            (transport(TransportErrorKind::Connect), None),
            (transport(TransportErrorKind::ConnectTimeout), None),
            (transport(TransportErrorKind::Timeout), None),
            (transport(TransportErrorKind::Reset), None),
            (transport(TransportErrorKind::Tls), Some(StopReason::NotTransient)),
            (transport(TransportErrorKind::Protocol), Some(StopReason::NotTransient)),
            (RetryClass::of_response(StatusCode::TOO_MANY_REQUESTS, b"slow down"), None),
            (RetryClass::of_response(StatusCode::TOO_MANY_REQUESTS, body), Some(StopReason::NotTransient)),
            (RetryClass::of_response(StatusCode::SERVICE_UNAVAILABLE, body), None),
            (RetryClass::Unusable, Some(StopReason::NotTransient)),
        ] {
            assert_eq!(stop(FailedAttempt { class, ..FAILED }), expected, "{class:?}");
        }
        let transient: Vec<u16> =
            (300..600).filter(|&code| stop(FailedAttempt { class: status(code), ..FAILED }).is_none()).collect();
        assert_eq!(transient, [408, 425, 429, 500, 502, 503, 504]);
    }

    #[test]
    fn a_non_idempotent_operation_is_retried_only_if_it_cannot_have_been_processed() {
        let once = |class| FailedAttempt { class, idempotency: Idempotency::NonIdempotent, ..FAILED };
        let connect = once(RetryClass::Transport(TransportErrorKind::Connect));
        let processed = Some(StopReason::MayHaveBeenProcessed);
        assert_eq!(stop(connect), None);
        assert_eq!(stop(FailedAttempt { own_http_client: true, ..connect }), processed, "it may follow a redirect");
        for kind in [TransportErrorKind::Reset, TransportErrorKind::Timeout] {
            assert_eq!(stop(once(RetryClass::Transport(kind))), processed);
        }
        for (status, expected) in [(429, None), (425, None), (408, processed), (500, processed), (503, processed)] {
            let class = RetryClass::Status(StatusCode::from_u16(status).unwrap());
            assert_eq!(stop(once(class)), expected, "{status}");
        }
        let unprocessed = |code: &u16| RetryClass::Status(StatusCode::from_u16(*code).unwrap()).is_unprocessed(true);
        let open: Vec<u16> = (300..506).filter(|code| !unprocessed(code)).collect();
        assert_eq!(open, [303, 408, 499, 500, 502, 503, 504, 505]);
    }

    #[test]
    fn a_budget_runs_empty_and_is_paid_back_by_successes() {
        let budget = RetryBudget::with_capacity(12);
        let timeout = FailedAttempt { class: RetryClass::Transport(TransportErrorKind::ConnectTimeout), ..FAILED };
        let cost = |failed| decided(&RetryPolicy::default(), failed, 0.0).unwrap().1;
        assert_eq!((cost(FAILED), cost(timeout)), (5, 10));
        assert_eq!(budget.acquire(10).unwrap().spend(), Some(10));
        assert!(budget.acquire(5).is_none());
        (0..3).for_each(|_| budget.give_back(None));
        drop(budget.acquire(5).expect("five successes pay for a retry, and three were enough here"));
        assert_eq!(budget.available(), 5, "a retry that is not made costs nothing");
        budget.give_back(Some(5));
        budget.give_back(Some(5));
        assert_eq!(budget.available(), 12, "never more than its capacity");
    }
}
