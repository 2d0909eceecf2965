//! What each command prints: in a pipe, in terminals of both widths, without colors, and as JSON.

use insta::{assert_snapshot, with_settings};

use crate::support::{ALICE, Cli, FILTERS, emulator};

/// Every command that talks to the service, and `config`.
const COMMANDS: [(&str, &str); 11] = [
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

fn arguments(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

fn snapshot(name: &str, text: &str) {
    // Escape sequences are shown, not obeyed.
    let text = text.replace('\u{1b}', "␛");
    with_settings!({ filters => FILTERS.to_vec(), omit_expression => true }, { assert_snapshot!(name.to_owned(), text) });
}

#[test]
fn in_a_pipe_each_command_prints_whole_lines_without_colors() {
    for (name, line) in COMMANDS {
        let ran = Cli::at(&emulator()).run(&arguments(line));
        assert!(!ran.out.contains('\u{1b}'), "{name}");
        snapshot(&format!("{name}__pipe"), &ran.transcript());
    }
}

#[test]
fn in_a_terminal_each_command_fits_the_width() {
    for (name, line) in COMMANDS {
        for width in [80, 160] {
            let emulator = emulator();
            let (text, code) = Cli::at(&emulator).terminal(width, &format!("$CX {line}")).finish();
            snapshot(&format!("{name}__width_{width}"), &format!("{text}--- exit code {code}\n"));
        }
    }
}

#[test]
fn with_no_color_a_terminal_gets_the_same_text_without_colors() {
    for (name, line) in COMMANDS {
        let emulator = emulator();
        let cli = Cli::at(&emulator).env("NO_COLOR", "1");
        let (text, code) = cli.terminal(80, &format!("$CX {line}")).finish();
        assert!(!text.contains('\u{1b}'), "{name}: {text}");
        snapshot(&format!("{name}__no_color"), &format!("{text}--- exit code {code}\n"));
    }
}

#[test]
fn tables_fit_the_terminal() {
    let emulator = emulator();
    let cli = Cli::at(&emulator).env("NO_COLOR", "1");
    for width in [60, 80, 100, 120, 160] {
        for line in ["list", "get incident_id_3", "events incident_id_2"] {
            let (text, _) = cli.terminal(width, &format!("$CX {line}")).finish();
            let longest = text.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(usize::from(width)), "{line} at {width}: {text}");
        }
    }
}

#[test]
fn json_has_the_incidents_as_the_service_sent_them() {
    for (name, line) in COMMANDS.into_iter().filter(|(name, _)| !["assign", "resolve", "close"].contains(name)) {
        let emulator = emulator();
        let ran = Cli::at(&emulator).run(&[&arguments(line)[..], &["--output", "json"]].concat());
        serde_json::from_str::<serde_json::Value>(&ran.out).unwrap();
        snapshot(&format!("{name}__json"), &ran.transcript());
    }
}

#[test]
fn ndjson_is_one_document_on_each_line() {
    for (name, line) in COMMANDS {
        let emulator = emulator();
        let ran = Cli::at(&emulator).run(&[&arguments(line)[..], &["-o", "ndjson"]].concat());
        assert!(ran.out.lines().count() > 0, "{name}");
        for line in ran.out.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(value.is_object(), "{name}: {line}");
        }
    }
}

#[test]
fn dry_run_shows_what_would_be_sent_and_sends_no_change() {
    for (name, line) in COMMANDS.into_iter().filter(|(name, _)| !["get_several", "config"].contains(name)) {
        let emulator = emulator();
        let ran = Cli::at(&emulator).run(&[&arguments(line)[..], &["--dry-run"]].concat());
        snapshot(&format!("{name}__dry_run"), &ran.transcript());
        // A hand-over has to read which incidents it is about.
        let expected = if name == "handover" { vec![Some("listIncidents")] } else { vec![] };
        assert_eq!(emulator.requests().iter().map(|request| request.operation_id).collect::<Vec<_>>(), expected);
        assert!(emulator.incident("3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3").unwrap().is_assigned_to(ALICE), "{name}");
    }
}

