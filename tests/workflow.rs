//! Lists as streams, hand-overs, and waiting for a status.

use std::{collections::BTreeSet, time::Duration};

use coralogix_incidents::{
    ApiGeneration, Effect, ErrorKind, WaitError,
    bulk::{Fate, Outcome, Verb},
    types::{Incident, IncidentStatus, ListIncidentsRequest, PaginationRequest},
};
use coralogix_incidents_emulator::{Emulator, Fault, Sample};
use futures::{StreamExt, TryStreamExt};

use crate::{
    operations::client,
    scripted_server::{ScriptedServer, Step, empty, json, response},
};

#[tokio::test]
async fn an_alert_that_recovers_neither_resolves_an_incident_nor_takes_it_off_a_hand_over() {
    let incident = r#"{"id":"a","status":"INCIDENT_STATUS_TRIGGERED","state":"INCIDENT_STATE_RESOLVED","assignments":[{"assignedTo":{"userId":"WHO"}}]}"#;
    let of = |who| incident.replace("WHO", who);
    for verb in [Verb::Acknowledge, Verb::Resolve, Verb::Close] {
        let server = ScriptedServer::start([json("200 OK", &format!(r#"{{"incidents":{{"a":{}}}}}"#, of("alice")))]);
        let outcomes: Vec<Outcome> = server.client().bulk().reconcile(verb, ["a"]).collect().await;
        assert!(matches!(outcomes[0].fate, Fate::NotYetApplied(_)), "{outcomes:?}");
    }
    let read = json("200 OK", &format!(r#"{{"incidents":{{"a":{}}}}}"#, of("bob")));
    let server = ScriptedServer::start([
        json("200 OK", &format!(r#"{{"incidents":[{}]}}"#, of("alice"))),
        // Without a word on what it did: it is read to find out.
        json("200 OK", "{}"),
        read,
    ]);
    let report = server.client().hand_over("alice", "bob").await.unwrap();
    assert_eq!((report.moved.len(), report.is_complete(), server.requests().len()), (1, true, 3), "{report:?}");
}

#[tokio::test]
async fn a_list_is_a_stream_over_pages_that_can_be_resumed() {
    let emulator = Emulator::builder().seeded(23, 5).start().await.unwrap();
    let total = emulator.incidents().len();
    let client = client(&emulator, ApiGeneration::V1);
    let request = ListIncidentsRequest::default().with_pagination(PaginationRequest::default().with_page_size(5));
    let mut items = client.list_incidents_stream(request.clone());
    assert_eq!(emulator.requests().len(), 0, "nothing is asked before it is needed");
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(items.try_next().await.unwrap().unwrap().id);
    }
    assert_eq!(items.page_token(), None, "the next item comes from the first page");
    ids.push(items.try_next().await.unwrap().unwrap().id);
    let token = items.page_token().expect("the next item comes from the second page").to_owned();
    assert_eq!(emulator.requests().len(), 1, "which is not asked for yet");
    let resumed = request.with_pagination(PaginationRequest::default().with_page_size(5).with_page_token(token));
    ids.extend(
        client.list_incidents_stream(resumed).map_ok(|incident| incident.id).try_collect::<Vec<_>>().await.unwrap(),
    );
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (total, total), "each once");
}

#[tokio::test]
async fn a_repeated_or_empty_page_token_ends_the_list() {
    let page = |token: &str| {
        json("200 OK", &format!(r#"{{"incidents":[{{"id":"x"}}],"pagination":{{"nextPageToken":{token}}}}}"#))
    };
    for (tokens, pages, whole) in [
        (vec!["\"a\"", "\"b\"", "\"a\"", "\"c\""], 3, false),
        (vec!["\"a\"", "\"a\""], 2, false),
        (vec!["\"\""], 1, true),
        (vec!["null"], 1, true),
    ] {
        let server = ScriptedServer::start(tokens.iter().map(|token| page(token)));
        let mut items: Vec<_> = server.client().list_incidents_stream(ListIncidentsRequest::default()).collect().await;
        if !whole {
            let error = items.pop().unwrap().unwrap_err();
            assert_eq!(error.effect(), Effect::None);
            assert!(error.to_string().contains("so the list is not whole"), "{error}");
        }
        assert!(items.iter().all(Result::is_ok), "{tokens:?}");
        assert_eq!((items.len(), server.requests().len()), (pages, pages), "{tokens:?}");
    }
}

#[tokio::test]
async fn empty_pages_are_skipped_up_to_a_limit() {
    let empty = |number: usize| json("200 OK", &format!(r#"{{"pagination":{{"nextPageToken":"{number}"}}}}"#));
    let server = ScriptedServer::start((0..99).map(empty).chain([json("200 OK", r#"{"incidents":[{"id":"x"}]}"#)]));
    let items: Vec<_> = server.client().list_incidents_stream(ListIncidentsRequest::default()).collect().await;
    assert!(matches!(&items[..], [Ok(_)]), "{items:?}");
    let server = ScriptedServer::start((0..200).map(empty));
    let items: Vec<_> = server.client().list_incidents_stream(ListIncidentsRequest::default()).collect().await;
    let [Err(error)] = &items[..] else { panic!("{items:?}") };
    assert!(error.to_string().contains("many empty pages in a row, so the list is not whole"), "{error}");
    assert_eq!(server.requests().len(), 100);
}

#[tokio::test]
async fn a_hand_over_moves_open_incidents_and_says_what_it_did_not() {
    let incidents = [
        Sample::new("a").assigned_to("alice"),
        Sample::new("b").assigned_to("alice").acknowledged(),
        Sample::new("c").assigned_to("carol"),
        Sample::new("d").assigned_to("alice").resolved_after(chrono::TimeDelta::hours(1)),
    ];
    let emulator = Emulator::builder().incidents(incidents.clone()).start().await.unwrap();
    let client_of = |emulator: &Emulator| client(emulator, ApiGeneration::V1);
    let report = client_of(&emulator).hand_over("alice", "bob").await.unwrap();
    let moved: BTreeSet<&str> = report.moved.iter().map(|incident| incident.id.as_str()).collect();
    assert!(report.is_complete() && moved == BTreeSet::from(["a", "b"]), "{report:?}");
    assert!(emulator.incident("d").unwrap().is_assigned_to("alice"), "resolved ones stay");
    let left: Vec<_> = client_of(&emulator).open_incidents_of("alice").try_collect().await.unwrap();
    assert_eq!(left, []);

    let emulator =
        Emulator::builder().incidents(incidents).fault(Fault::status(403).on("assignIncidents")).start().await.unwrap();
    let report = client_of(&emulator).hand_over("alice", "bob").await.unwrap();
    assert!(!report.is_complete() && report.moved.is_empty());
    assert!(report.not_moved.iter().all(|outcome| matches!(outcome.fate, Fate::Failed(_))), "{report:?}");
}

#[tokio::test]
async fn a_hand_over_whose_replies_are_lost_reads_and_says_what_it_does_not_know() {
    // More than the requests that are under way when the first is refused.
    let incidents = (0..1500).map(|id| Sample::new(id.to_string()).assigned_to("alice"));
    let start = async |refused: bool| {
        let builder = Emulator::builder().incidents(incidents.clone()).fault(Fault::lost_reply().on("assignIncidents"));
        let fault = Fault::status(403).on("batchGetIncident");
        if refused { builder.fault(fault) } else { builder }.start().await.unwrap()
    };
    let emulator = start(true).await;
    let report = client(&emulator, ApiGeneration::V1).hand_over("alice", "bob").await.unwrap();
    assert!(emulator.incidents().iter().all(|incident| incident.is_assigned_to("bob")));
    assert_eq!((report.moved.len(), report.not_moved.len()), (0, 1500));
    for Outcome { id, fate, .. } in &report.not_moved {
        assert!(matches!(fate, Fate::Unknown(error) if !error.is_permission_denied()), "{id}: {fate:?}");
    }
    let emulator = start(false).await;
    let report = client(&emulator, ApiGeneration::V1).hand_over("alice", "bob").await.unwrap();
    assert_eq!((report.moved.len(), report.not_moved.len()), (1500, 0));
}

#[tokio::test]
async fn a_hand_over_includes_other_spellings_of_the_user_and_nobody_else() {
    let of = |id: &str, users: &[&str]| {
        let users = users.iter().map(|user| serde_json::json!({ "assignedTo": { "userId": user } }));
        serde_json::json!({ "id": id, "status": "INCIDENT_STATUS_TRIGGERED", "assignments": users.collect::<Vec<_>>() })
    };
    let reply =
        |incidents: &[serde_json::Value]| json("200 OK", &serde_json::json!({"incidents": incidents}).to_string());
    let listed = || reply(&[of("a", &["Éva"]), of("b", &["éva"]), of("c", &["eva"]), of("d", &[])]);
    // A service that ignores the filter answers with the incidents of others, too.
    let server = ScriptedServer::start([listed()]);
    let open = server.client().open_incidents_of("éva").map_ok(|incident| incident.id);
    let open: Vec<_> = open.try_collect().await.unwrap();
    assert_eq!(open, ["a", "b"]);
    // One of them is left with the user who was to lose it, in any spelling.
    let server = ScriptedServer::start([listed(), reply(&[of("a", &["ÉVA", "bob"]), of("b", &["Bob"])])]);
    let report = server.client().hand_over("éva", "bob").await.unwrap();
    assert_eq!((report.moved.len(), report.moved[0].id.as_str()), (1, "b"), "{report:?}");
    assert!(
        matches!(&report.not_moved[..], [Outcome { id, fate: Fate::NotApplied(_), .. }] if id == "a"),
        "{report:?}"
    );
    // From one spelling to another, only the new one is what was asked for.
    let server = ScriptedServer::start([listed(), reply(&[of("a", &["ÉVA"]), of("b", &["éva"])])]);
    let report = server.client().hand_over("éva", "ÉVA").await.unwrap();
    assert_eq!((report.moved.len(), report.moved[0].id.as_str()), (1, "a"), "{report:?}");
    for (from, to) in [("éva", "éva"), ("", "bob"), ("éva", " ")] {
        let server = ScriptedServer::start([]);
        let error = server.client().hand_over(from, to).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(server.requests().is_empty());
    }
}

/// Waits for an incident to be resolved. Returns the seconds that it took, too.
async fn wait(server: &ScriptedServer, interval: Duration, limit: Duration) -> (Result<Incident, WaitError>, u64) {
    let start = tokio::time::Instant::now();
    let found = server.client().wait_for_status("a", &IncidentStatus::Resolved, interval, limit).await;
    (found, start.elapsed().as_secs())
}

fn incident(status: &str) -> Step {
    json("200 OK", &format!(r#"{{"incident":{{"id":"a","status":"INCIDENT_STATUS_{status}"}}}}"#))
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_status_ends_with_it_and_survives_transient_failures() {
    let unavailable = || empty("503 Service Unavailable");
    for (before, seconds) in [
        (vec![incident("TRIGGERED"), incident("ACKNOWLEDGED")], 20..=20),
        (vec![unavailable(), unavailable(), unavailable(), unavailable()], 10..=11),
    ] {
        let server = ScriptedServer::start(before.into_iter().chain([incident("RESOLVED")]));
        let (found, took) = wait(&server, Duration::from_secs(10), Duration::from_secs(35)).await;
        assert_eq!(found.unwrap().status, IncidentStatus::Resolved);
        assert!(seconds.contains(&took), "{took} s, not {seconds:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_waiting_says_what_was_last_seen_or_has_the_error_of_the_call() {
    let server = ScriptedServer::repeating(incident("TRIGGERED"));
    let (found, _) = wait(&server, Duration::from_secs(10), Duration::from_secs(35)).await;
    let error = found.unwrap_err();
    assert_eq!(error.to_string(), "incident a is still INCIDENT_STATUS_TRIGGERED after 35s");
    let WaitError::Elapsed { last, .. } = &error else { panic!("{error}") };
    assert_eq!((last.id.as_str(), server.requests().len()), ("a", 5), "at 0, 10, 20, 30 and 35 s");
    assert!(std::error::Error::source(&error).is_none());

    let busy = || Step::Reply(response("429 Too Many Requests", "retry-after: 100\r\n", ""));
    let missing = json("404 Not Found", r#"{"code":5,"message":"no such incident"}"#);
    for (steps, limit, reason, seconds) in [
        (vec![json("401 Unauthorized", "")], 1000, "getIncident was refused by", 0),
        (vec![missing], 1000, "404 Not Found: no such incident", 0),
        (vec![busy(), busy(), json("200 OK", "{}")], 1000, "no incident in it", 200),
        // What the last look has at least.
        (vec![Step::Stall(vec![])], 0, "no complete response from", 1),
    ] {
        let server = ScriptedServer::start(steps.clone());
        let (found, took) = wait(&server, Duration::from_secs(1), Duration::from_secs(limit)).await;
        let error = found.unwrap_err();
        assert_eq!(error.to_string(), "the incident can't be read", "{reason}");
        assert!(matches!(error, WaitError::Call(_)), "{error:?}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(reason), "{source}, not {reason}");
        assert_eq!((took, server.requests().len()), (seconds, steps.len()), "{reason}");
    }
}
