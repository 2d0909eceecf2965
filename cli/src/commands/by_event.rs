//! `--event`: incidents that are named by the id of one of their events, as the webhook of an alert has it.

use std::sync::Arc;

use clap::Args;
use coralogix_incidents::{
    Client, Effect, Error,
    bulk::{Fate, Verb},
    types::Incident,
};
use futures::StreamExt;

use crate::{
    commands::{change, fetch::call_each},
    context::Context,
    dry_run,
    input::{IdArgs, Ids, ReadState, names},
    report::{Exit, Report, Stop, is_not_found},
    terminal::interrupts,
    verb::name,
};

/// Ids of incidents, or ids of events.
#[derive(Debug, Args)]
pub(crate) struct EventOrIdArgs {
    #[command(flatten)]
    pub(crate) ids: IdArgs,
    /// Id of an event of the incident, as an alert's webhook has it; can be repeated
    #[arg(long = "event", value_name = "EVENT_ID", value_parser = names::id, group = "source", conflicts_with_all = ["ids", "from_file"])]
    pub(crate) events: Vec<String>,
}

/// Acknowledges or resolves, the two changes that the service makes by the id of an event.
pub(crate) async fn run(context: &Context<'_>, verb: Verb, args: EventOrIdArgs) -> Result<Exit, Stop> {
    if args.events.is_empty() {
        return change::run(context, verb, args.ids).await;
    }
    let operation = format!("{}IncidentByEventId", name(&verb));
    if let Some(exit) = dry_run::check_ids(context, &operation, &args.events)? {
        return Ok(exit);
    }
    let events = Ids::known(args.events).collect().await?;
    let events: Vec<String> = change::confirm(context, &verb, Ids::known(events)).await?.collect().await;
    let mut report = Report::new(context.output, &verb);
    let results = call_each(context, events.clone(), |client, event| {
        let verb = verb.clone();
        // The first interrupt, and a reader that is gone, let what is under way finish and begin no more.
        let is_over = interrupts::count() > 0 || context.output.is_closed();
        async move { if is_over { Some(Fate::NotSent) } else { apply(&client, &verb, &event).await } }
    });
    let mut results = results.take_until(Box::pin(interrupts::reached(2)));
    for event in events {
        let fate = results.next().await.and_then(|(_, fate)| fate);
        report.record(event, fate.unwrap_or(Some(Fate::Abandoned)));
    }
    report.finish(0, &ReadState::Complete)
}

/// Changes the incident of one event, and reads it if the reply leaves open what became of it. `None` if no reply shows it.
async fn apply(client: &Client, verb: &Verb, event: &str) -> Option<Fate> {
    let reply = match verb {
        Verb::Resolve => client.resolve_incident_by_event_id(event).await.map(|reply| reply.into_inner().incident),
        _ => client.acknowledge_incident_by_event_id(event).await.map(|reply| reply.into_inner().incident),
    };
    let error = match reply {
        Ok(Some(incident)) => return Some(Fate::Updated(Box::new(incident))),
        Ok(None) => None,
        Err(error) if is_not_found(&error) && error.effect() == Effect::None => return Some(Fate::NotFound),
        Err(error) if error.effect() == Effect::None => return Some(Fate::Failed(Arc::new(error))),
        Err(error) => Some(error),
    };
    Some(match (read(client, event).await, error) {
        (Ok(Some(incident)), _) if verb.is_done(&incident) => Fate::Updated(Box::new(incident)),
        (Ok(Some(incident)), None) => Fate::NotApplied(Box::new(incident)),
        (Ok(Some(incident)), Some(_)) => Fate::NotYetApplied(Box::new(incident)),
        (Err(error), _) if is_not_found(&error) => Fate::NotFound,
        (_, Some(error)) | (Err(error), None) => Fate::Unknown(Arc::new(error)),
        (Ok(None), None) => return None,
    })
}

pub(crate) async fn read(client: &Client, event: &str) -> Result<Option<Incident>, Error> {
    Ok(client.get_incident_by_event_id(event).await?.into_inner().incident)
}
