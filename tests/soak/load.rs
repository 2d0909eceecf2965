//! The calls: many at once, some of them dropped half-way, each with what its caller saw. It knows nothing of the emulator.

use std::{collections::BTreeMap, time::Duration};

use coralogix_incidents::{
    Client, Effect, Error, ErrorKind, ResponseValue,
    types::{AssignIncidentsRequest, ListIncidentsRequest, PaginationRequest, UnassignIncidentsRequest},
};
use tokio::time::{Instant, timeout};

use crate::emulator::{INCIDENTS, id};

pub(crate) const CONCURRENCY: usize = 32;
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(250);
/// A call that takes this much longer than its timeout hangs. Schedulers of busy machines need some of it.
pub(crate) const SLACK: Duration = Duration::from_millis(500);

/// A call as its caller saw it.
pub(crate) struct OperationResult {
    pub(crate) correlation_id: String,
    pub(crate) attempts: u32,
    pub(crate) outcome: Result<(), Failure>,
}

pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) effect: Effect,
    pub(crate) text: String,
}

impl<T> From<Result<ResponseValue<T>, Error>> for OperationResult {
    fn from(result: Result<ResponseValue<T>, Error>) -> Self {
        match result {
            Ok(value) => {
                Self { correlation_id: value.correlation_id().to_owned(), attempts: value.attempts(), outcome: Ok(()) }
            }
            Err(error) => Self {
                correlation_id: error.correlation_id().unwrap_or_default().to_owned(),
                attempts: error.attempts(),
                outcome: Err(Failure { kind: error.kind(), effect: error.effect(), text: error.to_string() }),
            },
        }
    }
}

/// What many calls came to.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    pub(crate) cancelled: u64,
    pub(crate) retries: u64,
    pub(crate) slowest: Duration,
    pub(crate) hung: u64,
    pub(crate) outcomes: BTreeMap<String, u64>,
}

impl Tally {
    fn count(&mut self, call: &OperationResult, took: Duration) {
        self.calls += 1;
        self.retries += u64::from(call.attempts.saturating_sub(1));
        self.slowest = self.slowest.max(took);
        let name = match &call.outcome {
            Ok(()) => "ok".to_owned(),
            Err(failure) => format!("{}, effect {:?}", failure.kind, failure.effect),
        };
        *self.outcomes.entry(name).or_default() += 1;
    }

    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.cancelled += other.cancelled;
        self.retries += other.retries;
        self.hung += other.hung;
        self.slowest = self.slowest.max(other.slowest);
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
    }
}

/// Calls from several tasks for a time, at least one from each. All of them are over when it returns.
pub(crate) async fn epoch(client: &Client, tally: &mut Tally, time: Duration) -> Vec<OperationResult> {
    let end = Instant::now() + time;
    let workers = (0..CONCURRENCY).map(|_| tokio::spawn(work(client.clone(), end)));
    let mut calls = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        let (one, done) = worker.await.expect("a worker does not panic");
        tally.add(one);
        calls.extend(done);
    }
    calls
}

/// One call after another until `end`.
async fn work(client: Client, end: Instant) -> (Tally, Vec<OperationResult>) {
    let (mut tally, mut calls) = (Tally::default(), Vec::new());
    loop {
        let start = Instant::now();
        // Some callers give up early: dropping the future must leave the client usable, and no connection behind.
        let patience =
            if fastrand::u8(..100) < 3 { Duration::from_millis(fastrand::u64(..30)) } else { TIMEOUT + SLACK };
        match timeout(patience, any_call(&client)).await {
            Ok(call) => {
                tally.count(&call, start.elapsed());
                calls.push(call);
            }
            Err(_) if patience > TIMEOUT => tally.hung += 1,
            Err(_) => tally.cancelled += 1,
        }
        if Instant::now() >= end {
            return (tally, calls);
        }
    }
}

async fn any_call(client: &Client) -> OperationResult {
    let ids = || (0..fastrand::usize(1..5)).map(|_| id(fastrand::usize(..INCIDENTS)));
    match fastrand::u8(..20) {
        0..5 => client.unassign_incidents(&UnassignIncidentsRequest::new(ids())).await.into(),
        5..10 => {
            let request = AssignIncidentsRequest::new(ids(), "bob");
            client.assign_incidents(&request).await.into()
        }
        // It costs the emulator most, so it is the rarest.
        10 => {
            let page = PaginationRequest::default().with_page_size(20);
            client.list_incidents(&ListIncidentsRequest::default().with_pagination(page)).await.into()
        }
        11..15 => client.get_incident(&id(fastrand::usize(..INCIDENTS))).await.into(),
        _ => client.batch_get_incident(&ids().collect::<Vec<_>>()).await.into(),
    }
}

#[cfg(test)]
mod tests {
    use coralogix_incidents_emulator::Emulator;

    use super::*;

    /// The clock is paused: a wait takes no time, and no call is late because the machine is slow.
    #[tokio::test(start_paused = true)]
    async fn a_call_that_outlasts_its_timeout_has_hung() {
        let emulator = Emulator::builder().fault("*:stall".parse().expect("a fault")).start().await.expect("starts");
        // Without the limits that the soak relies on.
        let client = crate::client(emulator.url()).timeout(Duration::MAX).attempt_timeout(Duration::MAX);
        let client = client.read_timeout(Duration::MAX).connect_timeout(Duration::from_secs(3600)).build();
        let mut tally = Tally::default();
        let calls = epoch(&client.expect("a client"), &mut tally, Duration::ZERO).await;
        let begun = usize::try_from(tally.hung + tally.cancelled).expect("few");
        assert_eq!((begun, calls.len(), tally.calls), (CONCURRENCY, 0, 0));
        assert!(tally.hung > 0, "the others were dropped early");
    }
}
