//! Each class is shown by a fault that is planted in a published file. The published files are compared with the real
//! document, so a test looks only at what its fault adds: the document may grow.

use std::{collections::BTreeSet, sync::LazyLock, time::Instant};

use serde_json::{Value, json};

use super::*;
use crate::json_pointer::join;

const V1: &str = include_str!("../../tests/data/published_v1.yaml");
const V5: &str = include_str!("../../tests/data/published_v5.yaml");
const OUR_TEXT: &str = include_str!("../../../openapi/incidents.yaml");
static OURS: LazyLock<Document> = LazyLock::new(|| Document::parse(Path::new("ours.yaml"), OUR_TEXT).unwrap());
/// Where the generation 5 fixture keeps its messages.
const MESSAGES: &str = "/components/schemas/com.coralogixapis.incidents.v1.";

fn parsed(text: &str) -> Document {
    Document::parse(Path::new("published.yaml"), text).unwrap()
}

#[track_caller]
fn differences(published: &str) -> Vec<Difference> {
    compare(&OURS, &parsed(published)).unwrap()
}

/// The error that a file is refused with.
#[track_caller]
fn refused(published: &str) -> String {
    match Document::parse(Path::new("published.yaml"), published).and_then(|published| compare(&OURS, &published)) {
        Ok(_) => panic!("expected an error"),
        Err(error) => format!("{error:#}"),
    }
}

fn edited(text: &str, edit: impl FnOnce(&mut Value)) -> String {
    let mut root = parsed(text).root().clone();
    edit(&mut root);
    serde_json::to_string_pretty(&root).unwrap()
}

/// Class, place and message of what an edit of a published file adds.
#[track_caller]
fn added(text: &str, edit: impl FnOnce(&mut Value)) -> Vec<(Class, String, String)> {
    let keys = |text: &str| -> Vec<(Class, String, String)> {
        differences(text)
            .into_iter()
            .map(|difference| (difference.class, difference.place, difference.message))
            .collect()
    };
    let before: BTreeSet<_> = keys(text).into_iter().collect();
    keys(&edited(text, edit)).into_iter().filter(|key| !before.contains(key)).collect()
}

/// Expects that an edit adds one difference.
#[track_caller]
fn planted(text: &str, edit: impl FnOnce(&mut Value), class: Class, place: &str, message: &str) {
    let found = added(text, edit);
    assert_eq!(found, [(class, place.to_owned(), message.to_owned())]);
}

#[track_caller]
fn set(root: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = root.pointer_mut(parent).unwrap_or_else(|| panic!("there is no {parent}"));
    let key = key.replace("~1", "/").replace("~0", "~");
    match parent {
        Value::Array(items) => items.push(value),
        other => other[key.as_str()] = value,
    }
}

#[track_caller]
fn remove(root: &mut Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    let members = root.pointer_mut(parent).and_then(Value::as_object_mut);
    members.and_then(|members| members.shift_remove(&key)).unwrap_or_else(|| panic!("there is no {pointer}"))
}

#[track_caller]
fn push(root: &mut Value, pointer: &str, value: Value) {
    root.pointer_mut(pointer)
        .and_then(Value::as_array_mut)
        .unwrap_or_else(|| panic!("there is no {pointer}"))
        .push(value);
}

fn v1(operation: &str) -> String {
    join("/paths", format!("/mgmt/openapi/v1/incidents{operation}"))
}

#[test]
fn our_document_has_no_difference_from_itself() {
    assert_eq!(differences(OUR_TEXT), []);
}

#[test]
fn names_inlined_bodies_prefixes_and_newer_syntax_are_no_difference() {
    fn rename(node: &mut Value) {
        match node {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get_mut("$ref") {
                    *reference = reference.replace("/schemas/", "/schemas/v1");
                }
                // Every scalar may be null, in the syntax of 3.1.
                if let Some(Value::String(kind)) =
                    members.get("type").filter(|kind| *kind == "string" || *kind == "boolean")
                {
                    members["type"] = json!([kind, "null"]);
                }
                members.values_mut().for_each(rename);
            }
            Value::Array(items) => items.iter_mut().for_each(rename),
            _ => {}
        }
    }
    let other = edited(OUR_TEXT, |root| {
        root["openapi"] = json!("3.1.0");
        root["servers"] = json!([{ "url": "https://api.example.com/" }]);
        root["tags"] = json!([]);
        rename(&mut root["paths"]);
        rename(&mut root["components"]);
        let schemas = std::mem::take(root["components"]["schemas"].as_object_mut().unwrap());
        root["components"]["schemas"] =
            schemas.into_iter().map(|(name, schema)| (format!("v1{name}"), schema)).collect();
        let paths = std::mem::take(root["paths"].as_object_mut().unwrap());
        root["paths"] = paths.into_iter().map(|(path, item)| (format!("/mgmt/openapi{path}"), item)).collect();
        let inline = root.pointer("/components/schemas/v1UnassignIncidentsRequest").cloned().unwrap();
        set(root, &format!("{}/post/requestBody/content/application~1json/schema", v1(":unassign")), inline);
        let incident =
            json!({ "allOf": [{ "anyOf": [{ "$ref": "#/components/schemas/v1Incident" }, { "type": "null" }] }] });
        set(root, "/components/schemas/v1GetIncidentResponse/properties/incident", incident);
    });
    assert_eq!(differences(&other), []);
}

