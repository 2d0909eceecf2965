//! Filters, orders, pages, groups and counts, each computed from the state.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use coralogix_incidents::types::{Incident, IncidentSeverity, MetaLabel};
use coralogix_incidents_emulator::{Emulator, Sample};
use serde_json::{Value, json};

use crate::connection::{post, request};

const DANA: &str = "dana.levi@example.com";

fn at(time: &str) -> DateTime<Utc> {
    format!("2026-03-{time}:00Z").parse().unwrap()
}

fn labelled(sample: Sample, service: &str, team: &str) -> Incident {
    let labels = [("service", service), ("applicationName", "shop"), ("subsystemName", team)];
    Incident::from(sample).with_contextual_labels(labels).with_display_labels([("Service", service)]).with_meta_labels(
        [MetaLabel::default().with_key("team").with_value(team), MetaLabel::default().with_key("tier").with_value("1")],
    )
}

/// Four incidents: `a` is open and assigned, `b` acknowledged, `c` resolved after an hour, `d` closed and muted.
async fn emulator() -> Emulator {
    let sample =
        |id, name: &str, severity, time| Sample::new(id).named(name).with_severity(severity).opened_at(at(time));
    let a = sample("a", "Checkout fails", IncidentSeverity::Critical, "14T08:00").assigned_to(DANA);
    let b = sample("b", "Payment slow", IncidentSeverity::Error, "14T09:00").assigned_to("mei").acknowledged();
    let c = sample("c", "Checkout slow", IncidentSeverity::Low, "13T10:00").resolved_after(TimeDelta::hours(1));
    let d = sample("d", "Disk full", IncidentSeverity::Info, "12T10:00").muted().closed_after(TimeDelta::days(1));
    Emulator::builder()
        .incidents([
            labelled(a, "checkout", "payments"),
            labelled(b, "gateway", "payments"),
            labelled(c, "checkout", "shop"),
            labelled(d, "store", "infrastructure"),
        ])
        .start()
        .await
        .unwrap()
}

#[track_caller]
fn ids(reply: &Value) -> String {
    let incidents = reply.get("incidents").and_then(Value::as_array).cloned().unwrap_or_default();
    incidents.iter().map(|incident| incident["id"].as_str().unwrap()).collect()
}

#[track_caller]
fn list(emulator: &Emulator, request: &Value) -> String {
    ids(&post(emulator, "/v1/incidents", request).expect(200))
}

#[tokio::test]
async fn every_member_of_the_filter_selects() {
    let emulator = emulator().await;
    let labels = |value: &str| json!({ "service": { "contextualLabelValues": [value, "nowhere"] } });
    let display = |value: &str| json!({ "Service": { "displayLabelValues": [value] } });
    let search = |query: &str, field: &str| json!({ "query": query, "incidentField": field });
    let team = |team: &str| json!({ "key": "team", "value": team });
    let cases = [
        (json!({}), "badc"),
        (json!({ "assignee": [DANA] }), "a"),
        (json!({ "assignee": [DANA, "mei"] }), "ba"),
        (json!({ "status": ["INCIDENT_STATUS_RESOLVED"] }), "dc"),
        (json!({ "status": ["INCIDENT_STATUS_ACKNOWLEDGED", "INCIDENT_STATUS_TRIGGERED"] }), "ba"),
        (json!({ "status": [2] }), "b"),
        (json!({ "state": ["INCIDENT_STATE_RESOLVED"] }), "c"),
        (json!({ "severity": ["INCIDENT_SEVERITY_LOW", "INCIDENT_SEVERITY_INFO"] }), "dc"),
        (json!({ "contextualLabels": labels("checkout") }), "ac"),
        (json!({ "contextualLabels": { "service": {} } }), "badc"),
        (json!({ "displayLabels": display("store") }), "d"),
        (json!({ "startTime": "2026-03-14T08:00:00Z" }), "ba"),
        (json!({ "startTime": "2026-03-13T10:30:00Z" }), "bac"),
        (json!({ "endTime": "2026-03-14T08:00:00Z" }), "dc"),
        (json!({ "startTime": "2026-03-13T10:30:00Z", "endTime": "2026-03-14T00:00:00Z" }), "c"),
        (json!({ "createdAtRange": { "startTime": "2026-03-13T10:30:00Z", "endTime": "2026-03-15T00:00:00Z" } }), "ba"),
        (json!({ "createdAtRange": { "startTime": "2026-03-13T00:00:00Z", "endTime": "2026-03-14T09:00:00Z" } }), "ac"),
        (
            json!({ "incidentDurationRange": { "startTime": "2026-03-13T10:30:00Z", "endTime": "2026-03-14T00:00:00Z" } }),
            "c",
        ),
        (json!({ "incidentDurationRange": { "startTime": "2026-03-13T09:00:00Z" } }), "badc"),
        (json!({ "searchQuery": { "query": "CHECKOUT" } }), "ac"),
        (json!({ "searchQuery": search("slow", "INCIDENTS_FIELDS_NAME") }), "bc"),
        (json!({ "searchQuery": search("critical", "INCIDENTS_FIELDS_SEVERITY") }), "a"),
        (json!({ "searchQuery": { "query": "gate", "contextualLabel": "service" } }), "b"),
        (json!({ "applicationName": ["shop"], "subsystemName": ["payments"] }), "ba"),
        (json!({ "isMuted": true }), "d"),
        (json!({ "isMuted": false }), "bac"),
        (json!({ "metaLabels": [team("payments"), team("shop")] }), "bac"),
        (json!({ "metaLabels": [team("payments"), { "key": "tier" }], "metaLabelsOp": "FILTER_OPERATOR_AND" }), "ba"),
        (json!({ "assignee": [DANA], "state": ["INCIDENT_STATE_RESOLVED"] }), ""),
    ];
    for (filter, expected) in cases {
        let found: BTreeSet<_> = list(&emulator, &json!({ "filter": filter })).chars().collect();
        assert_eq!(found, expected.chars().collect(), "{filter}");
    }
}

