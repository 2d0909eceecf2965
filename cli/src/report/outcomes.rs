//! The report of a change: the outcome of every id, as it arrives or at the end, and what to do about those that failed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use coralogix_incidents::{Error, bulk::Fate, types::Incident};
use futures::{Stream, StreamExt};
use serde::Serialize;

use crate::{
    action::Action,
    input::ids::ReadState,
    report::{
        errors::{Exit, Failure, Stop, abbreviate, summarize},
        table::{self, OutcomeRow, Tone},
    },
    terminal::{
        output::{Format, Output},
        sanitize::sanitize_line,
        streams::write_stderr_line,
    },
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
    fn not_done(&self) -> u64 {
        self.not_found + self.failed + self.unknown + self.not_applied + self.not_sent
    }
}

/// The order in which ids were given. Outcomes arrive in the order in which they become known.
#[derive(Debug, Clone, Default)]
pub(crate) struct IdOrder(Arc<Mutex<HashMap<String, usize>>>);

impl IdOrder {
    /// The same ids, whose order is remembered as they pass.
    pub(crate) fn remember<S: Stream<Item = String>>(&self, ids: S) -> impl Stream<Item = String> + use<S> {
        let Self(positions) = self.clone();
        ids.inspect(move |id| {
            let mut positions = positions.lock().unwrap_or_else(PoisonError::into_inner);
            let position = positions.len();
            positions.entry(id.clone()).or_insert(position);
        })
    }

    fn sort(&self, entries: &mut [Entry]) {
        let positions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.sort_by_key(|entry| positions.get(&entry.id).copied());
    }
}

/// Collects the outcomes of a change, and writes them.
pub(crate) struct Report<'a> {
    output: &'a Output,
    action: &'a Action,
    /// For the formats that are written at the end.
    entries: Vec<Entry>,
    summary: Summary,
    not_found: Vec<String>,
    not_applied: Vec<String>,
    not_yet_applied: Vec<String>,
    not_sent: Vec<String>,
    abandoned: Vec<String>,
    unclear: Vec<String>,
    failures: Vec<FailureGroup>,
    write_error: Option<Stop>,
}

/// The ids that met the same failure.
struct FailureGroup {
    failure: Failure,
    /// Whether the incidents may have been changed.
    is_open: bool,
    ids: Vec<String>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(output: &'a Output, action: &'a Action) -> Self {
        Self {
            output,
            action,
            entries: Vec::new(),
            summary: Summary::default(),
            not_found: Vec::new(),
            not_applied: Vec::new(),
            not_yet_applied: Vec::new(),
            not_sent: Vec::new(),
            abandoned: Vec::new(),
            unclear: Vec::new(),
            failures: Vec::new(),
            write_error: None,
        }
    }

    /// Records the outcome of one id, and writes it if the format is a stream.
    pub(crate) fn record(&mut self, id: String, fate: Fate) {
        let (result, incident, error) = match fate {
            Fate::Updated(incident) => (OutcomeKind::Done, Some(incident), None),
            Fate::NotFound => (OutcomeKind::NotFound, None, None),
            Fate::Failed(error) => (OutcomeKind::Failed, None, Some(error)),
            Fate::Unknown(error) => (OutcomeKind::Unknown, None, Some(error)),
            Fate::NotApplied(incident) => (OutcomeKind::NotApplied, Some(incident), None),
            Fate::NotYetApplied(incident) => (OutcomeKind::NotYetApplied, Some(incident), None),
            Fate::NotSent => (OutcomeKind::NotSent, None, None),
            // A fate that a newer SDK adds says nothing to this program, so the outcome is open.
            _ => (OutcomeKind::Abandoned, None, None),
        };
        let error = error.map(|error| self.group(&error, &id, result == OutcomeKind::Unknown));
        let (count, ids) = match result {
            OutcomeKind::Done => (&mut self.summary.done, None),
            OutcomeKind::NotFound => (&mut self.summary.not_found, Some(&mut self.not_found)),
            OutcomeKind::Failed => (&mut self.summary.failed, None),
            OutcomeKind::Unknown => (&mut self.summary.unknown, None),
            OutcomeKind::NotApplied => (&mut self.summary.not_applied, Some(&mut self.not_applied)),
            OutcomeKind::NotYetApplied => (&mut self.summary.unknown, Some(&mut self.not_yet_applied)),
            OutcomeKind::NotSent => (&mut self.summary.not_sent, Some(&mut self.not_sent)),
            OutcomeKind::Abandoned => (&mut self.summary.unknown, Some(&mut self.abandoned)),
        };
        *count += 1;
        if let Some(ids) = ids {
            ids.push(id.clone());
        }
        self.write_entry(Entry { id, result, incident, error });
    }

