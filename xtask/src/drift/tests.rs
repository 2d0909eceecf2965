//! Files are compared with a small document of the same shape as ours, and a test looks at what its one change adds.

mod classes;
mod objects;
mod rendering;
mod whole_files;

use std::{collections::BTreeSet, sync::LazyLock};

use serde_json::{Value, json};

use super::*;
use crate::json_pointer::join;

const OURS_TEXT: &str = include_str!("../../tests/data/ours.yaml");
const V1: &str = include_str!("../../tests/data/published_v1.yaml");
const V5: &str = include_str!("../../tests/data/published_v5.yaml");
static OURS: LazyLock<Document> = LazyLock::new(|| Document::parse(Path::new("ours.yaml"), OURS_TEXT).unwrap());
/// Where the messages of the V1 file begin.
const MESSAGES: &str = "/components/schemas/v1";

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

/// Class, place and message of each difference.
type Key = (Class, String, String);

fn keys(found: Vec<Difference>) -> Vec<Key> {
    found.into_iter().map(|difference| (difference.class, difference.place, difference.message)).collect()
}

/// What an edit of a published file adds.
#[track_caller]
fn added(text: &str, edit: impl FnOnce(&mut Value)) -> Vec<Key> {
    let before: BTreeSet<Key> = keys(differences(text)).into_iter().collect();
    keys(differences(&edited(text, edit))).into_iter().filter(|key| !before.contains(key)).collect()
}

/// Expects that an edit adds one difference.
#[track_caller]
fn planted(text: &str, edit: impl FnOnce(&mut Value), class: Class, place: &str, message: &str) {
    let found = added(text, edit);
    assert_eq!(found, [(class, place.to_owned(), message.to_owned())]);
}

/// Sets the value at a pointer. `None` removes it.
#[track_caller]
fn set(root: &mut Value, pointer: &str, value: impl Into<Option<Value>>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = root.pointer_mut(parent).unwrap_or_else(|| panic!("there is no {parent}"));
    let key = key.replace("~1", "/").replace("~0", "~");
    match (parent, value.into()) {
        (Value::Array(items), value) => {
            let index: usize = key.parse().unwrap();
            items.splice(index..items.len().min(index + 1), value);
        }
        (parent, Some(value)) => parent[key] = value,
        (parent, None) => drop(parent.as_object_mut().unwrap().shift_remove(&key)),
    }
}

fn v1(path: &str) -> String {
    join("/paths", format!("/v1/incidents{path}"))
}

#[test]
fn a_document_has_no_difference_from_itself() {
    assert_eq!(differences(OURS_TEXT), []);
}

#[test]
fn files_whose_differences_are_all_intended_need_no_action() {
    for (text, operations, left_out) in
        [(V1, 4, "none of the 3 operations of generation v5"), (V5, 3, "none of the 4 operations of generation v1")]
    {
        let found = differences(text);
        let kept: Vec<&Difference> = found.iter().filter(|difference| difference.class.needs_action()).collect();
        assert!(kept.is_empty(), "{kept:#?}");
        assert!(found.iter().any(|difference| difference.message.contains(left_out)), "{found:#?}");
        let compared: BTreeSet<&String> =
            found.iter().filter(|found| found.place != "generation").flat_map(|found| &found.operations).collect();
        assert_eq!(compared.len(), operations, "{compared:?}");
    }
}

