//! Each keyword of OpenAPI 3.0 and 3.1, with the type of its value and drift's rule for it: whether it is compared, is compared in
//! requests only, or is irrelevant to this SDK, with the reason. Keywords that are not listed here are reported.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    json_pointer::join,
    openapi::{METHODS, members},
};

/// The OpenAPI objects whose keywords are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the OpenAPI specification describes them under these names")]
pub enum Kind {
    Document,
    Server,
    ServerVariable,
    PathItem,
    Operation,
    Parameter,
    RequestBody,
    MediaType,
    Response,
    Schema,
    SecurityScheme,
}

impl Kind {
    /// What messages call it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Server => "server",
            Self::ServerVariable => "server variable",
            Self::PathItem => "path",
            Self::Operation => "operation",
            Self::Parameter => "parameter",
            Self::RequestBody => "request body",
            Self::MediaType => "media type",
            Self::Response => "response",
            Self::Schema => "schema",
            Self::SecurityScheme => "security scheme",
        }
    }

    /// The kind of the objects that stand below a keyword, and whether they have names there.
    fn below(self, keyword: &str) -> Option<(Self, bool)> {
        let (named, unnamed) = (|kind| Some((kind, true)), |kind| Some((kind, false)));
        match (self, keyword) {
            (Self::Document | Self::PathItem | Self::Operation, "servers") => unnamed(Self::Server),
            (Self::Document, "paths") => named(Self::PathItem),
            (Self::Server, "variables") => named(Self::ServerVariable),
            (Self::PathItem, method) if METHODS.contains(&method) => unnamed(Self::Operation),
            (Self::PathItem | Self::Operation, "parameters") => unnamed(Self::Parameter),
            (Self::Operation, "requestBody") => unnamed(Self::RequestBody),
            (Self::Operation, "responses") => named(Self::Response),
            (Self::Parameter | Self::RequestBody | Self::Response, "content") => named(Self::MediaType),
            (Self::Parameter | Self::MediaType, "schema")
            | (Self::Schema, "items" | "additionalProperties" | "not" | "allOf" | "oneOf" | "anyOf") => {
                unnamed(Self::Schema)
            }
            (Self::Schema, "properties") => named(Self::Schema),
            _ => None,
        }
    }
}

/// The objects of a document, by their pointers.
pub fn objects(document: &Value) -> BTreeMap<String, Kind> {
    let mut queue = vec![(Kind::Document, String::new())];
    for (section, kind) in [
        ("parameters", Kind::Parameter),
        ("requestBodies", Kind::RequestBody),
        ("responses", Kind::Response),
        ("schemas", Kind::Schema),
        ("securitySchemes", Kind::SecurityScheme),
    ] {
        let pointer = join("/components", section);
        let names = members(&document["components"][section]).map(|(name, _)| name);
        queue.extend(names.map(|name| (kind, join(&pointer, name))));
    }
    let mut found = BTreeMap::new();
    while let Some((kind, pointer)) = queue.pop() {
        for (keyword, value) in document.pointer(&pointer).into_iter().flat_map(members) {
            let Some((kind, has_names)) = kind.below(keyword) else { continue };
            let at = join(&pointer, keyword);
            match value {
                Value::Array(items) => queue.extend((0..items.len()).map(|index| (kind, join(&at, index)))),
                Value::Object(members) if has_names => {
                    let names = members.keys().filter(|name| !name.starts_with("x-") || kind == Kind::Schema);
                    queue.extend(names.map(|name| (kind, join(&at, name))));
                }
                _ => queue.push((kind, at)),
            }
        }
        found.insert(pointer, kind);
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// It is compared by code that interprets it.
    Compared,
    /// It restricts the valid values. It is compared in requests only: the SDK does not rely on restrictions of responses.
    Narrows(Narrows),
    /// It affects the shape of a value, but is not interpreted. Any difference in its value is reported.
    AsWritten,
    /// It is irrelevant to this SDK, for this reason.
    Irrelevant(&'static str),
}

/// Which of two values of a restricting keyword is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Narrows {
    BySmaller,
    ByLarger,
    /// `true` is stricter than `false`.
    ByTrue,
    /// The one that is a multiple of the other.
    ByMultiple,
    /// It cannot be determined.
    Somehow,
}

/// The JSON type that the value of a keyword must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Json {
    Any,
    Flag,
    Number,
    /// A number of items, characters or members.
    Count,
    Text,
    List,
    Map,
    Schema,
}

impl Json {
    pub(crate) fn allows(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Flag => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Count => value.is_u64(),
            Self::Text => value.is_string(),
            Self::List => value.is_array(),
            Self::Map => value.is_object(),
            Self::Schema => value.is_object() || value.is_boolean(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Flag => "`true` or `false`",
            Self::Number => "a number",
            Self::Count => "a whole number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Map => "a mapping",
            Self::Schema => "a schema",
        }
    }
}

