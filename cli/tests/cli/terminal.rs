//! What only happens with a person at a terminal: questions, progress, Ctrl-C.

use std::time::Duration;

use coralogix_incidents_emulator::Fault;

use crate::{
    gate::Gate,
    support::{ALICE, Cli, File, many_ids, start, with_many},
};

const CTRL_C: &str = "\u{3}";

#[test]
fn up_to_20_incidents_are_changed_without_a_question_and_more_after_one() {
    let emulator = start(with_many(30));
    let twenty = File::new("twenty", &many_ids(20));
    let (text, code) = Cli::at(&emulator).terminal(80, &format!("$CX unassign --from-file {}", twenty.path())).finish();
    assert!(!text.contains("[y/N]"), "{text}");
    assert_eq!(code, 0);

    let more = File::new("more", &many_ids(21));
    let script = format!("$CX assign --to {ALICE} --from-file {}", more.path());
    let mut terminal = Cli::at(&emulator).terminal(80, &script);
    terminal.wait_for("Assign 21 incidents on 127.0.0.1:").wait_for("[y/N]");
    terminal.type_in("y\n");
    let (text, code) = terminal.finish();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("21 assigned"), "{text}");
}

#[test]
fn an_answer_other_than_yes_sends_nothing_and_is_130() {
    let emulator = start(with_many(30));
    let ids = File::new("no", &many_ids(30));
    for keys in ["n\n", "\n", "yup\n", CTRL_C] {
        let mut terminal = Cli::at(&emulator).terminal(80, &format!("exec $CX close --from-file {}", ids.path()));
        terminal.wait_for("[y/N]");
        terminal.type_in(keys);
        let (text, code) = terminal.finish();
        assert_eq!(code, 130, "{text}");
        assert!(text.contains("nothing was sent"), "{text}");
    }
    assert_eq!(emulator.requests(), []);
}

#[test]
fn the_question_is_asked_at_the_terminal_even_if_standard_input_has_the_ids() {
    let emulator = start(with_many(30));
    let ids = File::new("piped", &many_ids(30));
    let mut terminal = Cli::at(&emulator).terminal(80, &format!("cat {} | $CX acknowledge -", ids.path()));
    terminal.wait_for("Acknowledge more than 20 incidents").wait_for("[y/N]");
    terminal.type_in("yes\n");
    let (text, code) = terminal.finish();
    assert!(text.contains("30 acknowledged"), "{text}");
    assert_eq!(code, 0);
}

#[test]
fn yes_skips_the_question() {
    let emulator = start(with_many(30));
    let ids = File::new("yes", &many_ids(30));
    let (text, code) =
        Cli::at(&emulator).terminal(80, &format!("$CX resolve --yes --from-file {}", ids.path())).finish();
    assert!(!text.contains("[y/N]") && text.contains("30 resolved"), "{text}");
    assert_eq!(code, 0);
}

#[test]
fn long_work_shows_a_bar_on_standard_error_and_only_there() {
    let emulator = start(with_many(300));
    let ids = File::new("bar", &many_ids(300));
    let out = File::new("bar-out", "");
    let line = format!("$CX unassign --yes --concurrency 1 --from-file {}", ids.path());
    let gate = Gate::new(&emulator, 1);
    let cli = Cli::at(&emulator).env("CORALOGIX_URL", gate.url());
    let terminal = cli.terminal(80, &format!("{line} -o ids > {}", out.path()));
    terminal.wait_for("unassign [==");
    gate.open();
    let (text, code) = terminal.finish();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("100/300"), "{text}");
    assert_eq!(out.read(), many_ids(300));
    // Between lines that are written as they arrive it would be in the way, and in a pipe nobody sees it.
    for (script, rest) in [(format!("{line} -o ids"), many_ids(300)), (format!("{line} 2>&1 | cat"), String::new())] {
        let emulator = start(with_many(300).latency(Duration::from_millis(250)));
        let (text, code) = Cli::at(&emulator).terminal(80, &script).finish();
        assert_eq!(code, 0, "{text}");
        assert!(text.ends_with(&format!("{rest}300 unassigned\n")) && !text.contains("unassign ["), "{text}");
    }
}

/// Presses Ctrl-C, once or twice, while the service works on the first request of 500 ids.
fn interrupted(name: &str, twice: bool) -> (serde_json::Value, String, u32, usize) {
    let emulator = start(with_many(500));
    let gate = Gate::new(&emulator, 0);
    let ids = File::new(name, &many_ids(500));
    let out = File::new(&format!("{name}-out"), "");
    let line =
        format!("exec $CX acknowledge --yes --concurrency 1 --from-file {} -o json > {}", ids.path(), out.path());
    let mut terminal = Cli::at(&emulator).env("CORALOGIX_URL", gate.url()).terminal(80, &line);
    terminal.wait_for("acknowledge [");
    terminal.type_in(CTRL_C);
    terminal.wait_for("stopping: requests under way will finish");
    if twice {
        terminal.type_in(CTRL_C);
    } else {
        gate.open();
    }
    let (text, code) = terminal.finish();
    let requests = emulator.requests().len();
    (serde_json::from_str(&out.read()).unwrap(), text, code, requests)
}

#[test]
fn ctrl_c_lets_requests_under_way_finish_and_reports_every_id() {
    let (document, text, code, requests) = interrupted("stop", false);
    assert_eq!((code, requests), (130, 1), "{text}");
    assert_eq!(document["results"].as_array().unwrap().len(), 500);
    assert_eq!((document["summary"]["done"].as_u64(), document["summary"]["notSent"].as_u64()), (Some(100), Some(400)));
    assert!(text.contains("error: not sent: ") && text.contains("next: run the command again for these ids"), "{text}");
}

#[test]
fn a_second_ctrl_c_abandons_requests_under_way() {
    let (document, text, code, _) = interrupted("abandon", true);
    assert_eq!(code, 130, "{text}");
    assert_eq!(document["results"].as_array().unwrap().len(), 500);
    assert_eq!(
        (document["summary"]["unknown"].as_u64(), document["summary"]["notSent"].as_u64()),
        (Some(100), Some(400))
    );
    assert!(text.contains("error: abandoned before the service answered: id-000"), "{text}");
}

#[test]
fn ctrl_c_ends_a_command_that_waits_for_an_answer_with_130() {
    let emulator = start(with_many(3).fault(Fault::delay(Duration::from_secs(300))));
    for line in [
        "list -v",
        "get id-000",
        "get --event x",
        "events id-000",
        "events",
        "stats",
        "stats --by status",
        "doctor",
        "config --check",
    ] {
        emulator.clear_requests();
        let mut terminal = Cli::at(&emulator).terminal(80, &format!("exec $CX {line}"));
        while emulator.requests().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        terminal.type_in(CTRL_C);
        let (text, code) = terminal.finish();
        assert_eq!(code, 130, "{line}: {text}");
    }
}

#[test]
fn ctrl_c_ends_the_wait_for_ids() {
    let emulator = start(with_many(3));
    let mut terminal = Cli::at(&emulator).terminal(80, "echo ready; exec $CX unassign - --yes");
    terminal.type_in("id-000\n");
    while emulator.requests().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    terminal.type_in(CTRL_C);
    let (text, code) = terminal.finish();
    assert_eq!(code, 130, "{text}");
    assert!(text.contains("1 unassigned") && text.contains("not read to its end"), "{text}");
}
