//! What the generator refuses, with the line of the document.

use super::*;

/// Parts of the document that are replaced.
const PERMISSION: &str = "x-permission: incidents:read\n      requestBody";
const ID: &str = "- name: id\n          in: path";
const ID_SCHEMA: &str = r"schema: {type: string, minLength: 1, pattern: '\S'}";
const IDS: &str = "        ids:\n          type: array";
const COUNT: &str = "count: {type: integer, format: int32, description: How often.}";
const MESSAGE: &str = "message: {type: string, description: Why.}";
const STATES: &str = " [STATE_UNSPECIFIED, STATE_ON]";

fn error(text: &str) -> String {
    match parsed(text).and_then(|document| generate(&document)) {
        Ok(_) => panic!("expected an error of {text}"),
        Err(error) => format!("{error:#}"),
    }
}

/// The number of the first line that has some text.
#[track_caller]
fn line(text: &str, at: &str) -> usize {
    text.lines().position(|line| line.contains(at)).unwrap_or_else(|| panic!("no line has `{at}`")) + 1
}

#[track_caller]
fn replaced(old: &str, new: &str) -> String {
    assert_eq!(DOCUMENT.matches(old).count(), 1, "`{old}` must stand once in the document");
    DOCUMENT.replace(old, new)
}

/// Plants one fault and expects one error, with these words and the first line that is not in the document as it was.
#[track_caller]
fn refused(old: &str, new: &str, words: &[&str]) {
    let text = replaced(old, new);
    let before = DOCUMENT.lines().chain(std::iter::repeat(""));
    let line = text.lines().zip(before).position(|(line, before)| line != before).unwrap() + 1;
    refused_in(&text, line, words);
}

/// As [`refused`], with the first line of the faulty document that has `at`.
#[track_caller]
fn refused_at(at: &str, old: &str, new: &str, words: &[&str]) {
    let text = replaced(old, new);
    refused_in(&text, line(&text, at), words);
}

#[track_caller]
fn refused_in(text: &str, line: usize, words: &[&str]) {
    let error = error(text);
    assert!(error.starts_with(&format!("doc.yaml:{line}: ")), "expected line {line}: {error}");
    for word in words {
        assert!(error.contains(word), "expected `{word}`: {error}");
    }
    assert_eq!(error.lines().count(), 1, "{error}");
}

/// The value of a key as a list in lines of their own.
fn lines(values: &[&str]) -> String {
    format!("\n        - {}", values.join("\n        - "))
}

/// A list in the query, before the parameter `id`.
fn query_list(name: &str, items: &str) -> String {
    let schema = format!("{{type: array, items: {items}}}");
    let parameter = format!("name: {name}, in: query, required: true, style: form, explode: true, schema: {schema}");
    format!("- {{{parameter}}}\n        {ID}")
}

#[test]
fn a_yaml_mistake_is_reported_with_its_line() {
    refused_at("requestBody", PERMISSION, "x-permission: [incidents\n      requestBody", &["YAML"]);
    let id = "operationId: findIncidents";
    refused(id, &format!("{id}\n      {id} # again"), &["the key `operationId` is repeated"]);
}

#[test]
fn a_reference_to_nothing_is_reported_with_its_line() {
    let query = "'#/components/schemas/Query'";
    let words = ["operation `findIncidents`", "refers to a node that does not exist", "/Qery"];
    refused(query, "'#/components/schemas/Qery'", &words);
    refused(query, "'other.yaml#/Query'", &["refers to another file"]);
    let itself = "'#/paths/~1v1~1incidents:find/post/requestBody/content/application~1json/schema'";
    refused(query, itself, &["operation `findIncidents`", "refers to itself"]);
}

#[test]
fn what_progenitor_cannot_take_is_refused_by_name() {
    let words =
        ["operation `findIncidents`", "one schema for all error responses", "400 is `Status`", "5XX is `Incident`"];
    let status = "Status'}}} # of 5XX";
    refused_at("      responses:", status, "Incident'}}}", &words);
    refused("'5XX':", "default:", &["operation `findIncidents`", "`default` response"]);
    refused("openapi: 3.0.3", "openapi: 3.1.0", &["OpenAPI 3.1.0", "3.0 documents only"]);
    // Without quotes it is a number.
    refused("openapi: 3.0.3", "openapi: 3.1", &["OpenAPI 3.1:", "3.0 documents only"]);
    let words = ["`POST /v1/incidents:find` has no `operationId`"];
    refused_at("    post:", "      operationId: findIncidents\n", "", &words);
    // It panics at this one.
    let schema = "Incident'}}}\ncomponents:";
    let within = "Incident/properties/id'}}}\ncomponents:";
    refused_at("    get:", schema, within, &["progenitor can't take operation `getIncident`", "is missing"]);
}

