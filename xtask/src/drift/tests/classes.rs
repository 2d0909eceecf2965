//! Every keyword of schemas added, changed and removed, in a request and in a response, and the class of what that is.

use std::fmt::Write;

use super::*;
use crate::keywords::{self, Json, Kind, Narrows, Rule};

/// `-` is no difference.
type Classes = &'static str;

/// What our schema and the published one say of the same member, and the classes of that in a request and in a response.
type Row = (&'static str, &'static str, Classes, Classes);

#[rustfmt::skip]
const SCHEMAS: &[Row] = &[
    // ours                                      published                                       request           response
    ("type: string",                             "type: integer",                                "breaks callers", "breaks decoding"),
    ("type: string",                             "type: [string, integer]",                      "cosmetic",       "breaks decoding"),
    ("type: [string, integer]",                  "type: string",                                 "breaks callers", "cosmetic"),
    ("type: integer",                            "type: number",                                 "cosmetic",       "breaks decoding"),
    ("type: number",                             "type: integer",                                "breaks callers", "cosmetic"),
    ("type: string",                             "{}",                                           "cosmetic",       "cosmetic"),
    ("type: string",                             "type: [string, 'null']",                       "-",              "-"),
    ("type: string",                             "type: [string, null]",                         "-",              "-"),
    ("type: string",                             "{type: string, nullable: true}",               "-",              "-"),
    ("type: string",                             "anyOf: [{type: string}, {type: null}]",        "-",              "-"),
    ("{type: array, items: {type: string}}",     "{type: array, items: {type: string, nullable: true}}", "-",      "breaks decoding"),
    ("{type: array, items: {type: string}}",     "{type: array, items: {type: [string, 'null']}}", "-",            "breaks decoding"),
    ("{type: array, items: {type: string}}",     "{type: array, items: {oneOf: [{type: string}, {type: 'null'}]}}", "-", "breaks decoding"),
    ("{type: array, items: {type: string, enum: [A]}}", "{type: array, items: {type: string, enum: [A], nullable: true}}", "-", "-"),
    ("{type: object, additionalProperties: {type: string}}", "{type: object, additionalProperties: {type: string, nullable: true}}", "-", "breaks decoding"),
    ("{type: array, items: {type: string}}",     "{type: array, items: {type: integer}}",        "breaks callers", "breaks decoding"),
    ("{type: array, items: {type: string}}",     "type: array",                                  "cosmetic",       "cosmetic"),
    ("{type: array, items: {type: string}}",     "{type: array, items: true}",                   "cosmetic",       "cosmetic"),
    ("{type: array, items: {type: string}}",     "type: string",                                 "breaks callers", "breaks decoding"),
    ("{type: string, format: date-time}",        "type: string",                                 "cosmetic",       "breaks decoding"),
    ("{type: string, format: date-time}",        "{type: string, format: date}",                 "breaks callers", "breaks decoding"),
    ("{type: string, format: google-duration}",  "{type: string, format: hours}",                "breaks callers", "cosmetic"),
    ("type: string",                             "{type: string, format: email}",                "new",            "cosmetic"),
    ("{type: string, format: uint64}",           "{type: integer, format: uint64}",              "cosmetic",       "cosmetic"),
    ("{type: integer, format: int32}",           "{type: integer, format: int64}",               "cosmetic",       "breaks decoding"),
    ("{type: integer, format: int64}",           "{type: integer, format: int32}",               "breaks callers", "cosmetic"),
    ("{type: integer, format: int32}",           "{type: string, format: int64}",                "cosmetic",       "breaks decoding"),
    ("{type: number, format: double}",           "{type: number, format: float}",                "cosmetic",       "cosmetic"),
    ("{type: string, enum: [A, B]}",             "{type: string, enum: [A, B, C]}",              "new",            "new"),
    ("{type: string, enum: [A, B]}",             "{type: string, enum: [A]}",                    "breaks callers", "cosmetic"),
    ("{type: string, enum: [A, B]}",             "type: string",                                 "cosmetic",       "cosmetic"),
    ("type: string",                             "{type: string, enum: [A, B]}",                 "breaks callers", "cosmetic"),
    ("type: string",                             "{type: string, const: A}",                     "breaks callers", "cosmetic"),
    ("{type: string, enum: [A]}",                "const: A",                                     "-",              "-"),
    ("type: string",                             "anyOf: [{type: string, enum: [A]}, {type: string}]", "-",        "-"),
    ("type: string",                             "anyOf: [{type: string, enum: [A]}, {type: string, enum: [B]}]", "breaks callers", "cosmetic"),
    ("properties: {a: {type: string}}",          "properties: {a: {type: string}, b: {type: string}}", "new",      "new"),
    ("properties: {a: {type: string}}",          "{properties: {a: {type: string}, b: {type: string}}, required: [b]}", "breaks callers", "new"),
    ("properties: {a: {type: string}, b: {type: string}}", "properties: {a: {type: string}}",    "breaks callers", "new"),
    ("properties: {a: {type: string}}",          "{properties: {a: {type: string}}, required: [a]}", "breaks callers", "cosmetic"),
    ("{properties: {a: {type: string}}, required: [a]}", "properties: {a: {type: string}}",      "cosmetic",       "cosmetic"),
    ("properties: {a: {type: string}}",          "{properties: {a: {type: string}}, required: [b]}", "breaks callers", "cosmetic"),
    ("properties: {a: {type: string}}",          "properties: {a: {type: string, readOnly: true}}", "breaks callers", "-"),
    ("properties: {a: {type: string}}",          "properties: {a: {type: string, writeOnly: true}}", "-",          "new"),
    ("properties: {a: {type: string}}",          "{properties: {a: {type: string, readOnly: true}}, required: [a]}", "breaks callers", "cosmetic"),
    ("properties: {a: {type: string}}",          "{properties: {a: {type: string, writeOnly: true}}, required: [a]}", "breaks callers", "new"),
    ("properties: {a: {type: string}}",          "{properties: {a: {type: string}, b: {type: string, readOnly: true}}, required: [b]}", "-", "new"),
    ("properties: {a: {type: string}}",          "{properties: {a: {type: string}, b: {type: string, writeOnly: true}}, required: [b]}", "breaks callers", "-"),
    ("properties: {a: {type: string, readOnly: true}}", "properties: {a: {type: string}}",       "-",              "-"),
    ("properties: {a: {type: string, readOnly: true}}", "{}",                                    "cosmetic",       "cosmetic"),
    ("properties: {a: {type: string}}",          "{properties: {a: {type: string}}, additionalProperties: false}", "-", "-"),
    ("properties: {a: {type: string}}",          "{properties: {a: {type: string}}, additionalProperties: {type: string}}", "-", "-"),
    ("{type: object, additionalProperties: {type: string}}", "{type: object, additionalProperties: {type: integer}}", "breaks callers", "breaks decoding"),
    ("{type: object, additionalProperties: {type: string}}", "{type: object, additionalProperties: true}", "cosmetic", "cosmetic"),
    ("{type: object, additionalProperties: {type: string}}", "{type: object, additionalProperties: false}", "breaks callers", "cosmetic"),
    ("{type: object, additionalProperties: {type: string}}", "properties: {a: {type: string}}",  "breaks callers", "breaks decoding"),
    ("properties: {a: {type: string}}",          "{type: object, additionalProperties: {type: string}}", "breaks callers", "breaks decoding"),
    ("properties: {a: {type: string}}",          "allOf: [{properties: {a: {type: string}}}]",   "-",              "-"),
    ("properties: {a: {type: string}}",          "allOf: [{properties: {a: {type: integer}}}]",  "breaks callers", "breaks decoding"),
    ("properties: {a: {type: string}}",          "allOf: [{properties: {a: {type: string}}}, {required: [a]}]", "breaks callers", "cosmetic"),
    ("properties: {a: {type: string}}",          "oneOf: [{properties: {a: {type: string}}, required: [a]}, {properties: {a: {type: string}}}]", "-", "-"),
    ("properties: {a: {type: string}}",          "anyOf: [{properties: {a: {type: string}}}, {properties: {a: {type: integer}}}]", "cosmetic", "breaks decoding"),
    ("properties: {a: {}, b: {}}",               "{properties: {a: {}, b: {}}, oneOf: [{required: [a]}, {required: [b]}]}", "new", "-"),
    ("properties: {a: {}, b: {}}",               "{properties: {a: {}, b: {}}, anyOf: [{required: [a]}, {required: [b]}]}", "new", "-"),
    ("properties: {a: {}, b: {}, c: {}}",        "{properties: {a: {}, b: {}, c: {}}, oneOf: [{required: [a, b]}, {required: [c]}]}", "new", "-"),
    ("properties: {a: {}, b: {}}",               "{properties: {a: {}, b: {}}, anyOf: [{required: [a]}, {required: [a, b]}]}", "new", "-"),
    ("properties: {a: {}, b: {}}",               "anyOf: [{properties: {a: {}}, required: [a]}, {properties: {b: {}}, required: [b]}]", "new", "-"),
    ("properties: {a: {}, b: {}}",               "anyOf: [{properties: {a: {}}, required: [a]}, {properties: {a: {}, b: {}}, required: [a, b]}]", "breaks callers", "cosmetic"),
    ("properties: {a: {}, b: {}}",               "oneOf: [{$ref: '#/x-a'}, {$ref: '#/x-b'}]",    "new",            "-"),
    ("properties: {a: {}, b: {}}",               "oneOf: [{$ref: '#/x-a'}, {properties: {b: {}}}]", "-",           "-"),
    ("{properties: {a: {}, b: {}}, x-oneof: [[a, b]]}", "{properties: {a: {}, b: {}}, oneOf: [{required: [a]}, {required: [b]}]}", "new", "-"),
    ("{properties: {a: {}, b: {}}, x-oneof: [[a, b]]}", "{properties: {a: {}, b: {}}, oneOf: [{required: [a]}, {required: [b]}, {not: {anyOf: []}}]}", "-", "-"),
    ("{properties: {a: {}, b: {}}, x-oneof: [[a, b]]}", "properties: {a: {}, b: {}}",            "-",              "-"),
    ("type: string",                             "{type: string, deprecated: true}",             "new",            "new"),
    ("{type: string, deprecated: true}",         "type: string",                                 "-",              "-"),
    ("type: string",                             "{type: string, default: x}",                   "new",            "new"),
    ("type: string",                             "{type: string, default: ''}",                  "-",              "-"),
    ("{type: string, default: x}",               "type: string",                                 "new",            "new"),
    ("{type: string, enum: [A, B]}",             "{type: string, enum: [A, B], default: A}",     "-",              "-"),
    ("{type: string, enum: [A, B]}",             "{type: string, enum: [A, B], default: B}",     "new",            "new"),
    ("type: integer",                            "{type: integer, default: 0}",                  "-",              "-"),
    ("type: integer",                            "{type: integer, default: 10}",                 "new",            "new"),
    ("{type: integer, minimum: 3}",              "{type: integer, minimum: 3, exclusiveMinimum: true}", "new",     "-"),
    ("{type: integer, exclusiveMinimum: 3}",     "{type: integer, minimum: 3, exclusiveMinimum: true}", "-",       "-"),
    ("{type: integer, exclusiveMaximum: 3}",     "{type: integer, maximum: 3, exclusiveMaximum: true}", "-",       "-"),
    ("type: string",                             "{type: string, minLength: 0, pattern: '^[\\s\\S]*$'}", "-",      "-"),
    ("{type: array, items: {type: string}}",     "{type: array, items: {type: string}, minItems: 0, uniqueItems: false}", "-", "-"),
    ("type: string",                             "false",                                        "breaks callers", "new"),
    ("type: string",                             "true",                                         "cosmetic",       "cosmetic"),
    ("false",                                    "false",                                        "-",              "-"),
    ("type: string",                             "type: 'null'",                                 "breaks callers", "new"),
    ("type: string",                             "type: ['null']",                               "breaks callers", "new"),
    ("type: string",                             "enum: [null]",                                 "breaks callers", "new"),
    ("type: string",                             "const: null",                                  "breaks callers", "new"),
    ("type: string",                             "oneOf: [{type: 'null'}, false]",               "breaks callers", "new"),
    ("type: string",                             "allOf: [{type: string}, false]",               "breaks callers", "new"),
    ("type: string",                             "anyOf: [{type: string}, false]",               "-",              "-"),
    ("{type: array, items: {type: string}}",     "{type: array, items: false}",                  "breaks callers", "new"),
    ("properties: {a: {type: string}}",          "properties: {a: false}",                       "breaks callers", "new"),
    ("type: string",                             "{type: string, if: {const: A}, then: false}",  "new",            "new"),
    ("type: string",                             "{type: string, if: true, then: true, else: true}", "-",          "-"),
    ("properties: {a: {type: string}}",          "{properties: {a: {type: string}}, unevaluatedProperties: false}", "-", "-"),
    ("type: string",                             "{type: string, maxLenght: 3}",                 "new",            "new"),
    ("type: string",                             "{type: string, x-note: 3}",                    "-",              "-"),
    ("type: string",                             "{type: string, required: true}",               "new",            "new"),
    ("type: string",                             "{type: string, deprecated: 'true'}",           "new",            "new"),
    ("type: string",                             "{type: string, maxLength: '3'}",               "new",            "new"),
    ("type: string",                             "{$ref: '#/x-text'}",                           "-",              "-"),
    ("type: string",                             "{$ref: '#/x-text', maxLength: 3}",             "new",            "-"),
    ("{$ref: '#/x-text'}",                       "type: string",                                 "-",              "-"),
    ("{$ref: '#/x-text'}",                       "{$ref: '#/x-number'}",                         "breaks callers", "breaks decoding"),
    ("{}",                                       "type: string",                                 "-",              "-"),
    ("const: A",                                 "const: B",                                     "breaks callers, new", "cosmetic, new"),
    ("{type: string, const: A}",                 "type: string",                                 "cosmetic",       "cosmetic"),
    ("{properties: {a: {}, b: {}}, required: [a]}", "{properties: {a: {}, b: {}}, required: [b]}", "breaks callers, cosmetic", "cosmetic"),
    ("type: array",                              "{type: array, items: {type: string}}",         "-",              "-"),
    ("allOf: [{properties: {a: {type: string}}}]", "allOf: [{properties: {a: {type: integer}}}]", "breaks callers", "breaks decoding"),
    ("allOf: [{properties: {a: {type: string}}}]", "properties: {a: {type: string}}",            "-",              "-"),
    ("oneOf: [{type: string}, {type: integer}]", "oneOf: [{type: string}, {type: boolean}]",     "breaks callers", "breaks decoding"),
    ("oneOf: [{type: string}, {type: integer}]", "type: string",                                 "breaks callers", "cosmetic"),
    ("anyOf: [{type: string}, {type: integer}]", "anyOf: [{type: string}, {type: boolean}]",     "breaks callers", "breaks decoding"),
    ("anyOf: [{type: string}, {type: integer}]", "type: string",                                 "breaks callers", "cosmetic"),
    ("{type: array, items: {type: string, nullable: false}}", "{type: array, items: {type: string, nullable: true}}", "-", "breaks decoding"),
    ("{type: array, items: {type: string, nullable: true}}", "{type: array, items: {type: string}}", "-",          "-"),
    ("properties: {a: {type: string, readOnly: false}}", "properties: {a: {type: string, readOnly: true}}", "breaks callers", "-"),
    ("properties: {a: {type: string, writeOnly: false}}", "properties: {a: {type: string, writeOnly: true}}", "-", "new"),
    ("properties: {a: {type: string, writeOnly: true}}", "properties: {a: {type: string}}",      "-",              "-"),
    ("{type: string, deprecated: false}",        "{type: string, deprecated: true}",             "new",            "new"),
    ("{type: string, default: x}",               "{type: string, default: y}",                   "new",            "new"),
];

