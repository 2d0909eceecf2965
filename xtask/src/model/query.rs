//! How a message is sent in a query: each scalar member by its dotted path, a list of scalars repeated. The schema alone
//! decides it, by the rule of `google.api.http` that gRPC gateways implement.

use serde_json::Value;

use super::{Operation, reference_name, text};
use crate::{document::Document, openapi::members};

/// What a query can and can't hold of a request message.
#[derive(Default)]
pub(crate) struct Query {
    pub(crate) parameters: Vec<Leaf>,
    /// Members that cannot be sent in a query: maps, and lists of messages.
    pub(crate) excluded: Vec<String>,
}

/// One name of a query.
pub(crate) struct Leaf {
    /// As it stands in the query: `order_by.direction`.
    pub(crate) name: String,
    /// The path of the member in the request message: `orderBy.direction`.
    pub(crate) member: String,
    pub(crate) list: bool,
    pub(crate) kind: Kind,
}

/// The JSON type of a value, which its text in a query does not show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    String,
    Integer,
    Boolean,
}

/// The query of one binding.
pub(crate) fn of(document: &Document, binding: &Operation, message: Option<&str>) -> Query {
    let mut query = Query::default();
    for parameter in binding.parameters.iter().filter(|parameter| !parameter.in_path) {
        let name = &parameter.name;
        let member = parameter.body_member.as_ref().unwrap_or(name);
        let of_message = |message: &str| document.root()["components"]["schemas"][message]["properties"].get(member);
        let schema = message.filter(|_| parameter.body_member.is_some()).and_then(of_message);
        // What has no answer here was refused by `Model::new`.
        if let Ok(part) = leaves(document, name, member, schema.unwrap_or(&parameter.schema)) {
            query.parameters.extend(part.parameters);
            query.excluded.extend(part.excluded);
        }
    }
    query
}

/// The names that a member is sent under.
pub(crate) fn leaves(document: &Document, name: &str, member: &str, schema: &Value) -> Result<Query, String> {
    let mut query = Query::default();
    collect(document, name, member, schema, &mut Vec::new(), &mut query)?;
    Ok(query)
}

fn collect(
    document: &Document,
    name: &str,
    member: &str,
    schema: &Value,
    within: &mut Vec<String>,
    query: &mut Query,
) -> Result<(), String> {
    let schemas = &document.root()["components"]["schemas"];
    let is_message =
        |schema: &Value| reference_name(schema).is_some_and(|name| text(&schemas[&name], "type") == "object");
    if !is_message(schema) {
        let list = text(schema, "type") == "array";
        let element = if list { &schema["items"] } else { schema };
        if is_message(element) || text(schema, "type") == "object" {
            query.excluded.push(member.to_owned());
            return Ok(());
        }
        let kind = match text(element, "type") {
            "integer" => Kind::Integer,
            "boolean" => Kind::Boolean,
            // A text, a time, a duration, or the name of an enum.
            _ => Kind::String,
        };
        query.parameters.push(Leaf { name: name.to_owned(), member: member.to_owned(), list, kind });
        return Ok(());
    }
    let message = reference_name(schema).unwrap_or_default();
    if within.contains(&message) {
        return Err(format!("the message `{message}` contains itself, which a query cannot express"));
    }
    within.push(message.clone());
    for (key, schema) in members(&schemas[&message]["properties"]) {
        collect(document, &format!("{name}.{key}"), &format!("{member}.{key}"), schema, within, query)?;
    }
    within.pop();
    Ok(())
}
