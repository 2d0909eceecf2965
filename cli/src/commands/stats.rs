//! `stats`: how many incidents there are, by value or in groups.

use clap::Args;
use coralogix_incidents::types::{
    GetFilterValuesRequest, GroupBy, IncidentAggregation, IncidentFields, IncidentQueryFiltersValues,
    ListIncidentAggregationsRequest,
};
use futures::TryStreamExt;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    commands::{
        fetch::pages,
        filters::{FilterArgs, field_names, parse_field},
    },
    context::Context,
    dry_run,
    input::names,
    report::{Exit, Stop, table},
    terminal::{Format, Output, unless_interrupted, write_stderr_line},
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

pub(crate) async fn run(context: &Context<'_>, args: StatsArgs) -> Result<Exit, Stop> {
    if !args.by.is_empty() {
        return groups(context, args).await;
    }
    let request = GetFilterValuesRequest::default().with_filter(args.filters.filter()?);
    if context.options.dry_run {
        return dry_run::messages(context, [("getFilterValues", json!(request))]);
    }
    let response = unless_interrupted(context.client.get_filter_values(&request)).await??;
    let rows = counts(&response.into_inner().filters_values.unwrap_or_default());
    show(context.output, &rows, || table::counts(context.output, &rows))
}

async fn groups(context: &Context<'_>, args: StatsArgs) -> Result<Exit, Stop> {
    let group_bys = args.by.iter().map(|group| match group {
        Group::Field(_, field) => GroupBy::default().with_incident_field(field.clone()),
        Group::Label(key) => GroupBy::default().with_contextual_label(key.as_str()),
    });
    let request = ListIncidentAggregationsRequest::default()
        .with_group_bys(group_bys.collect::<Vec<_>>())
        .with_filter(args.filters.filter()?)
        .with_pagination(pages(None));
    if context.options.dry_run {
        return dry_run::messages(context, [("listIncidentAggregations", json!(request))]);
    }
    let groups = context.client.list_incident_aggregations_stream(request).try_collect::<Vec<IncidentAggregation>>();
    let groups = unless_interrupted(groups).await??;
    let names = args.by.iter().map(|group| match group {
        Group::Field(name, _) | Group::Label(name) => name.to_uppercase(),
    });
    let names: Vec<String> = names.collect();
    show(context.output, &groups, || table::aggregations(context.output, &names, &groups))
}

fn show<T: Serialize>(output: &Output, rows: &[T], table: impl FnOnce() -> String) -> Result<Exit, Stop> {
    output.documents(rows, table)?;
    if rows.is_empty() && matches!(output.format, Format::Table | Format::Ids) {
        write_stderr_line("no incident matches the filter");
    }
    Ok(Exit::Done)
}

/// Each value with its count, as JSON has them: `{"field": "status", "value": "INCIDENT_STATUS_TRIGGERED", "count": 3}`.
pub(crate) fn counts(values: &IncidentQueryFiltersValues) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut add = |field: &str, value: Value, count: Option<i32>| {
        let value = if value.is_null() { json!("") } else { value };
        rows.push(json!({ "field": field, "value": value, "count": count.unwrap_or_default() }));
    };
    for item in &values.status_with_count {
        add("status", json!(item.status), item.count);
    }
    for item in &values.state_with_count {
        add("state", json!(item.state), item.count);
    }
    for item in &values.severity_with_count {
        add("severity", json!(item.severity), item.count);
    }
    for item in &values.assignee_with_count {
        add("assignee", json!(item.assignee), item.count);
    }
    for (key, values) in &values.contextual_labels {
        for item in &values.values_with_count {
            add(&format!("label:{key}"), json!(item.contextual_label_value), item.count);
        }
    }
    for (key, values) in &values.display_labels {
        for item in &values.values_with_count {
            add(&format!("display label:{key}"), json!(item.display_label_value), item.count);
        }
    }
    for item in &values.meta_labels_with_count {
        let label = item.meta_label.clone().unwrap_or_default();
        add(&format!("alert label:{}", label.key.unwrap_or_default()), json!(label.value), item.count);
    }
    rows
}
