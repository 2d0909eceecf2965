//! Each keyword of OpenAPI 3.0 and 3.1, with the type of its value and drift's rule for it: whether it is compared, is compared in
//! requests only, or is irrelevant to this SDK, with the reason. Keywords that are not listed here are reported.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use serde_json::Value;

use crate::{json_pointer::join, openapi::METHODS};

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
        let names = document.pointer(&pointer).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name);
        queue.extend(names.map(|name| (kind, join(&pointer, name))));
    }
    let mut found = BTreeMap::new();
    while let Some((kind, pointer)) = queue.pop() {
        for (keyword, value) in document.pointer(&pointer).and_then(Value::as_object).into_iter().flatten() {
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

/// The keywords of a kind of object, each with the type of its value and its rule.
pub(crate) type Keywords = &'static [(&'static str, Json, Rule)];

#[rustfmt::skip]
pub(crate) const KEYWORDS: &[(Kind, Keywords)] = &[
    (Kind::Document, &[
        ("openapi", Any, Compared),
        ("servers", List, Compared),
        ("paths", Map, Compared),
        ("components", Map, Compared),
        ("security", List, Compared),
        ("info", Map, PROSE),
        ("tags", List, PROSE),
        ("externalDocs", Map, PROSE),
        ("webhooks", Map, CALLBACK),
        ("jsonSchemaDialect", Text, Irrelevant("schemas are compared keyword by keyword, whatever their dialect")),
    ]),
    (Kind::Server, &[
        ("url", Text, Compared),
        ("variables", Map, Compared),
        ("description", Text, PROSE),
    ]),
    (Kind::ServerVariable, &[
        ("default", Text, Compared),
        ("enum", List, Compared),
        ("description", Text, PROSE),
    ]),
    (Kind::PathItem, &[
        ("$ref", Text, Compared),
        ("get", Map, Compared),
        ("put", Map, Compared),
        ("post", Map, Compared),
        ("delete", Map, Compared),
        ("options", Map, Compared),
        ("head", Map, Compared),
        ("patch", Map, Compared),
        ("trace", Map, Compared),
        ("servers", List, Compared),
        ("parameters", List, Compared),
        ("summary", Text, PROSE),
        ("description", Text, PROSE),
    ]),
    (Kind::Operation, &[
        ("parameters", List, Compared),
        ("requestBody", Map, Compared),
        ("responses", Map, Compared),
        ("deprecated", Flag, Compared),
        ("security", List, Compared),
        ("servers", List, Compared),
        ("x-coralogixPermissions", List, Compared),
        ("operationId", Text, Irrelevant("it is not sent, and operations are matched by method and path")),
        ("tags", List, Irrelevant("tags only group operations")),
        ("callbacks", Map, CALLBACK),
        ("summary", Text, PROSE),
        ("description", Text, PROSE),
        ("externalDocs", Map, PROSE),
    ]),
    (Kind::Parameter, &[
        ("name", Text, Compared),
        ("in", Text, Compared),
        ("required", Flag, Compared),
        ("deprecated", Flag, Compared),
        ("style", Text, Compared),
        ("explode", Flag, Compared),
        ("schema", Schema, Compared),
        ("content", Map, Compared),
        ("allowEmptyValue", Flag, Irrelevant("the SDK does not send empty values")),
        ("allowReserved", Flag, Irrelevant("the SDK escapes reserved characters, which is always allowed")),
        ("description", Text, PROSE),
        ("example", Any, SAMPLE),
        ("examples", Map, SAMPLE),
    ]),
    (Kind::RequestBody, &[
        ("required", Flag, Compared),
        ("content", Map, Compared),
        ("description", Text, PROSE),
    ]),
    (Kind::MediaType, &[
        ("schema", Schema, Compared),
        ("encoding", Map, Irrelevant("it applies to forms, and the SDK uses JSON")),
        ("example", Any, SAMPLE),
        ("examples", Map, SAMPLE),
    ]),
    (Kind::Response, &[
        ("content", Map, Compared),
        ("headers", Map, Irrelevant("the SDK reads the headers that it needs by their standard names")),
        ("links", Map, Irrelevant("the SDK does not follow links")),
        ("description", Text, PROSE),
    ]),
    (Kind::Schema, &[
        ("$ref", Text, Compared),
        ("type", Any, Compared),
        ("format", Text, Compared),
        ("enum", List, Compared),
        ("const", Any, Compared),
        ("properties", Map, Compared),
        ("required", List, Compared),
        ("items", Schema, Compared),
        ("additionalProperties", Schema, Compared),
        ("allOf", List, Compared),
        ("oneOf", List, Compared),
        ("anyOf", List, Compared),
        ("nullable", Flag, Compared),
        ("readOnly", Flag, Compared),
        ("writeOnly", Flag, Compared),
        ("deprecated", Flag, Compared),
        ("default", Any, Compared),
        ("maxItems", Count, Rule::Narrows(BySmaller)),
        ("minItems", Count, Rule::Narrows(ByLarger)),
        ("uniqueItems", Flag, Rule::Narrows(ByTrue)),
        ("maxLength", Count, Rule::Narrows(BySmaller)),
        ("minLength", Count, Rule::Narrows(ByLarger)),
        ("pattern", Text, Rule::Narrows(Somehow)),
        ("maximum", Number, Rule::Narrows(BySmaller)),
        ("minimum", Number, Rule::Narrows(ByLarger)),
        // A flag in OpenAPI 3.0 and a number in 3.1. It is read as a number.
        ("exclusiveMaximum", Any, Rule::Narrows(BySmaller)),
        ("exclusiveMinimum", Any, Rule::Narrows(ByLarger)),
        ("multipleOf", Number, Rule::Narrows(ByMultiple)),
        ("maxProperties", Count, Rule::Narrows(BySmaller)),
        ("minProperties", Count, Rule::Narrows(ByLarger)),
        ("not", Schema, Rule::Narrows(Somehow)),
        ("propertyNames", Schema, Rule::Narrows(Somehow)),
        ("dependentRequired", Map, Rule::Narrows(Somehow)),
        ("contains", Schema, Rule::Narrows(Somehow)),
        ("maxContains", Count, Rule::Narrows(BySmaller)),
        ("minContains", Count, Rule::Narrows(ByLarger)),
        ("contentEncoding", Text, Rule::Narrows(Somehow)),
        ("contentMediaType", Text, Rule::Narrows(Somehow)),
        ("contentSchema", Schema, Rule::Narrows(Somehow)),
        ("patternProperties", Map, AsWritten),
        ("prefixItems", List, AsWritten),
        ("additionalItems", Schema, AsWritten),
        ("unevaluatedItems", Schema, AsWritten),
        ("unevaluatedProperties", Schema, AsWritten),
        ("dependentSchemas", Map, AsWritten),
        ("dependencies", Map, AsWritten),
        ("if", Schema, AsWritten),
        ("then", Schema, AsWritten),
        ("else", Schema, AsWritten),
        ("$dynamicRef", Text, AsWritten),
        ("$recursiveRef", Text, AsWritten),
        ("$id", Text, AsWritten),
        ("$schema", Text, AsWritten),
        ("$anchor", Text, Irrelevant("it is a target of references, and references to it are errors")),
        ("$dynamicAnchor", Text, Irrelevant("it is a target of dynamic references, which are reported")),
        ("$recursiveAnchor", Flag, Irrelevant("it is a target of dynamic references, which are reported")),
        ("$vocabulary", Map, ANNOTATION),
        ("$defs", Map, Irrelevant("definitions are compared where schemas refer to them")),
        ("definitions", Map, Irrelevant("definitions are compared where schemas refer to them")),
        ("$comment", Text, PROSE),
        ("title", Text, PROSE),
        ("description", Text, PROSE),
        ("externalDocs", Map, PROSE),
        ("example", Any, SAMPLE),
        ("examples", Any, SAMPLE),
        ("discriminator", Map, Irrelevant("it names a member, which is compared like any other member")),
        ("xml", Map, Irrelevant("it applies to XML, and the SDK uses JSON")),
    ]),
    (Kind::SecurityScheme, &[
        ("type", Text, Compared),
        ("name", Text, Compared),
        ("in", Text, Compared),
        ("scheme", Text, Compared),
        ("bearerFormat", Text, Irrelevant("it describes tokens, and the SDK sends the key as it is")),
        ("flows", Map, Irrelevant("it describes how to get a token. The required scopes are compared")),
        ("openIdConnectUrl", Text, Irrelevant("it describes how to get a token")),
        ("description", Text, PROSE),
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
    type Rules = HashMap<(Kind, &'static str), (Json, Rule)>;
    static RULES: LazyLock<Rules> = LazyLock::new(|| {
        let rules = |(kind, rules): &(Kind, Keywords)| {
            let kind = *kind;
            rules.iter().map(move |(keyword, json, rule)| ((kind, *keyword), (*json, *rule)))
        };
        KEYWORDS.iter().flat_map(rules).collect()
    });
    RULES.get(&(kind, keyword)).copied()
}

/// The keywords of an object that cannot be evaluated because they are not listed, or because their values have the wrong
/// type. Each comes with a message. Extensions (`x-`) are ignored unless they are listed.
pub fn unreadable(kind: Kind, node: &Value) -> impl Iterator<Item = (&String, String)> {
    node.as_object().into_iter().flatten().filter_map(move |(keyword, value)| match entry(kind, keyword) {
        None if keyword.starts_with("x-") => None,
        None => Some((keyword, format!("has the unknown keyword `{keyword}`"))),
        Some((json, _)) if json.allows(value) => None,
        Some((json, _)) => Some((keyword, format!("has a value of `{keyword}` that is not {}", json.name()))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_keyword_is_listed_once_and_has_a_reason_if_it_is_irrelevant() {
        for (kind, rules) in KEYWORDS {
            for (index, (keyword, _, rule)) in rules.iter().enumerate() {
                assert!(!rules[..index].iter().any(|(other, ..)| other == keyword), "{kind:?} {keyword}");
                match rule {
                    Rule::Irrelevant(reason) => assert!(reason.len() > 10, "{kind:?} {keyword}"),
                    Rule::Narrows(_) | Rule::AsWritten => assert_eq!(*kind, Kind::Schema, "{keyword}"),
                    Rule::Compared => {}
                }
            }
        }
    }
}
