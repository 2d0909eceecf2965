//! The document as a judge of replies: what it calls required may be absent or null, and everything else is taken strictly.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::connection::Reply;

pub(crate) struct Document {
    pub(crate) yaml: Value,
    /// The schemas without `required`.
    lenient: Value,
    /// The schemas of messages that show their unset members.
    populated: Value,
}

impl Document {
    pub(crate) fn get() -> &'static Self {
        static DOCUMENT: OnceLock<Document> = OnceLock::new();
        DOCUMENT.get_or_init(|| {
            let yaml: Value = serde_saphyr::from_str(include_str!("../../openapi.yaml")).unwrap();
            let schemas = &yaml["components"]["schemas"];
            let mut populated = strict(schemas);
            for (name, schema) in populated.as_object_mut().unwrap() {
                populate(schema, &schemas[name], schemas);
            }
            Document { lenient: strict(schemas), populated, yaml }
        })
    }

    /// Operations as (method, path template, operation).
    pub(crate) fn operations(&self) -> impl Iterator<Item = (String, &str, &Value)> {
        self.yaml["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods.iter().map(|(method, operation)| (method.to_uppercase(), path.as_str(), operation))
        })
    }

    /// The members of a message.
    pub(crate) fn properties(&self, schema: &str) -> &Map<String, Value> {
        static NONE: OnceLock<Map<String, Value>> = OnceLock::new();
        let properties = self.yaml["components"]["schemas"][schema]["properties"].as_object();
        properties.unwrap_or_else(|| NONE.get_or_init(Map::new))
    }

    /// Checks a response against the document. `populated` says that it shows unset members, as gateways do by default.
    #[track_caller]
    pub(crate) fn judge(&self, method: &str, path: &str, reply: &Reply, populated: bool) {
        let path = path.strip_prefix("/mgmt/openapi").unwrap();
        let path = path.split('?').next().unwrap();
        let mut fitting: Vec<_> =
            self.operations().filter(|(of, template, _)| of == method && fits(template, path)).collect();
        // A literal segment comes before a parameter.
        fitting.sort_by_key(|(_, template, _)| template.matches('{').count());
        let schema = match (fitting.first(), reply.status) {
            (Some((_, _, operation)), 200) => {
                let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
                schema.as_str().unwrap().rsplit('/').next().unwrap().to_owned()
            }
            _ => "Status".to_owned(),
        };
        let reply = reply.json();
        if populated { self.judge_populated(&schema, &reply) } else { self.judge_as(&schema, &reply) }
    }

    #[track_caller]
    pub(crate) fn judge_as(&self, schema: &str, value: &Value) {
        validate(&json!({ "$ref": format!("#/$defs/{schema}"), "$defs": self.lenient }), &without_nulls(value));
    }

    /// Checks a message by the two rules by which the vendor's own Go client reads responses: each member that the newest
    /// publication calls required is there, and of a oneof at most one member is there, not even as `null`. Only members
    /// outside of oneofs are required, and the emulator shows all of them.
    #[track_caller]
    pub(crate) fn judge_populated(&self, schema: &str, value: &Value) {
        validate(&json!({ "$ref": format!("#/$defs/{schema}"), "$defs": self.populated }), value);
    }
}

/// Checks a value against a schema.
#[track_caller]
pub(crate) fn validate(schema: &Value, value: &Value) {
    let validator = jsonschema::options().should_validate_formats(true).build(schema).unwrap();
    let problems: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(problems.is_empty(), "not a valid {}: {problems:#?}\n{value:#}", schema["$ref"]);
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let mut pairs = template.iter().zip(&path);
    template.len() == path.len() && pairs.all(|(part, segment)| part == segment || part.starts_with('{'))
}

/// Without `required`, and without members that are not listed.
fn strict(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut strict: Map<String, Value> = members
                .iter()
                .filter(|(name, value)| *name != "example" && !(*name == "required" && value.is_array()))
                .map(|(name, value)| (name.clone(), strict(value)))
                .collect();
            if members.get("type").is_some_and(|kind| kind == "object") {
                strict.entry("additionalProperties").or_insert(json!(false));
            }
            Value::Object(strict)
        }
        Value::Array(items) => items.iter().map(strict).collect(),
        Value::String(text) => json!(text.replace("#/components/schemas/", "#/$defs/")),
        other => other.clone(),
    }
}

/// Requires the members of a message that are in no oneof, and forbids two members of a oneof. An unset list, map or enum has a
/// value; anything else is `null`.
fn populate(schema: &mut Value, message: &Value, schemas: &Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let oneofs = message["x-oneof"].as_array().cloned().unwrap_or_default();
    let in_oneof = |name: &&String| oneofs.iter().flat_map(|group| group.as_array().unwrap()).any(|one| one == *name);
    let required: Vec<String> = properties.keys().filter(|name| !in_oneof(name)).cloned().collect();
    for name in &required {
        let property = &message["properties"][name];
        let reference = property["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        let is_enum = reference.is_some_and(|name| schemas[name].get("enum").is_some());
        if !is_enum && property["type"] != "array" && property.get("additionalProperties").is_none() {
            properties[name] = json!({ "anyOf": [{ "type": "null" }, properties[name]] });
        }
    }
    let mut rules = vec![json!({ "required": required })];
    for group in oneofs.iter().map(|group| group.as_array().unwrap()) {
        for (at, one) in group.iter().enumerate() {
            rules.extend(group[..at].iter().map(|other| json!({ "not": { "required": [one, other] } })));
        }
    }
    schema["allOf"] = json!(rules);
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            members.map(|(name, value)| (name.clone(), without_nulls(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_validator_finds_what_the_document_does_not_allow() {
    let judge = |value: Value| {
        std::panic::catch_unwind(|| Document::get().judge_as("UnassignIncidentsResponse", &value)).is_ok()
    };
    assert!(judge(json!({})));
    assert!(judge(json!({ "incidents": [{ "id": null, "events": [{ "unassign": {} }] }] })));
    for bad in [
        json!({ "incident": [] }),
        json!({ "incidents": [{ "id": 5 }] }),
        json!({ "incidents": [{ "state": "INCIDENT_STATE_NOT_IN_THE_DOCUMENT" }] }),
        json!({ "incidents": [{ "createdAt": "yesterday" }] }),
        json!({ "incidents": [{ "events": [{ "unassign": { "by": "dana" } }] }] }),
    ] {
        assert!(!judge(bad.clone()), "{bad} passed");
    }
}

#[test]
fn the_rules_find_what_the_vendors_client_refuses() {
    let passes = |schema: &str, value: Value| {
        std::panic::catch_unwind(|| Document::get().judge_populated(schema, &value)).is_ok()
    };
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
