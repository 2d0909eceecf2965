//! Where the service is and what the key is, by argument and by environment; and the emulator in their place.

use crate::support::{BINARY, Cli, KEY, emulator};

#[test]
fn an_argument_overrides_the_endpoint_of_the_environment() {
    let region = ("CORALOGIX_REGION", "us2");
    let domain = ("CORALOGIX_DOMAIN", "b.example");
    for ((name, value), arguments, url, from) in [
        (("", ""), "", "https://api.eu1.coralogix.com/mgmt/openapi", "default"),
        (region, "", "https://api.us2.coralogix.com/mgmt/openapi", "CORALOGIX_REGION"),
        (region, "--region ap3", "https://api.ap3.coralogix.com/mgmt/openapi", "--region"),
        (region, "--domain a.example", "https://api.a.example/mgmt/openapi", "--domain"),
        (region, "--url https://h/p/", "https://h/p", "--url"),
        (domain, "", "https://api.b.example/mgmt/openapi", "CORALOGIX_DOMAIN"),
        (("CORALOGIX_URL", "https://c.example/x"), "", "https://c.example/x", "CORALOGIX_URL"),
    ] {
        let cli = if name.is_empty() { Cli::bare() } else { Cli::bare().env(name, value) };
        assert_eq!(cli.setting(arguments, "base url"), (url.to_owned(), from.to_owned()), "{name} {arguments}");
    }
}

#[test]
fn endpoints_that_contradict_each_other_or_are_not_known_are_refused() {
    let cli = Cli::bare().env("CORALOGIX_REGION", "EU2").env("CORALOGIX_URL", "https://c.example/x");
    cli.run("config").assert(2, &["CORALOGIX_REGION"]);
    assert_eq!(cli.setting("--region EU1", "base url").1, "--region");
    let regions = &["EU1, EU2, US1, US2, US3, AP1, AP2, AP3"];
    Cli::bare().env("CORALOGIX_REGION", "EU9").run("config").assert(2, regions);
    Cli::bare().run("config --region EU9").assert(2, regions);
}

#[test]
fn the_api_generation_comes_from_the_environment_too() {
    let emulator = emulator();
    let cli = Cli::at(&emulator).env("CX_INCIDENTS_API_GENERATION", "v5");
    cli.run("unassign incident_id_2").assert(0, &[]);
    cli.run("unassign incident_id_2 --api-generation v1").assert(0, &[]);
    let methods: Vec<_> = emulator.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["DELETE", "POST"]);
}

#[test]
fn without_a_key_it_is_2_and_both_remedies_are_named() {
    let told = "error: there is no API key\n  next: set CORALOGIX_API_KEY (a personal key, to assign and acknowledge), or \
                add --emulator, which needs none\n";
    for cli in [Cli::bare(), Cli::bare().env("CORALOGIX_API_KEY", "")] {
        for line in ["unassign incident_id_1", "list", "handover --from a --to b"] {
            assert_eq!(cli.run(line).assert_all(2, told).out, "", "{line}");
        }
        assert_eq!(cli.setting("", "api key").0, "not set");
    }
    assert_eq!(Cli::bare().env("CORALOGIX_API_KEY", KEY).setting("", "api key").0, "[redacted]");
}

#[test]
fn the_first_command_of_the_readme_works_without_anything_set_up() {
    let texts = &["nothing reaches Coralogix", "2 unassigned"];
    let ran = Cli::bare().run("--emulator unassign incident_id_1 incident_id_2").assert(0, texts);
    assert_eq!(ran.out.matches("  unassigned").count(), 2, "{}", ran.out);
    assert!(BINARY.trim_end_matches(".exe").ends_with("cx-incidents"));
}

#[test]
fn the_emulator_is_used_instead_of_what_the_environment_says_and_not_by_way_of_a_proxy() {
    let emulator = emulator();
    // Nothing listens there: a request by way of it would fail, and elsewhere would hand over the key.
    let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY"];
    let cli = proxies.into_iter().fold(Cli::at(&emulator), |cli, name| cli.env(name, "http://127.0.0.1:9"));
    let ran = cli.run("--emulator list --limit 5 -o ids").assert(0, &[]);
    assert_eq!((ran.lines().len(), emulator.requests().len()), (5, 0));
}

#[test]
fn without_root_certificates_only_a_call_over_https_fails() {
    let without = |cli: Cli| cli.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/nonexistent");
    without(Cli::at(&emulator())).run("list").assert(0, &[]);
    let cli = without(Cli::bare().env("CORALOGIX_API_KEY", KEY));
    assert_eq!(cli.setting("", "base url").0, "https://api.eu1.coralogix.com/mgmt/openapi");
    cli.run("unassign incident_id_1 --dry-run").assert(0, &[]);
    cli.run("list").assert(2, &["no root certificates", "`ca-certificates`"]);
}
