//! What goes wrong, and when. It decides; the HTTP side carries it out.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use fastrand::Rng;

/// Something that goes wrong with some of the requests: what, by the constructor; with which, by [`on`](Self::on),
/// [`nth`](Self::nth), [`times`](Self::times) and [`probability`](Self::probability). Without these, with every request of a
/// documented operation.
///
/// Several faults may hit one request: delays add up, and of the others the first one that was given counts.
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
    pub(crate) kind: Kind,
    pub(crate) operation: Option<String>,
    nth: Option<u64>,
    times: Option<u64>,
    probability: Option<f64>,
    effect: Effect,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Delay(Duration),
    RateLimit(u32),
    Act(Act),
}

/// What is done to a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Status {
        status: u16,
        body: FaultBody,
        retry_after: Option<RetryAfter>,
    },
    /// No response; the connection is closed in order.
    Lose,
    /// No response; the connection is reset.
    Reset,
    /// The connection is reset after so many bytes of the body.
    ResetBody(usize),
    /// The connection is closed after so many bytes of the body, of which `Content-Length` promised more.
    Truncate(usize),
    /// The connection is closed after so many bytes of a chunked body, without its end.
    TruncateChunked(usize),
    /// No response; the connection stays open.
    StallHeaders,
    /// Nothing more after so many bytes of the body; the connection stays open.
    StallBody(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    Seconds(u64),
    /// An HTTP date so long from now.
    Date(Duration),
}

/// The body of an error response, as services, gateways and proxies are seen to send them.
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

/// Whether the request's effect happens all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Applied,
    NotApplied,
}

impl Fault {
    fn act(act: Act, effect: Effect) -> Self {
        Self::of(Kind::Act(act), effect)
    }

    fn of(kind: Kind, effect: Effect) -> Self {
        Self { kind, operation: None, nth: None, times: None, probability: None, effect }
    }

    /// This status instead of the answer, and no effect. The body is the documented one unless
    /// [`with_body`](Self::with_body) says otherwise.
    pub fn status(status: u16) -> Self {
        Self::act(Act::Status { status, body: FaultBody::default(), retry_after: None }, Effect::NotApplied)
    }

    /// The answer comes so much later. The effect happens at once, also if the client gives up in the meantime.
    pub fn delay(delay: Duration) -> Self {
        Self::of(Kind::Delay(delay), Effect::Applied)
    }

    /// At most so many requests within a second; the others get 429 with `Retry-After: 1` and have no effect.
    pub fn rate_limit(per_second: u32) -> Self {
        Self::of(Kind::RateLimit(per_second), Effect::NotApplied)
    }

    /// The effect happens, but the connection is closed without an answer.
    pub fn lost_reply() -> Self {
        Self::act(Act::Lose, Effect::Applied)
    }

    /// The connection is reset before the response, and nothing happens.
    pub fn reset() -> Self {
        Self::act(Act::Reset, Effect::NotApplied)
    }

    /// The effect happens, but the connection is reset after so many bytes of the response's body.
    pub fn reset_after(bytes: usize) -> Self {
        Self::act(Act::ResetBody(bytes), Effect::Applied)
    }

    /// The effect happens, but the connection is closed after so many bytes of the body, although `Content-Length` promises
    /// all of it.
    pub fn truncate(bytes: usize) -> Self {
        Self::act(Act::Truncate(bytes), Effect::Applied)
    }

    /// The effect happens, but the connection is closed after so many bytes of a chunked body, without its last chunk.
    pub fn truncate_chunked(bytes: usize) -> Self {
        Self::act(Act::TruncateChunked(bytes), Effect::Applied)
    }

    /// The effect happens, but no response ever comes; the connection stays open.
    pub fn stall_headers() -> Self {
        Self::act(Act::StallHeaders, Effect::Applied)
    }

    /// The effect happens, but nothing follows after so many bytes of the response's body; the connection stays open.
    pub fn stall_body(bytes: usize) -> Self {
        Self::act(Act::StallBody(bytes), Effect::Applied)
    }

    /// The body of a [`status`](Self::status) fault. Other faults have none to replace.
    #[must_use]
    pub fn with_body(mut self, replacement: FaultBody) -> Self {
        if let Kind::Act(Act::Status { body, .. }) = &mut self.kind {
            *body = replacement;
        }
        self
    }

