//! `events`: what happened to incidents, in the order of the ids.

use coralogix_incidents::{Error, types::IncidentEvent};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::{Context, all, broken_off, get};
use crate::{
    commands::args::{Format, IdArgs},
    commands::change::interrupted,
    dry_run::{self, Input},
    report::errors::{Exit, Stop, plain},
    report::table,
};

pub(crate) async fn run(context: &Context<'_>, ids: IdArgs) -> Result<Exit, Stop> {
    let ids = all(ids).await?;
    let output = context.output;
    if context.global.dry_run {
        let requests = ids
            .iter()
            .map(|id| dry_run::request(&context.client, "getIncidentEvents", Input::Id(id)))
            .collect::<Result<Vec<_>, _>>()?;
        return dry_run::read(context, &requests);
    }
    let mut answers = stream::iter(ids)
        .map(|id| async { (context.client.get_incident_events(&id).await, id) })
        .buffered(context.global.concurrency())
        .take_until(Box::pin(interrupted()));
    let (mut found, mut missing) = (Vec::<(String, Vec<IncidentEvent>)>::new(), Vec::new());
    let mut count = 0;
    let mut failed: Option<(Error, Vec<String>)> = None;
    while let Some((answer, id)) = answers.next().await {
        match answer {
            Ok(response) => {
                count += 1;
                let events = response.into_inner().incident_events;
                match output.format {
                    Format::Ndjson => events.iter().try_for_each(|event| output.ndjson(&document(&id, event)))?,
                    Format::Ids => output.line(plain(&id))?,
                    Format::Json | Format::Table => found.push((id, events)),
                }
            }
            Err(error) if error.is_not_found() => missing.push(id),
            Err(error) => match &mut failed {
                Some((_, more)) => more.push(id),
                None => failed = Some((error, vec![id])),
            },
        }
    }
    match output.format {
        Format::Json => {
            let documents = found.iter().flat_map(|(id, events)| events.iter().map(move |event| document(id, event)));
            output.json(&documents.collect::<Vec<_>>())?;
        }
        Format::Table if !found.is_empty() => output.line(table::events(output, &found))?,
        _ => {}
    }
    if answers.take_result().is_some() {
        return Ok(broken_off(count));
    }
    Ok(get::account(context, count, &missing, failed))
}

fn document(id: &str, event: &IncidentEvent) -> Value {
    json!({ "incidentId": id, "event": event })
}
