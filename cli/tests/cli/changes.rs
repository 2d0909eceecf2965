//! Changes: ids from every source, and a report of each.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use coralogix_incidents_emulator::{Fault, FaultBody};

use crate::{
    gate::Gate,
    support::{ALICE, BOB, Cli, PATIENCE, Ran, emulator, many_ids, start, with_many, with_three},
};

#[test]
fn ids_come_from_arguments_a_file_and_standard_input_and_count_once() {
    let emulator = start(with_many(6));
    let path = std::env::temp_dir().join(format!("cx-incidents-ids-{}", std::process::id()));
    fs::write(&path, "\u{feff}# on call\r\nid-002\r\n\r\n  id-003\n").unwrap();
    let cli = Cli::at(&emulator).stdin("id-004\r\n\n#id-005\nid-000\n");
    let ran = cli.run(&["acknowledge", "id-000", "-", "id-001", "--from-file", path.to_str().unwrap(), "-o", "ids"]);
    fs::remove_file(&path).unwrap();
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ids: BTreeSet<&str> = ran.out.lines().collect();
    assert_eq!(ids, BTreeSet::from(["id-000", "id-001", "id-002", "id-003", "id-004"]));
    assert!(ran.err.contains("5 acknowledged (1 duplicate ignored)"), "{}", ran.err);
}

#[test]
fn a_file_with_a_line_that_is_not_an_id_sends_nothing() {
    let emulator = emulator();
    let path = std::env::temp_dir().join(format!("cx-incidents-bad-{}", std::process::id()));
    fs::write(&path, "incident_id_2\nID  STATUS\n").unwrap();
    let ran = Cli::at(&emulator).run(&["unassign", "--from-file", path.to_str().unwrap()]);
    fs::remove_file(&path).unwrap();
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("line 2 contains white space"), "{}", ran.err);
    assert_eq!(emulator.requests(), []);
}

