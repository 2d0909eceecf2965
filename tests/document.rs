//! The OpenAPI document, its samples, the types that `build.rs` lists, and judgement by its schemas.

use std::{collections::BTreeMap, sync::LazyLock};

use coralogix_incidents::types;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::repository;

include!(concat!(env!("OUT_DIR"), "/types.rs"));

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
    pub(crate) file: String,
    pub(crate) schema: String,
    pub(crate) text: String,
}

/// The samples that the document refers to, by name. That it refers to all of them is checked by `cargo xtask lint`.
pub(crate) static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let mut schemas = BTreeMap::new();
    let operations = members(&DOCUMENT["paths"]).flat_map(members);
    for place in ["/requestBody", "/responses/200"] {
        for content in operations.clone().filter_map(|operation| operation.pointer(place)?.pointer(JSON)) {
            for example in members(&content["examples"]) {
                schemas.insert(example["externalValue"].as_str().unwrap(), content["schema"]["$ref"].as_str().unwrap());
            }
        }
    }
    let sample = |(path, schema): (&str, &str)| Sample {
        file: path.trim_start_matches("samples/").to_owned(),
        schema: schema.rsplit('/').next().unwrap().to_owned(),
        text: repository::read(&format!("openapi/{path}")),
    };
    schemas.into_iter().map(sample).collect()
});

const JSON: &str = "/content/application~1json";

fn members(value: &Value) -> impl Iterator<Item = &Value> + Clone {
    value.as_object().into_iter().flat_map(|members| members.values())
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
        serde_json::from_str(&self.text).unwrap()
    }
}

/// Snapshots are named `<operation>__<case>`, without the module's name.
pub(crate) fn snapshots() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind_to_scope()
}

pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_saphyr::from_str(&repository::read("openapi/incidents.yaml")).unwrap());

/// What is wrong with `value` as an instance of a schema of the document; empty if nothing.
pub(crate) fn problems(schema: &str, value: &Value) -> Vec<String> {
    static SCHEMAS: LazyLock<Value> = LazyLock::new(|| {
        let schemas = DOCUMENT["components"]["schemas"].to_string();
        serde_json::from_str(&schemas.replace("#/components/schemas/", "#/$defs/")).unwrap()
    });
    let root = serde_json::json!({ "$ref": format!("#/$defs/{schema}"), "$defs": *SCHEMAS });
    let validator = jsonschema::validator_for(&root).unwrap();
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
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
