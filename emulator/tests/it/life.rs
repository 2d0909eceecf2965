//! Starting, stopping, and what is kept.

use std::{fs, io::Read, net::TcpStream, path::PathBuf, time::Duration};

use coralogix_incidents::types;
use coralogix_incidents_emulator::{Answer, DOCUMENTED_IDS, Emulator, Fault, Key, Sample, USERS};
use serde_json::json;

use crate::{
    connection::{PATIENCE, post, request, unassign, wait_until},
    schema::Document,
};

/// A file name that no other test uses.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}

#[tokio::test]
async fn it_starts_with_realistic_incidents_and_the_documented_ones_are_assigned() {
    let emulator = Emulator::start().await.unwrap();
    assert_eq!(emulator.len(), 50);
    assert!(emulator.url().starts_with("http://127.0.0.1:") && emulator.url().ends_with("/mgmt/openapi"));
    for id in DOCUMENTED_IDS {
        let assignment = &emulator.incident(id).unwrap().assignments[0];
        assert_eq!(assignment.assigned_to.as_ref().unwrap().user_id, USERS[0]);
    }
    for incident in emulator.incidents() {
        Document::get().judge_as("Incident", &serde_json::to_value(&incident).unwrap());
        let ended = incident.status == types::IncidentStatus::Resolved;
        assert_eq!((incident.closed_at.is_some(), incident.duration.is_some()), (ended, ended), "{incident:?}");
        assert!(incident.created_at.unwrap() <= chrono::Utc::now());
        assert!(incident.closed_at.is_none_or(|closed| closed <= chrono::Utc::now()), "{incident:?}");
    }
    assert!(emulator.incident("unknown").is_none());
    for incident in emulator.incidents().iter().filter(|incident| !DOCUMENTED_IDS.contains(&incident.id.as_str())) {
        let parts: Vec<_> = incident.id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{} is no UUID", incident.id);
        assert!(incident.id.chars().all(|one| one == '-' || one.is_ascii_hexdigit()), "{} is no UUID", incident.id);
    }
}

#[tokio::test]
async fn the_key_that_may_do_everything_is_the_one_that_was_given() {
    let emulator = Emulator::builder()
        .key(Key::personal("cxup_some", "a").with_permissions(["incidents:read"]))
        .key(Key::personal("cxup_all", "b"))
        .start()
        .await
        .unwrap();
    assert_eq!(emulator.api_key(), "cxup_all");
    request(&emulator, "GET", "/v1/incidents/incident_id_1").key(Some("cxup_emulator")).send().expect(401);
}

#[tokio::test]
async fn many_emulators_run_independently() {
    let mut emulators = Vec::new();
    for _ in 0..20 {
        emulators.push(Emulator::start().await.unwrap());
    }
    unassign(&emulators[7], "incident_id_1").send().expect(200);
    for (number, emulator) in emulators.iter().enumerate() {
        let assigned = emulator.incident("incident_id_1").unwrap().assignments.len();
        assert_eq!(assigned, usize::from(number != 7));
        assert_eq!(emulator.requests().len(), usize::from(number == 7));
    }
}

#[tokio::test]
async fn dropping_it_closes_its_port_and_its_connections() {
    let emulator = Emulator::start().await.unwrap();
    let address = emulator.address();
    let mut idle = TcpStream::connect(address).unwrap();
    idle.set_read_timeout(Some(PATIENCE)).unwrap();
    // A request on another connection shows that the idle one was accepted: they are accepted in order.
    post(&emulator, "/v1/incidents", &json!({})).expect(200);
    drop(emulator);
    assert_eq!(idle.read(&mut [0; 1]).unwrap_or(0), 0);
    TcpStream::connect(address).unwrap_err();
}

#[tokio::test]
async fn stopping_it_lets_requests_finish() {
    let slow = Fault::delay(Duration::from_millis(300)).on("unassignIncidents");
    let emulator = Emulator::builder().fault(slow).start().await.unwrap();
    let address = emulator.address();
    let mut stream = unassign(&emulator, "incident_id_1").open().unwrap();
    wait_until("the request has arrived", || !emulator.requests().is_empty());
    let stopped = emulator.drain().await;
    assert_eq!(stopped.requests()[0].answer, Answer::Status(200));
    assert!(stopped.incident("incident_id_1").unwrap().assignments.is_empty());
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200"));
    TcpStream::connect(address).unwrap_err();
}

