//! The table of `docs/faults.md` that shows what a change is reported as when something goes wrong around the program.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, BufRead, BufReader, Read},
    path::Path,
    process::Command,
};

use coralogix_incidents::types::IncidentStatus;
use coralogix_incidents_emulator::{Emulator, EmulatorBuilder, Fault};
use rustix::{fs::OFlags, pipe::fcntl_setpipe_size};

use crate::{
    gate::Gate,
    streams::{signal, wait_until_full},
    support::{BINARY, Cli, File, Ran, assert_no_key, many_ids, start, with_many},
};

const HEAD: &str = "| what happens | changed | exit code | standard error |\n| --- | --- | --- | --- |\n";

/// What happens, and a function that makes it happen.
type Row = (&'static str, fn() -> Observed);

const ROWS: [Row; 13] = [
    ("nothing", || Change::new(with_ids()).run(|command| command)),
    ("standard output is a non-blocking pipe that is read late", slow_reader),
    ("nobody reads standard output any more, as with `\\| head`", || {
        Change::new(with_ids()).run(|command| command.stdout(io::pipe().unwrap().1))
    }),
    ("standard output is a file on a full disk", || {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        Change::new(with_ids()).run(|command| command.stdout(full))
    }),
    ("standard output is a file that reaches the limit of its size (`ulimit -f`)", at_size_limit),
    ("SIGINT (Ctrl-C), SIGTERM or SIGHUP during the first request", || {
        let [first, others @ ..] = ["INT", "TERM", "HUP"].map(|name| signals(&[name]));
        assert!(others.iter().all(|other| *other == first), "{first:?}: {others:?}");
        first
    }),
    ("two of these signals during the first request", || signals(&["TERM", "HUP"])),
    ("SIGHUP during the first request, and the program was started with `nohup`", under_nohup),
    ("a line of standard input is not an id", bad_line),
    ("the service refuses the key", || observe(Fault::status(401))),
    ("every reply is lost after the change", || observe(Fault::lost_reply().on("acknowledgeIncidents"))),
    ("every reply is lost after the change, and reading is refused", || {
        let lost = Fault::lost_reply().on("acknowledgeIncidents");
        Change::new(with_ids().fault(lost).fault(Fault::status(403).on("batchGetIncident"))).run(|command| command)
    }),
    ("every request is lost before the change", || observe(Fault::reset().before_effect().on("acknowledgeIncidents"))),
];

const IDS: usize = 300;

fn with_ids() -> EmulatorBuilder {
    with_many(IDS)
}

/// Three requests of 100 ids each, one after the other.
struct Change {
    emulator: Emulator,
    gate: Gate,
    ids: File,
}

/// What became of a change.
#[derive(Debug, PartialEq, Eq)]
struct Observed {
    changed: usize,
    code: i32,
    stderr: String,
}

impl Change {
    fn new(builder: EmulatorBuilder) -> Self {
        let emulator = start(builder);
        let gate = Gate::new(&emulator, usize::MAX);
        let ids = File::new(&format!("faults-{}", emulator.address().port()), &many_ids(IDS));
        Self { emulator, gate, ids }
    }

    fn cli(&self) -> Cli {
        Cli::at(&self.emulator).env("CORALOGIX_URL", self.gate.url())
    }

    fn arguments(&self) -> [&str; 7] {
        ["acknowledge", "--from-file", self.ids.path(), "-o", "ndjson", "--concurrency", "1"]
    }

    fn command(&self) -> Command {
        self.cli().command(&self.arguments())
    }

    fn run(self, set_up: impl FnOnce(&mut Command) -> &mut Command) -> Observed {
        let mut command = self.command();
        set_up(&mut command);
        let output = command.output().unwrap();
        self.observe(output.status.code().unwrap(), &String::from_utf8(output.stderr).unwrap())
    }

    fn wait_for_request(&self) {
        while self.emulator.requests().is_empty() {
            std::thread::yield_now();
        }
    }

    fn observe(self, code: i32, stderr: &str) -> Observed {
        assert_no_key(stderr);
        let incidents = self.emulator.incidents();
        let changed = incidents.iter().filter(|incident| incident.status == IncidentStatus::Acknowledged).count();
        Observed { changed, code, stderr: stderr.replace(self.gate.authority(), "HOST") }
    }
}

fn observe(fault: Fault) -> Observed {
    Change::new(with_ids().fault(fault)).run(|command| command)
}

fn slow_reader() -> Observed {
    let change = Change::new(with_ids());
    let (mut reader, writer) = io::pipe().unwrap();
    rustix::fs::fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    fcntl_setpipe_size(&writer, 4096).unwrap();
    let mut command = change.command();
    let child = command.stdout(writer.try_clone().unwrap()).spawn().unwrap();
    drop(command);
    wait_until_full(&writer);
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), IDS);
    let output = child.wait_with_output().unwrap();
    change.observe(output.status.code().unwrap(), &String::from_utf8(output.stderr).unwrap())
}

