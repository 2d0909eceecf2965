//! A schema in a normalized form: references, `allOf`, alternatives and the syntax of OpenAPI 3.1 are resolved. This module must
//! not know that two schemas are compared.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use anyhow::{Result, bail};
use indexmap::IndexSet;
use serde_json::Value;

use super::Direction;
use crate::{
    document::Document,
    json_pointer::join,
    keywords::{self, Kind, Rule},
    openapi::{is_true, items, members, texts},
    references,
};

/// A normalized schema.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a keyword of its own")]
pub(super) struct Shape<'d> {
    /// Its pointer, at the end of its references.
    pub(super) pointer: String,
    /// The JSON types without `null`. Empty if none is stated.
    pub(super) types: BTreeSet<&'d str>,
    /// Whether `null` is allowed.
    pub(super) nullable: bool,
    /// Whether no other value than `null` is allowed.
    pub(super) never: bool,
    pub(super) format: Option<&'d str>,
    /// The values of an enum, in the order of the file.
    pub(super) values: Option<IndexSet<String>>,
    /// The pointers of each member. There are several if parts or alternatives repeat it.
    pub(super) members: BTreeMap<&'d str, Vec<String>>,
    pub(super) required: BTreeSet<&'d str>,
    /// Groups of members of which one may or must be set.
    pub(super) choices: Vec<Choice<'d>>,
    /// The schemas of a list's items, and of a map's values.
    pub(super) items: Vec<String>,
    pub(super) map_values: Vec<String>,
    /// Whether other members are forbidden.
    pub(super) closed: bool,
    /// The keywords that restrict the valid values, in the form of OpenAPI 3.1.
    pub(super) limits: BTreeMap<&'d str, Value>,
    /// The keywords that are compared without interpretation.
    pub(super) as_written: BTreeMap<&'d str, &'d Value>,
    pub(super) default: Option<&'d Value>,
    pub(super) read_only: bool,
    pub(super) write_only: bool,
    pub(super) deprecated: bool,
    /// Keywords that cannot be evaluated: pointer, name and message.
    pub(super) unreadable: Vec<(String, String, String)>,
}

/// The members that alternatives require. Protobuf oneofs are published as alternatives that differ only in the one member that
/// each of them requires.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice<'d> {
    /// The members that each alternative requires together.
    pub(super) alternatives: BTreeSet<BTreeSet<&'d str>>,
    /// Whether the members of at least one alternative must be set.
    pub(super) required: bool,
    /// Whether the members of at most one alternative may be set.
    pub(super) exclusive: bool,
}

impl<'d> Shape<'d> {
    /// Reads the schemas at some pointers and merges them. Alternatives (`oneOf`, `anyOf`, or several pointers) become one schema
    /// that allows everything that one of them allows, without their required members.
    pub(super) fn read(document: &'d Document, places: &[String]) -> Result<Self> {
        let mut shape = Shape { pointer: places.first().cloned().unwrap_or_default(), ..Shape::default() };
        let mut formats = BTreeSet::new();
        let mut any_text = false;
        let mut seen = HashSet::new();
        let alternative = places.len() > 1;
        // What has to be merged, and whether it is one of several alternatives.
        let mut parts: Vec<(String, bool)> =
            places.iter().rev().map(|pointer| (pointer.clone(), alternative)).collect();
        while let Some((pointer, alternative)) = parts.pop() {
            if !seen.insert(pointer.clone()) {
                continue;
            }
            let Some(node) = document.get(&pointer) else { continue };
            let location = || document.location(&pointer);
            shape.never |= !alternative && allows_nothing(node);
            if node.is_boolean() {
                // `true` allows any value.
                continue;
            }
            if !node.is_object() {
                bail!("{}: a schema must be a mapping", location());
            }
            let target = references::target(document, &pointer, node).map_err(|problem| document.error(&problem))?;
            parts.extend(target.map(|pointer| (pointer, alternative)));
            parts.extend(children(node, &pointer, "allOf").map(|(pointer, _)| (pointer, alternative)));
            for key in ["oneOf", "anyOf"] {
                let all = || children(node, &pointer, key).map(|(_, node)| node);
                let some: Vec<(String, &Value)> =
                    children(node, &pointer, key).filter(|(_, node)| !allows_nothing(node)).collect();
                shape.nullable |= all().any(|node| node.is_object() && allows_nothing(node));
                shape.never |= !alternative && some.is_empty() && all().next().is_some();
                let several = some.len() > 1;
                // An enum with arbitrary text as an alternative is open.
                let is_text = |part: &str| references::resolve(document, part).is_ok_and(|(_, node)| is_any_text(node));
                any_text |= several && some.iter().any(|(part, _)| is_text(part));
                if let Some(choice) = several.then(|| choice(key, &some)).flatten() {
                    shape.choices.push(choice);
                    continue;
                }
                if several && !alternative {
                    let (common, choice) = requirements(document, &some);
                    shape.required.extend(common);
                    shape.choices.extend(choice);
                }
                let alternative = alternative || several;
                parts.extend(some.into_iter().map(|(pointer, _)| (pointer, alternative)));
            }
            if let Err(message) = shape.types(node) {
                bail!("{}: {message}", location());
            }
            formats.extend(node.get("format").and_then(Value::as_str));
            shape.values(node);
            let properties = join(&pointer, "properties");
            for (name, _) in members(&node["properties"]) {
                shape.members.entry(name).or_default().push(join(&properties, name));
            }
            if !alternative {
                shape.required.extend(texts(&node["required"]));
                shape.read_only |= is_true(node, "readOnly");
                shape.write_only |= is_true(node, "writeOnly");
            }
            if node.get("items").is_some_and(|items| items.is_object() || allows_nothing(items)) {
                shape.items.push(join(&pointer, "items"));
            }
            match node.get("additionalProperties") {
                Some(Value::Object(_)) => shape.map_values.push(join(&pointer, "additionalProperties")),
                Some(Value::Bool(false)) => shape.closed = true,
                _ => {}
            }
            shape.other_keywords(node);
            shape.choices.extend(oneofs(node));
            shape.default = shape.default.or(node.get("default"));
            shape.deprecated |= is_true(node, "deprecated");
            for (keyword, message) in keywords::unreadable(Kind::Schema, node) {
                shape.unreadable.push((join(&pointer, keyword), keyword.clone(), message));
            }
        }
        // If alternatives have different formats, none of them is certain.
        shape.format = if formats.len() == 1 { formats.pop_first() } else { None };
        shape.infer();
        shape.values = shape.values.filter(|_| !any_text);
        Ok(shape)
    }

