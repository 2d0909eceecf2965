//! `list`: its filters, its order and its limit, by what is asked and by what comes.

use serde_json::json;

use crate::support::{ALICE, Cli, FIRST, emulator, start, with_many};

#[test]
fn filters_select_and_the_newest_come_first_unless_ordered_otherwise() {
    for (arguments, ids) in [
        ("", &[FIRST, "incident_id_2", "incident_id_3"][..]),
        (" --order created", &["incident_id_3", "incident_id_2", FIRST]),
        (" --order name:asc --limit 1", &["incident_id_3"]),
        (" --assignee alice@example.com", &[FIRST]),
        (" --status resolved", &["incident_id_3"]),
        (" --status Triggered --status acknowledged", &[FIRST, "incident_id_2"]),
        (" --state resolved", &["incident_id_3"]),
        (" --severity critical", &[FIRST]),
        (" --created-since 3h", &[FIRST]),
        (" --created-until 3h --created-since 3d", &["incident_id_2"]),
        (" --label environment=production", &[FIRST, "incident_id_2", "incident_id_3"]),
        (" --label environment=moon", &[]),
    ] {
        let ran = Cli::at(&emulator()).run(&format!("list -o ids{arguments}")).assert(0, &[]);
        assert_eq!(ran.lines(), ids, "{arguments}");
    }
}

#[test]
fn every_filter_is_in_the_request() {
    let arguments = "list --dry-run -o json --assignee a --assignee b --status triggered --state triggered --severity low \
                     --severity critical --label k=v --label k=w=x --label other=x --application app --subsystem sub \
                     --since 2026-03-14 --until 2026-03-15T01:00:00+01:00 --created-until 2026-03-01 --order severity:desc \
                     --order application --limit 7";
    let requests = Cli::at(&emulator()).run(arguments).json();
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
    for (arguments, incidents, requests) in [("", 450, 3), (" --limit 201", 201, 2), (" --limit 1", 1, 1)] {
        emulator.clear_requests();
        let ran = Cli::at(&emulator).run(&format!("list -o ids{arguments}"));
        assert_eq!((ran.lines().len(), emulator.requests().len()), (incidents, requests), "{arguments}");
    }
}

#[test]
fn an_empty_list_is_reported_on_standard_error() {
    for (format, output) in [("table", ""), ("json", "[]\n")] {
        let ran = Cli::at(&emulator()).run(&format!("list --assignee nobody -o {format}"));
        assert_eq!(ran.assert_all(0, "no incident matches the filter\n").out, output);
    }
}

#[test]
fn a_list_of_ids_feeds_the_other_commands() {
    let emulator = emulator();
    let cli = Cli::at(&emulator);
    let list = cli.run(&format!("list --assignee {ALICE} --output ids"));
    cli.stdin(list.out).run("unassign -").assert(0, &["1 unassigned"]);
}