#[tokio::test]
async fn what_is_saved_is_loaded_again() {
    let file = scratch("saved.json");
    let events = |emulator: &Emulator| post(emulator, "/v1/incidents:list-incident-events", &json!({})).body;
    let emulator = Emulator::builder().seeded(40, 9).start().await.unwrap();
    post(&emulator, "/v1/incidents:close", &json!({ "incidentIds": ["incident_id_1"] })).expect(200);
    emulator.save(&file).unwrap();
    let loaded = Emulator::builder().incidents_json(&file).start().await.unwrap();
    assert_eq!(loaded.incidents(), emulator.incidents());
    assert_eq!(events(&loaded), events(&emulator), "also when things happened");
    post(&loaded, "/v1/incidents:close", &json!({ "incidentIds": ["incident_id_2"] })).expect(200);
    let ids: Vec<_> = loaded.incidents().iter().flat_map(|one| one.events.clone()).map(|event| event.id).collect();
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), distinct.len(), "new events get new ids also after a restart");
    fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn incidents_come_from_lists_responses_samples_and_builders_at_once() {
    let (list, response) = (scratch("list.json"), scratch("response.json"));
    // Editors on Windows put a byte order mark before the text.
    fs::write(&list, format!("\u{feff}{}", r#" [{"id":"from_list","events":null,"stateOfTheArt":1}]"#)).unwrap();
    fs::write(&response, format!("\u{feff}{}", r#"{"incidents":[{"id":"from_response"},{"id":"both"}]}"#)).unwrap();
    let emulator = Emulator::builder()
        .incidents_json(&list)
        .incidents_json(&response)
        .incidents([Sample::new("both").named("the last counts")])
        .seeded(2, 0)
        .start()
        .await
        .unwrap();
    let ids: Vec<_> = emulator.incidents().into_iter().map(|incident| incident.id).collect();
    assert_eq!(ids, ["from_list", "from_response", "both", "incident_id_1", "incident_id_2"]);
    assert_eq!(emulator.incident("both").unwrap().name.unwrap(), "the last counts");
    fs::write(&list, r#"{"incidents":"none"}"#).unwrap();
    let problem = Emulator::builder().incidents_json(&list).start().await.unwrap_err();
    assert!(problem.to_string().contains("list.json"), "{problem}");
    for file in [list, response] {
        fs::remove_file(file).unwrap();
    }
    assert!(Emulator::builder().incidents_json("/nowhere/at/all.json").start().await.is_err());
}

#[tokio::test]
async fn an_emulator_has_a_url_that_can_be_called_and_a_port_of_its_own() {
    for (any, loopback) in [("0.0.0.0:0", "http://127.0.0.1:"), ("[::]:0", "http://[::1]:")] {
        let Ok(emulator) = Emulator::builder().address(any.parse().unwrap()).start().await else {
            println!("skipped: this machine has no {any}");
            continue;
        };
        assert!(emulator.address().ip().is_unspecified(), "the address that it listens on stays visible");
        assert!(emulator.url().starts_with(loopback) && emulator.url().starts_with(emulator.origin()), "{emulator:?}");
        emulator.client().unwrap().get_incident("incident_id_1").await.unwrap();
    }
    let emulator = Emulator::start().await.unwrap();
    assert_eq!(emulator.origin(), format!("http://{}", emulator.address()));
    let problem = Emulator::builder().address(emulator.address()).start().await.unwrap_err();
    assert_eq!(problem.to_string(), format!("cannot bind {}", emulator.address()));
}

#[tokio::test]
async fn the_log_has_the_user_the_ids_and_the_changes() {
    let emulator = Emulator::start().await.unwrap();
    let call =
        request(&emulator, "DELETE", "/5/incidents/incidents/v1/all/by-user?incident_ids=incident_id_1&incident_ids=x");
    call.header("x-cx-correlation-id", "4711").send().expect(200);
    let [logged] = emulator.requests().try_into().unwrap();
    assert_eq!(logged.operation_id, Some("unassignIncidents"));
    assert_eq!(logged.generation, Some(coralogix_incidents::ApiGeneration::V5));
    assert_eq!((logged.method.as_str(), logged.correlation_id.as_deref()), ("DELETE", Some("4711")));
    assert!(logged.path.ends_with("?incident_ids=incident_id_1&incident_ids=x"));
    assert_eq!(logged.ids, ["incident_id_1", "x"]);
    assert_eq!(logged.key_owner.as_deref(), Some("jonas.weber@example.com"));
    assert_eq!(logged.changed, ["incident_id_1"]);
    assert_eq!(logged.answer, Answer::Status(200));
    emulator.clear_requests();
    assert!(emulator.requests().is_empty());
}
