//! Every operation in every generation and style, keys, and the shapes of refusals.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use coralogix_incidents::{
    ApiGeneration, Client, Operation,
    types::{self, Incident, IncidentEvent, IncidentState},
};
use coralogix_incidents_emulator::{Clock, Emulator, JsonStyle, Key, Sample};
use serde_json::{Map, Value, json};

use crate::{
    connection::{Request, post, request, unassign},
    schema::Document,
};

fn noon() -> DateTime<Utc> {
    "2026-03-14T12:00:00Z".parse().unwrap()
}

/// A request of each operation that has something to answer. Operations that require something of a request are named here.
fn example(operation_id: &str, generation: ApiGeneration) -> (&'static str, Value) {
    let ids = json!({ "incidentIds": ["incident_id_1", "incident_id_2", "unknown"] });
    match (operation_id, generation) {
        ("unassignIncidents", ApiGeneration::V5) => ("?incident_ids=incident_id_1&incident_ids=unknown", Value::Null),
        ("batchGetIncident", _) => ("?ids=incident_id_1&ids=unknown", Value::Null),
        ("assignIncidents", _) => {
            ("", json!({ "incidentIds": ["incident_id_1"], "assignedTo": { "userId": "mei.tanaka@example.com" } }))
        }
        ("unassignIncidents" | "acknowledgeIncidents" | "resolveIncidents" | "closeIncidents", _) => ("", ids),
        ("listIncidentAggregations", ApiGeneration::V5) => ("?pagination.page_size=10", Value::Null),
        (
            "listIncidentEvents" | "listIncidentEventsTotalCount" | "listIncidentEventsFilterValues",
            ApiGeneration::V5,
        ) => ("?filter.status=INCIDENT_STATUS_TRIGGERED&filter.status=2", Value::Null),
        ("listIncidentAggregations", _) => {
            let fields = Document::get().yaml["components"]["schemas"]["IncidentFields"]["enum"].as_array().unwrap();
            let fields = fields.iter().skip(1).map(|field| json!({ "incidentField": field }));
            let groups: Vec<_> = fields.chain([json!({ "contextualLabel": "service" })]).collect();
            ("", json!({ "groupBys": groups, "pagination": { "pageSize": 10 } }))
        }
        // An empty request: what it must have is added above.
        (id, _) => {
            let operation = Client::operations().find(|operation| operation.id() == id).unwrap();
            let has_body = operation.binding(generation).is_some_and(|binding| binding.method() != "GET");
            ("", if has_body && !id.ends_with("ByEventId") { json!({}) } else { Value::Null })
        }
    }
}

/// A call of an operation that has something to answer.
fn call<'a>(emulator: &'a Emulator, operation: &Operation, generation: ApiGeneration) -> Request<'a> {
    let binding = operation.binding(generation).unwrap();
    let (query, body) = example(operation.id(), generation);
    let call = request(emulator, binding.method(), &(path(binding.path()) + query));
    if body.is_null() { call } else { call.json(body.to_string()) }
}

