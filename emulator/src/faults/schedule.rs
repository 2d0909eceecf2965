//! Decides which requests the injected faults hit. It knows nothing of HTTP: the handler carries the decision out.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use fastrand::Rng;

use super::model::{Effect, Fault, FaultAction, FaultBody, FaultKind, RetryAfter};

/// What happens to one request.
#[derive(Debug, Default)]
pub(crate) struct FaultPlan {
    pub(crate) delay: Duration,
    pub(crate) action: Option<(FaultAction, Effect)>,
}

/// The faults of an emulator and how many requests each of them has seen and hit.
#[derive(Debug)]
pub(crate) struct FaultSchedule {
    active: Mutex<Vec<ActiveFault>>,
    seed: u64,
}

#[derive(Debug)]
struct ActiveFault {
    fault: Fault,
    seen: u64,
    hits: u64,
    random: Rng,
    /// When the current second of a rate limit began, and the requests in it.
    window: Option<(Instant, u32)>,
}

impl FaultSchedule {
    pub(crate) fn new(faults: Vec<Fault>, seed: u64) -> Self {
        let schedule = Self { active: Mutex::default(), seed };
        for fault in faults {
            schedule.add(fault);
        }
        schedule
    }

    pub(crate) fn add(&self, fault: Fault) {
        self.with(|active| {
            let random = Rng::with_seed(self.seed ^ (active.len() as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            active.push(ActiveFault { fault, seen: 0, hits: 0, random, window: None });
        });
    }

    pub(crate) fn clear(&self) {
        self.with(Vec::clear);
    }

    /// The faults, and how many requests each of them hit.
    pub(crate) fn all(&self) -> Vec<(Fault, u64)> {
        self.with(|active| active.iter().map(|one| (one.fault.clone(), one.hits)).collect())
    }

    /// Counts a request and says what happens to it.
    pub(crate) fn plan(&self, operation_id: &str) -> FaultPlan {
        self.with(|active| {
            let mut plan = FaultPlan::default();
            for active in active {
                if !active.hits(operation_id) {
                    continue;
                }
                let action = match &active.fault.kind {
                    FaultKind::Delay(delay) => {
                        plan.delay = plan.delay.saturating_add(*delay);
                        continue;
                    }
                    FaultKind::Action(action) => action.clone(),
                    FaultKind::RateLimit(_) => FaultAction::Status {
                        status: 429,
                        body: FaultBody::default(),
                        retry_after: Some(RetryAfter::Seconds(1)),
                    },
                };
                plan.action.get_or_insert((action, active.fault.effect));
            }
            plan
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<ActiveFault>) -> T) -> T {
        work(&mut self.active.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ActiveFault {
    /// Counts a request, and returns whether the fault hits it.
    fn hits(&mut self, operation_id: &str) -> bool {
        let Fault { kind, operation, nth, times, probability, .. } = &self.fault;
        if operation.as_deref().is_some_and(|operation| operation != operation_id) {
            return false;
        }
        self.seen += 1;
        let times = times.unwrap_or(if nth.is_some() { 1 } else { u64::MAX });
        if self.seen < nth.unwrap_or(1)
            || self.hits >= times
            || probability.is_some_and(|probability| self.random.f64() >= probability)
        {
            return false;
        }
        if let FaultKind::RateLimit(limit) = *kind
            && self.is_within_rate(limit)
        {
            return false;
        }
        self.hits += 1;
        true
    }

    fn is_within_rate(&mut self, limit: u32) -> bool {
        let now = Instant::now();
        match &mut self.window {
            Some((start, count)) if now.duration_since(*start) < Duration::from_secs(1) => {
                *count += 1;
                *count <= limit
            }
            window => {
                *window = Some((now, 1));
                limit > 0
            }
        }
    }
}