/// A document whose request and response have the member `m`.
fn document(schema: &Value) -> Value {
    let content = json!({ "application/json": { "schema": { "type": "object", "properties": { "m": schema } } } });
    json!({
        "openapi": "3.1.0",
        "paths": { "/v1/incidents": { "post": {
            "operationId": "list",
            "requestBody": { "content": content },
            "responses": { "200": { "description": "", "content": content } },
        } } },
        "x-text": { "type": "string" },
        "x-a": { "properties": { "a": {} }, "required": ["a"] },
        "x-b": { "properties": { "b": {} }, "required": ["b"] },
        "x-number": { "type": "integer" },
    })
}

pub(super) fn classes(ours: &Value, published: &Value) -> Vec<(String, String)> {
    let found = compare(&parsed(&ours.to_string()), &parsed(&published.to_string())).unwrap();
    found.into_iter().map(|difference| (difference.place, difference.class.as_str().to_owned())).collect()
}

fn summary<'c>(classes: impl Iterator<Item = &'c String>) -> String {
    let distinct: BTreeSet<&str> = classes.map(String::as_str).collect();
    if distinct.is_empty() { "-".to_owned() } else { distinct.into_iter().collect::<Vec<_>>().join(", ") }
}

/// A small and a large value of a keyword, as its JSON goes.
pub(super) fn two_values(json: Json) -> (Value, Value) {
    match json {
        Json::Count | Json::Number | Json::Any => (json!(2), json!(4)),
        Json::Flag => (json!(false), json!(true)),
        Json::Text => (json!("a"), json!("b")),
        Json::List => (json!([{ "const": 1 }]), json!([{ "const": 2 }])),
        Json::Map | Json::Schema => (json!({ "a": { "const": 1 } }), json!({ "a": { "const": 2 } })),
    }
}

