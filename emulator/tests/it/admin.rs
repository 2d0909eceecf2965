//! The administration API, judged by its own document.

use std::{collections::BTreeSet, time::Duration};

use coralogix_incidents::{ApiGeneration, Client, Operation};
use coralogix_incidents_emulator::{Clock, Emulator, Fault, Sample};
use serde_json::{Value, json};

use crate::{
    connection::{Reply, post, request, unassign},
    schema::validate,
};

const DOCUMENT: &str = include_str!("../../src/http/admin/openapi.yaml");

/// Calls the administration API and checks the response against its document.
#[track_caller]
pub(crate) fn admin(emulator: &Emulator, method: &str, path: &str, body: &Value) -> Reply {
    let call = request(emulator, method, "").at(&format!("/_emulator{path}")).key(None);
    let reply = if body.is_null() { call.send() } else { call.json(body.to_string()).send() };
    let document: Value = serde_saphyr::from_str(DOCUMENT).unwrap();
    let template = if path.is_empty() { "/" } else { path.split('?').next().unwrap() };
    let operation = &document["paths"][template][method.to_lowercase()];
    assert!(operation.is_object(), "{method} {template} is not documented");
    let response = &operation["responses"][reply.status.to_string()];
    assert!(response.is_object(), "{method} {template}: {} is not documented: {}", reply.status, reply.body);
    let response = match response["$ref"].as_str() {
        Some(reference) => &document["components"]["responses"][reference.rsplit('/').next().unwrap()],
        None => response,
    };
    match response["content"]["application/json"]["schema"]["$ref"].as_str() {
        None => assert_eq!(reply.body, ""),
        Some(reference) => {
            validate(&json!({ "$ref": reference, "components": nullable(&document["components"]) }), &reply.json());
        }
    }
    reply
}

/// OpenAPI 3.0's `nullable` as JSON Schema has it.
fn nullable(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let inner: Value = members.iter().map(|(name, value)| (name.clone(), nullable(value))).collect();
            if members.get("nullable") == Some(&json!(true)) {
                json!({ "anyOf": [{ "type": "null" }, inner] })
            } else {
                inner
            }
        }
        Value::Array(items) => items.iter().map(nullable).collect(),
        other => other.clone(),
    }
}

#[track_caller]
fn get(emulator: &Emulator, path: &str) -> Value {
    admin(emulator, "GET", path, &Value::Null).expect(200)
}

#[tokio::test]
async fn requests_are_listed_as_the_log_has_them_and_are_cleared() {
    let emulator = Emulator::builder().fault(Fault::lost_reply().on("getIncident")).start().await.unwrap();
    unassign(&emulator, "incident_id_1").send().expect(200);
    request(&emulator, "GET", "/nowhere?a=b").key(None).newer().send();
    drop(request(&emulator, "GET", "/v1/incidents/incident_id_1").try_send());
    let reply = get(&emulator, "/requests");
    let requests = reply["requests"].as_array().unwrap();
    let logged = emulator.requests();
    assert_eq!((requests.len(), logged.len()), (3, 3), "the administration's own calls are not logged");
    let first = json!({
        "receivedAt": logged[0].received_at, "operationId": "unassignIncidents", "generation": "v1", "method": "POST",
        "path": "/mgmt/openapi/v1/incidents:unassign", "correlationId": null, "ids": ["incident_id_1"],
        "keyOwner": "jonas.weber@example.com", "changed": ["incident_id_1"], "answer": "complete", "status": 200,
    });
    assert_eq!(requests[0], first);
    assert_eq!((&requests[1]["operationId"], &requests[1]["status"]), (&Value::Null, &json!(404)));
    assert_eq!((&requests[2]["answer"], &requests[2]["status"]), (&json!("none"), &Value::Null));
    let newest = get(&emulator, "/requests?limit=1");
    assert_eq!(newest["requests"], json!([requests[2]]));
    admin(&emulator, "GET", "/requests?limit=some", &Value::Null).expect(400);
    admin(&emulator, "DELETE", "/requests", &Value::Null);
    assert_eq!(get(&emulator, "/requests"), json!({ "requests": [] }));
    assert!(emulator.requests().is_empty());
}

