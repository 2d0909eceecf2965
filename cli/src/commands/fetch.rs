//! Reads many things by id: the loop that `get` and `events` share, and how incidents are shown. It does not know how they
//! are read.

use std::sync::Arc;

use chrono::Utc;
use coralogix_incidents::{Error, types::Incident};
use futures::{Stream, StreamExt};

use crate::{
    commands::show_interrupted,
    context::Context,
    report::{
        errors::{Exit, Failure, Stop, abbreviate},
        outcomes::NOT_FOUND_HINT,
        table,
    },
    terminal::{interrupts, output::Format, sanitize::sanitize_line},
};

/// The result of reading one id.
pub(crate) enum Fetched<T> {
    Found(T),
    NotFound,
    /// The service answered, and did not show it.
    Empty,
    Failed(Arc<Error>),
    /// Not read, because an earlier failure would meet every request.
    NotSent,
}

/// What was not read, and why.
#[derive(Default)]
pub(crate) struct Missing {
    found: usize,
    not_found: Vec<String>,
    /// Each distinct failure with its ids.
    failures: Vec<(Failure, Vec<String>)>,
    not_sent: Vec<String>,
    interrupted: bool,
}

/// Takes results until all are there or the program is interrupted, and gives what was found to `found`.
pub(crate) async fn fetch<T>(
    results: impl Stream<Item = (String, Fetched<T>)>,
    mut found: impl FnMut(String, T) -> Result<(), Stop>,
) -> Result<Missing, Stop> {
    let mut results = Box::pin(results).take_until(Box::pin(interrupts::reached(1)));
    let mut missing = Missing::default();
    while let Some((id, result)) = results.next().await {
        match result {
            Fetched::Found(item) => {
                missing.found += 1;
                found(id, item)?;
            }
            Fetched::NotFound => missing.not_found.push(id),
            Fetched::Empty => {
                let failure = Failure::with_exit(Exit::Failed, "the service answered without showing the incident");
                missing.add(failure.next("try again later"), id);
            }
            Fetched::NotSent => missing.not_sent.push(id),
            Fetched::Failed(error) => {
                missing.add(Failure::sdk(&error), id);
            }
        }
    }
    missing.interrupted = results.take_result().is_some();
    Ok(missing)
}

impl Missing {
    /// Adds an id to those that met the same failure.
    fn add(&mut self, failure: Failure, id: String) {
        match self.failures.iter_mut().find(|(known, _)| known.summary() == failure.summary()) {
            Some((known, ids)) => {
                known.add_details(failure);
                ids.push(id);
            }
            None => self.failures.push((failure, vec![id])),
        }
    }

    /// Reports what was not read, and says how the command ends.
    pub(crate) fn report(mut self, context: &Context<'_>) -> Exit {
        if self.interrupted {
            return show_interrupted(self.found);
        }
        let verbose = context.output.verbose;
        let complete = self.not_found.is_empty() && self.failures.is_empty();
        if let Some((_, ids)) = self.failures.first_mut() {
            ids.append(&mut self.not_sent);
        }
        let mut exit = Exit::Failed;
        for (failure, ids) in self.failures.into_iter().rev() {
            exit = failure.exit;
            failure.ids(&ids, "not read").show(verbose);
        }
        if !self.not_found.is_empty() {
            let summary = format!("the service does not know: {}", abbreviate(&self.not_found));
            Failure::usage(summary).next(NOT_FOUND_HINT).show(verbose);
        }
        match (complete, self.found) {
            (true, _) => Exit::Done,
            (false, 0) => exit,
            (false, _) => Exit::Partial,
        }
    }
}

/// Shows incidents as they are read, or at the end, and reports those that could not be read.
pub(crate) async fn show_incidents(
    context: &Context<'_>,
    results: impl Stream<Item = (String, Fetched<Incident>)>,
) -> Result<Exit, Stop> {
    let output = context.output;
    let mut incidents: Vec<Incident> = Vec::new();
    let missing = fetch(results, |_, incident| {
        match output.format {
            Format::Ndjson => output.ndjson(&incident)?,
            Format::Ids => output.line(sanitize_line(&incident.id))?,
            Format::Json | Format::Table => incidents.push(incident),
        }
        Ok(())
    })
    .await?;
    match (output.format, incidents.as_slice()) {
        (Format::Json, _) => output.json(&incidents)?,
        (Format::Table, [only]) => output.line(table::incident(output, only, Utc::now()))?,
        (Format::Table, [_, ..]) => output.line(table::incidents(output, &incidents, Utc::now()))?,
        _ => {}
    }
    Ok(missing.report(context))
}
