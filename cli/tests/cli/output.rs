//! What each command prints: in a pipe, in terminals of both widths, without colors, and as JSON.

use coralogix_incidents_emulator::{Emulator, Key, Sample};
use serde_json::json;

use crate::support::{ALICE, Cli, FIRST, KEY, emulator, snapshot, start};

/// Every command that talks to the service, and `config`.
pub(crate) const COMMANDS: [(&str, &str); 11] = [
    ("unassign", "unassign 3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3 incident_id_2"),
    ("assign", "assign --to carol@example.com 3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3 nobody_knows_this"),
    ("acknowledge", "acknowledge incident_id_2"),
    ("resolve", "resolve incident_id_2"),
    ("close", "close incident_id_2 incident_id_2"),
    ("get", "get incident_id_3"),
    ("get_several", "get 3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3 incident_id_2 nobody_knows_this"),
    ("list", "list"),
    ("events", "events 3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3"),
    ("handover", "handover --from alice@example.com --to bob@example.com"),
    ("config", "config"),
];

#[test]
fn in_a_pipe_each_command_prints_whole_lines_without_colors() {
    for (name, line) in COMMANDS {
        let ran = Cli::at(&emulator()).run(line);
        assert!(!ran.out.contains('\u{1b}'), "{name}");
        snapshot(&format!("{name}__pipe"), &ran.transcript());
    }
}

#[test]
fn in_a_terminal_each_command_fits_the_width_and_with_no_color_has_the_same_text_without_colors() {
    for (name, line) in COMMANDS {
        for (case, width, no_color) in [("width_80", 80, ""), ("width_160", 160, ""), ("no_color", 80, "1")] {
            let emulator = emulator();
            let ran = Cli::at(&emulator).env("NO_COLOR", no_color).terminal(width, &format!("$CX {line}")).finish();
            assert!(no_color.is_empty() || !ran.out.contains('\u{1b}'), "{name}: {}", ran.out);
            snapshot(&format!("{name}__{case}"), &format!("{}--- exit code {}\n", ran.out, ran.code));
        }
    }
}

#[test]
fn tables_fit_the_terminal_and_show_names_at_every_width() {
    let emulator = emulator();
    let cli = Cli::at(&emulator).env("NO_COLOR", "1");
    for width in [60, 80, 90, 100, 119, 120, 160] {
        for (line, text) in [
            ("list", "Payment provider latency above"),
            (&format!("get incident_id_2 {FIRST}"), "Payment provider latency above"),
            ("assign --to x incident_id_2", "Payment provider latency above"),
            ("get incident_id_3", "Certificate expires"),
            ("events incident_id_2", "incident_id_2"),
        ] {
            let ran = cli.terminal(width, &format!("$CX {line}")).finish().assert(0, &[text]);
            assert!(ran.columns() <= usize::from(width), "{line} at {width}: {}", ran.out);
        }
    }
}

#[test]
fn json_has_the_incidents_as_the_service_sent_them() {
    for (name, line) in COMMANDS.into_iter().filter(|(name, _)| !["assign", "resolve", "close"].contains(name)) {
        let ran = Cli::at(&emulator()).run(&format!("{line} --output json"));
        ran.json();
        snapshot(&format!("{name}__json"), &ran.transcript());
    }
}

#[test]
fn dry_run_shows_what_would_be_sent_and_sends_no_change() {
    for (name, line) in COMMANDS.into_iter().filter(|(name, _)| !["get_several", "config"].contains(name)) {
        let emulator = emulator();
        snapshot(&format!("{name}__dry_run"), &Cli::at(&emulator).run(&format!("{line} --dry-run")).transcript());
        // A hand-over has to read which incidents it is about.
        let expected = if name == "handover" { vec![Some("listIncidents")] } else { vec![] };
        assert_eq!(emulator.requests().iter().map(|request| request.operation_id).collect::<Vec<_>>(), expected);
        assert!(emulator.incident(FIRST).unwrap().is_assigned_to(ALICE), "{name}");
    }
}

#[test]
fn dry_run_shows_the_query_and_the_path_as_sent_and_refuses_what_the_client_refuses() {
    let emulator = emulator();
    let cli = Cli::at(&emulator);
    let requests = cli.run("unassign a b --dry-run --api-generation v5 -o json").json();
    assert_eq!(requests[0]["method"], "DELETE");
    assert_eq!(requests[0]["query"], json!({ "incident_ids": ["a", "b"] }));
    assert_eq!(requests[0].get("body"), None);
    let ran = cli.run("events 50%? --dry-run");
    assert_eq!(ran.out, format!("GET {}/v1/incidents/50%25%3F/events\n", emulator.url()));
    let ran = cli.run("events a/b --dry-run").assert(2, &["error: `id` contains `/`"]);
    assert_eq!(ran.out, "");
    assert_eq!(emulator.requests(), []);
}

#[test]
fn help_says_where_the_key_comes_from_and_what_the_exit_codes_are() {
    snapshot("help__long", &Cli::bare().run("--help").transcript());
    snapshot("help__unassign", &Cli::bare().run("unassign -h").transcript());
}

#[test]
fn text_of_the_service_cannot_steer_the_terminal() {
    let evil = Sample::new("evil").named("red\u{1b}[31m\r\nnew line\u{202e}");
    let id = Sample::new("id\u{9b}\u{1b}[31m\u{202e}").assigned_to(ALICE);
    let emulator = start(Emulator::builder().incidents([evil, id]).key(Key::personal(KEY, ALICE)));
    let cli = Cli::at(&emulator).env("NO_COLOR", "1");
    let handover = format!("handover --from {ALICE} --to bob@example.com");
    for (line, text) in [
        ("list", "red [31m new line"),
        ("get evil", "red [31m new line"),
        ("unassign evil", "red [31m new line"),
        ("list -o ids", "id"),
        ("list -o json", "id"),
        ("list -o ndjson", "id"),
        (&format!("{handover} --dry-run"), "id"),
        (&format!("{handover} --dry-run -o ids"), "id"),
        (&format!("{handover} -o ids"), "id"),
    ] {
        let ran = cli.terminal(160, &format!("$CX {line}")).finish().assert(0, &[text]);
        assert!(!ran.out.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{line}: {}", ran.out.escape_debug());
    }
    let listed = cli.run("list -o json").json();
    let mut ids = listed.as_array().unwrap().iter().map(|incident| incident["id"].as_str().unwrap());
    assert!(ids.any(|id| id == "id\u{9b}\u{1b}[31m\u{202e}"), "JSON keeps the value: {listed}");
}
