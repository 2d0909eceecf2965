//! The account of a change: every id with what became of it, as it happens or at the end, and what to do about the rest.

use std::sync::Arc;

use coralogix_incidents::{
    Error,
    bulk::{Fate, Outcome},
    types::Incident,
};
use serde::Serialize;

use crate::{
    commands::args::Format,
    commands::change::Change,
    input::ids::Read,
    report::errors::{Exit, Failure, Stop, plain, some, what},
    report::table::{self, OutcomeRow, Tone},
    terminal::output::{Output, note},
};

/// What became of an id, as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Became {
    Done,
    NotFound,
    Failed,
    Unknown,
    NotApplied,
    NotSent,
    Abandoned,
}

/// One id of the account, as JSON has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    result: Became,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Box<Incident>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Told>,
}

/// An error, as JSON has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
}

impl Told {
    pub(crate) fn new(error: &Error) -> Self {
        Self {
            message: what(error),
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
    fn others(&self) -> u64 {
        self.not_found + self.failed + self.unknown + self.not_applied + self.not_sent
    }
}

pub(crate) struct Account<'a> {
    output: &'a Output,
    change: &'a Change,
    /// For the formats that are written at the end.
    entries: Vec<Entry>,
    summary: Summary,
    not_found: Vec<String>,
    not_applied: Vec<String>,
    not_sent: Vec<String>,
    abandoned: Vec<String>,
    failures: Vec<Group>,
    write_error: Option<Stop>,
}

/// The ids that met the same failure.
struct Group {
    failure: Failure,
    became: &'static str,
    ids: Vec<String>,
}

impl<'a> Account<'a> {
    pub(crate) fn new(output: &'a Output, change: &'a Change) -> Self {
        Self {
            output,
            change,
            entries: Vec::new(),
            summary: Summary::default(),
            not_found: Vec::new(),
            not_applied: Vec::new(),
            not_sent: Vec::new(),
            abandoned: Vec::new(),
            failures: Vec::new(),
            write_error: None,
        }
    }

    /// Takes what became of one id.
    pub(crate) fn take(&mut self, outcome: Outcome) {
        let id = outcome.id;
        let (result, incident, error) = match outcome.fate {
            Fate::Updated(incident) => {
                let remains = self.change.away_from.as_ref().is_some_and(|user| incident.is_assigned_to(user));
                (if remains { Became::NotApplied } else { Became::Done }, Some(incident), None)
            }
            Fate::NotFound => (Became::NotFound, None, None),
            Fate::Failed(error) => (Became::Failed, None, Some(error)),
            Fate::Unknown(error) => (Became::Unknown, None, Some(error)),
            Fate::NotApplied(incident) => (Became::NotApplied, Some(incident), None),
            Fate::NotSent => (Became::NotSent, None, None),
            // Of an unknown fate no more can be said than that it is not known.
            _ => (Became::Abandoned, None, None),
        };
        let error = error.map(|error| self.group(&error, &id, result == Became::Unknown));
        let (count, ids) = match result {
            Became::Done => (&mut self.summary.done, None),
            Became::NotFound => (&mut self.summary.not_found, Some(&mut self.not_found)),
            Became::Failed => (&mut self.summary.failed, None),
            Became::Unknown => (&mut self.summary.unknown, None),
            Became::NotApplied => (&mut self.summary.not_applied, Some(&mut self.not_applied)),
            Became::NotSent => (&mut self.summary.not_sent, Some(&mut self.not_sent)),
            Became::Abandoned => (&mut self.summary.unknown, Some(&mut self.abandoned)),
        };
        *count += 1;
        if let Some(ids) = ids {
            ids.push(id.clone());
        }
        self.tell(Entry { id, result, incident, error });
    }

    pub(crate) fn unknown(&mut self, id: String, error: &Arc<Error>) {
        let told = self.group(error, &id, true);
        self.summary.unknown += 1;
        self.tell(Entry { id, result: Became::Unknown, incident: None, error: Some(told) });
    }

    fn tell(&mut self, entry: Entry) {
        let told = match self.output.format {
            Format::Ndjson => self.output.ndjson(&entry),
            Format::Ids if entry.result == Became::Done => self.output.line(plain(&entry.id)),
            Format::Ids => Ok(()),
            Format::Table | Format::Json => {
                self.entries.push(entry);
                Ok(())
            }
        };
        if let Err(error) = told {
            self.write_error.get_or_insert(error);
        }
    }

