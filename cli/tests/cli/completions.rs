//! Completions as a shell asks for them.

use std::process::Command;

use crate::support::{BINARY, Cli, Home, Ran, emulator};

/// What bash completes at the end of the arguments.
#[track_caller]
fn complete(home: &Home, line: &str) -> Vec<String> {
    let script = format!(
        "source <(\"$CX\" completions bash) && COMP_WORDS=(cx-incidents {line}) && COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) && \
         _clap_complete_cx_incidents cx-incidents \"${{COMP_WORDS[COMP_CWORD]}}\" && printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let mut command = Command::new("/bin/bash");
    home.cli().env("CX", BINARY).env("PATH", "/usr/bin:/bin").set_up(&mut command);
    let ran = Ran::wait(command.args(["-c", &script]).spawn().unwrap()).assert(0, &[]);
    ran.lines().into_iter().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn scripts_are_printed_for_each_shell_without_a_key() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = Cli::bare().run(&format!("completions {shell}")).assert_all(0, "");
        assert!(ran.out.contains("CX_INCIDENTS_COMPLETE"), "{shell}: {}", ran.out);
        assert!(ran.out.contains(BINARY), "{shell} calls the program that wrote the script: {}", ran.out);
    }
}

#[test]
fn commands_regions_statuses_profiles_and_the_ids_of_the_last_list_are_completed() {
    let home = Home::new().profile("work", "").profile("web", "");
    for (line, expected) in [
        ("hand", &["handover"][..]),
        ("list --region E", &["EU1", "EU2"]),
        ("list --status ''", &["triggered", "acknowledged", "resolved"]),
        ("list --profile w", &["web", "work"]),
        ("unassign inc", &[""]),
    ] {
        assert_eq!(complete(&home, line), expected, "{line}");
    }
    let emulator = emulator();
    let cli = Cli::at(&emulator).env("HOME", home.path());
    cli.run("list").assert(0, &[]);
    for line in ["unassign inc", "get inc", "events inc", "assign --to x inc"] {
        assert_eq!(complete(&home, line), ["incident_id_2", "incident_id_3"], "{line}");
    }
    cli.run("list --status resolved").assert(0, &[]);
    assert_eq!(complete(&home, "get inc"), ["incident_id_3"]);
}
