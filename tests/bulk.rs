//! The guarantees of `coralogix_incidents::bulk`, checked against the emulator's own account of what happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use coralogix_incidents::{
    ApiGeneration, CallOptions, Client, RetryPolicy,
    bulk::{Fate, Outcome, Run, Summary, Verb},
    types::{ListIncidentsRequest, ResolveIncidentsRequest},
};
use coralogix_incidents_emulator::{Emulator, Fault, Sample};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use proptest::{
    array::uniform4, collection::vec, option::weighted, prelude::*, sample::select, test_runner::TestRunner,
};

use crate::operations::client;

const KNOWN: usize = 12;

/// One run and what stands in its way.
#[derive(Debug, Clone)]
struct Plan {
    verb: Verb,
    ids: Vec<usize>,
    generation: ApiGeneration,
    concurrency: usize,
    ids_per_request: usize,
    attempts: u32,
    /// How probable a lost reply, a 503, a 502 after the effect, and a reset are.
    faults: [f64; 4],
    /// After so many outcomes, stop or abandon.
    end: Option<(usize, bool)>,
    list_between: bool,
}

fn verbs() -> Vec<Verb> {
    vec![
        Verb::Unassign,
        Verb::assign_to("alice"),
        Verb::assign_to("bob"),
        Verb::reassign("alice", "bob"),
        Verb::Acknowledge,
        Verb::Resolve,
        Verb::Close,
    ]
}

prop_compose! {
    fn plan()(
        verb in select(verbs()),
        // Ids from KNOWN on are unknown to the service; some come twice.
        ids in vec(0..KNOWN + 4, 0..30),
        generation in select(ApiGeneration::ALL),
        concurrency in 1_usize..4,
        ids_per_request in 1_usize..6,
        attempts in 1_u32..4,
        faults in uniform4(prop_oneof![3 => Just(0.0), 1 => 0.1..0.9]),
        end in weighted(0.3, (0_usize..8, any::<bool>())),
        list_between: bool,
    ) -> Plan {
        Plan { verb, ids, generation, concurrency, ids_per_request, attempts, faults, end, list_between }
    }
}

fn name(id: usize) -> String {
    format!("id-{id:02}")
}

