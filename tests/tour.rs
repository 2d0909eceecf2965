//! The README's tour: every command of its `sh tour` blocks, in one shell, on a port of its own. It is written for a
//! shell with job control.
#![cfg(unix)]

use std::{fs, net::TcpListener, path::Path, process::Command};

#[test]
fn the_tour_of_the_readme_works_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: there is no curl on this machine, which the tour waits with");
        return;
    }
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let blocks: Vec<&str> =
        readme.split("```sh tour\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 5, "the tour has its blocks");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // Job control, as in the shell of a person; each command is shown, and the first that fails ends it.
    let script =
        format!("set -emuo pipefail\nPS4='$ '\n{}", blocks.join("echo ---\n")).replace("8080", &port.to_string());
    let script = script.replace("; wait\n", "; wait || true\n");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&root)
        .env("CARGO", env!("CARGO"))
        .env_remove("CORALOGIX_REGION")
        .env_remove("CORALOGIX_DOMAIN")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    let parts: Vec<&str> = out.split("---\n").collect();
    let expect =
        |part: usize, text: &str| assert!(parts[part].contains(text), "{text:?} is not in\n{}\n{err}", parts[part]);
    expect(1, "incident_id_1");
    expect(1, "critical");
    expect(2, "unassigned");
    expect(3, "mei.tanaka@example.com");
    expect(4, "incident_id_1");
    let retries = err.matches("retrying in").count();
    assert_eq!(retries, 3, "two 503 and a lost reply: {err}");
}
