//! Slow, closed and full streams, and signals: no change is lost by them, and each id is reported. `faults.rs` has more of it.

use std::{
    fs::OpenOptions,
    io::{self, BufRead, BufReader, Write},
    process::Command,
};

use coralogix_incidents_emulator::Fault;
use rustix::fs::{OFlags, fcntl_setfl};

use crate::support::{BINARY, Cli, Ran, emulator, many_ids, signal, small_pipe, start, wait_until_full, with_many};

#[test]
fn a_slow_reader_of_a_non_blocking_pipe_loses_nothing() {
    let ids = many_ids(1000);
    for format in ["ndjson", "ids", "json", "table"] {
        let emulator = start(with_many(1000));
        let cli = Cli::at(&emulator).stdin(ids.as_str());
        let (ran, text) = cli.read_late(&format!("acknowledge - -o {format}"), Command::stdout);
        ran.assert_all(0, "1000 acknowledged\n");
        for id in ids.lines() {
            assert!(text.contains(id), "{format}: {id}");
        }
    }
}

#[test]
fn a_slow_reader_of_non_blocking_standard_error_gets_every_line() {
    let emulator = start(with_many(1).fault(Fault::status(400).on("getIncidentEvents")));
    let (ran, text) = Cli::at(&emulator).stdin(many_ids(300)).read_late("events - -v", Command::stderr);
    ran.assert(1, &[]);
    assert_eq!(text.matches("\n  1 attempt, correlation id ").count(), 300, "{text}");
}

#[test]
fn a_slow_writer_of_non_blocking_standard_input_is_waited_for() {
    let emulator = start(with_many(2));
    let (reader, mut writer) = io::pipe().unwrap();
    fcntl_setfl(&reader, OFlags::NONBLOCK).unwrap();
    let mut child = Cli::at(&emulator).command("acknowledge - -o ids").stdin(reader).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The second id is written in two parts, after the first was answered: by then there was nothing to read.
    writer.write_all(b"id-000\nid-").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "id-000");
    writer.write_all(b"001\n").unwrap();
    drop(writer);
    assert_eq!(lines.next().unwrap().unwrap(), "id-001");
    Ran::wait(child).assert_all(0, "2 acknowledged\n");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_ends_no_change_and_is_reported() {
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    for format in ["ndjson", "ids", "json", "table"] {
        let emulator = start(with_many(300));
        let cli = Cli::at(&emulator).stdin(many_ids(300));
        let mut command = cli.command(&format!("acknowledge - -o {format} --concurrency 1"));
        let ran = cli.finish(command.stdout(full()).spawn().unwrap());
        ran.assert(1, &["300 acknowledged\nerror: standard output can't be written: "]);
    }
    let child = Cli::bare().command("--help").stdout(full()).spawn().unwrap();
    Ran::wait(child).assert(1, &["can't be written"]);
}

#[test]
fn closed_output_is_not_an_error_and_wrong_arguments_are_one_wherever_standard_error_goes() {
    let closed = || io::pipe().unwrap().1;
    let emulator = emulator();
    for line in ["--help", "--version", "help list", "completions bash", "config", "list"] {
        let child = Cli::at(&emulator).command(line).stdout(closed()).spawn().unwrap();
        Ran::wait(child).assert_all(0, "");
    }
    let child = Cli::bare().command("unassign --bogus").stderr(closed()).spawn().unwrap();
    Ran::wait(child).assert(2, &[]);
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    for name in ["HUP", "TERM", "INT"] {
        let emulator = start(with_many(2));
        let mut command = Command::new("/bin/sh");
        Cli::at(&emulator).env("CX", BINARY).set_up(&mut command);
        command.args(["-c", &format!("trap '' {name}; exec \"$CX\" acknowledge - -o ids")]);
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for id in ["id-000", "id-001"] {
            writeln!(stdin, "{id}").unwrap();
            assert_eq!(lines.next().unwrap().unwrap(), id);
            signal(&child, name);
        }
        drop(stdin);
        Ran::wait(child).assert_all(0, "2 acknowledged\n");
    }
}

#[test]
fn two_signals_end_the_wait_for_a_reader_that_does_not_read() {
    let emulator = start(with_many(1000));
    let (reader, writer) = small_pipe();
    fcntl_setfl(&writer, OFlags::empty()).unwrap();
    let mut command = Cli::at(&emulator).command("list -o json");
    let mut child = command.stdout(writer.try_clone().unwrap()).spawn().unwrap();
    drop(command);
    wait_until_full(&writer);
    // Two at once may be taken for one.
    while child.try_wait().unwrap().is_none() {
        signal(&child, "TERM");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Ran::wait(child).assert(130, &[]);
    drop(reader);
}