    /// `Retry-After` of a [`status`](Self::status) fault, in whole seconds, rounded up.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.set_retry_after(RetryAfter::Seconds(seconds))
    }

    /// `Retry-After` of a [`status`](Self::status) fault, as the HTTP date so long from then. Those have whole seconds.
    #[must_use]
    pub fn with_retry_after_date(self, wait: Duration) -> Self {
        self.set_retry_after(RetryAfter::Date(wait))
    }

    fn set_retry_after(mut self, wait: RetryAfter) -> Self {
        if let Kind::Act(Act::Status { retry_after, .. }) = &mut self.kind {
            *retry_after = Some(wait);
        }
        self
    }

    /// The effect happens before things go wrong: a 503 that was too late to prevent anything.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.effect = Effect::Applied;
        self
    }

    /// Things go wrong before the effect, which therefore does not happen: a reply that was never made, not lost. A fault that
    /// breaks off a body breaks off that of a 200 `{}` then.
    #[must_use]
    pub fn before_effect(mut self) -> Self {
        self.effect = Effect::NotApplied;
        self
    }

    /// Only requests of this operation, by its `operationId` in either generation.
    #[must_use]
    pub fn on(mut self, operation_id: impl Into<String>) -> Self {
        self.operation = Some(operation_id.into());
        self
    }

    /// Only the `nth` of the requests, the first being 1, or from that one on if [`times`](Self::times) says how many.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// At most so many times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// With this probability, from 0 to 1. Which requests it hits is a matter of the emulator's seed and of their order.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// Why it can't happen as it is described.
    pub(crate) fn problem(&self) -> Option<String> {
        match &self.kind {
            Kind::Act(Act::Status { status, .. }) if !(200..=599).contains(status) => {
                return Some(format!("a fault can't answer with status {status}: 200 to 599"));
            }
            _ => {}
        }
        if self.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Some("the probability of a fault is from 0 to 1".to_owned());
        }
        if self.times == Some(0) {
            return Some("a fault that happens 0 times is none: leave it out".to_owned());
        }
        (self.nth == Some(0)).then(|| "the first request is number 1".to_owned())
    }

    /// Whether it is answered with a status, and so has a body and headers of its own.
    pub(crate) fn is_status(&self) -> bool {
        matches!(self.kind, Kind::Act(Act::Status { .. }))
    }
}

/// What goes wrong with one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) delay: Duration,
    pub(crate) act: Option<(Act, Effect)>,
}

/// The faults of an emulator and how often they were met.
#[derive(Debug)]
pub(crate) struct Faults {
    armed: Mutex<Vec<Armed>>,
    seed: u64,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    seen: u64,
    fired: u64,
    random: Rng,
    second: (Option<Instant>, u32),
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>, seed: u64) -> Self {
        let all = Self { armed: Mutex::default(), seed };
        for fault in faults {
            all.add(fault);
        }
        all
    }

    pub(crate) fn add(&self, fault: Fault) {
        self.with(|armed| {
            let random = Rng::with_seed(self.seed ^ (armed.len() as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            armed.push(Armed { fault, seen: 0, fired: 0, random, second: (None, 0) });
        });
    }

    pub(crate) fn clear(&self) {
        self.with(Vec::clear);
    }

    pub(crate) fn decide(&self, operation_id: &str) -> Plan {
        self.with(|armed| {
            let mut plan = Plan::default();
            for armed in armed {
                match armed.meets(operation_id) {
                    Some(Kind::Delay(delay)) => plan.delay = plan.delay.saturating_add(delay),
                    Some(Kind::Act(act)) if plan.act.is_none() => plan.act = Some((act, armed.fault.effect)),
                    Some(Kind::RateLimit(_)) if plan.act.is_none() => {
                        let wait = Some(RetryAfter::Seconds(1));
                        let act = Act::Status { status: 429, body: FaultBody::default(), retry_after: wait };
                        plan.act = Some((act, armed.fault.effect));
                    }
                    _ => {}
                }
            }
            plan
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Armed>) -> T) -> T {
        work(&mut self.armed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Armed {
    fn meets(&mut self, operation_id: &str) -> Option<Kind> {
        if self.fault.operation.as_deref().is_some_and(|operation| operation != operation_id) {
            return None;
        }
        self.seen += 1;
        let first = self.fault.nth.unwrap_or(1);
        let times = self.fault.times.unwrap_or(if self.fault.nth.is_some() { 1 } else { u64::MAX });
        if self.seen < first || self.fired >= times {
            return None;
        }
        if let Some(probability) = self.fault.probability
            && self.random.f64() >= probability
        {
            return None;
        }
        if let Kind::RateLimit(limit) = self.fault.kind
            && self.is_within(limit)
        {
            return None;
        }
        self.fired += 1;
        Some(self.fault.kind.clone())
    }

    fn is_within(&mut self, limit: u32) -> bool {
        let now = Instant::now();
        match &mut self.second {
            (Some(start), count) if now.duration_since(*start) < Duration::from_secs(1) => {
                *count += 1;
                *count <= limit
            }
            second => {
                *second = (Some(now), 1);
                limit > 0
            }
        }
    }
}
