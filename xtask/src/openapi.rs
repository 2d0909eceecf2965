//! What every reader of an OpenAPI file needs. It must not know what is read for.

use serde_json::Value;

/// The keys of a path item that are operations.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The version of OpenAPI that a document states; `3.1` without quotes is a number. Empty where there is none.
pub fn version(root: &Value) -> String {
    match root.get("openapi") {
        Some(Value::String(version)) => version.clone(),
        Some(Value::Number(version)) => version.to_string(),
        _ => String::new(),
    }
}

/// The text that a member holds; empty where there is none.
pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
