//! Helpers for reading OpenAPI files. This module must not know what they are read for.

use serde_json::Value;

/// The keys of a path item that hold operations.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The OpenAPI version of a document, or an empty string. `3.1` without quotes is a number in YAML.
pub fn version(root: &Value) -> String {
    match &root["openapi"] {
        Value::String(version) => version.clone(),
        Value::Number(version) => version.to_string(),
        _ => String::new(),
    }
}

/// The text of a member, or an empty string.
pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Whether a member is `true`.
pub fn is_true(value: &Value, key: &str) -> bool {
    value[key] == Value::Bool(true)
}

/// The items of a list. Empty for any other value.
pub fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The texts in a list. Empty for any other value.
pub fn texts(value: &Value) -> impl Iterator<Item = &str> {
    items(value).iter().filter_map(Value::as_str)
}

/// The members of a mapping. Empty for any other value.
pub fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
