//! Keys that nothing reads, and values that nothing can read: they would be passed over, and what they say lost.

use serde_json::Value;

use crate::{
    document::Problem,
    drift::deviation,
    json_pointer::join,
    keywords::{self, Kind},
    openapi::{METHODS, items, members},
};

const OF_AN_OPERATION: &[&str] = &[
    "x-api-generation",
    "x-binding-of",
    "x-request-message",
    "x-incident-ids",
    "x-max-incident-ids",
    "x-max-page-size",
    "x-personal-key",
    "x-idempotency",
    "x-permission",
    "x-paging",
    "x-codeSamples",
    "x-deviation",
];
const OF_A_PARAMETER: &[&str] = &["x-body-member", "x-deviation"];
const OF_A_SCHEMA: &[&str] = &["x-oneof", "x-deviation"];
const ELSEWHERE: &[&str] = &["x-deviation"];
/// Maps whose keys are names that the document chose.
const NAMES: [&str; 12] = [
    "callbacks",
    "content",
    "encoding",
    "headers",
    "links",
    "mapping",
    "parameters",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
    "securitySchemes",
];
/// What the API sends and takes, not what OpenAPI says of it.
const DATA: [&str; 4] = ["default", "enum", "example", "value"];

/// Adds a problem for each key at `pointer` and below that is misspelt or out of place.
pub(super) fn check(pointer: &str, node: &Value, problems: &mut Vec<Problem>) {
    for (index, item) in items(node).iter().enumerate() {
        check(&join(pointer, index), item, problems);
    }
    for (key, value) in members(node) {
        let at = join(pointer, key);
        let named = members(value).map(|(name, value)| (join(&at, name), value));
        match key.as_str() {
            "x-paging" => only(&at, value, &["items"], "a member of `x-paging`", problems),
            "x-deviation" => problems.extend(deviation::check(&at, node)),
            "x-codeSamples" => {
                for (index, sample) in items(value).iter().enumerate() {
                    only(&join(&at, index), sample, &["lang", "source"], "a member of a code sample", problems);
                }
            }
            "examples" => {
                let known = ["$ref", "summary", "description", "value", "externalValue"];
                named.for_each(|(at, example)| only(&at, example, &known, "a member of an example", problems));
            }
            _ if NAMES.contains(&key.as_str()) && value.is_object() => {
                named.for_each(|(at, value)| check(&at, value, problems));
            }
            _ if DATA.contains(&key.as_str()) || key.starts_with("x-") => {}
            _ => check(&at, value, problems),
        }
        let known = extensions(pointer);
        if key.starts_with("x-") && !known.contains(&key.as_str()) {
            problems.push(unknown(&at, key, known, "an extension that is read here"));
        }
    }
}

/// Adds a problem for each object of OpenAPI that is no mapping, and for each of its keywords that OpenAPI does not have there,
/// or whose value has the wrong type.
pub(super) fn values(root: &Value, problems: &mut Vec<Problem>) {
    for (pointer, kind) in keywords::objects(root) {
        let Some(node) = root.pointer(&pointer) else { continue };
        if !(node.is_object() || kind == Kind::Schema && node.is_boolean()) {
            problems.push(Problem::new(&pointer, format!("this {} must be a mapping", kind.noun())));
        }
        if node.get("$ref").is_some_and(Value::is_string) {
            continue;
        }
        for (keyword, message) in keywords::unreadable(kind, node) {
            // What the generator does not support is refused with the name of the operation or schema.
            if keywords::is_known(kind, keyword) || !matches!(kind, Kind::Operation | Kind::Schema) {
                problems.push(Problem::new(join(&pointer, keyword), format!("this {} {message}", kind.noun())));
            }
        }
    }
}

fn extensions(pointer: &str) -> &'static [&'static str] {
    match pointer.split('/').skip(1).collect::<Vec<_>>()[..] {
        ["paths", _, method] if METHODS.contains(&method) => OF_AN_OPERATION,
        ["components", "parameters", _] | ["paths", _, _, "parameters", _] => OF_A_PARAMETER,
        ["components", "schemas", _] => OF_A_SCHEMA,
        _ => ELSEWHERE,
    }
}

fn only(pointer: &str, node: &Value, known: &[&str], what: &str, problems: &mut Vec<Problem>) {
    let misspelt = members(node).filter(|(key, _)| !known.contains(&key.as_str()));
    problems.extend(misspelt.map(|(key, _)| unknown(&join(pointer, key), key, known, what)));
}

fn unknown(at: &str, key: &str, known: &[&str], what: &str) -> Problem {
    Problem::new(at, format!("`{key}` is not {what}: write one of `{}`", known.join("`, `")))
}
