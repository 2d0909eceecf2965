//! `events`: the events of incidents, in the order of the ids; or all events that match a filter.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, ValueHint};
use clap_complete::ArgValueCandidates;
use coralogix_incidents::types::{
    IncidentEvent, IncidentEventExtended, IncidentEventQueryFilter, IncidentSeverity, IncidentStatus,
    ListIncidentEventsFilterValuesRequest, ListIncidentEventsRequest, ListIncidentEventsTotalCountRequest,
};
use futures::StreamExt;
use serde::Serialize;
use serde_json::json;

use crate::{
    commands::{
        fetch::{fetch, pages, read_each, show_pages},
        filters::{self, labels, time_range},
        stats::counts,
    },
    context::Context,
    dry_run,
    input::{IdArgs, ids, known_ids, names, time},
    report::{Exit, Stop, table},
    terminal::{Listing, unless_interrupted, write_stderr_line},
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
    let request = ListIncidentEventsRequest::default().with_filter(filter).with_pagination(pages(limit));
    if context.options.dry_run {
        return dry_run::messages(context, [("listIncidentEvents", json!(request))]);
    }
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    let events = context.client.list_incident_events_stream(request).take(limit);
    let key = |event: &IncidentEventExtended| event.cx_event_key.clone().unwrap_or_default();
    show_pages(context, events, "event", key, |events| table::extended_events(context.output, events)).await
}

/// Counts events, altogether and by value.
async fn show_count(context: &Context<'_>, filter: IncidentEventQueryFilter) -> Result<Exit, Stop> {
    let client = &context.client;
    let total = ListIncidentEventsTotalCountRequest::default().with_filter(filter.clone());
    let values = ListIncidentEventsFilterValuesRequest::default().with_filter(filter);
    if context.options.dry_run {
        let requests =
            [("listIncidentEventsTotalCount", json!(total)), ("listIncidentEventsFilterValues", json!(values))];
        return dry_run::messages(context, requests);
    }
    let calls = async {
        tokio::try_join!(
            client.list_incident_events_total_count(&total),
            client.list_incident_events_filter_values(&values)
        )
    };
    let (total, values) = unless_interrupted(calls).await??;
    let mut rows = vec![json!({ "field": "total", "value": "", "count": total.count.unwrap_or_default() })];
    rows.extend(counts(&values.into_inner().filters_values.unwrap_or_default()));
    context.output.documents(&rows, || table::counts(context.output, &rows))?;
    if total.reached_limit.unwrap_or_default() {
        write_stderr_line("the service stopped counting at its limit: there are more events");
    }
    Ok(Exit::Done)
}

/// An event of one incident, in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventOf {
    incident_id: String,
    event: IncidentEvent,
}

async fn by_id(context: &Context<'_>, args: IdArgs) -> Result<Exit, Stop> {
    let ids = ids::read_all(args).await?;
    if let Some(exit) = dry_run::check_ids(context, "getIncidentEvents", &ids)? {
        return Ok(exit);
    }
    let results = read_each(context, ids, async |client, id| {
        Ok(Some(client.get_incident_events(&id).await?.into_inner().incident_events))
    });
    let mut listing = Listing::new(context.output);
    let missing = fetch(results, |id, events| {
        listing.add(&id, events.into_iter().map(|event| EventOf { incident_id: id.clone(), event }))
    })
    .await?;
    listing.finish(|found| {
        table::events(context.output, found.iter().map(|found| (found.incident_id.as_str(), &found.event)))
    })?;
    Ok(missing.report(context))
}
