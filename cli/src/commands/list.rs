//! `list`: incidents by filter, order and limit.

use std::collections::BTreeMap;

use chrono::Utc;
use coralogix_incidents::types::{
    ContextualLabelValues, Incident, IncidentQueryFilter, ListIncidentsRequest, OrderBy, PaginationRequest, TimeRange,
};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use super::{Context, broken_off};
use crate::{
    commands::args::{Format, ListArgs},
    commands::change::interrupted,
    dry_run::{self, Input},
    report::errors::{Exit, Failure, Stop, plain},
    report::table,
    terminal::output::note,
};

/// The most incidents asked for at once.
const PAGE: u32 = 200;

pub(crate) async fn run(context: &Context<'_>, args: ListArgs) -> Result<Exit, Stop> {
    let limit = args.limit;
    let request = request(args);
    if context.global.dry_run {
        let request = dry_run::request(&context.client, "listIncidents", Input::Body(json!(request)))?;
        return dry_run::read(context, &[request]);
    }
    let output = context.output;
    let mut incidents = context.client.list_incidents_stream(request).take_until(Box::pin(interrupted()));
    let mut collected: Vec<Incident> = Vec::new();
    let mut count = 0;
    let mut failure = None;
    while limit.is_none_or(|limit| count < limit) {
        match incidents.try_next().await {
            Ok(None) => break,
            Ok(Some(incident)) => {
                count += 1;
                match output.format {
                    Format::Ndjson => output.ndjson(&incident)?,
                    Format::Ids => output.line(plain(&incident.id))?,
                    Format::Json | Format::Table => collected.push(incident),
                }
            }
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    // What came before a page failed is shown all the same.
    match output.format {
        Format::Json => output.json(&collected)?,
        Format::Table if !collected.is_empty() => output.line(table::incidents(output, &collected, Utc::now()))?,
        _ => {}
    }
    if incidents.take_result().is_some() {
        return Ok(broken_off(count));
    }
    if let Some(error) = failure {
        let failure = Failure::sdk(&error);
        if count == 0 {
            return Err(failure.into());
        }
        output.failure(&failure);
        note(format!("the list is not complete: {count} came before that"));
        return Ok(Exit::Partial);
    }
    if count == 0 {
        note("no incident meets the filter");
    }
    Ok(Exit::Done)
}

fn request(args: ListArgs) -> ListIncidentsRequest {
    let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in args.label {
        labels.entry(key).or_default().push(value);
    }
    let label = |(key, values): (String, Vec<String>)| {
        (key, ContextualLabelValues::default().with_contextual_label_values(values))
    };
    let mut filter = IncidentQueryFilter::default();
    filter.assignee = args.assignee;
    filter.status = args.status.into_iter().map(Into::into).collect();
    filter.state = args.state.into_iter().map(Into::into).collect();
    filter.severity = args.severity.into_iter().map(Into::into).collect();
    filter.contextual_labels = labels.into_iter().map(label).collect();
    filter.application_name = args.application;
    filter.subsystem_name = args.subsystem;
    filter.start_time = args.since;
    filter.end_time = args.until;
    if args.created_since.is_some() || args.created_until.is_some() {
        let mut range = TimeRange::default();
        range.start_time = args.created_since;
        range.end_time = args.created_until;
        filter.created_at_range = Some(range);
    }
    let orders = args
        .order
        .into_iter()
        .map(|order| OrderBy::default().with_incident_field(order.field).with_direction(order.direction));
    let size = args.limit.map_or(PAGE, |limit| limit.min(PAGE));
    ListIncidentsRequest::default()
        .with_filter(filter)
        .with_order_bys(orders.collect::<Vec<_>>())
        .with_pagination(PaginationRequest::default().with_page_size(size))
}