async fn check(plans: Vec<Plan>) -> Result<(), TestCaseError> {
    let incidents = (0..KNOWN).map(|id| Sample::new(name(id)).assigned_to("alice"));
    let emulator = Emulator::builder().incidents(incidents).start().await.unwrap();
    for plan in plans {
        emulator.clear_faults();
        emulator.clear_requests();
        let faults = [
            Fault::lost_reply(),
            Fault::status(503),
            Fault::status(502).after_effect(),
            Fault::reset().before_effect(),
        ];
        for (fault, probability) in faults.into_iter().zip(plan.faults).filter(|(_, probability)| *probability > 0.0) {
            emulator.inject(fault.probability(probability)).unwrap();
        }
        let before: BTreeMap<String, _> =
            emulator.incidents().into_iter().map(|incident| (incident.id.clone(), incident)).collect();
        let policy =
            RetryPolicy::default().with_max_attempts(plan.attempts).with_base_delay(Duration::from_micros(100));
        let client = client(&emulator, plan.generation).with_options(CallOptions::default().with_retry_policy(policy));
        let given: Vec<String> = plan.ids.iter().map(|id| name(*id)).collect();
        let distinct: BTreeSet<String> = given.iter().cloned().collect();
        let duplicates = given.len() - distinct.len();

        let bulk = client.bulk().concurrency(plan.concurrency).ids_per_request(plan.ids_per_request);
        let mut run = bulk.run(plan.verb.clone(), stream::iter(given));
        let outcomes = drain(&mut run, plan.end, plan.list_between.then_some(&client)).await;
        account(&outcomes, &distinct, run.summary(), duplicates)?;

        // The emulator's own account. A request that was abandoned may still be under way there.
        emulator.clear_faults();
        let abandoned = outcomes.iter().any(|outcome| matches!(outcome.fate, Fate::Abandoned));
        let log = emulator.requests();
        let mutations: Vec<_> =
            log.iter().filter(|request| request.operation_id == Some(plan.verb.operation().id())).collect();
        let arrived: BTreeSet<&str> = mutations.iter().flat_map(|request| &request.ids).map(String::as_str).collect();
        let changed: BTreeSet<&str> =
            mutations.iter().flat_map(|request| &request.changed).map(String::as_str).collect();
        let mut unsettled = Vec::new();
        for Outcome { id, fate, .. } in &outcomes {
            let now = emulator.incident(id);
            match fate {
                Fate::Updated(incident) => {
                    prop_assert!(now.as_ref().is_some_and(|now| plan.verb.is_done(now)), "updated, but {now:?}");
                    prop_assert!(plan.verb.is_done(incident));
                }
                Fate::NotFound => prop_assert!(now.is_none(), "{id} is not found, but {now:?}"),
                Fate::Failed(error) => {
                    prop_assert!(!changed.contains(id.as_str()), "{id} failed with {error}, but was changed");
                    prop_assert_eq!(now.as_ref(), before.get(id));
                }
                Fate::NotSent => prop_assert!(!arrived.contains(id.as_str()), "{id} was sent"),
                Fate::Unknown(_) | Fate::Abandoned => unsettled.push(id.clone()),
                other => prop_assert!(false, "{id}: {other:?}"),
            }
        }

        let mut read = client.bulk().reconcile(plan.verb.clone(), unsettled);
        while let Some(Outcome { id, fate, .. }) = read.next().await {
            let now = emulator.incident(&id);
            match fate {
                Fate::Updated(_) => prop_assert!(now.is_some_and(|now| plan.verb.is_done(&now))),
                Fate::NotYetApplied(_) => prop_assert!(abandoned || now.is_some_and(|now| !plan.verb.is_done(&now))),
                Fate::NotFound => prop_assert!(now.is_none()),
                other => prop_assert!(false, "{id} is not settled: {other:?}"),
            }
        }
    }
    Ok(())
}

async fn drain(run: &mut Run, end: Option<(usize, bool)>, lister: Option<&Client>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    loop {
        match end {
            Some((after, true)) if after == outcomes.len() => run.abandon(),
            Some((after, false)) if after == outcomes.len() => run.stop(),
            _ => {}
        }
        let Some(outcome) = run.next().await else { return outcomes };
        outcomes.push(outcome);
        if let Some(client) = lister.filter(|_| outcomes.len() % 4 == 0) {
            // What another caller does meanwhile; faults hit it too.
            let _ = client.list_incidents_stream(ListIncidentsRequest::default()).take(3).try_collect::<Vec<_>>().await;
        }
    }
}

fn account(
    outcomes: &[Outcome],
    distinct: &BTreeSet<String>,
    summary: Summary,
    duplicates: usize,
) -> Result<(), TestCaseError> {
    let seen: BTreeSet<String> = outcomes.iter().map(|outcome| outcome.id.clone()).collect();
    prop_assert_eq!(&seen, distinct, "every id given");
    prop_assert_eq!(outcomes.len(), distinct.len(), "exactly once");
    prop_assert_eq!(summary.total(), distinct.len() as u64);
    let mut expected = Summary::default();
    expected.duplicates = duplicates as u64;
    for Outcome { fate, .. } in outcomes {
        *match fate {
            Fate::Updated(_) => &mut expected.updated,
            Fate::NotFound => &mut expected.not_found,
            Fate::Failed(_) | Fate::NotApplied(_) => &mut expected.failed,
            Fate::NotSent => &mut expected.not_sent,
            _ => &mut expected.unknown,
        } += 1;
    }
    prop_assert_eq!(summary, expected);
    Ok(())
}

