//! Each exit code, and the three lines that go with it.

use std::time::Duration;

use coralogix_incidents_emulator::{Fault, FaultBody, Key};
use insta::{assert_snapshot, with_settings};

use crate::{
    gate::Gate,
    support::{BOB, Cli, FILTERS, KEY, PATIENCE, Ran, emulator, many_ids, start, with_many, with_three},
};

fn snapshot(name: &str, ran: &Ran) {
    with_settings!({ filters => FILTERS.to_vec(), omit_expression => true }, {
        assert_snapshot!(name.to_owned(), ran.transcript());
    });
}

/// At most three lines for each failure, and every failure names a next step.
#[track_caller]
fn assert_three_lines(ran: &Ran) {
    let mut failures = ran.err.split("error: ").skip(1).peekable();
    assert!(failures.peek().is_some(), "no failure told: {}", ran.err);
    for failure in failures {
        assert!(failure.lines().count() <= 3, "{failure}");
        assert!(failure.contains("next: "), "{failure}");
    }
}

#[test]
fn done_is_0() {
    let emulator = emulator();
    let ran = Cli::at(&emulator).run(&["unassign", "incident_id_2"]);
    assert_eq!(ran.code, 0);
    assert!(emulator.incident("incident_id_2").unwrap().assignments.is_empty());
    assert_eq!(Cli::at(&emulator).run(&["--help"]).code, 0);
    assert_eq!(Cli::at(&emulator).run(&["--version"]).code, 0);
}

#[test]
fn a_refused_key_is_1_and_no_more_is_sent() {
    let emulator = start(with_many(250));
    let cli = Cli::at(&emulator).env("CORALOGIX_API_KEY", "cxup_wrong");
    // As arguments, all ids are at hand at once; from standard input they come as they are read.
    let ids = many_ids(250);
    let ran = cli.run(&["unassign", "--concurrency", "1"].into_iter().chain(ids.lines()).collect::<Vec<_>>());
    assert_eq!(ran.code, 1);
    assert_three_lines(&ran);
    assert_eq!(emulator.requests().len(), 1);
    assert!(ran.err.contains("and 247 more"), "{}", ran.err);
    assert_eq!(ran.out.lines().count(), 251, "a header and each id");
    assert!(!ran.err.contains("cxup_wrong") && !ran.out.contains("cxup_wrong"));
    // Each id of a request met the same error: it is told once.
    let ran = cli.run(&["unassign", "id-000", "id-001", "-v"]);
    assert_eq!(ran.err.matches("\n  1 attempt, correlation id").count(), 1, "{}", ran.err);
}

#[test]
fn a_missing_permission_is_1_and_named() {
    let reader = Key::personal("cxup_reader", BOB).with_permissions(["incidents:read"]);
    let emulator = start(with_three().key(reader));
    let ran = Cli::at(&emulator).env("CORALOGIX_API_KEY", "cxup_reader").run(&["unassign", "incident_id_2"]);
    assert_eq!(ran.code, 1);
    assert_three_lines(&ran);
    snapshot("unassign__permission_denied", &ran);
}

#[test]
fn a_service_that_fails_is_1_and_verbose_shows_the_attempts() {
    let emulator = start(with_three().fault(Fault::status(503).on("listIncidents")));
    let ran = Cli::at(&emulator).run(&["list"]);
    assert_eq!(ran.code, 1);
    assert_three_lines(&ran);
    assert!(!ran.err.contains("attempt") && !ran.err.contains("correlation"), "{}", ran.err);
    snapshot("list__unavailable", &ran);
    let ran = Cli::at(&emulator).run(&["list", "-v"]);
    snapshot("list__unavailable_verbose", &ran);
    let told = ran.err.matches("correlation id ").count();
    assert_eq!(told, 4, "two retries, why there is no third, and the end: {}", ran.err);
}

#[test]
fn names_that_this_version_does_not_know_are_shown_with_v() {
    let emulator = start(with_three().unknown_values(true));
    let ran = Cli::at(&emulator).run(&["list", "-v", "-o", "ids"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 3));
    assert!(ran.err.contains("enum") && ran.err.contains("INCIDENT_"), "{}", ran.err);
    assert_eq!(Cli::at(&emulator).run(&["list", "-o", "ids"]).err, "");
}

#[test]
fn retries_are_shown_with_v() {
    let emulator = start(with_three().fault(Fault::status(503).on("unassignIncidents").nth(1)));
    let ran = Cli::at(&emulator).run(&["unassign", "incident_id_2", "-v"]);
    assert_eq!(ran.code, 0);
    assert!(ran.err.starts_with("retrying in "), "{}", ran.err);
    assert_eq!(emulator.requests().len(), 2);
}

