//! `events`: the events of incidents, in the order of the ids.

use std::sync::Arc;

use coralogix_incidents::types::IncidentEvent;
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::{
    commands::fetch::{Fetched, fetch},
    context::Context,
    dry_run::{self, Input},
    input::ids::{self, IdArgs},
    report::{
        errors::{Exit, Stop},
        table,
    },
    terminal::{output::Format, sanitize::sanitize_line},
};

pub(crate) async fn run(context: &Context<'_>, args: IdArgs) -> Result<Exit, Stop> {
    let ids = ids::read_all(args).await?;
    let output = context.output;
    // Ids that can't be sent are refused before others are.
    let requests = ids.iter().map(|id| dry_run::request(&context.client, "getIncidentEvents", Input::Id(id)));
    let requests = requests.collect::<Result<Vec<_>, _>>()?;
    if context.options.dry_run {
        return dry_run::read(context, &requests);
    }
    let results = stream::iter(ids)
        .map(|id| {
            let client = context.client.clone();
            // On a task, so that a slow reader of the output does not delay the answers.
            let task = tokio::spawn(async move { (client.get_incident_events(&id).await, id) });
            async {
                match task.await {
                    Ok((Ok(response), id)) => Some((id, Fetched::Found(response.into_inner().incident_events))),
                    Ok((Err(error), id)) if error.is_not_found() => Some((id, Fetched::NotFound)),
                    Ok((Err(error), id)) => Some((id, Fetched::Failed(Arc::new(error)))),
                    // The runtime is shutting down.
                    Err(_) => None,
                }
            }
        })
        .buffered(context.options.concurrency())
        .filter_map(std::future::ready);
    let mut found: Vec<(String, Vec<IncidentEvent>)> = Vec::new();
    let missing = fetch(results, |id, events: Vec<IncidentEvent>| {
        match output.format {
            Format::Ndjson => events.iter().try_for_each(|event| output.ndjson(&document(&id, event)))?,
            Format::Ids => output.line(sanitize_line(&id))?,
            Format::Json | Format::Table => found.push((id, events)),
        }
        Ok(())
    })
    .await?;
    match output.format {
        Format::Json => {
            let documents = found.iter().flat_map(|(id, events)| events.iter().map(move |event| document(id, event)));
            output.json(&documents.collect::<Vec<_>>())?;
        }
        Format::Table if !found.is_empty() => output.line(table::events(output, &found))?,
        _ => {}
    }
    Ok(missing.report(context))
}

fn document(id: &str, event: &IncidentEvent) -> Value {
    json!({ "incidentId": id, "event": event })
}