#[test]
fn unsupported_constructs_are_refused_with_their_line() {
    let one_of = COUNT.replace("int32", "int32, oneOf: []");
    refused(COUNT, &one_of, &["`Incident.count`", "`oneOf` is not supported"]);
    refused(COUNT, "count: {type: number, description: How often.}", &["`Incident.count`", "type `number`"]);
    let query = "Query:\n      type: object\n";
    let closed = format!("{query}      additionalProperties: false\n");
    refused(query, &closed, &["schema `Query`", "`additionalProperties`"]);
    let words = ["parameter `id` of `getIncident`", "style: simple"];
    refused("in: path", "in: path\n          style: matrix", &words);
    for (values, at, word) in [
        (&["STATE_ON"][..], "- STATE_ON", "must end in `_UNSPECIFIED`"),
        (&["STATE_UNSPECIFIED", "OTHER"], "- OTHER", "share no prefix"),
        (&["STATE_UNSPECIFIED", "STATE_ON", "STATE_1"], "- STATE_1", "`STATE_1` without its prefix `STATE_` can't be"),
        (&["STATE_UNSPECIFIED", "STATE_SELF"], "- STATE_SELF", "can't be a name in Rust"),
        (&["STATE_UNSPECIFIED", "STATE_É"], "- STATE_É", "can't be a name in Rust"),
        (&["STATE_UNSPECIFIED", "STATE_O_N", "STATE_ON", "STATE_O__N"], "- STATE_O__N", "a second variant `ON`"),
        (&["STATE_UNSPECIFIED", "STATE_UNRECOGNIZED"], "- STATE_UNR", "a second variant `Unrecognized`"),
    ] {
        refused_at(at, STATES, &lines(values), &["enum `State`", word]);
    }
    refused(STATES, " []", &["enum `State`", "has no values"]);
    // A least length that is not checked.
    let text = replaced(ID_SCHEMA, &ID_SCHEMA.replace("minLength: 1", "minLength: 36"));
    assert!(error(&text).contains("`id`: the patterns require one character: write `minLength: 1`"));
}

#[test]
fn a_message_that_requires_itself_is_rejected_with_its_line() {
    let parent = format!("{COUNT}\n        parent:\n          $ref: '#/components/schemas/Incident'");
    // Optional, it is a list of any length, and so it is below a list.
    let text = replaced(COUNT, &parent);
    generated(&text);
    let text = text.replace("required: [id, state]", "required: [id, state, parent]");
    let words = ["schema `Incident` requires itself, by its member `parent`"];
    refused_in(&text, line(&text, "[id, state, parent]"), &words);

    // By way of another message it is reported once.
    let other = "    State:\n      type: string\n";
    let history = "    History: {type: object, required: [incident], properties: {incident: {$ref: '#/components/schemas/Incident'}}}\n";
    let text = text.replace(
        "parent:\n          $ref: '#/components/schemas/Incident'",
        "parent: {$ref: '#/components/schemas/History'}",
    );
    let text = text.replace(other, &format!("{history}{other}"));
    refused_in(&text, line(&text, "[id, state, parent]"), &["by its member `parent`, then `incident`"]);
}

