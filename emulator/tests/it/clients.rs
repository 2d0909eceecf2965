//! Clients in other languages: the code blocks of the README are what runs here.

use std::process::Command;

use coralogix_incidents_emulator::Emulator;
use serde_json::{Value, json};

/// The README's code block in this language that contains a text.
fn block(language: &str, containing: &str) -> String {
    let readme = include_str!("../../README.md");
    let begin = format!("```{language}\n");
    let mut blocks = readme.split(&begin).skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let block = blocks.find(|block| block.contains(containing));
    block.unwrap_or_else(|| panic!("the README has no {language} with {containing}")).to_owned()
}

/// Runs a code block against an emulator instead of the address and key of the README, and returns the JSON that it prints.
/// `None` if this machine does not have the program.
fn run(emulator: &Emulator, program: &str, argument: &str, language: &str, containing: &str) -> Option<Value> {
    let code = block(language, containing)
        .replace("http://127.0.0.1:8080", emulator.origin())
        .replace("cxup_emulator", emulator.api_key());
    assert!(code.contains(emulator.origin()), "{code}");
    let output = match Command::new(program).arg(argument).arg(&code).output() {
        Ok(output) if output.status.code() != Some(127) => output,
        _ => {
            println!("skipped: {program} is not here");
            return None;
        }
    };
    let (printed, problem) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}{problem}");
    Some(serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed}{problem}")))
}

/// The programs, how each takes its code as an argument, and the language of the README's blocks.
const PROGRAMS: [(&str, &str, &str); 3] = [("node", "-e", "js"), ("python3", "-c", "python"), ("sh", "-c", "sh")];

#[tokio::test]
async fn the_sample_of_each_language_works() {
    for (program, argument, language) in PROGRAMS {
        let emulator = Emulator::start().await.unwrap();
        let Some(reply) = run(&emulator, program, argument, language, "incident_id_2") else { continue };
        assert_eq!(reply["incidents"].as_array().unwrap().len(), 2, "{program}");
        assert_eq!(emulator.requests()[0].changed, ["incident_id_1", "incident_id_2"], "{program}");
    }
}

#[tokio::test]
async fn a_test_in_each_language_administers_the_emulator() {
    for (program, argument, language) in PROGRAMS {
        let emulator = Emulator::start().await.unwrap();
        emulator.client().unwrap().get_incident("incident_id_1").await.unwrap();
        let Some(reply) = run(&emulator, program, argument, language, "unassignIncidents:503") else { continue };
        let requests = reply["requests"].as_array().unwrap();
        let statuses: Vec<_> = requests.iter().map(|request| (&request["status"], &request["changed"])).collect();
        assert_eq!(statuses, [(&json!(503), &json!([])), (&json!(200), &json!(["incident_id_1"]))], "{program}");
    }
}