#[test]
fn what_the_vendor_publishes_matches_operation_by_operation() {
    for (text, count, others) in
        [(V1, 14, "none of the 10 of generation v5"), (V5, 10, "none of the 14 of generation v1")]
    {
        let found = differences(text);
        let operations: BTreeSet<&String> = found
            .iter()
            .filter(|difference| difference.place != "operations")
            .flat_map(|difference| &difference.operations)
            .collect();
        assert!(operations.len() >= count, "{operations:?}");
        assert!(
            found.iter().any(|difference| difference.class == Class::Cosmetic && difference.message.contains(others))
        );
        assert!(!found.iter().any(|difference| difference.message.ends_with("is not published")), "{found:#?}");
    }
}

#[test]
fn the_reasons_of_our_document_make_known_deviations() {
    for (place, message, reason) in [
        ("Incident.name", "is optional, published as required", "calls this member required"),
        ("Incident.duration", "has format `google-duration`, published with no format", "protobuf duration"),
        ("IncidentEvent", "requires `originator`, which is no member of it", "names of protobuf oneofs"),
        ("IncidentQueryFilter.displayLabels", "is not published: it would be ignored", "leaves this member out"),
    ] {
        let found = differences(V1);
        let found = found.iter().find(|difference| difference.place == place && difference.message == message);
        let found = found.unwrap_or_else(|| panic!("{place} {message}"));
        assert_eq!(found.class, Class::KnownDeviation);
        assert!(found.reason.as_ref().is_some_and(|text| text.contains(reason)), "{found:?}");
        assert!(found.ours.starts_with("ours.yaml:") && found.published.starts_with("published.yaml:"), "{found:?}");
    }
}

#[test]
fn a_reason_does_not_hide_another_change_of_the_same_member() {
    let pointer = "/components/schemas/v1Incident/properties/name/type";
    let edit = |root: &mut Value| set(root, pointer, json!("integer"));
    planted(V1, edit, Class::BreaksDecoding, "Incident.name", "is string, published as integer");
    let pointer = "/components/schemas/v1Incident/properties/duration/type";
    let edit = |root: &mut Value| set(root, pointer, json!("integer"));
    planted(V1, edit, Class::BreaksDecoding, "Incident.duration", "is string, published as integer");
    // Our document speaks of a limit there, but of another one.
    let pointer = "/components/schemas/v1UnassignIncidentsRequest/properties/incidentIds/maxItems";
    let place = "UnassignIncidentsRequest.incidentIds";
    planted(V1, |root| set(root, pointer, json!(50)), Class::New, place, "is limited by `maxItems: 50`");
    let known = added(V1, |root| set(root, pointer, json!(10_000)));
    assert!(known.iter().all(|(class, ..)| *class == Class::KnownDeviation), "{known:?}");
}

#[test]
fn the_reason_of_a_list_covers_its_elements() {
    let place = "AssignIncidentsRequest.incidentIds[]";
    let message = "has no format, published with format `uuid`";
    let found = differences(V5);
    let found = found.iter().find(|difference| difference.place == place && difference.message == message);
    assert_eq!(found.map(|difference| difference.class), Some(Class::KnownDeviation));
    let body = "/paths/~1incidents~1incidents~1v1~1all~1by-user/post/requestBody/content/application~1json/schema";
    let pointer = format!("{body}/properties/incidentIds/items/format");
    let message = "has no format, published with format `email`";
    planted(V5, |root| set(root, &pointer, json!("email")), Class::New, place, message);
}

#[test]
fn a_reason_for_a_required_name_does_not_cover_a_real_member() {
    let pointer = "/components/schemas/v1IncidentEvent/properties/originator";
    let edit = |root: &mut Value| set(root, pointer, json!({ "type": "object" }));
    planted(V1, edit, Class::New, "IncidentEvent", "has a member that we lack: `originator`");
}

#[test]
fn an_operation_that_vanished_breaks_callers() {
    let edit = |root: &mut Value| drop(remove(root, &v1(":resolve")));
    planted(V1, edit, Class::BreaksCallers, "operation", "POST /v1/incidents:resolve is not published");
    let edit = |root: &mut Value| drop(remove(root, &v1(":unassign")));
    planted(V1, edit, Class::BreaksCallers, "operation", "POST /v1/incidents:unassign is not published");
}

