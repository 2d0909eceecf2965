//! The documentation: its links lead somewhere, its examples fit on a page, and `docs/using.md` has an answer for each message
//! and for nothing else.

use std::{fs, path::PathBuf};

use coralogix_incidents::{
    ApiGeneration, ApiKey, Client, Error, Region,
    types::{ContextualLabelValues, IncidentEventQueryFilter, ListIncidentEventsRequest, UnassignIncidentsRequest},
};

use crate::{
    environment, repository,
    scripted_server::{ScriptedServer, Step, empty, response, unassign},
};

/// rustdoc gives an example about this much room before a reader has to scroll.
const EXAMPLE_WIDTH: usize = 88;

#[test]
fn examples_in_the_documentation_are_read_without_scrolling() {
    let (mut wide, mut examples) = (Vec::new(), 0);
    for file in ["sdk/src", "emulator/src"].iter().flat_map(|folder| repository::rust_files(folder)) {
        // Whether the lines are of a block, and whether it is Rust.
        let mut block: Option<bool> = None;
        for (index, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let line = line.trim_start();
            let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { continue };
            let text = text.strip_prefix(' ').unwrap_or(text);
            if text.starts_with("```") {
                block = if block.is_none() { Some(text != "```text") } else { None };
                examples += usize::from(block == Some(true));
            } else if block == Some(true) && !text.starts_with("# ") && text.chars().count() > EXAMPLE_WIDTH {
                wide.push(format!("{}:{}: {text}", file.display(), index + 1));
            }
        }
    }
    assert!(examples > 30, "the examples are found");
    assert_eq!(wide, [""; 0]);
}

/// Every Markdown file of the repository.
fn guides() -> Vec<(PathBuf, String)> {
    let folders = ["", "docs", "emulator", "sdk", "cli", ".github"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(repository::root().join(folder)).unwrap());
    let files = files.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "md"));
    files.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The name that a heading has in a link, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let guides = guides();
    assert!(guides.len() > 8);
    let mut links = 0;
    for (path, text) in &guides {
        for (_, rest) in text.match_indices("](").map(|(at, _)| text.split_at(at + 2)) {
            let link = rest.split(')').next().unwrap();
            if link.contains("://") {
                continue;
            }
            links += 1;
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: `{link}` leads nowhere", path.display());
            if let Some(heading) = heading {
                let text = fs::read_to_string(&target).unwrap();
                let mut anchors = text.lines().filter(|line| line.starts_with('#'));
                let known = anchors.any(|line| anchor(line.trim_start_matches('#').trim()) == heading);
                assert!(known, "{}: `{link}` leads to no heading", path.display());
            }
        }
    }
    assert!(links > 30, "{links} links found");
}

/// The words in capitals that stand for what is particular to a case.
const PLACEHOLDERS: [&str; 11] =
    ["CODING", "GENERATION", "HOST", "M", "N", "NAME", "OPERATION", "PLACE", "PROBLEM", "STATUS", "VARIABLE"];

/// The text between the placeholders of a heading, in order.
fn pieces(heading: &str) -> Vec<String> {
    let is_between_words = |character: char| !character.is_alphanumeric() && character != '_';
    let mut pieces = vec![String::new()];
    for word_and_end in heading.split_inclusive(is_between_words) {
        let word = word_and_end.trim_end_matches(is_between_words);
        if PLACEHOLDERS.contains(&word) {
            pieces.push(word_and_end[word.len()..].to_owned());
        } else {
            pieces.last_mut().unwrap().push_str(word_and_end);
        }
    }
    pieces
}

/// Whether a message begins as a heading says. What comes after that is the case's own.
fn answers(heading: &str, message: &str) -> bool {
    let pieces = pieces(heading);
    let Some(mut rest) = message.strip_prefix(&pieces[0]) else { return false };
    pieces[1..].iter().all(|piece| {
        let Some(found) = rest.find(piece.as_str()) else { return false };
        rest = &rest[found + piece.len()..];
        true
    })
}

/// Messages that the configuration and requests lead to before anything is sent.
fn unsent() -> Vec<String> {
    let key = |text: &str| ApiKey::new(text).unwrap_err();
    let base_url = |url: &str| Client::builder().base_url(url).build().unwrap_err();
    let builder = || Client::builder().api_key(ApiKey::new("cxup_key").unwrap());
    vec![
        Client::builder().build().unwrap_err(),
        key(""),
        key("cxup_key\n"),
        "EU9".parse::<Region>().unwrap_err(),
        "v4".parse::<ApiGeneration>().unwrap_err(),
        Client::builder().domain("https://example.com/path").build().unwrap_err(),
        base_url("nonsense"),
        base_url("https://user:password@example.com"),
        base_url("https://example.com?query"),
        base_url("unix:/run/socket"),
        base_url("ftp://example.com"),
        base_url("http://example.com"),
        base_url("https://example.com/v1"),
        builder().user_agent_suffix("a\nb").build().unwrap_err(),
    ]
    .iter()
    .map(Error::to_string)
    .collect()
}

