//! Builds JSON pointers (RFC 6901) and walks values with them. This module must not know what the values mean.

use std::fmt;

use serde_json::Value;

/// Appends a step to a pointer, with the escapes that it needs.
pub fn join(pointer: &str, key: impl fmt::Display) -> String {
    format!("{pointer}/{}", key.to_string().replace('~', "~0").replace('/', "~1"))
}

/// Calls `visit` with each node of `value` and its pointer, parents before children.
pub fn walk<'a>(value: &'a Value, pointer: &str, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(pointer, value);
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                walk(member, &join(pointer, key), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &join(pointer, index), visit);
            }
        }
        _ => {}
    }
}
