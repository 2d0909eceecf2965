//! The configuration of the vendor's command line: profiles, the keyring, and read-only mode.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::support::{Cli, Home, KEY, assert_no_key, emulator};

/// The value of a setting, and where it comes from.
#[track_caller]
fn setting(cli: &Cli, arguments: &[&str], name: &str) -> (String, String) {
    let ran = cli.run(&[&["config", "-o", "json"], arguments].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let settings: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let setting = settings.as_array().unwrap().iter().find(|setting| setting["setting"] == name);
    let setting = setting.expect(name);
    (setting["value"].as_str().unwrap().to_owned(), setting["from"].as_str().unwrap().to_owned())
}

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
        (home.cli(), &["--profile", "work"][..]),
        (home.cli().env("CX_PROFILE", "work"), &[]),
        (home.cli(), &[]),
        (Cli::bare().env("CX_HOME", home.path()), &[]),
    ];
    for (cli, arguments) in &calls {
        let ran = cli.run(&[*arguments, &["unassign", "incident_id_2"]].concat());
        assert_eq!((ran.code, ran.err.as_str()), (0, "1 unassigned\n"), "{arguments:?}");
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
    let cli = home.cli();
    assert_eq!(setting(&cli, &[], "base url"), (url("eu2"), line("work", 4)));
    let from = format!("default_profile of {}/.cx/config.toml", home.path());
    assert_eq!(setting(&cli, &[], "profile"), ("work".to_owned(), from));
    assert_eq!(
        setting(&cli, &[], "api key"),
        ("[redacted]".to_owned(), home.profile_path("work").display().to_string())
    );
    assert_eq!(setting(&cli, &["--profile", "other"], "base url"), (url("ap3"), line("other", 1)));
    assert_eq!(setting(&cli, &["--profile", "other"], "profile").1, "--profile");
    assert_eq!(setting(&cli, &["--profile", "other"], "api key").0, "not set");
    let chosen = cli.clone().env("CX_PROFILE", "other");
    assert_eq!(setting(&chosen, &[], "profile"), ("other".to_owned(), "CX_PROFILE".to_owned()));
    assert_eq!(setting(&chosen, &["--profile", "work"], "profile").1, "--profile");
    let cx = cli.clone().env("CX_REGION", "us1").env("CX_API_KEY", KEY);
    assert_eq!(setting(&cx, &[], "base url"), (url("us1"), "CX_REGION".to_owned()));
    assert_eq!(setting(&cx, &[], "api key"), ("[redacted]".to_owned(), "CX_API_KEY".to_owned()));
    let cx = cx.env("CORALOGIX_REGION", "us2").env("CORALOGIX_API_KEY", KEY);
    assert_eq!(setting(&cx, &[], "base url"), (url("us2"), "CORALOGIX_REGION".to_owned()));
    assert_eq!(setting(&cx, &[], "api key").1, "CORALOGIX_API_KEY");
    assert_eq!(setting(&cx, &["--region", "ap1"], "base url"), (url("ap1"), "--region".to_owned()));
    assert_eq!(setting(&Cli::bare(), &[], "base url"), (url("eu1"), "default".to_owned()));
    let host = Cli::bare().env("CX_REGION", "https://api.eu1.coralogix.com/");
    assert_eq!(setting(&host, &[], "base url"), (url("eu1"), "CX_REGION".to_owned()));
}

#[test]
fn a_chosen_profile_that_the_environment_overrides_is_reported() {
    let home = Home::new().profile("work", &profile_text("eu2"));
    let cli = home.cli().env("CORALOGIX_API_KEY", "cxup_another").env("CX_REGION", "us1");
    let ran = cli.run(&["config", "--profile", "work"]);
    let warnings = "warning: CORALOGIX_API_KEY overrides the API key of profile `work`\nwarning: CX_REGION overrides the \
                    region of profile `work`\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, warnings));
    assert_eq!(cli.run(&["config"]).err, "");
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
        let ran = home.cli().run(&["list", "--profile", "bad"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{text}: {}", ran.err);
        let at = format!("error: {}, line {line}: ", home.profile_path("bad").display());
        assert!(ran.err.starts_with(&at) && ran.err.contains(word), "{text}: {}", ran.err);
        assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
    }
    for (text, word) in [("default_profile = work\n", "is not TOML"), ("read_only = \"yes\"\n", "neither `true` nor")] {
        let home = Home::new().config(text);
        let ran = home.cli().run(&["config"]);
        assert!(ran.code == 2 && ran.err.contains(&format!("{}/.cx/config.toml, line 1", home.path())), "{}", ran.err);
        assert!(ran.err.contains(word), "{}", ran.err);
    }
}

#[test]
fn a_profile_that_does_not_exist_is_refused_with_those_that_do() {
    let home = Home::new().profile("work", "").profile("home", "");
    for (cli, arguments, source) in [
        (home.cli(), &["list", "--profile", "wrok"][..], "--profile"),
        (home.cli().env("CX_PROFILE", "wrok"), &["list"], "CX_PROFILE"),
    ] {
        let ran = cli.run(arguments);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(&format!("there is no profile `wrok` of {source}")), "{}", ran.err);
        assert!(ran.err.contains("the profiles are: home, work"), "{}", ran.err);
    }
    for name in ["../config", "a/b", "..", "", "a\\b"] {
        let ran = home.cli().run(&["list", "--profile", name]);
        assert!(ran.code == 2 && ran.err.contains("is not the name of a file"), "{name}: {}", ran.err);
    }
    assert_eq!(home.cli().run(&["list", "--profile", "work", "--emulator"]).code, 2);
}