#[test]
fn a_withdrawn_binding_is_known_while_the_other_one_is_published() {
    let edit = |root: &mut Value| drop(remove(root, "/paths/~1v1~1incidents:unassign"));
    planted(OUR_TEXT, edit, Class::KnownDeviation, "operation", "POST /v1/incidents:unassign is not published");
    let both = added(OUR_TEXT, |root| {
        remove(root, "/paths/~1v1~1incidents:unassign");
        remove(root, "/paths/~15~1incidents~1incidents~1v1~1all~1by-user/delete");
    });
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both.iter().all(|(class, ..)| *class == Class::BreaksCallers), "{both:?}");
}

#[test]
fn a_generation_that_moved_breaks_callers_and_is_compared_all_the_same() {
    let found = added(V5, |root| {
        root["servers"] = json!([{ "url": "https://api.coralogix.com/mgmt/openapi/6" }]);
        set(root, &format!("{MESSAGES}Incident/properties/id/type"), json!("integer"));
    });
    let moved = (
        Class::BreaksCallers,
        "operation".to_owned(),
        "DELETE /5/incidents/incidents/v1/all/by-user is published as DELETE /incidents/incidents/v1/all/by-user"
            .to_owned(),
    );
    assert!(found.contains(&moved), "{found:#?}");
    assert!(
        found.iter().any(|(class, place, _)| *class == Class::BreaksDecoding && place == "Incident.id"),
        "{found:#?}"
    );
    // A file that states no generation is taken for ours.
    assert_eq!(added(V5, |root| root["servers"] = json!([{ "url": "https://api.coralogix.com" }])), []);
}

#[test]
fn a_generation_that_is_all_under_another_version_breaks_callers() {
    let found = added(OUR_TEXT, |root| {
        let paths = std::mem::take(root["paths"].as_object_mut().unwrap());
        let renamed = |path: String| path.strip_prefix("/v1/").map_or(path.clone(), |rest| format!("/v2/{rest}"));
        root["paths"] = paths.into_iter().map(|(path, item)| (renamed(path), item)).collect();
    });
    for (class, message) in [
        (Class::BreaksCallers, "POST /v1/incidents:resolve is not published"),
        (Class::New, "POST /v2/incidents:resolve is one that we lack"),
    ] {
        assert!(found.contains(&(class, "operation".to_owned(), message.to_owned())), "{found:#?}");
    }
    assert!(!found.iter().any(|(_, place, _)| place == "operations"), "{found:#?}");
}

#[test]
fn an_operation_that_we_lack_is_new_if_it_is_about_incidents() {
    let merge = json!({ "operationId": "Merge", "responses": { "200": { "description": "" } } });
    let add = |path: &'static str, operation: Value| {
        move |root: &mut Value| set(root, &join("/paths", path), json!({ "post": operation }))
    };
    let message = "POST /mgmt/openapi/v1/incidents:merge is one that we lack";
    planted(V1, add("/mgmt/openapi/v1/incidents:merge", merge.clone()), Class::New, "operation", message);
    assert_eq!(added(V1, add("/mgmt/openapi/v1/alerts:merge", merge.clone())), []);
    let mut tagged = merge;
    tagged["tags"] = json!(["IncidentsService"]);
    let message = "POST /mgmt/openapi/v1/cases is one that we lack";
    planted(V1, add("/mgmt/openapi/v1/cases", tagged), Class::New, "operation", message);
}

#[test]
fn a_parameter_that_is_renamed_breaks_callers() {
    let pointer = "/paths/~1incidents~1incidents~1v1~1all~1by-user/delete/parameters/0";
    let found = added(V5, |root| root.pointer_mut(pointer).unwrap()["name"] = json!("incidentIds"));
    let expected = [
        ("query parameter incident_ids", "is not published: it would be ignored (there is `incidentIds`)"),
        ("operation", "has a required query parameter that we lack: `incidentIds`"),
    ];
    assert_eq!(found, expected.map(|(place, message)| (Class::BreaksCallers, place.to_owned(), message.to_owned())));
}

#[test]
fn a_new_parameter_breaks_callers_only_if_it_is_required() {
    let pointer = format!("{}/post/parameters", v1(":batchGet"));
    let parameter =
        |required: bool| json!({ "name": "team", "in": "query", "required": required, "schema": { "type": "string" } });
    let message = "has a query parameter that we lack: `team`";
    planted(V1, |root| push(root, &pointer, parameter(false)), Class::New, "operation", message);
    let message = "has a required query parameter that we lack: `team`";
    planted(V1, |root| push(root, &pointer, parameter(true)), Class::BreaksCallers, "operation", message);
    let header = json!({ "name": "Authorization", "in": "header", "required": true, "schema": { "type": "string" } });
    assert_eq!(added(V1, |root| push(root, &pointer, header)), []);
}

