//! The JSON Schema of the output holds for what every command writes.

use coralogix_incidents_emulator::Fault;
use serde_json::{Value, json};

use crate::{
    output::COMMANDS,
    support::{Cli, emulator, event, many_ids, start, with_many},
};

/// The schema of the documents of one definition. With `closed`, members that the schema does not list are mistakes, so that
/// a new member can't be forgotten there.
fn validator(definition: &str, closed: bool) -> jsonschema::Validator {
    let mut schema = Cli::bare().run("schema").assert_all(0, "").json();
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

#[test]
fn every_document_is_valid() {
    let others = [
        "config --check",
        "get --event EVENT",
        "acknowledge --event EVENT",
        "events --limit 5",
        "stats",
        "stats --by status",
        "doctor",
    ];
    for line in COMMANDS.into_iter().map(|(_, line)| line).chain(others) {
        let name = line.split(' ').next().unwrap();
        let first = emulator();
        let line = line.replace("EVENT", &event(&first));
        let document = Cli::at(&first).run(&format!("{line} -o json")).json();
        assert_valid(name, &document);
        assert!(!document.as_array().is_some_and(Vec::is_empty), "{name} shows something");
        let lines = Cli::at(&emulator()).run(&format!("{line} -o ndjson"));
        let lines: Vec<Value> = lines.lines().into_iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let elements = document.get("results").unwrap_or(&document).as_array().unwrap();
        assert_eq!(lines.len(), elements.len(), "{name}");
        let lines = match document.get("summary") {
            Some(summary) => json!({ "verb": "close", "results": lines, "summary": summary }),
            None => json!(lines),
        };
        assert_valid(name, &lines);
        if !["config", "doctor"].contains(&name) {
            assert_valid("requests", &Cli::at(&emulator()).run(&format!("{line} -o json --dry-run")).json());
        }
    }
}

#[test]
fn documents_of_failed_changes_are_valid() {
    let lost = Fault::lost_reply().on("closeIncidents");
    for fault in [Fault::status(400).on("closeIncidents").nth(1), lost, Fault::status(400).on("batchGetIncident")] {
        let emulator = start(with_many(150).fault(fault));
        let cli = Cli::at(&emulator).stdin(many_ids(150));
        assert_valid("close", &cli.run("close - -o json --concurrency 1").json());
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
