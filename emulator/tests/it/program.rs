//! The program as a person runs it.
#![cfg(all(feature = "program", unix))]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{connection::PATIENCE, life::scratch};

const PROGRAM: &str = env!("CARGO_BIN_EXE_coralogix-incidents-emulator");

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it and returns the banner.
fn start(arguments: &[&str]) -> (Running, BufReader<impl Read + use<>>, String) {
    let mut child = Command::new(PROGRAM).args(["--port", "0"]).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let running = Running(child);
    let mut banner = String::new();
    while !banner.contains("Ctrl-C") {
        assert_ne!(output.read_line(&mut banner).unwrap(), 0, "{banner}");
    }
    (running, output, banner)
}

fn terminate(mut running: Running, mut output: impl Read) -> (Option<i32>, String) {
    Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap();
    let code = running.0.wait().unwrap().code();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    (code, rest)
}

#[test]
fn the_example_of_the_banner_works_and_the_state_is_kept() {
    let file = scratch("program.json");
    let state = file.to_str().unwrap();
    let (running, output, banner) = start(&["--incidents", "7", "--seed", "7", "--key", "cxup_mine", "--state", state]);
    assert!(banner.contains("with 7 incidents (seed 7)") && banner.contains("API key   cxup_mine"), "{banner}");
    let example = banner.split_once("Try:").unwrap().1.split_once("Ctrl-C").unwrap().0;
    let Ok(reply) = Command::new("sh").args(["-c", example.trim()]).output() else {
        return println!("skipped: no shell");
    };
    if reply.status.code() == Some(127) {
        return println!("skipped: no curl");
    }
    let reply: serde_json::Value = serde_json::from_slice(&reply.stdout).unwrap();
    assert_eq!(reply["incidents"].as_array().unwrap().len(), 2);
    let (code, said) = terminate(running, output);
    assert_eq!(code, Some(0));
    assert!(said.contains("saved 7 incidents"), "{said}");

    let saved: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(saved["incidents"][0]["assignments"], serde_json::json!([]));
    let (running, output, banner) = start(&["--incidents", "99", "--state", state]);
    assert!(banner.contains("with 7 incidents"), "the file counts: {banner}");
    assert_eq!(terminate(running, output).0, Some(0));
    fs::remove_file(file).unwrap();
}

#[test]
fn mistakes_are_explained() {
    let run = |arguments: &[&str]| {
        let child = Command::new(PROGRAM).args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut running = Running(child.unwrap());
        let patience = Instant::now() + PATIENCE;
        while running.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < patience, "{arguments:?} is no mistake: it runs");
            thread::sleep(Duration::from_millis(5));
        }
        let mut said = String::new();
        running.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (running.0.wait().unwrap().code(), said)
    };
    let mistakes: [(&[&str], &str); 6] = [
        (&["--fault", "unassignIncidents:often"], "OPERATION:FAULT"),
        (&["--port", "0", "--fault", "unassign:503"], "the operations are listIncidents"),
        (&["--latency", "soon"], "20ms"),
        (&["--incidents", "99999999999"], "1000000"),
        (&["--key", ""], "--key"),
        (&["--key", "cxup_a\nb"], "--key"),
    ];
    for (arguments, problem) in mistakes {
        let (code, said) = run(arguments);
        assert!(code == Some(2) && said.contains(problem), "{arguments:?}: {said}");
    }
    let file = scratch("no-such-folder").join("state.json");
    let (code, said) = run(&["--port", "0", "--state", file.to_str().unwrap()]);
    assert!(code == Some(1) && said.contains(&format!("cannot save incidents to {}", file.display())), "{said}");
}