    /// Records that the service answered, and that no answer shows what became of the incident.
    pub(crate) fn record_unclear(&mut self, id: String) {
        self.summary.unknown += 1;
        self.unclear.push(id.clone());
        self.write_entry(Entry { id, result: OutcomeKind::Unknown, incident: None, error: None });
    }

    fn write_entry(&mut self, entry: Entry) {
        let written = match self.output.format {
            Format::Ndjson => self.output.ndjson(&entry),
            Format::Ids if entry.result == OutcomeKind::Done => self.output.line(sanitize_line(&entry.id)),
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

    fn group(&mut self, error: &Arc<Error>, id: &str, is_open: bool) -> ErrorReport {
        let report = ErrorReport::new(error);
        let is_same = |group: &&mut FailureGroup| group.failure.summary() == report.message && group.is_open == is_open;
        if let Some(group) = self.failures.iter_mut().find(is_same) {
            group.failure.add_details(Failure::sdk(error));
            group.ids.push(id.to_owned());
        } else {
            self.failures.push(FailureGroup { failure: Failure::sdk(error), is_open, ids: vec![id.to_owned()] });
        }
        report
    }

    /// Writes what is written at the end, and explains on standard error what was not done.
    pub(crate) fn finish(
        mut self,
        order: &IdOrder,
        duplicates: u64,
        interrupted: bool,
        read: &ReadState,
    ) -> Result<Exit, Stop> {
        self.summary.duplicates = duplicates;
        order.sort(&mut self.entries);
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
                let document = Document { verb: self.action.name(), results: &self.entries, summary: self.summary };
                self.output.json(&document)?;
            }
            Format::Table if !self.entries.is_empty() => {
                let rows = self.entries.iter().map(|entry| self.row(entry));
                self.output.line(table::outcomes(self.output, rows))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn row<'e>(&self, entry: &'e Entry) -> OutcomeRow<'e> {
        let (result, tone) = match entry.result {
            OutcomeKind::Done => (self.action.participle(), Tone::Good),
            OutcomeKind::NotFound => ("not found", Tone::Bad),
            OutcomeKind::Failed => ("failed", Tone::Bad),
            OutcomeKind::Unknown => ("unknown", Tone::Doubtful),
            OutcomeKind::NotApplied => ("not applied", Tone::Bad),
            OutcomeKind::NotYetApplied => ("not yet applied", Tone::Doubtful),
            OutcomeKind::NotSent => ("not sent", Tone::Doubtful),
            OutcomeKind::Abandoned => ("abandoned", Tone::Doubtful),
        };
        OutcomeRow { id: &entry.id, result, tone, incident: entry.incident.as_deref() }
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
        let mut parts = vec![format!("{} {}", summary.done, self.action.participle())];
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
        if !interrupted && let Some(group) = self.failures.iter_mut().find(|group| !group.is_open) {
            group.ids.append(&mut self.not_sent);
        }
        for FailureGroup { failure, is_open, ids } in std::mem::take(&mut self.failures) {
            let label = if is_open { "may or may not be changed" } else { "not changed" };
            failure.ids(&ids, label).show(verbose);
        }
        let explain = |summary: &str, ids: &[String], next: &str| {
            if !ids.is_empty() {
                Failure::usage(format!("{summary}: {}", abbreviate(ids))).next(next).show(verbose);
            }
        };
        explain("the service does not know", &self.not_found, NOT_FOUND_HINT);
        let participle = self.action.participle();
        let next =
            "a gateway that drops request bodies answers so: try --api-generation v5; or somebody has reverted it";
        explain(&format!("the service reported success, but these are not {participle}"), &self.not_applied, next);
        let next =
            "the change may still be applied: look with `cx-incidents get` later; it is safe to repeat the command";
        explain(&format!("no answer, and these are not {participle} so far"), &self.not_yet_applied, next);
        let next = "run the command again for these ids; nothing was changed";
        explain("not sent", &self.not_sent, next);
        let next = "`cx-incidents get` shows which of them were changed; it is safe to repeat the command";
        explain("abandoned before the service answered", &self.abandoned, next);
        let next = "`cx-incidents get --event` may show it later; it is safe to repeat the command";
        explain("the service answered without showing the incident", &self.unclear, next);
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
