//! The report of a change: the outcome of every id, as it arrives or at the end, and what to do about those that failed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use comfy_table::Color;
use coralogix_incidents::{
    Error,
    bulk::{Fate, Verb},
    types::Incident,
};
use futures::{StreamExt, stream::BoxStream};
use serde::Serialize;

use crate::{
    input::ReadState,
    report::{
        errors::{Exit, Failure, Stop, abbreviate, summarize},
        table::{self, OutcomeRow},
    },
    terminal::{Format, Output, interrupts, sanitize_line, write_stderr_line},
    verb::{name, participle},
};

/// How the change of one incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum OutcomeKind {
    Done,
    NotFound,
    Failed,
    Unknown,
    NotApplied,
    NotYetApplied,
    NotSent,
    Abandoned,
}

/// The outcome of one id, in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    result: OutcomeKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Box<Incident>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorReport>,
}

impl Entry {
    /// `participle` is the word for what is done.
    fn row<'a>(&'a self, participle: &'a str) -> OutcomeRow<'a> {
        let (result, color) = match self.result {
            OutcomeKind::Done => (participle, Color::DarkGreen),
            OutcomeKind::NotFound => ("not found", Color::DarkRed),
            OutcomeKind::Failed => ("failed", Color::DarkRed),
            OutcomeKind::Unknown => ("unknown", Color::DarkYellow),
            OutcomeKind::NotApplied => ("not applied", Color::DarkRed),
            OutcomeKind::NotYetApplied => ("not yet applied", Color::DarkYellow),
            OutcomeKind::NotSent => ("not sent", Color::DarkYellow),
            OutcomeKind::Abandoned => ("abandoned", Color::DarkYellow),
        };
        OutcomeRow { id: &self.id, result, color, incident: self.incident.as_deref() }
    }
}

/// An error, in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorReport {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
}

impl ErrorReport {
    fn new(error: &Error) -> Self {
        Self {
            message: summarize(error),
            status: error.status().map(|status| status.as_u16()),
            attempts: error.attempts(),
            correlation_id: error.correlation_id().map(str::to_owned),
        }
    }
}

/// The document of `--output json`.
#[derive(Serialize)]
struct Document<'a> {
    verb: &'a str,
    results: &'a [Entry],
    summary: Summary,
}

/// The number of ids by result, in JSON.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    done: u64,
    not_found: u64,
    failed: u64,
    unknown: u64,
    not_applied: u64,
    not_sent: u64,
    duplicates: u64,
}

impl Summary {
    fn count(&mut self, result: OutcomeKind) {
        *match result {
            OutcomeKind::Done => &mut self.done,
            OutcomeKind::NotFound => &mut self.not_found,
            OutcomeKind::Failed => &mut self.failed,
            OutcomeKind::Unknown | OutcomeKind::NotYetApplied | OutcomeKind::Abandoned => &mut self.unknown,
            OutcomeKind::NotApplied => &mut self.not_applied,
            OutcomeKind::NotSent => &mut self.not_sent,
        } += 1;
    }

    fn not_done(&self) -> u64 {
        self.not_found + self.failed + self.unknown + self.not_applied + self.not_sent
    }
}

/// Collects the outcomes of a change, and writes them.
pub(crate) struct Report<'a> {
    output: &'a Output,
    verb: &'a Verb,
    /// For the formats that are written at the end.
    entries: Vec<Entry>,
    summary: Summary,
    /// The ids that were not changed, except for those of failures.
    others: Vec<(OutcomeKind, String)>,
    /// Each distinct failure with its ids.
    failures: Vec<Failure>,
    /// The positions of the ids as they were given. Outcomes arrive in the order in which they become known.
    positions: Arc<Mutex<HashMap<String, usize>>>,
    write_error: Option<Stop>,
}

const NOT_CHANGED: &str = "not changed";

impl<'a> Report<'a> {
    pub(crate) fn new(output: &'a Output, verb: &'a Verb) -> Self {
        Self {
            output,
            verb,
            entries: Vec::new(),
            summary: Summary::default(),
            others: Vec::new(),
            failures: Vec::new(),
            positions: Arc::default(),
            write_error: None,
        }
    }