#[test]
fn parameters_may_stand_at_the_path() {
    let pointer = v1(":batchGet");
    let edit = |root: &mut Value| {
        let parameters = remove(root, &format!("{pointer}/post/parameters"));
        set(root, &format!("{pointer}/parameters"), parameters);
    };
    assert_eq!(added(V1, edit), []);
}

#[test]
fn what_one_alternative_requires_is_not_required() {
    // Generation 5 writes an event's payloads as alternatives, each of which requires its own member.
    let place = "IncidentEvent.close";
    assert!(!differences(V5).iter().any(|difference| difference.place == place));
    let event = format!("{MESSAGES}IncidentEvent");
    let edit = |root: &mut Value| push(root, &format!("{event}/allOf/0/required"), json!("close"));
    planted(V5, edit, Class::Cosmetic, place, "is optional, published as required");
}

#[test]
fn a_list_in_the_query_that_is_no_longer_repeated_breaks_callers() {
    let pointer = format!("{}/post/parameters/0/explode", v1(":batchGet"));
    let message = "is sent as `ids=a&ids=b`, published as one value with separators";
    planted(V1, |root| set(root, &pointer, json!(false)), Class::BreaksCallers, "query parameter ids", message);
}

#[test]
fn a_body_that_came_or_went_breaks_callers() {
    let pointer = format!("{}/post/requestBody", v1(":resolve"));
    let message = "is not published: it would be ignored";
    planted(V1, |root| drop(remove(root, &pointer)), Class::BreaksCallers, "request body", message);
    let pointer = format!("{}/post/requestBody", v1(":batchGet"));
    let body = |required: bool| json!({ "required": required, "content": { "application/json": { "schema": {} } } });
    let message = "is published, and we send none";
    planted(V1, |root| set(root, &pointer, body(false)), Class::New, "request body", message);
    let message = "is published as required, and we send none";
    planted(V1, |root| set(root, &pointer, body(true)), Class::BreaksCallers, "request body", message);
}

#[test]
fn a_member_that_vanished_breaks_requests_and_not_responses() {
    let pointer = "/components/schemas/v1IncidentQueryFilter/properties/isMuted";
    let message = "is not published: it would be ignored";
    planted(V1, |root| drop(remove(root, pointer)), Class::BreaksCallers, "IncidentQueryFilter.isMuted", message);
    let pointer = "/components/schemas/v1Incident/properties/metaLabels";
    let message = "is not published: it reads as its default";
    planted(V1, |root| drop(remove(root, pointer)), Class::New, "Incident.metaLabels", message);
}

#[test]
fn a_member_that_we_lack_is_new_unless_a_request_requires_it() {
    let text = json!({ "type": "boolean" });
    let edit = |root: &mut Value| set(root, "/components/schemas/v1Incident/properties/notInTheDocument", text.clone());
    planted(V1, edit, Class::New, "Incident", "has a member that we lack: `notInTheDocument`");
    let request = "/components/schemas/v1UnassignIncidentsRequest";
    let member = format!("{request}/properties/reason");
    let message = "has a member that we lack: `reason`";
    planted(V1, |root| set(root, &member, text.clone()), Class::New, "UnassignIncidentsRequest", message);
    let edit = |root: &mut Value| {
        set(root, &member, text.clone());
        push(root, &format!("{request}/required"), json!("reason"));
    };
    let message = "has a required member that we lack: `reason`";
    planted(V1, edit, Class::BreaksCallers, "UnassignIncidentsRequest", message);
}

#[test]
fn requiredness_breaks_requests_and_is_cosmetic_in_responses() {
    let edit =
        |root: &mut Value| set(root, "/components/schemas/v1ListIncidentsRequest/required", json!(["pagination"]));
    let message = "is optional, published as required";
    planted(V1, edit, Class::BreaksCallers, "ListIncidentsRequest.pagination", message);
    let edit = |root: &mut Value| push(root, "/components/schemas/v1Incident/required", json!("createdAt"));
    planted(V1, edit, Class::Cosmetic, "Incident.createdAt", message);
    let pointer = format!("{}/post/requestBody", v1(":resolve"));
    assert_eq!(added(V1, |root| root.pointer_mut(&pointer).unwrap()["required"] = json!(false)), []);
}

