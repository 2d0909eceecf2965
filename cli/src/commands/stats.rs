//! `stats`: how many incidents there are, by value or in groups.

use clap::Args;
use coralogix_incidents::types::{
    GetFilterValuesRequest, GroupBy, IncidentAggregation, IncidentFields, IncidentQueryFiltersValues,
    ListIncidentAggregationsRequest, PaginationRequest,
};
use futures::TryStreamExt;
use serde_json::{Value, json};

use crate::{
    commands::filters::{FilterArgs, field_names, parse_field},
    context::Context,
    dry_run::{self, Input},
    input::names,
    report::{
        errors::{Exit, Failure, Stop},
        table,
    },
    terminal::{interrupts::unless_interrupted, output::Format, streams::write_stderr_line},
};

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    #[arg(
        help = format!(
            "Group incidents by a field, or by a contextual label as `label:KEY`; can be repeated; needs API generation v1. \
             Without it, incidents are counted by each of their values. Fields: {}",
            field_names()
        ),
        long,
        value_name = "FIELD",
        value_parser = parse_group
    )]
    by: Vec<Group>,
    #[command(flatten)]
    filters: FilterArgs,
}

/// What incidents are grouped by.
#[derive(Debug, Clone)]
enum Group {
    Field(String, IncidentFields),
    Label(String),
}

fn parse_group(text: &str) -> Result<Group, String> {
    match text.split_once(':') {
        Some(("label", key)) => Ok(Group::Label(names::value(key)?)),
        _ => Ok(Group::Field(text.to_owned(), parse_field(text)?)),
    }
}

/// The page size: the most groups in one response.
const PAGE_SIZE: u32 = 200;

pub(crate) async fn run(context: &Context<'_>, args: StatsArgs) -> Result<Exit, Stop> {
    if !args.by.is_empty() {
        return groups(context, args).await;
    }
    let request = GetFilterValuesRequest::default().with_filter(args.filters.filter()?);
    if context.options.dry_run {
        let request = dry_run::request(&context.client, "getFilterValues", Input::Message(json!(request)))?;
        return dry_run::read(context, &[request]);
    }
    let output = context.output;
    let response = unless_interrupted(context.client.get_filter_values(&request)).await?;
    let response = response.map_err(|error| Failure::sdk(&error))?;
    let rows = counts(&response.into_inner().filters_values.unwrap_or_default());
    match output.format {
        Format::Json => output.json(&rows)?,
        Format::Ndjson => rows.iter().try_for_each(|row| output.ndjson(row))?,
        Format::Table | Format::Ids if rows.is_empty() => write_stderr_line("no incident matches the filter"),
        Format::Table | Format::Ids => output.line(table::counts(output, &rows))?,
    }
    Ok(Exit::Done)
}

async fn groups(context: &Context<'_>, args: StatsArgs) -> Result<Exit, Stop> {
    let group_bys = args.by.iter().map(|group| match group {
        Group::Field(_, field) => GroupBy::default().with_incident_field(field.clone()),
        Group::Label(key) => GroupBy::default().with_contextual_label(key.as_str()),
    });
    let request = ListIncidentAggregationsRequest::default()
        .with_group_bys(group_bys.collect::<Vec<_>>())
        .with_filter(args.filters.filter()?)
        .with_pagination(PaginationRequest::default().with_page_size(PAGE_SIZE));
    if context.options.dry_run {
        let request = dry_run::request(&context.client, "listIncidentAggregations", Input::Message(json!(request)))?;
        return dry_run::read(context, &[request]);
    }
    let output = context.output;
    let groups = context.client.list_incident_aggregations_stream(request).try_collect::<Vec<IncidentAggregation>>();
    let groups = unless_interrupted(groups).await?.map_err(|error| Failure::sdk(&error))?;
    match output.format {
        Format::Json => output.json(&groups)?,
        Format::Ndjson => groups.iter().try_for_each(|group| output.ndjson(group))?,
        Format::Table | Format::Ids if groups.is_empty() => write_stderr_line("no incident matches the filter"),
        Format::Table | Format::Ids => {
            let names = args.by.iter().map(|group| match group {
                Group::Field(name, _) | Group::Label(name) => name.to_uppercase(),
            });
            output.line(table::aggregations(output, &names.collect::<Vec<_>>(), &groups))?;
        }
    }
    Ok(Exit::Done)
}

/// Each value with its count, as JSON has them: `{"field": "status", "value": "INCIDENT_STATUS_TRIGGERED", "count": 3}`.
pub(crate) fn counts(values: &IncidentQueryFiltersValues) -> Vec<Value> {
    let row = |field: String, value: Value, count: Option<i32>| json!({ "field": field, "value": value, "count": count.unwrap_or_default() });
    let mut rows = Vec::new();
    rows.extend(values.status_with_count.iter().map(|value| row("status".into(), json!(value.status), value.count)));
    rows.extend(values.state_with_count.iter().map(|value| row("state".into(), json!(value.state), value.count)));
    rows.extend(
        values.severity_with_count.iter().map(|value| row("severity".into(), json!(value.severity), value.count)),
    );
    rows.extend(
        values
            .assignee_with_count
            .iter()
            .map(|value| row("assignee".into(), json!(value.assignee.as_deref().unwrap_or_default()), value.count)),
    );
    for (key, values) in &values.contextual_labels {
        rows.extend(values.values_with_count.iter().map(|value| {
            row(format!("label:{key}"), json!(value.contextual_label_value.as_deref().unwrap_or_default()), value.count)
        }));
    }
    for (key, values) in &values.display_labels {
        rows.extend(values.values_with_count.iter().map(|value| {
            let text = value.display_label_value.as_deref().unwrap_or_default();
            row(format!("display label:{key}"), json!(text), value.count)
        }));
    }
    rows.extend(values.meta_labels_with_count.iter().map(|value| {
        let label = value.meta_label.clone().unwrap_or_default();
        let key = label.key.unwrap_or_default();
        row(format!("alert label:{key}"), json!(label.value.unwrap_or_default()), value.count)
    }));
    rows
}
