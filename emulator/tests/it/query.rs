//! Request messages in a query: what a query says means the same as in a body, or is refused.

use coralogix_incidents::{ApiGeneration, Client};
use coralogix_incidents_emulator::{Clock, Emulator};
use serde_json::{Value, json};

use crate::{
    connection::{Reply, post, request},
    requests::{MemberPath, body_with, member_paths, snake},
    schema::Document,
};

/// The operations whose message is a body in V1 and a query in generation 5: both paths, and each member of the message.
fn queries() -> Vec<(&'static str, &'static str, Vec<MemberPath>)> {
    let operations = Client::operations().filter_map(|operation| {
        let (v1, v5) = (operation.binding(ApiGeneration::V1)?, operation.binding(ApiGeneration::V5)?);
        let body = &Document::get().yaml["paths"][v1.path()]["post"]["requestBody"];
        let schema = body["content"]["application/json"]["schema"]["$ref"].as_str()?.rsplit('/').next()?;
        let mut found = Vec::new();
        member_paths(schema, &[], &mut found);
        (v5.method() == "GET").then(|| (v1.path(), v5.path(), found))
    });
    operations.collect()
}

/// Whether a member travels in a query: it is a scalar, and no map and no list of messages is around it.
fn travels(place: &[String], schema: &Value) -> bool {
    let inside = place.split_last().is_some_and(|(_, around)| !around.iter().any(|step| step == "0"));
    let is_scalar = !["object", "array"].contains(&schema["type"].as_str().unwrap());
    is_scalar && inside && !place.iter().any(|step| step == "some-label")
}

/// The dotted path of a member. A list's items have the list's path.
fn dotted(place: &[String], spelling: impl Fn(&str) -> String) -> String {
    let names = place.iter().filter(|step| *step != "0" && *step != "some-label");
    names.map(|name| spelling(name)).collect::<Vec<_>>().join(".")
}

fn get(emulator: &Emulator, path: &str, query: &str) -> Reply {
    request(emulator, "GET", &format!("{path}?{query}")).send()
}

fn escaped(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

async fn emulator() -> Emulator {
    let clock = Clock::fixed("2026-03-14T12:00:00Z".parse().unwrap());
    Emulator::builder().seeded(60, 3).clock(clock).start().await.unwrap()
}

#[tokio::test]
async fn every_member_means_the_same_in_a_query_and_in_a_body() {
    let emulator = emulator().await;
    let mut compared = 0;
    for (v1, v5, members) in queries() {
        for (place, schema) in members.iter().filter(|(place, schema)| travels(place, schema)) {
            let values = match (schema["type"].as_str().unwrap(), schema["enum"].as_array()) {
                (_, Some(names)) => names.clone(),
                ("integer", _) => vec![json!(2), json!(7)],
                ("boolean", _) => vec![json!(true), json!(false)],
                _ if schema["format"] == "date-time" => {
                    vec![json!("2026-03-10T08:00:00Z"), json!("2026-03-14T00:00:00+02:00")]
                }
                // A page token has to be one that was issued.
                _ if place.last().unwrap() == "pageToken" => continue,
                _ => vec![schema["example"].clone(), json!("checkout & <more>, ünïcode"), json!("")],
            };
            for value in values {
                let by_body = post(&emulator, v1, &body_with(place, &value));
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                for path in [dotted(place, str::to_owned), dotted(place, snake)] {
                    let by_query = get(&emulator, v5, &format!("{path}={}", escaped(&text)));
                    assert_eq!(by_query.status, by_body.status, "{path}={text}: {}", by_query.body);
                    if by_body.status == 200 {
                        assert_eq!(by_query.body, by_body.body, "{path}={text}");
                    }
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 200, "{compared}");
}

#[tokio::test]
async fn repeated_members_and_several_members_add_up() {
    let emulator = emulator().await;
    let status = ["INCIDENT_STATUS_TRIGGERED", "INCIDENT_STATUS_RESOLVED"];
    let range = json!({ "startTime": "2026-03-10T00:00:00Z", "endTime": "2026-03-12T00:00:00Z" });
    let order = json!({ "direction": "ORDER_BY_DIRECTION_DESC" });
    let body = json!({
        "filter": { "status": status, "timestamp": range, "labels": { "operator": "FILTER_OPERATOR_AND" } },
        "orderBy": order, "pagination": { "pageSize": 3 },
    });
    let query = "filter.status=INCIDENT_STATUS_TRIGGERED&filter.timestamp.startTime=2026-03-10T00%3A00%3A00Z\
                 &filter.status=3&filter.timestamp.end_time=2026-03-12T00:00:00Z&filter.labels.operator=FILTER_OPERATOR_AND\
                 &order_by.direction=ORDER_BY_DIRECTION_DESC&pagination.pageSize=3&unknown=1&filter.unknown.deep=2";
    let by_body = post(&emulator, "/v1/incidents:list-incident-events", &body).expect(200);
    assert_eq!(by_body["items"].as_array().unwrap().len(), 3);
    let path = "/5/incidents/events/v1";
    assert_eq!(get(&emulator, path, query).expect(200), by_body);
    let token = by_body["pagination"]["nextPageToken"].as_str().unwrap();
    let mut next = body;
    next["pagination"]["pageToken"] = json!(token);
    let by_body = post(&emulator, "/v1/incidents:list-incident-events", &next).expect(200);
    assert_eq!(get(&emulator, path, &format!("{query}&pagination.page_token={token}")).expect(200), by_body);
}

#[tokio::test]
async fn invalid_and_unsupported_query_parameters_are_400() {
    let emulator = emulator().await;
    let mut refused = 0;
    for (_, v5, members) in queries() {
        for (place, schema) in members.iter().filter(|(place, schema)| !travels(place, schema)) {
            // A list of scalars has the path of its items.
            if schema["type"] == "array"
                && members.iter().any(|(other, _)| {
                    travels(other, &json!({ "type": "string" }))
                        && other.starts_with(place)
                        && other.len() == place.len() + 1
                })
            {
                continue;
            }
            let path = dotted(place, str::to_owned);
            for query in [format!("{path}=x"), format!("{path}[service]=x"), format!("{path}={{}}")] {
                assert_eq!(get(&emulator, v5, &query).status, 400, "{v5}?{query}");
                refused += 1;
            }
        }
    }
    assert!(refused > 50, "{refused}");
    for query in [
        "filter.isMuted=maybe",
        "filter.isMuted=true&filter.isMuted=true",
        "filter.isMuted.deep=true",
        "filter.status=SOMETHING_NEWER",
        "filter.status=99",
        "filter.timestamp.startTime=yesterday",
        "filter.timestamp.startTime=2026-03-14T08:12:60Z",
        "pagination.pageSize=3.5",
        "filter={}",
        "filter[name]=x",
        "filter.name=a;b",
        "filter.name=%zz",
    ] {
        let reply = get(&emulator, "/5/incidents/events/v1", query);
        assert_eq!(reply.expect(400)["code"], 400, "{query}");
    }
    for text in ["1", "t", "TRUE", "True", "true"] {
        get(&emulator, "/5/incidents/events/v1", &format!("filter.isMuted={text}")).expect(200);
    }
}
