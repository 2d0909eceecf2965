//! `doctor`: each check, and the remedy for what is wrong.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use coralogix_incidents_emulator::{Fault, Key};
use serde_json::Value;

use crate::support::{BOB, Cli, Home, KEY, emulator, start, with_three};

/// The result, detail and remedy of one check.
#[track_caller]
fn check(cli: &Cli, arguments: &[&str], code: i32, name: &str) -> (String, String) {
    let ran = cli.run(&[&["doctor", "-o", "json"], arguments].concat());
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    let checks: Value = serde_json::from_str(&ran.out).unwrap();
    let check = checks.as_array().unwrap().iter().find(|check| check["check"] == name).expect(name);
    let text = format!("{} {}", check["detail"], check["remedy"]);
    (check["result"].as_str().unwrap().to_owned(), text)
}

#[test]
fn everything_is_checked_and_shown() {
    let emulator = emulator();
    let ran = Cli::at(&emulator).run(&["doctor"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert_eq!(ran.out.lines().count(), 7, "{}", ran.out);
    assert!(ran.out.lines().all(|line| line.starts_with("ok ")), "{}", ran.out);
    for text in ["API generation v1 answers", "incidents can be read", "CORALOGIX_URL", "agrees", "not needed for http"]
    {
        assert!(ran.out.contains(text), "{text}: {}", ran.out);
    }
    // It asks once, and changes nothing.
    assert_eq!(emulator.requests().len(), 1);
    let (result, text) = check(&Cli::at(&emulator), &["--dry-run"], 0, "service");
    assert!(result == "skipped" && text.contains("a dry run sends nothing"), "{text}");
    assert_eq!(Cli::at(&emulator).run(&["config", "--check", "--dry-run"]).code, 2);
    assert_eq!(emulator.requests().len(), 1);
}

#[test]
fn a_missing_or_odd_key_is_found() {
    let emulator = emulator();
    let cli = Cli::bare().env("CORALOGIX_URL", emulator.url());
    let (result, text) = check(&cli, &[], 1, "api key");
    assert!(result == "failed" && text.contains("set CORALOGIX_API_KEY"), "{text}");
    assert_eq!(check(&cli, &[], 1, "service").0, "skipped");
    assert_eq!(emulator.requests(), []);
    for (key, word) in [("'quoted-key'", "quotation"), ("<YOUR_API_KEY>", "placeholder"), ("tiny", "shorter")] {
        let (result, text) = check(&cli.clone().env("CX_API_KEY", key), &[], 1, "api key");
        assert!(result == "warning" && text.contains(word) && text.contains("CX_API_KEY"), "{text}");
        assert!(!text.contains(key), "{text}");
        let home = Home::new().profile("work", &format!("api_key = \"{key}\"\n"));
        let (result, text) = check(&cli.clone().env("HOME", home.path()), &["--profile", "work"], 1, "api key");
        assert!(result == "warning" && text.contains(word) && text.contains("work.toml"), "{text}");
    }
}

#[test]
fn refusals_of_the_service_are_classified() {
    let reader = Key::personal("cxup_nothing", BOB).with_permissions(["incidents:close"]);
    let emulator = start(with_three().key(reader));
    let (result, text) = check(&Cli::at(&emulator).env("CORALOGIX_API_KEY", "cxup_nothing"), &[], 1, "permission");
    assert!(result == "failed" && text.contains("incidents:read"), "{text}");
    let (result, text) = check(&Cli::at(&emulator).env("CORALOGIX_API_KEY", "cxup_unknown"), &[], 1, "service");
    assert!(result == "failed" && text.contains("401") && text.contains("check the API key"), "{text}");
    let emulator = start(with_three().fault(Fault::status(503)));
    let (result, text) = check(&Cli::at(&emulator), &[], 1, "service");
    assert!(result == "failed" && text.contains("503"), "{text}");
    let nowhere = Cli::bare().env("CORALOGIX_API_KEY", KEY).env("CORALOGIX_URL", "http://127.0.0.1:9");
    let (result, text) = check(&nowhere, &[], 1, "service");
    assert!(result == "failed" && text.contains("127.0.0.1"), "{text}");
}

#[test]
fn configurations_that_cannot_work_are_named() {
    for (cli, word) in [
        (Cli::bare().env("CORALOGIX_REGION", "EU9"), "EU1, EU2"),
        (Cli::bare().env("CORALOGIX_URL", "http://example.com"), "https"),
        (Cli::bare().env("CX_INCIDENTS_API_GENERATION", "v7"), "auto, v1 and v5"),
    ] {
        let (result, text) = check(&cli.env("CORALOGIX_API_KEY", KEY), &[], 1, "configuration");
        assert!(result == "failed" && text.contains(word), "{text}");
    }
}

#[test]
fn a_default_region_and_a_proxy_are_reported() {
    let (result, text) = check(&Cli::bare(), &[], 1, "endpoint");
    assert!(result == "warning" && text.contains("--region"), "{text}");
    let proxy = Cli::bare().env("HTTPS_PROXY", "http://user:secret@127.0.0.1:9");
    let (_, text) = check(&proxy, &[], 1, "proxy");
    assert!(text.contains("HTTPS_PROXY") && !text.contains("secret"), "{text}");
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
        let (result, text) = check(&cli, &[], 0, "clock");
        assert!(result == "warning" && text.contains(direction) && text.contains("set the clock"), "{text}");
    }
}
