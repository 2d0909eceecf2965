//! The document's schemas as JSON Schema, strict enough to find a slip in a sample. It must not know what is validated.

use anyhow::{Result, anyhow};
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::{
    model::{Model, reference_name, text},
    openapi::members,
};

/// A validator of a schema of the document. It refuses members that the schema does not name: a client reads them, but a
/// sample has no reason to show them.
pub(super) fn validator(model: &Model<'_>, schema: &Value) -> Result<Validator> {
    let mut roots = Vec::new();
    crate::json_pointer::walk(schema, "", &mut |_, node| roots.extend(reference_name(node)));
    let definitions: Map<String, Value> = model
        .reachable(roots)
        .into_iter()
        .filter_map(|name| model.schema(&name).map(|schema| (name, json_schema(schema))))
        .collect();
    let mut root = json!({ "allOf": [json_schema(schema)] });
    if !definitions.is_empty() {
        root["$defs"] = Value::Object(definitions);
    }
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_format("google-duration", is_duration)
        .with_format("int64", |text| text.parse::<i64>().is_ok())
        .with_format("uint64", |text| text.parse::<u64>().is_ok())
        .build(&root)
        .map_err(|error| anyhow!("not a JSON Schema: {error}"))
}

/// OpenAPI 3.0's dialect as JSON Schema 2020-12.
fn json_schema(schema: &Value) -> Value {
    if let Some(name) = reference_name(schema) {
        return json!({ "$ref": format!("#/$defs/{name}") });
    }
    let mut out = Map::new();
    for (key, value) in members(schema) {
        let value = match key.as_str() {
            "properties" => members(value).map(|(name, schema)| (name.clone(), json_schema(schema))).collect(),
            "items" | "additionalProperties" if value.is_object() => json_schema(value),
            "description" | "example" | "title" => continue,
            extension if extension.starts_with("x-") => continue,
            _ => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    if text(schema, "type") == "object" {
        out.entry("additionalProperties").or_insert(Value::Bool(false));
    }
    // JSON Schema asserts formats of text only.
    if text(schema, "type") == "integer" && text(schema, "format") == "int32" {
        out.insert("minimum".to_owned(), i32::MIN.into());
        out.insert("maximum".to_owned(), i32::MAX.into());
    }
    Value::Object(out)
}

/// Decimal seconds with up to nine fractional digits, or the placeholder of the vendor's documented sample.
fn is_duration(text: &str) -> bool {
    const MOST_SECONDS: u64 = 315_576_000_000;
    if text == "<string>" {
        return true;
    }
    let Some(number) = text.strip_suffix('s') else { return false };
    let number = number.strip_prefix('-').unwrap_or(number);
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(seconds)
        && digits(fraction)
        && fraction.len() <= 9
        && seconds.parse().is_ok_and(|seconds: u64| seconds <= MOST_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_decimal_seconds() {
        for text in ["0s", "3600s", "-1.5s", "0.000000001s", "-315576000000.999999999s", "<string>"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["", "s", "1", "1.s", ".5s", "1.0000000001s", "--1s", "+1s", "315576000001s", "1m"] {
            assert!(!is_duration(text), "{text}");
        }
    }
}
