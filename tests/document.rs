//! The OpenAPI document as tables, written by `build.rs`, and judgement by its schemas.

use std::sync::LazyLock;

use coralogix_incidents::types;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

include!(concat!(env!("OUT_DIR"), "/document.rs"));

/// A schema and the Rust type generated from it.
pub(crate) struct Type {
    pub(crate) name: &'static str,
    /// JSON Schema by schemars.
    pub(crate) json_schema: fn() -> Value,
    /// Decodes and encodes again.
    pub(crate) round_trip: fn(&Value) -> Result<Value, serde_json::Error>,
    /// Decodes, and prints what came of it.
    pub(crate) debug: fn(&str) -> String,
}

impl Type {
    const fn of<T: DeserializeOwned + Serialize + schemars::JsonSchema + std::fmt::Debug>(name: &'static str) -> Self {
        Self {
            name,
            json_schema: || schemars::SchemaGenerator::default().into_root_schema_for::<T>().to_value(),
            round_trip: |value| serde_json::to_value(serde_json::from_str::<T>(&value.to_string())?),
            debug: |text| format!("{:#?}", serde_json::from_str::<T>(text).unwrap()),
        }
    }

    #[track_caller]
    pub(crate) fn named(name: &str) -> &'static Self {
        TYPES.iter().find(|ty| ty.name == name).unwrap_or_else(|| panic!("no schema {name}"))
    }
}

/// A documented request or response.
pub(crate) struct Sample {
    pub(crate) file: &'static str,
    pub(crate) schema: &'static str,
    pub(crate) text: &'static str,
}

impl Sample {
    #[track_caller]
    pub(crate) fn named(file: &str) -> &'static Self {
        SAMPLES.iter().find(|sample| sample.file == file).unwrap_or_else(|| panic!("no sample {file}"))
    }

    /// The name of a snapshot: `<operation>__<case>`.
    pub(crate) fn snapshot(&self, fact: &str) -> String {
        let stem = self.file.trim_end_matches(".json").replace('.', "_");
        if stem.contains("__") { format!("{stem}_{fact}") } else { format!("{stem}__{fact}") }
    }

    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(self.text).unwrap()
    }
}

/// Snapshots are named `<operation>__<case>`, without the module's name.
pub(crate) fn snapshots() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind_to_scope()
}

pub(crate) fn document() -> &'static Value {
    static PARSED: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(DOCUMENT).unwrap());
    &PARSED
}

/// How a value is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// By the letter of the document: for samples and requests.
    Strict,
    /// As the document says responses are to be read: any member may be absent or `null`.
    Response,
}

/// What is wrong with `value` as an instance of a schema of the document; empty if nothing.
pub(crate) fn problems(schema: &str, value: &Value, judgement: Judgement) -> Vec<String> {
    let mut defs = document()["components"]["schemas"].clone();
    rewrite(&mut defs, judgement);
    let root = serde_json::json!({ "$ref": format!("#/$defs/{schema}"), "$defs": defs });
    let mut value = value.clone();
    if judgement == Judgement::Response {
        drop_nulls(&mut value);
    }
    let validator = jsonschema::validator_for(&root).unwrap();
    validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// OpenAPI's schemas as JSON Schemas.
fn rewrite(value: &mut Value, judgement: Judgement) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref") {
                *reference = reference.replace("#/components/schemas/", "#/$defs/");
            }
            if judgement == Judgement::Response && members.get("required").is_some_and(Value::is_array) {
                members.remove("required");
            }
            members.values_mut().for_each(|member| rewrite(member, judgement));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, judgement)),
        _ => {}
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// A value with its timestamps in one form: `2024-01-01T00:00:00.000Z` and `2024-01-01T00:00:00Z` are one time.
pub(crate) fn comparable(mut value: Value) -> Value {
    fn normalize(value: &mut Value) {
        match value {
            Value::Object(members) => members.values_mut().for_each(normalize),
            Value::Array(items) => items.iter_mut().for_each(normalize),
            Value::String(text) => {
                if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
                    *text = time.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true);
                }
            }
            _ => {}
        }
    }
    normalize(&mut value);
    value
}