/// A path with the id that each of its parameters takes.
fn path(template: &str) -> String {
    let segment = |segment: &str| match segment {
        "{id}" | "{incidentId}" | "{incident_id}" => "incident_id_1".to_owned(),
        "{event_id}" => "event_id_1".to_owned(),
        other => other.to_owned(),
    };
    template.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_operation_answers_as_the_document_says_in_both_generations_and_every_style() {
    let mut called = BTreeSet::new();
    for style in [JsonStyle::EmitUnpopulated, JsonStyle::DefaultsOmitted, JsonStyle::NullsPopulated] {
        for operation in Client::operations() {
            for &generation in ApiGeneration::ALL {
                let Some(binding) = operation.binding(generation) else { continue };
                let emulator = Emulator::builder().seeded(60, 3).json_style(style).start().await.unwrap();
                let mut call = call(&emulator, operation, generation);
                if style != JsonStyle::EmitUnpopulated {
                    call = call.other_style();
                }
                let reply = call.send().expect(200);
                assert_ne!(reply, json!({}), "{} says nothing", operation.id());
                let logged = &emulator.requests()[0];
                assert_eq!((logged.operation_id, logged.generation), (Some(operation.id()), Some(generation)));
                called.insert((binding.method(), binding.path()));
            }
        }
    }
    let documented: BTreeSet<_> =
        Document::get().operations().map(|(method, path, _)| (method, path.to_owned())).collect();
    let called: BTreeSet<_> = called.into_iter().map(|(method, path)| (method.to_owned(), path.to_owned())).collect();
    assert_eq!(called, documented, "the SDK's table and the document disagree");
}

#[tokio::test]
async fn unset_members_have_the_form_of_the_style_and_set_ones_are_always_shown() {
    let unassigned = IncidentEvent::default().with_unassign(types::IncidentEventUnassign::default());
    let incident = Incident::default().with_id("a").with_name("").with_is_muted(false);
    let incident = incident.with_events([IncidentEvent::default(), unassigned]);
    for style in [JsonStyle::EmitUnpopulated, JsonStyle::DefaultsOmitted, JsonStyle::NullsPopulated] {
        let emulator = Emulator::builder().incidents([incident.clone()]).json_style(style).start().await.unwrap();
        let send = |call: Request<'_>, status| call.other_style().send().expect(status);
        let written = send(request(&emulator, "GET", "/v1/incidents/a"), 200)["incident"].clone();
        let unknown = send(request(&emulator, "GET", "/v1/incidents/unknown"), 404);
        let nothing = send(unassign(&emulator, "unknown"), 200);
        if style == JsonStyle::DefaultsOmitted {
            let events = json!([{}, { "unassign": {} }]);
            assert_eq!(written, json!({ "id": "a", "name": "", "isMuted": false, "events": events }));
            assert_eq!((nothing, unknown.get("details")), (json!({}), None));
            continue;
        }
        let mut event: Map<String, Value> = Map::new();
        if style == JsonStyle::NullsPopulated {
            event =
                Document::get().properties("IncidentEvent").keys().map(|name| (name.clone(), Value::Null)).collect();
        }
        event.insert("id".to_owned(), json!(""));
        event.insert("incidentEventType".to_owned(), json!("INCIDENT_EVENT_TYPE_UNSPECIFIED"));
        event.insert("originatorType".to_owned(), json!("ORIGINATOR_TYPE_UNSPECIFIED"));
        let mut unassigned = event.clone();
        unassigned.insert("unassign".to_owned(), json!({}));
        let expected = json!({
            "id": "a", "name": "", "state": "INCIDENT_STATE_UNSPECIFIED", "status": "INCIDENT_STATUS_UNSPECIFIED",
            "assignments": [], "description": null, "severity": "INCIDENT_SEVERITY_UNSPECIFIED", "contextualLabels": {},
            "displayLabels": {}, "events": [event, unassigned], "createdAt": null, "closedAt": null,
            "lastStateUpdateTime": null, "lastStateUpdateKey": null, "isMuted": false, "metaLabels": [], "duration": null,
        });
        assert_eq!(written, expected, "{style:?}");
        assert_eq!((&nothing, &unknown["details"]), (&json!({ "incidents": [] }), &json!([])), "{style:?}");
    }
}

#[tokio::test]
async fn the_same_seed_and_clock_give_the_same_bytes() {
    let run = async |seed| {
        let emulator =
            Emulator::builder().seeded(30, seed).seed(seed).clock(Clock::fixed(noon())).start().await.unwrap();
        let verbs = post(&emulator, "/v1/incidents:resolve", &json!({ "incidentIds": ["incident_id_1"] })).body;
        verbs + &post(&emulator, "/v1/incidents", &json!({})).body
    };
    assert_eq!(run(7).await, run(7).await);
    assert_ne!(run(7).await, run(8).await);
}

#[tokio::test]
async fn a_newer_service_sends_names_numbers_and_members_that_no_document_lists() {
    let emulator = Emulator::builder().unknown_values(true).start().await.unwrap();
    let reply = request(&emulator, "GET", "/v1/incidents/incident_id_1").newer().send().expect(200);
    let incident = &reply["incident"];
    assert!(incident["emulatorNewField"].is_object());
    assert_eq!(incident["state"], json!("INCIDENT_STATE_TRIGGERED_OF_A_NEWER_SERVICE"));
    assert_eq!(incident["status"], json!(4711));
    let known = emulator.incident("incident_id_1").unwrap();
    assert!(!known.state.is_unrecognized(), "the incident itself stays as it was");

    let client = emulator.client().unwrap();
    let read = client.get_incident("incident_id_1").await.unwrap();
    assert!(read.incident.as_ref().unwrap().state.is_unrecognized());
}

#[tokio::test]
async fn a_text_that_looks_like_an_enum_name_stays_as_it_is() {
    let ids = ["INCIDENT_1", "INCIDENT_STATE_TRIGGERED", "ORDER_BY_X"];
    let incidents = ids.map(|id| Incident::from(Sample::new(id).named(id)).with_contextual_labels([(id, id)]));
    let emulator = Emulator::builder().incidents(incidents).unknown_values(true).start().await.unwrap();
    for id in ids {
        let reply = request(&emulator, "GET", &format!("/v1/incidents/{id}")).newer().send().expect(200);
        let incident = &reply["incident"];
        assert_eq!((&incident["id"], &incident["name"]), (&json!(id), &json!(id)));
        assert_eq!(incident["contextualLabels"], json!({ id: id }));
    }
    // Their names end in what only defaults of enums end in.
    let unspecified = Incident::default().with_id("INCIDENT_STATE_UNSPECIFIED").with_state(IncidentState::Triggered);
    let builder = Emulator::builder().incidents([unspecified]).json_style(JsonStyle::DefaultsOmitted);
    let emulator = builder.start().await.unwrap();
    let path = "/v1/incidents/INCIDENT_STATE_UNSPECIFIED";
    let reply = request(&emulator, "GET", path).other_style().send().expect(200);
    let expected = json!({ "id": "INCIDENT_STATE_UNSPECIFIED", "state": "INCIDENT_STATE_TRIGGERED" });
    assert_eq!(reply["incident"], expected);
}

#[tokio::test]
async fn a_missing_or_unknown_key_is_unauthorized_and_changes_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let body = json!({ "incidentIds": ["incident_id_1"] }).to_string();
    for key in [None, Some("cxup_wrong"), Some("")] {
        let reply = request(&emulator, "POST", "/v1/incidents:unassign").key(key).json(body.clone()).send();
        assert_eq!(reply.expect(401), json!({ "code": 16, "message": "invalid API key", "details": [] }));
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
    }
    let path = "/5/incidents/incidents/v1/all/by-user?incident_ids=incident_id_1";
    assert_eq!(request(&emulator, "DELETE", path).key(None).send().expect(401)["code"], json!(401));
    assert_eq!(emulator.incident("incident_id_1").unwrap().assignments.len(), 1);
    assert!(emulator.requests().iter().all(|request| request.changed.is_empty() && request.key_owner.is_none()));
    assert_eq!(emulator.requests()[0].ids, ["incident_id_1"], "the log says what was asked for all the same");
}

