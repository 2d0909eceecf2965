//! Whole files: generations, operations that come and go, and what can't be read.

use std::time::{Duration, Instant};

use super::*;

#[test]
fn a_removed_operation_breaks_callers() {
    let edit = |root: &mut Value| set(root, &v1(":batchGet"), None);
    planted(V1, edit, Class::BreaksCallers, "operation", "POST /v1/incidents:batchGet is not published");
    // Its deviation counts while the other binding is published.
    let edit = |root: &mut Value| set(root, &v1(":unassign"), None);
    planted(V1, edit, Class::BreaksCallers, "operation", "POST /v1/incidents:unassign is not published");
    planted(OURS_TEXT, edit, Class::KnownDeviation, "operation", "POST /v1/incidents:unassign is not published");
    let both = added(OURS_TEXT, |root| {
        set(root, &v1(":unassign"), None);
        set(root, "/paths/~15~1incidents~1incidents~1v1~1all~1by-user/delete", None);
    });
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both.iter().all(|(class, ..)| *class == Class::BreaksCallers), "{both:?}");
}

fn served_at(text: &str, base: &str) -> String {
    edited(text, |root| root["servers"] = json!([{ "url": format!("https://api.one.example.com{base}") }]))
}

#[test]
fn a_generation_with_another_number_breaks_callers_and_is_still_compared() {
    let broken = edited(V5, |root| set(root, "/components/schemas/Incident/properties/id/type", json!("integer")));
    let found = keys(differences(&served_at(&broken, "/mgmt/openapi/6")));
    let moved =
        "DELETE /5/incidents/incidents/v1/all/by-user is published as DELETE /incidents/incidents/v1/all/by-user";
    assert!(found.contains(&(Class::BreaksCallers, "operation".to_owned(), moved.to_owned())), "{found:#?}");
    assert!(
        found.iter().any(|(class, place, _)| *class == Class::BreaksDecoding && place == "Incident.id"),
        "{found:#?}"
    );
}

#[test]
fn a_file_without_a_generation_is_recognized_by_its_paths() {
    for base in ["", "/mgmt/openapi", "/mgmt/openapi/latest"] {
        assert_eq!(keys(differences(&served_at(V5, base))), keys(differences(V5)), "{base}");
    }
}

#[test]
fn a_frozen_generation_is_named_and_not_compared() {
    let third = edited(V5, |root| {
        let paths = root["paths"].as_object_mut().unwrap();
        let item = paths.shift_remove("/incidents/incidents/v1/all/by-user").unwrap();
        paths.insert("/incidents/incidents/v1/by-user".to_owned(), item);
    });
    for (file, number) in [
        (served_at(&third, "/mgmt/openapi/latest"), 3),
        (served_at(&third, "/mgmt/openapi/3"), 3),
        (edited(&third, |root| set(root, "/servers", None)), 3),
        (served_at(V5, "/mgmt/openapi/4"), 4),
    ] {
        let found = keys(differences(&file));
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!((found[0].0, found[0].1.as_str()), (Class::Cosmetic, "generation"));
        assert!(found[0].2.starts_with(&format!("this is generation {number} of the API, ")), "{found:?}");
        assert!(found[0].2.contains("which is frozen"), "{found:?}");
    }
}

#[test]
fn a_generation_under_another_version_breaks_callers() {
    let found = added(OURS_TEXT, |root| {
        let paths = std::mem::take(root["paths"].as_object_mut().unwrap());
        let renamed = |path: String| path.strip_prefix("/v1/").map_or(path.clone(), |rest| format!("/v2/{rest}"));
        root["paths"] = paths.into_iter().map(|(path, item)| (renamed(path), item)).collect();
    });
    for (class, message) in [
        (Class::BreaksCallers, "POST /v1/incidents:batchGet is not published"),
        (Class::New, "we lack POST /v2/incidents:batchGet"),
    ] {
        assert!(found.contains(&(class, "operation".to_owned(), message.to_owned())), "{found:#?}");
    }
    assert!(!found.iter().any(|(_, place, _)| place == "generation"), "{found:#?}");
}

