//! `events`: the events of incidents, in the order of the ids; or all events that match a filter.

use std::{path::PathBuf, sync::Arc};

use chrono::{DateTime, Utc};
use clap::{Args, ValueHint};
use clap_complete::ArgValueCandidates;
use coralogix_incidents::types::{
    IncidentEvent, IncidentEventExtended, IncidentEventQueryFilter, IncidentSeverity, IncidentStatus,
    ListIncidentEventsFilterValuesRequest, ListIncidentEventsRequest, ListIncidentEventsTotalCountRequest,
    PaginationRequest,
};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::{
    commands::{
        fetch::{Fetched, fetch},
        filters::{self, labels, time_range},
        stats::counts,
    },
    context::Context,
    dry_run::{self, Input},
    input::{
        ids::{self, IdArgs, known_ids},
        names, time,
    },
    report::{
        errors::{Exit, Failure, Stop, is_not_found},
        table,
    },
    terminal::{
        interrupts::{self, unless_interrupted},
        output::Format,
        sanitize::sanitize_line,
        streams::write_stderr_line,
    },
};

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// Ids of incidents, `-` reads them from standard input; without ids, events of all incidents are listed
    #[arg(value_name = "ID", add = ArgValueCandidates::new(known_ids), conflicts_with = "event_filters")]
    ids: Vec<String>,
    /// Read ids from a file, one per line; blank lines and lines that begin with `#` are ignored
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "event_filters")]
    from_file: Option<PathBuf>,
    #[command(flatten)]
    filters: EventFilterArgs,
}

#[derive(Debug, Args)]
#[group(id = "event_filters", multiple = true)]
struct EventFilterArgs {
    /// Filter by status of the incident; filters by value can be repeated and match any of the values
    #[arg(long, value_parser = filters::status(), ignore_case = true, help_heading = "Filters (without ids)")]
    status: Vec<IncidentStatus>,
    /// Filter by severity of the incident
    #[arg(long, value_parser = filters::severity(), ignore_case = true, help_heading = "Filters (without ids)")]
    severity: Vec<IncidentSeverity>,
    /// Filter by name of the incident
    #[arg(long, value_name = "NAME", value_parser = names::value, help_heading = "Filters (without ids)")]
    name: Option<String>,
    /// Filter by contextual label; needs API generation v1
    #[arg(long, value_name = "KEY=VALUE", value_parser = names::label, help_heading = "Filters (without ids)")]
    label: Vec<(String, String)>,
    /// Only muted (`true`) or only unmuted (`false`) incidents
    #[arg(long, value_name = "BOOLEAN", help_heading = "Filters (without ids)")]
    muted: Option<bool>,
    /// At this time or later: `2h` (ago), `2026-03-14` or `2026-03-14T08:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters (without ids)")]
    since: Option<DateTime<Utc>>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters (without ids)")]
    until: Option<DateTime<Utc>>,
    /// Maximum number of events to show
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Filters (without ids)")]
    limit: Option<u32>,
    /// Show how many events there are, altogether and by value, instead of the events
    #[arg(long, conflicts_with = "limit", help_heading = "Filters (without ids)")]
    count: bool,
}

/// The page size: the most events in one response.
const PAGE_SIZE: u32 = 200;

pub(crate) async fn run(context: &Context<'_>, args: EventsArgs) -> Result<Exit, Stop> {
    if !args.ids.is_empty() || args.from_file.is_some() {
        return by_id(context, IdArgs { ids: args.ids, from_file: args.from_file }).await;
    }
    let EventFilterArgs { status, severity, name, label, muted, since, until, limit, count } = args.filters;
    let mut filter = IncidentEventQueryFilter::default();
    filter.status = status;
    filter.severity = severity;
    filter.name = name;
    filter.contextual_labels = labels(label);
    filter.is_muted = muted;
    filter.timestamp = time_range("since", since, "until", until)?;
    if count { Box::pin(show_count(context, filter)).await } else { by_filter(context, filter, limit).await }
}

