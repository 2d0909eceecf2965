//! The outcomes that bulk runs derive from single responses, given by a server of bytes, and how many requests they send at a time.

use std::time::Duration;

use coralogix_incidents::{
    RetryPolicy,
    bulk::{Bulk, Fate, Outcome, Run, Summary, Verb},
    types::{Assignment, Incident, IncidentStatus, UserDetails},
};
use futures::{FutureExt, Stream, StreamExt, channel::mpsc};

use crate::scripted_server::{ScriptedServer, Step, empty, json};

/// The outcomes as phrases, by id.
async fn phrases(run: impl Stream<Item = Outcome>) -> Vec<(String, String)> {
    let mut phrases: Vec<_> = run.map(|outcome| (outcome.id, outcome.fate.to_string())).collect().await;
    phrases.sort();
    phrases
}

/// The clock is paused, so time passes once everything that can be done is done.
async fn rest() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[test]
fn each_verb_states_when_it_is_done() {
    let of = |users: &[&str]| {
        let assignments = users.iter().map(|user| Assignment::default().with_assigned_to(UserDetails::new(*user)));
        Incident::default().with_assignments(assignments).with_status(IncidentStatus::Triggered)
    };
    let in_status = |status| of(&[]).with_status(status);
    let reassign = Verb::reassign("alice", "bob");
    for (verb, incident, expected) in [
        (&Verb::Unassign, of(&[]), true),
        (&Verb::Unassign, of(&["alice"]), false),
        (&Verb::assign_to("bob"), of(&["alice", "bob"]), true),
        (&Verb::assign_to("bob"), of(&["alice"]), false),
        (&reassign, of(&["bob", "carol"]), true),
        (&reassign, of(&["bob", "Alice"]), false),
        (&reassign, of(&["carol"]), false),
        (&Verb::reassign("alice", "ALICE"), of(&["ALICE"]), true),
        (&Verb::Acknowledge, in_status(IncidentStatus::Triggered), false),
        (&Verb::Acknowledge, in_status(IncidentStatus::Acknowledged), true),
        (&Verb::Acknowledge, in_status(IncidentStatus::Resolved), true),
        (&Verb::Resolve, in_status(IncidentStatus::Acknowledged), false),
        (&Verb::Resolve, in_status(IncidentStatus::Resolved), true),
        (&Verb::Close, in_status(IncidentStatus::Triggered), false),
        (&Verb::Close, in_status(IncidentStatus::Resolved), true),
    ] {
        assert_eq!(verb.is_done(&incident), expected, "{verb:?} {incident:?}");
    }
}

