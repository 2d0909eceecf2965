//! Runs the binary in pipes and in a pseudo-terminal. Every run is checked for the API key in what it printed.

use std::{
    fs,
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{LazyLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Utc};
use coralogix_incidents::types::{Incident, IncidentSeverity};
use coralogix_incidents_emulator::{Emulator, EmulatorBuilder, Fault, FaultBody, Key, Sample};
use insta::{assert_snapshot, with_settings};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_setfl},
    pipe::fcntl_setpipe_size,
};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_cx-incidents");
/// The key of all tests. Whatever prints it fails its test.
pub(crate) const KEY: &str = "cxup_t0p-s3cret-of-the-tests";
pub(crate) const ALICE: &str = "alice@example.com";
pub(crate) const BOB: &str = "bob@example.com";
/// The id of Alice's incident, the newest.
pub(crate) const FIRST: &str = "3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3";

/// The emulators of all tests live here, so that a test may wait for the binary without starving its emulator.
static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// An emulator with three incidents: one of Alice's, one of Bob's, one of nobody's.
pub(crate) fn emulator() -> Emulator {
    start(with_three())
}

/// The same, with a fault.
pub(crate) fn emulator_with(fault: Fault) -> Emulator {
    start(with_three().fault(fault))
}

pub(crate) fn start(builder: EmulatorBuilder) -> Emulator {
    RUNTIME.block_on(builder.start()).unwrap()
}

/// A reply in place of the service's.
pub(crate) fn reply(status: u16, body: impl Into<String>) -> Fault {
    Fault::status(status).with_body(FaultBody::Text(body.into()))
}

/// Ages are chosen so that they stay the same for minutes.
pub(crate) fn with_three() -> EmulatorBuilder {
    let ago = |minutes| Utc::now() - TimeDelta::minutes(minutes);
    let incidents = [
        Sample::new(FIRST)
            .named("Checkout error ratio above 5 %")
            .with_severity(IncidentSeverity::Critical)
            .opened_at(ago(150))
            .assigned_to(ALICE)
            .acknowledged(),
        Sample::new("incident_id_2")
            .named("Payment provider latency above 2 s")
            .with_severity(IncidentSeverity::Error)
            .opened_at(ago(60 * 36))
            .assigned_to(BOB),
        Sample::new("incident_id_3")
            .named("Certificate expires within 14 days, so renew it before that and tell the edge team")
            .with_severity(IncidentSeverity::Low)
            .opened_at(ago(60 * 24 * 5 + 60))
            .resolved_after(TimeDelta::minutes(90)),
    ];
    Emulator::builder().incidents(incidents).key(Key::personal(KEY, "carol@example.com"))
}

/// The id of an event of `incident_id_2`, which is open and not acknowledged.
pub(crate) fn event(emulator: &Emulator) -> String {
    emulator.incident("incident_id_2").unwrap().events[0].id.clone()
}

/// An emulator with so many incidents, `id-000` and so on.
pub(crate) fn with_many(count: usize) -> EmulatorBuilder {
    let incidents = many_ids(count);
    let incidents = incidents.lines().map(|id| Incident::from(Sample::new(id).assigned_to(ALICE)));
    Emulator::builder().incidents(incidents).key(Key::personal(KEY, "carol@example.com"))
}

pub(crate) fn many_ids(count: usize) -> String {
    (0..count).map(|number| format!("id-{number:03}\n")).collect()
}

/// Waits until the emulator has received so many requests.
pub(crate) fn wait_for_requests(emulator: &Emulator, count: usize) {
    let patience = Instant::now() + PATIENCE;
    while emulator.requests().len() < count {
        assert!(Instant::now() < patience, "{count} requests were not received");
        thread::sleep(Duration::from_millis(5));
    }
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    line: String,
    pub(crate) code: i32,
    pub(crate) out: String,
    /// Standard error; what a terminal showed is in `out` and here.
    pub(crate) err: String,
}

impl Ran {
    fn new(code: i32, out: String, err: String) -> Self {
        assert!(!out.contains(KEY) && !err.contains(KEY), "the key is in: {out}{err}");
        Self { line: String::new(), code, out, err }
    }

