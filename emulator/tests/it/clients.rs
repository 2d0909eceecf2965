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

async fn calls_the_api(program: &str, argument: &str, language: &str) {
    let emulator = Emulator::start().await.unwrap();
    let Some(reply) = run(&emulator, program, argument, language, "incident_id_2") else { return };
    assert_eq!(reply["incidents"].as_array().unwrap().len(), 2);
    assert_eq!(emulator.requests()[0].changed, ["incident_id_1", "incident_id_2"]);
}

async fn administers(program: &str, argument: &str, language: &str) {
    let emulator = Emulator::start().await.unwrap();
    emulator.client().unwrap().get_incident("incident_id_1").await.unwrap();
    let Some(reply) = run(&emulator, program, argument, language, "unassignIncidents:503") else { return };
    let requests = reply["requests"].as_array().unwrap();
    let statuses: Vec<_> = requests.iter().map(|request| (&request["status"], &request["changed"])).collect();
    assert_eq!(statuses, [(&json!(503), &json!([])), (&json!(200), &json!(["incident_id_1"]))]);
}

#[tokio::test]
async fn the_documented_node_sample_works() {
    calls_the_api("node", "-e", "js").await;
}

#[tokio::test]
async fn the_python_sample_works() {
    calls_the_api("python3", "-c", "python").await;
}

#[tokio::test]
async fn the_curl_sample_works() {
    calls_the_api("sh", "-c", "sh").await;
}

#[tokio::test]
async fn a_test_in_node_administers_the_emulator() {
    administers("node", "-e", "js").await;
}

#[tokio::test]
async fn a_test_in_python_administers_the_emulator() {
    administers("python3", "-c", "python").await;
}

#[tokio::test]
async fn a_test_with_curl_administers_the_emulator() {
    administers("sh", "-c", "sh").await;
}
