//! Faults as values: what happens, to which requests. It knows nothing of HTTP.

use std::time::Duration;

use coralogix_incidents::{Client, Operation};

use crate::net::connection::Disconnect;

/// A failure to inject into some of the requests.
///
/// The constructor says what happens. [`on`](Self::on), [`nth`](Self::nth), [`times`](Self::times) and
/// [`probability`](Self::probability) choose the requests; without them, the fault hits every request of a documented
/// operation.
///
/// If several faults hit one request, their delays add up, and of the others the one that was added first takes effect.
///
/// ```
/// use std::time::Duration;
///
/// use coralogix_incidents_emulator::{Fault, FaultBody};
///
/// let faults = [
///     Fault::status(503).with_body(FaultBody::Html).on("unassignIncidents").nth(1),
///     Fault::status(429).with_retry_after(Duration::from_secs(2)).times(3),
///     Fault::lost_reply().on("assignIncidents").probability(0.1),
///     Fault::delay(Duration::from_millis(200)),
/// ];
/// # drop(faults);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) operation: Option<String>,
    pub(crate) nth: Option<u64>,
    pub(crate) times: Option<u64>,
    pub(crate) probability: Option<f64>,
    pub(crate) effect: Effect,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FaultKind {
    Delay(Duration),
    RateLimit(u32),
    Action(FaultAction),
}

impl FaultKind {
    /// Whether the request takes effect if the fault does not say otherwise.
    pub(crate) fn default_effect(&self) -> Effect {
        match self {
            Self::RateLimit(_)
            | Self::Action(
                FaultAction::Status { .. } | FaultAction::Cut { after: None, ending: Some(Disconnect::Reset), .. },
            ) => Effect::NotApplied,
            Self::Delay(_) | Self::Action(_) => Effect::Applied,
        }
    }
}

/// What happens to a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FaultAction {
    Status {
        status: u16,
        body: FaultBody,
        retry_after: Option<RetryAfter>,
    },
    /// Nothing follows after this many bytes of the body; without a number, not even the head of the response is sent.
    Cut {
        after: Option<usize>,
        /// Whether the body is chunked. Otherwise, `Content-Length` promises more than is sent.
        chunked: bool,
        /// How the connection is ended. Without it, the connection stays open.
        ending: Option<Disconnect>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    Seconds(u64),
    /// An HTTP date, this far from now.
    Date(Duration),
}

/// The body of an error response, in the shapes that services, gateways and proxies send.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum FaultBody {
    /// `{"code": ..., "message": "...", "details": []}` with a gRPC code in v1 and the HTTP status in generation 5.
    #[default]
    Documented,
    /// `{"error": "..."}`
    Error,
    /// `{"error": {"message": "..."}}`
    ErrorMessage,
    /// `{"detail": "..."}`
    Detail,
    /// Plain text, such as `Not Found: incident 7 does not exist`.
    Text(String),
    /// The page of a load balancer.
    Html,
    /// Nothing.
    Empty,
}

/// Whether the request takes effect in spite of the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Applied,
    NotApplied,
}

impl Fault {
    fn action(action: FaultAction) -> Self {
        Self::of(FaultKind::Action(action))
    }

    fn cut(after: Option<usize>, ending: Option<Disconnect>) -> Self {
        Self::action(FaultAction::Cut { after, chunked: false, ending })
    }

    fn of(kind: FaultKind) -> Self {
        let effect = kind.default_effect();
        Self { kind, operation: None, nth: None, times: None, probability: None, effect }
    }

    /// Answers with this status; the request has no effect. The body is the documented error message unless
    /// [`with_body`](Self::with_body) sets another.
    pub fn status(status: u16) -> Self {
        Self::action(FaultAction::Status { status, body: FaultBody::default(), retry_after: None })
    }

    /// Delays the response. The request takes effect at once, even if the client gives up in the meantime.
    pub fn delay(delay: Duration) -> Self {
        Self::of(FaultKind::Delay(delay))
    }

    /// Allows this many requests per second. Further requests get 429 with `Retry-After: 1` and have no effect.
    pub fn rate_limit(per_second: u32) -> Self {
        Self::of(FaultKind::RateLimit(per_second))
    }

    /// The request takes effect, but the connection is closed without a response.
    pub fn lost_reply() -> Self {
        Self::cut(None, Some(Disconnect::Close))
    }

