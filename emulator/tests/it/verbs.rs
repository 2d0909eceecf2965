//! What the verbs do to incidents.

use chrono::{DateTime, TimeDelta, Utc};
use coralogix_incidents::{
    ApiGeneration, ApiKey, Client,
    types::{self, IncidentEventType, IncidentState, IncidentStatus, OriginatorType},
};
use coralogix_incidents_emulator::{Clock, DOCUMENTED_EVENT_IDS, Emulator, Key, Sample};
use serde_json::json;

use crate::{
    connection::{post, request},
    schema::Document,
};

const ME: &str = "priya.nair@example.com";

fn opened() -> DateTime<Utc> {
    "2026-03-14T08:12:30Z".parse().unwrap()
}

fn now() -> DateTime<Utc> {
    opened() + TimeDelta::milliseconds(2_734_250)
}

async fn emulator() -> Emulator {
    let sample = |id: &str| Sample::new(id).opened_at(opened());
    Emulator::builder()
        .incidents([
            sample("open"),
            sample("mine").assigned_to(ME),
            sample("theirs").assigned_to("dana.levi@example.com"),
        ])
        .key(Key::personal("cxup_me", ME))
        .clock(Clock::fixed(now()))
        .start()
        .await
        .unwrap()
}

fn client(emulator: &Emulator, generation: ApiGeneration) -> Client {
    let key = ApiKey::new(emulator.api_key()).unwrap();
    Client::builder().base_url(emulator.url()).api_key(key).api_generation(generation).build().unwrap()
}

#[track_caller]
fn last_event(incident: &types::Incident) -> types::IncidentEvent {
    let event = incident.events.last().unwrap().clone();
    assert_eq!(event.originator_type, OriginatorType::Administrative);
    assert_eq!(event.administrative_event.as_ref().unwrap().user_id.as_deref(), Some(ME));
    assert!(event.operational_event.is_none());
    let others = incident.events.iter().filter(|other| other.id == event.id).count();
    assert_eq!(others, 1, "event ids repeat");
    event
}

const GENERATIONS: [ApiGeneration; 2] = [ApiGeneration::V1, ApiGeneration::V5];

#[tokio::test]
async fn unassigning_removes_the_assignment_and_records_the_user() {
    for generation in GENERATIONS {
        let emulator = emulator().await;
        let request = types::UnassignIncidentsRequest::new(["theirs", "unknown", "open", "theirs"]);
        let reply = client(&emulator, generation).unassign_incidents(&request).await.unwrap();
        let ids: Vec<_> = reply.incidents.iter().map(|incident| incident.id.as_str()).collect();
        assert_eq!(ids, ["theirs", "open"], "known ones, each once");
        let incident = emulator.incident("theirs").unwrap();
        assert_eq!(reply.incidents[0], incident);
        assert!(incident.assignments.is_empty());
        assert_eq!(incident.status, IncidentStatus::Triggered);
        let event = last_event(&incident);
        assert_eq!(event.incident_event_type, IncidentEventType::Unassign);
        assert!(event.unassign.is_some() && event.assignment.is_none());
        let logged = emulator.requests().pop().unwrap();
        assert_eq!(logged.changed, ["theirs"], "`open` was not assigned");
        assert_eq!(logged.ids, ["theirs", "unknown", "open", "theirs"]);
    }
}

#[tokio::test]
async fn assigning_replaces_the_assignment_and_says_by_whom() {
    for generation in GENERATIONS {
        let emulator = emulator().await;
        let request = types::AssignIncidentsRequest::new(["open", "theirs", "mine"], ME);
        let reply = client(&emulator, generation).assign_incidents(&request).await.unwrap();
        for incident in &reply.incidents {
            let [assignment] = incident.assignments.as_slice() else { panic!("{:?}", incident.assignments) };
            assert_eq!(assignment.assigned_to.as_ref().unwrap().user_id, ME);
        }
        let incident = emulator.incident("open").unwrap();
        let event = last_event(&incident);
        assert_eq!(event.incident_event_type, IncidentEventType::Assign);
        assert_eq!(event.assignment.unwrap().assignment.unwrap(), incident.assignments[0]);
        assert_eq!(incident.assignments[0].assigned_by.as_ref().unwrap().user_id, ME);
        assert_eq!(emulator.requests()[0].changed, ["open", "theirs"], "`mine` was theirs already");
    }
}