    /// `type: string`, or a list of types in 3.1.
    fn types(&mut self, node: &'d Value) -> Result<(), String> {
        self.nullable |= is_true(node, "nullable");
        let types = match node.get("type") {
            None => return Ok(()),
            Some(Value::Array(many)) => many.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        for name in types {
            match name {
                // In YAML `null` without quotes is not a string.
                Value::Null => self.nullable = true,
                Value::String(name) if name == "null" => self.nullable = true,
                Value::String(name)
                    if ["object", "array", "string", "integer", "number", "boolean"].contains(&name.as_str()) =>
                {
                    self.types.insert(name);
                }
                other => return Err(format!("the type `{}` is unknown", plain(other))),
            }
        }
        Ok(())
    }

    /// The values of `enum`, or of `const` in 3.1.
    fn values(&mut self, node: &Value) {
        let values = node.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        let Some(values) = values.or_else(|| node.get("const").map(std::slice::from_ref)) else { return };
        let known = self.values.get_or_insert_default();
        known.extend(values.iter().filter(|value| !value.is_null()).map(plain));
    }

    /// Reads restrictions, and keywords that are not interpreted.
    fn other_keywords(&mut self, node: &'d Value) {
        for (keyword, value) in members(node) {
            match keywords::rule(Kind::Schema, keyword) {
                Some(Rule::Narrows(_)) => {
                    let (keyword, value) = match (keyword.as_str(), value) {
                        // In OpenAPI 3.0 a flag makes the limit exclusive.
                        ("maximum", _) if is_true(node, "exclusiveMaximum") => ("exclusiveMaximum", value),
                        ("minimum", _) if is_true(node, "exclusiveMinimum") => ("exclusiveMinimum", value),
                        ("exclusiveMaximum" | "exclusiveMinimum", Value::Bool(_)) => continue,
                        (keyword, value) => (keyword, value),
                    };
                    if !is_no_limit(keyword, value) {
                        self.limits.insert(keyword, value.clone());
                    }
                }
                Some(Rule::AsWritten) if !is_no_limit(keyword, value) => {
                    self.as_written.insert(keyword, value);
                }
                _ => {}
            }
        }
    }

    /// Infers a missing type from the other keywords.
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

    /// Whether it is a map, as opposed to a message with named members.
    pub(super) fn is_map(&self) -> bool {
        !self.map_values.is_empty() && self.members.is_empty()
    }

    /// Whether it is a message: it has named members, or allows no members at all.
    pub(super) fn is_message(&self) -> bool {
        !self.members.is_empty() || self.closed && self.map_values.is_empty()
    }

    /// Whether it is excluded from messages in this direction.
    pub(super) fn is_hidden(&self, direction: Direction) -> bool {
        direction.choose(self.read_only, self.write_only)
    }

    pub(super) fn types_text(&self) -> String {
        if self.is_map() {
            return "map".to_owned();
        }
        self.types.iter().copied().collect::<Vec<_>>().join(" or ")
    }
}

/// Interprets alternatives as a choice of members if each of them does nothing but require members. An alternative without
/// requirements, or with `not`, means that all members may be unset.
fn choice<'d>(key: &str, alternatives: &[(String, &'d Value)]) -> Option<Choice<'d>> {
    let mut choice = Choice { alternatives: BTreeSet::new(), required: true, exclusive: key == "oneOf" };
    for (_, node) in alternatives {
        let node = node.as_object()?;
        let mut says = node.keys().map(String::as_str).filter(|keyword| *keyword != "type");
        match says.next() {
            Some("required") if says.next().is_none() => {
                node["required"].as_array()?;
                choice.alternatives.insert(texts(&node["required"]).collect());
            }
            None => choice.required = false,
            Some("not") if says.next().is_none() => choice.required = false,
            Some(_) => return None,
        }
    }
    (choice.alternatives.len() > 1).then_some(choice)
}