/// A keyword that is absent, small or large on either side, and the class in a request and in a response.
fn expected(rule: Rule) -> Vec<(usize, usize, Classes, Classes)> {
    let (tighter, looser) = ("breaks callers", "cosmetic");
    let (added, either) = ("new", "new");
    // To the smaller value, then to the larger one.
    let (down, up) = match rule {
        Rule::Narrows(Narrows::BySmaller) => (tighter, looser),
        Rule::Narrows(Narrows::ByLarger | Narrows::ByMultiple) => (looser, tighter),
        Rule::Narrows(Narrows::Somehow) | Rule::AsWritten => (either, either),
        // `false` is no limit.
        Rule::Narrows(Narrows::ByTrue) => {
            return vec![(0, 2, added, "-"), (1, 2, added, "-"), (2, 1, "-", "-"), (2, 0, "-", "-")];
        }
        Rule::Compared => return Vec::new(),
        Rule::Irrelevant(_) => return vec![(0, 1, "-", "-"), (1, 2, "-", "-"), (2, 0, "-", "-")],
    };
    if rule == Rule::AsWritten {
        return vec![(0, 1, added, added), (1, 2, either, either), (2, 1, either, either), (1, 0, either, either)];
    }
    vec![(0, 1, added, "-"), (2, 1, down, "-"), (1, 2, up, "-"), (1, 0, "-", "-")]
}