fn at_size_limit() -> Observed {
    let change = Change::new(with_ids());
    let out = File::new("size-limit", "");
    let plain = change.command();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\" > \"$OUT\"", BINARY]).args(plain.get_args()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("OUT", out.path());
    let output = command.output().unwrap();
    change.observe(output.status.code().unwrap(), &String::from_utf8(output.stderr).unwrap())
}

/// Sends signals while the service works on the first request. If there is one, the reply follows it.
fn signals(names: &[&str]) -> Observed {
    let change = Change::new(with_ids());
    change.gate.close();
    let mut child = change.command().spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    change.wait_for_request();
    signal(&child, names[0]);
    let mut stderr = String::new();
    lines.read_line(&mut stderr).unwrap();
    match names {
        [_, second] => signal(&child, second),
        _ => change.gate.open(),
    }
    let output = child.wait_with_output().unwrap();
    lines.read_to_string(&mut stderr).unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), IDS, "an outcome for every id");
    change.observe(output.status.code().unwrap(), &stderr)
}

fn under_nohup() -> Observed {
    let change = Change::new(with_ids());
    change.gate.close();
    let plain = change.command();
    let mut command = Command::new("nohup");
    command.arg(BINARY).args(plain.get_args()).env_clear().env("PATH", "/usr/bin:/bin");
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(std::process::Stdio::piped());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    change.wait_for_request();
    signal(&child, "HUP");
    change.gate.open();
    let output = child.wait_with_output().unwrap();
    change.observe(output.status.code().unwrap(), &String::from_utf8(output.stderr).unwrap())
}

fn bad_line() -> Observed {
    let change = Change::new(with_ids());
    let cli = change.cli().stdin(many_ids(100) + "\"id-100\"\n" + &many_ids(IDS));
    let Ran { code, err, .. } = cli.run(&["acknowledge", "-", "-o", "ndjson"]);
    change.observe(code, &err)
}

#[test]
#[cfg(target_os = "linux")]
fn every_fault_around_the_program_is_reported_as_the_documentation_shows() {
    let mut table = HEAD.to_owned();
    for (what, happen) in ROWS {
        let Observed { changed, code, stderr } = happen();
        let stderr = stderr.trim_end().replace('|', "\\|").replace('\n', "<br>");
        writeln!(table, "| {what} | {changed} | {code} | {stderr} |").unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md");
    let mut text = fs::read_to_string(&path).unwrap();
    let begin = "<!-- observed at the command line -->\n";
    let start = text.find(begin).unwrap() + begin.len();
    let end = start + text[start..].find("<!-- end -->").unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        text.replace_range(start..end, &table);
        fs::write(path, text).unwrap();
    } else {
        assert!(text[start..end] == table, "docs/faults.md is out of date: run with UPDATE_DOCS=1\n{table}");
    }
}