#[test]
fn dry_run_in_generation_5_shows_the_ids_in_the_query() {
    let emulator = emulator();
    let cli = Cli::at(&emulator);
    let ran = cli.run(&["unassign", "a", "b", "--dry-run", "--api-generation", "v5", "-o", "json"]);
    let requests: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(requests[0]["method"], "DELETE");
    assert_eq!(requests[0]["query"], serde_json::json!({ "incident_ids": ["a", "b"] }));
    assert_eq!(requests[0].get("body"), None);
}

#[test]
fn help_says_where_the_key_comes_from_and_what_the_exit_codes_are() {
    snapshot("help__long", &Cli::bare().run(&["--help"]).transcript());
    snapshot("help__unassign", &Cli::bare().run(&["unassign", "-h"]).transcript());
}

#[test]
fn the_name_of_an_incident_is_visible_at_every_width() {
    let emulator = emulator();
    let cli = Cli::at(&emulator).env("NO_COLOR", "1");
    for width in [80, 90, 100, 119, 120, 160] {
        for line in ["list", "get incident_id_2 3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3", "assign --to x incident_id_2"] {
            let (text, _) = cli.terminal(width, &format!("$CX {line}")).finish();
            assert!(text.contains("Payment provider latency above"), "{line} at {width}: {text}");
        }
    }
}

#[test]
fn manual_pages_are_printed_and_written_without_a_key() {
    let ran = Cli::bare().run(&["man"]);
    assert!(ran.code == 0 && ran.out.contains(".TH") && ran.out.contains("CX_READ_ONLY"), "{}", ran.out);
    let ran = Cli::bare().run(&["man", "list"]);
    assert!(ran.code == 0 && ran.out.contains("Filter by severity"), "{}", ran.out);
    let ran = Cli::bare().run(&["man", "no-such-command"]);
    assert!(ran.code == 2 && ran.err.contains("no command `no-such-command`"), "{}", ran.err);
    let folder = std::env::temp_dir().join(format!("cx-incidents-man-{}", std::process::id()));
    let ran = Cli::bare().run(&["man", "--directory", folder.to_str().unwrap()]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    for page in ["cx-incidents.1", "cx-incidents-list.1", "cx-incidents-handover.1"] {
        assert!(std::fs::read_to_string(folder.join(page)).unwrap().contains(".SH"), "{page}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn text_of_the_service_cannot_steer_the_terminal() {
    use coralogix_incidents_emulator::{Emulator, Key, Sample};

    use crate::support::{KEY, start};

    let evil = Sample::new("evil").named("red\u{1b}[31m\r\nnew line\u{202e}");
    let id = Sample::new("id\u{9b}\u{1b}[31m\u{202e}").assigned_to(ALICE);
    let emulator = start(Emulator::builder().incidents([evil, id]).key(Key::personal(KEY, ALICE)));
    let cli = Cli::at(&emulator).env("NO_COLOR", "1");
    for line in ["list", "get evil", "unassign evil"] {
        let (text, _) = cli.terminal(160, &format!("$CX {line}")).finish();
        assert!(text.contains("red [31m new line"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{text}");
    }
    let handover = format!("handover --from {ALICE} --to bob@example.com");
    for line in [
        "list -o ids",
        "list -o json",
        "list -o ndjson",
        &format!("{handover} --dry-run"),
        &format!("{handover} --dry-run -o ids"),
        &format!("{handover} -o ids"),
    ] {
        let (text, _) = cli.terminal(160, &format!("$CX {line}")).finish();
        assert!(text.contains("id"), "{line}: {text}");
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{line}: {}", text.escape_debug());
    }
    let listed: serde_json::Value = serde_json::from_str(&cli.run(&["list", "-o", "json"]).out).unwrap();
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|incident| incident["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"id\u{9b}\u{1b}[31m\u{202e}"), "JSON keeps the value: {ids:?}");
}

#[test]
fn dry_run_shows_the_path_as_it_is_sent_and_refuses_what_the_client_refuses() {
    let emulator = emulator();
    let cli = Cli::at(&emulator);
    let ran = cli.run(&["events", "50%?", "--dry-run"]);
    assert_eq!(ran.out, format!("GET {}/v1/incidents/50%25%3F/events\n", emulator.url()));
    let ran = cli.run(&["events", "a/b", "--dry-run"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.starts_with("error: `id` contains `/`"), "{}", ran.err);
    assert_eq!(cli.run(&["events", "a/b"]).code, 2);
    assert_eq!(emulator.requests(), []);
}
