//! Each exit code, and the three lines that go with it.

use std::time::Duration;

use coralogix_incidents_emulator::{Fault, FaultBody, Key};

use crate::{
    output::COMMANDS,
    support::{
        BOB, Cli, KEY, PATIENCE, Ran, emulator, emulator_with, event, many_ids, reply, snapshot, start, with_many,
        with_three,
    },
};

/// Asserts the exit code and texts of standard error, where each failure has at most three lines and a next step.
#[track_caller]
fn assert_failure(ran: Ran, code: i32, texts: &[&str]) -> Ran {
    let ran = ran.assert(code, texts);
    let told = format!("\n{}", ran.err);
    let failures: Vec<&str> = told.split("\nerror: ").skip(1).collect();
    assert!(!failures.is_empty(), "{ran:#?}");
    for failure in failures {
        assert!(failure.lines().count() <= 3 && failure.contains("next: "), "{failure}");
    }
    ran
}

#[test]
fn done_is_0() {
    let emulator = emulator();
    for line in ["unassign incident_id_2", "--help", "--version"] {
        Cli::at(&emulator).run(line).assert(0, &[]);
    }
    assert!(emulator.incident("incident_id_2").unwrap().assignments.is_empty());
}

#[test]
fn a_refused_key_is_1_and_no_more_is_sent() {
    let emulator = start(with_many(250));
    let cli = Cli::at(&emulator).env("CORALOGIX_API_KEY", "cxup_wrong");
    // As arguments, all ids are at hand at once; from standard input they come as they are read.
    let ids = many_ids(250).replace('\n', " ");
    let ran = assert_failure(cli.run(&format!("unassign --concurrency 1 {}", ids.trim_end())), 1, &["and 247 more"]);
    assert_eq!((emulator.requests().len(), ran.lines().len()), (1, 251), "a header and each id");
    assert!(!ran.err.contains("cxup_wrong") && !ran.out.contains("cxup_wrong"));
    // Each id of a request met the same error: it is told once.
    let ran = cli.run("unassign id-000 id-001 -v");
    assert_eq!(ran.err.matches("\n  1 attempt, correlation id").count(), 1, "{}", ran.err);
}

#[test]
fn a_missing_permission_is_1_and_named() {
    let reader = Key::personal("cxup_reader", BOB).with_permissions(["incidents:read"]);
    let emulator = start(with_three().key(reader));
    let ran = Cli::at(&emulator).env("CORALOGIX_API_KEY", "cxup_reader").run("unassign incident_id_2");
    snapshot("unassign__permission_denied", &assert_failure(ran, 1, &[]).transcript());
}

#[test]
fn a_service_that_fails_is_1_and_verbose_shows_the_attempts() {
    let emulator = emulator_with(Fault::status(503).on("listIncidents"));
    let ran = assert_failure(Cli::at(&emulator).run("list"), 1, &[]);
    assert!(!ran.err.contains("attempt") && !ran.err.contains("correlation"), "{}", ran.err);
    snapshot("list__unavailable", &ran.transcript());
    let ran = Cli::at(&emulator).run("list -v");
    snapshot("list__unavailable_verbose", &ran.transcript());
    let told = ran.err.matches("correlation id ").count();
    assert_eq!(told, 4, "two retries, why there is no third, and the end: {}", ran.err);
}

#[test]
fn retries_and_names_that_this_version_does_not_know_are_shown_with_v() {
    let emulator = start(with_three().unknown_values(true));
    let ran = Cli::at(&emulator).run("list -v -o ids").assert(0, &["enum", "INCIDENT_"]);
    assert_eq!(ran.lines().len(), 3);
    Cli::at(&emulator).run("list -o ids").assert_all(0, "");
    let emulator = emulator_with(Fault::status(503).on("unassignIncidents").nth(1));
    let ran = Cli::at(&emulator).run("unassign incident_id_2 -v");
    assert!(ran.code == 0 && ran.err.starts_with("retrying in "), "{ran:#?}");
    assert_eq!(emulator.requests().len(), 2);
}