#[test]
fn schema_names_inline_schemas_prefixes_and_the_syntax_of_3_1_make_no_difference() {
    fn rename(node: &mut Value) {
        match node {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get_mut("$ref") {
                    *reference = reference.replace("/schemas/", "/schemas/Other");
                }
                // A member may be null, in the syntax of 3.1.
                for member in members.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
                    if let Some(kind) = member.1.get("type").cloned() {
                        member.1["type"] = json!([kind, null]);
                    }
                }
                members.values_mut().for_each(rename);
            }
            Value::Array(items) => items.iter_mut().for_each(rename),
            _ => {}
        }
    }
    let other = edited(OURS_TEXT, |root| {
        root["openapi"] = json!(3.1);
        root["servers"] = json!([{ "url": "https://api.two.example.com/" }]);
        root["tags"] = json!([]);
        rename(&mut root["paths"]);
        rename(&mut root["components"]);
        let schemas = std::mem::take(root["components"]["schemas"].as_object_mut().unwrap());
        root["components"]["schemas"] =
            schemas.into_iter().map(|(name, schema)| (format!("Other{name}"), schema)).collect();
        let paths = std::mem::take(root["paths"].as_object_mut().unwrap());
        root["paths"] = paths.into_iter().map(|(path, item)| (format!("/mgmt/openapi{path}"), item)).collect();
        let inline = root.pointer("/components/schemas/OtherUnassignIncidentsRequest").cloned().unwrap();
        let path = "/paths/~1mgmt~1openapi~1v1~1incidents:unassign/post/requestBody/content/application~1json/schema";
        set(root, path, inline);
        let incident =
            json!({ "allOf": [{ "anyOf": [{ "$ref": "#/components/schemas/OtherIncident" }, { "type": "null" }] }] });
        set(root, "/components/schemas/OtherGetIncidentResponse/properties/incident", incident);
    });
    assert_eq!(differences(&other), []);
}

#[test]
fn a_deviation_does_not_hide_another_change_of_the_same_member() {
    let name = format!("{MESSAGES}Incident/properties/name/type");
    let edit = |root: &mut Value| set(root, &name, json!("integer"));
    planted(V1, edit, Class::BreaksDecoding, "Incident.name", "is string, published as integer");
    let duration = format!("{MESSAGES}Incident/properties/duration/format");
    let edit = |root: &mut Value| set(root, &duration, json!("hours"));
    let message = "has format `google-duration`, published with format `hours`";
    planted(V1, edit, Class::Cosmetic, "Incident.duration", message);
    // A limit is covered with its value.
    let ids = format!("{MESSAGES}UnassignRequest/properties/incidentIds/maxItems");
    let place = "UnassignIncidentsRequest.incidentIds";
    planted(V1, |root| set(root, &ids, json!(50)), Class::New, place, "is limited by `maxItems: 50`");
    let message = "is limited by `maxItems: 10000`";
    planted(V1, |root| set(root, &ids, json!(10_000)), Class::KnownDeviation, place, message);
    // A list speaks for its items.
    let format = format!("{MESSAGES}UnassignRequest/properties/incidentIds/items/format");
    let place = "UnassignIncidentsRequest.incidentIds[]";
    let message = "has no format, published with format `uuid`";
    planted(V1, |root| set(root, &format, json!("uuid")), Class::KnownDeviation, place, message);
    let message = "has no format, published with format `email`";
    planted(V1, |root| set(root, &format, json!("email")), Class::New, place, message);
}

#[test]
fn a_deviation_for_a_required_name_does_not_cover_a_real_member() {
    let pointer = format!("{MESSAGES}Event/properties/payload");
    let edit = |root: &mut Value| set(root, &pointer, json!({ "type": "object" }));
    planted(V1, edit, Class::New, "Event", "we lack the member `payload`");
}

#[test]
fn the_syntax_of_deviations_is_checked() {
    let found = deviation::check("/x-deviation", &json!({ "x-deviation": { "covers": ["required"] } }));
    assert_eq!(found.len(), 1, "{found:?}");
    // And each of the document of these tests is right.
    crate::json_pointer::walk(OURS.root(), "", &mut |pointer, node| {
        if node.get("x-deviation").is_some() {
            assert!(deviation::check(&join(pointer, "x-deviation"), node).is_empty(), "{pointer}");
        }
    });
}

#[test]
fn recursive_messages_are_compared_once() {
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
