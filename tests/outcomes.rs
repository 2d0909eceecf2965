//! The outcomes that bulk runs derive from single responses, given by a server of bytes, and how many requests they send at a time.

use std::time::Duration;

use coralogix_incidents::{
    bulk::{Fate, Outcome, Summary, Verb},
    types::{Assignment, Incident, IncidentStatus, UserDetails},
};
use futures::{FutureExt, Stream, StreamExt, channel::mpsc};

use crate::raw::{Raw, Step, json, response};

/// The outcomes as phrases, by id.
async fn phrases(run: impl Stream<Item = Outcome>) -> Vec<(String, String)> {
    let mut phrases: Vec<_> = run.map(|outcome| (outcome.id, outcome.fate.to_string())).collect().await;
    phrases.sort();
    phrases
}

fn stalling() -> Raw {
    Raw::answering("127.0.0.1:0".parse().unwrap(), [], || Step::Stall(vec![]))
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

#[tokio::test]
async fn a_fate_has_a_phrase_and_the_error_or_the_incident_that_belongs_to_it() {
    let incident = |users: &str| format!(r#"{{"id":"a","assignments":[{users}]}}"#);
    let updated = json("200 OK", &format!(r#"{{"incidents":[{}]}}"#, incident("")));
    let nothing = || json("200 OK", "{}");
    let read = |users: &str| json("200 OK", &format!(r#"{{"incidents":{{"a":{}}}}}"#, incident(users)));
    let missing = json("200 OK", r#"{"notFoundIds":["a"]}"#);
    let refused = || json("400 Bad Request", r#"{"code":3,"message":"no"}"#);
    for (steps, phrase, has_error, has_incident) in [
        (vec![updated], "updated", false, true),
        (vec![nothing(), missing], "the service does not know this id", false, false),
        (vec![refused()], "failed, and nothing was changed: unassignIncidents was refused", true, false),
        (vec![nothing(), read("{}")], "not applied: the service answered, but", false, true),
        (vec![Step::Reset(vec![]), nothing(), read("{}")], "not applied so far: a request whose reply", false, true),
        (
            vec![nothing(), refused()],
            "it is not known whether the change was applied: unassignIncidents was answered by",
            true,
            false,
        ),
    ] {
        let server = Raw::start(steps);
        let fate = server.client().bulk().unassign(["a"]).next().await.unwrap().fate;
        assert!(fate.to_string().starts_with(phrase), "{fate}");
        assert_eq!((fate.error().is_some(), fate.incident().is_some()), (has_error, has_incident), "{fate}");
        assert!(fate.incident().is_none_or(|incident| incident.id == "a"), "{fate:?}");
    }
    let server = Raw::start([read("")]);
    let fate = server.client().bulk().get(["a"]).next().await.unwrap().fate;
    assert_eq!((fate.to_string().as_str(), fate.incident().unwrap().id.as_str()), ("found", "a"));
}

#[tokio::test]
async fn an_unknown_fate_names_what_is_missing_in_the_response_to_the_change() {
    for (step, what) in [
        (Step::Reply(response("204 No Content", "", "")), "but it has no body"),
        (json("200 OK", "{}"), "but it holds none of the incidents"),
        (json("200 OK", r#"{"incidents":[{"id":"c"}]}"#), "but none of the incidents in it was asked for"),
    ] {
        let server = Raw::start([step, json("403 Forbidden", r#"{"code":7,"message":"no"}"#)]);
        for (_, phrase) in phrases(server.client().bulk().unassign(["a", "b"])).await {
            assert!(phrase.contains("unassignIncidents was answered by") && phrase.contains(what), "{phrase}");
        }
        assert_eq!(server.requests().len(), 2, "the read was refused");
    }
}

#[tokio::test]
async fn a_read_that_is_refused_at_once_fails_and_one_that_has_begun_keeps_what_it_read() {
    let refused = || json("400 Bad Request", r#"{"code":3,"message":"no"}"#);
    let server = Raw::start([refused()]);
    for (_, phrase) in phrases(server.client().bulk().get(["a", "b"])).await {
        assert!(phrase.starts_with("failed, and nothing was changed: batchGetIncident was refused"), "{phrase}");
    }
    let missing = || json("404 Not Found", r#"{"code":5,"message":"incident not found"}"#);
    let server = Raw::start([missing(), missing(), refused()]);
    let phrases = phrases(server.client().bulk().get(["a", "b"])).await;
    assert_eq!(phrases[0].1, "the service does not know this id");
    assert!(phrases[1].1.contains("batchGetIncident was refused"), "{phrases:?}");
}

#[tokio::test]
async fn each_refusal_that_every_request_would_meet_ends_a_run() {
    let unknown_route = json("404 Not Found", r#"{"code":5,"message":"Not Found","details":[]}"#);
    let denied = json("403 Forbidden", r#"{"code":7,"message":"no"}"#);
    for (step, is_final) in [
        (json("401 Unauthorized", ""), true),
        (denied, true),
        (unknown_route, true),
        (json("400 Bad Request", r#"{"code":3,"message":"no"}"#), false),
    ] {
        let server = Raw::start([step]);
        let run = server.client().bulk().concurrency(1).ids_per_request(1).unassign(["incident_id_1", "b", "c"]);
        let fates: Vec<Fate> = run.map(|outcome| outcome.fate).collect().await;
        assert!(matches!(fates[0], Fate::Failed(_)), "{fates:?}");
        assert_eq!(fates[1..].iter().all(|fate| matches!(fate, Fate::NotSent)), is_final, "{fates:?}");
        assert_eq!(server.requests().len() == 1, is_final);
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_in_flight_than_allowed() {
    let server = stalling();
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
    let server = stalling();
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
    let mut run = Raw::start([]).client().bulk().unassign(["a", "a", "a", "b"]);
    run.stop();
    let ids: Vec<String> = run.map(|outcome| outcome.id).collect::<Vec<_>>().now_or_never().expect("at once");
    assert_eq!(ids, ["a", "b"]);
}
