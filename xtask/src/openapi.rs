//! Helpers for reading OpenAPI files. This module must not know what they are read for.

use serde_json::Value;

/// The keys of a path item that hold operations.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The OpenAPI version of a document, or an empty string. `3.1` without quotes is a number in YAML.
pub fn version(root: &Value) -> String {
    match root.get("openapi") {
        Some(Value::String(version)) => version.clone(),
        Some(Value::Number(version)) => version.to_string(),
        _ => String::new(),
    }
}

/// The text of a member, or an empty string.
pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
