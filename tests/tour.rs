//! The README's commands and what it shows of their output: its first command, and every command of its `sh tour` blocks in one
//! shell, on a port of its own. With `UPDATE_DOCS=1` the output is written into the README. It is for a shell with job control.
#![cfg(unix)]

use std::{
    env, fs,
    net::TcpListener,
    process::{Command, Output},
};

use crate::{environment, repository};

const README: &str = "README.md";

/// A shell at the top of the repository, with Cargo and without anybody's account.
fn shell(script: &str) -> Output {
    let mut command = Command::new("bash");
    for name in environment::VARIABLES {
        command.env_remove(name);
    }
    command.args(["-c", script]).current_dir(repository::root()).env("CARGO", env!("CARGO")).output().unwrap()
}

/// The README's blocks of a kind, each with the `text` block of that kind that follows it.
fn blocks<'r>(readme: &'r str, kind: &str) -> Vec<(&'r str, Option<&'r str>)> {
    let (commands, output) = (format!("```sh {kind}\n"), format!("```text {kind}\n"));
    let text = |rest: &'r str| rest.split("```").next().unwrap();
    let sections = readme.split(commands.as_str()).skip(1);
    sections.map(|section| (text(section), section.split(output.as_str()).nth(1).map(text))).collect()
}

/// What stays the same from run to run: not times and ages, and so not the width of their columns.
fn stable(text: &str) -> Vec<String> {
    let is_time = |word: &&str| {
        let word = word.trim_matches(['(', ')']);
        let units = word.trim_start_matches(|character: char| character.is_ascii_digit());
        let is_date = word.len() == 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
        is_date || (word.len() > units.len() && ["s", "m", "h", "d"].contains(&units))
    };
    let words = |line: &str| line.split_whitespace().filter(|word| !is_time(word)).collect::<Vec<_>>().join(" ");
    text.lines().map(words).collect()
}

/// Compares what was printed with what the README shows, or writes it there.
#[track_caller]
fn compare(kind: &str, shown: &str, printed: &str) {
    if stable(shown) == stable(printed) {
        return;
    }
    assert!(env::var_os("UPDATE_DOCS").is_some(), "the README shows\n{shown}\nand this was printed\n{printed}");
    let readme = repository::read(README);
    let block = |text: &str| format!("```text {kind}\n{text}```");
    fs::write(repository::root().join(README), readme.replacen(&block(shown), &block(printed), 1)).unwrap();
}

#[test]
fn the_readme_works_as_written() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: there is no curl on this machine, which the tour waits with");
        return;
    }
    let readme = repository::read(README);
    let first = blocks(&readme, "first");
    let [(commands, Some(shown))] = first.as_slice() else { panic!("{first:?}") };
    // The second command runs this test.
    let output = shell(commands.lines().next().unwrap());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    compare("first", shown, &String::from_utf8_lossy(&output.stdout));
    tour(&readme);
}

fn tour(readme: &str) {
    let blocks = blocks(readme, "tour");
    assert_eq!(blocks.len(), 5, "the tour has its blocks");
    let commands: Vec<&str> = blocks.iter().map(|(commands, _)| *commands).collect();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // Job control, as in the shell of a person; each command is shown, and the first that fails ends it.
    let script =
        format!("set -emuo pipefail\nPS4='$ '\n{}", commands.join("echo ---\n")).replace("8080", &port.to_string());
    let output = shell(&script.replace("; wait\n", "; wait || true\n"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    let parts: Vec<&str> = out.split("---\n").collect();
    for ((_, shown), printed) in blocks.iter().zip(&parts) {
        if let Some(shown) = shown {
            compare("tour", shown, &printed.replace(&port.to_string(), "8080"));
        }
    }
    let expect =
        |part: usize, text: &str| assert!(parts[part].contains(text), "{text:?} is not in\n{}\n{err}", parts[part]);
    expect(3, "mei.tanaka@example.com");
    expect(4, "incident_id_1");
    let retries = err.matches("retrying in").count();
    assert_eq!(retries, 3, "two 503 and a lost reply: {err}");
}