#[tokio::test]
async fn every_field_and_any_label_sorts_in_both_directions() {
    let emulator = emulator().await;
    let cases = [
        ("INCIDENTS_FIELDS_ID", "abcd"),
        ("INCIDENTS_FIELDS_SEVERITY", "cdba"),
        ("INCIDENTS_FIELDS_NAME", "acdb"),
        ("INCIDENTS_FIELDS_CREATED_TIME", "dcab"),
        ("INCIDENTS_FIELDS_CLOSED_TIME", "abdc"),
        ("INCIDENTS_FIELDS_STATE", "abdc"),
        ("INCIDENTS_FIELDS_STATUS", "abcd"),
        ("INCIDENTS_FIELDS_LAST_STATE_UPDATE_TIME", "dcab"),
        ("INCIDENTS_FIELDS_SUBSYSTEM_NAME", "dabc"),
        ("INCIDENTS_FIELDS_DURATION", "abcd"),
    ];
    for (field, expected) in cases {
        let order = |direction: &str| json!({ "orderBys": [{ "incidentField": field, "direction": direction }] });
        assert_eq!(list(&emulator, &order("ORDER_BY_DIRECTION_ASC")), expected, "{field}");
        assert_eq!(list(&emulator, &order("ORDER_BY_DIRECTION_UNSPECIFIED")), expected, "{field}");
        // Ids break ties upwards in either direction, so only the first and the last need to change places.
        let down = list(&emulator, &order("ORDER_BY_DIRECTION_DESC"));
        assert_ne!(down, expected, "{field}");
    }
    let two = json!({ "orderBys": [
        { "contextualLabel": "service", "direction": "ORDER_BY_DIRECTION_DESC" },
        { "incidentField": "INCIDENTS_FIELDS_CREATED_TIME" },
    ] });
    assert_eq!(list(&emulator, &two), "dbca");
    assert_eq!(list(&emulator, &json!({})), "bacd", "the newest first");
}

