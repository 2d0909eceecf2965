//! Runs the binary in pipes and in a pseudo-terminal. Every run is checked for the API key in what it printed.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Condvar, LazyLock, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Utc};
use coralogix_incidents::types::{Incident, IncidentSeverity};
use coralogix_incidents_emulator::{Emulator, EmulatorBuilder, Key, Sample};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_cx-incidents");
/// The key of all tests. Whatever prints it fails its test.
pub(crate) const KEY: &str = "cxup_t0p-s3cret-of-the-tests";
pub(crate) const ALICE: &str = "alice@example.com";
pub(crate) const BOB: &str = "bob@example.com";

/// The emulators of all tests live here, so that a test may wait for the binary without starving its emulator.
static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// An emulator with three incidents: one of Alice's, one of Bob's, one of nobody's.
pub(crate) fn emulator() -> Emulator {
    start(with_three())
}

pub(crate) fn start(builder: EmulatorBuilder) -> Emulator {
    RUNTIME.block_on(builder.start()).unwrap()
}

/// Ages are chosen so that they stay the same for minutes.
pub(crate) fn with_three() -> EmulatorBuilder {
    let ago = |minutes| Utc::now() - TimeDelta::minutes(minutes);
    let incidents = [
        Sample::new("3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3")
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

/// An emulator with so many incidents, `id-000` and so on.
pub(crate) fn with_many(count: usize) -> EmulatorBuilder {
    let incidents = (0..count).map(|number| Incident::from(Sample::new(format!("id-{number:03}")).assigned_to(ALICE)));
    Emulator::builder().incidents(incidents).key(Key::personal(KEY, "carol@example.com"))
}

pub(crate) fn many_ids(count: usize) -> String {
    (0..count).map(|number| format!("id-{number:03}\n")).collect()
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Output, as snapshots have it.
    pub(crate) fn transcript(&self) -> String {
        let Self { code, out, err } = self;
        format!("--- standard output\n{out}--- standard error\n{err}--- exit code {code}\n")
    }
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

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).env_clear().envs(self.env.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut child = self.command(arguments).spawn().unwrap();
        // It may end without having read everything.
        let _ = child.stdin.take().unwrap().write_all(&self.stdin);
        let output = child.wait_with_output().unwrap();
        let ran = Ran {
            code: output.status.code().expect("ended by a signal"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert_no_key(&ran.out);
        assert_no_key(&ran.err);
        ran
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
        drop(pair.slave);
        Terminal::new(child, &*pair.master)
    }
}

#[track_caller]
pub(crate) fn assert_no_key(text: &str) {
    assert!(!text.contains(KEY), "the key is in: {text}");
}

/// How long anything may take before a test fails. It bounds hanging only, so it is far longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A program in a pseudo-terminal.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    screen: Arc<(Mutex<Screen>, Condvar)>,
}

/// Stands before and after the exit code. No program shows this control character.
const MARK: char = '\u{1e}';

#[derive(Default)]
struct Screen {
    text: String,
    /// Whether nothing more will be shown: the command has ended, or the terminal is gone.
    ended: bool,
}

impl Screen {
    /// What the command showed and its exit code, once it has ended.
    fn result(&self) -> Option<(&str, u32)> {
        let (text, rest) = self.text.split_once(MARK)?;
        let (code, _) = rest.split_once(MARK)?;
        Some((text, code.parse().unwrap()))
    }
}

impl Terminal {
    fn new(child: Box<dyn Child + Send + Sync>, master: &dyn MasterPty) -> Self {
        let screen = Arc::new((Mutex::new(Screen::default()), Condvar::new()));
        let mut reader = master.try_clone_reader().unwrap();
        let keyboard = master.take_writer().unwrap();
        let shared = Arc::clone(&screen);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                // A terminal that nobody has open any more gives an error, not an end.
                let length = reader.read(&mut buffer).unwrap_or(0);
                let (screen, changed) = &*shared;
                let mut screen = screen.lock().unwrap();
                screen.text.push_str(&String::from_utf8_lossy(&buffer[..length]));
                screen.ended = length == 0 || screen.result().is_some();
                changed.notify_all();
                if screen.ended {
                    return;
                }
            }
        });
        Self { child, keyboard, screen }
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, until: impl Fn(&Screen) -> Option<T>) -> T {
        let (screen, changed) = &*self.screen;
        let deadline = Instant::now() + PATIENCE;
        let mut screen = screen.lock().unwrap();
        loop {
            if let Some(found) = until(&screen) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !screen.ended, "waited for {what}, got: {}", screen.text);
            screen = changed.wait_timeout(screen, left).unwrap().0;
        }
    }

    /// Waits until this stands on the screen.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) -> &Self {
        self.wait(text, |screen| screen.text.contains(text).then_some(()));
        self
    }

    pub(crate) fn type_in(&mut self, keys: &str) -> &Self {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
        self
    }

    /// Waits for the end: everything that was shown, with line breaks as in a pipe, and the exit code.
    #[track_caller]
    pub(crate) fn finish(self) -> (String, u32) {
        let end = |screen: &Screen| screen.result().map(|(text, code)| (text.replace("\r\n", "\n"), code));
        let (text, code) = self.wait("the end", end);
        assert_no_key(&text);
        (text, code)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file that is removed when its test ends.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cx-incidents-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub(crate) fn read(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A home directory with a `.cx` folder, removed when its test ends.
pub(crate) struct Home(PathBuf);

impl Home {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("cx-incidents-home-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join(".cx/profiles")).unwrap();
        Self(path)
    }

    pub(crate) fn config(self, text: &str) -> Self {
        fs::write(self.0.join(".cx/config.toml"), text).unwrap();
        self
    }

    pub(crate) fn profile(self, name: &str, text: &str) -> Self {
        let path = self.profile_path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    pub(crate) fn profile_path(&self, name: &str) -> PathBuf {
        self.0.join(".cx/profiles").join(format!("{name}.toml"))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub(crate) fn cli(&self) -> Cli {
        Cli::bare().env("HOME", self.path())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What differs from run to run, made equal without changing its width.
pub(crate) const FILTERS: [(&str, &str); 4] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "0000-00-00T00:00:00Z"),
    (r"127\.0\.0\.1(:\d{5})?", "127.0.0.1:PORT0"),
    (r"correlation id [0-9a-f-]{36}", "correlation id [uuid]"),
    (r"retrying in \d+ ms", "retrying in [n] ms"),
];