#[tokio::test]
async fn incidents_are_replaced_and_reset_to_what_the_emulator_was_started_with() {
    let emulator = Emulator::builder().seeded(5, 3).seed(3).start().await.unwrap();
    let initial = emulator.incidents();
    unassign(&emulator, "incident_id_1").send().expect(200);
    let event = emulator.incident("incident_id_1").unwrap().events.pop().unwrap();
    assert_ne!(emulator.incidents(), initial);
    assert_eq!(get(&emulator, "/incidents")["incidents"].as_array().unwrap().len(), 5);
    assert_eq!(get(&emulator, "/incidents?limit=1")["incidents"][0]["id"], "incident_id_1", "it changed last");
    assert_eq!(admin(&emulator, "POST", "/reset", &Value::Null).status, 204);
    assert_eq!(emulator.incidents(), initial);
    unassign(&emulator, "incident_id_1").send().expect(200);
    assert_eq!(emulator.incident("incident_id_1").unwrap().events.pop().unwrap().id, event.id, "ids begin anew, too");

    for body in [json!([{ "id": "a" }, { "id": "b", "name": "B" }]), json!({ "incidents": [{ "id": "c" }] })] {
        admin(&emulator, "PUT", "/incidents", &body);
        let ids: Vec<_> = emulator.incidents().into_iter().map(|incident| incident.id).collect();
        assert_eq!(ids.join(""), if body.is_array() { "ab" } else { "c" });
    }
    for body in [
        json!({}),
        json!({ "incidents": [{ "id": 5 }] }),
        json!("a"),
        json!([{ "id": "a" }, {}]),
        json!([{ "id": "a" }, { "id": "a" }]),
    ] {
        let problem = admin(&emulator, "PUT", "/incidents", &body).expect(400)["error"].clone();
        assert!(problem.as_str().unwrap().starts_with("not a list of incidents"), "{problem}");
    }
    assert_eq!(emulator.len(), 1, "a body that is refused changes nothing");
    emulator.set_incidents([Sample::new("x")]);
    assert_eq!(get(&emulator, "/incidents")["incidents"][0]["id"], "x");
    emulator.reset();
    assert_eq!(emulator.incidents(), initial);
}

#[tokio::test]
async fn faults_are_added_listed_and_cleared() {
    let emulator = Emulator::start().await.unwrap();
    admin(&emulator, "POST", "/faults", &json!({ "fault": "unassignIncidents:503:times=1" }));
    emulator.inject(Fault::delay(Duration::from_millis(5))).unwrap();
    unassign(&emulator, "incident_id_1").send().expect(503);
    unassign(&emulator, "incident_id_1").send().expect(200);
    let faults = json!([
        { "fault": "unassignIncidents:503:times=1", "hits": 1 },
        { "fault": "*:delay=5ms", "hits": 2 },
    ]);
    assert_eq!(get(&emulator, "/faults")["faults"], faults);
    for bad in [json!({ "fault": "*:often" }), json!({ "fault": "nothing:503" }), json!({})] {
        admin(&emulator, "POST", "/faults", &bad).expect(400);
    }
    admin(&emulator, "DELETE", "/faults", &Value::Null);
    assert_eq!(get(&emulator, "/faults"), json!({ "faults": [] }));
}

