//! The examples' own tests, and every example as its first lines say: each of their commands that has `--emulator` ends well,
//! and each server answers the request that stands beside it. `cargo test` builds the examples before this test.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and what is skipped is said"
)]
#![allow(dead_code, clippy::duplicate_mod, reason = "the examples are programs, each with the module `setup`")]

#[path = "../examples/alert_webhook.rs"]
mod alert_webhook;
#[path = "../examples/metrics.rs"]
mod metrics;
#[path = "../examples/unit_tests.rs"]
mod unit_tests;
#[path = "../examples/web_service.rs"]
mod web_service;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// An example's program, where Cargo puts it: beside the folder of this test's own program.
fn program(name: &str) -> PathBuf {
    let program = env::current_exe().unwrap().parent().unwrap().join("../examples").join(name);
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).with_extension("rs");
    let is_built = changed(&program).is_some_and(|built| Some(built) >= changed(&source));
    assert!(is_built, "{name} is not built: `cargo test -p coralogix-incidents` does it, `--test examples` does not");
    program
}

/// The examples, each with the lines of its first `sh` block.
fn examples() -> Vec<(String, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let example = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let block = lines.skip_while(|line| *line != "```sh").skip(1).take_while(|line| *line != "```");
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), block.map(str::to_owned).collect())
    };
    sources.map(example).collect()
}

/// A command of an example's first lines with the program that Cargo would run.
fn command(name: &str, line: &str) -> Command {
    let cargo = format!("cargo run -p coralogix-incidents --example {name} --");
    assert!(line.contains(&cargo), "{name}: `{line}` is not `{cargo}`");
    let mut shell = Command::new("sh");
    // `exec`, so that ending this process ends the program.
    let (variables, arguments) = line.split_once(&cargo).unwrap();
    shell.args(["-c", &format!("{variables} exec {} {arguments}", program(name).display())]);
    for variable in ["CORALOGIX_API_KEY", "CORALOGIX_REGION", "CORALOGIX_DOMAIN", "CORALOGIX_URL"] {
        shell.env_remove(variable);
    }
    shell.env("PORT", "0");
    shell
}

#[track_caller]
fn succeeded(what: &str, output: &Output) -> String {
    let (said, problem) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {}\n{said}{problem}", output.status);
    assert!(!said.is_empty(), "{what} says nothing");
    said.into_owned()
}

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_example_runs_as_its_first_lines_say() {
    let examples = examples();
    assert!(examples.len() > 5, "{examples:?}");
    for (name, lines) in &examples {
        let with_emulator: Vec<&String> = lines.iter().filter(|line| line.contains(" --emulator")).collect();
        assert!(!with_emulator.is_empty(), "the first lines of {name} do not say how to run it with --emulator");
        let request = lines.iter().find(|line| line.starts_with("curl "));
        for line in with_emulator {
            match request {
                None => drop(succeeded(line, &command(name, line).output().unwrap())),
                Some(request) => serve(name, line, request),
            }
        }
    }
}

/// Starts a server and sends it the request.
fn serve(name: &str, line: &str, request: &str) {
    if Command::new("curl").arg("--version").output().is_err() {
        return println!("skipped: {name} needs curl, which is not here");
    }
    let mut server = Running(command(name, line).stdout(Stdio::piped()).spawn().unwrap());
    let mut said = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let address = said.find_map(|line| Some(line.unwrap().split_once("listening on http://")?.1.to_owned())).unwrap();
    let here = request.replace("localhost:3000", &address).replace("curl -s", "curl -sS --fail-with-body");
    assert_ne!(here, request);
    succeeded(request, &Command::new("sh").args(["-c", &here]).output().unwrap());
}
