//! When to try again, how long to wait, and how much all of a client's calls may add to the load of a service in trouble.
//! It knows failures and time, and nothing of sockets.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use backon::{BackoffBuilder, ExponentialBuilder};
use http::{HeaderMap, StatusCode, header};

use crate::{Idempotency, TransportErrorKind};

/// How often and how patiently a call is retried. A value: set it for a client
/// ([`ClientBuilder::retry_policy`](crate::ClientBuilder::retry_policy)) or for one call
/// ([`CallOptions::with_retry_policy`](crate::CallOptions::with_retry_policy)).
///
/// Before the n-th retry, a call waits a random time between 0 and `base_delay * 2^(n-1)`, at most `max_delay` ("full
/// jitter"). Where the service asks for a wait with `Retry-After`, the random time comes after it, so that callers who were
/// all told the same don't come back at once. It gives up at once where the service asks for longer than `max_retry_after`,
/// or the wait would go past the call's total timeout: sooner than asked is no help to anyone.
///
/// ```
/// use std::time::Duration;
///
/// use coralogix_incidents::RetryPolicy;
///
/// let patient = RetryPolicy::default().with_max_attempts(6).with_max_delay(Duration::from_secs(20));
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
    /// 3 attempts, 200 ms base delay, 5 s at most, `Retry-After` obeyed up to 30 s.
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
    /// One attempt, no retries.
    pub fn off() -> Self {
        Self::default().with_max_attempts(1)
    }

    /// The most requests sent for one call, the first included. 0 counts as 1.
    #[must_use]
    pub fn with_max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts.max(1);
        self
    }

    /// The longest wait before the first retry; it doubles with each further one.
    #[must_use]
    pub fn with_base_delay(mut self, base_delay: Duration) -> Self {
        self.base_delay = base_delay;
        self
    }

    /// The longest wait that the policy itself asks for.
    #[must_use]
    pub fn with_max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// The longest `Retry-After` that is waited for; a longer one ends the call with the error that carries it.
    #[must_use]
    pub fn with_max_retry_after(mut self, max_retry_after: Duration) -> Self {
        self.max_retry_after = max_retry_after;
        self
    }

    /// The most requests sent for one call, the first included.
    pub fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The waits before the first, second, ... retry.
    pub(crate) fn delays(&self) -> impl Iterator<Item = Duration> + use<> {
        let exponential = ExponentialBuilder::new()
            .with_min_delay(self.base_delay)
            .with_max_delay(self.max_delay)
            .with_max_times(self.max_attempts.saturating_sub(1) as usize);
        // backon's own jitter adds to the delay; full jitter spreads callers over the whole of it.
        // Nor does it hold the first delay to the maximum.
        let max_delay = self.max_delay;
        exponential.build().map(move |ceiling| ceiling.min(max_delay).mul_f64(fastrand::f64()))
    }

    pub(crate) fn max_retry_after(&self) -> Duration {
        self.max_retry_after
    }
}

/// A failure, as far as retrying is concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failure {
    Transport(TransportErrorKind),
    Status(StatusCode),
    /// 429 because a message is larger than the gateway takes: it may be the reply, and is so again.
    Oversized,
}

impl Failure {
    /// What an error response is. gRPC has one status for too many requests and for a message too large, and gateways make
    /// [429 of both](https://github.com/grpc-ecosystem/grpc-gateway/blob/main/runtime/errors.go); its implementations tell
    /// the second by these words.
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
            // A certificate does not become valid by asking again.
            Self::Transport(kind) => !matches!(kind, TransportErrorKind::Tls | TransportErrorKind::Protocol),
            Self::Oversized => false,
            Self::Status(status) => matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504),
        }
    }

    /// Whether the service can't have processed the request. An HTTP client of the user's own may have followed a redirect, or
    /// tried again by itself: that it could not connect need not be about the request that was to be sent.
    pub(crate) fn is_unprocessed(self, own_http_client: bool) -> bool {
        match self {
            Self::Transport(kind) => kind.is_unsent() && !own_http_client,
            Self::Oversized => false,
            // 408 and 499 (gRPC's "cancelled") may come after it was, 303 means that it was, and the server errors leave it
            // open; other refusals do not.
            Self::Status(status) => match status.as_u16() {
                303 | 408 | 499 => false,
                300..=499 | 501 => true,
                _ => false,
            },
        }
    }

    /// Whether a call of this idempotency may be sent again after it.
    pub(crate) fn may_retry(self, idempotency: Idempotency, own_http_client: bool) -> bool {
        self.is_transient() && (idempotency != Idempotency::NonIdempotent || self.is_unprocessed(own_http_client))
    }
}

