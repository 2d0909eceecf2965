//! Clients in other languages, as the README shows them: its own code blocks are what runs here.

use std::process::Command;

use coralogix_incidents_emulator::Emulator;
use serde_json::Value;

/// The README's code block in this language.
fn block(language: &str) -> String {
    let readme = include_str!("../../README.md");
    let begin = format!("```{language}\n");
    let (_, rest) = readme.split_once(&begin).unwrap_or_else(|| panic!("the README has no {language}"));
    rest.split_once("```").unwrap().0.to_owned()
}

/// Runs it against an emulator instead of the address and key of the README.
async fn run(program: &str, arguments: &[&str], language: &str) {
    let emulator = Emulator::start().await.unwrap();
    let code = block(language)
        .replace("http://127.0.0.1:8080/mgmt/openapi", emulator.url())
        .replace("cxup_emulator", emulator.api_key());
    assert!(code.contains(emulator.url()), "{code}");
    let output = match Command::new(program).args(arguments).arg(&code).output() {
        Ok(output) if output.status.code() != Some(127) => output,
        _ => return println!("skipped: {program} is not here"),
    };
    let (said, problem) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{problem}");
    let reply: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{problem}"));
    assert_eq!(reply["incidents"].as_array().unwrap().len(), 2);
    assert_eq!(emulator.requests()[0].changed, ["incident_id_1", "incident_id_2"]);
}

#[tokio::test]
async fn the_documented_node_sample_works() {
    run("node", &["-e"], "js").await;
}

#[tokio::test]
async fn the_python_sample_works() {
    run("python3", &["-c"], "python").await;
}

#[tokio::test]
async fn the_curl_sample_works() {
    run("sh", &["-c"], "sh").await;
}