    /// Waits for the end of a child.
    pub(crate) fn wait(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let code = output.status.code().expect("ended by a signal");
        Self::new(code, String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    fn describe(&self) -> String {
        format!("{}\n{}", self.line, self.transcript())
    }

    /// Asserts the exit code, and that standard error has each of these texts.
    #[track_caller]
    pub(crate) fn assert(self, code: i32, texts: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}", self.describe());
        for text in texts {
            assert!(self.err.contains(text), "`{text}` is missing: {}", self.describe());
        }
        self
    }

    /// Asserts the exit code, and that standard error has this text and no other.
    #[track_caller]
    pub(crate) fn assert_all(self, code: i32, text: &str) -> Self {
        assert_eq!((self.code, self.err.as_str()), (code, text), "{}", self.describe());
        self
    }

    /// The document on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.describe()))
    }

    /// The lines of standard output.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.out.lines().collect()
    }

    /// The length of the longest line of standard output.
    pub(crate) fn columns(&self) -> usize {
        self.out.lines().map(|line| line.chars().count()).max().unwrap_or_default()
    }

    /// Output, as snapshots have it.
    pub(crate) fn transcript(&self) -> String {
        let Self { code, out, err, .. } = self;
        format!("--- standard output\n{out}--- standard error\n{err}--- exit code {code}\n")
    }
}

pub(crate) fn snapshot(name: &str, text: &str) {
    // What differs from run to run is made equal without changing its width.
    let filters = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "0000-00-00T00:00:00Z"),
        (r"127\.0\.0\.1(:\d{5})?", "127.0.0.1:PORT0"),
        (r"correlation id [0-9a-f-]{36}", "correlation id [uuid]"),
        (r"retrying in \d+ ms", "retrying in [n] ms"),
    ];
    // Escape sequences are shown, not obeyed.
    let text = text.replace('\u{1b}', "␛");
    with_settings!({ filters => filters, omit_expression => true, prepend_module_to_snapshot => false }, {
        assert_snapshot!(name.to_owned(), text);
    });
}

/// One call of the binary, with an environment of its own.
#[derive(Debug, Clone)]
pub(crate) struct Cli {
    env: Vec<(String, String)>,
    stdin: Vec<u8>,
}

impl Cli {
    /// Without a key or a location, and with a home that does not exist.
    pub(crate) fn bare() -> Self {
        Self { env: Vec::new(), stdin: Vec::new() }.env("HOME", "/nonexistent")
    }

    /// At this emulator, with the key.
    pub(crate) fn at(emulator: &Emulator) -> Self {
        Self::bare().env("CORALOGIX_API_KEY", KEY).env("CORALOGIX_URL", emulator.url())
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// A command with piped streams. Its arguments are separated by single spaces.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(BINARY);
        command.args(line.split(' ').filter(|_| !line.is_empty()));
        self.set_up(&mut command);
        command
    }