#[test]
fn a_host_that_is_not_there_or_does_not_know_the_path_is_1() {
    let emulator = emulator();
    let root = emulator.url().trim_end_matches("/mgmt/openapi");
    // The URL of the environment gives way to the argument.
    assert_failure(Cli::at(&emulator).run(&format!("list --url {root}")), 1, &["cx-incidents doctor"]);
    let ran = Cli::bare().env("CORALOGIX_API_KEY", KEY).run("get x --url http://127.0.0.1:9");
    assert_failure(ran, 1, &["no connection to 127.0.0.1", "not read: x"]);
}

#[test]
fn ids_that_are_all_unknown_are_1_and_some_are_3() {
    let emulator = emulator();
    for command in ["unassign", "acknowledge", "resolve", "close", "get", "events"] {
        let run = |ids| Cli::at(&emulator).run(&format!("{command} {ids}"));
        assert_failure(run("nobody knows"), 1, &["nobody, knows"]);
        assert_failure(run("nobody incident_id_2"), 3, &["does not know: nobody\n"]);
    }
}

#[test]
fn an_id_that_cannot_be_sent_is_refused_before_others_are_sent() {
    let emulator = emulator();
    for id in ["b:c", "a/b", "..", "."] {
        for line in ["events incident_id_2", "get --event event_id --event", "acknowledge --event event_id --event"] {
            let text = format!("the id: {id}\n  next: correct it; nothing was sent\n");
            let ran = Cli::at(&emulator).run(&format!("{line} {id}")).assert(2, &[&text]);
            assert_eq!(ran.out, "", "{line} {id}");
        }
    }
    assert_eq!(emulator.requests(), []);
}