#[test]
fn the_default_profile_is_read_only_where_something_is_missing() {
    let home = Home::new().config("default_profile = \"gone\"\n");
    let cli = home.cli().env("CORALOGIX_API_KEY", KEY).env("CORALOGIX_REGION", "EU2");
    assert_eq!(cli.run(&["config"]).code, 0);
    let ran = home.cli().env("CORALOGIX_API_KEY", KEY).run(&["config"]);
    assert!(ran.code == 2 && ran.err.contains("default_profile of "), "{}", ran.err);
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
        let ran = home.cli().run(&["list", "--profile", "work"]);
        assert_eq!(ran.code, 2);
        assert!(ran.err.starts_with("error: there is no API key in the profile `work`: "), "{}", ran.err);
        assert!(ran.err.contains(word) && ran.err.contains("next: set CORALOGIX_API_KEY"), "{}", ran.err);
        let with_key = home.cli().env("CX_API_KEY", KEY);
        assert_eq!(with_key.run(&["list", "--profile", "work", "--dry-run"]).code, 0);
    }
}

#[test]
fn a_key_that_others_may_read_is_reported_with_the_remedy() {
    let home = Home::new().profile("work", &profile_text("eu2"));
    let path = home.profile_path("work");
    let error = |mode: u32| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        home.cli().run(&["config", "--profile", "work"]).err
    };
    let remedy = format!("chmod 600 '{}'", path.display());
    for mode in [0o644, 0o640, 0o604] {
        assert!(error(mode).contains(&remedy), "{mode:o}: {}", error(mode));
    }
    assert_eq!(error(0o600), "");
}

#[test]
fn read_only_refuses_every_change_and_allows_dry_runs_and_reads() {
    let emulator = emulator();
    let home = Home::new().config("read_only = true\n");
    let off = Home::new().config("read_only = false\n");
    let at = Cli::at(&emulator);
    let by_file = format!("read_only of {}/.cx/config.toml", home.path());
    let mut forbidden = vec![(at.clone().env("HOME", home.path()), by_file.as_str())];
    forbidden.push((at.clone().env("HOME", home.path()).env("CX_READ_ONLY", "0"), by_file.as_str()));
    for value in ["1", "true", "YES", "on"] {
        forbidden.push((at.clone().env("HOME", off.path()).env("CX_READ_ONLY", value), "CX_READ_ONLY"));
    }
    let changes = [
        "unassign incident_id_2",
        "assign incident_id_2 --to x",
        "acknowledge incident_id_2",
        "resolve incident_id_2",
        "close incident_id_2",
        "handover --from bob@example.com --to x",
    ];
    for (cli, source) in &forbidden {
        for change in changes {
            let arguments: Vec<&str> = change.split(' ').collect();
            let ran = cli.run(&arguments);
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{change}");
            assert!(ran.err.starts_with(&format!("error: {source} forbids")), "{change}: {}", ran.err);
            assert_eq!(cli.run(&[&["--emulator"], &arguments[..]].concat()).code, 2, "{change}");
            assert_eq!(cli.run(&[&arguments[..], &["--dry-run"]].concat()).code, 0, "{change}");
        }
        assert_eq!(cli.run(&["list"]).code, 0);
        assert_eq!(setting(cli, &[], "read only"), ("yes".to_owned(), (*source).to_owned()));
    }
    assert!(emulator.requests().iter().all(|request| request.operation_id == Some("listIncidents")));
    let ran = at.clone().env("CX_READ_ONLY", "maybe").run(&["list"]);
    assert!(ran.code == 2 && ran.err.contains("CX_READ_ONLY is `maybe`"), "{}", ran.err);
    assert_eq!(at.env("CX_READ_ONLY", "off").run(&["unassign", "incident_id_2"]).code, 0);
}

#[test]
fn nothing_is_written_to_the_home() {
    fn list(folder: &Path, found: &mut Vec<(PathBuf, u64)>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                list(&entry.path(), found);
            }
            found.push((entry.path(), entry.metadata().unwrap().len()));
        }
        found.sort();
    }
    let home = Home::new().profile("work", &profile_text("eu2")).config("default_profile = \"work\"\n");
    let (mut before, mut after) = (Vec::new(), Vec::new());
    list(home.folder(), &mut before);
    let ran = home.cli().run(&["config"]);
    assert_no_key(&ran.out);
    list(home.folder(), &mut after);
    assert_eq!(before, after);
}
