//! Known deviations of services from their documentation, which the emulator shows on request.

use coralogix_incidents::{ApiGeneration, Client, Idempotency};
use coralogix_incidents_emulator::{Emulator, Quirk};
use serde_json::{Value, json};

use crate::connection::{Reply, request};

async fn with(quirk: Quirk) -> Emulator {
    Emulator::builder().quirk(quirk).start().await.unwrap()
}

fn send(emulator: &Emulator, method: &str, path: &str, body: &Value) -> Reply {
    request(emulator, method, path).json(body.to_string()).newer().send()
}

/// The changes that V1 takes ids for, with a body that changes something.
fn changes() -> impl Iterator<Item = (&'static str, Value)> {
    let body = json!({ "incidentIds": ["incident_id_1"], "assignedTo": { "userId": "mei" } });
    let operations = Client::operations().filter(|operation| operation.idempotency() != Idempotency::Safe);
    let bindings = operations.filter_map(|operation| operation.binding(ApiGeneration::V1));
    bindings.filter(|binding| !binding.path().contains('{')).map(move |binding| (binding.path(), body.clone()))
}

#[tokio::test]
async fn a_page_token_at_the_top_level_leads_to_the_next_page() {
    let emulator = with(Quirk::TopLevelPageToken).await;
    let mut body = json!({ "pagination": { "pageSize": 20 } });
    let mut sizes = Vec::new();
    loop {
        let reply = send(&emulator, "POST", "/v1/incidents", &body).expect(200);
        sizes.push(reply["incidents"].as_array().unwrap().len());
        assert_eq!(reply["pagination"], json!({ "totalSize": 50, "nextPageToken": null }));
        let Some(token) = reply.get("nextPageToken") else { break };
        body["pagination"]["pageToken"] = token.clone();
    }
    assert_eq!(sizes, [20, 20, 10]);
}

#[tokio::test]
async fn a_change_with_an_empty_response_takes_effect_and_reads_are_answered() {
    for (path, body) in changes() {
        let emulator = with(Quirk::EmptyResponses).await;
        let reply = send(&emulator, "POST", path, &body);
        assert_eq!((reply.status, reply.body.as_str()), (200, ""), "{path}");
        assert_eq!(emulator.requests()[0].changed.len(), usize::from(!path.ends_with(":acknowledge")), "{path}");
        let read = send(&emulator, "POST", "/v1/incidents", &json!({})).expect(200);
        assert_eq!(read["incidents"].as_array().unwrap().len(), 50);
        let unknown = send(&emulator, "POST", path, &json!({ "incidentIds": true })).expect(400);
        assert!(unknown["message"].is_string(), "errors have their bodies");
    }
}

#[tokio::test]
async fn a_gateway_that_ignores_bodies_changes_nothing_but_what_the_query_names() {
    for (quirk, status) in [(Quirk::IgnoredBodies, 200), (Quirk::RefusedBodies, 400)] {
        for (path, body) in changes() {
            let emulator = with(quirk).await;
            let before = emulator.incidents();
            let reply = send(&emulator, "POST", path, &body).expect(status);
            if status == 200 {
                assert_eq!(reply, json!({ "incidents": [] }), "{path}");
            }
            assert_eq!(emulator.incidents(), before, "{path}");
            assert!(emulator.requests()[0].ids.is_empty(), "{path}");
            let query = format!("{path}?incident_ids=incident_id_1&assignedTo.user_id=mei");
            let reply = send(&emulator, "POST", &query, &Value::Null).expect(200);
            assert_eq!(reply["incidents"][0]["id"], "incident_id_1", "{path}");
        }
        let emulator = with(quirk).await;
        let list = send(&emulator, "POST", "/v1/incidents", &json!({ "pagination": { "pageSize": 3 } })).expect(200);
        assert_eq!(list["incidents"].as_array().unwrap().len(), 3, "bodies of reads are read");
        let path = "/5/incidents/incidents/v1/all/resolve";
        let reply = send(&emulator, "POST", path, &json!({ "incidentIds": ["incident_id_1"] })).expect(200);
        assert_eq!(reply["incidents"][0]["id"], "incident_id_1", "as bodies of generation 5 are");
    }
}
