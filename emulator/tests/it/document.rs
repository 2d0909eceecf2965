//! The document as a judge of replies: what it calls required may be absent or null, and everything else is taken strictly.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::raw::Reply;

pub(crate) struct Document {
    pub(crate) yaml: Value,
    definitions: Value,
}

impl Document {
    pub(crate) fn get() -> &'static Self {
        static DOCUMENT: OnceLock<Document> = OnceLock::new();
        DOCUMENT.get_or_init(|| {
            let yaml: Value = serde_saphyr::from_str(include_str!("../../openapi.yaml")).unwrap();
            let definitions = strict(&yaml["components"]["schemas"]);
            Document { yaml, definitions }
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
        self.judge_as(&schema, &reply);
        if populated {
            crate::populated::judge(&schema, &reply);
        }
    }

    /// The protobuf oneofs of a message.
    pub(crate) fn oneofs(&self, schema: &str) -> Vec<Vec<&str>> {
        let groups = self.yaml["components"]["schemas"][schema]["x-oneof"].as_array().into_iter().flatten();
        groups.map(|group| group.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()).collect()
    }

    #[track_caller]
    pub(crate) fn judge_as(&self, schema: &str, value: &Value) {
        let root = json!({ "$ref": format!("#/$defs/{schema}"), "$defs": self.definitions });
        let validator: Validator = jsonschema::options().should_validate_formats(true).build(&root).unwrap();
        let value = without_nulls(value);
        let problems: Vec<_> =
            validator.iter_errors(&value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert!(problems.is_empty(), "not a valid {schema}: {problems:#?}\n{value:#}");
    }
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
