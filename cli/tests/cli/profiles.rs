//! The configuration of the vendor's command line: profiles, the keyring, and read-only mode.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use crate::support::{Cli, Home, KEY, emulator};

fn profile_text(region: &str) -> String {
    format!(
        "auth = \"api_key\"\ncredential_storage = \"file\"\nlabel = \"Work\"\nregion = \"{region}\"\napi_key = \"{KEY}\"\n"
    )
}

#[test]
fn a_profile_gives_the_key_and_the_region_of_a_call() {
    let emulator = emulator();
    let host = emulator.url().trim_end_matches("/mgmt/openapi").to_owned();
    let home = Home::new().profile("work", &profile_text(&host)).config("default_profile = \"work\"\n");
    let calls = [
        (home.cli(), "--profile work unassign incident_id_2"),
        (home.cli().env("CX_PROFILE", "work"), "unassign incident_id_2"),
        (home.cli(), "unassign incident_id_2"),
        (Cli::bare().env("CX_HOME", home.path()), "unassign incident_id_2"),
    ];
    for (cli, line) in &calls {
        cli.run(line).assert_all(0, "1 unassigned\n");
    }
    assert_eq!(emulator.requests().len(), calls.len());
    assert!(emulator.requests().iter().all(|request| request.key_owner.is_some()));
}

#[test]
fn values_come_from_arguments_then_the_environment_then_the_profile_then_the_default() {
    let home = Home::new().profile("work", &profile_text("eu2")).profile("other", "region = \"AP3\"\n");
    let home = home.config("default_profile = \"work\"\nunknown = 1\n");
    let url = |host: &str| format!("https://api.{host}.coralogix.com/mgmt/openapi");
    let line = |name: &str, line: u32| format!("{}, line {line}", home.profile_path(name).display());
    let work_file = home.profile_path("work").display().to_string();
    let other_file = home.profile_path("other").display().to_string();
    let default_profile = format!("default_profile of {}/.cx/config.toml", home.path());
    let cli = home.cli();
    let chosen = cli.clone().env("CX_PROFILE", "other");
    let cx = cli.clone().env("CX_REGION", "us1").env("CX_API_KEY", KEY);
    let both = cx.clone().env("CORALOGIX_REGION", "us2").env("CORALOGIX_API_KEY", KEY);
    let host = Cli::bare().env("CX_REGION", "https://api.eu1.coralogix.com/");
    for (cli, options, name, value, from) in [
        (&cli, "", "base url", url("eu2").as_str(), line("work", 4).as_str()),
        (&cli, "", "profile", "work", &default_profile),
        (&cli, "", "api key", "[redacted]", &work_file),
        (&cli, "--profile other", "base url", &url("ap3"), &line("other", 1)),
        (&cli, "--profile other", "profile", "other", "--profile"),
        (&cli, "--profile other", "api key", "not set", &other_file),
        (&chosen, "", "profile", "other", "CX_PROFILE"),
        (&chosen, "--profile work", "profile", "work", "--profile"),
        (&cx, "", "base url", &url("us1"), "CX_REGION"),
        (&cx, "", "api key", "[redacted]", "CX_API_KEY"),
        (&both, "", "base url", &url("us2"), "CORALOGIX_REGION"),
        (&both, "", "api key", "[redacted]", "CORALOGIX_API_KEY"),
        (&both, "--region ap1", "base url", &url("ap1"), "--region"),
        (&host, "", "base url", &url("eu1"), "CX_REGION"),
    ] {
        assert_eq!(cli.setting(options, name), (value.to_owned(), from.to_owned()), "{name} with {options:?}");
    }
}

#[test]
fn a_chosen_profile_that_the_environment_overrides_is_reported() {
    let home = Home::new().profile("work", &profile_text("eu2"));
    let cli = home.cli().env("CORALOGIX_API_KEY", "cxup_another").env("CX_REGION", "us1");
    let warnings = "warning: CORALOGIX_API_KEY overrides the API key of profile `work`\nwarning: CX_REGION overrides the \
                    region of profile `work`\n";
    cli.run("config --profile work").assert_all(0, warnings);
    cli.run("config").assert_all(0, "");
}

#[test]
fn files_with_mistakes_are_named_with_the_line_and_never_quoted() {
    for (text, line, word) in [
        (format!("region = \"eu2\"\napi_key = {KEY}\n"), 2, "is not TOML"),
        (format!("api_key = \"{KEY}\n"), 1, "is not TOML"),
        (format!("{KEY}\n"), 1, "is not TOML"),
        ("\napi_key = 42\n".to_owned(), 2, "`api_key` is not a text"),
        (format!("api_key = [\"{KEY}\"]\n"), 1, "`api_key` is not a text"),
        (format!("api_key = \"{KEY}\\n\"\n"), 1, "`api_key`: "),
        (format!("auth = \"{KEY}\"\n"), 1, "`auth` is not \"api_key\" or \"oauth\""),
        ("credential_storage = \"vault\"\n".to_owned(), 1, "`credential_storage` is not \"file\" or \"os_store\""),
        ("region = 2\n".to_owned(), 1, "`region` is not a text"),
        ("\n\nregion = \"EU9\"\n".to_owned(), 3, "EU1, EU2, US1"),
    ] {
        let home = Home::new().profile("bad", &text);
        let at = format!("error: {}, line {line}: ", home.profile_path("bad").display());
        let ran = home.cli().run("list --profile bad").assert(2, &[&at, word]);
        assert_eq!((ran.out.as_str(), ran.err.lines().count()), ("", 2), "{}", ran.err);
    }
    for (text, word) in [("default_profile = work\n", "is not TOML"), ("read_only = \"yes\"\n", "neither `true` nor")] {
        let home = Home::new().config(text);
        home.cli().run("config").assert(2, &[&format!("{}/.cx/config.toml, line 1", home.path()), word]);
    }
}