#[tokio::test]
async fn pages_hold_each_incident_once_while_others_come_and_go() {
    let emulator = Emulator::builder().seeded(250, 5).start().await.unwrap();
    let request = |token: &Value| {
        json!({
            "filter": { "status": ["INCIDENT_STATUS_TRIGGERED", "INCIDENT_STATUS_ACKNOWLEDGED"] },
            "pagination": { "pageSize": 20, "pageToken": token },
        })
    };
    let open = |status: &str| !status.contains("RESOLVED");
    let all: Vec<_> = emulator.incidents().into_iter().filter(|incident| open(incident.status.as_str())).collect();
    let mut seen = Vec::new();
    let mut token = Value::Null;
    loop {
        let reply = post(&emulator, "/v1/incidents", &request(&token)).expect(200);
        let page: Vec<_> = reply["incidents"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
        assert_eq!(reply["pagination"]["totalSize"], json!(all.len() - seen.len()), "those that were seen are gone");
        // What was on this page is resolved, so that it leaves the list: the next page must not skip anything for that.
        post(&emulator, "/v1/incidents:resolve", &json!({ "incidentIds": page })).expect(200);
        seen.extend(page);
        match &reply["pagination"]["nextPageToken"] {
            Value::Null => break,
            next => token = next.clone(),
        }
    }
    let distinct: BTreeSet<_> = seen.iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(distinct.len(), seen.len(), "repeated");
    assert_eq!(distinct, all.iter().map(|incident| incident.id.as_str()).collect(), "missed");
}

#[tokio::test]
async fn an_invalid_token_or_one_of_another_query_is_refused() {
    let emulator = emulator().await;
    let first = json!({ "pagination": { "pageSize": 1 } });
    let token = post(&emulator, "/v1/incidents", &first).expect(200)["pagination"]["nextPageToken"].clone();
    let good = json!({ "pagination": { "pageSize": 2, "pageToken": token } });
    assert_eq!(list(&emulator, &good), "ac", "the size may change");
    assert_eq!(list(&emulator, &json!({ "pagination": { "pageToken": "" } })), "bacd");
    for token in ["1", "zz", "€", "7b7d", "eyJvZmZzZXQiOjF9"] {
        let reply = post(&emulator, "/v1/incidents", &json!({ "pagination": { "pageToken": token } }));
        assert_eq!(reply.expect(400)["message"], "invalid page token", "{token}");
    }
    let other = json!({ "filter": { "isMuted": false }, "pagination": { "pageToken": token } });
    post(&emulator, "/v1/incidents", &other).expect(400);
    for size in [json!(-1), json!(4_294_967_296_i64)] {
        post(&emulator, "/v1/incidents", &json!({ "pagination": { "pageSize": size } })).expect(400);
    }
}

#[tokio::test]
async fn page_sizes_have_the_limits_of_their_generation() {
    let emulator = Emulator::builder().seeded(1200, 5).start().await.unwrap();
    let list = |path: &str, size: u32| post(&emulator, path, &json!({ "pagination": { "pageSize": size } }));
    let (v1, v5) = ("/v1/incidents", "/5/incidents/incidents/v1");
    let count = |reply: Value, list: &str| reply[list].as_array().unwrap().len();
    assert_eq!(count(list(v1, 20_000).expect(200), "incidents"), 1000, "reduced");
    assert_eq!(count(list(v5, 10_000).expect(200), "incidents"), 1200);
    let message = list(v5, 10_001).expect(400)["message"].clone();
    assert_eq!(message, "page_size: 10001 is more than the maximum of 10000");
    assert_eq!(count(list("/v1/incidents:list-incident-events", 2000).expect(200), "items"), 1000);
    let events = |size: u32| {
        let path = format!("/5/incidents/events/v1?pagination.pageSize={size}");
        request(&emulator, "GET", &path).send()
    };
    assert_eq!(count(events(1000).expect(200), "items"), 1000);
    events(1001).expect(400);
}

#[tokio::test]
async fn filter_values_count_what_occurs() {
    let emulator = emulator().await;
    for path in ["/v1/incidents:get-filter-values", "/5/incidents/filter-values/v1"] {
        let reply =
            post(&emulator, path, &json!({ "filter": { "isMuted": false, "metaLabelsOp": "FILTER_OPERATOR_AND" } }));
        let values = &reply.expect(200)["filtersValues"];
        let count = |value: &str, count: i32, name: &str| json!({ name: value, "count": count });
        assert_eq!(values["assigneeWithCount"], json!([count(DANA, 1, "assignee"), count("mei", 1, "assignee")]));
        assert_eq!(
            values["statusWithCount"],
            json!([
                count("INCIDENT_STATUS_TRIGGERED", 1, "status"),
                count("INCIDENT_STATUS_ACKNOWLEDGED", 1, "status"),
                count("INCIDENT_STATUS_RESOLVED", 1, "status"),
            ])
        );
        assert_eq!(values["stateWithCount"][0], count("INCIDENT_STATE_TRIGGERED", 2, "state"));
        let severities =
            ["ERROR", "CRITICAL", "LOW"].map(|name| count(&format!("INCIDENT_SEVERITY_{name}"), 1, "severity"));
        assert_eq!(values["severityWithCount"], json!(severities), "in the order of the document");
        let services = &values["contextualLabels"]["service"]["valuesWithCount"];
        assert_eq!(services[0], count("checkout", 2, "contextualLabelValue"));
        assert_eq!(values["displayLabels"]["Service"]["valuesWithCount"][1], count("gateway", 1, "displayLabelValue"));
        let payments = json!({ "metaLabel": { "key": "team", "value": "payments" }, "count": 2 });
        assert!(values["metaLabelsWithCount"].as_array().unwrap().contains(&payments));
        assert_eq!(values["metaLabelsOp"], "FILTER_OPERATOR_AND");
    }
}

#[tokio::test]
async fn groups_sum_up_their_incidents() {
    let emulator = emulator().await;
    let path = "/v1/incidents:listIncidentAggregations";
    let request = json!({
        "groupBys": [
            { "contextualLabel": "service", "orderByDirection": "ORDER_BY_DIRECTION_DESC" },
            { "incidentField": "INCIDENTS_FIELDS_SEVERITY" },
        ],
        "pagination": { "pageSize": 3 },
    });
    let reply = post(&emulator, path, &request).expect(200);
    let groups = reply["incidentAggs"].as_array().unwrap();
    let members: Vec<_> = groups.iter().map(|group| group["listIncidentsId"][0].as_str().unwrap()).collect();
    assert_eq!(members, ["d", "b", "c"], "services downwards, then severities upwards");
    assert_eq!(reply["pagination"]["totalSize"], 4);
    let mut next = request.clone();
    next["pagination"]["pageToken"] = reply["pagination"]["nextPageToken"].clone();
    let reply = post(&emulator, path, &next).expect(200);
    assert_eq!(reply["incidentAggs"][0]["listIncidentsId"], json!(["a"]));
    assert_eq!(reply["pagination"]["nextPageToken"], Value::Null);

    let by_service = json!({ "groupBys": [{ "contextualLabel": "service" }] });
    let group = post(&emulator, path, &by_service).expect(200)["incidentAggs"][0].clone();
    assert_eq!(
        group["groupBysValue"],
        json!([{ "contextualLabels": { "fieldName": "service", "fieldValue": "checkout" } }])
    );
    assert_eq!(group["allValuesCount"], 2);
    assert_eq!(group["listIncidentsId"], json!(["a", "c"]));
    assert_eq!(group["firstCreatedAt"], "2026-03-13T10:00:00Z");
    assert_eq!(group["lastClosedAt"], "2026-03-13T11:00:00Z");
    assert_eq!(group["lastStateUpdateTime"], "2026-03-14T08:00:00Z");
    let state = |state: &str| json!({ "state": state, "count": 1 });
    assert_eq!(group["aggStateCount"], json!([state("INCIDENT_STATE_TRIGGERED"), state("INCIDENT_STATE_RESOLVED")]));
    assert_eq!(group["aggAssignmentsCount"], json!([{ "assignedTo": { "userId": DANA }, "count": 1 }]));
    let tier = json!({ "metaLabel": { "key": "tier", "value": "1" }, "count": 2 });
    assert!(group["aggMetaLabelsCount"].as_array().unwrap().contains(&tier));
    post(&emulator, path, &json!({ "groupBys": [{}] })).expect(400);
}

#[tokio::test]
async fn events_are_listed_with_the_state_at_their_time() {
    let emulator = emulator().await;
    let path = "/v1/incidents:list-incident-events";
    let reply = post(&emulator, path, &json!({ "filter": { "name": "Checkout slow" } })).expect(200);
    let items = reply["items"].as_array().unwrap();
    let seen = |item: &Value| {
        let metadata = &item["incidentEventExtendedMetadata"];
        (item["cxEventTimestamp"].clone(), metadata["incidentState"].clone(), metadata["incidentStatus"].clone())
    };
    let opened = json!("2026-03-13T10:00:00Z");
    let triggered = (opened, json!("INCIDENT_STATE_TRIGGERED"), json!("INCIDENT_STATUS_TRIGGERED"));
    let resolved = (json!("2026-03-13T11:00:00Z"), json!("INCIDENT_STATE_RESOLVED"), json!("INCIDENT_STATUS_RESOLVED"));
    assert_eq!(items.iter().map(seen).collect::<Vec<_>>(), [triggered.clone(), triggered, resolved]);
    assert_eq!(items[1]["cxEventKey"], items[1]["incidentEvent"]["upsertState"]["payload"]["cxEventKey"]);
    assert_eq!(items[0]["incidentEventExtendedMetadata"]["incidentPermutation"]["service"], "checkout");

    let everything = json!({ "orderBy": { "direction": "ORDER_BY_DIRECTION_DESC" }, "pagination": { "pageSize": 4 } });
    let mut request = everything.clone();
    let mut times = Vec::new();
    loop {
        let reply = post(&emulator, path, &request).expect(200);
        let items = reply["items"].as_array().unwrap();
        times.extend(items.iter().map(|item| item["cxEventTimestamp"].as_str().unwrap().to_owned()));
        let token = reply["pagination"]["nextPageToken"].clone();
        if token.is_null() {
            break;
        }
        request["pagination"]["pageToken"] = token;
    }
    let all: usize = emulator.incidents().iter().map(|incident| incident.events.len()).sum();
    assert_eq!(times.len(), all);
    assert!(times.is_sorted_by(|one, other| one >= other), "{times:?}");
}

#[tokio::test]
async fn every_member_of_the_event_filter_selects_and_counts_agree() {
    let emulator = emulator().await;
    let team = json!([{ "key": "team", "value": "payments" }]);
    let cases = [
        (json!({}), 13),
        (json!({ "status": ["INCIDENT_STATUS_RESOLVED"] }), 2),
        (json!({ "severity": ["INCIDENT_SEVERITY_CRITICAL"] }), 3),
        (json!({ "contextualLabels": { "service": { "contextualLabelValues": ["checkout"] } } }), 6),
        (json!({ "displayLabels": { "Service": { "displayLabelValues": ["store"] } } }), 3),
        (json!({ "name": "Payment slow" }), 4),
        (json!({ "isMuted": true }), 3),
        (json!({ "timestamp": { "startTime": "2026-03-14T08:01:00Z", "endTime": "2026-03-14T09:01:00Z" } }), 4),
        (json!({ "labels": { "metaLabels": team, "operator": "FILTER_OPERATOR_AND" } }), 7),
    ];
    for (filter, expected) in cases {
        let body = json!({ "filter": filter });
        let events = post(&emulator, "/v1/incidents:list-incident-events", &body).expect(200);
        assert_eq!(events["pagination"]["totalSize"], expected, "{filter}");
        assert_eq!(events["items"].as_array().unwrap().len(), expected, "{filter}");
        let count = post(&emulator, "/v1/incidents:list-incident-events-total-count", &body).expect(200);
        assert_eq!(count, json!({ "count": expected.to_string(), "reachedLimit": false }), "{filter}");
        let values = post(&emulator, "/v1/incidents:list-incident-events-filter-values", &body).expect(200);
        let severities = values["filtersValues"]["severityWithCount"].as_array().unwrap();
        let sum: u64 = severities.iter().map(|one| one["count"].as_u64().unwrap()).sum();
        assert_eq!(sum, expected as u64, "{filter}");
    }
}

#[tokio::test]
async fn values_of_events_are_those_of_their_time() {
    let emulator = emulator().await;
    let body = json!({ "filter": { "name": "Payment slow" } });
    let reply = post(&emulator, "/v1/incidents:list-incident-events-filter-values", &body).expect(200);
    // Opened and triggered while nobody had it, then assigned and acknowledged.
    assert_eq!(reply["filtersValues"]["assigneeWithCount"], json!([{ "assignee": "mei", "count": 2 }]));
    let status = |status: &str, count: i32| json!({ "status": status, "count": count });
    let statuses = [status("INCIDENT_STATUS_TRIGGERED", 3), status("INCIDENT_STATUS_ACKNOWLEDGED", 1)];
    assert_eq!(reply["filtersValues"]["statusWithCount"], json!(statuses));
}

#[tokio::test]
async fn counting_events_stops_at_its_limit_and_says_so() {
    let emulator = Emulator::builder().seeded(4000, 1).start().await.unwrap();
    let count = post(&emulator, "/v1/incidents:list-incident-events-total-count", &json!({})).expect(200);
    assert_eq!(count, json!({ "count": "10000", "reachedLimit": true }));
}
