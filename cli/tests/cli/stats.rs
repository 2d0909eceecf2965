//! `stats`, and `events` by filter.

use serde_json::{Value, json};

use crate::support::{ALICE, Cli, emulator};

#[track_caller]
fn document(arguments: &[&str]) -> Value {
    let ran = Cli::at(&emulator()).run(&[arguments, &["-o", "json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn count(rows: &Value, field: &str, value: &str) -> Value {
    let row = rows.as_array().unwrap().iter().find(|row| row["field"] == field && row["value"] == value);
    row.map_or(Value::Null, |row| row["count"].clone())
}

#[test]
fn incidents_are_counted_by_value() {
    let rows = document(&["stats"]);
    assert_eq!(count(&rows, "status", "INCIDENT_STATUS_RESOLVED"), 1);
    assert_eq!(count(&rows, "severity", "INCIDENT_SEVERITY_CRITICAL"), 1);
    assert_eq!(count(&rows, "assignee", ALICE), 1);
    assert_eq!(count(&rows, "label:environment", "production"), 3);
    let rows = document(&["stats", "--assignee", ALICE]);
    assert_eq!(count(&rows, "severity", "INCIDENT_SEVERITY_CRITICAL"), 1);
    assert_eq!(count(&rows, "severity", "INCIDENT_SEVERITY_LOW"), Value::Null);
    let ran = Cli::at(&emulator()).run(&["stats"]);
    assert!(ran.out.starts_with("FIELD") && ran.out.contains("critical"), "{}", ran.out);
}

#[test]
fn incidents_are_counted_in_groups() {
    let ran = Cli::at(&emulator()).run(&["stats", "--by", "severity", "--by", "label:environment"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..3], ["SEVERITY", "ENVIRONMENT", "COUNT"]);
    for severity in ["critical", "error", "low"] {
        assert!(lines.iter().any(|line| line[..3] == [severity, "production", "1"]), "{}", ran.out);
    }
    assert_eq!(document(&["stats", "--by", "status"]).as_array().unwrap().len(), 3);
    for wrong in ["colour", "label:", "label"] {
        assert_eq!(Cli::at(&emulator()).run(&["stats", "--by", wrong]).code, 2, "{wrong}");
    }
}

#[test]
fn events_are_listed_and_counted_by_filter() {
    let all = document(&["events"]);
    let all = all.as_array().unwrap().len();
    assert!(all >= 6, "{all}");
    let critical = document(&["events", "--severity", "critical"]);
    let critical = critical.as_array().unwrap();
    assert!(!critical.is_empty() && critical.len() < all);
    assert_eq!(document(&["events", "--limit", "2"]).as_array().unwrap().len(), 2);
    assert_eq!(document(&["events", "--until", "2000-01-01"]), json!([]));
    let rows = document(&["events", "--count", "--severity", "critical"]);
    assert_eq!(count(&rows, "total", ""), json!(critical.len()));
    let ran = Cli::at(&emulator()).run(&["events", "--name", "no such incident"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", "no event matches the filter\n"));
    let ran = Cli::at(&emulator()).run(&["events", "--severity", "critical"]);
    assert!(ran.out.starts_with("EVENT KEY") && ran.out.contains("critical"), "{}", ran.out);
    for wrong in [&["events", "incident_id_2", "--severity", "low"][..], &["events", "--count", "--limit", "1"]] {
        assert_eq!(Cli::at(&emulator()).run(wrong).code, 2, "{wrong:?}");
    }
}
