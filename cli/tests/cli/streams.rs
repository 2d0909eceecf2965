//! Slow, closed and full streams, and signals: no change is lost by them, and each id is reported.

use std::{
    fs::OpenOptions,
    io::{self, BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
};

use coralogix_incidents_emulator::Fault;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_setfl},
    pipe::fcntl_setpipe_size,
};

use crate::{
    gate::Gate,
    support::{Cli, File, emulator, many_ids, start, with_many},
};

pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Waits until a pipe is full, so that its writer has to wait.
pub(crate) fn wait_until_full(writer: &io::PipeWriter) {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    while poll(&mut [PollFd::new(writer, PollFlags::OUT)], Some(&now)).unwrap() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_slow_reader_of_a_non_blocking_pipe_loses_nothing() {
    for format in ["ndjson", "ids", "json", "table"] {
        let emulator = start(with_many(1000));
        let (mut reader, writer) = io::pipe().unwrap();
        fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
        fcntl_setpipe_size(&writer, 4096).unwrap();
        let mut command = Cli::at(&emulator).command(&["acknowledge", "-", "-o", format]);
        let mut child = command.stdout(writer.try_clone().unwrap()).spawn().unwrap();
        drop(command);
        child.stdin.take().unwrap().write_all(many_ids(1000).as_bytes()).unwrap();
        wait_until_full(&writer);
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), "1000 acknowledged\n"), "{format}");
        for id in many_ids(1000).lines() {
            assert!(text.contains(id), "{format}: {id}");
        }
    }
}

#[test]
fn a_slow_reader_of_non_blocking_standard_error_gets_every_line() {
    let emulator = start(with_many(1).fault(Fault::status(400).on("getIncidentEvents")));
    let (mut reader, writer) = io::pipe().unwrap();
    fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    fcntl_setpipe_size(&writer, 4096).unwrap();
    let arguments = ["events", "-", "-v"];
    let mut command = Cli::at(&emulator).command(&arguments);
    let mut child = command.stderr(writer.try_clone().unwrap()).spawn().unwrap();
    drop(command);
    child.stdin.take().unwrap().write_all(many_ids(300).as_bytes()).unwrap();
    wait_until_full(&writer);
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(text.matches("\n  1 attempt, correlation id ").count(), 300, "{text}");
}

#[test]
fn a_slow_writer_of_non_blocking_standard_input_is_waited_for() {
    let emulator = start(with_many(2));
    let (reader, mut writer) = io::pipe().unwrap();
    fcntl_setfl(&reader, OFlags::NONBLOCK).unwrap();
    let mut child = Cli::at(&emulator).command(&["acknowledge", "-", "-o", "ids"]).stdin(reader).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The second id is written in two parts, after the first was answered: by then there was nothing to read.
    writer.write_all(b"id-000\nid-").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "id-000");
    writer.write_all(b"001\n").unwrap();
    drop(writer);
    assert_eq!(lines.next().unwrap().unwrap(), "id-001");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), "2 acknowledged\n"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_ends_no_change_and_is_reported() {
    for format in ["ndjson", "ids", "json", "table"] {
        let emulator = start(with_many(300));
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let arguments = ["acknowledge", "-", "-o", format, "--concurrency", "1"];
        let mut child = Cli::at(&emulator).command(&arguments).stdout(full).spawn().unwrap();
        child.stdin.take().unwrap().write_all(many_ids(300).as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{format}: {stderr}");
        assert!(
            stderr.starts_with("300 acknowledged\nerror: standard output can't be written: "),
            "{format}: {stderr}"
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn help_on_a_full_disk_is_1() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Cli::bare().command(&["--help"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("can't be written"));
}

#[test]
fn arguments_that_are_wrong_are_2_wherever_standard_error_goes() {
    let closed = || io::pipe().unwrap().1;
    let output = Cli::bare().command(&["unassign", "--bogus"]).stderr(closed()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn closed_output_is_not_an_error() {
    let emulator = emulator();
    for arguments in
        [&["--help"][..], &["--version"], &["help", "list"], &["completions", "bash"], &["config"], &["list"]]
    {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let output = Cli::at(&emulator).command(arguments).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{arguments:?}");
    }
}

#[test]
fn every_signal_to_end_stops_a_change_and_reports_every_id() {
    for name in ["HUP", "TERM", "INT"] {
        let emulator = start(with_many(500));
        let gate = Gate::new(&emulator, 0);
        let cli = Cli::at(&emulator).env("CORALOGIX_URL", gate.url());
        let ids = File::new(&format!("signal-{name}"), &many_ids(500));
        let arguments = ["acknowledge", "--from-file", ids.path(), "-o", "json", "--concurrency", "1"];
        let mut child = cli.command(&arguments).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        while emulator.requests().is_empty() {
            std::thread::yield_now();
        }
        signal(&child, name);
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert!(line.starts_with("stopping: "), "{name}: {line}");
        gate.open();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{name}");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["results"].as_array().unwrap().len(), 500, "{name}");
        let count = |name: &str| document["summary"][name].as_u64();
        assert_eq!((count("done"), count("notSent")), (Some(100), Some(400)), "{name}");
    }
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    for name in ["HUP", "TERM", "INT"] {
        let emulator = start(with_many(2));
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("trap '' {name}; exec \"$CX\" acknowledge - -o ids")]);
        command.env("CX", crate::support::BINARY).env("CORALOGIX_API_KEY", crate::support::KEY);
        command.env("CORALOGIX_URL", emulator.url());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for id in ["id-000", "id-001"] {
            writeln!(stdin, "{id}").unwrap();
            assert_eq!(lines.next().unwrap().unwrap(), id);
            signal(&child, name);
        }
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), "2 acknowledged\n"), "{name}");
    }
}

#[test]
fn two_signals_end_the_wait_for_a_reader_that_does_not_read() {
    let emulator = start(with_many(1000));
    let (reader, writer) = io::pipe().unwrap();
    fcntl_setpipe_size(&writer, 4096).unwrap();
    let mut command = Cli::at(&emulator).command(&["list", "-o", "json"]);
    let mut child = command.stdout(writer.try_clone().unwrap()).spawn().unwrap();
    drop(command);
    wait_until_full(&writer);
    // Two at once may be taken for one.
    while child.try_wait().unwrap().is_none() {
        signal(&child, "TERM");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(reader);
}
