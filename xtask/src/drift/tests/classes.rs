//! Every keyword of OpenAPI added, changed and removed, in a request and in a response, and the class of what that is.

use std::fmt::Write;

use super::{
    super::keywords::{Json, KEYWORDS, Kind, Narrows, Rule},
    *,
};

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
    })
}

fn classes(ours: &Value, published: &Value) -> Vec<(String, String)> {
    let found = compare(&parsed(&ours.to_string()), &parsed(&published.to_string())).unwrap();
    found.into_iter().map(|difference| (difference.place, difference.class.as_str().to_owned())).collect()
}

fn summary<'c>(classes: impl Iterator<Item = &'c String>) -> String {
    let distinct: BTreeSet<&str> = classes.map(String::as_str).collect();
    if distinct.is_empty() { "-".to_owned() } else { distinct.into_iter().collect::<Vec<_>>().join(", ") }
}

/// Adds a line to the complaints unless the two schemas differ as they should, in both directions.
fn check(complaints: &mut String, (ours, published): (&Value, &Value), request: &str, response: &str) {
    let found = classes(&document(ours), &document(published));
    for (start, expected) in [("request body", request), ("response 200", response)] {
        let there = found.iter().filter(|(place, _)| place.starts_with(start)).map(|(_, class)| class);
        let found = summary(there);
        if found != expected {
            let _ = writeln!(complaints, "{start}: {ours} published as {published}: {found}, expected {expected}");
        }
    }
}

#[test]
fn schemas_are_classified_as_the_table_says() {
    let mut complaints = String::new();
    for (ours, published, request, response) in SCHEMAS {
        check(&mut complaints, (parsed(ours).root(), parsed(published).root()), request, response);
    }
    assert!(complaints.is_empty(), "{complaints}");
}