#[tokio::test]
async fn acknowledging_changes_the_status_alone() {
    for generation in GENERATIONS {
        let emulator = emulator().await;
        let before = emulator.incident("mine").unwrap();
        let request = types::AcknowledgeIncidentsRequest::new(["mine"]);
        client(&emulator, generation).acknowledge_incidents(&request).await.unwrap();
        let incident = emulator.incident("mine").unwrap();
        assert_eq!(incident.status, IncidentStatus::Acknowledged);
        assert_eq!(incident.state, IncidentState::Triggered);
        assert_eq!((&incident.assignments, incident.closed_at), (&before.assignments, None));
        let event = last_event(&incident);
        assert_eq!(event.incident_event_type, IncidentEventType::Acknowledge);
        assert_eq!(event.acknowledge.unwrap().acknowledged_by.unwrap().user_id, ME);
    }
}

#[tokio::test]
async fn resolving_and_closing_end_the_incident_and_only_resolving_its_alerts_state() {
    for (generation, resolve) in
        GENERATIONS.into_iter().flat_map(|generation| [(generation, true), (generation, false)])
    {
        let emulator = emulator().await;
        let client = client(&emulator, generation);
        if resolve {
            client.resolve_incidents(&types::ResolveIncidentsRequest::new(["mine"])).await.unwrap();
        } else {
            client.close_incidents(&types::CloseIncidentsRequest::new(["mine"])).await.unwrap();
        }
        let incident = emulator.incident("mine").unwrap();
        assert_eq!((&incident.status, incident.closed_at), (&IncidentStatus::Resolved, Some(now())));
        assert_eq!(incident.duration.as_ref().unwrap().as_str(), "2734.250s");
        let (event, key) = (last_event(&incident), incident.last_state_update_key);
        let state = (incident.state, incident.last_state_update_time.unwrap());
        if resolve {
            assert_eq!(state, (IncidentState::Resolved, now()));
            assert_eq!(event.incident_event_type, IncidentEventType::UpsertState);
            let upsert = event.upsert_state.unwrap();
            assert_eq!(upsert.state_type, types::UpsertIncidentStateType::Resolved);
            assert_eq!(upsert.payload.unwrap().cx_event_key, key);
        } else {
            assert_eq!(state, (IncidentState::Triggered, opened()));
            assert_eq!(event.incident_event_type, IncidentEventType::Close);
            assert_eq!(event.close.unwrap().closed_by.unwrap().user_id, ME);
        }
    }
}

#[tokio::test]
async fn repeating_a_verb_leaves_the_same_state_and_adds_no_event() {
    let emulator = emulator().await;
    for verb in ["assign", "acknowledge", "unassign", "resolve", "close"] {
        let body = json!({ "incidentIds": ["theirs"], "assignedTo": { "userId": ME } });
        let path = format!("/v1/incidents:{verb}");
        let first = post(&emulator, &path, &body).expect(200);
        let state = emulator.incidents();
        assert_eq!(post(&emulator, &path, &body).expect(200), first, "{verb}");
        assert_eq!(emulator.incidents(), state, "{verb}");
        let requests = emulator.requests();
        let changed: Vec<_> = requests.iter().rev().take(2).map(|request| request.changed.len()).collect();
        // Closing what is resolved changes nothing the first time either.
        assert_eq!(changed, [0, usize::from(verb != "close")], "{verb}");
    }
}