#[test]
fn standard_input_is_used_up_to_a_line_that_is_not_an_id() {
    let emulator = emulator();
    let ran = Cli::at(&emulator).stdin("incident_id_2\nnot an id\nincident_id_3\n").run(&["unassign", "-"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("standard input: line 2 contains white space"), "{}", ran.err);
    assert!(emulator.requests().iter().all(|request| request.ids == ["incident_id_2"]));
    let ran = Cli::at(&emulator).stdin("not an id\n").run(&["unassign", "-"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn nothing_on_standard_input_is_nothing_to_do() {
    let emulator = emulator();
    let ran = Cli::at(&emulator).run(&["unassign", "-"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, "no incidents: nothing to do\n"));
    assert_eq!(emulator.requests(), []);
}

#[test]
fn ids_are_processed_while_more_arrive() {
    let emulator = emulator();
    let mut child = Cli::at(&emulator).command(&["unassign", "-", "--output", "ndjson"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for id in ["incident_id_2", "incident_id_3"] {
        writeln!(stdin, "{id}").unwrap();
        // Standard input is still open: the answer can't have waited for its end.
        let line: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!((line["id"].as_str(), line["result"].as_str()), (Some(id), Some("done")));
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn every_id_has_exactly_one_outcome_whatever_fails() {
    let faults = [
        Fault::status(500).on("resolveIncidents").nth(1),
        Fault::status(400).on("resolveIncidents").nth(3),
        Fault::lost_reply().on("resolveIncidents").nth(4).times(3),
    ];
    let mut given: Vec<String> = many_ids(600).lines().map(str::to_owned).collect();
    given.push("unknown-id".to_owned());
    for format in ["json", "ndjson"] {
        let builder = faults.iter().cloned().fold(with_many(600), coralogix_incidents_emulator::EmulatorBuilder::fault);
        let emulator = start(builder);
        let cli = Cli::at(&emulator).stdin(given.join("\n"));
        let ran = cli.run(&["resolve", "-", "--concurrency", "2", "-o", format]);
        assert_eq!(ran.code, 3, "{}", ran.err);
        let entries: Vec<serde_json::Value> = if format == "json" {
            serde_json::from_str::<serde_json::Value>(&ran.out).unwrap()["results"].as_array().unwrap().clone()
        } else {
            ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let mut told: Vec<&str> = entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, given, "{format}");
        for entry in &entries {
            let resolved = emulator.incident(entry["id"].as_str().unwrap()).is_some_and(|incident| !incident.is_open());
            assert_eq!(entry["result"] == "done", resolved, "{entry}");
        }
    }
}

#[test]
fn results_come_in_the_order_of_the_ids() {
    let mut given: Vec<String> = many_ids(300).lines().map(str::to_owned).collect();
    given.reverse();
    // All replies are lost, so that all incidents are read back, in several requests.
    let emulator = start(with_many(300).fault(Fault::lost_reply().on("closeIncidents")));
    let cli = Cli::at(&emulator).stdin(given.join("\n"));
    let ran = cli.run(&["close", "-", "-o", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(emulator.requests().iter().any(|request| request.operation_id == Some("batchGetIncident")));
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let results: Vec<_> =
        document["results"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(results, given);
    assert_eq!(cli.run(&["get", "-", "-o", "ids"]).out.lines().collect::<Vec<_>>(), given);

    let emulator = start(with_many(100).fault(Fault::lost_reply().on("closeIncidents")));
    let given = &given[200..];
    let arguments: Vec<&str> = ["close", "-o", "ids"].into_iter().chain(given.iter().map(String::as_str)).collect();
    let ran = Cli::at(&emulator).run(&arguments);
    assert_eq!(ran.out.lines().collect::<Vec<_>>(), given, "read back");
}

#[test]
fn a_closed_pipe_ends_a_list_without_an_error() {
    let emulator = start(with_many(600));
    for format in ["ids", "ndjson", "table", "json"] {
        let mut child = Cli::at(&emulator).command(&["list", "-o", format]).spawn().unwrap();
        let mut byte = [0];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut byte).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{format}");
    }
}

#[test]
fn a_closed_pipe_stops_a_change_and_standard_error_has_the_summary() {
    let emulator = start(with_many(600));
    let mut child =
        Cli::at(&emulator).command(&["acknowledge", "-", "-o", "ndjson", "--concurrency", "1"]).spawn().unwrap();
    drop(child.stdout.take());
    let _ = child.stdin.take().unwrap().write_all(many_ids(600).as_bytes());
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains(" acknowledged, ") && told.contains(" not sent, of 600"), "{told}");
    assert!(emulator.requests().len() < 6);
}

#[test]
fn sigterm_is_handled_like_ctrl_c() {
    let emulator = emulator();
    let mut child = Cli::at(&emulator).command(&["unassign", "-", "--output", "json"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "incident_id_2").unwrap();
    while emulator.requests().is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8(output.stderr).unwrap().contains("1 unassigned\nstandard input was not read to its end"));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["summary"]["done"], 1);
}

#[test]
fn a_hand_over_moves_the_open_incidents_and_no_others() {
    let emulator = emulator();
    let ran = Cli::at(&emulator).run(&["handover", "--from", ALICE, "--to", BOB]);
    assert_eq!(ran.code, 0);
    let of = |user: &str| emulator.incidents().iter().filter(|incident| incident.is_assigned_to(user)).count();
    assert_eq!((of(ALICE), of(BOB)), (0, 2));
    let ran = Cli::at(&emulator).run(&["handover", "--from", ALICE, "--to", BOB]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (0, "alice@example.com has 0 incidents open\nno incidents: nothing to do\n")
    );
}

#[test]
fn a_hand_over_that_leaves_the_incident_with_its_old_user_too_is_not_done() {
    let user = |id: &str| serde_json::json!({ "assignedTo": { "userId": id } });
    let id = "3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3";
    let reply = serde_json::json!({ "incidents": [{ "id": id, "assignments": [user(ALICE), user(BOB)] }] });
    let fault = Fault::status(200).with_body(FaultBody::Text(reply.to_string())).on("assignIncidents");
    let emulator = start(with_three().fault(fault));
    let ran = Cli::at(&emulator).run(&["handover", "--from", ALICE, "--to", BOB]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("0 assigned, 1 not applied, of 1"), "{}", ran.err);
}

#[test]
fn a_hand_over_writes_a_json_document_also_when_there_is_nothing_to_hand_over() {
    let emulator = emulator();
    let nobody = ["handover", "--from", "nobody", "--to", BOB, "-o", "json"];
    let none = serde_json::json!({
        "verb": "assign",
        "results": [],
        "summary": {"done": 0, "notFound": 0, "failed": 0, "unknown": 0, "notApplied": 0, "notSent": 0, "duplicates": 0},
    });
    let document = |ran: &Ran| serde_json::from_str::<serde_json::Value>(&ran.out).unwrap();
    let ran = Cli::at(&emulator).run(&nobody);
    assert_eq!((ran.code, document(&ran)), (0, none.clone()));
    let ran = Cli::at(&emulator).run(&[&nobody[..], &["--dry-run"]].concat());
    assert_eq!((ran.code, document(&ran)), (0, serde_json::json!([])));

    let emulator = start(with_three().fault(Fault::status(403).on("listIncidents")));
    let ran = Cli::at(&emulator).run(&nobody);
    assert_eq!((ran.code, document(&ran)), (1, none));
    let ran = Cli::at(&emulator).run(&[&nobody[..], &["--dry-run"]].concat());
    assert_eq!((ran.code, document(&ran)), (1, serde_json::json!([])));
}

#[test]
fn a_file_that_never_ends_can_be_interrupted() {
    let emulator = emulator();
    let pipe = std::env::temp_dir().join(format!("cx-incidents-{}-pipe", std::process::id()));
    for command in ["get", "events", "unassign"] {
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut child = Cli::at(&emulator).command(&[command, "--from-file", pipe.to_str().unwrap()]).spawn().unwrap();
        // Open, and without a word: so the program is past the opening, and reads.
        let silent = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        // It begins to listen for signals before it opens the file.
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let patience = Instant::now() + PATIENCE;
        while child.try_wait().unwrap().is_none() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(5));
        }
        drop(silent);
        fs::remove_file(&pipe).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{command}: {output:?}");
    }
    assert_eq!(emulator.requests(), []);
}

#[test]
fn an_interrupted_list_shows_what_it_received() {
    let emulator = start(with_many(5000));
    let gate = Gate::new(&emulator, 2);
    let cli = Cli::at(&emulator).env("CORALOGIX_URL", gate.url());
    let child = cli.command(&["list", "-o", "json"]).spawn().unwrap();
    while emulator.requests().len() < 3 {
        thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let shown = document.as_array().unwrap().len();
    assert_eq!(shown, 400, "two pages");
    assert_eq!(told, format!("interrupted: the output is incomplete; it has {shown} incidents\n"));
}

#[test]
fn a_hand_over_whose_list_fails_changes_nothing() {
    let emulator = start(with_three().fault(Fault::status(403).on("listIncidents")));
    let ran = Cli::at(&emulator).run(&["handover", "--from", ALICE, "--to", BOB]);
    assert_eq!(ran.code, 1);
    assert_eq!(emulator.requests().len(), 1);
}

#[test]
fn a_hand_over_includes_other_spellings_of_the_user_and_says_so() {
    let incident = |id: &str, user: &str| {
        serde_json::json!({
            "id": id,
            "status": "INCIDENT_STATUS_TRIGGERED",
            "assignments": [{ "assignedTo": { "userId": user } }],
        })
    };
    let listed = [
        incident("3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3", "Alice@Example.com"),
        incident("incident_id_2", ALICE),
        incident("incident_id_3", "Somebody"),
    ];
    let reply = serde_json::json!({ "incidents": listed });
    let fault = Fault::status(200).with_body(FaultBody::Text(reply.to_string())).on("listIncidents");
    let emulator = start(with_three().fault(fault));
    let ran = Cli::at(&emulator).run(&["handover", "--from", ALICE, "--to", BOB, "-o", "ids"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "{ran:?}");
    let told = "alice@example.com has 2 incidents open\n\
                warning: some are assigned to `Alice@Example.com`, another spelling of --from\n2 assigned\n";
    assert_eq!(ran.err, told);
    assert!(!emulator.incident("incident_id_3").unwrap().is_assigned_to(BOB));

    // Two spellings of one user: what the service makes of it is reported for each incident.
    let reply = serde_json::json!({ "incidents": [incident("3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3", ALICE)] });
    let same = || Fault::status(200).with_body(FaultBody::Text(reply.to_string()));
    let emulator = start(with_three().fault(same().on("assignIncidents")));
    let ran = Cli::at(&emulator).run(&["handover", "--from", ALICE, "--to", "ALICE@example.com"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.starts_with("warning: --from and --to differ in case only"), "{}", ran.err);
    assert!(ran.err.contains("0 assigned, 1 not applied, of 1"), "{}", ran.err);

    let ran = Cli::at(&crate::support::emulator()).run(&[
        "handover",
        "--from",
        ALICE,
        "--to",
        "ALICE@example.com",
        "--dry-run",
    ]);
    assert!(ran.err.starts_with("warning: --from and --to differ in case only"), "{}", ran.err);
}