const PROSE: Rule = Rule::Irrelevant("it is documentation");
const SAMPLE: Rule = Rule::Irrelevant("examples do not restrict what is sent or received");
const CALLBACK: Rule = Rule::Irrelevant("a client does not receive calls from the service");
const ANNOTATION: Rule = Rule::Irrelevant("it does not affect which values are valid");

use Json::{Any, Count, Flag, List, Map, Number, Schema, Text};
use Narrows::{ByLarger, ByMultiple, BySmaller, ByTrue, Somehow};
use Rule::{AsWritten, Compared, Irrelevant};

/// Keywords with the same type of value and the same rule.
type Row = (Json, Rule, &'static [&'static str]);

/// The keywords of each kind of object.
#[rustfmt::skip]
const KEYWORDS: &[(Kind, &[Row])] = &[
    (Kind::Document, &[
        (Any, Compared, &["openapi"]),
        (List, Compared, &["servers", "security"]),
        (Map, Compared, &["paths", "components"]),
        (Map, PROSE, &["info", "externalDocs"]),
        (List, PROSE, &["tags"]),
        (Map, CALLBACK, &["webhooks"]),
        (Text, Irrelevant("schemas are compared keyword by keyword, whatever their dialect"), &["jsonSchemaDialect"]),
    ]),
    (Kind::Server, &[
        (Text, Compared, &["url"]),
        (Map, Compared, &["variables"]),
        (Text, PROSE, &["description"]),
    ]),
    (Kind::ServerVariable, &[
        (Text, Compared, &["default"]),
        (List, Compared, &["enum"]),
        (Text, PROSE, &["description"]),
    ]),
    (Kind::PathItem, &[
        (Text, Compared, &["$ref"]),
        (Map, Compared, &["get", "put", "post", "delete", "options", "head", "patch", "trace"]),
        (List, Compared, &["servers", "parameters"]),
        (Text, PROSE, &["summary", "description"]),
    ]),
    (Kind::Operation, &[
        (List, Compared, &["parameters", "security", "servers", "x-coralogixPermissions"]),
        (Map, Compared, &["requestBody", "responses"]),
        (Flag, Compared, &["deprecated"]),
        (Text, Irrelevant("it is not sent, and operations are matched by method and path"), &["operationId"]),
        (List, Irrelevant("tags only group operations"), &["tags"]),
        (Map, CALLBACK, &["callbacks"]),
        (Text, PROSE, &["summary", "description"]),
        (Map, PROSE, &["externalDocs"]),
    ]),
    (Kind::Parameter, &[
        (Text, Compared, &["name", "in", "style"]),
        (Flag, Compared, &["required", "deprecated", "explode"]),
        (Schema, Compared, &["schema"]),
        (Map, Compared, &["content"]),
        (Flag, Irrelevant("the SDK does not send empty values"), &["allowEmptyValue"]),
        (Flag, Irrelevant("the SDK escapes reserved characters, which is always allowed"), &["allowReserved"]),
        (Text, PROSE, &["description"]),
        (Any, SAMPLE, &["example"]),
        (Map, SAMPLE, &["examples"]),
    ]),
    (Kind::RequestBody, &[
        (Flag, Compared, &["required"]),
        (Map, Compared, &["content"]),
        (Text, PROSE, &["description"]),
    ]),
    (Kind::MediaType, &[
        (Schema, Compared, &["schema"]),
        (Map, Irrelevant("it applies to forms, and the SDK uses JSON"), &["encoding"]),
        (Any, SAMPLE, &["example"]),
        (Map, SAMPLE, &["examples"]),
    ]),
    (Kind::Response, &[
        (Map, Compared, &["content"]),
        (Map, Irrelevant("the SDK reads the headers that it needs by their standard names"), &["headers"]),
        (Map, Irrelevant("the SDK does not follow links"), &["links"]),
        (Text, PROSE, &["description"]),
    ]),
    (Kind::Schema, &[
        (Text, Compared, &["$ref", "format"]),
        (Any, Compared, &["type", "const", "default"]),
        (List, Compared, &["enum", "required", "allOf", "oneOf", "anyOf"]),
        (Map, Compared, &["properties"]),
        (Schema, Compared, &["items", "additionalProperties"]),
        (Flag, Compared, &["nullable", "readOnly", "writeOnly", "deprecated"]),
        (Count, Rule::Narrows(BySmaller), &["maxItems", "maxLength", "maxProperties", "maxContains"]),
        (Count, Rule::Narrows(ByLarger), &["minItems", "minLength", "minProperties", "minContains"]),
        (Flag, Rule::Narrows(ByTrue), &["uniqueItems"]),
        (Text, Rule::Narrows(Somehow), &["pattern", "contentEncoding", "contentMediaType"]),
        (Number, Rule::Narrows(BySmaller), &["maximum"]),
        (Number, Rule::Narrows(ByLarger), &["minimum"]),
        // The exclusive limits are flags in OpenAPI 3.0 and numbers in 3.1. They are read as numbers.
        (Any, Rule::Narrows(BySmaller), &["exclusiveMaximum"]),
        (Any, Rule::Narrows(ByLarger), &["exclusiveMinimum"]),
        (Number, Rule::Narrows(ByMultiple), &["multipleOf"]),
        (Schema, Rule::Narrows(Somehow), &["not", "propertyNames", "contains", "contentSchema"]),
        (Map, Rule::Narrows(Somehow), &["dependentRequired"]),
        (Map, AsWritten, &["patternProperties", "dependentSchemas", "dependencies"]),
        (List, AsWritten, &["prefixItems"]),
        (Schema, AsWritten, &["additionalItems", "unevaluatedItems", "unevaluatedProperties", "if", "then", "else"]),
        (Text, AsWritten, &["$dynamicRef", "$recursiveRef", "$id", "$schema"]),
        (Text, Irrelevant("it is a target of references, and references to it are errors"), &["$anchor"]),
        (Text, Irrelevant("it is a target of dynamic references, which are reported"), &["$dynamicAnchor"]),
        (Flag, Irrelevant("it is a target of dynamic references, which are reported"), &["$recursiveAnchor"]),
        (Map, ANNOTATION, &["$vocabulary"]),
        (Map, Irrelevant("definitions are compared where schemas refer to them"), &["$defs", "definitions"]),
        (Text, PROSE, &["$comment", "title", "description"]),
        (Map, PROSE, &["externalDocs"]),
        (Any, SAMPLE, &["example", "examples"]),
        (Map, Irrelevant("it names a member, which is compared like any other member"), &["discriminator"]),
        (Map, Irrelevant("it applies to XML, and the SDK uses JSON"), &["xml"]),
    ]),
    (Kind::SecurityScheme, &[
        (Text, Compared, &["type", "name", "in", "scheme"]),
        (Text, Irrelevant("it describes tokens, and the SDK sends the key as it is"), &["bearerFormat"]),
        (Map, Irrelevant("it describes how to get a token. The required scopes are compared"), &["flows"]),
        (Text, Irrelevant("it describes how to get a token"), &["openIdConnectUrl"]),
        (Text, PROSE, &["description"]),
    ]),
];