#[test]
fn an_unknown_operation_is_new_if_it_is_about_incidents() {
    let merge = json!({ "operationId": "Merge", "responses": { "200": { "description": "" } } });
    let add = |path: &'static str, operation: Value| {
        move |root: &mut Value| set(root, &join("/paths", path), json!({ "post": operation }))
    };
    let message = "we lack POST /v1/incidents:merge";
    planted(V1, add("/v1/incidents:merge", merge.clone()), Class::New, "operation", message);
    assert_eq!(added(V1, add("/v1/alerts:merge", merge.clone())), []);
    let mut tagged = merge;
    tagged["tags"] = json!(["IncidentsService"]);
    let message = "we lack POST /v1/cases";
    planted(V1, add("/v1/cases", tagged), Class::New, "operation", message);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_its_line() {
    let none = format!(": it has none of our {} operations", OURS.root()["paths"].as_object().unwrap().len());
    for (text, error) in [
        ("swagger: '2.0'\npaths: {}", ":1: this is Swagger \"2.0\": convert it"),
        ("openapi: 4.0.0", ":1: OpenAPI 4.0.0: drift reads OpenAPI 3.0 and 3.1"),
        ("openapi: 3.2", ":1: OpenAPI 3.2: drift reads OpenAPI 3.0 and 3.1"),
        ("a: 1", ":1: no `openapi: 3...`: drift reads OpenAPI 3.0 and 3.1"),
        ("openapi: 3.1", ": the file has no `paths`"),
        ("openapi: 3.0.0", ": the file has no `paths`"),
        ("openapi: 3.0.0\npaths: {}", &none),
        ("openapi: 3.0.0\npaths:\n  /a: &a\n    b: *a", ":4: an alias refers to a node that contains it"),
        (
            "openapi: 3.0.0\npaths:\n  /v1/incidents:\n    $ref: '#/x'\n    post: {}\nx: {get: {}}",
            ":4: this path has a `$ref` and operations of its own: move them into the node to which it refers",
        ),
    ] {
        let found = refused(&format!("{text}\n"));
        assert!(found.starts_with(&format!("published.yaml{error}")), "{text}: {found}");
    }
    let path = "openapi: 3.0.0\npaths:\n  /v1/incidents:\n    post:\n      requestBody:\n";
    let body = "#/paths/~1v1~1incidents/post/requestBody";
    let schema = |schema: &str| format!("content: {{application/json: {{schema: {schema}}}}}");
    for (body, error) in [
        ("$ref: '#/gone'".to_owned(), "`$ref: #/gone` refers to a node that does not exist"),
        (
            "$ref: 'other.yaml#/a'".to_owned(),
            "`$ref: other.yaml#/a` refers to another file: bundle the files into one first",
        ),
        ("$ref: 7".to_owned(), "a `$ref` must be text"),
        (format!("$ref: '{body}'"), "this `$ref` refers to itself"),
        (schema("3"), "a schema must be a mapping"),
        (schema("{type: text}"), "the type `text` is unknown"),
        (schema("{allOf: [{$ref: '#/nowhere'}]}"), "`$ref: #/nowhere` refers to a node that does not exist"),
        (schema(&format!("{{$ref: '{body}/content/application~1json/schema'}}")), "this `$ref` refers to itself"),
    ] {
        assert_eq!(refused(&format!("{path}        {body}\n")), format!("published.yaml:6: {error}"), "{body}");
    }
}

#[test]
fn cyclic_references_in_all_of_are_resolved() {
    let ring = edited(V1, |root| {
        set(root, &format!("{MESSAGES}Incident/allOf"), json!([{ "$ref": "#/components/schemas/v1Incident" }]));
    });
    assert_eq!(keys(differences(&ring)), keys(differences(V1)));
}

#[test]
fn a_keyword_of_a_message_is_reported_once_however_often_the_message_is_used() {
    let message = "has the unknown keyword `surprise`";
    planted(V1, |root| set(root, &format!("{MESSAGES}Incident/surprise"), json!(1)), Class::New, "Incident", message);
    let message = "has `if: nothing`, published as `if: false`";
    planted(V1, |root| set(root, &format!("{MESSAGES}Incident/if"), json!(false)), Class::New, "Incident", message);
}

