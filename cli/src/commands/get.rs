//! `get`: incidents by id or by the id of an event, in the order of the ids.

use std::collections::HashMap;

use chrono::Utc;
use coralogix_incidents::{
    bulk::{Fate, Outcome, Run},
    types::Incident,
};
use futures::{Stream, StreamExt, stream};
use serde_json::json;

use crate::{
    commands::{
        by_event::{EventOrIdArgs, read},
        fetch::{Fetched, fetch, read_each},
    },
    context::Context,
    dry_run,
    input::{Ids, ids},
    report::{Exit, Stop, table},
    terminal::Listing,
};

pub(crate) async fn run(context: &Context<'_>, args: EventOrIdArgs) -> Result<Exit, Stop> {
    if !args.events.is_empty() {
        if let Some(exit) = dry_run::check_ids(context, "getIncidentByEventId", &args.events)? {
            return Ok(exit);
        }
        let events = Ids::known(args.events).collect().await?;
        return show(context, read_each(context, events, async |client, event| read(&client, &event).await)).await;
    }
    let ids = ids::read_all(args.ids).await?;
    if context.options.dry_run {
        return dry_run::read(context, &dry_run::batches(&context.client, "batchGetIncident", &ids, json!({}))?);
    }
    let run = context.bulk().get(ids.clone());
    show(context, in_order(ids, run).map(|Outcome { id, fate, .. }| (id, fetched(fate)))).await
}

/// Shows incidents as they are read, or at the end, and reports those that could not be read.
async fn show(context: &Context<'_>, results: impl Stream<Item = (String, Fetched<Incident>)>) -> Result<Exit, Stop> {
    let mut listing = Listing::new(context.output);
    let missing = fetch(results, |_, incident| listing.add(&incident.id.clone(), [incident])).await?;
    listing.finish(|incidents| match incidents {
        [only] => table::incident(context.output, only, Utc::now()),
        _ => table::incidents(context.output, incidents, Utc::now()),
    })?;
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
