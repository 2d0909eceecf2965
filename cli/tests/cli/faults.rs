//! The table of `docs/faults.md` that shows what a change is reported as when something goes wrong around the program.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command},
};

use coralogix_incidents::types::IncidentStatus;
use coralogix_incidents_emulator::{Emulator, EmulatorBuilder, Fault};

use crate::{
    gate::Gate,
    support::{BINARY, Cli, Home, Ran, many_ids, signal, start, wait_for_requests, with_many},
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
    ("standard output is a file that reaches the limit of its size (`ulimit -f`)", || {
        Change::new(with_ids()).run_by("/bin/sh", &["-c", "ulimit -f 1; exec \"$0\" \"$@\" > \"$OUT\""], |_| ())
    }),
    ("SIGINT (Ctrl-C), SIGTERM or SIGHUP during the first request", || {
        let [first, others @ ..] = ["INT", "TERM", "HUP"].map(|name| signals(&[name]));
        assert!(others.iter().all(|other| *other == first), "{first:?}: {others:?}");
        first
    }),
    ("two of these signals during the first request", || signals(&["TERM", "HUP"])),
    ("SIGHUP during the first request, and the program was started with `nohup`", || {
        Change::new(with_ids()).run_by("/usr/bin/nohup", &[], |child| signal(child, "HUP"))
    }),
    ("a line of standard input is not an id", || {
        let change = Change::new(with_ids());
        let cli = change.cli.clone().stdin(many_ids(100) + "\"id-100\"\n" + &many_ids(IDS));
        let ran = cli.run("acknowledge - -o ndjson");
        change.observe(&ran)
    }),
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
    home: Home,
    cli: Cli,
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
        let gate = Gate::new(&emulator);
        gate.set_open(true);
        let cli = Cli::at(&emulator).env("CORALOGIX_URL", gate.url());
        Self { emulator, gate, home: Home::new(), cli }
    }

    fn line(&self) -> String {
        format!("acknowledge --from-file {} -o ndjson --concurrency 1", self.home.file("ids", &many_ids(IDS)))
    }

    fn run(self, set_up: impl FnOnce(&mut Command) -> &mut Command) -> Observed {
        let mut command = self.cli.command(&self.line());
        let ran = Ran::wait(set_up(&mut command).spawn().unwrap());
        self.observe(&ran)
    }

    /// Runs the change by way of another program, and calls `during` in the middle of the first request.
    fn run_by(self, program: &str, arguments: &[&str], during: impl FnOnce(&Child)) -> Observed {
        self.gate.set_open(false);
        let mut command = Command::new(program);
        self.cli.clone().env("OUT", &self.home.file("out", "")).set_up(&mut command);
        let child = command.args(arguments).arg(BINARY).args(self.line().split(' ')).spawn().unwrap();
        wait_for_requests(&self.emulator, 1);
        during(&child);
        self.gate.set_open(true);
        let ran = Ran::wait(child);
        self.observe(&ran)
    }

    fn observe(self, ran: &Ran) -> Observed {
        let incidents = self.emulator.incidents();
        let changed = incidents.iter().filter(|incident| incident.status == IncidentStatus::Acknowledged).count();
        Observed { changed, code: ran.code, stderr: ran.err.replace(self.gate.authority(), "HOST") }
    }
}

fn observe(fault: Fault) -> Observed {
    Change::new(with_ids().fault(fault)).run(|command| command)
}

fn slow_reader() -> Observed {
    let change = Change::new(with_ids());
    let (ran, text) = change.cli.read_late(&change.line(), Command::stdout);
    assert_eq!(text.lines().count(), IDS);
    change.observe(&ran)
}

/// Sends signals while the service works on the first request. If there is one, the reply follows it.
fn signals(names: &[&str]) -> Observed {
    let change = Change::new(with_ids());
    change.gate.set_open(false);
    let mut child = change.cli.spawn(&change.line());
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    wait_for_requests(&change.emulator, 1);
    signal(&child, names[0]);
    let mut stderr = String::new();
    lines.read_line(&mut stderr).unwrap();
    match names {
        [_, second] => signal(&child, second),
        _ => change.gate.set_open(true),
    }
    let mut ran = Ran::wait(child);
    lines.read_to_string(&mut stderr).unwrap();
    assert_eq!(ran.lines().len(), IDS, "an outcome for every id");
    ran.err = stderr;
    change.observe(&ran)
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
