//! Compares the parameters of an operation and how they are serialized. Their schemas are compared by [`super::schemas`].

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::{
    Class, Direction,
    api::{Api, Operation},
    found::{Found, Place},
    schemas::{self, json_schema, similar},
};
use crate::{
    json_pointer::join,
    keywords::Kind,
    openapi::{is_true, items, members, text},
};

/// A parameter, with the pointer at the end of its references.
struct Parameter<'d> {
    node: &'d Value,
    pointer: String,
}

/// Parameters by location (`path`, `query`, ...) and name. Path parameters are keyed by position, since their names are not sent.
type Parameters<'d> = BTreeMap<(&'d str, String), Parameter<'d>>;

pub(super) fn compare<'d>(
    found: &mut Found<'_, 'd>,
    operation: &Operation<'d>,
    published_operation: &Operation<'d>,
) -> Result<()> {
    let ours = read(found.ours, operation)?;
    let published = read(found.published, published_operation)?;
    for (key, parameter) in &ours {
        let name = text(parameter.node, "name");
        let label = format!("{} parameter {name}", key.0);
        if let Some(other) = published.get(key) {
            found.unreadable(Kind::Parameter, &label, &parameter.pointer, &other.pointer);
            compare_one(found, &label, key.0, parameter, other)?;
        } else {
            let names = published.keys().filter(|(place, _)| *place == key.0).map(|(_, name)| name.as_str());
            let message = format!("is not published, so that it would be ignored{}", similar(name, names));
            let place = Place::new(&label, &parameter.pointer, &published_operation.pointer);
            found.add(place, Class::BreaksCallers, "absent", message);
        }
    }
    for (key, parameter) in published.iter().filter(|(key, _)| !ours.contains_key(*key)) {
        let required = is_true(parameter.node, "required");
        let (class, kind) = if required { (Class::BreaksCallers, "required ") } else { (Class::New, "") };
        let name = text(parameter.node, "name");
        let message = format!("we lack the {kind}{} parameter `{name}`", key.0);
        let place = Place::new("operation", &operation.pointer, &parameter.pointer);
        found.add(place, class, format!("parameter: {name}"), message);
    }
    Ok(())
}

fn compare_one(
    found: &mut Found<'_, '_>,
    label: &str,
    location: &str,
    ours: &Parameter<'_>,
    published: &Parameter<'_>,
) -> Result<()> {
    let place = Place::new(label, &ours.pointer, &published.pointer);
    let required = |parameter: &Parameter<'_>| is_true(parameter.node, "required");
    found.required(place, required(ours), required(published), Class::BreaksCallers);
    let (name, other) = (text(ours.node, "name"), text(published.node, "name"));
    if name != other && location == "path" {
        found.add(place, Class::Cosmetic, format!("name: {other}"), format!("is published as `{other}`"));
    }
    if is_true(published.node, "deprecated") && !is_true(ours.node, "deprecated") {
        found.add(place, Class::New, "deprecated", "is deprecated");
    }
    let (schema, other) = (schema(ours), self::schema(published));
    let single = is_single(found.ours, schema.as_ref())? && is_single(found.published, other.as_ref())?;
    let [sent, stated] = [ours, published].map(|parameter| serialization(parameter.node, location, name, single));
    if sent != stated {
        let message = format!("is sent {sent}, published as sent {stated}");
        found.add(place, Class::BreaksCallers, format!("style: {}", style(published.node, location)), message);
    }
    match (schema, other) {
        (Some(schema), Some(other)) => schemas::compare(found, Direction::Request, schema, other, label)?,
        (Some(_), None) => found.add(place, Class::Cosmetic, "type: any", "is published without a schema"),
        (None, _) => {}
    }
    Ok(())
}

/// The parameters of the operation and of its path. Those of the operation take precedence.
fn read<'d>(api: &Api<'d>, operation: &Operation<'d>) -> Result<Parameters<'d>> {
    let in_path: Vec<&str> = operation.path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
    let mut parameters = Parameters::new();
    for owner in [&operation.item, &operation.pointer] {
        let list = join(owner, "parameters");
        for index in 0..api.document.get(&list).map_or(0, |list| items(list).len()) {
            let (pointer, node) = api.resolve(&join(&list, index))?;
            let (name, place) = (text(node, "name"), text(node, "in"));
            let key = match place {
                "path" => in_path.iter().position(|other| *other == name).map(|position| position.to_string()),
                "header" => Some(name.to_ascii_lowercase()),
                _ => None,
            };
            let key = key.unwrap_or_else(|| name.to_owned());
            // OpenAPI ignores these: they follow from the body and the security scheme.
            if place == "header" && ["accept", "content-type", "authorization"].contains(&key.as_str()) {
                continue;
            }
            parameters.insert((place, key), Parameter { node, pointer });
        }
    }
    Ok(parameters)
}

/// The style of a parameter, by default that of its location.
fn style<'v>(node: &'v Value, place: &str) -> &'v str {
    match (text(node, "style"), place) {
        ("", "path" | "header") => "simple",
        ("", _) => "form",
        (stated, _) => stated,
    }
}

/// How the value of a parameter is serialized. A single value looks the same in all styles of a query.
fn serialization(node: &Value, place: &str, name: &str, single: bool) -> String {
    if node.get("schema").is_none()
        && let Some((media, _)) = members(&node["content"]).next()
    {
        return format!("as `{media}`");
    }
    let style = style(node, place);
    let exploded = node["explode"].as_bool().unwrap_or(style == "form");
    match style {
        "form" if single || place == "path" => "as it is".to_owned(),
        "simple" if single => "as it is".to_owned(),
        "form" if exploded => format!("as `{name}=a&{name}=b`"),
        _ if exploded => format!("in the style `{style}`, exploded"),
        "form" => "as one value with commas".to_owned(),
        _ => format!("in the style `{style}`"),
    }
}

/// The pointer of the schema of a parameter.
fn schema(parameter: &Parameter<'_>) -> Option<String> {
    match parameter.node.get("schema") {
        Some(_) => Some(join(&parameter.pointer, "schema")),
        None => json_schema(parameter.node, &parameter.pointer).map(|(schema, _)| schema),
    }
}

/// Whether a value is neither a list nor an object.
fn is_single(api: &Api<'_>, schema: Option<&String>) -> Result<bool> {
    let Some(schema) = schema else { return Ok(false) };
    let shape = api.shape(std::slice::from_ref(schema))?;
    Ok(!shape.types.contains("array") && !shape.types.contains("object"))
}