#[tokio::test]
async fn each_operation_needs_its_own_permission_and_says_so() {
    let permissions: BTreeSet<_> = Client::operations().map(Operation::permission).collect();
    for operation in Client::operations() {
        let others = permissions.iter().copied().filter(|one| *one != operation.permission());
        let key = Key::personal("cxup_limited", "mei.tanaka@example.com").with_permissions(others);
        let only = Key::personal("cxup_only", "mei.tanaka@example.com").with_permissions([operation.permission()]);
        let emulator = Emulator::builder().key(key).key(only).start().await.unwrap();
        let send = |key| call(&emulator, operation, operation.bindings()[0].generation()).key(Some(key)).send();
        let message = send("cxup_limited").expect(403)["message"].as_str().unwrap().to_owned();
        assert!(message.contains(operation.permission()), "{message}");
        send("cxup_only").expect(200);
        assert_eq!(emulator.requests()[0].key_owner.as_deref(), Some("mei.tanaka@example.com"));
    }
}

#[tokio::test]
async fn team_keys_are_refused_for_assigning_and_acknowledging_only() {
    let emulator = Emulator::builder().key(Key::team("cxtp_team", "payments")).start().await.unwrap();
    assert_eq!(emulator.api_key(), "cxup_emulator", "a team's key may not do everything");
    for operation in Client::operations() {
        let generation = operation.bindings()[0].generation();
        let reply = call(&emulator, operation, generation).key(Some("cxtp_team")).send();
        if operation.requires_personal_key() {
            let message = format!("{} requires a personal API key; this key belongs to a team", operation.id());
            assert_eq!(reply.expect(403)["message"], message);
        } else {
            reply.expect(200);
        }
    }
    let event = emulator.incident("incident_id_1").unwrap().events.into_iter().nth(4).unwrap();
    assert_eq!(event.administrative_event.unwrap().user_id.as_deref(), Some("payments"));
}

#[test]
fn a_key_never_shows_its_secret() {
    let key = Key::personal("cxup_secret_0815", "dana.levi@example.com");
    assert!(!format!("{key:?}").contains("0815"));
    assert!(!format!("{:?}", Emulator::builder().key(key)).contains("0815"));
}

#[tokio::test]
async fn the_document_is_served_without_a_key() {
    let emulator = Emulator::start().await.unwrap();
    let reply = request(&emulator, "GET", "").at("/openapi.yaml").key(None).send();
    assert_eq!(reply.headers["content-type"], "application/yaml");
    assert_eq!(reply.body, include_str!("../../openapi.yaml"));
}
