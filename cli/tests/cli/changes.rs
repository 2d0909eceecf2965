//! Changes: ids from every source, and a report of each.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use coralogix_incidents_emulator::{EmulatorBuilder, Fault};
use serde_json::{Value, json};

use crate::support::{
    ALICE, BOB, Cli, FIRST, Home, PATIENCE, Ran, emulator, emulator_with, many_ids, reply, signal, start,
    wait_for_requests, with_many,
};

#[test]
fn ids_come_from_arguments_a_file_and_standard_input_and_count_once() {
    let emulator = start(with_many(6));
    let home = Home::new();
    let file = home.file("ids", "\u{feff}# on call\r\nid-002\r\n\r\n  id-003\n");
    let cli = Cli::at(&emulator).stdin("id-004\r\n\n#id-005\nid-000\n");
    let ran = cli.run(&format!("acknowledge id-000 - id-001 --from-file {file} -o ids"));
    let ran = ran.assert(0, &["5 acknowledged (1 duplicate ignored)"]);
    let ids: BTreeSet<&str> = ran.lines().into_iter().collect();
    assert_eq!(ids, BTreeSet::from(["id-000", "id-001", "id-002", "id-003", "id-004"]));
}

#[test]
fn lines_that_are_not_ids_and_no_lines_at_all_are_reported_and_send_nothing() {
    let emulator = emulator();
    let home = Home::new();
    let from_file = format!("unassign --from-file {}", home.file("bad", "incident_id_2\nID  STATUS\n"));
    for (stdin, line, code, text) in [
        ("", from_file.as_str(), 2, "line 2 contains white space"),
        ("not an id\n", "unassign -", 2, "standard input: line 1 contains white space"),
        ("", "unassign -", 0, "no incidents: nothing to do\n"),
    ] {
        Cli::at(&emulator).stdin(stdin).run(line).assert(code, &[text]);
    }
    assert_eq!(emulator.requests(), []);
}

#[test]
fn ids_are_processed_while_more_arrive() {
    let emulator = emulator();
    let mut child = Cli::at(&emulator).spawn("unassign - --output ndjson");
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for id in ["incident_id_2", "incident_id_3"] {
        writeln!(stdin, "{id}").unwrap();
        // Standard input is still open: the answer can't have waited for its end.
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!((line["id"].as_str(), line["result"].as_str()), (Some(id), Some("done")));
    }
    drop(stdin);
    Ran::wait(child).assert(0, &[]);
}

#[test]
fn every_id_has_exactly_one_outcome_whatever_fails() {
    let faults = [
        Fault::status(500).on("resolveIncidents").nth(1),
        Fault::status(400).on("resolveIncidents").nth(3),
        Fault::lost_reply().on("resolveIncidents").nth(4).times(3),
    ];
    let given = many_ids(600) + "unknown-id\n";
    for format in ["json", "ndjson"] {
        let emulator = start(faults.iter().cloned().fold(with_many(600), EmulatorBuilder::fault));
        let cli = Cli::at(&emulator).stdin(given.as_str());
        let ran = cli.run(&format!("resolve - --concurrency 2 -o {format}")).assert(3, &[]);
        let entries: Vec<Value> = match format {
            "json" => ran.json()["results"].as_array().unwrap().clone(),
            _ => ran.lines().into_iter().map(|line| serde_json::from_str(line).unwrap()).collect(),
        };
        let mut told: Vec<&str> = entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, given.lines().collect::<Vec<_>>(), "{format}");
        for entry in &entries {
            let resolved = emulator.incident(entry["id"].as_str().unwrap()).is_some_and(|incident| !incident.is_open());
            assert_eq!(entry["result"] == "done", resolved, "{entry}");
        }
    }
}

#[test]
fn results_come_in_the_order_of_the_ids() {
    let ids = many_ids(300);
    let given: Vec<&str> = ids.lines().rev().collect();
    // All replies are lost, so that all incidents are read back, in several requests.
    let lost = || Fault::lost_reply().on("closeIncidents");
    let emulator = start(with_many(300).fault(lost()));
    let cli = Cli::at(&emulator).stdin(given.join("\n"));
    let document = cli.run("close - -o json").assert(0, &[]).json();
    assert!(emulator.requests().iter().any(|request| request.operation_id == Some("batchGetIncident")));
    let results: Vec<&Value> = document["results"].as_array().unwrap().iter().map(|entry| &entry["id"]).collect();
    assert_eq!(results, given);
    assert_eq!(cli.run("get - -o ids").lines(), given);

    let emulator = start(with_many(100).fault(lost()));
    let ran = Cli::at(&emulator).run(&format!("close -o ids {}", given[200..].join(" ")));
    assert_eq!(ran.lines(), &given[200..], "read back");
}

#[test]
fn a_closed_pipe_ends_a_list_without_an_error() {
    let emulator = start(with_many(600));
    for format in ["ids", "ndjson", "table", "json"] {
        let mut child = Cli::at(&emulator).spawn(&format!("list -o {format}"));
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        Ran::wait(child).assert_all(0, "");
    }
}