#[test]
fn mistakes_in_other_parts_of_the_file_are_ignored() {
    let edit = |root: &mut Value| {
        let schema = "/paths/~1v1~1alerts/get/responses/200/content";
        set(root, schema, json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Gone" } } }));
    };
    assert_eq!(added(V1, edit), []);
    for item in [json!({ "$ref": "alerts.yaml" }), json!({ "get": "gone" })] {
        assert_eq!(added(V1, |root| set(root, "/paths/~1alerts", item.clone())), [], "{item}");
        refused(&edited(V1, |root| set(root, &v1(":merge"), item)));
    }
}

#[test]
fn anchors_are_read() {
    let text = V1.replace("operationId: IncidentsService_Unassign\n", "operationId: &id Unassign\n      x-id: *id\n");
    assert_ne!(text, V1);
    assert_eq!(keys(differences(&text)), keys(differences(V1)));
}

/// A file with nonsense anywhere in it is an answer or an error, never a panic.
#[test]
fn invalid_values_never_panic() {
    let root = parsed(V5).root().clone();
    let mut pointers = Vec::new();
    crate::json_pointer::walk(&root, "", &mut |pointer, _| pointers.push(pointer.to_owned()));
    let nonsense = json!([null, 3, "é4", [], {}, true, { "$ref": "#" }, { "4é": { "$ref": "#/components" } }, [[{}]]]);
    let nonsense = nonsense.as_array().unwrap();
    let mut errors = 0;
    for (index, pointer) in pointers.iter().enumerate() {
        let mut broken = root.clone();
        *broken.pointer_mut(pointer).unwrap() = nonsense[index % nonsense.len()].clone();
        let published = parsed(&broken.to_string());
        match compare(&OURS, &published) {
            Ok(found) => drop((report::table(&found), report::markdown("published.yaml", &found))),
            Err(error) => {
                assert!(error.to_string().starts_with("published.yaml"), "{error}");
                errors += 1;
            }
        }
    }
    assert!(errors > 10, "the nonsense is too tame: {errors} errors");
}

/// Twenty times as much takes about twenty times as long, and not four hundred times: the growth is measured, not the machine.
#[test]
fn the_time_is_linear_in_the_size_of_the_file() {
    let numbered = |count: usize, text: &dyn Fn(usize) -> String| (0..count).map(text).collect::<Vec<_>>().concat();
    let head = "openapi: 3.0.3\npaths:\n  /v1/incidents:\n    post:\n      responses:\n        '200':\n          description: Done.\n          \
                content:\n            application/json:\n              schema: {$ref: '#/x-schema'}\n";
    let message = "x-schema:\n  type: object\n  properties:\n    incidents:\n      type: array\n      items:\n        ";
    let files: [(&str, &dyn Fn(usize) -> String); 6] = [
        ("an enum", &|count| {
            let values = numbered(count, &|number| format!("VALUE_{number}, "));
            format!("{head}{message}properties: {{state: {{type: string, enum: [{values}]}}}}\n")
        }),
        ("alternatives", &|count| {
            let one =
                "{type: object, properties: {id: {type: string}, events: {type: array, items: {type: object}}}}, ";
            format!("{head}{message}oneOf: [{}]\n", one.repeat(count))
        }),
        ("members", &|count| {
            let members = numbered(count, &|number| format!("m{number}: {{type: string}}, "));
            format!("{head}{message}properties: {{{members}}}\n")
        }),
        ("paths", &|count| {
            let paths = numbered(count, &|number| format!("  /v1/other{number}: {{get: {{responses: {{}}}}}}\n"));
            format!("{head}{paths}{message}type: object\n")
        }),
        ("parameters", &|count| {
            let list = numbered(count, &|number| format!("{{name: p{number}, in: query, schema: {{type: string}}}}, "));
            let head = head.replace("      responses:\n", &format!("      parameters: [{list}]\n      responses:\n"));
            format!("{head}{message}type: object\n")
        }),
        ("references", &|count| {
            let schemas = numbered(count, &|number| format!("  {number}: {{$ref: '#/x-schemas/{}'}}\n", number + 1));
            format!("{head}x-schema: {{$ref: '#/x-schemas/0'}}\nx-schemas:\n{schemas}  {count}: {{type: object}}\n")
        }),
    ];
    for (what, file) in files {
        let time = |count: usize| -> Duration {
            let text = file(count);
            let start = Instant::now();
            let found = compare(&OURS, &parsed(&text)).unwrap();
            report::table(&found);
            start.elapsed()
        };
        // The smallest of several, so that what else the machine does is left out.
        let best = |count: usize| (0..3).map(|_| time(count)).min().unwrap();
        let (small, large) = (best(150), best(3_000));
        assert!(large < small * 150, "{what}: {small:?}, and {large:?} for twenty times as much");
    }
}
