//! Checks the schemas of the document: the types and keywords that the generator supports. This module must not know which
//! operations use them.

use std::collections::HashSet;

use serde_json::Value;

use super::{Reader, enums, names, oneofs, required, text};
use crate::{
    json_pointer::join,
    openapi::{items, members},
};

/// The properties that are supported: type, formats, and keywords beside those that every property may have. The first keyword
/// of a list or map is the one with the schema of its elements.
const PROPERTIES: &[(&str, &[&str], &[&str])] = &[
    (
        "string",
        &["", "date-time", "google-duration", "uint64", "int64"],
        &["format", "minLength", "maxLength", "pattern"],
    ),
    ("integer", &["int32", "int64"], &["format", "minimum", "maximum"]),
    ("boolean", &[""], &[]),
    ("array", &[""], &["items", "minItems", "maxItems"]),
    ("object", &[""], &["additionalProperties"]),
];

impl Reader<'_> {
    pub(super) fn schemas(&mut self) {
        for (name, schema) in members(&self.document.root()["components"]["schemas"]) {
            let pointer = join("/components/schemas", name);
            if names::TYPES.contains(&name.as_str()) {
                let message = format!("schema `{name}` has the name of a type that generated code uses: rename it");
                self.problem(&pointer, message);
            }
            match text(schema, "type") {
                "object" => self.object(name, &pointer, schema),
                "string" if schema.get("enum").is_some() => {
                    let at = join(&pointer, "enum");
                    let before = self.problems.len();
                    self.texts(&format!("enum `{name}`"), &at, &schema["enum"]);
                    if let (Err((index, wrong)), true) = (enums::variants(name, schema), self.problems.len() == before)
                    {
                        self.problem(&join(&at, index), format!("enum `{name}`: {wrong}"));
                    }
                }
                _ => self.problem(&pointer, format!("schema `{name}` must be an object or an enum of strings")),
            }
        }
        required::check(self.document, &mut self.problems);
    }

    /// A list of texts, none of them twice.
    fn texts(&mut self, what: &str, pointer: &str, list: &Value) {
        let mut seen = HashSet::new();
        for (index, value) in items(list).iter().enumerate() {
            let at = join(pointer, index);
            if !value.is_string() {
                self.problem(&at, format!("{what} must be a list of strings, but `{value}` is not a string: quote it"));
            } else if !seen.insert(value.as_str()) {
                self.problem(&at, format!("{what}: {value} is repeated"));
            }
        }
    }

    fn object(&mut self, name: &str, pointer: &str, schema: &Value) {
        let known = ["type", "description", "properties", "required", "additionalProperties", "title", "example"];
        self.keywords(&format!("schema `{name}`"), pointer, schema, &known);
        oneofs::check(self.document, name, pointer, schema, &mut self.problems);
        if schema.get("additionalProperties").is_some_and(|value| value != true) {
            let reason = "a newer service adds members, and a closed type would refuse its replies";
            let message = format!("schema `{name}`: `additionalProperties` may only be `true` here: {reason}");
            self.problem(&join(pointer, "additionalProperties"), message);
        }
        let at = join(pointer, "required");
        self.texts(&format!("`required` of schema `{name}`"), &at, &schema["required"]);
        for (index, required) in items(&schema["required"]).iter().enumerate() {
            let Some(required) = required.as_str() else { continue };
            if schema["properties"].get(required).is_none() {
                let message = format!("schema `{name}` requires `{required}`, which is not among its properties");
                self.problem(&join(&at, index), message);
            }
        }
        let at = join(pointer, "properties");
        let named = members(&schema["properties"]).map(|(name, _)| (name.as_str(), join(&at, name)));
        // The member for what the document does not name.
        let taken: &[&str] = if schema.get("additionalProperties").is_some() { &["other_members"] } else { &[] };
        self.problems.extend(names::members(&format!("schema `{name}`"), taken, true, named));
        for (property, schema) in members(&schema["properties"]) {
            self.property(&format!("`{name}.{property}`"), &join(&at, property), schema);
        }
    }

    fn property(&mut self, what: &str, pointer: &str, schema: &Value) {
        if schema.get("$ref").is_some() {
            return;
        }
        let (kind, format) = (text(schema, "type"), text(schema, "format"));
        let Some((.., keywords)) =
            PROPERTIES.iter().find(|(name, formats, _)| *name == kind && formats.contains(&format))
        else {
            self.problem(pointer, format!("{what}: type `{kind}` with format `{format}` is not supported"));
            return;
        };
        self.keywords(what, pointer, schema, &[&["type", "description", "example", "deprecated"], *keywords].concat());
        if let "array" | "object" = kind {
            let element = &schema[keywords[0]];
            if element.get("$ref").is_none() {
                let must_be = "a list or a map of strings or of a `$ref`";
                self.plain_text(what, &join(pointer, keywords[0]), element, must_be);
            }
        }
    }

    pub(super) fn plain_text(&mut self, what: &str, pointer: &str, schema: &Value, must_be: &str) {
        if text(schema, "type") == "string" && text(schema, "format").is_empty() {
            let known = ["type", "description", "example", "minLength", "maxLength", "pattern"];
            self.keywords(what, pointer, schema, &known);
        } else {
            self.problem(pointer, format!("{what} must be {must_be}, without a `format`"));
        }
    }

    pub(super) fn keywords(&mut self, what: &str, pointer: &str, schema: &Value, known: &[&str]) {
        for (key, _) in members(schema) {
            if !key.starts_with("x-") && !known.contains(&key.as_str()) {
                self.problem(&join(pointer, key), format!("{what}: the keyword `{key}` is not supported here"));
            }
        }
    }
}