/// Whether OpenAPI has the keyword in an object of this kind.
pub fn is_known(kind: Kind, keyword: &str) -> bool {
    rule(kind, keyword).is_some()
}

/// The rule of a keyword, or `None` if it is not listed.
pub(crate) fn rule(kind: Kind, keyword: &str) -> Option<Rule> {
    entry(kind, keyword).map(|(_, rule)| rule)
}

fn entry(kind: Kind, keyword: &str) -> Option<(Json, Rule)> {
    all().find(|(of, name, ..)| *of == kind && *name == keyword).map(|(.., json, rule)| (json, rule))
}

/// Each keyword of each kind of object, with the type of its value and its rule.
pub(crate) fn all() -> impl Iterator<Item = (Kind, &'static str, Json, Rule)> {
    let rows = KEYWORDS.iter().flat_map(|(kind, rows)| rows.iter().map(|row| (*kind, *row)));
    rows.flat_map(|(kind, (json, rule, keywords))| keywords.iter().map(move |keyword| (kind, *keyword, json, rule)))
}

/// The keywords of an object that cannot be evaluated because they are not listed, or because their values have the wrong
/// type. Each comes with a message. Extensions (`x-`) are ignored unless they are listed.
pub fn unreadable(kind: Kind, node: &Value) -> impl Iterator<Item = (&String, String)> {
    members(node).filter_map(move |(keyword, value)| match entry(kind, keyword) {
        None if keyword.starts_with("x-") => None,
        None => Some((keyword, format!("has the unknown keyword `{keyword}`"))),
        Some((json, _)) if json.allows(value) => None,
        Some((json, _)) => Some((keyword, format!("has a value of `{keyword}` that is not {}", json.name()))),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_keyword_is_listed_once_and_has_a_reason_if_it_is_irrelevant() {
        let mut known = BTreeSet::new();
        for (kind, keyword, _, rule) in all() {
            assert!(known.insert(format!("{kind:?} {keyword}")), "{kind:?} {keyword} is listed twice");
            match rule {
                Rule::Irrelevant(reason) => assert!(reason.len() > 10, "{kind:?} {keyword}"),
                Rule::Narrows(_) | Rule::AsWritten => assert_eq!(kind, Kind::Schema, "{keyword}"),
                Rule::Compared => {}
            }
        }
    }
}
