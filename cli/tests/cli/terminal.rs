//! What only happens with a person at a terminal: questions, progress, Ctrl-C.

use std::{fs, time::Duration};

use coralogix_incidents_emulator::Fault;

use crate::{
    gate::Gate,
    support::{ALICE, Cli, Home, many_ids, start, wait_for_requests, with_many},
};

const CTRL_C: &str = "\u{3}";

#[test]
fn up_to_20_incidents_or_with_yes_any_number_are_changed_without_a_question() {
    let emulator = start(with_many(30));
    let home = Home::new();
    let (twenty, thirty) = (home.file("twenty", &many_ids(20)), home.file("thirty", &many_ids(30)));
    for (script, told) in [
        (format!("$CX unassign --from-file {twenty}"), "20 unassigned"),
        (format!("$CX resolve --yes --from-file {thirty}"), "30 resolved"),
    ] {
        let ran = Cli::at(&emulator).terminal(80, &script).finish().assert(0, &[told]);
        assert!(!ran.out.contains("[y/N]"), "{}", ran.out);
    }
}

#[test]
fn more_incidents_are_changed_after_a_question_at_the_terminal() {
    let emulator = start(with_many(30));
    let home = Home::new();
    let (more, piped) = (home.file("more", &many_ids(21)), home.file("piped", &many_ids(30)));
    for (script, question, answer, told) in [
        (
            format!("$CX assign --to {ALICE} --from-file {more}"),
            "Assign 21 incidents on 127.0.0.1:",
            "y\n",
            "21 assigned",
        ),
        // Standard input has the ids, and the answer comes from the keyboard.
        (format!("cat {piped} | $CX acknowledge -"), "Acknowledge more than 20 incidents", "yes\n", "30 acknowledged"),
    ] {
        let mut terminal = Cli::at(&emulator).terminal(80, &script);
        terminal.wait_for(question).wait_for("[y/N]").type_in(answer);
        terminal.finish().assert(0, &[told]);
    }
}

#[test]
fn an_answer_other_than_yes_sends_nothing_and_is_130() {
    let emulator = start(with_many(30));
    let home = Home::new();
    let script = format!("exec $CX close --from-file {}", home.file("ids", &many_ids(30)));
    for keys in ["n\n", "\n", "yup\n", CTRL_C] {
        let mut terminal = Cli::at(&emulator).terminal(80, &script);
        terminal.wait_for("[y/N]").type_in(keys);
        terminal.finish().assert(130, &["nothing was sent"]);
    }
    assert_eq!(emulator.requests(), []);
}

#[test]
fn long_work_shows_a_bar_on_standard_error_and_only_there() {
    let late = Fault::delay(Duration::from_secs(3)).on("unassignIncidents").nth(2);
    let emulator = start(with_many(300).fault(late));
    let home = Home::new();
    let (ids, out) = (home.file("ids", &many_ids(300)), home.file("out", ""));
    let line = format!("$CX unassign --yes --concurrency 1 --from-file {ids}");
    let terminal = Cli::at(&emulator).terminal(80, &format!("{line} -o ids > {out}"));
    terminal.finish().assert(0, &["unassign [==", "100/300"]);
    assert_eq!(fs::read_to_string(out).unwrap(), many_ids(300));
    // Between lines that are written as they arrive it would be in the way, and in a pipe nobody sees it.
    for (script, rest) in [(format!("{line} -o ids"), many_ids(300)), (format!("{line} 2>&1 | cat"), String::new())] {
        let emulator = start(with_many(300).latency(Duration::from_millis(250)));
        let text = Cli::at(&emulator).terminal(80, &script).finish().assert(0, &[]).out;
        assert!(text.ends_with(&format!("{rest}300 unassigned\n")) && !text.contains("unassign ["), "{text}");
    }
}

#[test]
fn ctrl_c_stops_a_change_and_a_second_one_abandons_requests_under_way() {
    for (twice, done, unknown, texts) in [
        (false, 100, 0, &["error: not sent: ", "next: run the command again for these ids"][..]),
        (true, 0, 100, &["error: abandoned before the service answered: id-000"]),
    ] {
        let emulator = start(with_many(500));
        let gate = Gate::new(&emulator);
        let home = Home::new();
        let (ids, out) = (home.file("ids", &many_ids(500)), home.file("out", ""));
        let line = format!("exec $CX acknowledge --yes --concurrency 1 --from-file {ids} -o json > {out}");
        let mut terminal = Cli::at(&emulator).env("CORALOGIX_URL", gate.url()).terminal(80, &line);
        terminal.wait_for("acknowledge [").type_in(CTRL_C).wait_for("stopping: requests under way will finish");
        if twice {
            terminal.type_in(CTRL_C);
        } else {
            gate.set_open(true);
        }
        terminal.finish().assert(130, texts);
        assert_eq!(emulator.requests().len(), 1);
        let document: serde_json::Value = serde_json::from_str(&fs::read_to_string(out).unwrap()).unwrap();
        assert_eq!(document["results"].as_array().unwrap().len(), 500);
        let count = |name: &str| document["summary"][name].as_u64().unwrap();
        assert_eq!((count("done"), count("unknown"), count("notSent")), (done, unknown, 400));
    }
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
        wait_for_requests(&emulator, 1);
        terminal.type_in(CTRL_C);
        let ran = terminal.finish();
        assert_eq!(ran.code, 130, "{line}: {}", ran.out);
    }
}
