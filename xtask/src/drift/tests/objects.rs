//! Every keyword of OpenAPI outside of schemas added, changed and removed, and the place and class of what that is.

use std::fmt::Write;

use super::{
    classes::{classes, schema_mutations, two_values},
    *,
};
use crate::{
    keywords::{self, Json, Kind, Rule, objects},
    openapi::{METHODS, members},
};

/// A pointer into the base, what our document has there, and what the published file has there: nothing stands for absence, `=`
/// for what the base has. Then the places and classes of the differences, and those if the two files change sides. A row with
/// METHOD is for each method.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // pointer, ours, published, differences, differences if the files change sides
    ("/openapi", "=", "3.1", "-", "-"),
    ("/info", "=", "{title: Other, surprise: 1}", "-", "-"),
    ("/webhooks", "=", "{a: {}}", "-", "-"),
    ("/tags", "=", "[]", "-", "-"),
    ("/components/schemas", "=", "{Other: {surprise: 1}}", "-", "-"),
    ("/jsonSchemaDialect", "=", "'https://example.com'", "-", "-"),
    ("/surprise", "=", "1", "document new", "-"),
    ("/servers/0/url", "=", "'https://api.other.example.com/mgmt/openapi'", "servers breaks callers", "servers breaks callers"),
    ("/servers/1", "=", "{url: 'https://api.other.example.com/mgmt/openapi'}", "servers new", "-"),
    ("/servers/1", "=", "{url: 'https://api.ONE.example.com/mgmt/openapi', description: Same.}", "-", "-"),
    ("/servers/0/surprise", "=", "1", "servers new", "-"),
    ("/servers/0/variables/region/surprise", "=", "1", "servers new", "-"),
    ("/servers", "=", "", "-", "-"),
    ("/paths/~1v1~1incidents/surprise", "=", "1", "path new", "-"),
    ("/paths/~1v1~1incidents/query", "=", "{}", "path new", "-"),
    ("/paths/~1v1~1incidents/servers", "=", "[{url: 'https://api.other.example.com/mgmt/openapi'}]", "servers breaks callers", "servers breaks callers"),
    ("/paths/~1v1~1incidents/parameters", "=", "[{name: team, in: query, schema: {type: string}}]", "operation new", "query parameter team breaks callers"),
    ("/paths/~1v1~1incidents/parameters", "=", "[{name: team, in: query, required: true, schema: {type: string}}]", "operation breaks callers", "query parameter team breaks callers"),
    ("/paths/~1v1~1incidents/get", "=", "{responses: {}}", "operation new", "operation breaks callers"),
    ("/paths/~1v1~1incidents/description", "=", "Other.", "-", "-"),
    ("OPERATION/surprise", "=", "1", "operation new", "-"),
    ("OPERATION/deprecated", "=", "true", "operation new", "-"),
    ("OPERATION/summary", "=", "Other", "-", "-"),
    ("OPERATION/operationId", "=", "other", "-", "-"),
    ("OPERATION/callbacks", "=", "{a: {}}", "-", "-"),
    ("OPERATION/x-coralogixPermissions", "=", "['incidents:read']", "-", "-"),
    ("OPERATION/x-coralogixPermissions", "=", "['incidents:other']", "operation new", "-"),
    ("OPERATION/x-other", "=", "1", "-", "-"),
    ("OPERATION/servers", "=", "[{url: 'https://api.one.example.com/mgmt/openapi/'}]", "-", "-"),
    ("OPERATION/security", "=", "[]", "security new", "security breaks callers"),
    ("OPERATION/security", "=", "[{}]", "security new", "security breaks callers"),
    ("OPERATION/security", "=", "[{Key: []}, {}]", "security new", "-"),
    ("OPERATION/security", "=", "[{Key: []}, {Other: []}]", "security new", "-"),
    ("OPERATION/security", "=", "[{Key: [], Other: []}]", "security breaks callers", "security new"),
    ("OPERATION/security", "=", "[{Other: []}]", "security breaks callers", "security breaks callers"),
    ("OPERATION/security", "=", "[{Undefined: []}]", "security breaks callers", "security breaks callers"),
    ("OPERATION/security", "=", "[{Key: [admin]}]", "security breaks callers", "security new"),
    ("/security", "=", "", "security new", "security breaks callers"),
    ("/security", "=", "[{Plain: []}]", "security breaks callers", "security breaks callers"),
    ("/security", "=", "[{Token: []}]", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key", "=", "{type: apiKey, in: header, name: authorization}", "-", "-"),
    ("/components/securitySchemes/Key", "=", "{type: http, scheme: Bearer, bearerFormat: JWT, description: Other.}", "-", "-"),
    ("/components/securitySchemes/Key", "=", "{type: apiKey, in: header, name: X-Api-Key}", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key", "=", "{type: apiKey, in: query, name: key}", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key", "=", "{type: apiKey, in: cookie, name: key}", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key", "=", "{type: http, scheme: basic}", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key", "=", "{type: oauth2, flows: {}}", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key", "=", "{type: openIdConnect, openIdConnectUrl: x}", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key", "=", "{type: mutualTLS}", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key", "=", "{type: surprise}", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key/surprise", "=", "1", "security scheme Key new", "-"),
    ("/components/securitySchemes/Key", "=", "", "security breaks callers", "security breaks callers"),
    ("QUERY", "=", "", "query parameter ids breaks callers", "operation breaks callers"),
    ("QUERY/name", "=", "IDs", "operation breaks callers, query parameter ids breaks callers", "operation breaks callers, query parameter IDs breaks callers"),
    ("QUERY/in", "=", "header", "operation breaks callers, query parameter ids breaks callers", "header parameter ids breaks callers, operation breaks callers"),
    ("QUERY/required", "=", "", "query parameter ids cosmetic", "query parameter ids breaks callers"),
    ("QUERY/required", "=", "false", "query parameter ids cosmetic", "query parameter ids breaks callers"),
    ("QUERY/deprecated", "=", "true", "query parameter ids new", "-"),
    ("QUERY/explode", "=", "false", "query parameter ids breaks callers", "query parameter ids breaks callers"),
    ("QUERY/explode", "=", "", "-", "-"),
    ("QUERY/style", "=", "pipeDelimited", "query parameter ids breaks callers", "query parameter ids breaks callers"),
    ("QUERY/style", "=", "form", "-", "-"),
    ("QUERY/schema/items/type", "=", "integer", "query parameter ids[] breaks callers", "query parameter ids[] breaks callers"),
    ("QUERY/schema/maxItems", "=", "5", "query parameter ids new", "-"),
    ("QUERY/schema", "=", "", "query parameter ids cosmetic", "-"),
    ("QUERY/allowEmptyValue", "=", "true", "-", "-"),
    ("QUERY/allowReserved", "=", "true", "-", "-"),
    ("QUERY/description", "=", "Other.", "-", "-"),
    ("QUERY/example", "=", "[a]", "-", "-"),
    ("QUERY/surprise", "=", "1", "query parameter ids new", "-"),
    ("QUERY", "=", "{name: ids, in: query, required: true, content: {application/json: {schema: {type: array, items: {type: string}}}}}", "query parameter ids breaks callers", "query parameter ids breaks callers"),
    ("OPERATION/parameters/1/required", "=", "true", "query parameter page breaks callers", "query parameter page cosmetic"),
    ("OPERATION/parameters/1/style", "=", "spaceDelimited", "query parameter page breaks callers", "query parameter page breaks callers"),
    ("OPERATION/parameters/2", "=", "{name: X-Trace, in: header, schema: {type: string}}", "operation new", "header parameter X-Trace breaks callers"),
    ("OPERATION/parameters/2", "=", "{name: X-Trace, in: header, required: true, schema: {type: string}}", "operation breaks callers", "header parameter X-Trace breaks callers"),
    ("OPERATION/parameters/2", "=", "{name: Authorization, in: header, required: true, schema: {type: string}}", "-", "-"),
    ("OPERATION/requestBody", "=", "", "request body breaks callers", "request body breaks callers"),
    ("OPERATION/requestBody/required", "=", "false", "-", "-"),
    ("OPERATION/requestBody/surprise", "=", "1", "request body new", "-"),
    ("OPERATION/requestBody/description", "=", "Other.", "-", "-"),
    ("OPERATION/requestBody/content", "=", "{application/xml: {schema: {}}}", "request body breaks callers", "-"),
    ("OPERATION/requestBody/content", "=", "{'application/json; charset=utf-8': {schema: {type: object}}, 'text/plain': {}}", "-", "-"),
    ("OPERATION/requestBody/content", "=", "{'*/*': {schema: {type: object}}}", "-", "-"),
    ("OPERATION/requestBody/content/application~1json/surprise", "=", "1", "request body new", "-"),
    ("OPERATION/requestBody/content/application~1json/encoding", "=", "{}", "-", "-"),
    ("OPERATION/responses/200", "=", "", "response 200 breaks decoding", "-"),
    ("OPERATION/responses/200/content", "=", "", "response 200 breaks decoding", "-"),
    ("OPERATION/responses/200/content", "=", "{application/problem+json: {schema: {type: integer}}, application/json: {schema: {type: object}}}", "-", "-"),
    ("OPERATION/responses/200/content", "=", "{application/json: {schema: {type: object, nullable: true}}}", "response 200 breaks decoding", "-"),
    ("OPERATION/responses/200/headers", "=", "{x: {}}", "-", "-"),
    ("OPERATION/responses/200/links", "=", "{x: {}}", "-", "-"),
    ("OPERATION/responses/200/surprise", "=", "1", "response 200 new", "-"),
    ("OPERATION/responses/202", "=", "{description: Later.}", "responses new", "-"),
    ("OPERATION/responses/302", "=", "{description: There.}", "responses new", "-"),
    ("OPERATION/responses/409", "=", "{description: No.}", "responses cosmetic", "responses cosmetic"),
    ("OPERATION/responses/404", "=", "", "responses cosmetic", "responses cosmetic"),
    ("OPERATION/responses/default", "=", "{description: Any.}", "-", "-"),
    ("OTHER/requestBody", "=", "{content: {application/json: {schema: {}}}}", "request body new", "request body breaks callers"),
    ("OTHER/requestBody", "=", "{required: true, content: {application/json: {schema: {}}}}", "request body breaks callers", "request body breaks callers"),
    ("OTHER/parameters/0/style", "=", "matrix", "path parameter id breaks callers", "path parameter id breaks callers"),
    ("OTHER/parameters/0/schema/minLength", "=", "36", "path parameter id new", "-"),
    ("/openapi", "3.0.0", "3.1.0", "-", "-"),
    ("/components", "=", "", "security breaks callers", "security breaks callers"),
    ("/servers/0/url", "", "'https://api.one.example.com/mgmt/openapi'", "-", "-"),
    ("/servers/0/variables", "=", "{region: {default: other}}", "servers breaks callers", "servers breaks callers"),
    ("/servers/0/variables", "=", "", "servers breaks callers", "servers breaks callers"),
    ("/servers/0/variables/region/default", "=", "other", "servers breaks callers", "servers breaks callers"),
    ("/servers/0/variables/region", "{enum: [one]}", "{enum: [one], default: one}", "-", "servers new"),
    ("/servers/0/variables/region/enum", "=", "[one, other]", "servers new", "-"),
    ("/servers/0/variables/region/enum", "[one]", "[one, other]", "servers new", "-"),
    ("/paths/~1v1~1incidents/servers", "[{url: 'https://api.one.example.com/mgmt/openapi'}]", "[{url: 'https://api.other.example.com/mgmt/openapi'}]", "servers breaks callers", "servers breaks callers"),
    ("OPERATION/servers", "[{url: 'https://api.one.example.com/mgmt/openapi'}]", "[{url: 'https://api.other.example.com/mgmt/openapi'}]", "servers breaks callers", "servers breaks callers"),
    ("/paths/~1v1~1incidents/parameters", "[{name: team, in: query, schema: {type: string}}]", "[{name: team, in: query, schema: {type: integer}}]", "query parameter team breaks callers", "query parameter team breaks callers"),
    ("/paths/~1v1~1incidents~1{id}", "{$ref: '#/x-get'}", "=", "-", "-"),
    ("/paths/~1v1~1incidents~1{id}/get/parameters/0/schema", "=", "{$ref: '#/paths/~1v1~1incidents~1%7Bid%7d/get/responses/200/content/application~1json/schema'}", "path parameter id breaks callers", "path parameter id breaks callers"),
    ("/paths/~1v1~1incidents~1{id}", "{$ref: '#/x-get'}", "{$ref: '#/x-other'}", "response 200 breaks decoding", "response 200 breaks decoding"),
    ("OPERATION/deprecated", "false", "true", "operation new", "-"),
    ("OPERATION/parameters", "=", "", "query parameter ids breaks callers, query parameter page breaks callers", "operation breaks callers, operation new"),
    ("OPERATION/responses", "=", "", "response 200 breaks decoding, responses cosmetic", "responses cosmetic"),
    ("OPERATION/responses/200/content", "{application/json: {schema: {type: object}}}", "{application/json: {schema: {type: array}}}", "response 200 breaks decoding", "response 200 breaks decoding"),
    ("OPERATION/security", "[{Key: []}]", "[{Other: []}]", "security breaks callers", "security breaks callers"),
    ("OPERATION/x-coralogixPermissions", "['incidents:read']", "['incidents:other']", "operation new", "-"),
    ("QUERY/name", "=", "", "operation breaks callers, query parameter ids breaks callers", "operation breaks callers, query parameter  breaks callers"),
    ("QUERY/in", "=", "", "operation breaks callers, query parameter ids breaks callers", " parameter ids breaks callers, operation breaks callers"),
    ("QUERY/deprecated", "false", "true", "query parameter ids new", "-"),
    ("QUERY/style", "form", "spaceDelimited", "query parameter ids breaks callers", "query parameter ids breaks callers"),
    ("QUERY/content", "{application/json: {schema: {type: string}}}", "{text/plain: {schema: {type: string}}}", "-", "-"),
    ("QUERY", "{name: ids, in: query, required: true, content: {application/json: {schema: {type: string}}}}", "{name: ids, in: query, required: true, content: {application/json: {schema: {type: integer}}}}", "query parameter ids breaks callers", "query parameter ids breaks callers"),
    ("OPERATION/requestBody/content", "=", "", "request body breaks callers", "-"),
    ("OPERATION/requestBody/required", "=", "", "-", "-"),
    ("OPERATION/requestBody/content/application~1json/schema", "=", "", "request body breaks callers", "-"),
    ("OPERATION/requestBody/content/application~1json/schema", "=", "{type: array}", "request body breaks callers", "request body breaks callers"),
    ("/components/securitySchemes/Key/type", "=", "", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key/scheme", "=", "", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key", "{type: apiKey, in: header, name: Authorization}", "{type: apiKey, in: header}", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key", "{type: apiKey, in: header, name: Authorization}", "{type: apiKey, name: Authorization}", "security breaks callers", "security breaks callers"),
    ("/paths/~1v1~1incidents~1all/METHOD", "=", "", "operation breaks callers", "operation new"),
    ("/paths/~1v1~1incidents~1all/METHOD", "=", "{deprecated: true, responses: {'200': {content: {application/json: {schema: {}}}}}}", "operation new, response 200 cosmetic", "-"),
    ("/components/securitySchemes/Key", "{type: apiKey, in: header, name: Authorization}", "{type: apiKey, in: query, name: Authorization}", "security breaks callers", "security breaks callers"),
    ("/components/securitySchemes/Key", "{type: apiKey, in: header, name: Authorization}", "{type: apiKey, in: header, name: X-Api-Key}", "security breaks callers", "security breaks callers"),
];

const BASE: &str = "
openapi: 3.0.3
info: {title: Base, version: 1.0.0}
servers: [{url: 'https://api.{region}.example.com/mgmt/openapi', variables: {region: {default: one}}}]
security: [{Key: []}]
components:
  securitySchemes:
    Key: {type: http, scheme: bearer}
    Other: {type: apiKey, in: header, name: X-Other}
    Plain: {type: http, scheme: basic}
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
  /v1/incidents/all:
    get: &all {responses: {'200': {content: {application/json: {schema: {type: object}}}}}}
    put: *all
    post: *all
    delete: *all
    options: *all
    head: *all
    patch: *all
    trace: *all
x-get: {get: {parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {'200': {content: {application/json: {schema: {type: object}}}}}}}
x-other: {get: {parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {'200': {content: {application/json: {schema: {type: string}}}}}}}
";

static BASE_DOCUMENT: LazyLock<Value> = LazyLock::new(|| parsed(BASE).root().clone());

/// The base with another value at a pointer.
fn with(pointer: &str, value: Option<&Value>) -> Value {
    let mut document = BASE_DOCUMENT.clone();
    set(&mut document, pointer, value.cloned());
    document
}

/// Each row, with both of its documents.
fn rows() -> impl Iterator<Item = (&'static Row, Value, Value)> {
    ROWS.iter().flat_map(|row| {
        let methods = if row.0.contains("METHOD") { &METHODS[..] } else { &[""] };
        methods.iter().map(move |method| {
            let pointer = row
                .0
                .replace("METHOD", method)
                .replace("QUERY", "OPERATION/parameters/0")
                .replace("OPERATION", "/paths/~1v1~1incidents/post")
                .replace("OTHER", "/paths/~1v1~1incidents~1{id}/get");
            let document = |value: &str| match value {
                "=" => BASE_DOCUMENT.clone(),
                "" => with(&pointer, None),
                value => with(&pointer, Some(parsed(value).root())),
            };
            (row, document(row.1), document(row.2))
        })
    })
}

/// The places and classes of the differences, as a row has them.
fn found(ours: &Value, published: &Value) -> String {
    let found: BTreeSet<String> =
        classes(ours, published).into_iter().map(|(place, class)| format!("{place} {class}")).collect();
    if found.is_empty() { "-".to_owned() } else { found.into_iter().collect::<Vec<_>>().join(", ") }
}

#[test]
fn changes_outside_schemas_are_classified_as_the_table_says() {
    let mut complaints = String::new();
    for (row, ours, published) in rows() {
        let (there, back) = (found(&ours, &published), found(&published, &ours));
        if (there.as_str(), back.as_str()) != (row.3, row.4) {
            let _ = writeln!(complaints, "    {:?},", (row.0, row.1, row.2, there, back));
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

/// The place in the base of each keyword outside schemas, with the type of its value and its rule.
fn places() -> impl Iterator<Item = (String, Json, Rule)> {
    let objects = objects(&BASE_DOCUMENT);
    keywords::all().filter(|(kind, ..)| *kind != Kind::Schema).map(move |(kind, keyword, json, rule)| {
        let (at, _) = objects.iter().find(|(_, other)| **other == kind).unwrap_or_else(|| panic!("no {kind:?}"));
        (join(at, keyword), json, rule)
    })
}

/// Each irrelevant keyword added, changed and removed.
fn irrelevant() -> Vec<(Value, Value)> {
    let irrelevant = places().filter(|(.., rule)| matches!(rule, Rule::Irrelevant(_)));
    irrelevant
        .flat_map(|(at, json, _)| {
            let document = |value| with(&at, value);
            let (one, other) = two_values(json);
            [(None, Some(&one)), (Some(&one), Some(&other)), (Some(&one), None)]
                .map(|(ours, published)| (document(ours), document(published)))
        })
        .collect()
}

#[test]
fn irrelevant_keywords_outside_schemas_make_no_difference() {
    for (ours, published) in irrelevant() {
        assert_eq!(found(&ours, &published), "-", "{ours} published as {published}");
    }
}

#[test]
fn a_value_of_the_wrong_type_outside_schemas_is_reported() {
    for (at, json, _) in places() {
        let values = [json!(3), json!("text"), json!([3]), json!({ "a": 3 }), json!(true)];
        for value in values.iter().filter(|value| !json.allows(value)) {
            let published = parsed(&with(&at, Some(value)).to_string());
            // Or it is an error.
            if let Ok(found) = compare(&parsed(BASE), &published) {
                assert!(found.iter().any(|found| found.class.needs_action()), "{at}: {value}: {found:#?}");
            }
        }
    }
}

/// Every pair of documents that the tests compare, those of [`super::classes`] included.
fn mutations() -> impl Iterator<Item = (Value, Value)> {
    let rows = rows().flat_map(|(_, ours, published)| [(ours.clone(), published.clone()), (published, ours)]);
    let schemas = schema_mutations().into_iter().map(|(ours, published, ..)| (ours, published));
    rows.chain(irrelevant()).chain(schemas)
}

#[test]
fn the_tables_have_hundreds_of_different_mutations() {
    let texts = mutations().filter(|(ours, published)| ours != published);
    let texts: BTreeSet<_> = texts.map(|(ours, published)| (ours.to_string(), published.to_string())).collect();
    assert!(texts.len() >= 700, "{}", texts.len());
}

/// What is compared by code of its own must be in the tables.
#[test]
fn the_tables_have_each_compared_keyword_added_changed_and_removed() {
    let mut edits = BTreeSet::new();
    for (ours, published) in mutations() {
        for (pointer, kind) in objects(&ours).into_iter().chain(objects(&published)) {
            let [ours, published] =
                [&ours, &published].map(|document| document.pointer(&pointer).unwrap_or(&Value::Null));
            for (keyword, _) in members(ours).chain(members(published)) {
                let edit = match (ours.get(keyword), published.get(keyword)) {
                    (None, _) => "added",
                    (_, None) => "removed",
                    (ours, published) if ours != published => "changed",
                    _ => continue,
                };
                edits.insert(format!("{kind:?} {keyword} {edit}"));
            }
        }
    }
    // Without these there is nothing to compare.
    let needed = ["openapi added", "openapi removed", "paths added", "paths removed"];
    edits.extend(needed.map(|edit| format!("Document {edit}")));
    let compared = keywords::all().filter(|(.., rule)| *rule == Rule::Compared);
    let all = compared.flat_map(|(kind, keyword, ..)| {
        ["added", "changed", "removed"].map(|edit| format!("{kind:?} {keyword} {edit}"))
    });
    let missing: Vec<String> = all.filter(|edit| !edits.contains(edit)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
