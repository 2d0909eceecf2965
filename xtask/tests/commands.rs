//! The commands as maintainers and CI run them: their output and their exit status.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::{Command, Output, Stdio};

#[track_caller]
fn xtask(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A copy of our document with one text replaced, in the role of a published file.
struct Published(std::path::PathBuf);

impl Published {
    fn with(name: &str, old: &str, new: &str) -> Self {
        let text = include_str!("../../openapi/incidents.yaml");
        assert!(text.contains(old), "the document has no `{old}`");
        let path = std::env::temp_dir().join(format!("xtask-{name}-{}.yaml", std::process::id()));
        std::fs::write(&path, text.replace(old, new)).unwrap();
        Self(path)
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn drift_fails_when_a_difference_breaks_the_sdk() {
    let file = Published::with(
        "drift",
        "lastStateUpdateKey:\n          type: string",
        "lastStateUpdateKey:\n          type: integer",
    );
    let output = xtask(&["drift", file.0.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let row = text(&output.stdout).lines().find(|line| line.contains("Incident.lastStateUpdateKey ")).unwrap();
    assert!(row.starts_with("breaks decoding") && row.contains("is string, published as integer"), "{row}");

    let output = xtask(&["drift", "--json", file.0.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let broken =
        found.as_array().unwrap().iter().find(|found| found["place"] == "Incident.lastStateUpdateKey").unwrap();
    assert_eq!(broken["class"], "breaks decoding");
    assert!(broken["ours"].as_str().unwrap().starts_with("openapi/incidents.yaml:"), "{broken}");
}

#[test]
fn drift_names_the_line_of_a_file_that_is_not_utf_8() {
    let file = Published::with("utf-8", "openapi:", "openapi:");
    for (bytes, line) in [(&b"openapi: 3.0.3\ninfo: {title: \xe9}\n"[..], 2), (b"\xff\xfe{\0}\0", 1)] {
        std::fs::write(&file.0, bytes).unwrap();
        let output = xtask(&["drift", file.0.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        let expected = format!(":{line}: not UTF-8: save the file as UTF-8\n");
        assert!(text(&output.stderr).ends_with(&expected), "{}", text(&output.stderr));
    }
}

#[test]
fn drift_keeps_its_exit_status_when_the_reader_closes_the_pipe() {
    let file = Published::with(
        "pipe",
        "lastStateUpdateKey:\n          type: string",
        "lastStateUpdateKey:\n          type: integer",
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["drift", file.0.to_str().unwrap()]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), ""));
}

#[test]
fn drift_resolves_its_path_against_the_current_folder() {
    // The tests run in xtask/, and the command changes to the root of the workspace.
    let output = xtask(&["drift", "tests/data/published_v5.yaml"]);
    assert!(text(&output.stdout).contains(" differences: "), "{}", text(&output.stderr));
    let output = xtask(&["drift", "tests/data/nowhere.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error: cannot read tests/data/nowhere.yaml"), "{}", text(&output.stderr));
}

#[test]
fn the_document_of_the_clone_in_which_cargo_runs_is_read() {
    // `cargo run` sets this variable. Another clone may have compiled the program into a shared target directory.
    let clone = std::env::temp_dir().join(format!("xtask-clone-{}", std::process::id()));
    std::fs::create_dir_all(clone.join("openapi")).unwrap();
    std::fs::create_dir_all(clone.join("xtask")).unwrap();
    std::fs::write(clone.join("openapi/incidents.yaml"), "openapi: broken-in-this-clone").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.arg("lint").env("CARGO_MANIFEST_DIR", clone.join("xtask")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(said.contains("openapi/incidents.yaml"), "{said}");
    std::fs::remove_dir_all(clone).unwrap();
}

/// Failures of the programs that the commands run, simulated by shell scripts that come first in `PATH`.
#[cfg(unix)]
mod planted {
    use std::{env, fs, os::unix::fs::PermissionsExt, path::PathBuf};

    use super::*;

    struct Programs(PathBuf);

    impl Programs {
        fn new(test: &str, programs: &[(&str, &str)]) -> Self {
            let folder = env::temp_dir().join(format!("xtask-{test}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            for (name, script) in programs {
                let path = folder.join(name);
                fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            }
            Self(folder)
        }

        #[track_caller]
        fn xtask(&self, arguments: &[&str]) -> Output {
            let rest = env::var_os("PATH").unwrap_or_default();
            let path = env::join_paths(std::iter::once(self.0.clone()).chain(env::split_paths(&rest))).unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
            command.args(arguments).env("PATH", path).env("REAL_CARGO", env!("CARGO")).output().unwrap()
        }
    }

    impl Drop for Programs {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[track_caller]
    fn fails(output: &Output, message: &str) {
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    }

    #[test]
    fn ci_stops_at_the_step_that_fails_and_names_it() {
        let cargo = "case $1 in metadata) exec \"$REAL_CARGO\" \"$@\";; clippy) exit 101;; esac";
        let output = Programs::new("ci", &[("cargo", cargo)]).xtask(&["ci"]);
        fails(&output, "error: step `clippy` failed: `cargo clippy --workspace");
        fails(&output, "ended with exit status: 101; to continue here, run `cargo xtask ci --from clippy`");
        assert!(!text(&output.stdout).contains("[test]"), "{}", text(&output.stdout));
    }

    #[test]
    fn licenses_fails_and_names_the_crate_that_is_not_accepted() {
        let package = r#"{"name":"viral","version":"1.2.3","license":"GPL-3.0-only","license_file":null}"#;
        let cargo = format!("echo '{{\"packages\":[{package}]}}'");
        let output = Programs::new("licenses", &[("cargo", &cargo)]).xtask(&["licenses"]);
        fails(&output, "error: viral 1.2.3: `GPL-3.0-only` is not accepted: see ACCEPTED in xtask/src/licenses.rs");
    }

    #[test]
    fn fuzz_runs_every_target_and_names_the_failing_ones() {
        let rustup = "[ \"$5 $6\" = 'run errors' ] && exit 77; exit 0";
        let programs = Programs::new("fuzz", &[("rustup", rustup)]);
        let output = programs.xtask(&["fuzz", "--seconds", "1"]);
        fails(&output, "error: failed: errors. The failing inputs are in fuzz/artifacts/TARGET/");
        let after = text(&output.stdout).split("[errors]").nth(1).unwrap();
        assert!(after.contains("[retry_after] rustup run nightly cargo fuzz run retry_after"), "{after}");
        assert!(programs.xtask(&["fuzz", "durations"]).status.success());
    }

    #[test]
    fn fuzz_names_the_tools_that_are_missing() {
        let output = Programs::new("nightly", &[("rustup", "exit 1")]).xtask(&["fuzz"]);
        fails(&output, "error: fuzzing requires a nightly toolchain: run `rustup toolchain install");
        let rustup = "[ \"$4\" = fuzz ] && exit 1; exit 0";
        let output = Programs::new("cargo-fuzz", &[("rustup", rustup)]).xtask(&["fuzz"]);
        fails(&output, "error: fuzzing requires cargo-fuzz: run `cargo install cargo-fuzz --locked`");
    }
}

#[test]
fn the_document_passes_lint() {
    let output = xtask(&["lint"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("nothing to report"), "{}", text(&output.stdout));
}

#[test]
fn lint_fails_with_file_and_line() {
    let output = xtask(&["lint", "--document", "xtask/tests/data/published_v1.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("xtask/tests/data/published_v1.yaml:"), "{}", text(&output.stderr));
}

#[test]
fn a_link_in_place_of_a_copy_is_found_and_replaced() {
    let clone = std::env::temp_dir().join(format!("xtask-copies-{}", std::process::id()));
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for file in ["openapi/incidents.yaml", "LICENSE-MIT", "LICENSE-APACHE"] {
        std::fs::create_dir_all(clone.join(file).parent().unwrap()).unwrap();
        std::fs::copy(root.join(file), clone.join(file)).unwrap();
    }
    std::fs::create_dir_all(clone.join("xtask")).unwrap();
    let generate = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("generate").args(arguments).env("CARGO_MANIFEST_DIR", clone.join("xtask")).output().unwrap()
    };
    assert!(generate(&[]).status.success());
    assert!(generate(&["--check"]).status.success());
    let copy = clone.join("emulator/openapi.yaml");
    std::fs::remove_file(&copy).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../openapi/incidents.yaml", &copy).unwrap();
    let output = generate(&["--check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).starts_with("error: out of date: emulator/openapi.yaml; run"),
        "{}",
        text(&output.stderr)
    );
    assert!(generate(&[]).status.success());
    assert!(std::fs::symlink_metadata(&copy).unwrap().is_file());
    let original = std::fs::read(clone.join("openapi/incidents.yaml")).unwrap();
    assert_eq!(std::fs::read(&copy).unwrap(), original, "the original is untouched");
    std::fs::remove_dir_all(clone).unwrap();
}

#[test]
fn no_package_holds_a_link() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["sdk", "emulator", "cli"] {
        let mut command = Command::new(env!("CARGO"));
        command.args(["package", "--list", "--offline", "--allow-dirty"]).current_dir(root.join(folder));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let files: Vec<&str> = text(&output.stdout).lines().collect();
        assert!(files.contains(&"LICENSE-MIT") && files.len() > 5, "{files:?}");
        for file in files {
            let link = std::fs::symlink_metadata(root.join(folder).join(file)).is_ok_and(|file| file.is_symlink());
            assert!(!link, "{folder}/{file} is a symbolic link");
        }
    }
}
