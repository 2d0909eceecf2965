//! `list --watch`, in a pipe and in a terminal.

use std::io::{BufRead, BufReader};

use coralogix_incidents_emulator::Fault;
use serde_json::Value;

use crate::support::{Cli, FIRST, Ran, emulator, emulator_with, signal};

#[test]
fn a_pipe_gets_all_incidents_and_then_those_that_changed() {
    let emulator = emulator();
    let cli = Cli::at(&emulator);
    let mut child = cli.spawn("list --watch=1s -o ndjson");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!([(); 3].map(|()| next()["id"].clone()), [FIRST, "incident_id_2", "incident_id_3"]);
    cli.run("acknowledge incident_id_2").assert(0, &[]);
    let changed = next();
    assert_eq!((&changed["id"], &changed["status"]), (&"incident_id_2".into(), &"INCIDENT_STATUS_ACKNOWLEDGED".into()));
    signal(&child, "INT");
    Ran::wait(child).assert(130, &[]);
}

#[test]
fn a_terminal_shows_the_newest_list_until_ctrl_c() {
    let emulator = emulator();
    let mut terminal = Cli::at(&emulator).env("NO_COLOR", "1").terminal(100, "exec $CX list --watch=1s");
    terminal.wait_for("3 incidents at ").wait_for("every 1s").wait_for("Payment provider latency");
    Cli::at(&emulator).run("assign incident_id_2 --to carol").assert(0, &[]);
    terminal.wait_for("carol").type_in("\u{3}");
    terminal.finish().assert(130, &[]);
}

#[test]
fn a_transient_failure_does_not_end_the_watch_and_a_refusal_does() {
    let emulator = emulator_with(Fault::status(503).on("listIncidents").times(3));
    let mut terminal = Cli::at(&emulator).env("NO_COLOR", "1").terminal(100, "exec $CX list --watch=1s");
    terminal.wait_for("error: listIncidents: 503").wait_for("3 incidents at ").type_in("\u{3}");
    terminal.finish().assert(130, &[]);
    let emulator = emulator_with(Fault::status(403).on("listIncidents"));
    Cli::at(&emulator).run("list --watch").assert(1, &["error: listIncidents: 403"]);
}

#[test]
fn a_watch_that_cannot_work_is_refused() {
    let emulator = emulator();
    for line in ["list --watch -o json", "list --watch=0s", "list --watch=999ms"] {
        Cli::at(&emulator).run(line).assert(2, &[]);
    }
    assert_eq!(emulator.requests(), []);
}
