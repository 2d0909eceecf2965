//! `get`: incidents by id, in the order of the ids.

use std::collections::HashMap;

use chrono::Utc;
use coralogix_incidents::{
    bulk::{Fate, Outcome, Run},
    types::Incident,
};
use futures::{Stream, StreamExt, stream};

use crate::{
    commands::{
        by_event::{self, EventOrIdArgs},
        fetch::{Fetched, fetch},
    },
    context::Context,
    dry_run,
    input::ids,
    report::{
        errors::{Exit, Stop},
        table,
    },
    terminal::{output::Format, sanitize::sanitize_line},
};

pub(crate) async fn run(context: &Context<'_>, args: EventOrIdArgs) -> Result<Exit, Stop> {
    if !args.events.is_empty() {
        return by_event::get(context, args.events).await;
    }
    let ids = ids::read_all(args.ids).await?;
    if context.options.dry_run {
        return dry_run::read(context, &dry_run::requests(&context.client, "batchGetIncident", &ids)?);
    }
    let run = context.client.bulk().concurrency(context.options.concurrency()).get(ids.clone());
    let results = in_order(ids, run).map(|Outcome { id, fate, .. }| (id, fetched(fate)));
    show(context, results).await
}

/// Shows incidents as they are read, or at the end, and reports those that could not be read.
pub(crate) async fn show(
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

fn fetched(fate: Fate) -> Fetched<Incident> {
    match fate {
        Fate::Found(incident) => Fetched::Found(*incident),
        Fate::NotFound => Fetched::NotFound,
        Fate::Failed(error) | Fate::Unknown(error) => Fetched::Failed(error),
        _ => Fetched::NotSent,
    }
}

/// The outcomes of a run in the order of its ids. Those that arrive earlier wait for their turn.
fn in_order(ids: Vec<String>, run: Run) -> impl Stream<Item = Outcome> {
    let state = (ids.into_iter(), run, HashMap::<String, Outcome>::new());
    stream::unfold(state, |(mut ids, mut run, mut early)| async move {
        let id = ids.next()?;
        loop {
            if let Some(outcome) = early.remove(&id) {
                return Some((outcome, (ids, run, early)));
            }
            let outcome = run.next().await?;
            early.insert(outcome.id.clone(), outcome);
        }
    })
}