#[test]
fn a_type_that_the_other_side_does_not_take_breaks() {
    let edit = |root: &mut Value| set(root, "/components/schemas/v1Incident/properties/id/type", json!("integer"));
    planted(V1, edit, Class::BreaksDecoding, "Incident.id", "is string, published as integer");
    let edit = |root: &mut Value| {
        set(root, "/components/schemas/v1PaginationRequest/properties/pageToken/type", json!("integer"));
    };
    planted(V1, edit, Class::BreaksCallers, "PaginationRequest.pageToken", "is string, published as integer");
    // 3.1 may allow both: what we send is taken, but what arrives may be either.
    let either = json!(["string", "integer", "null"]);
    let edit = |root: &mut Value| {
        set(root, "/components/schemas/v1PaginationRequest/properties/pageToken/type", either.clone());
    };
    planted(V1, edit, Class::Cosmetic, "PaginationRequest.pageToken", "is string, published as integer or string");
    let edit = |root: &mut Value| set(root, "/components/schemas/v1Incident/properties/id/type", either.clone());
    planted(V1, edit, Class::BreaksDecoding, "Incident.id", "is string, published as integer or string");
    let message = json!({ "type": "object", "properties": { "fieldName": { "type": "string" } } });
    let edit = |root: &mut Value| set(root, "/components/schemas/v1Incident/properties/contextualLabels", message);
    planted(V1, edit, Class::BreaksDecoding, "Incident.contextualLabels", "is map, published as message");
}

#[test]
fn a_64_bit_integer_is_read_as_text_and_as_number() {
    let count = "/components/schemas/v1ListIncidentEventsTotalCountResponse/properties/count";
    let edit = |root: &mut Value| set(root, count, json!({ "type": "integer", "format": "uint64" }));
    let message = "is string (uint64), published as integer (uint64)";
    planted(V1, edit, Class::Cosmetic, "ListIncidentEventsTotalCountResponse.count", message);
}

#[test]
fn a_format_breaks_what_parses_it() {
    let edit = |root: &mut Value| drop(remove(root, "/components/schemas/v1Incident/properties/createdAt/format"));
    planted(V1, edit, Class::BreaksDecoding, "Incident.createdAt", "has format `date-time`, published with no format");
    let edit = |root: &mut Value| drop(remove(root, "/components/schemas/v1TimeRange/properties/startTime/format"));
    planted(V1, edit, Class::Cosmetic, "TimeRange.startTime", "has format `date-time`, published with no format");
    let edit =
        |root: &mut Value| set(root, "/components/schemas/v1TimeRange/properties/startTime/format", json!("date"));
    planted(
        V1,
        edit,
        Class::BreaksCallers,
        "TimeRange.startTime",
        "has format `date-time`, published with format `date`",
    );
    let minutes = "/components/schemas/v1IncidentEventSnoozeIndicator/properties/durationMinutes/format";
    let edit = |root: &mut Value| set(root, minutes, json!("int64"));
    let message = "has format `int32`, published with format `int64`";
    planted(V1, edit, Class::BreaksDecoding, "IncidentEventSnoozeIndicator.durationMinutes", message);
    let count = "/components/schemas/v1AssigneeWithCount/properties/count/format";
    let message = "has format `int32`, published with format `uint32`";
    planted(V1, |root| set(root, count, json!("uint32")), Class::BreaksDecoding, "AssigneeWithCount.count", message);
    let total = "/components/schemas/v1PaginationResponse/properties/totalSize/format";
    let message = "has format `int64`, published with format `uint32`";
    planted(V1, |root| set(root, total, json!("uint32")), Class::Cosmetic, "PaginationResponse.totalSize", message);
    let edit =
        |root: &mut Value| set(root, "/components/schemas/v1UserDetails/properties/userId/format", json!("email"));
    let found = added(V1, edit);
    // The same message is sent and received: the limit matters when it is sent.
    let classes: Vec<Class> = found.iter().map(|(class, ..)| *class).collect();
    assert_eq!(classes, [Class::New, Class::Cosmetic], "{found:?}");
}

#[test]
fn a_32_bit_integer_that_becomes_64_bit_text_breaks_decoding() {
    let pointer = "/components/schemas/v1AssigneeWithCount/properties/count";
    let edit = |root: &mut Value| set(root, pointer, json!({ "type": "string", "format": "int64" }));
    let message = "is integer (int32), published as string (int64)";
    planted(V1, edit, Class::BreaksDecoding, "AssigneeWithCount.count", message);
}

#[test]
fn a_list_or_map_that_loses_its_elements_schema_is_cosmetic() {
    let pointer = "/components/schemas/v1UnassignIncidentsRequest/properties/incidentIds/items";
    let message = "is string, published without a type";
    let place = "UnassignIncidentsRequest.incidentIds[]";
    planted(V1, |root| drop(remove(root, pointer)), Class::Cosmetic, place, message);
    let pointer = "/components/schemas/v1IncidentQueryFilter/properties/contextualLabels/additionalProperties";
    let message = "is object, published without a type";
    let place = "IncidentQueryFilter.contextualLabels{}";
    planted(V1, |root| set(root, pointer, json!(true)), Class::Cosmetic, place, message);
    planted(V1, |root| drop(remove(root, pointer)), Class::Cosmetic, place, message);
}