#[test]
fn a_summary_counts_each_distinct_id_once() {
    let mut summary = Summary::default();
    (summary.found, summary.updated, summary.not_found) = (1, 10, 100);
    (summary.failed, summary.unknown, summary.not_sent, summary.duplicates) = (1000, 10_000, 100_000, 1_000_000);
    assert_eq!(summary.total(), 111_111);
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_each_id_follows_from_the_responses() {
    const UPDATED: &str = "updated";
    const UNKNOWN_ID: &str = "the service does not know this id";
    const UNKNOWN: &str = "it is not known whether the change was applied: unassignIncidents was answered by";

    let ok = |body: &str| json("200 OK", body);
    let denied = || json("403 Forbidden", r#"{"code":7,"message":"no"}"#);
    let refused = || json("400 Bad Request", r#"{"code":3,"message":"no"}"#);
    let missing = || json("404 Not Found", r#"{"code":5,"message":"incident not found"}"#);
    let empty = || empty("204 No Content");
    let read =
        |assignments: &str| ok(&format!(r#"{{"incidents":{{"a":{{"id":"a","assignments":[{assignments}]}}}}}}"#));
    let read_missing = || ok(r#"{"notFoundIds":["a"]}"#);
    let get: fn(Bulk, Vec<&'static str>) -> Run = |bulk, ids| bulk.get(ids);
    let unassign: fn(Bulk, Vec<&'static str>) -> Run = |bulk, ids| bulk.unassign(ids);
    let read_back: fn(Bulk, Vec<&'static str>) -> Run = |bulk, ids| bulk.reconcile(Verb::Unassign, ids);

    let mut cases = vec![
        (unassign, vec![ok(r#"{"incidents":[{"id":"a"}]}"#)], vec![("a", UPDATED)]),
        (unassign, vec![Step::Reset(vec![]), ok(r#"{"incidents":[{"id":"a"}]}"#)], vec![("a", UPDATED)]),
        (unassign, vec![refused()], vec![("a", "failed, and nothing was changed: unassignIncidents was refused")]),
        (unassign, vec![missing()], vec![("a", UNKNOWN_ID)]),
        (
            unassign,
            vec![Step::Reset(vec![]), ok("{}"), read("{}")],
            vec![("a", "not applied so far: a request whose reply")],
        ),
        // What the response to the change leaves out.
        (unassign, vec![empty(), denied()], vec![("a", UNKNOWN), ("b", "but it has no body")]),
        (unassign, vec![ok("{}"), denied()], vec![("a", UNKNOWN), ("b", "but it holds none of the incidents")]),
        (
            unassign,
            vec![ok(r#"{"incidents":[{"id":"c"}]}"#), denied()],
            vec![("a", UNKNOWN), ("b", "but none of the incidents in it was asked for")],
        ),
        (
            unassign,
            vec![ok(r#"{"incidents":[{"id":"a"},{"id":"B"}]}"#)],
            vec![
                ("a", UPDATED),
                ("b", r#"with 200 OK, but the incident "B" in it was not asked for; it may have taken effect"#),
            ],
        ),
        // One incident without an id is the one that was sent.
        (unassign, vec![ok(r#"{"incidents":[{"id":null}]}"#)], vec![("a", UPDATED)]),
        (unassign, vec![ok(r#"{"incidents":[{"id":"another"}]}"#), refused()], vec![("a", UNKNOWN)]),
        (get, vec![ok(r#"{"incidents":{"a":{"name":"A"},"b":{"id":"b"}}}"#)], vec![("a", "found"), ("b", "found")]),
        // A read that is refused at once fails, and one that has begun keeps what it read.
        (get, vec![refused()], vec![("a", "failed, and nothing was changed: batchGetIncident was refused")]),
        (
            get,
            vec![missing(), missing(), refused()],
            vec![("a", UNKNOWN_ID), ("b", "failed, and nothing was changed: batchGetIncident was refused")],
        ),
        (
            read_back,
            vec![missing(), missing(), ok(r#"{"incidents":{"b":{"id":null}}}"#)],
            vec![("a", UNKNOWN_ID), ("b", UPDATED)],
        ),
        (
            read_back,
            vec![missing(), ok(r#"{"incidents":{"a":{"id":"a"}}}"#), refused()],
            vec![("a", UPDATED), ("b", "it is not known whether the change was applied")],
        ),
        // What says nothing of an id is the gateway's.
        (read_back, vec![json("404 Not Found", "")], vec![("a", "it is not known whether the change was applied")]),
        (
            read_back,
            vec![ok(r#"{"incidents":{"a":{}},"notFoundIds":["b"]}"#)],
            vec![
                ("a", UPDATED),
                ("b", UNKNOWN_ID),
                ("c", r#"but the incident "c" is neither in it nor in its `notFoundIds` (1 attempt,"#),
            ],
        ),
    ];
    // A response without a body and an empty one say nothing of the ids: they are read.
    for silent in [empty(), ok(""), ok("{}")] {
        for (read, phrase) in [
            (refused(), UNKNOWN),
            (read(""), UPDATED),
            (read("{}"), "not applied: the service answered, but"),
            (read_missing(), UNKNOWN_ID),
        ] {
            cases.push((unassign, vec![silent.clone(), read], vec![("a", phrase)]));
        }
    }
    for (number, (task, steps, expected)) in cases.into_iter().enumerate() {
        let case = format!("case {number}: {expected:?}");
        let server = ScriptedServer::start(steps.clone());
        let ids = expected.iter().map(|(id, _)| *id).collect();
        let mut outcomes: Vec<Outcome> = task(server.client().bulk(), ids).collect().await;
        outcomes.sort_by(|one, other| one.id.cmp(&other.id));
        assert_eq!(outcomes.len(), expected.len(), "{case}");
        for (Outcome { id, fate, .. }, (expected_id, phrase)) in outcomes.iter().zip(expected) {
            assert!(id == expected_id && fate.to_string().contains(phrase), "{case}: {id}: {fate}");
            assert_eq!(fate.error().is_some(), matches!(fate, Fate::Failed(_) | Fate::Unknown(_)), "{case}");
            let has_incident = !matches!(fate, Fate::Failed(_) | Fate::Unknown(_) | Fate::NotFound);
            assert_eq!(fate.incident().map(|incident| &incident.id), has_incident.then_some(id), "{case}");
        }
        assert_eq!(server.requests().len(), steps.len(), "{case}");
    }
}

#[tokio::test]
async fn each_refusal_that_every_request_would_meet_ends_a_run() {
    for (status, body, is_final) in [
        ("401 Unauthorized", "", true),
        ("403 Forbidden", r#"{"code":7,"message":"no"}"#, true),
        ("404 Not Found", r#"{"code":5,"message":"Not Found","details":[]}"#, true),
        ("400 Bad Request", r#"{"code":3,"message":"no"}"#, false),
    ] {
        let server = ScriptedServer::repeating(json(status, body));
        let bulk = server.client().bulk().concurrency(2).ids_per_request(1);
        let mut run = bulk.unassign((0..100).map(|id| id.to_string()));
        assert_eq!(run.by_ref().count().await, 100, "{status}");
        let summary = run.summary();
        assert_eq!(summary.failed + summary.not_sent, 100, "{status}: {summary:?}");
        let sent = if is_final { 1..=4 } else { 100..=100 };
        assert!(sent.contains(&summary.failed), "{status}: {summary:?}");
        assert_eq!(server.requests().len() as u64, summary.failed, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_make_progress_while_the_consumer_is_busy_and_an_abandoned_run_keeps_their_answers() {
    for is_abandoned in [false, true] {
        let server = ScriptedServer::repeating(json("200 OK", r#"{"incidents":[{"id":null}]}"#));
        let client = server.builder().attempt_timeout(Duration::from_secs(1)).retry_policy(RetryPolicy::off());
        let bulk = client.build().unwrap().bulk().concurrency(4).ids_per_request(1);
        let mut run = bulk.unassign(["a", "b", "c", "d"]);
        run.next().await.unwrap();
        // Longer than any attempt may take: the others have long been answered.
        tokio::time::sleep(Duration::from_secs(2)).await;
        if is_abandoned {
            run.abandon();
        }
        let left: Vec<Outcome> = run.collect().await;
        assert!(left.len() == 3 && left.iter().all(|outcome| matches!(outcome.fate, Fate::Updated(_))), "{left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_in_flight_than_allowed() {
    let server = ScriptedServer::repeating(Step::Stall(vec![]));
    let mut run = server.client().bulk().concurrency(2).ids_per_request(1).unassign(["a", "b", "c", "d"]);
    assert!(run.next().now_or_never().is_none());
    rest().await;
    assert_eq!(server.requests().len(), 2);
    run.abandon();
    let fates = phrases(run).await;
    let abandoned = "abandoned while it was under way: it may have been applied";
    let expected = [("a", abandoned), ("b", abandoned), ("c", "not sent"), ("d", "not sent")];
    assert!(fates.iter().map(|(id, fate)| (&**id, &**fate)).eq(expected), "{fates:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_is_sent_early_only_while_none_is_in_flight() {
    let server = ScriptedServer::repeating(Step::Stall(vec![]));
    let (sender, receiver) = mpsc::unbounded();
    let mut run = server.client().bulk().run(Verb::Unassign, receiver);
    assert!(run.next().now_or_never().is_none());
    rest().await;
    assert_eq!(server.requests().len(), 0, "there are no ids");
    for id in ["a", "b", "c"] {
        sender.unbounded_send(id.to_owned()).unwrap();
        assert!(run.next().now_or_never().is_none());
        rest().await;
        assert_eq!(server.requests().len(), 1, "the others wait for a full request");
    }
    run.stop();
    let stopped = phrases(run.take(2)).await;
    let not_sent = [("b", "not sent"), ("c", "not sent")];
    assert!(stopped.iter().map(|(id, fate)| (&**id, &**fate)).eq(not_sent), "{stopped:?}");
}

#[tokio::test]
async fn a_few_repeats_do_not_hold_a_run_up() {
    let mut run = ScriptedServer::start([]).client().bulk().unassign(["a", "a", "a", "b"]);
    run.stop();
    let ids: Vec<String> = run.map(|outcome| outcome.id).collect::<Vec<_>>().now_or_never().expect("at once");
    assert_eq!(ids, ["a", "b"]);
}
