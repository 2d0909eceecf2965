//! `--event`: incidents that are named by the id of one of their events.

use coralogix_incidents_emulator::Fault;

use crate::support::{Cli, emulator, emulator_with, event, reply};

#[test]
fn an_incident_is_read_acknowledged_and_resolved_by_the_id_of_an_event() {
    let emulator = emulator();
    let event = event(&emulator);
    let cli = Cli::at(&emulator);
    assert_eq!(cli.run(&format!("get --event {event} -o ids")).assert_all(0, "").out, "incident_id_2\n");
    for (command, told, status) in [
        ("acknowledge", "1 acknowledged\n", "INCIDENT_STATUS_ACKNOWLEDGED"),
        ("resolve", "1 resolved\n", "INCIDENT_STATUS_RESOLVED"),
    ] {
        let document = cli.run(&format!("{command} --event {event} -o json")).assert_all(0, told).json();
        let result = &document["results"][0];
        assert_eq!((&result["id"], &result["incident"]["id"]), (&event.as_str().into(), &"incident_id_2".into()));
        assert_eq!(emulator.incident("incident_id_2").unwrap().status.as_str(), status);
    }
}

#[test]
fn events_that_are_not_known_are_reported_beside_those_that_are() {
    let emulator = emulator();
    let event = event(&emulator);
    for command in ["get", "acknowledge", "resolve"] {
        for (events, code) in
            [("--event nobody".to_owned(), 1), (format!("--event {event} --event nobody --event {event}"), 3)]
        {
            let ran = Cli::at(&emulator).run(&format!("{command} {events}"));
            ran.assert(code, &["the service does not know: nobody\n"]);
        }
    }
}

#[test]
fn an_outcome_that_a_response_leaves_open_is_read() {
    let resolve = || Fault::lost_reply().on("resolveIncidentByEventId");
    let not_applied = "0 acknowledged, 1 not applied, of 1\n";
    for (fault, line, code, texts) in [
        (reply(200, "").on("acknowledgeIncidentByEventId").after_effect(), "acknowledge", 0, &["1 acknowledged\n"][..]),
        (reply(200, "{}").on("acknowledgeIncidentByEventId").after_effect(), "acknowledge", 0, &["1 acknowledged\n"]),
        (reply(200, "").on("acknowledgeIncidentByEventId"), "acknowledge", 1, &[not_applied]),
        (reply(200, "{}").on("acknowledgeIncidentByEventId"), "acknowledge", 1, &[not_applied]),
        (reply(200, "{}"), "resolve", 1, &["0 resolved, 1 unknown, of 1\nerror: the service answered without"]),
        (reply(200, "{}"), "get", 1, &["error: the service answered without showing"]),
        (resolve(), "resolve", 0, &["1 resolved\n"]),
        (resolve().before_effect(), "resolve", 1, &["1 unknown", "the change may still be applied"]),
    ] {
        let emulator = emulator_with(fault);
        Cli::at(&emulator).run(&format!("{line} --event {}", event(&emulator))).assert(code, texts);
    }
    let emulator = emulator_with(resolve().before_effect());
    let document = Cli::at(&emulator).run(&format!("resolve --event {} -o json", event(&emulator))).json();
    assert_eq!(document["results"][0]["result"], "notYetApplied");
}

#[test]
fn ids_and_events_exclude_each_other_and_dry_runs_send_nothing() {
    let emulator = emulator();
    for line in [
        "get --event a incident_id_2",
        "resolve --event a --from-file x",
        "get",
        "acknowledge",
        "get --event=",
        "get --event a/b --dry-run",
        "close --event a",
    ] {
        Cli::at(&emulator).run(line).assert(2, &[]);
    }
    Cli::at(&emulator).run_with(&["get", "--event", "a b"]).assert(2, &[]);
    let ran = Cli::at(&emulator).run("acknowledge --event a --dry-run").assert(0, &[]);
    assert_eq!(ran.out, format!("POST {}/5/incidents/events/v1/a/acknowledge\n", emulator.url()));
    assert_eq!(emulator.requests(), []);
}
