//! The commands as a maintainer and CI meet them: what they print and what they exit with.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::{Command, Output};

#[track_caller]
fn xtask(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A copy of a published file in which one text is another.
struct Published(std::path::PathBuf);

impl Published {
    fn with(name: &str, old: &str, new: &str) -> Self {
        let text = include_str!("data/published_v1.yaml");
        assert!(text.contains(old), "the published file has no `{old}`");
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
fn drift_fails_when_something_breaks() {
    // Every id, key and text of the responses becomes an integer.
    let file = Published::with("drift", "type: string\n          description: 'Incident: id'", "type: integer");
    let output = xtask(&["drift", file.0.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let row = text(&output.stdout).lines().find(|line| line.contains("Incident.id ")).unwrap();
    assert!(row.starts_with("breaks decoding") && row.contains("is string, published as integer"), "{row}");

    let output = xtask(&["drift", "--json", file.0.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let broken = found.as_array().unwrap().iter().find(|found| found["place"] == "Incident.id").unwrap();
    assert_eq!(broken["class"], "breaks decoding");
    assert!(broken["ours"].as_str().unwrap().starts_with("openapi/incidents.yaml:"), "{broken}");
}

#[test]
fn drift_reads_a_path_from_where_it_was_called() {
    // The tests run in xtask/, the command works at the root of the workspace.
    let output = xtask(&["drift", "tests/data/published_v5.yaml"]);
    assert!(text(&output.stdout).contains(" differences: "), "{}", text(&output.stderr));
    let output = xtask(&["drift", "tests/data/nowhere.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error: cannot read tests/data/nowhere.yaml"), "{}", text(&output.stderr));
}

#[test]
fn the_document_passes_the_lint() {
    let output = xtask(&["lint"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("nothing to report"), "{}", text(&output.stdout));
}

#[test]
fn the_lint_fails_with_file_and_line() {
    let output = xtask(&["lint", "--document", "xtask/tests/data/published_v1.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("xtask/tests/data/published_v1.yaml:"), "{}", text(&output.stderr));
}