#[test]
fn a_path_that_the_host_does_not_know_is_1() {
    let emulator = emulator();
    let root = emulator.url().trim_end_matches("/mgmt/openapi").to_owned();
    let ran = Cli::at(&emulator).run(&["list", "--url", &root]);
    // The URL of the environment gives way to the argument.
    assert_eq!(ran.code, 1);
    assert_three_lines(&ran);
    assert!(ran.err.contains("cx-incidents doctor"), "{}", ran.err);
}

#[test]
fn a_host_that_is_not_there_is_1() {
    let ran = Cli::bare().env("CORALOGIX_API_KEY", KEY).run(&["get", "x", "--url", "http://127.0.0.1:9"]);
    assert_eq!(ran.code, 1);
    assert_three_lines(&ran);
    assert!(ran.err.contains("no connection to 127.0.0.1"), "{}", ran.err);
    assert!(ran.err.contains("not read: x"), "{}", ran.err);
}

#[test]
fn ids_that_are_all_unknown_are_1_and_some_are_3() {
    let emulator = emulator();
    for command in ["unassign", "acknowledge", "resolve", "close", "get", "events"] {
        let ran = Cli::at(&emulator).run(&[command, "nobody", "knows"]);
        assert_eq!(ran.code, 1, "{command}");
        assert_three_lines(&ran);
        assert!(ran.err.contains("nobody, knows"), "{}", ran.err);
        let ran = Cli::at(&emulator).run(&[command, "nobody", "incident_id_2"]);
        assert_eq!(ran.code, 3, "{command}");
        assert_three_lines(&ran);
        assert!(ran.err.contains("does not know: nobody\n"), "{}", ran.err);
    }
}