#[test]
fn a_profile_that_does_not_exist_is_refused_with_those_that_do() {
    let home = Home::new().profile("work", "").profile("home", "");
    let profiles = "the profiles are: home, work";
    home.cli().run("list --profile wrok").assert(2, &["there is no profile `wrok` of --profile", profiles]);
    let cli = home.cli().env("CX_PROFILE", "wrok");
    cli.run("list").assert(2, &["there is no profile `wrok` of CX_PROFILE", profiles]);
    for name in ["../config", "a/b", "..", "", "a\\b"] {
        home.cli().run(&format!("list --profile={name}")).assert(2, &["is not the name of a file"]);
    }
    home.cli().run("list --profile work --emulator").assert(2, &[]);
}

#[test]
fn the_default_profile_is_read_only_where_something_is_missing() {
    let home = Home::new().config("default_profile = \"gone\"\n");
    let cli = home.cli().env("CORALOGIX_API_KEY", KEY);
    cli.run("config").assert(2, &["default_profile of "]);
    cli.env("CORALOGIX_REGION", "EU2").run("config").assert(0, &[]);
}

#[test]
fn a_profile_without_a_usable_key_says_why_and_what_to_set() {
    for (text, word) in [
        ("region = \"eu2\"\n", "it has no `api_key`"),
        ("auth = \"oauth\"\n", "it signs in by OAuth"),
        ("auth = \"api_key\"\ncredential_storage = \"os_store\"\n", "keyring"),
        ("auth = \"oauth\"\ncredential_storage = \"os_store\"\n", "keyring"),
    ] {
        let home = Home::new().profile("work", text);
        let texts = &["error: there is no API key in the profile `work`: ", word, "next: set CORALOGIX_API_KEY"];
        home.cli().run("list --profile work").assert(2, texts);
        home.cli().env("CX_API_KEY", KEY).run("list --profile work --dry-run").assert(0, &[]);
    }
}

#[test]
fn a_key_that_others_may_read_is_reported_with_the_remedy() {
    let home = Home::new().profile("work", &profile_text("eu2"));
    let path = home.profile_path("work");
    let remedy = format!("chmod 600 '{}'", path.display());
    for (mode, texts) in [(0o644, &[remedy.as_str()][..]), (0o640, &[&remedy]), (0o604, &[&remedy]), (0o600, &[])] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let ran = home.cli().run("config --profile work").assert(0, texts);
        assert_eq!(ran.err.is_empty(), texts.is_empty(), "{mode:o}: {}", ran.err);
    }
}

#[test]
fn read_only_refuses_every_change_and_allows_dry_runs_and_reads() {
    let emulator = emulator();
    let home = Home::new().config("read_only = true\n");
    let off = Home::new().config("read_only = false\n");
    let at = |home: &Home| Cli::at(&emulator).env("HOME", home.path());
    let by_file = format!("read_only of {}/.cx/config.toml", home.path());
    let mut forbidden = vec![(at(&home), by_file.as_str()), (at(&home).env("CX_READ_ONLY", "0"), &by_file)];
    forbidden.extend(["1", "true", "YES", "on"].map(|value| (at(&off).env("CX_READ_ONLY", value), "CX_READ_ONLY")));
    for (cli, source) in &forbidden {
        for change in [
            "unassign incident_id_2",
            "assign incident_id_2 --to x",
            "acknowledge incident_id_2",
            "resolve incident_id_2",
            "close incident_id_2",
            "handover --from bob@example.com --to x",
        ] {
            let ran = cli.run(change).assert(2, &[&format!("error: {source} forbids")]);
            assert_eq!(ran.out, "", "{change}");
            cli.run(&format!("--emulator {change}")).assert(2, &[]);
            cli.run(&format!("{change} --dry-run")).assert(0, &[]);
        }
        cli.run("list").assert(0, &[]);
        assert_eq!(cli.setting("", "read only"), ("yes".to_owned(), (*source).to_owned()));
    }
    assert!(emulator.requests().iter().all(|request| request.operation_id == Some("listIncidents")));
    at(&off).env("CX_READ_ONLY", "off").run("unassign incident_id_2").assert(0, &[]);
}

#[test]
fn nothing_is_written_to_the_home() {
    let home = Home::new().profile("work", &profile_text("eu2")).config("default_profile = \"work\"\n");
    let files = || String::from_utf8(Command::new("ls").args(["-lRA", home.path()]).output().unwrap().stdout).unwrap();
    let before = files();
    home.cli().run("config").assert(0, &[]);
    assert!(before.contains("work.toml") && before == files(), "{before}{}", files());
}
