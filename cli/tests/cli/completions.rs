//! Completions as a shell asks for them.

use std::process::Command;

use crate::support::{BINARY, Cli, Home, emulator};

/// What bash completes at the end of a command line.
#[track_caller]
fn complete(home: &Home, line: &str) -> Vec<String> {
    let script = format!(
        "source <(\"$CX\" completions bash) && COMP_WORDS=({line}) && COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) && \
         _clap_complete_cx_incidents cx-incidents \"${{COMP_WORDS[COMP_CWORD]}}\" && printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let mut command = Command::new("/bin/bash");
    command.args(["-c", &script]).env_clear().env("CX", BINARY).env("HOME", home.path()).env("PATH", "/usr/bin:/bin");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn scripts_are_printed_for_each_shell_without_a_key() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = Cli::bare().run(&["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shell}");
        assert!(ran.out.contains("CX_INCIDENTS_COMPLETE"), "{shell}: {}", ran.out);
        assert!(ran.out.contains(BINARY), "{shell} calls the program that wrote the script: {}", ran.out);
    }
}

#[test]
fn commands_regions_statuses_and_profiles_are_completed() {
    let home = Home::new().profile("work", "").profile("web", "");
    assert_eq!(complete(&home, "cx-incidents hand"), ["handover"]);
    assert_eq!(complete(&home, "cx-incidents list --region E"), ["EU1", "EU2"]);
    assert_eq!(complete(&home, "cx-incidents list --status ''"), ["triggered", "acknowledged", "resolved"]);
    assert_eq!(complete(&home, "cx-incidents list --profile w"), ["web", "work"]);
}

#[test]
fn ids_of_the_last_list_are_completed() {
    let home = Home::new();
    assert_eq!(complete(&home, "cx-incidents unassign inc"), [""]);
    let emulator = emulator();
    assert_eq!(Cli::at(&emulator).env("HOME", home.path()).run(&["list"]).code, 0);
    for command in ["unassign", "get", "events", "assign --to x"] {
        let line = format!("cx-incidents {command} inc");
        assert_eq!(complete(&home, &line), ["incident_id_2", "incident_id_3"], "{command}");
    }
    assert_eq!(Cli::at(&emulator).env("HOME", home.path()).run(&["list", "--status", "resolved"]).code, 0);
    assert_eq!(complete(&home, "cx-incidents get inc"), ["incident_id_3"]);
}
