//! The output and the exit status of the commands.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use tempfile::{NamedTempFile, TempDir};

use super::support::{XTASK, fails, root, text, write};

/// Runs in xtask/. The command changes to the root of the workspace.
fn xtask(arguments: &[&str]) -> Output {
    Command::new(XTASK).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn file(content: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_ref()).unwrap();
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

#[test]
fn drift_fails_when_a_difference_breaks_the_sdk() {
    let ours = include_str!("../../../openapi/incidents.yaml");
    let member = "lastStateUpdateKey:\n          type: ";
    let published = ours.replace(&format!("{member}string"), &format!("{member}integer"));
    assert_ne!(published, ours);
    let file = file(published);
    let output = xtask(&["drift", path(&file)]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let row = text(&output.stdout).lines().find(|line| line.contains("Incident.lastStateUpdateKey ")).unwrap();
    assert!(row.starts_with("breaks decoding") && row.contains("is string, published as integer"), "{row}");

    let output = xtask(&["drift", "--json", path(&file)]);
    assert_eq!(output.status.code(), Some(1));
    let found: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let broken = found.iter().find(|found| found["place"] == "Incident.lastStateUpdateKey").unwrap();
    assert_eq!(broken["class"], "breaks decoding");
    assert!(broken["ours"].as_str().unwrap().starts_with("openapi/incidents.yaml:"), "{broken}");

    // The status is the same if the reader closes the pipe.
    let mut command = Command::new(XTASK);
    let mut child = command.args(["drift", path(&file)]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), ""));
}

#[test]
fn drift_names_the_line_of_a_file_that_is_not_utf_8() {
    for (bytes, line) in [(&b"openapi: 3.0.3\ninfo: {title: \xe9}\n"[..], 2), (b"\xff\xfe{\0}\0", 1)] {
        fails(&xtask(&["drift", path(&file(bytes))]), &format!(":{line}: not UTF-8: save the file as UTF-8\n"));
    }
}

#[test]
fn drift_resolves_its_path_against_the_current_folder() {
    let output = xtask(&["drift", "tests/data/published_v5.yaml"]);
    assert!(text(&output.stdout).contains(" differences: "), "{}", text(&output.stderr));
    fails(&xtask(&["drift", "tests/data/nowhere.yaml"]), "error: cannot read tests/data/nowhere.yaml");
}

#[test]
fn the_document_of_the_clone_in_which_cargo_runs_is_read() {
    // `cargo run` sets this variable. Another clone may have compiled the program into a shared target directory.
    let clone = TempDir::new().unwrap();
    write(&clone.path().join("openapi/incidents.yaml"), "openapi: broken-in-this-clone");
    let xtask = clone.path().join("xtask");
    fs::create_dir(&xtask).unwrap();
    let output = Command::new(XTASK).arg("lint").env("CARGO_MANIFEST_DIR", xtask).output().unwrap();
    fails(&output, "openapi/incidents.yaml");
}

#[test]
fn lint_passes_our_document_and_fails_with_file_and_line() {
    let output = xtask(&["lint"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("nothing to report"), "{}", text(&output.stdout));
    let output = xtask(&["lint", "--document", "xtask/tests/data/published_v1.yaml"]);
    fails(&output, "xtask/tests/data/published_v1.yaml:");
}

#[test]
fn a_link_in_place_of_a_copy_is_found_and_replaced() {
    let clone = TempDir::new().unwrap();
    let clone = clone.path();
    for file in ["openapi/incidents.yaml", "LICENSE-MIT", "LICENSE-APACHE"] {
        write(&clone.join(file), fs::read(root().join(file)).unwrap());
    }
    fs::create_dir(clone.join("xtask")).unwrap();
    let generate = |arguments: &[&str]| {
        let mut command = Command::new(XTASK);
        command.arg("generate").args(arguments).env("CARGO_MANIFEST_DIR", clone.join("xtask")).output().unwrap()
    };
    assert!(generate(&[]).status.success());
    assert!(generate(&["--check"]).status.success());
    let copy = clone.join("emulator/openapi.yaml");
    fs::remove_file(&copy).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../openapi/incidents.yaml", &copy).unwrap();
    fails(&generate(&["--check"]), "error: out of date: emulator/openapi.yaml; run");
    assert!(generate(&[]).status.success());
    assert_eq!(is_link(&copy), Some(false));
    let original = fs::read(clone.join("openapi/incidents.yaml")).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), original, "the original is untouched");
}