#[tokio::test]
async fn the_clock_is_stopped_and_started() {
    let emulator = Emulator::start().await.unwrap();
    assert_eq!(get(&emulator, "/clock")["stopped"], false);
    let noon = "2026-03-14T12:00:00Z";
    admin(&emulator, "PUT", "/clock", &json!({ "now": noon }));
    assert_eq!(get(&emulator, "/clock"), json!({ "now": noon, "stopped": true }));
    post(&emulator, "/v1/incidents:resolve", &json!({ "incidentIds": ["incident_id_1"] })).expect(200);
    assert_eq!(json!(emulator.incident("incident_id_1").unwrap().closed_at), noon);
    assert_eq!(json!(emulator.requests()[0].received_at), noon);
    admin(&emulator, "PUT", "/clock", &json!({ "now": "noon" })).expect(400);
    admin(&emulator, "DELETE", "/clock", &Value::Null);
    assert_eq!(get(&emulator, "/clock")["stopped"], false);
    emulator.set_clock(Clock::fixed(noon.parse().unwrap()));
    assert_eq!(get(&emulator, "/clock")["stopped"], true);
}

#[tokio::test]
async fn the_api_is_documented_in_full_and_can_be_left_out() {
    let document: Value = serde_saphyr::from_str(DOCUMENT).unwrap();
    let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), format!("/_emulator{path}")))
    });
    let operations: BTreeSet<_> = operations.collect();
    let emulator = Emulator::start().await.unwrap();
    let without = Emulator::builder().without_administration().start().await.unwrap();
    let reply = |emulator: &Emulator, method: &str, path: &str| request(emulator, method, "").at(path).key(None).send();
    let send = |emulator: &Emulator, method: &str, path: &str| reply(emulator, method, path).status;
    let wrong_method = json!({ "error": "this path has other methods; see /_emulator/openapi.yaml" });
    for (method, path) in &operations {
        let path = path.trim_end_matches('/');
        assert!([200, 204, 400].contains(&send(&emulator, method, path)), "{method} {path}");
        assert_eq!(send(&without, method, path), 404, "{method} {path}");
        for other in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
            if !operations.iter().any(|(method, one)| method == other && one.trim_end_matches('/') == path) {
                assert_eq!(reply(&emulator, other, path).expect(405), wrong_method, "{other} {path} is not documented");
            }
        }
    }
    assert_eq!((send(&emulator, "GET", "/"), send(&without, "GET", "/")), (200, 404));
    let unknown = json!({ "error": "there is no such path; see /_emulator/openapi.yaml" });
    assert_eq!(reply(&emulator, "GET", "/_emulator/nothing").expect(404), unknown);
    assert_eq!(reply(&emulator, "GET", "/_emulator/openapi.yaml").body, DOCUMENT);
    assert!(emulator.requests().is_empty(), "nothing of this is a request of the API");
}

#[tokio::test]
async fn a_generation_that_is_not_spoken_is_an_unknown_route_and_the_overview_says_so() {
    for (spoken, other) in [(ApiGeneration::V1, ApiGeneration::V5), (ApiGeneration::V5, ApiGeneration::V1)] {
        let emulator = Emulator::builder().generations([spoken]).start().await.unwrap();
        for (generation, known) in [(spoken, true), (other, false)] {
            for binding in Client::operations().filter_map(|operation| operation.binding(generation)) {
                let path = binding.path().split('/').map(|part| if part.starts_with('{') { "x" } else { part });
                let path = path.collect::<Vec<_>>().join("/");
                let reply = request(&emulator, binding.method(), &path).newer().send();
                let logged = emulator.requests().pop().unwrap();
                assert_eq!(logged.operation_id.is_some(), known, "{path}");
                if !known {
                    assert_eq!(reply.expect(404)["message"], "Not Found");
                }
            }
        }
        let overview = get(&emulator, "");
        assert_eq!(get(&emulator, "/")["operations"], overview["operations"], "also with a slash at the end");
        assert_eq!((&overview["incidentCount"], &overview["generations"]), (&json!(50), &json!([spoken.as_str()])));
        assert_eq!(overview["requestCount"], emulator.requests().len());
        assert_eq!(overview["operations"], Client::operations().map(Operation::id).collect::<Value>());
        let document = request(&emulator, "GET", "/5/openapi.yaml").newer().send();
        assert_eq!(document.status, if spoken == ApiGeneration::V5 { 200 } else { 404 });
    }
}