#[test]
fn a_signal_ends_the_wait_for_ids() {
    let emulator = emulator();
    let mut child = Cli::at(&emulator).spawn("unassign - --output json");
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "incident_id_2").unwrap();
    wait_for_requests(&emulator, 1);
    signal(&child, "TERM");
    let ran = Ran::wait(child).assert(130, &["1 unassigned\nstandard input was not read to its end"]);
    assert_eq!(ran.json()["summary"]["done"], 1);
}

#[test]
fn a_file_that_never_ends_can_be_interrupted() {
    let emulator = emulator();
    let home = Home::new();
    for command in ["get", "events", "unassign"] {
        let pipe = home.folder().join(command);
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut child = Cli::at(&emulator).spawn(&format!("{command} --from-file {}", pipe.display()));
        // Open, and without a word: so the program is past the opening, and reads.
        let silent = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        // It begins to listen for signals before it opens the file.
        signal(&child, "INT");
        let patience = Instant::now() + PATIENCE;
        while child.try_wait().unwrap().is_none() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(5));
        }
        drop(silent);
        let ran = Ran::wait(child);
        assert_eq!(ran.code, 130, "{command}: {ran:#?}");
    }
    assert_eq!(emulator.requests(), []);
}

#[test]
fn an_interrupted_list_shows_what_it_received() {
    let late = Fault::delay(PATIENCE).on("listIncidents").nth(3);
    let emulator = start(with_many(5000).fault(late));
    let child = Cli::at(&emulator).spawn("list -o json");
    wait_for_requests(&emulator, 3);
    signal(&child, "TERM");
    let ran = Ran::wait(child).assert_all(130, "interrupted: the output is incomplete; it has 400 incidents\n");
    assert_eq!(ran.json().as_array().unwrap().len(), 400, "two pages");
}

#[test]
fn a_hand_over_moves_the_open_incidents_and_no_others() {
    let emulator = emulator();
    let hand_over = || Cli::at(&emulator).run(&format!("handover --from {ALICE} --to {BOB}"));
    hand_over().assert(0, &[]);
    let of = |user: &str| emulator.incidents().iter().filter(|incident| incident.is_assigned_to(user)).count();
    assert_eq!((of(ALICE), of(BOB)), (0, 2));
    hand_over().assert_all(0, "alice@example.com has 0 incidents open\nno incidents: nothing to do\n");
}

#[test]
fn a_hand_over_that_leaves_the_incident_with_its_old_user_too_is_not_done() {
    let user = |id: &str| json!({ "assignedTo": { "userId": id } });
    let body = json!({ "incidents": [{ "id": FIRST, "assignments": [user(ALICE), user(BOB)] }] });
    let emulator = emulator_with(reply(200, body.to_string()).on("assignIncidents"));
    let ran = Cli::at(&emulator).run(&format!("handover --from {ALICE} --to {BOB}"));
    ran.assert(1, &["0 assigned, 1 not applied, of 1"]);
}

#[test]
fn a_hand_over_without_incidents_or_whose_list_fails_changes_nothing_and_writes_a_document() {
    let none = json!({
        "verb": "assign",
        "results": [],
        "summary": {"done": 0, "notFound": 0, "failed": 0, "unknown": 0, "notApplied": 0, "notSent": 0, "duplicates": 0},
    });
    let line = format!("handover --from nobody --to {BOB} -o json");
    let refusing = emulator_with(Fault::status(403).on("listIncidents"));
    for (emulator, code) in [(emulator(), 0), (refusing, 1)] {
        assert_eq!(Cli::at(&emulator).run(&line).assert(code, &[]).json(), none);
        assert_eq!(Cli::at(&emulator).run(&format!("{line} --dry-run")).assert(code, &[]).json(), json!([]));
        assert!(emulator.requests().iter().all(|request| request.operation_id == Some("listIncidents")));
    }
}

#[test]
fn a_hand_over_includes_other_spellings_of_the_user_and_says_so() {
    let incident = |id: &str, user: &str| {
        let assignments = json!([{ "assignedTo": { "userId": user } }]);
        json!({ "id": id, "status": "INCIDENT_STATUS_TRIGGERED", "assignments": assignments })
    };
    let listed =
        [incident(FIRST, "Alice@Example.com"), incident("incident_id_2", ALICE), incident("incident_id_3", "Somebody")];
    let emulator = emulator_with(reply(200, json!({ "incidents": listed }).to_string()).on("listIncidents"));
    let ran = Cli::at(&emulator).run(&format!("handover --from {ALICE} --to {BOB} -o ids"));
    let told = "alice@example.com has 2 incidents open\n\
                warning: some are assigned to `Alice@Example.com`, another spelling of --from\n2 assigned\n";
    assert_eq!(ran.assert_all(0, told).lines().len(), 2);
    assert!(!emulator.incident("incident_id_3").unwrap().is_assigned_to(BOB));

    // Two spellings of one user: what the service makes of it is reported for each incident.
    let unchanged = json!({ "incidents": [incident(FIRST, ALICE)] });
    let emulator = emulator_with(reply(200, unchanged.to_string()).on("assignIncidents"));
    let line = format!("handover --from {ALICE} --to ALICE@example.com");
    let warning = "warning: --from and --to differ in case only";
    Cli::at(&emulator).run(&line).assert(1, &[warning, "0 assigned, 1 not applied, of 1"]);
    Cli::at(&emulator).run(&format!("{line} --dry-run")).assert(0, &[warning]);
}
