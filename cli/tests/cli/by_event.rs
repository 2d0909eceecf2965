//! `--event`: incidents that are named by the id of one of their events.

use std::time::Duration;

use coralogix_incidents_emulator::{Emulator, Fault, FaultBody};
use serde_json::{Value, json};

use crate::support::{Cli, emulator, start, with_three};

/// The id of an event of an incident that is open and not acknowledged.
fn event(emulator: &Emulator) -> String {
    emulator.incident("incident_id_2").unwrap().events[0].id.clone()
}

#[test]
fn an_incident_is_read_acknowledged_and_resolved_by_the_id_of_an_event() {
    let emulator = emulator();
    let event = event(&emulator);
    let cli = Cli::at(&emulator);
    let ran = cli.run(&["get", "--event", &event, "-o", "ids"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "incident_id_2\n"), "{}", ran.err);
    for (command, status) in [("acknowledge", "INCIDENT_STATUS_ACKNOWLEDGED"), ("resolve", "INCIDENT_STATUS_RESOLVED")]
    {
        let ran = cli.run(&[command, "--event", &event, "-o", "json"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, format!("1 {command}d\n").replace("eed", "ed").as_str()));
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(document["results"][0]["id"], json!(event));
        assert_eq!(document["results"][0]["incident"]["id"], "incident_id_2");
        assert_eq!(emulator.incident("incident_id_2").unwrap().status.as_str(), status);
    }
}

#[test]
fn events_that_are_not_known_are_reported_beside_those_that_are() {
    let emulator = emulator();
    let event = event(&emulator);
    for command in ["get", "acknowledge", "resolve"] {
        let ran = Cli::at(&emulator).run(&[command, "--event", "nobody"]);
        assert_eq!(ran.code, 1, "{command}: {}", ran.err);
        assert!(ran.err.contains("the service does not know: nobody\n"), "{command}: {}", ran.err);
        let ran = Cli::at(&emulator).run(&[command, "--event", &event, "--event", "nobody", "--event", &event]);
        assert_eq!(ran.code, 3, "{command}: {}", ran.err);
        assert!(ran.err.contains("the service does not know: nobody\n"), "{command}: {}", ran.err);
    }
}

#[test]
fn an_outcome_that_a_response_leaves_open_is_read() {
    for body in ["", "{}"] {
        let empty = |operation: &str| Fault::status(200).with_body(FaultBody::Text(body.to_owned())).on(operation);
        let answered = start(with_three().fault(empty("acknowledgeIncidentByEventId").after_effect()));
        let ran = Cli::at(&answered).run(&["acknowledge", "--event", &event(&answered)]);
        assert_eq!((ran.code, ran.err.as_str()), (0, "1 acknowledged\n"), "{body:?}");

        let ignored = start(with_three().fault(empty("acknowledgeIncidentByEventId")));
        let ran = Cli::at(&ignored).run(&["acknowledge", "--event", &event(&ignored)]);
        assert_eq!(ran.code, 1, "{body:?}: {}", ran.err);
        assert!(ran.err.starts_with("0 acknowledged, 1 not applied, of 1\n"), "{body:?}: {}", ran.err);
    }
    let silent = Fault::status(200).with_body(FaultBody::Text("{}".to_owned()));
    let emulator = start(with_three().fault(silent));
    let event = event(&emulator);
    let ran = Cli::at(&emulator).run(&["resolve", "--event", &event]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("0 resolved, 1 unknown, of 1\nerror: the service answered without"), "{}", ran.err);
    let ran = Cli::at(&emulator).run(&["get", "--event", &event]);
    assert!(ran.code == 1 && ran.err.starts_with("error: the service answered without showing"), "{}", ran.err);
}

#[test]
fn a_lost_reply_is_followed_by_a_read() {
    let emulator = start(with_three().fault(Fault::lost_reply().on("resolveIncidentByEventId")));
    let ran = Cli::at(&emulator).run(&["resolve", "--event", &event(&emulator)]);
    assert_eq!((ran.code, ran.err.as_str()), (0, "1 resolved\n"));
    let emulator = start(with_three().fault(Fault::lost_reply().before_effect().on("resolveIncidentByEventId")));
    let ran = Cli::at(&emulator).run(&["resolve", "--event", &event(&emulator), "-o", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["results"][0]["result"], "notYetApplied");
    assert!(ran.err.contains("the change may still be applied"), "{}", ran.err);
}

#[test]
fn ids_and_events_exclude_each_other_and_dry_runs_send_nothing() {
    let emulator = start(with_three().latency(Duration::ZERO));
    for arguments in [
        &["get", "--event", "a", "incident_id_2"][..],
        &["resolve", "--event", "a", "--from-file", "x"],
        &["get"],
        &["acknowledge"],
        &["get", "--event", ""],
        &["get", "--event", "a b"],
        &["get", "--event", "a/b", "--dry-run"],
        &["close", "--event", "a"],
    ] {
        assert_eq!(Cli::at(&emulator).run(arguments).code, 2, "{arguments:?}");
    }
    let ran = Cli::at(&emulator).run(&["acknowledge", "--event", "a", "--dry-run"]);
    let expected = format!("POST {}/5/incidents/events/v1/a/acknowledge\n", emulator.url());
    assert_eq!((ran.code, ran.out.as_str()), (0, expected.as_str()));
    assert_eq!(emulator.requests(), []);
}