#[test]
fn an_enum_value_is_new_when_it_comes_and_breaks_requests_when_it_goes() {
    let state = "/components/schemas/v1IncidentState/enum";
    let edit = |root: &mut Value| push(root, state, json!("INCIDENT_STATE_NOT_IN_THE_DOCUMENT"));
    planted(V1, edit, Class::New, "IncidentState", "has a value that we lack: `INCIDENT_STATE_NOT_IN_THE_DOCUMENT`");
    let edit =
        |root: &mut Value| drop(root.pointer_mut("/components/schemas/v1OrderByDirection/enum/2").unwrap().take());
    let message = "has lost the value `ORDER_BY_DIRECTION_DESC`: sending it is refused";
    planted(V1, edit, Class::BreaksCallers, "OrderByDirection", message);
    let edit = |root: &mut Value| drop(root.pointer_mut("/components/schemas/v1OriginatorType/enum/2").unwrap().take());
    let message = "has lost the value `ORIGINATOR_TYPE_ADMINISTRATIVE`: it no longer arrives";
    planted(V1, edit, Class::Cosmetic, "OriginatorType", message);
    let edit = |root: &mut Value| {
        set(root, "/components/schemas/v1PaginationRequest/properties/pageToken/enum", json!(["a", "b"]));
    };
    let message = "may be any text, published as one of a, b";
    planted(V1, edit, Class::BreaksCallers, "PaginationRequest.pageToken", message);
}

#[test]
fn an_enum_beside_plain_text_is_any_text() {
    let pointer = "/components/schemas/v1PaginationRequest/properties/pageToken";
    let open = |other: Value| json!({ "anyOf": [{ "type": "string", "enum": ["a", "b"] }, other] });
    assert_eq!(added(V1, |root| set(root, pointer, open(json!({ "type": ["string", "null"] })))), []);
    let edit = |root: &mut Value| set(root, pointer, open(json!({ "type": "string", "enum": ["c"] })));
    let message = "may be any text, published as one of c, a, b";
    planted(V1, edit, Class::BreaksCallers, "PaginationRequest.pageToken", message);
}

#[test]
fn a_tighter_limit_breaks_callers_and_an_unknown_one_is_new() {
    let pointer = "/paths/~1incidents~1incidents~1v1~1all~1by-user/delete/parameters/0/schema/maxItems";
    let message = "has `maxItems: 10000`, published as `maxItems: 100`";
    planted(V5, |root| set(root, pointer, json!(100)), Class::BreaksCallers, "query parameter incident_ids", message);
    let message = "has `maxItems: 10000`, published as `maxItems: 20000`";
    planted(V5, |root| set(root, pointer, json!(20_000)), Class::Cosmetic, "query parameter incident_ids", message);
    let edit = |root: &mut Value| {
        set(root, "/components/schemas/v1PaginationRequest/properties/pageToken/maxLength", json!(50));
    };
    planted(V1, edit, Class::New, "PaginationRequest.pageToken", "is limited by `maxLength: 50`");
}

#[test]
fn a_success_that_we_do_not_decode_breaks_decoding() {
    let responses = format!("{}/post/responses", v1(":resolve"));
    let found = added(V1, |root| {
        let response = remove(root, &format!("{responses}/200"));
        remove(root, &format!("{responses}/default"));
        set(root, &format!("{responses}/204"), response);
    });
    assert!(
        found.contains(&(
            Class::BreaksDecoding,
            "response 200".to_owned(),
            "is not published; there is 204".to_owned()
        )),
        "{found:?}"
    );
    let edit = |root: &mut Value| drop(remove(root, &format!("{responses}/200/content")));
    let message = "is published without a schema for `application/json`";
    planted(V1, edit, Class::BreaksDecoding, "response 200", message);
    let edit = |root: &mut Value| set(root, &format!("{responses}/202"), json!({ "description": "" }));
    planted(V1, edit, Class::New, "responses", "has a success that we lack: 202");
    let edit = |root: &mut Value| set(root, &format!("{responses}/409"), json!({ "description": "" }));
    planted(V1, edit, Class::Cosmetic, "responses", "has errors that we don't list: 409");
}

#[test]
fn the_json_that_is_compared_is_the_plainest() {
    let pointer = format!("{}/post/responses/200/content", v1(":resolve"));
    let edit = |root: &mut Value| {
        let plain = remove(root, &format!("{pointer}/application~1json"));
        let other = json!({ "schema": { "type": "integer" } });
        let content =
            json!({ "*/*": other, "application/problem+json": other, "application/json; charset=utf-8": plain });
        set(root, &pointer, content);
    };
    assert_eq!(added(V1, edit), []);
}

#[test]
fn what_is_deprecated_is_new() {
    let edit = |root: &mut Value| set(root, &format!("{}/post/deprecated", v1(":resolve")), json!(true));
    planted(V1, edit, Class::New, "operation", "is deprecated");
    let edit =
        |root: &mut Value| set(root, "/components/schemas/v1Incident/properties/metaLabels/deprecated", json!(true));
    planted(V1, edit, Class::New, "Incident.metaLabels", "is deprecated");
}