/// Messages about requests that are refused before they are sent.
async fn refused() -> Vec<String> {
    let client = Client::builder().base_url("http://127.0.0.1:1").api_key(ApiKey::new("cxup_key").unwrap());
    let client = client.build().unwrap();
    let unassign_all = async |ids: &[&str]| {
        let request = UnassignIncidentsRequest::new(ids.iter().copied());
        client.unassign_incidents(&request).await.unwrap_err().to_string()
    };
    let get = async |id: &str| client.get_incident(id).await.unwrap_err().to_string();
    let many = client.batch_get_incident(&vec!["incident_id".to_owned(); 1000]).await.unwrap_err().to_string();
    let long = client.acknowledge_incident_by_event_id(&"x".repeat(65)).await.unwrap_err().to_string();
    let fixed = Client::builder().base_url("http://127.0.0.1:1/5").api_key(ApiKey::new("cxup_key").unwrap());
    let labels = ContextualLabelValues::default().with_contextual_label_values(["checkout"]);
    let filter = IncidentEventQueryFilter::default().with_contextual_labels([("service", labels)]);
    let list = ListIncidentEventsRequest::default().with_filter(filter);
    let query = fixed.build().unwrap().list_incident_events(&list).await.unwrap_err().to_string();
    vec![
        many,
        long,
        query,
        get("..").await,
        unassign_all(&[]).await,
        unassign_all(&[" "]).await,
        get("a/b").await,
        get("a:b").await,
        get("a b").await,
    ]
}

/// The message about a read that is answered without a body.
async fn bodiless() -> String {
    let server = ScriptedServer::start([empty("204 No Content")]);
    server.client().get_incident("a").await.unwrap_err().to_string()
}

/// The message about a redirect that a caller's own HTTP client followed.
async fn redirected() -> String {
    // The crate sets no provider for the whole process, which any other reqwest client needs.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = ScriptedServer::start([Step::Reply(response("302 Found", "location: /login\r\n", ""))]);
    let client = server.builder().http_client(reqwest::Client::new()).build().unwrap();
    unassign(&client).await.unwrap_err().to_string()
}

/// The messages that `tests/faults.rs` observed, from the table that it checks.
fn observed() -> Vec<String> {
    let faults = repository::read("docs/faults.md");
    let table = faults.lines().filter(|line| line.starts_with("| "));
    let messages = table.filter_map(|line| line.rsplit(" | ").next()?.strip_suffix(" |").map(str::to_owned));
    messages.filter(|message| message.contains("correlation id")).collect()
}

/// The source of the SDK, with texts that go over several lines on one.
fn source() -> String {
    let files = repository::rust_files("sdk/src").into_iter().map(|path| fs::read_to_string(path).unwrap());
    let source = files.collect::<String>();
    source.split("\\\n").enumerate().map(|(index, part)| if index == 0 { part } else { part.trim_start() }).collect()
}

#[tokio::test]
async fn every_message_has_an_answer_and_every_answer_a_message() {
    let using = repository::read("docs/using.md");
    let headings: Vec<&str> = using.lines().filter_map(|line| line.strip_prefix("#### ")).collect();
    let configured = [
        environment::configured(&[("CORALOGIX_REGION", "EU9")]),
        environment::configured(&[("CORALOGIX_REGION", "EU1"), ("CORALOGIX_DOMAIN", "example.com")]),
    ];
    let answered = vec![redirected().await, bodiless().await];
    let messages = [unsent(), refused().await, answered, configured.to_vec(), observed()].concat();
    assert!(messages.len() > 60, "{messages:#?}");
    for message in &messages {
        let answered = headings.iter().any(|heading| answers(heading, message));
        assert!(answered, "docs/using.md has no heading for: {message}");
    }
    let source = source();
    for heading in headings {
        // What cannot be brought about here is searched for where it is made.
        let known = messages.iter().any(|message| answers(heading, message))
            || pieces(heading).iter().all(|piece| source.contains(piece.trim_matches(' ')));
        assert!(known, "no message begins so: {heading}");
    }
}
