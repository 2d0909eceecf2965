//! What the generator refuses, with the line of the document.

use super::*;

/// Plants one fault and expects one error, with the line of `at` in the faulty document and these words.
#[track_caller]
fn refused(old: &str, new: &str, at: &str, words: &[&str]) {
    assert_eq!(DOCUMENT.matches(old).count(), 1, "`{old}` must stand once in the document");
    let text = DOCUMENT.replace(old, new);
    let line = text.lines().position(|line| line.contains(at)).unwrap_or_else(|| panic!("no line has `{at}`")) + 1;
    let error = match parsed(&text).and_then(|document| generate(&document)) {
        Ok(_) => panic!("expected an error"),
        Err(error) => format!("{error:#}"),
    };
    assert!(error.starts_with(&format!("doc.yaml:{line}: ")), "expected line {line}: {error}");
    for word in words {
        assert!(error.contains(word), "expected `{word}`: {error}");
    }
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_yaml_mistake_is_reported_with_its_line() {
    refused(
        "x-permission: incidents:read\n      requestBody",
        "x-permission: [incidents\n      requestBody",
        "requestBody",
        &["YAML"],
    );
    let twice = "operationId: findIncidents\n      operationId: findIncidents # again";
    refused("operationId: findIncidents", twice, "# again", &["the key `operationId` is repeated"]);
}

#[test]
fn a_reference_to_nothing_is_reported_with_its_line() {
    refused(
        "'#/components/schemas/Query'",
        "'#/components/schemas/Qery'",
        "/Qery",
        &["operation `findIncidents`", "refers to a node that does not exist", "/Qery"],
    );
    refused("'#/components/schemas/Query'", "'other.yaml#/Query'", "other.yaml", &["refers to another file"]);
}

#[test]
fn two_error_types_on_one_operation_are_refused_by_name() {
    let words =
        ["operation `findIncidents`", "one schema for all error responses", "400 is `Status`", "5XX is `Incident`"];
    refused("'#/components/schemas/Status' # of 5XX", "'#/components/schemas/Incident'", "      responses:", &words);
}

#[test]
fn a_default_response_is_refused_by_name() {
    refused("'5XX':", "default:", "default:", &["operation `findIncidents`", "`default` response"]);
}

#[test]
fn openapi_3_1_is_refused() {
    refused("openapi: 3.0.3", "openapi: 3.1.0", "openapi: 3.1.0", &["OpenAPI 3.1.0", "3.0 documents only"]);
    // Without quotes it is a number.
    refused("openapi: 3.0.3", "openapi: 3.1", "openapi: 3.1", &["OpenAPI 3.1:", "3.0 documents only"]);
}

#[test]
fn a_missing_operation_id_is_reported_by_method_and_path() {
    refused("      operationId: findIncidents\n", "", "    post:", &["`POST /v1/incidents:find` has no `operationId`"]);
}

#[test]
fn unsupported_constructs_are_refused_with_their_line() {
    let one_of = "count: {type: integer, format: int32, oneOf: [], description: How often.}";
    let count = "count: {type: integer, format: int32, description: How often.}";
    refused(count, one_of, "count:", &["`Incident.count`", "`oneOf` is not supported"]);
    refused(count, "count: {type: number, description: How often.}", "count:", &["`Incident.count`", "type `number`"]);
    let closed = "Query:\n      type: object\n      additionalProperties: false\n";
    refused(
        "Query:\n      type: object\n",
        closed,
        "additionalProperties: false",
        &["schema `Query`", "`additionalProperties`"],
    );
    refused(
        r"schema: {type: string, minLength: 1, pattern: '\S'}",
        "schema: {type: array}",
        "type: array}",
        &["parameter `id` of `getIncident`"],
    );
    let matrix = "in: path\n          style: matrix";
    refused("in: path", matrix, "style: matrix", &["parameter `id` of `getIncident`", "style: simple"]);
    let values = |lines: &[&str]| format!("\n        - {}", lines.join("\n        - "));
    for (lines, at, word) in [
        (&["STATE_ON"][..], "- STATE_ON", "must end in `_UNSPECIFIED`"),
        (&["STATE_UNSPECIFIED", "OTHER"], "- OTHER", "share no prefix"),
        (&["STATE_UNSPECIFIED", "STATE_ON", "STATE_1"], "- STATE_1", "`STATE_1` without its prefix `STATE_` can't be"),
        (&["STATE_UNSPECIFIED", "STATE_SELF"], "- STATE_SELF", "can't be a name in Rust"),
        (&["STATE_UNSPECIFIED", "STATE_É"], "- STATE_É", "can't be a name in Rust"),
        (&["STATE_UNSPECIFIED", "STATE_O_N", "STATE_ON", "STATE_O__N"], "- STATE_O__N", "a second variant `ON`"),
        (&["STATE_UNSPECIFIED", "STATE_UNRECOGNIZED"], "- STATE_UNR", "a second variant `Unrecognized`"),
    ] {
        refused(" [STATE_UNSPECIFIED, STATE_ON]", &values(lines), at, &["enum `State`", word]);
    }
    refused("[STATE_UNSPECIFIED, STATE_ON]", "[]", "enum: []", &["enum `State`", "has no values"]);
}

#[test]
fn a_message_that_requires_itself_is_rejected_with_its_line() {
    let count = "count: {type: integer, format: int32, description: How often.}";
    let parent = format!("{count}\n        parent:\n          $ref: '#/components/schemas/Incident'");
    // Optional, it is a list of any length, and so it is below a list.
    assert!(generate(&parsed(&DOCUMENT.replace(count, &parent)).unwrap()).is_ok());
    let document = DOCUMENT.replace(count, &parent).replace("required: [id, state]", "required: [id, state, parent]");
    let error = |document: &str| match parsed(document).and_then(|document| generate(&document)) {
        Ok(_) => panic!("expected an error"),
        Err(error) => error.to_string(),
    };
    let line = |document: &str, at: &str| document.lines().position(|line| line.contains(at)).unwrap() + 1;
    let start = format!(
        "doc.yaml:{}: schema `Incident` requires itself, by its member `parent`",
        line(&document, "[id, state, parent]")
    );
    assert!(error(&document).starts_with(&start), "{}", error(&document));

    // By way of another message it is told once.
    let other = "    State:\n      type: string\n";
    let history = "    History:\n      type: object\n      required: [incident]\n      description: What was.\n      properties:\n        \
                   incident:\n          $ref: '#/components/schemas/Incident'\n";
    let document = document.replace(
        "parent:\n          $ref: '#/components/schemas/Incident'",
        "parent:\n          $ref: '#/components/schemas/History'",
    );
    let document = document.replace(other, &format!("{history}{other}"));
    let found = error(&document);
    assert!(found.contains("by its member `parent`, then `incident`") && found.lines().count() == 1, "{found}");
}

#[test]
fn an_unknown_document_key_is_refused_with_its_line() {
    let permission = "x-permission: incidents:read\n      requestBody";
    let with = |line: &str| format!("x-permission: incidents:read\n      {line}\n      requestBody");
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
        refused(permission, &with(line), line, &words);
    }
    for (old, new, message) in [
        (
            "    get:\n      operationId: getIncident\n",
            "    gett:\n      operationId: getIncident\n",
            "this path has the unknown keyword `gett`",
        ),
        (
            "required: true\n          description: Its id.",
            "requird: true\n          description: Its id.",
            "this parameter has the unknown keyword `requird`",
        ),
        (
            "'200':\n          description: Found.\n          content:\n            application/json:\n              schema:\n                $ref: '#/components/schemas/Incident'\n        '400'",
            "'200':\n          description: Found.\n          contents: {}\n        '400'",
            "this response has the unknown keyword `contents`",
        ),
        ("  /5/incidents/{id}:", "  5/incidents/{id}:", "the path `5/incidents/{id}` must begin with `/`"),
    ] {
        assert_eq!(DOCUMENT.matches(old).count(), 1, "{old}");
        let error =
            format!("{:#}", parsed(&DOCUMENT.replace(old, new)).and_then(|document| generate(&document)).unwrap_err());
        assert!(error.starts_with("doc.yaml:") && error.contains(message), "{error}");
    }
    refused("- name: id", "- name: id\n          x-body-membr: id", "x-body-membr", &["`x-body-member`"]);
    let property = "message: {type: string, x-deviaton: None., description: Why.}";
    refused("message: {type: string, description: Why.}", property, "x-deviaton", &["`x-deviation`"]);
    let body = "application/json:\n            schema:\n              $ref: '#/components/schemas/Query'";
    let example = format!("{body}\n            examples: {{one: {{externalvalue: samples/x.json}}}}");
    refused(body, &example, "externalvalue", &["`externalvalue`", "`externalValue`"]);
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_its_line() {
    for (old, new, at, message) in [
        (
            "          minItems: 1\n",
            "          minItems: '1'\n",
            "minItems",
            "this schema has a value of `minItems` that is not a whole number",
        ),
        (
            "          minItems: 1\n",
            "          minItems: -1\n",
            "minItems",
            "this schema has a value of `minItems` that is not a whole number",
        ),
        (
            "minLength: 1, pattern: '\\S'}\n      responses",
            "minLength: null, pattern: '\\S'}\n      responses",
            "minLength: null",
            "`minLength`",
        ),
        (
            "$ref: '#/components/schemas/State'",
            "$ref: 3",
            "$ref: 3",
            "this schema has a value of `$ref` that is not text",
        ),
        (
            "        message: {type: string, description: Why.}",
            "        message: why",
            "message: why",
            "this schema must be a mapping",
        ),
        ("  schemas:\n    Query:", "  schemas:\n    Other: []\n    Query:", "Other", "this schema must be a mapping"),
        (
            "          required: true\n          description: Its id.",
            "          required: 'true'\n          description: Its id.",
            "'true'",
            "this parameter has a value of `required` that is not `true` or `false`",
        ),
        (
            "      summary: Get an incident\n",
            "      summary: [Get]\n",
            "[Get]",
            "this operation has a value of `summary` that is not text",
        ),
        (
            "info: {title: Test, version: 1.0.0}",
            "info: Test",
            "info",
            "this document has a value of `info` that is not a mapping",
        ),
    ] {
        refused(old, new, at, &[message]);
    }
}

#[test]
fn a_least_length_that_is_not_checked_is_refused() {
    let (old, new) =
        ("minLength: 1, pattern: '\\S'}\n      responses", "minLength: 36, pattern: '\\S'}\n      responses");
    assert_eq!(DOCUMENT.matches(old).count(), 1);
    let error =
        format!("{:#}", parsed(&DOCUMENT.replace(old, new)).and_then(|document| generate(&document)).unwrap_err());
    assert!(error.contains("`id`: the patterns require one character: write `minLength: 1`"), "{error}");
}

#[test]
fn a_limit_that_no_request_has_is_refused_with_its_line() {
    let permission = "x-permission: incidents:read\n      requestBody";
    for (lines, at, words) in [
        ("x-incident-ids: ids\n      x-max-incident-ids: 0", "x-max", ["`0`", "a positive integer"]),
        ("x-incident-ids: ids\n      x-max-incident-ids: '9'", "x-max", ["`\"9\"`", "a positive integer"]),
        ("x-max-incident-ids: 9", "x-max", ["`x-incident-ids`", "request body"]),
        ("x-max-page-size: -1", "x-max", ["`-1`", "a positive integer"]),
        ("x-max-page-size: 9", "x-max", ["`x-paging`", "generation 5"]),
    ] {
        refused(permission, &format!("x-permission: incidents:read\n      {lines}\n      requestBody"), at, &words);
    }
}

#[test]
fn names_that_would_clash_in_rust_are_refused_with_their_line() {
    let count = "count: {type: integer, format: int32, description: How often.}";
    let twice = "createdAt: {type: string}\n        created_at: {type: string}";
    refused(count, twice, "created_at", &["schema `Incident`", "`created_at`", "`createdAt`", "rename one"]);
    let open = "message: {type: string, description: Why.}\n        otherMembers: {type: string}\n      additionalProperties: true";
    refused(
        "message: {type: string, description: Why.}",
        open,
        "otherMembers",
        &["schema `Status`", "the generator's"],
    );
    for name in ["Option", "String", "Vec", "Default", "Result", "Box", "Deserialize", "DateTime", "BTreeMap", "Self"] {
        let line = format!("    {name}: {{type: object}}");
        let schema = format!("{line}\n    Query:\n      type: object");
        refused("    Query:\n      type: object", &schema, &line, &["has the name of a type", name]);
    }
    let id = "- name: id\n          in: path";
    let parameter = |name: &str| {
        format!(
            "- {{name: {name}, in: query, required: true, style: form, explode: true, schema: {{type: array, items: {{type: string}}}}}}\n        {id}"
        )
    };
    refused(id, &parameter("ID"), "- name: id", &["operation `getIncident`", "`id`", "`ID`"]);
    refused(id, &parameter("body"), "name: body", &["operation `getIncident`", "`body`"]);
    for name in ["builder", "exec", "clone", "fromEnv", "apiGeneration", "handOver", "base_url", "all"] {
        let line = format!("operationId: {name}");
        refused("operationId: getIncident", &line, &line, &[name, "taken by the SDK by hand"]);
    }
    for name in ["findIncidents", "find_incidents"] {
        let line = format!("operationId: {name}");
        refused(
            "operationId: getIncident",
            &format!("{line} # again"),
            "# again",
            &[name, "operation `findIncidents` at doc.yaml:7"],
        );
    }
    let paged = DOCUMENT.replace(
        "safe\n      x-permission: incidents:read\n      requestBody",
        "safe\n      x-permission: incidents:read\n      x-paging: {items: incidents}\n      requestBody",
    );
    let text = paged.replace("operationId: getIncident", "operationId: findIncidentsStream");
    let error = generate(&parsed(&text).unwrap()).unwrap_err().to_string();
    assert!(error.contains("taken by the stream of operation `findIncidents`"), "{error}");
}

#[test]
fn names_that_rust_does_not_allow_are_refused_with_their_line() {
    for name in ["self", "Self", "super", "crate", "2nd", "'$'"] {
        let line = format!("{name}: {{type: string, minLength: 1, pattern: '\\S'}}");
        let ids = "        ids:\n          type: array";
        let words = ["schema `Query`", "can't be a name in Rust"];
        refused(ids, &format!("        {line}\n{ids}"), &line, &words);
        let line = format!(
            "- {{name: {name}, in: query, required: true, style: form, explode: true, schema: {{type: array, items: {{type: string}}}}}}"
        );
        let words = ["operation `getIncident`", "can't be a name in Rust"];
        let id = "- name: id\n          in: path";
        refused(id, &format!("{line}\n        {id}"), &line, &words);
    }
    for name in ["self", "Super", "crate", "match"] {
        let line = format!("operationId: {name}");
        refused("operationId: getIncident", &line, &line, &[name, "can't be a name in Rust"]);
    }
    let message = "        message: {type: string, description: Why.}";
    let text = DOCUMENT.replace(message, &format!("{message}\n        type: {{type: string, description: Its kind.}}"));
    assert!(generate(&parsed(&text).unwrap()).unwrap()["types.rs"].contains("pub type_: Option<String>"));
    let ids = "        ids:\n          type: array";
    let text =
        DOCUMENT.replace(ids, &format!("        match: {{type: array, minItems: 1, items: {{type: string}}}}\n{ids}"));
    assert!(generate(&parsed(&text).unwrap()).unwrap()["client.rs"].contains("body.match_.len()"));
}

#[test]
fn an_enum_value_that_is_repeated_or_not_a_string_is_refused_with_its_line() {
    for (value, words) in [
        ("7", "`7` is not a string"),
        ("null", "`null` is not a string"),
        ("{A: B}", "is not a string"),
        ("STATE_ON", "\"STATE_ON\" is repeated"),
    ] {
        let values = format!("\n        - STATE_UNSPECIFIED\n        - STATE_ON\n        - {value} # new");
        refused(" [STATE_UNSPECIFIED, STATE_ON]", &values, "# new", &["enum `State`", words]);
    }
    refused(
        "[STATE_UNSPECIFIED, STATE_ON]",
        "STATE_UNSPECIFIED",
        "enum: STATE",
        &["this schema has a value of `enum` that is not a list"],
    );
}

#[test]
fn what_a_schema_requires_is_a_list_of_texts() {
    let words = ["`required` of schema `Incident` must be a list of strings"];
    for other in ["required: [id, 7]", "required: [id, null]"] {
        refused("required: [id, state]", other, other, &words);
    }
    for other in ["required: false", "required: id", "required: {id: true}"] {
        refused("required: [id, state]", other, other, &["this schema has a value of `required` that is not a list"]);
    }
    refused("required: [id, state]", "required: [id, id]", "[id, id]", &["schema `Incident`", "\"id\" is repeated"]);
}

#[test]
fn a_parameter_is_a_plain_string_or_a_list_of_them() {
    let schema = r"schema: {type: string, minLength: 1, pattern: '\S'}";
    for other in [
        "{type: integer, format: int32}",
        "{type: string, format: uuid}",
        "{type: string, enum: [A, B]}",
        "{$ref: '#/components/schemas/State'}",
        "{type: array, items: {type: string}}",
    ] {
        let line = format!("schema: {other}");
        refused(schema, &line, &line, &["parameter `id` of `getIncident`"]);
    }
    let id = "- name: id\n          in: path";
    for items in
        ["{type: string, enum: [A, B]}", "{type: string, format: uuid}", "{$ref: '#/components/schemas/State'}"]
    {
        let line = format!("schema: {{type: array, items: {items}}}");
        let list = format!(
            "- name: ids\n          in: query\n          required: true\n          style: form\n          explode: true\n          \
             {line}\n        {id}"
        );
        refused(id, &list, &line, &["parameter `ids` of `getIncident`"]);
    }
}

#[test]
fn a_panic_of_progenitor_is_an_error_that_names_the_operation() {
    let schema = "            application/json:\n              schema:\n                $ref: '#/components/schemas/Incident'\ncomponents:";
    let within = schema.replace("schemas/Incident'", "schemas/Incident/properties/id'");
    refused(schema, &within, "    get:", &["progenitor can't take operation `getIncident`", "is missing"]);
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
        let text = format!("{}{messages}", DOCUMENT.trim_end());
        let error = format!("{:#}", generate(&parsed(&text).unwrap()).map(drop).unwrap_err());
        let line = text.lines().position(|line| line.contains("x-oneof:")).unwrap() + 1;
        let line = format!("doc.yaml:{line}: `x-oneof` of schema `Event`");
        assert!(error.starts_with(&line) && error.contains(words), "{stated}: {error}");
    }
    let misplaced = format!("{}{}", DOCUMENT.trim_end(), MESSAGES.replace("count: {", "count: {x-oneof: [], "));
    let error = format!("{:#}", generate(&parsed(&misplaced).unwrap()).map(drop).unwrap_err());
    assert!(error.contains("`x-oneof` is not an extension that is read here"), "{error}");
}
