//! The two rules by which the vendor's own Go client reads responses: each member that the newest publication calls required
//! is there, and of a oneof at most one member is there, not even as `null`. Only members outside of oneofs are required, so
//! the first rule is that each member outside of a oneof is there.

use coralogix_incidents::types::{self, Incident, IncidentEvent};
use coralogix_incidents_emulator::{Emulator, JsonStyle};
use serde_json::{Value, json};

use crate::{
    document::Document,
    raw::{post, request},
};

/// Checks a message, and the messages in it.
#[track_caller]
pub(crate) fn judge(schema: &str, value: &Value) {
    let document = Document::get();
    let members = value.as_object().unwrap_or_else(|| panic!("{schema} is no object: {value}"));
    let oneofs = document.oneofs(schema);
    for oneof in &oneofs {
        let present: Vec<_> = oneof.iter().filter(|member| members.contains_key(**member)).collect();
        assert!(present.len() <= 1, "{schema} has {present:?}, of which at most one may be there: {value:#}");
        assert!(present.iter().all(|member| !members[**member].is_null()), "{schema} has an unset {present:?}");
    }
    for (name, property) in document.properties(schema) {
        let in_oneof = oneofs.iter().any(|members| members.contains(&name.as_str()));
        let Some(member) = members.get(name) else {
            assert!(in_oneof, "{schema} does not show its unset {name}: {value:#}");
            continue;
        };
        let (list, map) = (&property["items"], &property["additionalProperties"]);
        let values: Vec<&Value> = if list.is_object() {
            member.as_array().unwrap_or_else(|| panic!("{schema}.{name} is no list: {member}")).iter().collect()
        } else if map.is_object() {
            member.as_object().unwrap_or_else(|| panic!("{schema}.{name} is no map: {member}")).values().collect()
        } else {
            vec![member]
        };
        let inner = [list, map, property].into_iter().find_map(|schema| schema["$ref"].as_str());
        let Some(inner) = inner.map(|reference| reference.rsplit('/').next().unwrap()) else { continue };
        let is_enum = document.yaml["components"]["schemas"][inner].get("enum").is_some();
        for value in values {
            match value {
                Value::Null => assert!(!is_enum, "{schema}.{name} is an enum and null"),
                Value::Object(_) => judge(inner, value),
                value => assert!(is_enum, "{schema}.{name}: {value}"),
            }
        }
    }
}

#[test]
fn the_rules_find_what_the_vendors_client_refuses() {
    assert_eq!(Document::get().oneofs("IncidentEvent").iter().map(Vec::len).collect::<Vec<_>>(), [6, 2]);
    let passes = |schema: &str, value: Value| std::panic::catch_unwind(|| judge(schema, &value)).is_ok();
    let user = json!({ "userId": "dana" });
    assert!(passes("Assignment", json!({ "assignedTo": user, "assignedBy": null })));
    assert!(!passes("Assignment", json!({ "assignedTo": user })));
    let event = json!({ "id": "e", "incidentEventType": "INCIDENT_EVENT_TYPE_OPEN", "originatorType": "ORIGINATOR_TYPE_UNSPECIFIED" });
    assert!(passes("IncidentEvent", event.clone()));
    for unset in ["unassign", "operationalEvent"] {
        let mut event = event.clone();
        event[unset] = Value::Null;
        assert!(!passes("IncidentEvent", event), "{unset}");
    }
    let mut event = event;
    event["unassign"] = json!({});
    assert!(passes("IncidentEvent", event.clone()));
    event["close"] = json!({ "closedBy": null });
    assert!(!passes("IncidentEvent", event));
}

#[tokio::test]
async fn unset_members_are_shown_as_the_default_of_their_type() {
    let bare = Incident::default().with_id("bare").with_events([IncidentEvent::default()]);
    let emulator = Emulator::builder().incidents([bare]).start().await.unwrap();
    let reply = request(&emulator, "GET", "/v1/incidents/bare").send().expect(200);
    let event = json!({ "id": "", "incidentEventType": "INCIDENT_EVENT_TYPE_UNSPECIFIED", "originatorType": "ORIGINATOR_TYPE_UNSPECIFIED" });
    let expected = json!({
        "id": "bare", "name": null, "state": "INCIDENT_STATE_UNSPECIFIED", "status": "INCIDENT_STATUS_UNSPECIFIED",
        "assignments": [], "description": null, "severity": "INCIDENT_SEVERITY_UNSPECIFIED", "contextualLabels": {},
        "displayLabels": {}, "events": [event], "createdAt": null, "closedAt": null, "lastStateUpdateTime": null,
        "lastStateUpdateKey": null, "isMuted": null, "metaLabels": [], "duration": null,
    });
    assert_eq!(reply["incident"], expected);
    let nothing = post(&emulator, "/v1/incidents:unassign", &json!({ "incidentIds": ["unknown"] })).expect(200);
    assert_eq!(nothing, json!({ "incidents": [] }));
    let unknown = request(&emulator, "GET", "/v1/incidents/unknown").send().expect(404);
    assert_eq!(unknown["details"], json!([]));
}

#[tokio::test]
async fn members_that_are_set_to_a_default_are_shown_also_in_a_oneof() {
    let event = IncidentEvent::default().with_unassign(types::IncidentEventUnassign::default());
    let incident = Incident::default().with_id("a").with_name("").with_is_muted(false).with_events([event]);
    for style in [JsonStyle::EmitUnpopulated, JsonStyle::DefaultsOmitted, JsonStyle::NullsPopulated] {
        let emulator = Emulator::builder().incidents([incident.clone()]).json_style(style).start().await.unwrap();
        let reply = request(&emulator, "GET", "/v1/incidents/a").other_style().send().expect(200);
        let incident = &reply["incident"];
        assert_eq!((&incident["name"], &incident["isMuted"]), (&json!(""), &json!(false)), "{style:?}");
        let event = incident["events"][0].as_object().unwrap();
        assert_eq!(event["unassign"], json!({}), "{style:?}");
        assert_eq!(event.get("close"), (style == JsonStyle::NullsPopulated).then_some(&Value::Null), "{style:?}");
    }
}
