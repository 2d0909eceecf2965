//! The guarantees of `coralogix_incidents::bulk`, checked against the emulator's own account of what happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use coralogix_incidents::{
    ApiGeneration, ApiKey, Client, Effect, RetryPolicy,
    bulk::{Fate, Outcome, Run, Summary, Verb},
    types::{ListIncidentsRequest, ResolveIncidentsRequest},
};
use coralogix_incidents_emulator::{Emulator, Fault, Sample};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use proptest::{prelude::*, test_runner::TestRunner};

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
    lost: f64,
    unavailable: f64,
    too_late: f64,
    reset: f64,
    /// After so many outcomes, stop or abandon.
    end: Option<(usize, bool)>,
    list_between: bool,
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let verbs = prop_oneof![
        Just(Verb::Unassign),
        Just(Verb::assign_to("alice")),
        Just(Verb::assign_to("bob")),
        Just(Verb::reassign("alice", "bob")),
        Just(Verb::Acknowledge),
        Just(Verb::Resolve),
        Just(Verb::Close),
    ];
    // Ids from KNOWN on are unknown to the service; some come twice.
    let ids = proptest::collection::vec(0..KNOWN + 4, 0..30);
    let generations = prop_oneof![Just(ApiGeneration::V1), Just(ApiGeneration::V5)];
    let chance = || prop_oneof![3 => Just(0.0), 1 => 0.1..0.9];
    let chances = (chance(), chance(), chance(), chance());
    let end = proptest::option::weighted(0.3, (0_usize..8, any::<bool>()));
    let limits = (1_usize..4, 1_usize..6, 1_u32..4);
    let plan = (verbs, ids, generations, limits, chances, end, any::<bool>()).prop_map(
        |(
            verb,
            ids,
            generation,
            (concurrency, ids_per_request, attempts),
            (lost, unavailable, too_late, reset),
            end,
            list_between,
        )| Plan {
            verb,
            ids,
            generation,
            concurrency,
            ids_per_request,
            attempts,
            lost,
            unavailable,
            too_late,
            reset,
            end,
            list_between,
        },
    );
    proptest::collection::vec(plan, 1..4)
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
        for (fault, probability) in [
            (Fault::lost_reply(), plan.lost),
            (Fault::status(503), plan.unavailable),
            (Fault::status(502).after_effect(), plan.too_late),
            (Fault::reset().before_effect(), plan.reset),
        ] {
            if probability > 0.0 {
                emulator.inject(fault.probability(probability)).unwrap();
            }
        }
        let before: BTreeMap<String, _> =
            emulator.incidents().into_iter().map(|incident| (incident.id.clone(), incident)).collect();
        let policy =
            RetryPolicy::default().with_max_attempts(plan.attempts).with_base_delay(Duration::from_micros(100));
        let key = ApiKey::new(emulator.api_key()).unwrap();
        let client = Client::builder()
            .api_key(key)
            .base_url(emulator.url())
            .api_generation(plan.generation)
            .retry_policy(policy)
            .build()
            .unwrap();
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
    prop_assert_eq!(summary.duplicates, duplicates as u64);
    let count = |test: fn(&Fate) -> bool| outcomes.iter().filter(|outcome| test(&outcome.fate)).count() as u64;
    prop_assert_eq!(summary.updated, count(|fate| matches!(fate, Fate::Updated(_))));
    prop_assert_eq!(summary.not_found, count(|fate| matches!(fate, Fate::NotFound)));
    prop_assert_eq!(summary.failed, count(|fate| matches!(fate, Fate::Failed(_) | Fate::NotApplied(_))));
    let is_unknown: fn(&Fate) -> bool =
        |fate| matches!(fate, Fate::Unknown(_) | Fate::NotYetApplied(_) | Fate::Abandoned);
    prop_assert_eq!(summary.unknown, count(is_unknown));
    prop_assert_eq!(summary.not_sent, count(|fate| matches!(fate, Fate::NotSent)));
    Ok(())
}