/// The members that all alternatives require, and the choice between those that only some of them require.
fn requirements<'d>(
    document: &'d Document,
    alternatives: &[(String, &'d Value)],
) -> (BTreeSet<&'d str>, Option<Choice<'d>>) {
    let required = |(pointer, _): &(String, _)| -> BTreeSet<&'d str> {
        references::resolve(document, pointer).map(|(_, node)| texts(&node["required"]).collect()).unwrap_or_default()
    };
    let all: BTreeSet<BTreeSet<&str>> = alternatives.iter().map(required).collect();
    let common = all.iter().cloned().reduce(|one, other| &one & &other).unwrap_or_default();
    let alternatives: BTreeSet<BTreeSet<&str>> = all.iter().map(|names| names - &common).collect();
    let is_choice = !alternatives.iter().any(BTreeSet::is_empty);
    let choice = is_choice.then_some(Choice { alternatives, required: true, exclusive: false });
    (common, choice)
}

/// The `x-oneof` of our own document: lists of members of which at most one is set.
fn oneofs(node: &Value) -> impl Iterator<Item = Choice<'_>> {
    items(&node["x-oneof"]).iter().map(|group| {
        let alternatives = texts(group).map(|name| BTreeSet::from([name])).collect();
        Choice { alternatives, required: false, exclusive: true }
    })
}

/// Whether a restriction has no effect.
fn is_no_limit(keyword: &str, value: &Value) -> bool {
    match keyword {
        "minItems" | "minLength" | "minProperties" => value.as_f64() == Some(0.0),
        "uniqueItems" => value == &Value::Bool(false),
        // `false` forbids other members or items. Those that the SDK sends are compared one by one.
        "additionalItems" | "unevaluatedItems" | "unevaluatedProperties" => value.is_boolean(),
        "if" | "then" | "else" => value == &Value::Bool(true),
        // In JavaScript `[\s\S]` matches any character, including line breaks.
        "pattern" => value.as_str().is_some_and(|pattern| {
            let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
            ["", "$", ".*", "[\\s\\S]*", "[\\s\\S]*$", "[\\S\\s]*$"].contains(&pattern)
        }),
        _ => false,
    }
}

/// A value as it is written in YAML: strings without quotes.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a schema, without its parts and alternatives, allows no value but `null`.
fn allows_nothing(node: &Value) -> bool {
    // In YAML `null` without quotes is not a string.
    let is_null = |kind: &Value| kind.is_null() || kind == "null";
    let all = |list: &Value, is_null: fn(&Value) -> bool| !items(list).is_empty() && items(list).iter().all(is_null);
    node == &Value::Bool(false)
        || node.get("type").is_some_and(|kind| is_null(kind) || all(kind, is_null))
        || all(&node["enum"], Value::is_null)
        || node.get("const").is_some_and(Value::is_null)
}

/// Whether it is text without an enum, also in its parts.
fn is_any_text(node: &Value) -> bool {
    let is_text = node["type"] == "string" || items(&node["type"]).iter().any(|kind| kind == "string");
    is_text && ["enum", "const", "allOf", "oneOf", "anyOf"].iter().all(|key| node.get(*key).is_none())
}

fn children<'v>(node: &'v Value, pointer: &str, key: &str) -> impl Iterator<Item = (String, &'v Value)> {
    let pointer = join(pointer, key);
    items(&node[key]).iter().enumerate().map(move |(index, item)| (join(&pointer, index), item))
}
