//! `stats`, and `events` by filter.

use serde_json::{Value, json};

use crate::support::{ALICE, Cli, emulator};

#[track_caller]
fn document(line: &str) -> Value {
    Cli::at(&emulator()).run(&format!("{line} -o json")).assert(0, &[]).json()
}

fn count(rows: &Value, field: &str, value: &str) -> Value {
    let row = rows.as_array().unwrap().iter().find(|row| row["field"] == field && row["value"] == value);
    row.map_or(Value::Null, |row| row["count"].clone())
}

#[test]
fn incidents_are_counted_by_value() {
    let rows = document("stats");
    for (field, value, expected) in [
        ("status", "INCIDENT_STATUS_RESOLVED", 1),
        ("severity", "INCIDENT_SEVERITY_CRITICAL", 1),
        ("assignee", ALICE, 1),
        ("label:environment", "production", 3),
    ] {
        assert_eq!(count(&rows, field, value), expected, "{field}");
    }
    let rows = document(&format!("stats --assignee {ALICE}"));
    assert_eq!(count(&rows, "severity", "INCIDENT_SEVERITY_CRITICAL"), 1);
    assert_eq!(count(&rows, "severity", "INCIDENT_SEVERITY_LOW"), Value::Null);
    let ran = Cli::at(&emulator()).run("stats");
    assert!(ran.out.starts_with("FIELD") && ran.out.contains("critical"), "{}", ran.out);
}

#[test]
fn incidents_are_counted_in_groups() {
    let ran = Cli::at(&emulator()).run("stats --by severity --by label:environment").assert(0, &[]);
    let lines: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..3], ["SEVERITY", "ENVIRONMENT", "COUNT"]);
    for severity in ["critical", "error", "low"] {
        assert!(lines.iter().any(|line| line[..3] == [severity, "production", "1"]), "{}", ran.out);
    }
    assert_eq!(document("stats --by status").as_array().unwrap().len(), 3);
    for wrong in ["colour", "label:", "label"] {
        Cli::at(&emulator()).run(&format!("stats --by {wrong}")).assert(2, &[]);
    }
}

#[test]
fn events_are_listed_and_counted_by_filter() {
    let length = |line| document(line).as_array().unwrap().len();
    let (all, critical) = (length("events"), length("events --severity critical"));
    assert!(all >= 6 && critical > 0 && critical < all, "{critical} of {all}");
    assert_eq!((length("events --limit 2"), length("events --until 2000-01-01")), (2, 0));
    assert_eq!(count(&document("events --count --severity critical"), "total", ""), json!(critical));
    let ran = Cli::at(&emulator()).run("events --name nothing").assert_all(0, "no event matches the filter\n");
    assert_eq!(ran.out, "");
    let ran = Cli::at(&emulator()).run("events --severity critical");
    assert!(ran.out.starts_with("EVENT KEY") && ran.out.contains("critical"), "{}", ran.out);
    for wrong in ["events incident_id_2 --severity low", "events --count --limit 1"] {
        Cli::at(&emulator()).run(wrong).assert(2, &[]);
    }
}