#[test]
fn the_outcome_of_every_id_matches_the_log_of_the_service() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) });
    runner.run(&plans(), |plans| runtime.block_on(check(plans))).unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn a_lost_reply_and_a_retry_is_an_update() {
    let emulator = Emulator::builder().fault(Fault::lost_reply().nth(1)).start().await.unwrap();
    let client = client(&emulator, ApiGeneration::V1);
    let outcomes: Vec<Outcome> = client.bulk().unassign(["incident_id_1", "incident_id_2"]).collect().await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome.fate, Fate::Updated(_))), "{outcomes:?}");
    assert_eq!(emulator.requests().len(), 2, "one was lost");
}

#[tokio::test]
async fn requests_are_split_by_the_length_of_their_url_if_ids_are_sent_in_it() {
    let ids: Vec<String> = (0..1000).map(|id| format!("00000000-0000-4000-8000-{id:012}")).collect();
    for (generation, expected) in [(ApiGeneration::V1, 1), (ApiGeneration::V5, 7)] {
        let emulator = Emulator::start().await.unwrap();
        let run = client(&emulator, generation).bulk().ids_per_request(10_000).unassign(ids.clone());
        let outcomes: Vec<Outcome> = run.collect().await;
        assert_eq!(outcomes.len(), 1000);
        assert!(outcomes.iter().all(|outcome| matches!(outcome.fate, Fate::NotFound)), "{:?}", outcomes[0]);
        let requests = emulator.requests();
        let sent = requests.iter().filter(|request| request.operation_id == Some("unassignIncidents"));
        assert_eq!(sent.count(), expected, "{generation}");
        assert!(requests.iter().all(|request| request.path.len() <= 8192));
    }
}