    /// The same ids, whose order is remembered as they pass, if their outcomes are not written as they arrive.
    pub(crate) fn remember_order(&self, ids: BoxStream<'static, String>) -> BoxStream<'static, String> {
        if self.output.format.is_streamed() {
            return ids;
        }
        let positions = Arc::clone(&self.positions);
        let remember = move |id: &String| {
            let mut positions = positions.lock().unwrap_or_else(PoisonError::into_inner);
            let position = positions.len();
            positions.entry(id.clone()).or_insert(position);
        };
        ids.inspect(remember).boxed()
    }

    /// Records the outcome of one id, and writes it if the format is a stream. It is `None` if the service answered, and no
    /// answer shows what became of the incident.
    pub(crate) fn record(&mut self, id: String, fate: Option<Fate>) {
        let (result, incident, error) = match fate {
            None => (OutcomeKind::Unknown, None, None),
            Some(Fate::Updated(incident)) => (OutcomeKind::Done, Some(incident), None),
            Some(Fate::NotFound) => (OutcomeKind::NotFound, None, None),
            Some(Fate::Failed(error)) => (OutcomeKind::Failed, None, Some(error)),
            Some(Fate::Unknown(error)) => (OutcomeKind::Unknown, None, Some(error)),
            Some(Fate::NotApplied(incident)) => (OutcomeKind::NotApplied, Some(incident), None),
            Some(Fate::NotYetApplied(incident)) => (OutcomeKind::NotYetApplied, Some(incident), None),
            Some(Fate::NotSent) => (OutcomeKind::NotSent, None, None),
            // A fate that a newer SDK adds says nothing to this program, so the outcome is open.
            Some(_) => (OutcomeKind::Abandoned, None, None),
        };
        self.summary.count(result);
        if let Some(error) = &error {
            let label = if result == OutcomeKind::Failed { NOT_CHANGED } else { "may or may not be changed" };
            Failure::sdk(error).ids(vec![id.clone()], label).add_to(&mut self.failures);
        } else if result != OutcomeKind::Done {
            self.others.push((result, id.clone()));
        }
        let entry = Entry { id, result, incident, error: error.as_deref().map(ErrorReport::new) };
        let written = match self.output.format {
            Format::Ndjson => self.output.ndjson(&entry),
            Format::Ids if result == OutcomeKind::Done => self.output.line(sanitize_line(&entry.id)),
            Format::Ids => Ok(()),
            Format::Table | Format::Json => {
                self.entries.push(entry);
                Ok(())
            }
        };
        if let Err(error) = written {
            self.write_error.get_or_insert(error.into());
        }
    }

    /// Writes what is written at the end, and explains on standard error what was not done.
    pub(crate) fn finish(mut self, duplicates: u64, read: &ReadState) -> Result<Exit, Stop> {
        let interrupted = interrupts::count() > 0;
        self.summary.duplicates = duplicates;
        let positions = std::mem::take(&mut *self.positions.lock().unwrap_or_else(PoisonError::into_inner));
        self.entries.sort_by_key(|entry| positions.get(&entry.id).copied());
        if let Err(error) = self.write_document() {
            self.write_error.get_or_insert(error);
        }
        write_stderr_line(self.sentence());
        self.explain(interrupted, read);
        let exit = if interrupted {
            Exit::Interrupted
        } else if self.summary.not_done() == 0 && !matches!(read, ReadState::Failed(_)) {
            Exit::Done
        } else if self.summary.done > 0 {
            Exit::Partial
        } else if self.summary.not_done() > 0 {
            Exit::Failed
        } else {
            Exit::Usage
        };
        match self.write_error {
            Some(Stop::Failure(failure)) => {
                let next = "the summary above counts what was changed; `cx-incidents get` shows the incidents";
                Err(failure.next(next).into())
            }
            _ => Ok(exit),
        }
    }

    /// Writes the formats that are written at the end. JSON is a document in any case.
    pub(crate) fn write_document(&self) -> Result<(), Stop> {
        match self.output.format {
            Format::Json => {
                let document = Document { verb: name(self.verb), results: &self.entries, summary: self.summary };
                self.output.json(&document)?;
            }
            Format::Table if !self.entries.is_empty() => {
                let participle = participle(self.verb);
                let rows = self.entries.iter().map(|entry| entry.row(&participle));
                self.output.line(table::outcomes(self.output, rows))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// `2 unassigned`, or `18 unassigned, 1 not found, of 19 (2 duplicates ignored)`.
    fn sentence(&self) -> String {
        let summary = &self.summary;
        let total = summary.done + summary.not_done();
        if total == 0 {
            return "no incidents: nothing to do".to_owned();
        }
        let others = [
            (summary.not_found, "not found"),
            (summary.failed, "failed"),
            (summary.unknown, "unknown"),
            (summary.not_applied, "not applied"),
            (summary.not_sent, "not sent"),
        ];
        let mut parts = vec![format!("{} {}", summary.done, participle(self.verb))];
        parts.extend(others.into_iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")));
        let of = if parts.len() > 1 { format!(", of {total}") } else { String::new() };
        let duplicates = match summary.duplicates {
            0 => String::new(),
            1 => " (1 duplicate ignored)".to_owned(),
            count => format!(" ({count} duplicates ignored)"),
        };
        parts.join(", ") + &of + &duplicates
    }

    fn explain(&mut self, interrupted: bool, read: &ReadState) {
        let verbose = self.output.verbose;
        // A refusal that ended the run is the reason why the rest was not sent.
        let refusal = self.failures.iter_mut().find(|failure| failure.label == NOT_CHANGED);
        if let Some(refusal) = refusal.filter(|_| !interrupted) {
            let not_sent = self.others.extract_if(.., |(kind, _)| *kind == OutcomeKind::NotSent);
            refusal.ids.extend(not_sent.map(|(_, id)| id));
        }
        for failure in &self.failures {
            failure.show(verbose);
        }
        let participle = participle(self.verb);
        let explain = |kind: OutcomeKind, summary: &str, next: &str| {
            let ids = self.others.iter().filter(|(other, _)| *other == kind);
            let ids: Vec<String> = ids.map(|(_, id)| id.clone()).collect();
            if !ids.is_empty() {
                Failure::usage(format!("{summary}: {}", abbreviate(&ids))).next(next).show(verbose);
            }
        };
        explain(OutcomeKind::NotFound, "the service does not know", NOT_FOUND_HINT);
        let summary = format!("the service reported success, but these are not {participle}");
        let next =
            "a gateway that drops request bodies answers so: try --api-generation v5; or somebody has reverted it";
        explain(OutcomeKind::NotApplied, &summary, next);
        let summary = format!("no answer, and these are not {participle} so far");
        let next =
            "the change may still be applied: look with `cx-incidents get` later; it is safe to repeat the command";
        explain(OutcomeKind::NotYetApplied, &summary, next);
        explain(OutcomeKind::NotSent, "not sent", "run the command again for these ids; nothing was changed");
        let next = "`cx-incidents get` shows which of them were changed; it is safe to repeat the command";
        explain(OutcomeKind::Abandoned, "abandoned before the service answered", next);
        let next = "`cx-incidents get --event` may show it later; it is safe to repeat the command";
        explain(OutcomeKind::Unknown, "the service answered without showing the incident", next);
        match read {
            ReadState::Complete => {}
            ReadState::Incomplete => {
                write_stderr_line("standard input was not read to its end: the ids after that were not sent");
            }
            ReadState::Failed(problem) => {
                let next = "the ids before that line were used, and none after it";
                Failure::usage(format!("standard input: {problem}")).next(next).show(verbose);
            }
        }
    }
}

/// What to do about ids that do not exist.
pub(crate) const NOT_FOUND_HINT: &str =
    "check the ids, the region and the account: `cx-incidents list` shows the incidents there are";
