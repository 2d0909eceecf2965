//! A schema of either file in one form: references, `allOf`, alternatives and the syntax of 3.1 are gone. It must not know
//! what it is compared with.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use anyhow::{Result, bail};
use serde_json::Value;

use super::api::Api;
use crate::{json_pointer::join, openapi::text};

/// The keywords that narrow a request.
pub(super) const LIMITS: [&str; 7] =
    ["minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "pattern"];

/// Distinct texts in their order.
#[derive(Debug, Default)]
pub(super) struct Values {
    ordered: Vec<String>,
    known: HashSet<String>,
}

impl Values {
    fn insert(&mut self, value: String) {
        if self.known.insert(value.clone()) {
            self.ordered.push(value);
        }
    }

    pub(super) fn all(&self) -> &[String] {
        &self.ordered
    }

    /// The values that `other` lacks.
    pub(super) fn beyond<'v>(&'v self, other: &'v Self) -> impl Iterator<Item = &'v String> {
        self.ordered.iter().filter(|value| !other.known.contains(*value))
    }
}

/// What a schema says, as far as it is compared.
#[derive(Debug, Default)]
pub(super) struct Shape<'d> {
    /// Where it stands, once references are followed.
    pub(super) pointer: String,
    /// JSON types without `null`, which reading takes for the default. Empty where nothing is said.
    pub(super) types: BTreeSet<&'d str>,
    pub(super) format: Option<&'d str>,
    /// The values of an enum, in the order of the file.
    pub(super) values: Option<Values>,
    /// The places of each member: more than one where parts or alternatives repeat it.
    pub(super) members: BTreeMap<&'d str, Vec<String>>,
    pub(super) required: BTreeSet<&'d str>,
    /// The schemas of a list's items, and of a map's values.
    pub(super) items: Vec<String>,
    pub(super) map_values: Vec<String>,
    pub(super) limits: BTreeMap<&'static str, &'d Value>,
    pub(super) deprecated: bool,
}

impl<'d> Shape<'d> {
    /// Reads the schema at a pointer. Alternatives (`oneOf`, `anyOf`) are read as one schema that allows what any of them
    /// allows, and requires nothing of what they require.
    pub(super) fn read(api: &Api<'d>, pointer: &str) -> Result<Self> {
        let mut shape = Shape { pointer: api.resolve(pointer)?.0, ..Shape::default() };
        let mut formats = BTreeSet::new();
        let mut any_text = false;
        let mut seen = BTreeSet::new();
        let mut parts = vec![(pointer.to_owned(), false)];
        while let Some((pointer, alternative)) = parts.pop() {
            if !seen.insert(pointer.clone()) {
                continue;
            }
            let Some(node) = api.document.get(&pointer) else { continue };
            let location = || api.document.location(&pointer);
            if node.is_boolean() {
                // `true` and `false` are schemas in 3.1, and say nothing about a shape.
                continue;
            }
            if !node.is_object() {
                bail!("{}: a schema must be a mapping", location());
            }
            parts.extend(api.target(&pointer, node)?.map(|target| (target, alternative)));
            parts.extend(children(node, &pointer, "allOf").map(|(part, _)| (part, alternative)));
            for key in ["oneOf", "anyOf"] {
                let some: Vec<String> = children(node, &pointer, key)
                    .filter(|(_, node)| text(node, "type") != "null")
                    .map(|(part, _)| part)
                    .collect();
                let several = some.len() > 1;
                // Plain text beside an enum leaves the enum open: its values are only those known so far.
                any_text |=
                    several && some.iter().any(|part| api.resolve(part).is_ok_and(|(_, node)| is_any_text(node)));
                parts.extend(some.into_iter().map(|part| (part, alternative || several)));
            }
            if let Err(message) = shape.types(node) {
                bail!("{}: {message}", location());
            }
            formats.extend(node.get("format").and_then(Value::as_str));
            shape.values(node);
            let properties = join(&pointer, "properties");
            for (name, _) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
                shape.members.entry(name).or_default().push(join(&properties, name));
            }
            if !alternative {
                shape.required.extend(
                    node.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str),
                );
            }
            if node.get("items").is_some_and(Value::is_object) {
                shape.items.push(join(&pointer, "items"));
            }
            if node.get("additionalProperties").is_some_and(Value::is_object) {
                shape.map_values.push(join(&pointer, "additionalProperties"));
            }
            shape.limits.extend(LIMITS.iter().filter_map(|limit| Some((*limit, node.get(*limit)?))));
            shape.deprecated |= node.get("deprecated") == Some(&Value::Bool(true));
        }
        // Alternatives of different formats leave any of them possible.
        shape.format = if formats.len() == 1 { formats.pop_first() } else { None };
        shape.infer();
        shape.values = shape.values.filter(|_| !any_text);
        Ok(shape)
    }

    /// `type: string`, or a list of types in 3.1.
    fn types(&mut self, node: &'d Value) -> Result<(), String> {
        let types = match node.get("type") {
            None => return Ok(()),
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            Some(other) => return Err(format!("the type `{other}` is not understood")),
        };
        for name in types {
            match name {
                "null" => {}
                "object" | "array" | "string" | "integer" | "number" | "boolean" => {
                    self.types.insert(name);
                }
                other => return Err(format!("the type `{other}` is not understood")),
            }
        }
        Ok(())
    }

    /// The values of `enum`, or of `const` in 3.1.
    fn values(&mut self, node: &Value) {
        let values = node.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        let Some(values) = values.or_else(|| node.get("const").map(std::slice::from_ref)) else { return };
        let known = self.values.get_or_insert_default();
        for value in values.iter().filter(|value| !value.is_null()) {
            known.insert(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
    }

    /// A schema without a type still says something by its other keywords.
    fn infer(&mut self) {
        if !self.types.is_empty() {
            return;
        }
        if !self.members.is_empty() || !self.map_values.is_empty() {
            self.types.insert("object");
        } else if !self.items.is_empty() {
            self.types.insert("array");
        } else if self.values.is_some() {
            self.types.insert("string");
        }
    }

    /// Whether it is a map, rather than a message with named members.
    pub(super) fn is_map(&self) -> bool {
        !self.map_values.is_empty() && self.members.is_empty()
    }

    pub(super) fn types_text(&self) -> String {
        if self.is_map() {
            return "map".to_owned();
        }
        self.types.iter().copied().collect::<Vec<_>>().join(" or ")
    }
}

/// Whether it is text without values of its own, nor parts that may have some.
fn is_any_text(node: &Value) -> bool {
    let text = match node.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        kind => kind.is_some_and(|kind| kind == "string"),
    };
    text && ["enum", "const", "allOf", "oneOf", "anyOf"].iter().all(|key| node.get(*key).is_none())
}

fn children<'v>(node: &'v Value, pointer: &str, key: &str) -> impl Iterator<Item = (String, &'v Value)> {
    let pointer = join(pointer, key);
    let items = node.get(key).and_then(Value::as_array).into_iter().flatten();
    items.enumerate().map(move |(index, item)| (join(&pointer, index), item))
}
