//! `list`: its filters, its order and its limit, by what is asked and by what comes.

use serde_json::json;

use crate::support::{ALICE, Cli, emulator, start, with_many};

fn ids(arguments: &[&str]) -> Vec<String> {
    let ran = Cli::at(&emulator()).run(&[&["list", "-o", "ids"], arguments].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.lines().map(str::to_owned).collect()
}

const FIRST: &str = "3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3";

#[test]
fn the_newest_come_first_unless_ordered_otherwise() {
    assert_eq!(ids(&[]), [FIRST, "incident_id_2", "incident_id_3"]);
    assert_eq!(ids(&["--order", "created"]), ["incident_id_3", "incident_id_2", FIRST]);
    assert_eq!(ids(&["--order", "name:asc"])[0], "incident_id_3");
}

#[test]
fn filters_select() {
    assert_eq!(ids(&["--assignee", ALICE]), [FIRST]);
    assert_eq!(ids(&["--status", "resolved"]), ["incident_id_3"]);
    assert_eq!(ids(&["--status", "Triggered", "--status", "acknowledged"]), [FIRST, "incident_id_2"]);
    assert_eq!(ids(&["--state", "resolved"]), ["incident_id_3"]);
    assert_eq!(ids(&["--severity", "critical"]), [FIRST]);
    assert_eq!(ids(&["--created-since", "3h"]), [FIRST]);
    assert_eq!(ids(&["--created-until", "3h", "--created-since", "3d"]), ["incident_id_2"]);
    assert_eq!(ids(&["--label", "environment=production"]).len(), 3);
    assert_eq!(ids(&["--label", "environment=moon"]), Vec::<String>::new());
}

#[test]
fn every_filter_is_in_the_request() {
    let arguments = "list --dry-run -o json --assignee a --assignee b --status triggered --state triggered --severity low \
                     --severity critical --label k=v --label k=w=x --label other=x --application app --subsystem sub \
                     --since 2026-03-14 --until 2026-03-15T01:00:00+01:00 --created-until 2026-03-01 --order severity:desc \
                     --order application --limit 7";
    let ran = Cli::at(&emulator()).run(&arguments.split_whitespace().collect::<Vec<_>>());
    let requests: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let expected = json!({
        "filter": {
            "assignee": ["a", "b"],
            "status": ["INCIDENT_STATUS_TRIGGERED"],
            "state": ["INCIDENT_STATE_TRIGGERED"],
            "severity": ["INCIDENT_SEVERITY_LOW", "INCIDENT_SEVERITY_CRITICAL"],
            "contextualLabels": {
                "k": { "contextualLabelValues": ["v", "w=x"] },
                "other": { "contextualLabelValues": ["x"] },
            },
            "applicationName": ["app"],
            "subsystemName": ["sub"],
            "incidentDurationRange": { "startTime": "2026-03-14T00:00:00Z", "endTime": "2026-03-15T00:00:00Z" },
            "createdAtRange": { "startTime": "1970-01-01T00:00:00Z", "endTime": "2026-03-01T00:00:00Z" },
        },
        "orderBys": [
            { "incidentField": "INCIDENTS_FIELDS_SEVERITY", "direction": "ORDER_BY_DIRECTION_DESC" },
            { "incidentField": "INCIDENTS_FIELDS_APPLICATION_NAME", "direction": "ORDER_BY_DIRECTION_ASC" },
        ],
        "pagination": { "pageSize": 7 },
    });
    assert_eq!(requests[0]["body"], expected);
}

#[test]
fn a_limit_ends_the_list_and_without_one_all_pages_come() {
    let emulator = start(with_many(450));
    let count =
        |arguments: &[&str]| Cli::at(&emulator).run(&[&["list", "-o", "ids"], arguments].concat()).out.lines().count();
    assert_eq!(count(&[]), 450);
    assert_eq!(emulator.requests().len(), 3);
    emulator.clear_requests();
    assert_eq!(count(&["--limit", "201"]), 201);
    assert_eq!(emulator.requests().len(), 2);
    assert_eq!(count(&["--limit", "1"]), 1);
}

#[test]
fn an_empty_list_is_reported_on_standard_error() {
    let ran = Cli::at(&emulator()).run(&["list", "--assignee", "nobody"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", "no incident matches the filter\n"));
    let ran = Cli::at(&emulator()).run(&["list", "--assignee", "nobody", "-o", "json"]);
    assert_eq!(ran.out, "[]\n");
}

#[test]
fn a_list_of_ids_feeds_the_other_commands() {
    let emulator = emulator();
    let cli = Cli::at(&emulator);
    let list = cli.run(&["list", "--assignee", ALICE, "--output", "ids"]);
    let ran = cli.clone().stdin(list.out).run(&["unassign", "-"]);
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("1 unassigned"), "{}", ran.err);
}
