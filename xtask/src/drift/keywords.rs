//! What becomes of each keyword of OpenAPI 3.0 and 3.1: the one list of what is compared, of what counts in one direction
//! only, and of what means nothing to this SDK, with the reason. A keyword that is not listed is reported.

use std::{collections::HashMap, sync::LazyLock};

use serde_json::Value;

/// The objects of OpenAPI whose keywords are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Compared, by code that knows its meaning.
    Compared,
    /// Narrows what is valid, and is compared in requests. In a response it only promises more than the SDK relies on.
    Narrows(Narrows),
    /// Says something about a value's shape that is not evaluated: reported wherever the two files differ in it.
    AsWritten,
    /// Means nothing to this SDK, for this reason.
    Meaningless(&'static str),
}

/// Which of two values of a keyword that narrows lets less through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Narrows {
    BySmaller,
    ByLarger,
    /// `true` narrows, and `false` does not.
    ByTrue,
    /// A multiple of the other value.
    ByMultiple,
    /// Nobody can say.
    Somehow,
}

/// The JSON that a keyword's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Json {
    Any,
    Flag,
    Number,
    Text,
    List,
    Map,
    Schema,
}

impl Json {
    fn allows(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Flag => value.is_boolean(),
            Self::Number => value.is_number(),
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
            Self::Text => "text",
            Self::List => "a list",
            Self::Map => "a mapping",
            Self::Schema => "a schema",
        }
    }
}

const PROSE: Rule = Rule::Meaningless("prose for readers");
const SAMPLE: Rule = Rule::Meaningless("shows what may be sent or received, and promises nothing");
const CALLBACK: Rule = Rule::Meaningless("calls that the service makes; a client answers none");
const ANNOTATION: Rule = Rule::Meaningless("an annotation of JSON Schema that has no effect on what is valid");

use Json::{Any, Flag, List, Map, Number, Schema, Text};
use Narrows::{ByLarger, ByMultiple, BySmaller, ByTrue, Somehow};
use Rule::{AsWritten, Compared, Meaningless};

/// The keywords of one kind of object, each with its JSON and its rule.
type Keywords = &'static [(&'static str, Json, Rule)];

#[rustfmt::skip]
pub(super) const KEYWORDS: &[(Kind, Keywords)] = &[
    (Kind::Document, &[
        ("openapi", Any, Compared),
        ("servers", List, Compared),
        ("paths", Map, Compared),
        ("components", Map, Meaningless("looked at where an operation refers to it")),
        ("security", List, Compared),
        ("info", Map, PROSE),
        ("tags", List, PROSE),
        ("externalDocs", Map, PROSE),
        ("webhooks", Map, CALLBACK),
        ("jsonSchemaDialect", Text, AsWritten),
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
        ("operationId", Text, Meaningless("a name that is not sent: operations are matched by method and path")),
        ("tags", List, Meaningless("tell only which operations belong together")),
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
        ("allowEmptyValue", Flag, Meaningless("permits an empty value, which the SDK does not send")),
        ("allowReserved", Flag, Meaningless("permits characters without an escape; the SDK escapes them all")),
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
        ("encoding", Map, Meaningless("is for forms, and the SDK sends and reads JSON")),
        ("example", Any, SAMPLE),
        ("examples", Map, SAMPLE),
    ]),
    (Kind::Response, &[
        ("content", Map, Compared),
        ("headers", Map, Meaningless("the SDK reads the headers it needs by their standard names, stated or not")),
        ("links", Map, Meaningless("suggest calls; the SDK follows none")),
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
        ("maxItems", Number, Rule::Narrows(BySmaller)),
        ("minItems", Number, Rule::Narrows(ByLarger)),
        ("uniqueItems", Flag, Rule::Narrows(ByTrue)),
        ("maxLength", Number, Rule::Narrows(BySmaller)),
        ("minLength", Number, Rule::Narrows(ByLarger)),
        ("pattern", Text, Rule::Narrows(Somehow)),
        ("maximum", Number, Rule::Narrows(BySmaller)),
        ("minimum", Number, Rule::Narrows(ByLarger)),
        // A flag in 3.0 and a number in 3.1, and read as the latter.
        ("exclusiveMaximum", Any, Rule::Narrows(BySmaller)),
        ("exclusiveMinimum", Any, Rule::Narrows(ByLarger)),
        ("multipleOf", Number, Rule::Narrows(ByMultiple)),
        ("maxProperties", Number, Rule::Narrows(BySmaller)),
        ("minProperties", Number, Rule::Narrows(ByLarger)),
        ("not", Schema, Rule::Narrows(Somehow)),
        ("propertyNames", Schema, Rule::Narrows(Somehow)),
        ("dependentRequired", Map, Rule::Narrows(Somehow)),
        ("contains", Schema, Rule::Narrows(Somehow)),
        ("maxContains", Number, Rule::Narrows(BySmaller)),
        ("minContains", Number, Rule::Narrows(ByLarger)),
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
        ("$anchor", Text, Meaningless("a name for references; one that uses it is refused")),
        ("$dynamicAnchor", Text, Meaningless("a name for dynamic references, which are reported")),
        ("$recursiveAnchor", Flag, Meaningless("a name for dynamic references, which are reported")),
        ("$vocabulary", Map, ANNOTATION),
        ("$defs", Map, Meaningless("looked at where a schema refers to it")),
        ("definitions", Map, Meaningless("looked at where a schema refers to it")),
        ("$comment", Text, PROSE),
        ("title", Text, PROSE),
        ("description", Text, PROSE),
        ("externalDocs", Map, PROSE),
        ("example", Any, SAMPLE),
        ("examples", Any, SAMPLE),
        ("discriminator", Map, Meaningless("names a member that tells alternatives apart, which is compared as a member")),
        ("xml", Map, Meaningless("is for XML, and the SDK sends and reads JSON")),
    ]),
    (Kind::SecurityScheme, &[
        ("type", Text, Compared),
        ("name", Text, Compared),
        ("in", Text, Compared),
        ("scheme", Text, Compared),
        ("bearerFormat", Text, Meaningless("a hint at what a token is; the SDK sends a key as it is given")),
        ("flows", Map, Meaningless("how a token is got; the scopes that a call needs are compared")),
        ("openIdConnectUrl", Text, Meaningless("how a token is got")),
        ("description", Text, PROSE),
    ]),
];

/// The rule of a keyword; `None` for one that is not listed.
pub(super) fn rule(kind: Kind, keyword: &str) -> Option<Rule> {
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

/// The keywords of an object that can't be evaluated, each with what is wrong: it is not listed, or its value is not what
/// OpenAPI has there. Extensions (`x-`) are the publisher's own notes.
pub(super) fn unreadable(kind: Kind, node: &Value) -> impl Iterator<Item = (&String, String)> {
    node.as_object().into_iter().flatten().filter_map(move |(keyword, value)| match entry(kind, keyword) {
        None if keyword.starts_with("x-") => None,
        None => Some((keyword, format!("has the keyword `{keyword}`, which drift does not know"))),
        Some((json, _)) if json.allows(value) => None,
        Some((json, _)) => Some((keyword, format!("has a `{keyword}` that is not {}", json.name()))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_keyword_is_listed_once_and_has_a_reason_if_it_means_nothing() {
        for (kind, rules) in KEYWORDS {
            for (index, (keyword, _, rule)) in rules.iter().enumerate() {
                assert!(!rules[..index].iter().any(|(other, ..)| other == keyword), "{kind:?} {keyword}");
                if let Rule::Meaningless(reason) = rule {
                    assert!(reason.len() > 10, "{kind:?} {keyword}");
                }
            }
        }
    }
}
