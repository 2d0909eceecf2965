//! Services that speak one generation of the API, with nothing configured, and each generation by choice.

use coralogix_incidents::ApiGeneration;

use crate::support::{Cli, emulator, start, with_three};

#[test]
fn every_command_finds_the_generation_that_answers() {
    for generation in [ApiGeneration::V1, ApiGeneration::V5] {
        let only = || start(with_three().generations([generation]));
        for line in [
            "unassign incident_id_2",
            "assign --to x incident_id_2",
            "acknowledge incident_id_2",
            "resolve incident_id_2",
            "close incident_id_2",
            "handover --from alice@example.com --to bob@example.com",
            "get incident_id_2 incident_id_3",
            "list --created-since 30d",
            "events incident_id_2",
            "events --since 30d --limit 5",
            "stats --severity error",
            "doctor",
        ] {
            let emulator = only();
            Cli::at(&emulator).run(line).assert(0, &[]);
            let sent = emulator.requests().len();
            assert!((1..=4).contains(&sent), "{line} in {generation}: {sent} requests");
            Cli::at(&only()).run(&format!("{line} --api-generation {generation}")).assert(0, &[]);
        }
        let emulator = only();
        let value = |name| Cli::at(&emulator).setting("--check", name).0;
        assert_eq!(value("api generation"), "auto");
        assert_eq!(value("answering generation"), generation.as_str());
    }
}

#[test]
fn a_base_url_that_ends_in_a_generation_decides() {
    let emulator = emulator();
    for end in ["/5", "/5/", "/4", "/latest"] {
        let url = format!("{}{end}", emulator.url());
        let cli = Cli::at(&emulator).env("CORALOGIX_URL", &url);
        if end.starts_with("/5") {
            cli.run("unassign incident_id_2").assert(0, &[]);
        }
        assert_eq!(cli.setting("", "api generation"), ("v5".to_owned(), "the base url".to_owned()), "{end}");
        let ran = cli.run("unassign incident_id_2 --dry-run");
        let line = format!("DELETE {}/incidents/incidents/v1/all/by-user\n", url.trim_end_matches('/'));
        assert!(ran.out.starts_with(&line), "{end}: {}", ran.out);
    }
    assert!(emulator.requests().iter().all(|request| request.method.as_str() == "DELETE"));
}

#[test]
fn members_that_a_generation_does_not_support_are_refused_with_a_remedy() {
    let emulator = start(with_three().generations([ApiGeneration::V5]));
    for line in ["stats --by severity --api-generation v5", "events --label a=b --api-generation v5"] {
        Cli::at(&emulator).run(line).assert(2, &["cannot be sent in"]);
        Cli::at(&emulator).run(&format!("{line} --dry-run")).assert(2, &["cannot be sent in"]);
    }
    assert_eq!(emulator.requests(), []);
}