#[test]
fn an_unknown_id_may_also_be_answered_with_404() {
    let body = FaultBody::Text("Not Found: incident nobody does not exist".to_owned());
    let emulator = start(with_three().fault(Fault::status(404).with_body(body).on("batchGetIncident")));
    let ran = Cli::at(&emulator).run(&["get", "nobody"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("error: the service does not know: nobody\n"), "{}", ran.err);
}

#[test]
fn an_id_that_the_reply_leaves_out_is_not_called_unknown() {
    let body = FaultBody::Text(r#"{"incidents":{},"notFoundIds":["nobody"]}"#.to_owned());
    let emulator = start(with_three().fault(Fault::status(200).with_body(body).on("batchGetIncident")));
    let ran = Cli::at(&emulator).run(&["get", "incident_id_2", "nobody"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("does not know: nobody\n") && ran.err.contains("not read: incident_id_2\n"),
        "{}",
        ran.err
    );
}

#[test]
fn an_id_that_cannot_be_sent_is_refused_before_others_are_sent() {
    let emulator = emulator();
    for id in ["b:c", "a/b", "..", "."] {
        for arguments in [
            &["events", "incident_id_2", id][..],
            &["get", "--event", "event_id", "--event", id],
            &["acknowledge", "--event", "event_id", "--event", id],
        ] {
            let ran = Cli::at(&emulator).run(arguments);
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}: {}", ran.err);
            assert!(ran.err.contains(&format!("the id: {id}\n  next: correct it; nothing was sent\n")), "{}", ran.err);
        }
    }
    assert_eq!(emulator.requests(), []);
}

#[test]
fn a_404_without_a_message_may_be_a_gateways() {
    let silent = || Fault::status(404).with_body(FaultBody::Empty);
    let emulator = start(with_three().fault(silent()));
    let event = emulator.incident("incident_id_2").unwrap().events[0].id.clone();
    for arguments in
        [&["events", "incident_id_2"][..], &["get", "--event", &event], &["acknowledge", "--event", &event]]
    {
        // In a fixed generation, so that no other explains it.
        let ran = Cli::at(&emulator).env("CX_INCIDENTS_API_GENERATION", "v5").run(arguments);
        assert_eq!(ran.code, 1, "{arguments:?}");
        assert!(!ran.err.contains("does not know"), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("check the id, and --region, --domain or --url"), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn answers_in_place_of_the_services_point_at_the_proxy() {
    for status in [302, 307, 407] {
        let ran = Cli::at(&start(with_three().fault(Fault::status(status).with_body(FaultBody::Html)))).run(&["list"]);
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains("in place of the service: `cx-incidents doctor`"), "{status}: {}", ran.err);
    }
    // An error with the status of a success is no empty list.
    let body = FaultBody::Text(r#"{"error":"the session has expired"}"#.to_owned());
    let emulator = start(with_three().fault(Fault::status(200).with_body(body)));
    for command in ["list", "events", "stats"] {
        let ran = Cli::at(&emulator).run(&[command]);
        assert_eq!(ran.code, 1, "{command}: {}", ran.err);
        assert!(ran.err.contains("the body is an error: the session has expired"), "{command}: {}", ran.err);
    }
}

#[test]
fn partial_success_is_3_and_names_the_ids_that_failed() {
    let emulator = start(with_many(250).fault(Fault::status(400).on("closeIncidents").nth(2)));
    let ran = Cli::at(&emulator).stdin(many_ids(250)).run(&["close", "-", "--concurrency", "1", "-o", "json"]);
    assert_eq!(ran.code, 3);
    assert_three_lines(&ran);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let failed = document["summary"]["failed"].as_u64().unwrap();
    let done = document["summary"]["done"].as_u64().unwrap();
    assert!(failed > 0 && done > 0 && failed + done == 250, "{}", document["summary"]);
    let closed = emulator.incidents().iter().filter(|incident| incident.closed_at.is_some()).count();
    assert_eq!(u64::try_from(closed).unwrap(), done);
}

#[test]
fn an_incomplete_list_is_3_and_shows_the_pages_that_arrived() {
    let emulator = start(with_many(250).fault(Fault::status(400).on("listIncidents").nth(2)));
    let ran = Cli::at(&emulator).run(&["list", "-o", "ids"]);
    assert_eq!(ran.code, 3);
    assert_eq!(ran.out.lines().count(), 200);
    assert!(ran.err.contains("not complete: it has the first 200 incidents"), "{}", ran.err);
}

#[test]
fn usage_is_2_and_nothing_is_sent() {
    let emulator = emulator();
    for arguments in [
        &["unassign"][..],
        &["unassign", ""],
        &["unassign", "two ids"],
        &["unassign", "reversed\u{202e}"],
        &["unassign", "zero\u{200b}width"],
        &["unassign", "a,b"],
        &["unassign", "\"a\""],
        &["unassign", "[\"a\",\"b\"]"],
        &["get", "a;b"],
        &["events", "a\u{feff}b"],
        &["assign", "x", "--to", "bob@example.com\u{200b}"],
        &["assign", "x", "--to", "\"bob@example.com\""],
        &["handover", "--from", "a,b", "--to", "c"],
        &["handover", "--from", "", "--to", "c"],
        &["list", "--assignee", ""],
        &["list", "--assignee", "a,b"],
        &["list", "--application", " "],
        &["list", "--subsystem", "a\u{200b}"],
        &["list", "--label", "key="],
        &["list", "--label", "=value"],
        &["list", "--since", "500000w"],
        &["list", "--until", "9999-12-31T23:59:59-01:00"],
        &["list", "--created-since", "0000-12-31"],
        &["list", "--created-until", "2016-12-31T23:59:60Z"],
        &["list", "--since", "1h", "--until", "2h"],
        &["list", "--created-since", "2026-03-15", "--created-until", "2026-03-14"],
        &["list", "--url", "http://example.com"],
        &["assign", "x"],
        &["assign", "x", "--to", " "],
        &["list", "--severity", "bad"],
        &["list", "--order", "age"],
        &["list", "--order", "created:up"],
        &["list", "--label", "no-value"],
        &["list", "--since", "yesterday"],
        &["list", "--limit", "0"],
        &["list", "--timeout", "0s"],
        &["list", "--concurrency", "0"],
        &["list", "--region", "EU9"],
        &["list", "--region", "EU1", "--emulator"],
        &["list", "--output", "xml"],
        &["handover", "--from", "a", "--to", "a"],
        &["unassign", "--from-file", "/nonexistent/ids"],
        &["unassign", "x", "--api-generation", "v6"],
        &["no-such-command"],
        &[],
    ] {
        let ran = Cli::at(&emulator).run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(!ran.err.is_empty(), "{arguments:?}");
        assert!(!ran.err.contains("danger_allow_plain_http"), "{arguments:?} names a function of the SDK: {}", ran.err);
    }
    assert_eq!(emulator.requests(), []);
    let ran = Cli::at(&emulator).run(&["unassign", "escape\u{1b}"]);
    assert!(ran.err.contains("the invisible character U+001B"), "{}", ran.err);
}

#[test]
fn an_outcome_after_a_lost_reply_is_read_before_it_is_reported() {
    let emulator = start(with_three().fault(Fault::lost_reply().on("unassignIncidents")));
    let ran = Cli::at(&emulator).run(&["unassign", "incident_id_2", "nobody"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.starts_with("1 unassigned, 1 not found, of 2"), "{}", ran.err);

    let emulator = start(with_three().fault(Fault::lost_reply().before_effect().on("unassignIncidents")));
    let ran = Cli::at(&emulator).run(&["unassign", "incident_id_2"]);
    assert_eq!(ran.code, 1);
    assert_three_lines(&ran);
    snapshot("unassign__not_applied", &ran);

    let faults = [Fault::lost_reply().on("unassignIncidents"), Fault::status(400).on("batchGetIncident")];
    let emulator = start(faults.into_iter().fold(with_three(), coralogix_incidents_emulator::EmulatorBuilder::fault));
    let ran = Cli::at(&emulator).run(&["unassign", "incident_id_2"]);
    assert_eq!(ran.code, 1);
    assert_three_lines(&ran);
    snapshot("unassign__unknown", &ran);
}

#[test]
fn the_key_is_in_no_output_whatever_happens() {
    // `Cli::run` looks for it; here everything is asked for, and everything goes wrong in turn.
    let page = FaultBody::Text(format!("<html><title>denied: Bearer {KEY}</title>{KEY}</html>"));
    let faults: [Option<Fault>; 4] =
        [None, Some(Fault::status(403).with_body(page)), Some(Fault::status(401)), Some(Fault::truncate(10))];
    let commands = [
        "unassign incident_id_2",
        "assign incident_id_2 --to x",
        "acknowledge incident_id_2",
        "resolve incident_id_2",
        "close incident_id_2",
        "get incident_id_2",
        "list",
        "events incident_id_2",
        "handover --from alice@example.com --to bob@example.com",
        "config",
        "completions bash",
    ];
    for fault in faults {
        let builder = with_three();
        let has_fault = fault.is_some();
        let emulator = start(match fault {
            Some(fault) => builder.fault(fault),
            None => builder,
        });
        for command in commands {
            let formats = if has_fault { &["table"][..] } else { &["table", "json"] };
            for format in formats {
                let arguments: Vec<&str> = command.split(' ').chain(["-v", "--output", format]).collect();
                let ran = Cli::at(&emulator).run(&arguments);
                assert!(!(ran.out.is_empty() && ran.err.is_empty()), "{command}");
            }
        }
        // It did travel: what is not printed is not simply not there.
        assert!(emulator.requests().iter().all(|request| request.key_owner.is_some()));
    }
    for arguments in [["list", "--api-key", KEY], ["list", "--timeout", "1s"]] {
        let broken = Cli::bare().env("CORALOGIX_API_KEY", &format!("{KEY}\n"));
        assert_eq!(broken.run(&arguments).code, 2);
    }
}

#[test]
fn a_timeout_is_1_and_says_that_it_may_have_taken_effect() {
    let emulator = emulator();
    let gate = Gate::new(&emulator, 0);
    let cli = Cli::at(&emulator).env("CORALOGIX_URL", gate.url());
    // With more and more patience, until the request is sent in time, however slow the machine is.
    let mut timeout = Duration::from_millis(100);
    loop {
        let ran = cli.run(&["unassign", "incident_id_2", "--timeout", &format!("{}ms", timeout.as_millis())]);
        assert_eq!(ran.code, 1);
        assert_three_lines(&ran);
        if ran.err.contains("may have taken effect") {
            break;
        }
        assert!(timeout < PATIENCE, "{}", ran.err);
        timeout *= 2;
    }
}

#[test]
fn a_refusal_in_another_format_than_the_services_names_both_causes() {
    let page = || FaultBody::Html;
    let denied = Cli::at(&start(with_three().fault(Fault::status(403).with_body(page())))).run(&["list"]);
    assert_eq!(denied.code, 1);
    assert!(denied.err.contains("next: a proxy or a firewall may have refused this"), "{}", denied.err);
    assert!(denied.err.contains("or give the key the permission incidents:read"), "{}", denied.err);
    let words = FaultBody::Text("default backend - 404".to_owned());
    let emulator = start(with_three().fault(Fault::status(404).with_body(words).on("getIncidentEvents")));
    let missing = Cli::at(&emulator).run(&["events", "incident_id_2"]);
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("next: check the id, and --region, --domain or --url"), "{}", missing.err);
}