#[test]
fn replies_are_judged_by_who_sent_them() {
    let html = |status| Fault::status(status).with_body(FaultBody::Html);
    // In a fixed generation, so that no other explains it. A 404 without the service's message may be a gateway's.
    let silent = || Fault::status(404).with_body(FaultBody::Empty);
    let check_endpoint = &["check the id, and --region, --domain or --url"][..];
    let in_place = &["in place of the service: `cx-incidents doctor`"][..];
    // An error with the status of a success is no empty list.
    let expired = || reply(200, r#"{"error":"the session has expired"}"#);
    let is_error = &["the body is an error: the session has expired"][..];
    let unknown = reply(404, "Not Found: incident nobody does not exist").on("batchGetIncident");
    let left_out = reply(200, r#"{"incidents":{},"notFoundIds":["nobody"]}"#).on("batchGetIncident");
    for (fault, line, texts) in [
        (unknown, "get nobody", &["error: the service does not know: nobody\n"][..]),
        (left_out, "get incident_id_2 nobody", &["does not know: nobody\n", "not read: incident_id_2\n"]),
        (silent(), "events incident_id_2 --api-generation v5", check_endpoint),
        (silent(), "get --event EVENT --api-generation v5", check_endpoint),
        (silent(), "acknowledge --event EVENT --api-generation v5", check_endpoint),
        (reply(404, "default backend - 404").on("getIncidentEvents"), "events incident_id_2", check_endpoint),
        (html(302), "list", in_place),
        (html(307), "list", in_place),
        (html(407), "list", in_place),
        (
            html(403),
            "list",
            &["next: a proxy or a firewall may have refused", "or give the key the permission incidents:read"],
        ),
        (expired(), "list", is_error),
        (expired(), "events", is_error),
        (expired(), "stats", is_error),
    ] {
        let emulator = emulator_with(fault);
        assert_failure(Cli::at(&emulator).run(&line.replace("EVENT", &event(&emulator))), 1, texts);
    }
}

#[test]
fn partial_success_is_3_and_names_the_ids_that_failed() {
    let emulator = start(with_many(250).fault(Fault::status(400).on("closeIncidents").nth(2)));
    let ran = Cli::at(&emulator).stdin(many_ids(250)).run("close - --concurrency 1 -o json");
    let summary = assert_failure(ran, 3, &[]).json()["summary"].clone();
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert!(count("failed") > 0 && count("done") > 0 && count("failed") + count("done") == 250, "{summary}");
    let closed = emulator.incidents().iter().filter(|incident| incident.closed_at.is_some()).count();
    assert_eq!(summary["done"], closed);
}

#[test]
fn an_incomplete_list_is_3_and_shows_the_pages_that_arrived() {
    let emulator = start(with_many(250).fault(Fault::status(400).on("listIncidents").nth(2)));
    let ran = Cli::at(&emulator).run("list -o ids").assert(3, &["not complete: it has the first 200 incidents"]);
    assert_eq!(ran.lines().len(), 200);
}

#[test]
fn usage_is_2_and_nothing_is_sent() {
    let emulator = emulator();
    for arguments in [
        &["unassign"][..],
        &["unassign", ""],
        &["unassign", "two ids"],
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
        let ran = Cli::at(&emulator).run_with(arguments).assert(2, &[]);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{ran:#?}");
        assert!(!ran.err.contains("danger_allow_plain_http"), "a function of the SDK is named: {ran:#?}");
    }
    assert_eq!(emulator.requests(), []);
    Cli::at(&emulator).run("unassign escape\u{1b}").assert(2, &["the invisible character U+001B"]);
}

#[test]
fn an_outcome_after_a_lost_reply_is_read_before_it_is_reported() {
    let lost = || Fault::lost_reply().on("unassignIncidents");
    let ran = Cli::at(&emulator_with(lost())).run("unassign incident_id_2 nobody");
    assert!(ran.code == 3 && ran.err.starts_with("1 unassigned, 1 not found, of 2"), "{ran:#?}");
    let refused = with_three().fault(lost()).fault(Fault::status(400).on("batchGetIncident"));
    let not_applied = with_three().fault(lost().before_effect());
    for (name, builder) in [("unassign__not_applied", not_applied), ("unassign__unknown", refused)] {
        let ran = Cli::at(&start(builder)).run("unassign incident_id_2");
        snapshot(name, &assert_failure(ran, 1, &[]).transcript());
    }
}

#[test]
fn the_key_is_in_no_output_whatever_happens() {
    // `Ran` looks for it; here everything is asked for, and everything goes wrong in turn.
    let page = reply(403, format!("<html><title>denied: Bearer {KEY}</title>{KEY}</html>"));
    let faults = [page, Fault::status(401), Fault::truncate(10)];
    let broken = faults.into_iter().map(|fault| (with_three().fault(fault), &["table"][..]));
    for (builder, formats) in broken.chain([(with_three(), &["table", "json"][..])]) {
        let emulator = start(builder);
        for (_, command) in COMMANDS.into_iter().chain([("completions", "completions bash")]) {
            for format in formats {
                let ran = Cli::at(&emulator).run(&format!("{command} -v --output {format}"));
                assert!(!(ran.out.is_empty() && ran.err.is_empty()), "{command}");
            }
        }
        // It did travel: what is not printed is not simply not there.
        assert!(emulator.requests().iter().all(|request| request.key_owner.is_some()));
    }
    let broken = Cli::bare().env("CORALOGIX_API_KEY", &format!("{KEY}\n"));
    broken.run("list --timeout 1s").assert(2, &["line break"]);
    broken.run(&format!("list --api-key {KEY}")).assert(2, &[]);
}

#[test]
fn a_timeout_is_1_and_says_that_it_may_have_taken_effect() {
    let emulator = emulator_with(Fault::delay(PATIENCE));
    let cli = Cli::at(&emulator);
    // With more and more patience, until the request is sent in time, however slow the machine is.
    let mut timeout = Duration::from_millis(100);
    loop {
        let ran = cli.run(&format!("unassign incident_id_2 --timeout {}ms", timeout.as_millis()));
        if assert_failure(ran, 1, &[]).err.contains("may have taken effect") {
            break;
        }
        assert!(timeout < PATIENCE);
        timeout *= 2;
    }
}