#[tokio::test]
async fn concurrent_requests_lose_no_change() {
    let ids: Vec<String> = (0..200).map(|number| format!("incident-{number}")).collect();
    let incidents = ids.iter().map(|id| Sample::new(id).assigned_to(ME));
    let emulator = Emulator::builder().incidents(incidents).start().await.unwrap();
    std::thread::scope(|scope| {
        for part in ids.chunks(25) {
            let (emulator, ids) = (&emulator, &ids);
            scope.spawn(move || {
                for id in part {
                    post(emulator, "/v1/incidents:unassign", &json!({ "incidentIds": [id] })).expect(200);
                }
                // And everybody acknowledges everything at once.
                post(emulator, "/v1/incidents:acknowledge", &json!({ "incidentIds": ids })).expect(200);
            });
        }
    });
    for incident in emulator.incidents() {
        assert!(incident.assignments.is_empty());
        let kinds: Vec<_> = incident.events.iter().skip(3).map(|event| event.incident_event_type.clone()).collect();
        assert_eq!(kinds.len(), 2, "{kinds:?}");
    }
    let changes: usize = emulator.requests().iter().map(|request| request.changed.len()).sum();
    assert_eq!(changes, 400);
}

#[tokio::test]
async fn one_missing_incident_is_404_and_several_are_listed() {
    let emulator = emulator().await;
    for generation in GENERATIONS {
        let client = client(&emulator, generation);
        assert!(client.get_incident("unknown").await.unwrap_err().is_not_found());
        assert!(client.get_incident_events("unknown").await.unwrap_err().is_not_found());
        assert_eq!(client.get_incident_events("mine").await.unwrap().incident_events.len(), 3);
        let ids = ["mine".to_owned(), "unknown".to_owned(), "a,b".to_owned()];
        let reply = client.batch_get_incident(&ids).await.unwrap();
        assert_eq!(reply.incidents.keys().collect::<Vec<_>>(), ["mine"]);
        assert_eq!(reply.not_found_ids, ["unknown", "a,b"]);
    }
    let path = "/v1/incidents/unknown";
    let message = request(&emulator, "GET", path).send().expect(404)["message"].clone();
    assert_eq!(message, "Not Found: incident unknown does not exist");
}

#[tokio::test]
async fn an_incident_is_read_and_changed_by_any_of_its_events() {
    let emulator = Emulator::start().await.unwrap();
    let listed = post(&emulator, "/v1/incidents:list-incident-events", &json!({})).expect(200);
    let items = listed["items"].as_array().unwrap();
    let keys = items.iter().map(|item| item["cxEventKey"].as_str().unwrap());
    let ids = items.iter().map(|item| item["incidentEvent"]["id"].as_str().unwrap());
    for event in keys.chain(ids).chain(DOCUMENTED_EVENT_IDS) {
        let path = format!("/5/incidents/events/v1/{event}");
        let reply = request(&emulator, "GET", &path).send().expect(200);
        let id = reply["incident"]["id"].as_str().unwrap();
        assert!(emulator.incident(id).is_some(), "{reply}");
    }
    for (verb, status) in [("acknowledge", IncidentStatus::Acknowledged), ("resolve", IncidentStatus::Resolved)] {
        let sample = |id: &str| Sample::new(id).opened_at(opened());
        let emulator = Emulator::builder().incidents([sample("one"), sample("other")]).start().await.unwrap();
        let event = emulator.incident("other").unwrap().last_state_update_key.unwrap();
        let path = format!("/5/incidents/events/v1/{event}/{verb}");
        let reply = request(&emulator, "POST", &path).send().expect(200);
        assert_eq!(reply["incident"]["id"], "other");
        assert_eq!(emulator.incident("other").unwrap().status, status);
        let logged = emulator.requests().pop().unwrap();
        assert_eq!((logged.ids, logged.changed), (vec![], vec!["other".to_owned()]), "an event's id is no incident's");
        let message = |path: &str| request(&emulator, "POST", path).newer().send().expect(404)["message"].clone();
        let unknown = message(&format!("/5/incidents/events/v1/other/{verb}"));
        assert_eq!(unknown, "Not Found: no incident has the event other", "an incident's id is no event's");
        assert_eq!(message(&format!("/5/incidents/events/v1/a%2Fb/{verb}")), "Not Found", "an unknown route");
    }
}

#[test]
fn samples_are_valid_incidents() {
    let sample = Sample::new("a").assigned_to(ME).acknowledged().resolved_after(TimeDelta::hours(1)).muted();
    let incident: types::Incident = sample.into();
    Document::get().judge_as("Incident", &serde_json::to_value(&incident).unwrap());
    assert_eq!(incident.duration.unwrap().as_str(), "3960s", "six minutes before that hour");
}
