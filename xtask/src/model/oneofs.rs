//! `x-oneof`: the protobuf oneofs of a message, lists of members of which at most one is set. It knows schemas, and nothing
//! of the code that is generated for them.

use serde_json::Value;

use super::{reference_name, text};
use crate::{
    document::{Document, Problem},
    json_pointer::join,
    openapi::{items, texts},
};

/// The oneofs that a schema states, each as the names of its members.
pub(crate) fn oneofs(schema: &Value) -> impl Iterator<Item = Vec<&str>> {
    items(&schema["x-oneof"]).iter().map(|members| texts(members).collect())
}

/// Adds a problem for each member of a oneof that protobuf could not have there.
pub(super) fn check(document: &Document, name: &str, pointer: &str, schema: &Value, problems: &mut Vec<Problem>) {
    let Some(stated) = schema.get("x-oneof") else { return };
    let pointer = join(pointer, "x-oneof");
    let what = format!("`x-oneof` of schema `{name}`");
    let Some(groups) = stated.as_array() else {
        problems.push(Problem::new(pointer, format!("{what} must be a list of lists of members: `- [one, other]`")));
        return;
    };
    let mut seen: Vec<&str> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let at = join(&pointer, index);
        let Some(members) = group.as_array().filter(|members| !members.is_empty()) else {
            problems.push(Problem::new(at, format!("{what}: each oneof must be a list of members")));
            continue;
        };
        for (index, member) in members.iter().enumerate() {
            let unsupported = |name| Some(format!("`{name}` {}", unsupported(document, schema, &seen, name)?));
            let wrong =
                member.as_str().map_or_else(|| Some(format!("{member} is not the name of a member")), unsupported);
            seen.extend(member.as_str());
            problems.extend(wrong.map(|wrong| Problem::new(join(&at, index), format!("{what}: {wrong}"))));
        }
    }
}

/// The reason why a member cannot be part of a oneof.
fn unsupported(document: &Document, schema: &Value, seen: &[&str], member: &str) -> Option<&'static str> {
    let Some(property) = schema["properties"].get(member) else {
        return Some("is not among its properties");
    };
    if seen.contains(&member) {
        return Some("is repeated: a member belongs to one oneof");
    }
    if texts(&schema["required"]).any(|name| name == member) {
        return Some("is `required`: members of a oneof have presence, and at most one of them is set");
    }
    let target = reference_name(property).and_then(|name| document.get(&join("/components/schemas", name)));
    let property = target.unwrap_or(property);
    let is_map = property.get("additionalProperties").is_some_and(Value::is_object);
    (text(property, "type") == "array" || is_map).then_some("is a list or a map, and protobuf has neither in a oneof")
}