/// A small and a large value of a keyword, as its JSON goes.
fn two_values(json: Json) -> (Value, Value) {
    match json {
        Json::Number | Json::Any => (json!(2), json!(4)),
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

#[test]
fn each_schema_keyword_is_classified_by_its_rule() {
    let rules = KEYWORDS.iter().find(|(kind, _)| *kind == Kind::Schema).unwrap().1;
    let mut complaints = String::new();
    let mut mutations = SCHEMAS.len() * 2;
    for (keyword, json, rule) in rules {
        let (small, large) = two_values(*json);
        let with = |value: usize| match value {
            0 => json!({ "type": "string" }),
            1 => json!({ "type": "string", *keyword: small }),
            _ => json!({ "type": "string", *keyword: large }),
        };
        for (ours, published, request, response) in expected(*rule) {
            mutations += 2;
            check(&mut complaints, (&with(ours), &with(published)), request, response);
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
    assert!(mutations >= 200, "{mutations}");
    // What is compared by code of its own has a line in the table.
    for (keyword, ..) in rules.iter().filter(|(.., rule)| *rule == Rule::Compared) {
        let used = SCHEMAS.iter().any(|(ours, published, ..)| format!("{ours}{published}").contains(keyword));
        assert!(used, "no line of the table has `{keyword}`");
    }
}

/// What is published instead of what stands at a pointer; nothing stands for its absence. Then the places and classes.
type Change = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const ELSEWHERE: &[Change] = &[
    ("/openapi", "3.1", "-"),
    ("/info", "{title: Other, surprise: 1}", "-"),
    ("/webhooks", "{a: {}}", "-"),
    ("/tags", "[]", "-"),
    ("/components/schemas", "{Other: {surprise: 1}}", "-"),
    ("/jsonSchemaDialect", "'https://example.com'", "-"),
    ("/surprise", "1", "document new"),
    ("/servers/0/url", "'https://api.other.example.com/mgmt/openapi'", "servers breaks callers"),
    ("/servers/1", "{url: 'https://api.other.example.com/mgmt/openapi'}", "servers new"),
    ("/servers/1", "{url: 'https://api.ONE.example.com/mgmt/openapi', description: Same.}", "-"),
    ("/servers/0/surprise", "1", "servers new"),
    ("/servers/0/variables", "{a: {default: b, surprise: 1}}", "servers new"),
    ("/servers", "", "-"),
    ("/paths/~1v1~1incidents/surprise", "1", "path new"),
    ("/paths/~1v1~1incidents/query", "{}", "path new"),
    ("/paths/~1v1~1incidents/servers", "[{url: 'https://api.other.example.com/mgmt/openapi'}]", "servers breaks callers"),
    ("/paths/~1v1~1incidents/parameters", "[{name: team, in: query, schema: {type: string}}]", "operation new"),
    ("/paths/~1v1~1incidents/parameters", "[{name: team, in: query, required: true, schema: {type: string}}]", "operation breaks callers"),
    ("/paths/~1v1~1incidents/get", "{responses: {}}", "operation new"),
    ("/paths/~1v1~1incidents/description", "Other.", "-"),
    ("OPERATION/surprise", "1", "operation new"),
    ("OPERATION/deprecated", "true", "operation new"),
    ("OPERATION/summary", "Other", "-"),
    ("OPERATION/operationId", "other", "-"),
    ("OPERATION/callbacks", "{a: {}}", "-"),
    ("OPERATION/x-coralogixPermissions", "['incidents:read']", "-"),
    ("OPERATION/x-coralogixPermissions", "['incidents:other']", "operation new"),
    ("OPERATION/x-other", "1", "-"),
    ("OPERATION/servers", "[{url: 'https://api.one.example.com/mgmt/openapi/'}]", "-"),
    ("OPERATION/security", "[]", "security new"),
    ("OPERATION/security", "[{}]", "security new"),
    ("OPERATION/security", "[{Key: []}, {}]", "security new"),
    ("OPERATION/security", "[{Key: []}, {Other: []}]", "security new"),
    ("OPERATION/security", "[{Key: [], Other: []}]", "security breaks callers"),
    ("OPERATION/security", "[{Other: []}]", "security breaks callers"),
    ("OPERATION/security", "[{Undefined: []}]", "security breaks callers"),
    ("OPERATION/security", "[{Key: [admin]}]", "security breaks callers"),
    ("/security", "", "security new"),
    ("/security", "[{Basic: []}]", "security breaks callers"),
    ("/security", "[{Token: []}]", "security breaks callers"),
    ("/components/securitySchemes/Key", "{type: apiKey, in: header, name: authorization}", "-"),
    ("/components/securitySchemes/Key", "{type: http, scheme: Bearer, bearerFormat: JWT, description: Other.}", "-"),
    ("/components/securitySchemes/Key", "{type: apiKey, in: header, name: X-Api-Key}", "security breaks callers"),
    ("/components/securitySchemes/Key", "{type: apiKey, in: query, name: key}", "security breaks callers"),
    ("/components/securitySchemes/Key", "{type: apiKey, in: cookie, name: key}", "security breaks callers"),
    ("/components/securitySchemes/Key", "{type: http, scheme: basic}", "security breaks callers"),
    ("/components/securitySchemes/Key", "{type: oauth2, flows: {}}", "security breaks callers"),
    ("/components/securitySchemes/Key", "{type: openIdConnect, openIdConnectUrl: x}", "security breaks callers"),
    ("/components/securitySchemes/Key", "{type: mutualTLS}", "security breaks callers"),
    ("/components/securitySchemes/Key", "{type: surprise}", "security breaks callers"),
    ("/components/securitySchemes/Key/surprise", "1", "security scheme Key new"),
    ("/components/securitySchemes/Key", "", "security breaks callers"),
    ("QUERY", "", "query parameter ids breaks callers"),
    ("QUERY/name", "IDs", "query parameter ids breaks callers, operation breaks callers"),
    ("QUERY/in", "header", "query parameter ids breaks callers, operation breaks callers"),
    ("QUERY/required", "", "query parameter ids cosmetic"),
    ("QUERY/required", "false", "query parameter ids cosmetic"),
    ("QUERY/deprecated", "true", "query parameter ids new"),
    ("QUERY/explode", "false", "query parameter ids breaks callers"),
    ("QUERY/explode", "", "-"),
    ("QUERY/style", "pipeDelimited", "query parameter ids breaks callers"),
    ("QUERY/style", "form", "-"),
    ("QUERY/schema/items/type", "integer", "query parameter ids[] breaks callers"),
    ("QUERY/schema/maxItems", "5", "query parameter ids new"),
    ("QUERY/schema", "", "-"),
    ("QUERY/allowEmptyValue", "true", "-"),
    ("QUERY/allowReserved", "true", "-"),
    ("QUERY/description", "Other.", "-"),
    ("QUERY/example", "[a]", "-"),
    ("QUERY/surprise", "1", "query parameter ids new"),
    ("QUERY", "{name: ids, in: query, required: true, content: {application/json: {schema: {type: array, items: {type: string}}}}}", "query parameter ids breaks callers"),
    ("OPERATION/parameters/1/required", "true", "query parameter page breaks callers"),
    ("OPERATION/parameters/1/style", "spaceDelimited", "query parameter page breaks callers"),
    ("OPERATION/parameters/2", "{name: X-Trace, in: header, schema: {type: string}}", "operation new"),
    ("OPERATION/parameters/2", "{name: X-Trace, in: header, required: true, schema: {type: string}}", "operation breaks callers"),
    ("OPERATION/parameters/2", "{name: Authorization, in: header, required: true, schema: {type: string}}", "-"),
    ("OPERATION/requestBody", "", "request body breaks callers"),
    ("OPERATION/requestBody/required", "false", "-"),
    ("OPERATION/requestBody/surprise", "1", "request body new"),
    ("OPERATION/requestBody/description", "Other.", "-"),
    ("OPERATION/requestBody/content", "{application/xml: {schema: {}}}", "request body breaks callers"),
    ("OPERATION/requestBody/content", "{'application/json; charset=utf-8': {schema: {type: object}}, 'text/plain': {}}", "-"),
    ("OPERATION/requestBody/content", "{'*/*': {schema: {type: object}}}", "-"),
    ("OPERATION/requestBody/content/application~1json/surprise", "1", "request body new"),
    ("OPERATION/requestBody/content/application~1json/encoding", "{}", "-"),
    ("OPERATION/responses/200", "", "response 200 breaks decoding"),
    ("OPERATION/responses/200/content", "", "response 200 breaks decoding"),
    ("OPERATION/responses/200/content", "{application/problem+json: {schema: {type: integer}}, application/json: {schema: {type: object}}}", "-"),
    ("OPERATION/responses/200/content", "{application/json: {schema: {type: object, nullable: true}}}", "response 200 breaks decoding"),
    ("OPERATION/responses/200/headers", "{x: {}}", "-"),
    ("OPERATION/responses/200/links", "{x: {}}", "-"),
    ("OPERATION/responses/200/surprise", "1", "response 200 new"),
    ("OPERATION/responses/202", "{description: Later.}", "responses new"),
    ("OPERATION/responses/302", "{description: There.}", "responses new"),
    ("OPERATION/responses/409", "{description: No.}", "responses cosmetic"),
    ("OPERATION/responses/404", "", "responses cosmetic"),
    ("OPERATION/responses/default", "{description: Any.}", "-"),
    ("OTHER/requestBody", "{content: {application/json: {schema: {}}}}", "request body new"),
    ("OTHER/requestBody", "{required: true, content: {application/json: {schema: {}}}}", "request body breaks callers"),
    ("OTHER/parameters/0/style", "matrix", "path parameter id breaks callers"),
    ("OTHER/parameters/0/schema/minLength", "36", "path parameter id new"),
];

const BASE: &str = "
openapi: 3.0.3
info: {title: Base, version: 1.0.0}
servers: [{url: 'https://api.one.example.com/mgmt/openapi'}]
security: [{Key: []}]
components:
  securitySchemes:
    Key: {type: http, scheme: bearer}
    Other: {type: apiKey, in: header, name: X-Other}
    Basic: {type: http, scheme: basic}
    Token: {type: oauth2, flows: {}}
paths:
  /v1/incidents:
    post:
      operationId: list
      x-permission: incidents:read
      parameters:
        - {name: ids, in: query, required: true, explode: true, schema: {type: array, items: {type: string}}}
        - {name: page, in: query, schema: {type: array, items: {type: integer}}}
      requestBody: {required: true, content: {application/json: {schema: {type: object}}}}
      responses:
        '200': {description: Done., content: {application/json: {schema: {type: object}}}}
        '404': {description: There is none.}
  /v1/incidents/{id}:
    get:
      operationId: get
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
      responses:
        '200': {description: Done., content: {application/json: {schema: {type: object}}}}
";

#[test]
fn changes_outside_schemas_are_classified_as_the_table_says() {
    let base = parsed(BASE);
    let mut complaints = String::new();
    for (pointer, value, expected) in ELSEWHERE {
        let pointer = pointer
            .replace("QUERY", "OPERATION/parameters/0")
            .replace("OPERATION", "/paths/~1v1~1incidents/post")
            .replace("OTHER", "/paths/~1v1~1incidents~1{id}/get");
        let mut published = base.root().clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/");
        let parent = published.pointer_mut(parent).unwrap_or_else(|| panic!("there is no {parent}"));
        match (parent, value.is_empty()) {
            (Value::Array(items), true) => drop(items.remove(key.parse().unwrap())),
            (Value::Array(items), false) => {
                let index: usize = key.parse().unwrap();
                if index == items.len() {
                    items.push(Value::Null);
                }
                items[index] = parsed(value).root().clone();
            }
            (parent, true) => drop(parent.as_object_mut().unwrap().shift_remove(&key)),
            (parent, false) => parent[key] = parsed(value).root().clone(),
        }
        let found: BTreeSet<String> =
            classes(base.root(), &published).into_iter().map(|(place, class)| format!("{place} {class}")).collect();
        let expected: BTreeSet<String> = expected.split(", ").filter(|text| *text != "-").map(str::to_owned).collect();
        if found != expected {
            let _ = writeln!(complaints, "{pointer}: {value}: {found:?}, expected {expected:?}");
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}