#[test]
fn messages_that_contain_themselves_are_compared_once() {
    let node = |inner: &Value| json!({ "type": "object", "properties": { "next": inner, "id": { "type": "string" } } });
    let document = |next: &Value, schemas: Value| {
        json!({
            "openapi": "3.0.3",
            "paths": { "/v1/incidents": { "get": { "operationId": "walk", "responses": { "200": { "content": {
                "application/json": { "schema": next }
            }}}}}},
            "components": { "schemas": schemas },
        })
        .to_string()
    };
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let ours = document(&reference("Node"), json!({ "Node": node(&reference("Node")) }));
    // The same list, unrolled into two messages that refer to each other, with a fault in the second.
    let mut second = node(&reference("A"));
    second["properties"]["id"] = json!({ "type": "integer" });
    let published = document(&reference("A"), json!({ "A": node(&reference("B")), "B": second }));
    let found = compare(&parsed(&ours), &parsed(&published)).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].class, found[0].place.as_str()), (Class::BreaksDecoding, "Node.id"));
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_line() {
    assert!(
        refused("swagger: '2.0'\npaths: {}\n").starts_with("published.yaml:1: this is Swagger \"2.0\": convert it")
    );
    assert_eq!(refused("openapi: 4.0.0\n"), "published.yaml:1: OpenAPI 4.0.0: drift reads OpenAPI 3.0 and 3.1");
    assert_eq!(refused("openapi: 3.1\n"), "published.yaml: the file has no `paths`");
    assert_eq!(refused("openapi: 3.2\n"), "published.yaml:1: OpenAPI 3.2: drift reads OpenAPI 3.0 and 3.1");
    assert_eq!(refused("a: 1\n"), "published.yaml:1: no `openapi: 3...`: drift reads OpenAPI 3.0 and 3.1");
    assert_eq!(refused("openapi: 3.0.0\n"), "published.yaml: the file has no `paths`");
    assert!(refused("openapi: 3.0.0\npaths: {}\n").contains("it has none of our"));
    assert_eq!(
        refused("openapi: 3.0.0\npaths:\n  /a: &a\n    b: *a\n"),
        "published.yaml:4: an alias refers to the node that holds it: the document never ends"
    );
    let path = "openapi: 3.0.0\npaths:\n  /v1/incidents:\n    post:\n      requestBody:\n";
    for (body, error) in [
        (
            "$ref: '#/components/requestBodies/Gone'",
            "6: `$ref: #/components/requestBodies/Gone` refers to nothing in this file",
        ),
        ("$ref: 'other.yaml#/a'", "6: `$ref: other.yaml#/a` leaves this file: bundle it into one file first"),
        ("$ref: 7", "6: a `$ref` must be text"),
        ("$ref: '#/paths/~1v1~1incidents/post/requestBody'", "6: this `$ref` leads back to itself"),
        ("content: {application/json: {schema: 3}}", "6: a schema must be a mapping"),
        ("content: {application/json: {schema: {type: text}}}", "6: the type `text` is not understood"),
        (
            "content: {application/json: {schema: {allOf: [{$ref: '#/nowhere'}]}}}",
            "6: `$ref: #/nowhere` refers to nothing in this file",
        ),
    ] {
        assert_eq!(refused(&format!("{path}        {body}\n")), format!("published.yaml:{error}"));
    }
}

#[test]
fn references_within_an_endless_ring_of_parts_end() {
    let ring = edited(V1, |root| {
        set(root, "/components/schemas/v1Incident/allOf", json!([{ "$ref": "#/components/schemas/v1Incident" }]));
    });
    assert_eq!(differences(&ring).len(), differences(V1).len());
}

#[test]
fn a_broken_reference_in_another_part_of_the_file_is_none_of_our_business() {
    let edit = |root: &mut Value| {
        let schema = "/paths/~1mgmt~1openapi~1v1~1alerts/get/responses/200/content/application~1json/schema";
        set(root, schema, json!({ "$ref": "#/components/schemas/Gone" }));
    };
    assert_eq!(added(V1, edit), []);
    for item in [json!({ "$ref": "alerts.yaml" }), json!({ "get": "gone" })] {
        assert_eq!(added(V1, |root| set(root, "/paths/~1alerts", item.clone())), [], "{item}");
        let ours = edited(V1, |root| set(root, "/paths/~1mgmt~1openapi~1v1~1incidents:merge", item));
        refused(&ours);
    }
}

#[test]
fn anchors_are_read() {
    let text = V1.replace(
        "      operationId: IncidentsService_UnassignIncidents\n",
        "      operationId: &id IncidentsService_UnassignIncidents\n      x-id: *id\n",
    );
    assert_ne!(text, V1);
    assert_eq!(differences(&text).len(), differences(V1).len());
}