    /// Gives a command the environment of this call, and piped streams.
    pub(crate) fn set_up(&self, command: &mut Command) {
        command.env_clear().envs(self.env.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    pub(crate) fn spawn(&self, line: &str) -> Child {
        self.command(line).spawn().unwrap()
    }

    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> Ran {
        Ran { line: line.to_owned(), ..self.finish(self.spawn(line)) }
    }

    /// Runs with arguments that may be blank or have spaces in them.
    #[track_caller]
    pub(crate) fn run_with(&self, arguments: &[&str]) -> Ran {
        let ran = self.finish(self.command("").args(arguments).spawn().unwrap());
        Ran { line: format!("{arguments:?}"), ..ran }
    }

    /// Writes standard input, and waits for the end.
    pub(crate) fn finish(&self, mut child: Child) -> Ran {
        // It may end without having read everything.
        let _ = child.stdin.take().unwrap().write_all(&self.stdin);
        Ran::wait(child)
    }

    /// Runs with a small pipe as one of the streams, and begins to read it only when the program has to wait for that.
    pub(crate) fn read_late(
        &self,
        line: &str,
        stream: fn(&mut Command, io::PipeWriter) -> &mut Command,
    ) -> (Ran, String) {
        let (mut reader, writer) = small_pipe();
        let mut command = self.command(line);
        let mut child = stream(&mut command, writer.try_clone().unwrap()).spawn().unwrap();
        drop(command);
        child.stdin.take().unwrap().write_all(&self.stdin).unwrap();
        wait_until_full(&writer);
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        (Ran::wait(child), text)
    }

    /// The value of a setting, and where it comes from.
    #[track_caller]
    pub(crate) fn setting(&self, options: &str, name: &str) -> (String, String) {
        let settings = self.run(format!("config -o json {options}").trim_end()).assert(0, &[]).json();
        let setting = settings.as_array().unwrap().iter().find(|setting| setting["setting"] == name).expect(name);
        (setting["value"].as_str().unwrap().to_owned(), setting["from"].as_str().unwrap().to_owned())
    }

    /// Starts a shell command in a terminal; `$CX` is the binary.
    ///
    /// When the process ends that leads a session, Linux drops what the terminal has not passed on yet. So another shell leads the
    /// session: it shows the exit code between two [`MARK`]s and stays until the test has read it.
    pub(crate) fn terminal(&self, width: u16, script: &str) -> Terminal {
        let pty = native_pty_system();
        let pair = pty.openpty(PtySize { rows: 50, cols: width, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new("/bin/sh");
        command.args(["-c", r#"trap : INT; /bin/sh -c "$SCRIPT"; printf '\036%s\036' "$?"; exec sleep 1000"#]);
        command.cwd("/");
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("CX", BINARY);
        command.env("PATH", "/usr/bin:/bin");
        command.env("SCRIPT", script);
        for (name, value) in &self.env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal that nobody has open any more gives an error, not an end.
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { child, keyboard: pair.master.take_writer().unwrap(), shown, screen: Vec::new() }
    }
}

/// How long anything may take before a test fails. It bounds hanging only, so it is far longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A program in a pseudo-terminal.
pub(crate) struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    shown: mpsc::Receiver<Vec<u8>>,
    screen: Vec<u8>,
}

/// Stands before and after the exit code. No program shows this control character.
const MARK: char = '\u{1e}';

impl Terminal {
    #[track_caller]
    fn wait<T>(&mut self, what: &str, until: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = String::from_utf8_lossy(&self.screen);
            if let Some(found) = until(&text) {
                return found;
            }
            match self.shown.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(more) => self.screen.extend(more),
                Err(error) => panic!("waited for {what}: {error}, got: {text}"),
            }
        }
    }

    /// Waits until this stands on the screen.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> &mut Self {
        self.wait(text, |screen| screen.contains(text).then_some(()));
        self
    }

    pub(crate) fn type_in(&mut self, keys: &str) -> &mut Self {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
        self
    }

    /// Waits for the end: everything that was shown, with line breaks as in a pipe, and the exit code.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Ran {
        let (text, code) = self.wait("the end", |screen| {
            let (text, rest) = screen.split_once(MARK)?;
            let (code, _) = rest.split_once(MARK)?;
            Some((text.replace("\r\n", "\n"), code.parse().unwrap()))
        });
        Ran::new(code, text.clone(), text)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with a `.cx` folder in it, removed when its test ends.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(".cx/profiles")).unwrap();
        Self(folder)
    }

    /// A file for one test, and its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn config(self, text: &str) -> Self {
        self.file(".cx/config.toml", text);
        self
    }

    pub(crate) fn profile(self, name: &str, text: &str) -> Self {
        let path = self.profile_path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    pub(crate) fn profile_path(&self, name: &str) -> PathBuf {
        self.folder().join(".cx/profiles").join(format!("{name}.toml"))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self) -> &str {
        self.folder().to_str().unwrap()
    }

    pub(crate) fn cli(&self) -> Cli {
        Cli::bare().env("HOME", self.path())
    }
}

/// Sends a signal by its name, such as `TERM`.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// A small pipe whose writer does not block.
pub(crate) fn small_pipe() -> (io::PipeReader, io::PipeWriter) {
    let (reader, writer) = io::pipe().unwrap();
    fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    fcntl_setpipe_size(&writer, 4096).unwrap();
    (reader, writer)
}

/// Waits until a pipe is full, so that its writer has to wait.
pub(crate) fn wait_until_full(writer: &io::PipeWriter) {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    while poll(&mut [PollFd::new(writer, PollFlags::OUT)], Some(&now)).unwrap() > 0 {
        thread::yield_now();
    }
}
