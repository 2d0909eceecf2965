//! `list --watch`, in a pipe and in a terminal.

use std::{
    io::{BufRead, BufReader},
    process::Command,
};

use coralogix_incidents_emulator::Fault;

use crate::support::{Cli, emulator, start, with_three};

#[test]
fn a_pipe_gets_all_incidents_and_then_those_that_changed() {
    let emulator = emulator();
    let cli = Cli::at(&emulator);
    let mut child = cli.command(&["list", "--watch=1s", "-o", "ndjson"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap().unwrap()).unwrap();
    let mut ids: Vec<_> = (0..3).map(|_| next()["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    assert_eq!(ids, ["3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3", "incident_id_2", "incident_id_3"]);
    assert_eq!(cli.run(&["acknowledge", "incident_id_2"]).code, 0);
    let changed = next();
    assert_eq!(
        (changed["id"].as_str(), changed["status"].as_str()),
        (Some("incident_id_2"), Some("INCIDENT_STATUS_ACKNOWLEDGED"))
    );
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_terminal_shows_the_newest_list_until_ctrl_c() {
    let emulator = emulator();
    let mut terminal = Cli::at(&emulator).env("NO_COLOR", "1").terminal(100, "exec $CX list --watch=1s");
    terminal.wait_for("3 incidents at ").wait_for("every 1s").wait_for("Payment provider latency");
    assert_eq!(Cli::at(&emulator).run(&["assign", "incident_id_2", "--to", "carol"]).code, 0);
    terminal.wait_for("carol");
    terminal.type_in("\u{3}");
    assert_eq!(terminal.finish().1, 130);
}

#[test]
fn a_transient_failure_does_not_end_the_watch_and_a_refusal_does() {
    let transient = Fault::status(503).on("listIncidents").times(3);
    let emulator = start(with_three().fault(transient));
    let mut terminal = Cli::at(&emulator).env("NO_COLOR", "1").terminal(100, "exec $CX list --watch=1s");
    terminal.wait_for("error: listIncidents: 503").wait_for("3 incidents at ");
    terminal.type_in("\u{3}");
    assert_eq!(terminal.finish().1, 130);

    let emulator = start(with_three().fault(Fault::status(403).on("listIncidents")));
    let ran = Cli::at(&emulator).run(&["list", "--watch"]);
    assert!(ran.code == 1 && ran.err.starts_with("error: listIncidents: 403"), "{}", ran.err);
}

#[test]
fn a_watch_that_cannot_work_is_refused() {
    let emulator = emulator();
    for arguments in [&["list", "--watch", "-o", "json"][..], &["list", "--watch=0s"], &["list", "--watch=999ms"]] {
        assert_eq!(Cli::at(&emulator).run(arguments).code, 2, "{arguments:?}");
    }
    assert_eq!(emulator.requests(), []);
}
