//! Each command says the same in a pipe and in a terminal, and its tables fit into 80 columns. What a person does in a
//! terminal alone, questions and Ctrl-C for example, is in `terminal.rs`.

use std::fs;

use crate::support::{Cli, Home, KEY, emulator, event};

/// Wider than anything that a command prints.
const WIDE: u16 = 2000;
const NARROW: u16 = 80;

/// Runs a command line in a pipe, in a wide and in a narrow terminal. Its exit code and a text that it shows are the same
/// in all three, and a pipe gets every line that the wide terminal shows.
#[track_caller]
fn assert_same(cli: &Cli, line: &str, code: i32, text: &str) {
    let piped = cli.run(line).assert(code, &[]);
    let shown = |width| cli.clone().env("NO_COLOR", "1").terminal(width, &format!("$CX {line}")).finish();
    let (wide, narrow) = (shown(WIDE).assert(code, &[text]), shown(NARROW).assert(code, &[text]));
    // A terminal shows both streams.
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&wide.out), sorted(&(piped.out + &piped.err)), "{line}");
    // Messages and documents are for the terminal to wrap.
    let is_table = code == 0 && ["stats", "events", "get", "config", "list"].contains(&line.split(' ').next().unwrap());
    assert!(!is_table || narrow.columns() <= usize::from(NARROW), "{line} is wider than the terminal: {}", narrow.out);
}

#[test]
fn commands_and_options_say_the_same_in_a_pipe_and_in_a_terminal() {
    let emulator = emulator();
    let event = event(&emulator);
    let home = Home::new();
    for (line, code, text) in [
        ("stats", 0, "label:environment"),
        ("stats --assignee nobody", 0, "no incident matches the filter"),
        ("stats --by severity --by label:environment", 0, "production"),
        ("stats --by colour", 2, "colour"),
        ("events --severity critical", 0, "Checkout error ratio above 5 %"),
        ("events --status triggered --muted false --since 30d --limit 2", 0, "triggered"),
        ("events --name nothing", 0, "no event matches the filter"),
        ("events --count", 0, "total"),
        ("events --count --limit 1", 2, "--limit"),
        (&format!("get --event {event}"), 0, "Payment provider latency above 2 s"),
        (&format!("acknowledge --event {event}"), 0, "1 acknowledged"),
        (&format!("resolve --event {event} --dry-run"), 0, "/resolve"),
        ("acknowledge --event nobody", 1, "the service does not know: nobody"),
        ("list --api-generation v5", 0, "Payment provider latency above 2 s"),
        ("list --api-generation v6", 2, "auto, v1 and v5"),
        ("list --watch --output json", 2, "--output ndjson"),
        ("config --check", 0, "answering generation"),
        ("doctor", 0, "API generation v1 answers"),
        ("schema", 0, "\"$defs\""),
        ("man", 0, "CX_READ_ONLY"),
        ("man list", 0, "Filter by severity"),
        ("man no-such-command", 2, "no command `no-such-command`"),
        (&format!("man --directory {}/pages", home.path()), 0, ""),
        ("completions bash", 0, "CX_INCIDENTS_COMPLETE"),
        ("completions tcsh", 2, "tcsh"),
    ] {
        assert_same(&Cli::at(&emulator), line, code, text);
    }
    for page in ["cx-incidents.1", "cx-incidents-list.1", "cx-incidents-handover.1"] {
        assert!(fs::read_to_string(home.folder().join("pages").join(page)).unwrap().contains(".SH"), "{page}");
    }
}

#[test]
fn the_configuration_of_the_vendor_counts_in_a_pipe_and_in_a_terminal() {
    let emulator = emulator();
    let host = emulator.url().trim_end_matches("/mgmt/openapi");
    let profile = format!("region = \"{host}\"\napi_key = \"{KEY}\"\n");
    let home = Home::new().profile("work", &profile).config("default_profile = \"work\"\n");
    let incident = "Payment provider latency above 2 s";
    for (cli, line, code, text) in [
        (home.cli(), "list", 0, incident),
        (home.cli(), "config", 0, "work"),
        (home.cli().env("CX_PROFILE", "work").env("CX_API_KEY", "another"), "list", 1, "CX_API_KEY overrides"),
        (Cli::bare().env("CX_API_KEY", KEY).env("CX_REGION", host), "list", 0, incident),
        (Cli::bare().env("CX_API_KEY", KEY).env("CX_REGION", "EU9"), "list", 2, "EU1, EU2"),
        (home.cli().env("CX_READ_ONLY", "1"), "close incident_id_3", 2, "CX_READ_ONLY forbids"),
        (home.cli().env("CX_READ_ONLY", "maybe"), "list", 2, "CX_READ_ONLY is `maybe`"),
        (home.cli().env("CX_INCIDENTS_API_GENERATION", "v7"), "list", 2, "CX_INCIDENTS_API_GENERATION is `v7`"),
    ] {
        assert_same(&cli, line, code, text);
    }
}

#[test]
fn a_shell_in_a_terminal_completes_commands_regions_and_the_ids_of_the_last_list() {
    let emulator = emulator();
    let home = Home::new();
    let cli = Cli::at(&emulator).env("HOME", home.path()).env("TERM", "dumb").env("PS1", "ready> ");
    cli.run("list").assert(0, &[]);
    let mut terminal = cli.terminal(NARROW, "exec /bin/bash --norc --noprofile -i");
    terminal.wait_for("ready> ");
    terminal.type_in("source <(\"$CX\" completions bash); PS1=\"load\"\"ed> \"\n");
    terminal.wait_for("loaded> ");
    // What is certain is typed; then a second Tab finds nothing more, and a third shows what is possible.
    terminal.type_in("cx-incidents unass\t").wait_for("cx-incidents unassign ");
    terminal.type_in("inc\t\t\t").wait_for("incident_id_2").wait_for("incident_id_3");
    terminal.type_in("\u{15}cx-incidents list --region A\t\t\t").wait_for("AP1").wait_for("AP3");
    terminal.type_in("\u{15}exit\n");
    terminal.finish().assert(0, &[]);
}