/// `None` if there is no such file.
fn is_link(path: &Path) -> Option<bool> {
    fs::symlink_metadata(path).ok().map(|file| file.is_symlink())
}

#[test]
fn no_package_holds_a_link() {
    for folder in ["sdk", "emulator", "cli"] {
        let folder = root().join(folder);
        let mut command = Command::new(env!("CARGO"));
        command.args(["package", "--list", "--offline", "--allow-dirty"]).current_dir(&folder);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let files: Vec<&str> = text(&output.stdout).lines().collect();
        assert!(files.contains(&"LICENSE-MIT") && files.len() > 5, "{files:?}");
        for file in files.iter().map(|file| folder.join(file)) {
            assert_ne!(is_link(&file), Some(true), "{} is a symbolic link", file.display());
        }
    }
}

/// Failures of the programs that the commands run.
#[cfg(unix)]
mod failures {
    use super::*;
    use crate::scene::Scene;

    fn xtask(programs: &[(&str, &str)], arguments: &[&str]) -> Output {
        Scene::new(programs, &[("REAL_CARGO", env!("CARGO"))]).command(XTASK).args(arguments).output().unwrap()
    }

    #[test]
    fn ci_stops_at_the_step_that_fails_and_names_it() {
        let cargo = "case $1 in metadata) exec \"$REAL_CARGO\" \"$@\";; clippy) exit 101;; esac";
        let output = xtask(&[("cargo", cargo)], &["ci"]);
        fails(&output, "error: step `clippy` failed: `cargo clippy --workspace");
        fails(&output, "ended with exit status: 101; to continue here, run `cargo xtask ci --from clippy`");
        assert!(!text(&output.stdout).contains("[test]"), "{}", text(&output.stdout));
    }

    #[test]
    fn licenses_fails_and_names_the_crate_that_is_not_accepted() {
        let package = r#"{"name":"viral","version":"1.2.3","license":"GPL-3.0-only","license_file":null}"#;
        let cargo = format!("echo '{{\"packages\":[{package}]}}'");
        let output = xtask(&[("cargo", &cargo)], &["licenses"]);
        fails(&output, "error: viral 1.2.3: `GPL-3.0-only` is not accepted: see ACCEPTED in xtask/src/licenses.rs");
    }

    #[test]
    fn fuzz_runs_every_target_and_names_what_fails_or_is_missing() {
        let fuzz = |rustup: &str, arguments: &[&str]| xtask(&[("rustup", rustup)], &[&["fuzz"], arguments].concat());
        let rustup = "[ \"$5 $6\" = 'run errors' ] && exit 77; exit 0";
        let output = fuzz(rustup, &["--seconds", "1"]);
        fails(&output, "error: failed: errors. The failing inputs are in fuzz/artifacts/TARGET/");
        let after = text(&output.stdout).split("[errors]").nth(1).unwrap();
        assert!(after.contains("[retry_after] rustup run nightly cargo fuzz run retry_after"), "{after}");
        assert!(fuzz(rustup, &["durations"]).status.success());

        fails(&fuzz("exit 1", &[]), "error: fuzzing requires a nightly toolchain: run `rustup toolchain install");
        let rustup = "[ \"$4\" = fuzz ] && exit 1; exit 0";
        fails(&fuzz(rustup, &[]), "error: fuzzing requires cargo-fuzz: run `cargo install cargo-fuzz --locked`");
    }
}
