//! Standard output: the format that was asked for, colors, width. It does not know what is written.

use std::{
    env,
    fmt::Display,
    io::{self, IsTerminal},
    sync::atomic::{AtomicBool, Ordering},
};

use clap::ValueEnum;
use comfy_table::Table;
use serde::Serialize;

use crate::terminal::{
    sanitize::{escape_json_controls, sanitize_line},
    streams::{Stream, write_all},
};

/// The format of standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people, as wide as the terminal
    #[default]
    Table,
    /// One JSON document at the end
    Json,
    /// One JSON document per line, as results arrive
    Ndjson,
    /// Only ids, one per line: the input that `-` of the other commands reads
    Ids,
}

impl Format {
    /// Whether results are written as they arrive, not at the end.
    pub(crate) fn is_streamed(self) -> bool {
        matches!(self, Self::Ndjson | Self::Ids)
    }
}

/// Writes to standard output.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    /// Whether to show attempts, correlation ids and causes of errors.
    pub(crate) verbose: bool,
    /// Whether tables may use colors.
    pub(crate) color: bool,
    /// The terminal's width in columns; `None` in a pipe, where lines may have any length.
    pub(crate) width: Option<u16>,
    is_terminal: bool,
    closed: AtomicBool,
}

impl Output {
    pub(crate) fn new(format: Format, verbose: bool) -> Self {
        let is_terminal = io::stdout().is_terminal();
        Self {
            format,
            verbose,
            color: is_terminal && wants_color(),
            width: Table::new().width().filter(|width| is_terminal && *width > 0),
            is_terminal,
            closed: AtomicBool::new(false),
        }
    }

    /// Writes a line, or several.
    pub(crate) fn line(&self, text: impl Display) -> io::Result<()> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let result = write_all(Stream::Stdout, bytes);
        if result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            self.closed.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Writes a JSON document over several lines.
    pub(crate) fn json(&self, value: &impl Serialize) -> io::Result<()> {
        self.line(escape_json_controls(&serde_json::to_string_pretty(value)?))
    }

    /// Writes a JSON document on one line.
    pub(crate) fn ndjson(&self, value: &impl Serialize) -> io::Result<()> {
        self.line(escape_json_controls(&serde_json::to_string(value)?))
    }

    /// Writes documents that are all there: as JSON, or for people as a table, if there are any.
    pub(crate) fn documents<T: Serialize>(&self, documents: &[T], table: impl FnOnce() -> String) -> io::Result<()> {
        match self.format {
            Format::Json => self.json(&documents),
            Format::Ndjson => documents.iter().try_for_each(|document| self.ndjson(document)),
            Format::Table | Format::Ids if documents.is_empty() => Ok(()),
            Format::Table | Format::Ids => self.line(table()),
        }
    }

    /// Whether a write showed that nobody reads standard output any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// The height of the terminal, if it can show text in place of older text.
    pub(crate) fn redraw_height(&self) -> Option<usize> {
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        let (_, height) = terminal_size::terminal_size().filter(|_| self.is_terminal && !is_dumb)?;
        Some(usize::from(height.0))
    }

    /// Shows text in place of everything on the terminal.
    pub(crate) fn redraw(&self, text: &str) -> io::Result<()> {
        // To the upper left; each line is cleared behind its text, and what is below them.
        let text = text.replace('\n', "\x1b[K\r\n");
        self.bytes(format!("\x1b[H{text}\x1b[K\x1b[J").as_bytes())
    }

    /// Whether lines appear on the terminal while the command runs, where a progress bar would be in the way.
    pub(crate) fn streams_to_terminal(&self) -> bool {
        self.is_terminal && self.format.is_streamed()
    }
}

/// Documents that are found by ids, and written as they arrive or together at the end.
pub(crate) struct Listing<'a, T> {
    output: &'a Output,
    documents: Vec<T>,
    /// How many ids were added.
    pub(crate) count: usize,
}

impl<'a, T: Serialize> Listing<'a, T> {
    pub(crate) fn new(output: &'a Output) -> Self {
        Self { output, documents: Vec::new(), count: 0 }
    }

    /// Adds the documents of one id.
    pub(crate) fn add(&mut self, id: &str, documents: impl IntoIterator<Item = T>) -> io::Result<()> {
        self.count += 1;
        match self.output.format {
            Format::Ids => self.output.line(sanitize_line(id)),
            Format::Ndjson => documents.into_iter().try_for_each(|document| self.output.ndjson(&document)),
            Format::Json | Format::Table => {
                self.documents.extend(documents);
                Ok(())
            }
        }
    }

    /// Writes what is written at the end.
    pub(crate) fn finish(&self, table: impl FnOnce(&[T]) -> String) -> io::Result<()> {
        match self.output.format {
            Format::Json => self.output.json(&self.documents),
            Format::Table if self.count > 0 => self.output.line(table(&self.documents)),
            _ => Ok(()),
        }
    }
}

/// Whether the environment allows colors.
pub(crate) fn wants_color() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}