/// A file with nonsense anywhere in it is an answer or an error, never a panic.
#[test]
fn nonsense_never_panics() {
    let root = parsed(V5).root().clone();
    let mut pointers = Vec::new();
    // Where it is read, and read in every way.
    let places = ["/servers", "/paths/~1incidents~1incidents~1v1~1all~1by-user", &format!("{MESSAGES}Incident")];
    crate::json_pointer::walk(&root, "", &mut |pointer, _| {
        if places.iter().any(|place| pointer.starts_with(place)) {
            pointers.push(pointer.to_owned());
        }
    });
    let nonsense = [
        json!(null),
        json!(3),
        json!("é4"),
        json!([]),
        json!({}),
        json!(true),
        json!({ "$ref": "#" }),
        json!({ "4é": { "$ref": "#/components" } }),
        json!([[{}]]),
    ];
    let mut state = 1_u64;
    let mut errors = 0;
    for _ in 0..60 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = usize::try_from(state >> 33).unwrap();
        let mut broken = root.clone();
        *broken.pointer_mut(&pointers[random % pointers.len()]).unwrap() =
            nonsense[random / 7 % nonsense.len()].clone();
        let published = parsed(&broken.to_string());
        match compare(&OURS, &published) {
            Ok(found) => drop(report::table(&found)),
            Err(error) => {
                assert!(error.to_string().starts_with("published.yaml"), "{error}");
                errors += 1;
            }
        }
    }
    assert!(errors > 10, "the nonsense is too tame: {errors} errors");
}

/// A file as long as the vendor's whole API: 60,000 lines around the incidents. Alone on the machine it takes less than a
/// second in a debug build; the limit leaves room for the other tests that run meanwhile.
#[test]
fn sixty_thousand_lines_are_compared_in_seconds() {
    let (head, schemas) = V1.split_once("components:\n  schemas:\n").unwrap();
    let mut text = head.to_owned();
    let operation = |number: usize| {
        format!(
            "  /mgmt/openapi/v1/things{number}:\n    post:\n      tags: [ThingsService]\n      operationId: Thing{number}\n      \
             requestBody:\n        content:\n          application/json:\n            schema:\n              $ref: \
             '#/components/schemas/v1Thing{number}'\n      responses:\n        '200':\n          description: Done.\n          \
             content:\n            application/json:\n              schema:\n                $ref: \
             '#/components/schemas/v1Thing{number}'\n"
        )
    };
    (0..1000).for_each(|number| text.push_str(&operation(number)));
    text.push_str("components:\n  schemas:\n");
    text.push_str(schemas);
    let member = |number: usize| format!("        member{number}:\n          type: string\n");
    let members = (0..20).map(member).collect::<Vec<_>>().concat();
    let schema = |number: usize| format!("    v1Thing{number}:\n      type: object\n      properties:\n{members}");
    (0..1000).for_each(|number| text.push_str(&schema(number)));
    assert!(text.lines().count() >= 60_000, "{}", text.lines().count());
    let start = Instant::now();
    let found = compare(&OURS, &parsed(&text)).unwrap();
    let time = start.elapsed();
    assert_eq!(found.len(), differences(V1).len());
    println!("{} lines: {time:?}", text.lines().count());
    assert!(time.as_secs_f64() < 5.0, "{time:?}");
}

#[test]
fn the_table_is_aligned_and_counts_what_it_shows() {
    let difference = |class, place: &str, operations: &[&str], reason: Option<&str>| Difference {
        class,
        place: place.to_owned(),
        message: "differs".to_owned(),
        operations: operations.iter().map(|operation| (*operation).to_owned()).collect(),
        ours: "ours.yaml:12".to_owned(),
        published: "published.yaml:3456".to_owned(),
        reason: reason.map(str::to_owned),
    };
    let found = [
        difference(Class::BreaksCallers, "a", &["one"], None),
        difference(Class::Cosmetic, "Longer.place", &["one", "two", "three"], None),
        difference(Class::Cosmetic, "Another", &["one"], None),
        difference(Class::KnownDeviation, "b", &["one"], Some("So it is.")),
    ];
    let expected = "\
CLASS            OURS  PUBLISHED  PLACE         DIFFERENCE
breaks callers   12    3456       a             differs [one]
cosmetic         12    3456       Longer.place  differs [one and 2 more]; and in 1 more place, which `--json` lists
known deviation  12    3456       b             differs [one]
                 because: So it is.

4 differences: 1 breaks callers, 0 breaks decoding, 0 new, 2 cosmetic, 1 known deviation
";
    assert_eq!(report::table(&found), expected);
    let objects: Value = serde_json::from_str(&report::json(&found).unwrap()).unwrap();
    assert_eq!(objects.as_array().map(Vec::len), Some(4));
    assert_eq!(objects[3]["class"], "known deviation");
    assert_eq!(objects[3]["reason"], "So it is.");
    assert_eq!(objects[0]["operations"], json!(["one"]));
}
