//! `doctor`: each check, and the remedy for what is wrong.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use coralogix_incidents_emulator::{Fault, Key};

use crate::support::{BOB, Cli, Home, KEY, emulator, emulator_with, start, with_three};

/// Asserts the exit code, and the result and texts of one check. Returns its detail and remedy.
#[track_caller]
fn assert_check(cli: &Cli, options: &str, code: i32, name: &str, result: &str, texts: &[&str]) -> String {
    let checks = cli.run(format!("doctor -o json {options}").trim_end()).assert(code, &[]).json();
    let check = checks.as_array().unwrap().iter().find(|check| check["check"] == name).expect(name);
    let text = format!("{} {}", check["detail"], check["remedy"]);
    assert!(check["result"] == result && texts.iter().all(|part| text.contains(part)), "{texts:?}: {check}");
    text
}

#[test]
fn everything_is_checked_and_shown() {
    let emulator = emulator();
    let ran = Cli::at(&emulator).run("doctor").assert_all(0, "");
    assert_eq!(ran.lines().len(), 7, "{}", ran.out);
    assert!(ran.lines().iter().all(|line| line.starts_with("ok ")), "{}", ran.out);
    for text in ["API generation v1 answers", "incidents can be read", "CORALOGIX_URL", "agrees", "not needed for http"]
    {
        assert!(ran.out.contains(text), "{text}: {}", ran.out);
    }
    // It asks once, and changes nothing.
    assert_eq!(emulator.requests().len(), 1);
    assert_check(&Cli::at(&emulator), "--dry-run", 0, "service", "skipped", &["a dry run sends nothing"]);
    Cli::at(&emulator).run("config --check --dry-run").assert(2, &[]);
    assert_eq!(emulator.requests().len(), 1);
}

#[test]
fn a_missing_or_odd_key_is_found() {
    let emulator = emulator();
    let cli = Cli::bare().env("CORALOGIX_URL", emulator.url());
    assert_check(&cli, "", 1, "api key", "failed", &["set CORALOGIX_API_KEY"]);
    assert_check(&cli, "", 1, "service", "skipped", &[]);
    assert_eq!(emulator.requests(), []);
    for (key, word) in [("'quoted-key'", "quotation"), ("<YOUR_API_KEY>", "placeholder"), ("tiny", "shorter")] {
        let home = Home::new().profile("work", &format!("api_key = \"{key}\"\n"));
        for (cli, options, source) in [
            (cli.clone().env("CX_API_KEY", key), "", "CX_API_KEY"),
            (cli.clone().env("HOME", home.path()), "--profile work", "work.toml"),
        ] {
            let text = assert_check(&cli, options, 1, "api key", "warning", &[word, source]);
            assert!(!text.contains(key), "{text}");
        }
    }
}

#[test]
fn refusals_of_the_service_are_classified() {
    let reader = Key::personal("cxup_nothing", BOB).with_permissions(["incidents:close"]);
    let emulator = start(with_three().key(reader));
    let with_key = |key| Cli::at(&emulator).env("CORALOGIX_API_KEY", key);
    let broken = emulator_with(Fault::status(503));
    let nowhere = Cli::bare().env("CORALOGIX_API_KEY", KEY).env("CORALOGIX_URL", "http://127.0.0.1:9");
    for (cli, name, texts) in [
        (with_key("cxup_nothing"), "permission", &["incidents:read"][..]),
        (with_key("cxup_unknown"), "service", &["401", "check the API key"]),
        (Cli::at(&broken), "service", &["503"]),
        (nowhere, "service", &["127.0.0.1"]),
    ] {
        assert_check(&cli, "", 1, name, "failed", texts);
    }
}

#[test]
fn configurations_that_cannot_work_or_that_nobody_chose_are_named() {
    for (name, value, word) in [
        ("CORALOGIX_REGION", "EU9", "EU1, EU2"),
        ("CORALOGIX_URL", "http://example.com", "https"),
        ("CX_INCIDENTS_API_GENERATION", "v7", "auto, v1 and v5"),
    ] {
        let cli = Cli::bare().env("CORALOGIX_API_KEY", KEY).env(name, value);
        assert_check(&cli, "", 1, "configuration", "failed", &[word]);
    }
    assert_check(&Cli::bare(), "", 1, "endpoint", "warning", &["--region"]);
    let proxy = Cli::bare().env("HTTPS_PROXY", "http://user:secret@127.0.0.1:9");
    let text = assert_check(&proxy, "", 1, "proxy", "ok", &["HTTPS_PROXY"]);
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_clock_that_is_off_is_found() {
    for (date, direction) in
        [("Mon, 05 Jan 2015 10:00:00 GMT", "ahead of"), ("Mon, 05 Jan 2099 10:00:00 GMT", "behind")]
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/mgmt/openapi", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !String::from_utf8_lossy(&request).contains("pagination") {
                let length = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..length]);
            }
            let reply = format!(
                "HTTP/1.1 200 OK\r\ndate: {date}\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{{\"incidents\":[]}}"
            );
            stream.write_all(reply.as_bytes()).unwrap();
        });
        let cli = Cli::bare().env("CORALOGIX_API_KEY", KEY).env("CORALOGIX_URL", &url);
        assert_check(&cli, "", 0, "clock", "warning", &[direction, "set the clock"]);
    }
}
