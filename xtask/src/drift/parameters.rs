//! Compares the parameters of an operation and how they are serialized. Their schemas are compared by [`super::schemas`].

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::{
    Class, Direction,
    api::{Api, Operation},
    pair::OperationPair,
    schemas::{Finding, json_schema, similar},
    shape::is_true,
};
use crate::{json_pointer::join, keywords::Kind, openapi::text};

/// A parameter, with the pointer at the end of its references.
struct Parameter<'d> {
    node: &'d Value,
    pointer: String,
}

/// Parameters by location (`path`, `query`, ...) and name. Path parameters are keyed by position, since their names are not sent.
type Parameters<'d> = BTreeMap<(&'d str, String), Parameter<'d>>;

pub(super) fn compare(pair: &mut OperationPair<'_, '_>) -> Result<()> {
    let ours = read(pair.files.0, pair.ours)?;
    let published = read(pair.files.1, pair.published)?;
    for (key, parameter) in &ours {
        let name = text(parameter.node, "name");
        let label = format!("{} parameter {name}", key.0);
        let Some(other) = published.get(key) else {
            let names = published.keys().filter(|(place, _)| *place == key.0).map(|(_, name)| name.as_str());
            let finding = Finding {
                class: Class::BreaksCallers,
                subject: "absent".to_owned(),
                place: &label,
                name,
                message: format!("is not published, so that it would be ignored{}", similar(name, names)),
                ours: &[&parameter.pointer],
                published: &pair.published.pointer,
            };
            pair.walk.add(&pair.ancestors, finding);
            continue;
        };
        pair.walk.unreadable(
            &pair.ancestors,
            Kind::Parameter,
            &label,
            &parameter.pointer,
            (&other.pointer, other.node),
        );
        compare_one(pair, &label, key.0, parameter, other)?;
    }
    for (key, parameter) in published.iter().filter(|(key, _)| !ours.contains_key(*key)) {
        let required = is_true(parameter.node, "required");
        let name = text(parameter.node, "name");
        let kind = if required { "required " } else { "" };
        let finding = Finding {
            class: if required { Class::BreaksCallers } else { Class::New },
            subject: format!("parameter: {name}"),
            place: "operation",
            name,
            message: format!("we lack the {kind}{} parameter `{name}`", key.0),
            ours: &[&pair.ours.pointer],
            published: &parameter.pointer,
        };
        pair.walk.add(&pair.ancestors, finding);
    }
    Ok(())
}

fn compare_one(
    pair: &mut OperationPair<'_, '_>,
    label: &str,
    place: &str,
    ours: &Parameter<'_>,
    published: &Parameter<'_>,
) -> Result<()> {
    let name = text(ours.node, "name");
    let mut add = |class, subject: String, message: String| {
        let (ours, published) = (&[ours.pointer.as_str()], published.pointer.as_str());
        pair.walk.add(&pair.ancestors, Finding { class, subject, place: label, name, message, ours, published });
    };
    match (is_true(ours.node, "required"), is_true(published.node, "required")) {
        (false, true) => {
            add(Class::BreaksCallers, "required".to_owned(), "is optional, published as required".to_owned());
        }
        (true, false) => {
            add(Class::Cosmetic, "optional".to_owned(), "is required, published as optional".to_owned());
        }
        _ => {}
    }
    let other = text(published.node, "name");
    if name != other && place == "path" {
        add(Class::Cosmetic, format!("name: {other}"), format!("is published as `{other}`"));
    }
    if is_true(published.node, "deprecated") && !is_true(ours.node, "deprecated") {
        add(Class::New, "deprecated".to_owned(), "is deprecated".to_owned());
    }
    let schemas = (schema(ours), schema(published));
    let is_single = |api: &Api<'_>, schema: &Option<String>| -> Result<bool> {
        let Some(schema) = schema else { return Ok(false) };
        let shape = api.shape(std::slice::from_ref(schema))?;
        Ok(!shape.types.contains("array") && !shape.types.contains("object"))
    };
    let single = is_single(pair.files.0, &schemas.0)? && is_single(pair.files.1, &schemas.1)?;
    let (one, other) =
        (serialization(ours.node, place, name, single), serialization(published.node, place, name, single));
    if one != other {
        let message = format!("is sent {one}, published as sent {other}");
        add(Class::BreaksCallers, format!("style: {}", style(published.node, place)), message);
    }
    if schemas.0.is_some() && schemas.1.is_none() {
        add(Class::Cosmetic, "type: any".to_owned(), "is published without a schema".to_owned());
    }
    if let (Some(one), Some(other)) = schemas {
        let ancestors = pair.ancestors.child(&ours.pointer);
        pair.walk.schemas(Direction::Request, &one, &other, label, &ancestors)?;
    }
    Ok(())
}

/// The parameters of the operation and of its path. Those of the operation take precedence.
fn read<'d>(api: &Api<'d>, operation: &Operation<'d>) -> Result<Parameters<'d>> {
    let in_path: Vec<&str> = operation.path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
    let mut parameters = Parameters::new();
    for owner in [&operation.item, &operation.pointer] {
        let list = join(owner, "parameters");
        for index in 0..api.document.get(&list).and_then(Value::as_array).map_or(0, Vec::len) {
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
        && let Some(media) = node.get("content").and_then(Value::as_object).and_then(|content| content.keys().next())
    {
        return format!("as `{media}`");
    }
    let style = style(node, place);
    let exploded = node.get("explode").and_then(Value::as_bool).unwrap_or(style == "form");
    match style {
        "form" if single || place == "path" => "as it is".to_owned(),
        "simple" if single => "as it is".to_owned(),
        "form" if exploded => format!("as `{name}=a&{name}=b`"),
        _ if exploded => format!("in the style `{style}`, exploded"),
        "form" => "as one value with commas".to_owned(),
        _ => format!("in the style `{style}`"),
    }
}

fn schema(parameter: &Parameter<'_>) -> Option<String> {
    if parameter.node.get("schema").is_some() {
        return Some(join(&parameter.pointer, "schema"));
    }
    let content = parameter.node.get("content")?;
    json_schema(content, &join(&parameter.pointer, "content")).map(|(schema, _)| schema)
}