#[tokio::test]
async fn no_request_has_more_ids_than_the_document_allows() {
    for operation in Client::operations().filter(|operation| operation.incident_ids() == Some("incidentIds")) {
        let binding = operation.binding(ApiGeneration::V5).unwrap();
        assert_eq!(binding.max_incident_ids(), Some(10_000), "{}", operation.id());
        assert_eq!(operation.binding(ApiGeneration::V1).unwrap().max_incident_ids(), None);
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
async fn a_refusal_that_applies_to_every_request_ends_the_run() {
    let emulator = Emulator::start().await.unwrap();
    let key = ApiKey::new("not-the-key").unwrap();
    let client = Client::builder().api_key(key).base_url(emulator.url()).build().unwrap();
    let mut run = client.bulk().concurrency(2).ids_per_request(1).unassign((0..100).map(|id| id.to_string()));
    let outcomes: Vec<Outcome> = run.by_ref().collect().await;
    assert_eq!(outcomes.len(), 100);
    let summary = run.summary();
    assert!(summary.failed <= 4 && summary.failed + summary.not_sent == 100, "{summary:?}");
    assert!(emulator.requests().len() <= 4);
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

#[tokio::test(start_paused = true)]
async fn an_abandoned_run_keeps_what_was_answered() {
    use crate::raw::{Raw, json};

    let good = || json("200 OK", r#"{"incidents":[{"id":null}]}"#);
    let server = Raw::answering("127.0.0.1:0".parse().unwrap(), [], good);
    let mut run = server.client().bulk().ids_per_request(1).concurrency(4).unassign(["a", "b", "c", "d"]);
    run.next().await.unwrap();
    // The clock is paused: time passes once all that can be done is done.
    tokio::time::sleep(Duration::from_millis(300)).await;
    run.abandon();
    let left: Vec<Outcome> = run.collect().await;
    assert!(left.len() == 3 && left.iter().all(|outcome| matches!(outcome.fate, Fate::Updated(_))), "{left:?}");
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

#[tokio::test(start_paused = true)]
async fn requests_in_flight_make_progress_while_the_consumer_is_busy() {
    use crate::raw::{Raw, json};

    let good = || json("200 OK", r#"{"incidents":[{"id":null}]}"#);
    let server = Raw::answering("127.0.0.1:0".parse().unwrap(), [], good);
    let client =
        server.builder().attempt_timeout(Duration::from_secs(1)).retry_policy(RetryPolicy::off()).build().unwrap();
    let mut run = client.bulk().concurrency(4).ids_per_request(1).unassign(["a", "b", "c", "d"]);
    let first = run.next().await.unwrap();
    assert!(matches!(first.fate, Fate::Updated(_)), "{first:?}");
    // Longer than any attempt may take: the others have long been answered.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let others: Vec<Outcome> = run.collect().await;
    assert!(others.iter().all(|outcome| matches!(outcome.fate, Fate::Updated(_))), "{others:?}");
}

#[tokio::test]
async fn a_source_with_only_repeated_ids_yields_to_other_tasks() {
    let emulator = Emulator::start().await.unwrap();
    let mut run = client(&emulator, ApiGeneration::V1).bulk().unassign(std::iter::repeat("incident_id_1"));
    // Each poll comes back, although the source never ends.
    while run.summary().duplicates <= 256 {
        let _ = futures::FutureExt::now_or_never(run.next());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn reading_back_accepts_a_404_as_an_answer() {
    use crate::raw::{Raw, json};

    let missing = || json("404 Not Found", r#"{"code":5,"message":"incident not found"}"#);
    let found = json("200 OK", r#"{"incidents":{"b":{"id":null}}}"#);
    let server = Raw::start([missing(), missing(), found]);
    let outcomes: Vec<Outcome> = server.client().bulk().reconcile(Verb::Unassign, ["a", "b"]).collect().await;
    assert_eq!(server.requests().len(), 3, "both, then each alone");
    assert!(matches!(outcomes[0].fate, Fate::NotFound), "{outcomes:?}");
    assert!(matches!(outcomes[1].fate, Fate::Updated(_)), "by its key, whatever its id: {outcomes:?}");
}

#[tokio::test]
async fn reading_back_keeps_what_was_read() {
    use crate::raw::{Raw, json};

    let missing = json("404 Not Found", r#"{"code":5,"message":"incident not found"}"#);
    let found = json("200 OK", r#"{"incidents":{"a":{"id":"a"}}}"#);
    let server = Raw::start([missing, found, json("400 Bad Request", "")]);
    let outcomes: Vec<Outcome> = server.client().bulk().reconcile(Verb::Unassign, ["a", "b"]).collect().await;
    assert!(matches!(outcomes[0].fate, Fate::Updated(_)), "{outcomes:?}");
    assert!(matches!(outcomes[1].fate, Fate::Unknown(_)), "{outcomes:?}");

    // What says nothing of an id is the gateway's.
    let server = Raw::start([json("404 Not Found", "")]);
    let outcomes: Vec<Outcome> = server.client().bulk().reconcile(Verb::Unassign, ["a"]).collect().await;
    assert!(matches!(outcomes[0].fate, Fate::Unknown(_)), "{outcomes:?}");
}

#[tokio::test]
async fn an_id_is_not_found_where_the_service_says_so_and_not_where_it_says_nothing() {
    use crate::raw::{Raw, Step, json, response};

    let server = Raw::start([json("404 Not Found", r#"{"code":5,"message":"no such incident"}"#)]);
    let outcomes: Vec<Outcome> = server.client().bulk().unassign(["a"]).collect().await;
    assert!(matches!(outcomes[0].fate, Fate::NotFound), "{outcomes:?}");
    // Neither a reply without a body nor an empty one says anything of the ids: they are read.
    let silent = [Step::Reply(response("204 No Content", "", "")), json("200 OK", ""), json("200 OK", "{}")];
    let refused = json("400 Bad Request", "");
    let found = json("200 OK", r#"{"incidents":{"a":{"id":"a"}}}"#);
    let unchanged = json("200 OK", r#"{"incidents":{"a":{"id":"a","assignments":[{}]}}}"#);
    let missing = json("200 OK", r#"{"notFoundIds":["a"]}"#);
    for reply in silent {
        for (read, is_expected) in [
            (&refused, (|fate| matches!(fate, Fate::Unknown(_))) as fn(&Fate) -> bool),
            (&found, |fate| matches!(fate, Fate::Updated(_))),
            (&unchanged, |fate| matches!(fate, Fate::NotApplied(_))),
            (&missing, |fate| matches!(fate, Fate::NotFound)),
        ] {
            let server = Raw::start([reply.clone(), read.clone()]);
            let outcomes: Vec<Outcome> = server.client().bulk().unassign(["a"]).collect().await;
            assert!(is_expected(&outcomes[0].fate), "{outcomes:?}");
            assert_eq!(server.requests().len(), 2);
        }
    }
}

#[tokio::test]
async fn one_incident_without_an_id_is_the_one_that_was_sent() {
    use crate::raw::{Raw, json};

    let server = Raw::start([json("200 OK", r#"{"incidents":[{"id":null}]}"#)]);
    let outcomes: Vec<Outcome> = server.client().bulk().unassign(["a"]).collect().await;
    assert!(matches!(outcomes[0].fate, Fate::Updated(_)), "{outcomes:?}");

    let another = json("200 OK", r#"{"incidents":[{"id":"another"}]}"#);
    let server = Raw::start([another, json("500 Internal Server Error", "")]);
    let client = server.client().with_options(crate::client::once());
    let outcomes: Vec<Outcome> = client.bulk().unassign(["a"]).collect().await;
    assert!(matches!(outcomes[0].fate, Fate::Unknown(_)), "another's incident is not ours: {outcomes:?}");
}

#[tokio::test]
async fn an_id_that_a_reply_leaves_open_is_unknown() {
    use crate::raw::{Raw, json};

    let server = Raw::start([json("200 OK", r#"{"incidents":[{"id":"a"},{"id":"B"}]}"#)]);
    let outcomes: Vec<Outcome> = server.client().bulk().unassign(["a", "b"]).collect().await;
    assert!(matches!(outcomes[0].fate, Fate::Updated(_)), "{outcomes:?}");
    let Fate::Unknown(error) = &outcomes[1].fate else { panic!("it may be the other: {outcomes:?}") };
    assert_eq!(error.effect(), Effect::Unknown);
    let host = server.address;
    let expected = format!(
        r#"unassignIncidents was answered by {host} with 200 OK, but the incident "B" in it was not asked for; it may have taken effect"#
    );
    assert_eq!(error.summary(), expected);

    let server = Raw::start([json("200 OK", r#"{"incidents":{"a":{}},"notFoundIds":["b"]}"#)]);
    let outcomes: Vec<Outcome> = server.client().bulk().reconcile(Verb::Unassign, ["a", "b", "c"]).collect().await;
    assert!(matches!(outcomes[0].fate, Fate::Updated(_)), "{outcomes:?}");
    assert!(matches!(outcomes[1].fate, Fate::NotFound), "{outcomes:?}");
    let Fate::Unknown(error) = &outcomes[2].fate else { panic!("nothing is said of it: {outcomes:?}") };
    let message = error.to_string();
    assert!(
        message.contains(r#"but the incident "c" is neither in it nor in its `notFoundIds` (1 attempt,"#),
        "{message}"
    );
}

#[tokio::test]
async fn incidents_that_a_reply_shows_without_an_id_have_the_one_that_was_sent() {
    use crate::raw::{Raw, json};

    let server = Raw::start([
        json("200 OK", r#"{"incidents":{"a":{"name":"A"},"b":{"id":"b"}}}"#),
        json("200 OK", r#"{"incidents":[{"name":"A"}]}"#),
    ]);
    let bulk = server.client().bulk();
    let read: Vec<Outcome> = bulk.get(["a", "b"]).chain(bulk.unassign(["a"])).collect().await;
    let ids: Vec<&str> = read.iter().map(|outcome| outcome.fate.incident().unwrap().id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "a"]);
}

/// A stream stays a stream: callers put it where streams go.
#[test]
fn a_run_is_an_unpin_send_stream() {
    fn check<T: Stream + Send + Unpin>() {}
    check::<Run>();
}