/// Documents whose schemas differ, ours and the published one, with the classes in a request and in a response.
pub(super) fn schema_mutations() -> Vec<(Value, Value, Classes, Classes)> {
    let rows = SCHEMAS.iter().map(|(ours, published, request, response)| {
        (document(parsed(ours).root()), document(parsed(published).root()), *request, *response)
    });
    let keywords = keywords::all().filter(|(kind, ..)| *kind == Kind::Schema);
    let rules = keywords.flat_map(|(_, keyword, json, rule)| {
        let (small, large) = two_values(json);
        let with = move |value: usize| match value {
            0 => document(&json!({ "type": "string" })),
            1 => document(&json!({ "type": "string", keyword: small })),
            _ => document(&json!({ "type": "string", keyword: large })),
        };
        let rows = expected(rule).into_iter();
        rows.map(move |(ours, published, request, response)| (with(ours), with(published), request, response))
    });
    rows.chain(rules).collect()
}

#[test]
fn schemas_are_classified_as_the_tables_say() {
    let mut complaints = String::new();
    for (ours, published, request, response) in schema_mutations() {
        let found = classes(&ours, &published);
        for (start, expected) in [("request body", request), ("response 200", response)] {
            let there = found.iter().filter(|(place, _)| place.starts_with(start)).map(|(_, class)| class);
            let found = summary(there);
            if found != expected {
                let _ = writeln!(complaints, "{start}: {ours} published as {published}: {found}, expected {expected}");
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}
