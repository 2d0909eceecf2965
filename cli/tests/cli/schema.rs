//! The JSON Schema of the output holds for what every command writes.

use coralogix_incidents_emulator::Fault;
use serde_json::{Value, json};

use crate::support::{Cli, emulator, many_ids, start, with_many, with_three};

/// The schema of the documents of one definition. With `closed`, members that the schema does not list are mistakes, so that
/// a new member can't be forgotten there.
fn validator(definition: &str, closed: bool) -> jsonschema::Validator {
    let ran = Cli::bare().run(&["schema"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let mut schema: Value = serde_json::from_str(&ran.out).unwrap();
    if closed {
        for (name, definition) in schema["$defs"].as_object_mut().unwrap() {
            let is_ours = !["incident", "requests", "group"].contains(&name.as_str());
            if is_ours && definition.get("properties").is_some() {
                definition["additionalProperties"] = json!(false);
            }
        }
    }
    schema["$ref"] = json!(format!("#/$defs/{definition}"));
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn assert_valid(definition: &str, document: &Value) {
    if let Err(error) = validator(definition, true).validate(document) {
        let (problem, path) = (error.to_string(), error.instance_path().to_string());
        assert_eq!(problem, "", "{definition} at {path}: {document}");
    }
}

const COMMANDS: [(&str, &str); 16] = [
    ("unassign", "unassign 3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3 nobody incident_id_2 incident_id_2"),
    ("assign", "assign --to carol@example.com incident_id_2"),
    ("acknowledge", "acknowledge incident_id_2"),
    ("resolve", "resolve incident_id_2"),
    ("close", "close incident_id_2"),
    ("get", "get incident_id_3 incident_id_2"),
    ("list", "list"),
    ("events", "events 3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3"),
    ("handover", "handover --from alice@example.com --to bob@example.com"),
    ("config", "config --check"),
    ("get", "get --event EVENT"),
    ("acknowledge", "acknowledge --event EVENT"),
    ("events", "events --limit 5"),
    ("stats", "stats"),
    ("stats", "stats --by status"),
    ("doctor", "doctor"),
];

#[test]
fn every_document_is_valid() {
    for (name, line) in COMMANDS {
        let first = emulator();
        let event = first.incident("incident_id_2").unwrap().events[0].id.clone();
        let line = line.replace("EVENT", &event);
        let arguments = |format| line.split(' ').chain(["-o", format]).collect::<Vec<_>>();
        let ran = Cli::at(&first).run(&arguments("json"));
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        assert_valid(name, &document);
        assert!(!document.as_array().is_some_and(Vec::is_empty), "{name} shows something");
        let lines = Cli::at(&start(with_three())).run(&arguments("ndjson")).out;
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
        let elements = document.get("results").unwrap_or(&document).as_array().unwrap();
        assert_eq!(lines.len(), elements.len(), "{name}");
        let lines = if document.is_array() {
            json!(lines)
        } else {
            json!({ "verb": "close", "results": lines, "summary": document["summary"] })
        };
        assert_valid(name, &lines);
        if !["config", "doctor"].contains(&name) {
            let ran = Cli::at(&emulator()).run(&[&arguments("json")[..], &["--dry-run"]].concat());
            assert_valid("requests", &serde_json::from_str(&ran.out).unwrap());
        }
    }
}

#[test]
fn documents_of_failed_changes_are_valid() {
    let lost = Fault::lost_reply().on("closeIncidents");
    let faults = [Fault::status(400).on("closeIncidents").nth(1), lost, Fault::status(400).on("batchGetIncident")];
    for fault in faults {
        let emulator = start(with_many(150).fault(fault));
        let cli = Cli::at(&emulator).stdin(many_ids(150));
        let ran = cli.run(&["close", "-", "-o", "json", "--concurrency", "1"]);
        assert_valid("close", &serde_json::from_str(&ran.out).unwrap());
    }
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let summary =
        json!({ "done": 1, "notFound": 0, "failed": 0, "unknown": 0, "notApplied": 0, "notSent": 0, "duplicates": 0 });
    let document = |result: Value| json!({ "verb": "close", "results": [result], "summary": summary });
    let is_valid = |document: &Value| validator("close", false).is_valid(document);
    assert!(is_valid(&document(json!({ "id": "a", "result": "done", "added": 1 }))), "new members may be added");
    assert!(!is_valid(&document(json!({ "id": "a", "result": "perhaps" }))));
    assert!(!is_valid(&document(json!({ "result": "done" }))));
    assert!(!is_valid(&json!({ "verb": "close", "results": [] })));
}