#[test]
fn an_unknown_document_key_is_refused_with_its_line() {
    for (line, words) in [
        ("x-pagging: {items: incidents}", ["`x-pagging`", "`x-paging`, `x-codeSamples`"]),
        ("x-paging: {item: incidents}", ["`item`", "`items`"]),
        ("x-paging: {}", ["operation `findIncidents`", "`x-paging` must be a map whose `items`"]),
        ("x-paging: incidents", ["operation `findIncidents`", "`x-paging` must be a map whose `items`"]),
        ("x-paging: {items: incidents, size: 3}", ["`size`", "`items`"]),
        ("x-codeSample: [{lang: Rust, source: x}]", ["`x-codeSample`", "`x-codeSamples`"]),
        ("x-codeSamples: [{lang: Rust, sauce: x}]", ["`sauce`", "`lang`, `source`"]),
        ("x-deviations: None.", ["`x-deviations`", "`x-deviation`"]),
        ("tagz: [Incidents]", ["operation `findIncidents`", "`tagz` is not supported"]),
        ("servers: []", ["operation `findIncidents`", "`servers` is not supported"]),
    ] {
        refused(PERMISSION, &PERMISSION.replace('\n', &format!("\n      {line}\n")), &words);
    }
    for (old, new, message) in [
        ("    get:\n", "    gett:\n", "this path has the unknown keyword `gett`"),
        (
            "required: true\n          desc",
            "requird: true\n          desc",
            "this parameter has the unknown keyword `requird`",
        ),
        (
            "description: Refused.",
            "description: Refused.\n          contents: {}",
            "this response has the unknown keyword `contents`",
        ),
        ("  /5/incidents/{id}:", "  5/incidents/{id}:", "the path `5/incidents/{id}` must begin with `/`"),
    ] {
        let error = error(&replaced(old, new));
        assert!(error.starts_with("doc.yaml:") && error.contains(message), "{error}");
    }
    refused("- name: id", "- name: id\n          x-body-membr: id", &["`x-body-membr`", "`x-body-member`"]);
    refused(MESSAGE, &MESSAGE.replace("desc", "x-deviaton: None., desc"), &["`x-deviaton`", "`x-deviation`"]);
    let body = "{$ref: '#/components/schemas/Query'}";
    let example = format!("{body}, examples: {{one: {{externalvalue: samples/x.json}}}}");
    refused(body, &example, &["`externalvalue`", "`externalValue`"]);
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_its_line() {
    let (count, required) = ("value of `minItems` that is not a whole number", "`required` that is not");
    for (old, new, words) in [
        ("minItems: 1\n", "minItems: '1'\n", ["this schema", count]),
        ("minItems: 1\n", "minItems: -1\n", ["this schema", count]),
        (ID_SCHEMA, "schema: {type: string, minLength: null}", ["this schema", "`minLength`"]),
        ("$ref: '#/components/schemas/State'", "$ref: 3", ["this schema", "value of `$ref` that is not text"]),
        (MESSAGE, "message: why", ["this schema", "must be a mapping"]),
        ("schemas:\n    Query:", "schemas:\n    Other: []\n    Query:", ["this schema", "must be a mapping"]),
        (
            "required: true\n          description: Its id.",
            "required: 'true'\n          description: Its id.",
            ["this parameter", "value of `required` that is not `true` or `false`"],
        ),
        ("summary: Get an incident\n", "summary: [Get]\n", ["this operation", "value of `summary` that is not text"]),
        (
            "info: {title: Test, version: 1.0.0}",
            "info: Test",
            ["this document", "value of `info` that is not a mapping"],
        ),
        (STATES, " STATE_UNSPECIFIED", ["this schema", "value of `enum` that is not a list"]),
        ("required: [id, state]", "required: false", ["this schema has a value of", required]),
        ("required: [id, state]", "required: id", ["this schema has a value of", required]),
        ("required: [id, state]", "required: {id: true}", ["this schema has a value of", required]),
    ] {
        refused(old, new, &words);
    }
}

#[test]
fn a_list_of_texts_has_no_other_values_and_none_twice() {
    for (value, words) in [
        ("7", "`7` is not a string"),
        ("null", "`null` is not a string"),
        ("{A: B}", "is not a string"),
        ("STATE_ON", "\"STATE_ON\" is repeated"),
    ] {
        let values = lines(&["STATE_UNSPECIFIED", "STATE_ON", &format!("{value} # new")]);
        refused_at("# new", STATES, &values, &["enum `State`", words]);
    }
    for (list, words) in [
        ("[id, 7]", "`required` of schema `Incident` must be a list of strings"),
        ("[id, null]", "`required` of schema `Incident` must be a list of strings"),
        ("[id, id]", "schema `Incident`: \"id\" is repeated"),
    ] {
        refused("required: [id, state]", &format!("required: {list}"), &[words]);
    }
}

#[test]
fn a_limit_that_no_request_has_is_refused_with_its_line() {
    for (lines, words) in [
        ("x-incident-ids: ids\n      x-max-incident-ids: 0", ["`0`", "a positive integer"]),
        ("x-incident-ids: ids\n      x-max-incident-ids: '9'", ["`\"9\"`", "a positive integer"]),
        ("x-max-incident-ids: 9", ["`x-incident-ids`", "request body"]),
        ("x-max-page-size: -1", ["`-1`", "a positive integer"]),
        ("x-max-page-size: 9", ["`x-paging`", "generation 5"]),
    ] {
        refused_at("x-max", PERMISSION, &PERMISSION.replace('\n', &format!("\n      {lines}\n")), &words);
    }
}

#[test]
fn names_that_would_clash_in_rust_are_refused_with_their_line() {
    let twice = "createdAt: {type: string}\n        created_at: {type: string}";
    refused_at("created_at", COUNT, twice, &["schema `Incident`", "`created_at`", "`createdAt`", "rename one"]);
    let open = format!("{MESSAGE}\n        otherMembers: {{type: string}}\n      additionalProperties: true");
    refused(MESSAGE, &open, &["schema `Status`", "the generator's"]);
    let query = "    Query:\n      type: object";
    for name in ["Option", "String", "Vec", "Default", "Result", "Box", "Deserialize", "DateTime", "BTreeMap", "Self"] {
        let schema = format!("    {name}: {{type: object}}\n{query}");
        refused(query, &schema, &["has the name of a type", name]);
    }
    refused_at("- name: id", ID, &query_list("ID", "{type: string}"), &["operation `getIncident`", "`id`", "`ID`"]);
    refused(ID, &query_list("body", "{type: string}"), &["operation `getIncident`", "`body`"]);
    let id = "operationId: getIncident";
    for name in ["builder", "exec", "clone", "fromEnv", "apiGeneration", "handOver", "base_url", "all"] {
        refused(id, &format!("operationId: {name}"), &[name, "taken by the SDK by hand"]);
    }
    for name in ["findIncidents", "find_incidents"] {
        refused(id, &format!("operationId: {name}"), &[name, "operation `findIncidents` at doc.yaml:7"]);
    }
    let paged = replaced(PERMISSION, &PERMISSION.replace('\n', "\n      x-paging: {items: incidents}\n"));
    let error = error(&paged.replace(id, "operationId: findIncidentsStream"));
    assert!(error.contains("taken by the stream of operation `findIncidents`"), "{error}");
}

#[test]
fn names_that_rust_does_not_allow_are_refused_with_their_line() {
    for name in ["self", "Self", "super", "crate", "2nd", "'$'"] {
        let member = format!("        {name}: {{type: string, minLength: 1, pattern: '\\S'}}\n{IDS}");
        refused(IDS, &member, &["schema `Query`", "can't be a name in Rust"]);
        let words = ["operation `getIncident`", "can't be a name in Rust"];
        refused(ID, &query_list(name, "{type: string}"), &words);
    }
    for name in ["self", "Super", "crate", "match"] {
        refused("operationId: getIncident", &format!("operationId: {name}"), &[name, "can't be a name in Rust"]);
    }
    for name in ["my_schema", "DNSName"] {
        let query = "    Query:\n      type: object";
        refused(query, &format!("    {name}: {{type: object}}\n{query}"), &["progenitor made no struct"]);
    }
    // A member may be a keyword.
    let text = replaced(MESSAGE, &format!("{MESSAGE}\n        type: {{type: string, description: Its kind.}}"));
    assert!(generated(&text)["types.rs"].contains("pub type_: Option<String>"));
    let text = replaced(IDS, &format!("        match: {{type: array, minItems: 1, items: {{type: string}}}}\n{IDS}"));
    assert!(generated(&text)["client.rs"].contains("body.match_.len()"));
}

#[test]
fn a_parameter_is_a_plain_string_or_a_list_of_them() {
    let list = ["{type: integer, format: int32}", "{type: array}", "{type: array, items: {type: string}}"];
    let state = "{$ref: '#/components/schemas/State'}";
    let both = ["{type: string, format: uuid}", "{type: string, enum: [A, B]}", state];
    for other in list.iter().chain(&both) {
        refused(ID_SCHEMA, &format!("schema: {other}"), &["parameter `id` of `getIncident`"]);
    }
    for items in both {
        refused(ID, &query_list("ids", items), &["parameter `ids` of `getIncident`"]);
    }
}

#[test]
fn a_oneof_that_protobuf_does_not_allow_is_refused_with_its_line() {
    for (stated, words) in [
        ("x-oneof: [opened, count]", "must be a list of members"),
        ("x-oneof: opened", "a list of lists of members"),
        ("x-oneof: [[opened, 7]]", "7 is not the name of a member"),
        ("x-oneof: [[opened, closed]]", "`closed` is not among its properties"),
        ("x-oneof: [[opened, opened]]", "`opened` is repeated"),
        ("x-oneof: [[opened, count], [count, other]]", "`count` is repeated"),
        ("x-oneof: [[opened, list]]", "`list` is a list or a map"),
        ("required: [count]\n      x-oneof: [[opened, count]]", "`count` is `required`"),
    ] {
        let messages = MESSAGES.replace("x-oneof:\n        - [opened, count, nothing]", stated);
        let text = with_schemas(&messages);
        let start = format!("doc.yaml:{}: `x-oneof` of schema `Event`", line(&text, "x-oneof:"));
        let error = error(&text);
        assert!(error.starts_with(&start) && error.contains(words), "{stated}: {error}");
    }
    let error = error(&with_schemas(&MESSAGES.replace("count: {", "count: {x-oneof: [], ")));
    assert!(error.contains("`x-oneof` is not an extension that is read here"), "{error}");
}