    /// Resets the connection before the response; the request has no effect.
    pub fn reset() -> Self {
        Self::cut(None, Some(Disconnect::Reset))
    }

    /// The request takes effect, but the connection is reset after this many bytes of the response body.
    pub fn reset_after(bytes: usize) -> Self {
        Self::cut(Some(bytes), Some(Disconnect::Reset))
    }

    /// The request takes effect, but the connection is closed after this many bytes of the response body, although
    /// `Content-Length` promises all of it.
    pub fn truncate(bytes: usize) -> Self {
        Self::cut(Some(bytes), Some(Disconnect::Close))
    }

    /// The request takes effect, but the connection is closed after this many bytes of a chunked response body, before its
    /// last chunk.
    pub fn truncate_chunked(bytes: usize) -> Self {
        Self::action(FaultAction::Cut { after: Some(bytes), chunked: true, ending: Some(Disconnect::Close) })
    }

    /// The request takes effect, but no response is sent; the connection stays open.
    pub fn stall_headers() -> Self {
        Self::cut(None, None)
    }

    /// The request takes effect, but nothing follows after this many bytes of the response body; the connection stays open.
    pub fn stall_body(bytes: usize) -> Self {
        Self::cut(Some(bytes), None)
    }

    /// Sets the body of a [`status`](Self::status) fault. Other faults ignore it.
    #[must_use]
    pub fn with_body(mut self, replacement: FaultBody) -> Self {
        if let FaultKind::Action(FaultAction::Status { body, .. }) = &mut self.kind {
            *body = replacement;
        }
        self
    }

    /// Sets `Retry-After` of a [`status`](Self::status) fault, in seconds, rounded up. Other faults ignore it.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.set_retry_after(RetryAfter::Seconds(seconds))
    }

    /// Sets `Retry-After` of a [`status`](Self::status) fault to an HTTP date, this long after the response. HTTP dates have
    /// a resolution of one second. Other faults ignore it.
    #[must_use]
    pub fn with_retry_after_date(self, wait: Duration) -> Self {
        self.set_retry_after(RetryAfter::Date(wait))
    }

    fn set_retry_after(mut self, wait: RetryAfter) -> Self {
        if let FaultKind::Action(FaultAction::Status { retry_after, .. }) = &mut self.kind {
            *retry_after = Some(wait);
        }
        self
    }

    /// The fault strikes after the request has taken effect, such as a 503 from a proxy whose upstream did the work.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.effect = Effect::Applied;
        self
    }

    /// The fault strikes before the request takes effect, so that nothing changes. A fault that cuts a body off cuts off the
    /// body `{}` then.
    #[must_use]
    pub fn before_effect(mut self) -> Self {
        self.effect = Effect::NotApplied;
        self
    }

    /// Hits only requests of this operation, given by its `operationId`, in every generation.
    #[must_use]
    pub fn on(mut self, operation_id: impl Into<String>) -> Self {
        self.operation = Some(operation_id.into());
        self
    }

    /// Hits only the `nth` request, counted from 1. Together with [`times`](Self::times), hits that many requests from the
    /// `nth` on.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// Hits at most this many requests.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits a request with this probability, from 0 to 1. Which requests are hit depends on the emulator's seed and on their
    /// order.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// Why the fault can never happen, if so.
    pub(crate) fn problem(&self) -> Option<String> {
        if let Some(id) = &self.operation
            && !Client::operations().any(|operation| operation.id() == id)
        {
            let known: Vec<_> = Client::operations().map(Operation::id).collect();
            return Some(format!("there is no operation `{id}`; the operations are {}", known.join(", ")));
        }
        let problem = match self {
            Self { kind: FaultKind::Action(FaultAction::Status { status, .. }), .. }
                if !(200..=599).contains(status) =>
            {
                return Some(format!("a fault cannot answer with status {status}; allowed are 200 to 599"));
            }
            Self { probability: Some(probability), .. } if !(0.0..=1.0).contains(probability) => {
                "the probability of a fault must be from 0 to 1"
            }
            Self { times: Some(0), .. } => "a fault must hit at least once; 0 times is not allowed",
            Self { nth: Some(0), .. } => "requests are counted from 1; `nth` cannot be 0",
            _ => return None,
        };
        Some(problem.to_owned())
    }

    /// Whether the fault answers with a status, so that it has a body and headers of its own.
    pub(crate) fn is_status(&self) -> bool {
        matches!(self.kind, FaultKind::Action(FaultAction::Status { .. }))
    }
}