#[test]
fn the_outcome_of_every_id_matches_the_log_of_the_service() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) });
    runner.run(&vec(plan(), 1..4), |plans| runtime.block_on(check(plans))).unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn no_request_has_more_ids_than_the_document_allows() {
    for operation in Client::operations().filter(|operation| operation.incident_ids() == Some("incidentIds")) {
        let limits = ApiGeneration::ALL.iter().map(|of| (of, operation.binding(*of).unwrap().max_incident_ids()));
        let expected = [(&ApiGeneration::V1, None), (&ApiGeneration::V5, Some(10_000))];
        assert!(limits.eq(expected), "{}", operation.id());
    }
    let emulator = Emulator::builder().max_body_bytes(4 << 20).start().await.unwrap();
    let ids: Vec<String> = (0..=10_000).map(|id| id.to_string()).collect();
    let v5 = client(&emulator, ApiGeneration::V5);
    let error = v5.resolve_incidents(&ResolveIncidentsRequest::new(ids.clone())).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`incidentIds` has 10001 entries, and the service takes 10000 in one call: use `Client::bulk`"
    );
    assert!(emulator.requests().is_empty(), "it was refused before it was sent");
    for generation in [ApiGeneration::V1, ApiGeneration::V5] {
        let run = client(&emulator, generation).bulk().ids_per_request(usize::MAX).resolve(ids.clone());
        assert_eq!(run.count().await, ids.len());
        let requests = emulator.requests();
        let resolve = requests.iter().filter(|request| request.operation_id == Some("resolveIncidents"));
        let sizes: Vec<usize> = resolve.map(|request| request.ids.len()).collect();
        assert_eq!(sizes.iter().max(), Some(&10_000), "{generation}: {sizes:?}");
        emulator.clear_requests();
    }
}

#[tokio::test]
async fn blank_ids_fail_alone() {
    let emulator = Emulator::start().await.unwrap();
    let mut run = client(&emulator, ApiGeneration::V1).bulk().unassign(["incident_id_1", " ", "", "incident_id_2"]);
    let outcomes: Vec<Outcome> = run.by_ref().collect().await;
    assert_eq!((run.summary().updated, run.summary().failed), (2, 2), "{outcomes:?}");
    assert_eq!(emulator.requests().len(), 1, "and cut no request short");
}

#[tokio::test]
async fn a_stopped_run_yields_an_outcome_for_every_available_id() {
    let emulator = Emulator::start().await.unwrap();
    let client = client(&emulator, ApiGeneration::V1);
    // More repeats than are passed over at one go.
    let repeats = std::iter::repeat_n("a".to_owned(), 1000).chain((0..50).map(|id| id.to_string()));
    let mut run = client.bulk().unassign(repeats);
    run.stop();
    assert_eq!(run.by_ref().count().await, 51, "{run:?}");
    // A channel of tokio's, which asks its reader to yield now and then.
    let (sender, receiver) = tokio::sync::mpsc::channel(1000);
    for id in 0..1000 {
        sender.try_send(id.to_string()).unwrap();
    }
    let ids = stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    let mut run = client.bulk().run(Verb::Unassign, ids);
    run.stop();
    assert_eq!(run.by_ref().count().await, 1000, "{run:?}");
    assert_eq!(run.summary().not_sent, 1000);
    drop(sender);
}

#[tokio::test]
async fn ids_of_a_slow_source_are_sent_without_delay() {
    let emulator = Emulator::start().await.unwrap();
    let (sender, receiver) = futures::channel::mpsc::unbounded();
    sender.unbounded_send("incident_id_1".to_owned()).unwrap();
    let mut run = client(&emulator, ApiGeneration::V1).bulk().run(Verb::Unassign, receiver);
    let first = run.next().await.expect("without a second id");
    assert_eq!(first.id, "incident_id_1");
    sender.unbounded_send("incident_id_2".to_owned()).unwrap();
    drop(sender);
    assert_eq!(run.next().await.unwrap().id, "incident_id_2");
    assert!(run.next().await.is_none());
}

#[tokio::test]
async fn a_source_with_only_repeated_ids_yields_to_other_tasks() {
    let emulator = Emulator::start().await.unwrap();
    let mut run = client(&emulator, ApiGeneration::V1).bulk().unassign(std::iter::repeat("incident_id_1"));
    // Each poll comes back, although the source never ends.
    while run.summary().duplicates <= 256 {
        let _ = run.next().now_or_never();
        tokio::task::yield_now().await;
    }
}
