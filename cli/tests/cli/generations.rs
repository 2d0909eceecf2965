//! Services that speak one generation of the API, with nothing configured, and each generation by choice.

use coralogix_incidents::ApiGeneration;
use serde_json::Value;

use crate::support::{ALICE, BOB, Cli, emulator, start, with_three};

/// Every command that talks to the service and works in each generation.
const COMMANDS: [&str; 11] = [
    "unassign incident_id_2",
    "assign --to x incident_id_2",
    "acknowledge incident_id_2",
    "resolve incident_id_2",
    "close incident_id_2",
    "get incident_id_2 incident_id_3",
    "list --created-since 30d",
    "events incident_id_2",
    "events --since 30d --limit 5",
    "stats --severity error",
    "doctor",
];

#[test]
fn every_command_finds_the_generation_that_answers() {
    for generation in [ApiGeneration::V1, ApiGeneration::V5] {
        let only = || start(with_three().generations([generation]));
        for line in COMMANDS {
            let emulator = only();
            let ran = Cli::at(&emulator).run(&line.split(' ').collect::<Vec<_>>());
            assert_eq!(ran.code, 0, "{line} in {generation}: {}{}", ran.out, ran.err);
            let fixed = emulator.requests().len();
            assert!((1..=4).contains(&fixed), "{line} in {generation}: {fixed} requests");
            let ran = Cli::at(&only())
                .run(&[&line.split(' ').collect::<Vec<_>>()[..], &["--api-generation", generation.as_str()]].concat());
            assert_eq!(ran.code, 0, "{line}, fixed to {generation}: {}{}", ran.out, ran.err);
        }
        let ran = Cli::at(&only()).run(&["handover", "--from", ALICE, "--to", BOB]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let ran = Cli::at(&only()).run(&["config", "--check", "-o", "json"]);
        let settings: Value = serde_json::from_str(&ran.out).unwrap();
        let value = |name: &str| {
            let setting = settings.as_array().unwrap().iter().find(|setting| setting["setting"] == name).unwrap();
            setting["value"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            (value("api generation").as_str(), value("answering generation").as_str()),
            ("auto", generation.as_str())
        );
    }
}

#[test]
fn a_base_url_that_ends_in_a_generation_decides() {
    let emulator = emulator();
    for end in ["/5", "/5/", "/4", "/latest"] {
        let cli = Cli::at(&emulator).env("CORALOGIX_URL", &format!("{}{end}", emulator.url()));
        if end.starts_with("/5") {
            let ran = cli.run(&["unassign", "incident_id_2"]);
            assert_eq!(ran.code, 0, "{end}: {}", ran.err);
        }
        let ran = cli.run(&["config"]);
        assert!(ran.out.contains("v5") && ran.out.contains("the base url"), "{end}: {}", ran.out);
        let ran = cli.run(&["unassign", "incident_id_2", "--dry-run"]);
        let line =
            format!("DELETE {}{}/incidents/incidents/v1/all/by-user\n", emulator.url(), end.trim_end_matches('/'));
        assert!(ran.out.starts_with(&line), "{end}: {}", ran.out);
    }
    assert!(emulator.requests().iter().all(|request| request.method.as_str() == "DELETE"));
}

#[test]
fn members_that_a_generation_does_not_support_are_refused_with_a_remedy() {
    let emulator = start(with_three().generations([ApiGeneration::V5]));
    for arguments in [
        &["stats", "--by", "severity", "--api-generation", "v5"][..],
        &["events", "--label", "a=b", "--api-generation", "v5"],
    ] {
        for dry_run in [&[][..], &["--dry-run"]] {
            let ran = Cli::at(&emulator).run(&[arguments, dry_run].concat());
            assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
            assert!(ran.err.contains("cannot be sent in"), "{arguments:?}: {}", ran.err);
        }
    }
    assert_eq!(emulator.requests(), []);
}
