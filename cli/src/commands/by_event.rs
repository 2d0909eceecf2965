//! `--event`: incidents that are named by the id of one of their events, as the webhook of an alert has it.

use std::{future::ready, sync::Arc};

use clap::Args;
use coralogix_incidents::{Client, Effect, Error, bulk::Fate, types::Incident};
use futures::{StreamExt, stream};

use crate::{
    action::Action,
    commands::{
        change,
        fetch::{Fetched, show_incidents},
    },
    context::Context,
    dry_run,
    input::{
        ids::{IdArgs, Ids, ReadState},
        names,
    },
    report::{
        errors::{Exit, Stop, is_not_found},
        outcomes::{IdOrder, Report},
    },
    terminal::{interrupts, streams::write_stderr_line},
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

/// A change that the service makes by the id of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EventAction {
    Acknowledge,
    Resolve,
}

impl EventAction {
    fn action(self) -> Action {
        match self {
            Self::Acknowledge => Action::Acknowledge,
            Self::Resolve => Action::Resolve,
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledgeIncidentByEventId",
            Self::Resolve => "resolveIncidentByEventId",
        }
    }

    /// The incident as the reply has it; `None` if the reply does not show it.
    async fn send(self, client: &Client, event: &str) -> Result<Option<Incident>, Error> {
        match self {
            Self::Acknowledge => Ok(client.acknowledge_incident_by_event_id(event).await?.into_inner().incident),
            Self::Resolve => Ok(client.resolve_incident_by_event_id(event).await?.into_inner().incident),
        }
    }
}

pub(crate) async fn run(context: &Context<'_>, action: EventAction, args: EventOrIdArgs) -> Result<Exit, Stop> {
    if args.events.is_empty() {
        return change::run(context, action.action(), args.ids).await;
    }
    // Ids that can't be sent are refused before others are.
    let requests = dry_run::requests_by_id(&context.client, action.operation(), &args.events)?;
    if context.options.dry_run {
        return dry_run::read(context, &requests);
    }
    let events = Ids::known(args.events).collect().await?;
    let Some(events) = change::confirm(context, &action.action(), Ids::known(events)).await else {
        write_stderr_line("nothing was sent");
        return Err(Stop::Interrupted);
    };
    let events: Vec<String> = events.collect().await;
    let (output, change) = (context.output, action.action());
    let mut report = Report::new(output, &change);
    let mut results = stream::iter(events.clone())
        .map(|event| {
            let client = context.client.clone();
            async move {
                // The first interrupt, and a reader that is gone, let what is under way finish and begin no more.
                if interrupts::count() > 0 || output.is_closed() {
                    return Some(Fate::NotSent);
                }
                // On a task, so that a slow reader of the output does not delay the answer.
                tokio::spawn(async move { apply(&client, action, &event).await }).await.unwrap_or(Some(Fate::Abandoned))
            }
        })
        .buffered(context.options.concurrency())
        .take_until(Box::pin(interrupts::reached(2)));
    let mut events = events.into_iter();
    while let Some(fate) = results.next().await {
        if let Some(event) = events.next() {
            match fate {
                Some(fate) => report.record(event, fate),
                None => report.record_unclear(event),
            }
        }
    }
    for event in events {
        report.record(event, Fate::Abandoned);
    }
    report.finish(&IdOrder::default(), 0, interrupts::count() > 0, &ReadState::Complete)
}

/// Changes the incident of one event, and reads it if the reply leaves open what became of it. `None` if no reply shows it.
async fn apply(client: &Client, action: EventAction, event: &str) -> Option<Fate> {
    let error = match action.send(client, event).await {
        Ok(Some(incident)) => return Some(Fate::Updated(Box::new(incident))),
        Ok(None) => None,
        Err(error) if is_not_found(&error) && error.effect() == Effect::None => return Some(Fate::NotFound),
        Err(error) if error.effect() == Effect::None => return Some(Fate::Failed(Arc::new(error))),
        Err(error) => Some(error),
    };
    Some(match (read(client, event).await, error) {
        (Ok(Some(incident)), _) if action.action().verb().is_done(&incident) => Fate::Updated(Box::new(incident)),
        (Ok(Some(incident)), None) => Fate::NotApplied(Box::new(incident)),
        (Ok(Some(incident)), Some(_)) => Fate::NotYetApplied(Box::new(incident)),
        (Err(error), _) if is_not_found(&error) => Fate::NotFound,
        (_, Some(error)) | (Err(error), None) => Fate::Unknown(Arc::new(error)),
        (Ok(None), None) => return None,
    })
}

async fn read(client: &Client, event: &str) -> Result<Option<Incident>, Error> {
    Ok(client.get_incident_by_event_id(event).await?.into_inner().incident)
}

/// `get --event`.
pub(crate) async fn get(context: &Context<'_>, events: Vec<String>) -> Result<Exit, Stop> {
    let requests = dry_run::requests_by_id(&context.client, "getIncidentByEventId", &events)?;
    if context.options.dry_run {
        return dry_run::read(context, &requests);
    }
    let events = Ids::known(events).collect().await?;
    let results = stream::iter(events)
        .map(|event| {
            let client = context.client.clone();
            async {
                let task = tokio::spawn(async move { (read(&client, &event).await, event) });
                let (result, event) = task.await.ok()?;
                Some(match result {
                    Ok(Some(incident)) => (event, Fetched::Found(incident)),
                    Ok(None) => (event, Fetched::Empty),
                    Err(error) if is_not_found(&error) => (event, Fetched::NotFound),
                    Err(error) => (event, Fetched::Failed(Arc::new(error))),
                })
            }
        })
        .buffered(context.options.concurrency())
        .filter_map(ready);
    show_incidents(context, results).await
}