    fn group(&mut self, error: &Arc<Error>, id: &str, unknown: bool) -> Told {
        let told = Told::new(error);
        let became = if unknown { "it is not known what became of" } else { "not changed" };
        let same = |group: &&mut Group| group.failure.what() == told.message && group.became == became;
        if let Some(group) = self.failures.iter_mut().find(same) {
            group.failure.again(error);
            group.ids.push(id.to_owned());
        } else {
            self.failures.push(Group { failure: Failure::sdk(error), became, ids: vec![id.to_owned()] });
        }
        told
    }

    /// Writes what is written at the end, and says how it went.
    pub(crate) fn finish(mut self, duplicates: u64, interrupted: bool, read: &Read) -> Result<Exit, Stop> {
        self.summary.duplicates = duplicates;
        if let Err(error) = self.write() {
            self.write_error.get_or_insert(error);
        }
        note(self.sentence());
        self.explain(interrupted, read);
        let exit = if interrupted {
            Exit::Interrupted
        } else if self.summary.others() == 0 && !matches!(read, Read::Broken(_)) {
            Exit::Done
        } else if self.summary.done > 0 {
            Exit::Partial
        } else if self.summary.others() > 0 {
            Exit::Failed
        } else {
            Exit::Usage
        };
        match self.write_error {
            Some(Stop::Failure(failure)) => Err(Stop::Failure(failure)),
            _ => Ok(exit),
        }
    }

    /// What is written at the end: of JSON, a document in any case.
    pub(crate) fn write(&self) -> Result<(), Stop> {
        match self.output.format {
            Format::Json => {
                let document = Document { verb: self.change.name, results: &self.entries, summary: self.summary };
                self.output.json(&document)
            }
            Format::Table if !self.entries.is_empty() => {
                self.output.line(table::outcomes(self.output, self.entries.iter().map(|entry| self.row(entry))))
            }
            _ => Ok(()),
        }
    }

    fn row<'e>(&self, entry: &'e Entry) -> OutcomeRow<'e> {
        let (result, tone) = match entry.result {
            Became::Done => (self.change.done, Tone::Good),
            Became::NotFound => ("not found", Tone::Bad),
            Became::Failed => ("failed", Tone::Bad),
            Became::Unknown => ("unknown", Tone::Doubtful),
            Became::NotApplied => ("not applied", Tone::Bad),
            Became::NotSent => ("not sent", Tone::Doubtful),
            Became::Abandoned => ("abandoned", Tone::Doubtful),
        };
        OutcomeRow { id: &entry.id, result, tone, incident: entry.incident.as_deref() }
    }

    /// `2 unassigned`, or `18 unassigned, 1 not found, of 19 (2 given again)`.
    fn sentence(&self) -> String {
        let summary = &self.summary;
        let total = summary.done + summary.others();
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
        let mut parts = vec![format!("{} {}", summary.done, self.change.done)];
        parts.extend(others.into_iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")));
        let of = if parts.len() > 1 { format!(", of {total}") } else { String::new() };
        let again =
            if summary.duplicates > 0 { format!(" ({} given again)", summary.duplicates) } else { String::new() };
        parts.join(", ") + &of + &again
    }

    fn explain(&mut self, interrupted: bool, read: &Read) {
        // What one refusal ended is told with it.
        if !interrupted && let Some(group) = self.failures.iter_mut().find(|group| group.became == "not changed") {
            group.ids.append(&mut self.not_sent);
        }
        for Group { failure, became, ids } in std::mem::take(&mut self.failures) {
            self.output.failure(&failure.which(&ids, became));
        }
        let tell = |what: &str, ids: &[String], next: &str| {
            if !ids.is_empty() {
                note(format!("error: {what}: {}\n  next: {next}", some(ids)));
            }
        };
        let listed = "check the ids, the region and the account: `cx-incidents list` shows the incidents there are";
        tell("the service does not know", &self.not_found, listed);
        let again = "the change never arrived, or somebody has undone it since: give these ids again";
        tell(&format!("read back, these are not {}", self.change.done), &self.not_applied, again);
        tell("not sent", &self.not_sent, "give these ids again; nothing was done to them");
        let look = "look with `cx-incidents get` what took effect; it is safe to repeat";
        tell("abandoned while they were under way", &self.abandoned, look);
        match read {
            Read::Whole => {}
            Read::Part => note("standard input was not read to its end: what came after was not sent"),
            Read::Broken(problem) => {
                let next = "ids before that line were taken, none after it";
                self.output.failure(&Failure::usage(format!("standard input: {problem}")).next(next));
            }
        }
    }
}