/// A token bucket shared by all clones of a client: retries take from it, successes give back. While a service is down it
/// runs empty, and calls are no longer retried; that keeps an outage from being made worse. (The AWS SDKs' standard mode.)
///
/// It holds 100 tokens. A retry takes 5, or 10 after a timeout; a call that succeeds gives back what its last retry took, or
/// 1 if it needed none. So a client retries 20 times into an outage, and no more until calls succeed again: five of them pay
/// for a retry. (AWS's bucket holds 500, for clients that make thousands of calls a second.)
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
    /// A full budget of this many tokens. Clones share it, so that several clients can.
    pub fn with_capacity(capacity: u32) -> Self {
        Self { tokens: Arc::new(Mutex::new(capacity)), capacity }
    }

    /// The tokens left.
    pub fn available(&self) -> u32 {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a retry after `failure` costs; `None` where that is more than is left.
    pub(crate) fn take(&self, failure: Failure) -> Option<u32> {
        let cost = match failure {
            Failure::Transport(kind) if kind.is_timeout() => 10,
            _ => 5,
        };
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        *tokens = tokens.checked_sub(cost)?;
        Some(cost)
    }

    /// As [`take`](Self::take), given back unless the retry is made.
    pub(crate) fn hold(&self, failure: Failure) -> Option<Held<'_>> {
        Some(Held { budget: self, cost: Some(self.take(failure)?) })
    }

    pub(crate) fn give_back(&self, cost: Option<u32>) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        *tokens = tokens.saturating_add(cost.unwrap_or(1)).min(self.capacity);
    }
}

/// What a retry costs, until it is made: a call that is dropped while it waits has not retried.
pub(crate) struct Held<'a> {
    budget: &'a RetryBudget,
    cost: Option<u32>,
}

impl Held<'_> {
    /// The retry is made; answers what it cost.
    pub(crate) fn spend(mut self) -> Option<u32> {
        self.cost.take()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.cost.is_some() {
            self.budget.give_back(self.cost);
        }
    }
}

/// `Retry-After` in either of its forms, from `now` on. [RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use http::HeaderValue;

    use super::*;

    #[test]
    fn delays_are_fully_jittered_and_bounded() {
        let policy = RetryPolicy::default().with_max_attempts(40).with_max_delay(Duration::from_secs(2));
        let delays: Vec<Duration> = policy.delays().collect();
        assert_eq!(delays.len(), 39);
        for (index, delay) in delays.iter().enumerate() {
            let ceiling = Duration::from_millis(200 << index.min(10)).min(Duration::from_secs(2));
            assert!(*delay <= ceiling, "delay {index} is {delay:?}");
        }
        let short = delays.iter().filter(|delay| **delay < Duration::from_secs(1)).count();
        assert!((4..36).contains(&short), "{short} of 39 delays are in the lower half");
        let first = policy.with_base_delay(Duration::from_secs(3600)).delays().next().unwrap();
        assert!(first <= Duration::from_secs(2), "the maximum holds for the first delay too: {first:?}");
    }

    #[test]
    fn a_budget_runs_empty_and_is_paid_back_by_successes() {
        let budget = RetryBudget::with_capacity(12);
        let failure = Failure::Status(StatusCode::SERVICE_UNAVAILABLE);
        let timeout = Failure::Transport(TransportErrorKind::Timeout);
        assert_eq!(budget.take(timeout), Some(10));
        assert_eq!(budget.take(failure), None);
        budget.give_back(None);
        budget.give_back(None);
        budget.give_back(None);
        assert_eq!(budget.take(failure), Some(5));
        budget.give_back(Some(5));
        budget.give_back(Some(5));
        budget.give_back(Some(5));
        assert_eq!(budget.available(), 12, "never more than its capacity");
    }

    #[test]
    fn a_non_idempotent_operation_is_retried_only_where_it_cannot_have_been_processed() {
        let may = |failure: Failure| failure.may_retry(Idempotency::NonIdempotent, false);
        let connect = Failure::Transport(TransportErrorKind::Connect);
        assert!(may(connect));
        assert!(!connect.may_retry(Idempotency::NonIdempotent, true), "it may have followed a redirect");
        assert!(may(Failure::Status(StatusCode::TOO_MANY_REQUESTS)));
        assert!(!may(Failure::Transport(TransportErrorKind::Reset)));
        assert!(!may(Failure::Transport(TransportErrorKind::Timeout)));
        assert!(!may(Failure::Status(StatusCode::SERVICE_UNAVAILABLE)));
        assert!(!may(Failure::Status(StatusCode::REQUEST_TIMEOUT)));
        assert!(Failure::Status(StatusCode::SERVICE_UNAVAILABLE).may_retry(Idempotency::Idempotent, false));
        assert!(!Failure::Status(StatusCode::NOT_IMPLEMENTED).may_retry(Idempotency::Safe, false));
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            retry_after(&headers, UNIX_EPOCH + Duration::from_secs(784_111_777 - 30))
        };
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(read(" 0 "), Some(Duration::ZERO));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(read("Tue, 06 Nov 1984 08:49:37 GMT"), Some(Duration::ZERO), "a time that has passed");
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
        assert_eq!(read("99999999999999999999999"), Some(Duration::from_secs(u32::MAX.into())));
    }
}