async fn by_filter(context: &Context<'_>, filter: IncidentEventQueryFilter, limit: Option<u32>) -> Result<Exit, Stop> {
    let size = limit.map_or(PAGE_SIZE, |limit| limit.min(PAGE_SIZE));
    let request = ListIncidentEventsRequest::default()
        .with_filter(filter)
        .with_pagination(PaginationRequest::default().with_page_size(size));
    if context.options.dry_run {
        let request = dry_run::request(&context.client, "listIncidentEvents", Input::Message(json!(request)))?;
        return dry_run::read(context, &[request]);
    }
    let output = context.output;
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    let stream = context.client.list_incident_events_stream(request).take(limit);
    let mut stream = Box::pin(stream).take_until(Box::pin(interrupts::reached(1)));
    let mut events: Vec<IncidentEventExtended> = Vec::new();
    let (mut count, mut failure) = (0, None);
    loop {
        match stream.try_next().await {
            Ok(None) => break,
            Ok(Some(event)) => {
                count += 1;
                match output.format {
                    Format::Ndjson => output.ndjson(&event)?,
                    Format::Ids => output.line(sanitize_line(event.cx_event_key.as_deref().unwrap_or_default()))?,
                    Format::Json | Format::Table => events.push(event),
                }
            }
            Err(error) => {
                failure = Some(Failure::sdk(&error));
                break;
            }
        }
    }
    match output.format {
        Format::Json => output.json(&events)?,
        Format::Table if !events.is_empty() => output.line(table::extended_events(output, &events))?,
        _ => {}
    }
    if stream.take_result().is_some() {
        write_stderr_line(format!("interrupted: the output is incomplete; it has {count} events"));
        return Ok(Exit::Interrupted);
    }
    match failure {
        Some(failure) if count == 0 => Err(failure.into()),
        Some(failure) => {
            failure.show(output.verbose);
            write_stderr_line(format!("the list is not complete: it has the first {count} events"));
            Ok(Exit::Partial)
        }
        None => {
            if count == 0 {
                write_stderr_line("no event matches the filter");
            }
            Ok(Exit::Done)
        }
    }
}

/// Counts events, altogether and by value.
async fn show_count(context: &Context<'_>, filter: IncidentEventQueryFilter) -> Result<Exit, Stop> {
    let (client, output) = (&context.client, context.output);
    let total = ListIncidentEventsTotalCountRequest::default().with_filter(filter.clone());
    let values = ListIncidentEventsFilterValuesRequest::default().with_filter(filter);
    if context.options.dry_run {
        let requests = [
            dry_run::request(client, "listIncidentEventsTotalCount", Input::Message(json!(total)))?,
            dry_run::request(client, "listIncidentEventsFilterValues", Input::Message(json!(values)))?,
        ];
        return dry_run::read(context, &requests);
    }
    let calls = async {
        tokio::try_join!(
            client.list_incident_events_total_count(&total),
            client.list_incident_events_filter_values(&values)
        )
    };
    let (total, values) = unless_interrupted(calls).await?.map_err(|error| Failure::sdk(&error))?;
    let reached_limit = total.reached_limit.unwrap_or_default();
    let count = total.count.unwrap_or_default();
    let mut rows = vec![json!({ "field": "total", "value": "", "count": count })];
    rows.extend(counts(&values.into_inner().filters_values.unwrap_or_default()));
    match output.format {
        Format::Json => output.json(&rows)?,
        Format::Ndjson => rows.iter().try_for_each(|row| output.ndjson(row))?,
        Format::Table | Format::Ids => output.line(table::counts(output, &rows))?,
    }
    if reached_limit {
        write_stderr_line("the service stopped counting at its limit: there are more events");
    }
    Ok(Exit::Done)
}

async fn by_id(context: &Context<'_>, args: IdArgs) -> Result<Exit, Stop> {
    let ids = ids::read_all(args).await?;
    let output = context.output;
    // Ids that can't be sent are refused before others are.
    let requests = dry_run::requests_by_id(&context.client, "getIncidentEvents", &ids)?;
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
                    Ok((Err(error), id)) if is_not_found(&error) => Some((id, Fetched::NotFound)),
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
