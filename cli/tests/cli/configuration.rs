//! Where the service is and what the key is: by argument and by environment.

use crate::support::{BINARY, Cli, KEY, emulator};

fn base_url(cli: &Cli, arguments: &[&str]) -> (String, String) {
    let ran = cli.run(&[&["config", "-o", "json"], arguments].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let settings: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let setting = settings.as_array().unwrap().iter().find(|setting| setting["setting"] == "base url").unwrap();
    (setting["value"].as_str().unwrap().to_owned(), setting["from"].as_str().unwrap().to_owned())
}

#[test]
fn an_argument_overrides_the_endpoint_of_the_environment() {
    let of = |url: &str, from: &str| (url.to_owned(), from.to_owned());
    let bare = Cli::bare();
    assert_eq!(base_url(&bare, &[]), of("https://api.eu1.coralogix.com/mgmt/openapi", "default"));
    let us2 = bare.clone().env("CORALOGIX_REGION", "us2");
    assert_eq!(base_url(&us2, &[]), of("https://api.us2.coralogix.com/mgmt/openapi", "CORALOGIX_REGION"));
    assert_eq!(base_url(&us2, &["--region", "ap3"]), of("https://api.ap3.coralogix.com/mgmt/openapi", "--region"));
    assert_eq!(base_url(&us2, &["--domain", "a.example"]), of("https://api.a.example/mgmt/openapi", "--domain"));
    assert_eq!(base_url(&us2, &["--url", "https://h/p/"]), of("https://h/p", "--url"));
    let domain = bare.clone().env("CORALOGIX_DOMAIN", "b.example");
    assert_eq!(base_url(&domain, &[]), of("https://api.b.example/mgmt/openapi", "CORALOGIX_DOMAIN"));
    let url = bare.env("CORALOGIX_URL", "https://c.example/x");
    assert_eq!(base_url(&url, &[]), of("https://c.example/x", "CORALOGIX_URL"));
}

#[test]
fn two_endpoints_in_the_environment_are_an_error_unless_an_argument_selects_one() {
    let cli = Cli::bare().env("CORALOGIX_REGION", "EU2").env("CORALOGIX_URL", "https://c.example/x");
    let ran = cli.run(&["config"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("CORALOGIX_REGION"), "{}", ran.err);
    assert_eq!(base_url(&cli, &["--region", "EU1"]).1, "--region");
}

#[test]
fn an_unknown_region_is_refused_with_the_known_ones() {
    for (cli, arguments) in
        [(Cli::bare().env("CORALOGIX_REGION", "EU9"), &["config"][..]), (Cli::bare(), &["config", "--region", "EU9"])]
    {
        let ran = cli.run(arguments);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("EU1, EU2, US1, US2, US3, AP1, AP2, AP3"), "{}", ran.err);
    }
}

#[test]
fn the_api_generation_comes_from_the_environment_too() {
    let emulator = emulator();
    let cli = Cli::at(&emulator).env("CX_INCIDENTS_API_GENERATION", "v5");
    assert_eq!(cli.run(&["unassign", "incident_id_2"]).code, 0);
    assert_eq!(cli.run(&["unassign", "incident_id_2", "--api-generation", "v1"]).code, 0);
    let methods: Vec<_> = emulator.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["DELETE", "POST"]);
    let ran = Cli::at(&emulator).env("CX_INCIDENTS_API_GENERATION", "6").run(&["config"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("CX_INCIDENTS_API_GENERATION"), "{}", ran.err);
}

#[test]
fn config_shows_whether_there_is_a_key_but_not_the_key() {
    let ran = Cli::bare().env("CORALOGIX_API_KEY", KEY).run(&["config"]);
    assert!(ran.out.contains("[redacted]"), "{}", ran.out);
    let ran = Cli::bare().run(&["config"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("not set"), "{}", ran.out);
}

#[test]
fn without_a_key_it_is_2_and_both_remedies_are_named() {
    for cli in [Cli::bare(), Cli::bare().env("CORALOGIX_API_KEY", "")] {
        for command in [&["unassign", "incident_id_1"][..], &["list"], &["handover", "--from", "a", "--to", "b"]] {
            let ran = cli.run(command);
            assert_eq!(ran.code, 2);
            assert_eq!(ran.out, "");
            assert_eq!(
                ran.err,
                "error: there is no API key\n  next: set CORALOGIX_API_KEY (a personal key, to assign and acknowledge), or \
                 add --emulator, which needs none\n"
            );
        }
    }
}

#[test]
fn the_first_command_of_the_readme_works_without_anything_set_up() {
    let ran = Cli::bare().run(&["--emulator", "unassign", "incident_id_1", "incident_id_2"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("nothing reaches Coralogix") && ran.err.contains("2 unassigned"), "{}", ran.err);
    assert_eq!(ran.out.matches("  unassigned").count(), 2, "{}", ran.out);
}

#[test]
fn the_emulator_is_used_instead_of_what_the_environment_says() {
    let emulator = emulator();
    let ran = Cli::at(&emulator).run(&["--emulator", "list", "--limit", "5", "-o", "ids"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 5));
    assert_eq!(emulator.requests(), []);
}

#[test]
fn a_key_with_a_line_break_is_refused_without_being_shown() {
    let ran = Cli::bare().env("CORALOGIX_API_KEY", &format!("{KEY}\n")).run(&["list"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("line break"), "{}", ran.err);
}

#[test]
fn the_binary_has_the_documented_name() {
    assert!(BINARY.trim_end_matches(".exe").ends_with("cx-incidents"));
}

#[test]
fn a_proxy_of_the_environment_is_not_asked_for_this_machine() {
    // Nothing listens there: a request by way of it would fail, and elsewhere would hand over the key.
    let cli = ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]
        .into_iter()
        .fold(Cli::bare(), |cli, name| cli.env(name, "http://127.0.0.1:9"));
    let ran = cli.run(&["--emulator", "unassign", "incident_id_1"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn without_root_certificates_only_a_call_over_https_fails() {
    let without = |cli: Cli| cli.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/nonexistent");
    let emulator = emulator();
    assert_eq!(without(Cli::at(&emulator)).run(&["list"]).code, 0);
    let cli = without(Cli::bare().env("CORALOGIX_API_KEY", KEY));
    assert_eq!(base_url(&cli, &[]).0, "https://api.eu1.coralogix.com/mgmt/openapi");
    assert_eq!(cli.run(&["unassign", "incident_id_1", "--dry-run"]).code, 0);
    let ran = cli.run(&["list"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no root certificates") && ran.err.contains("`ca-certificates`"), "{}", ran.err);
}
