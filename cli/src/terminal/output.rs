//! What reaches the terminal or the pipe. The only module that prints.

use std::{
    env,
    fmt::{Display, Write as _},
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use comfy_table::Table;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::{
    commands::args::{Format, Global},
    report::errors::{Failure, Stop, steers},
};

/// Standard output and standard error, and what is known of them.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what is known of two streams: four facts, independent of each other"
)]
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) verbose: bool,
    /// Whether tables may use colours.
    pub(crate) color: bool,
    /// The terminal's width in columns; `None` in a pipe, where lines are as long as they are.
    pub(crate) width: Option<u16>,
    /// Whether a write to standard output failed.
    closed: AtomicBool,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
}

impl Output {
    pub(crate) fn new(global: &Global) -> Self {
        let stdout_is_terminal = io::stdout().is_terminal();
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            format: global.output.unwrap_or_default(),
            verbose: global.verbose,
            color: stdout_is_terminal && !is_set("NO_COLOR") && !dumb,
            width: Table::new().width().filter(|width| stdout_is_terminal && *width > 0),
            closed: AtomicBool::new(false),
            stdout_is_terminal,
            stderr_is_terminal: io::stderr().is_terminal(),
        }
    }

    /// A line, or several, on standard output.
    pub(crate) fn line(&self, text: impl Display) -> Result<(), Stop> {
        self.raw(format!("{text}\n").as_bytes())
    }

    /// Bytes as they are, on standard output.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), Stop> {
        let mut stdout = io::stdout().lock();
        let result = stdout.write_all(bytes).and_then(|()| stdout.flush());
        if result.is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
        Ok(result?)
    }

    /// Whether a write to standard output failed: nobody may be reading it any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// A JSON document over several lines.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Stop> {
        self.line(inert(&serde_json::to_string_pretty(value).map_err(io::Error::from)?))
    }

    /// A JSON document on one line.
    pub(crate) fn ndjson(&self, value: &impl Serialize) -> Result<(), Stop> {
        self.line(inert(&serde_json::to_string(value).map_err(io::Error::from)?))
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        note(failure.text(self.verbose));
    }

    /// Whether there is a person to ask: somebody sees standard error and has a keyboard.
    pub(crate) fn can_ask(&self) -> bool {
        self.stderr_is_terminal && keyboard().is_some()
    }

    /// Asks, and reads the answer from the keyboard even where standard input has the ids. Blocks.
    pub(crate) fn ask(question: &str) -> bool {
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
        drop(stderr);
        let mut answer = String::new();
        let read = keyboard().map(|mut keyboard| keyboard.read_line(&mut answer));
        matches!(read, Some(Ok(_))) && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// A bar that is not shown yet.
    pub(crate) fn progress(total: Option<usize>, verb: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(total.map(|total| total as u64), ProgressDrawTarget::hidden());
        let template = if total.is_some() {
            "{prefix} [{bar:32}] {pos}/{len}, {eta} to go"
        } else {
            "{prefix} {spinner} {pos} so far, {elapsed}"
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(verb.to_owned());
        bar
    }

    /// Shows it on standard error, if that is a terminal and nothing else is written there meanwhile.
    pub(crate) fn reveal(&self, bar: &ProgressBar) {
        let lines = self.verbose || (self.stdout_is_terminal && matches!(self.format, Format::Ndjson | Format::Ids));
        if self.stderr_is_terminal && !lines {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            bar.enable_steady_tick(Duration::from_millis(200));
        }
    }
}

/// JSON of the same value without characters that would steer a terminal: those that JSON leaves as they are.
pub(crate) fn inert(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        // What JSON escapes itself can only be a line break between its tokens.
        if steers(character) && character != '\n' {
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

/// A line on standard error. Nobody can be told if that fails.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The keyboard: standard input, or the terminal itself where standard input is a pipe.
fn keyboard() -> Option<Box<dyn io::BufRead>> {
    if io::stdin().is_terminal() {
        return Some(Box::new(io::stdin().lock()));
    }
    let terminal = std::fs::File::open("/dev/tty").ok()?;
    Some(Box::new(io::BufReader::new(terminal)))
}
