//! `list`: incidents by filter, order and limit.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use coralogix_incidents::types::{
    ContextualLabelValues, Incident, IncidentFields, IncidentQueryFilter, IncidentSeverity, IncidentState,
    IncidentStatus, ListIncidentsRequest, OrderBy, OrderByDirection, PaginationRequest, TimeRange,
};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use crate::{
    commands::{show_interrupted, watch},
    context::Context,
    dry_run::{self, Input},
    input::{names, time},
    last_list::LastList,
    report::{
        errors::{Exit, Failure, Stop},
        table,
    },
    terminal::{interrupts, output::Format, sanitize::sanitize_line, streams::write_stderr_line},
};

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Filter by assigned user; filters by value can be repeated and match any of the values
    #[arg(long, value_name = "USER", value_parser = names::user, help_heading = "Filters")]
    pub(crate) assignee: Vec<String>,
    /// Filter by status
    #[arg(long, value_enum, ignore_case = true, help_heading = "Filters")]
    pub(crate) status: Vec<Status>,
    /// Filter by state of the alert
    #[arg(long, value_enum, ignore_case = true, help_heading = "Filters")]
    pub(crate) state: Vec<State>,
    /// Filter by severity
    #[arg(long, value_enum, ignore_case = true, help_heading = "Filters")]
    pub(crate) severity: Vec<Severity>,
    /// Filter by contextual label
    #[arg(long, value_name = "KEY=VALUE", value_parser = names::label, help_heading = "Filters")]
    pub(crate) label: Vec<(String, String)>,
    /// Filter by application
    #[arg(long, value_name = "NAME", value_parser = names::value, help_heading = "Filters")]
    pub(crate) application: Vec<String>,
    /// Filter by subsystem
    #[arg(long, value_name = "NAME", value_parser = names::value, help_heading = "Filters")]
    pub(crate) subsystem: Vec<String>,
    /// Open at this time or later: `2h` (ago), `2026-03-14` or `2026-03-14T08:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    pub(crate) since: Option<DateTime<Utc>>,
    /// Open before this time
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    pub(crate) until: Option<DateTime<Utc>>,
    /// Created at this time or later
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    pub(crate) created_since: Option<DateTime<Utc>>,
    /// Created before this time
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    pub(crate) created_until: Option<DateTime<Utc>>,
    /// Sort by a field, with `:asc` (the default) or `:desc`; can be repeated
    #[arg(long, value_name = "FIELD[:DIRECTION]", value_parser = parse_order, default_value = "created:desc")]
    pub(crate) order: Vec<Order>,
    /// Maximum number of incidents to show
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// List again and again, every 10s or at the given interval, until Ctrl-C: a terminal shows the newest list; `ndjson`,
    /// `ids` and a pipe get what is new or changed
    #[arg(
        long,
        value_name = "INTERVAL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "10s",
        value_parser = parse_interval
    )]
    pub(crate) watch: Option<Duration>,
}

/// The statuses that this version knows: the service refuses a request with another name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Status {
    Triggered,
    Acknowledged,
    Resolved,
}

impl From<Status> for IncidentStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Triggered => Self::Triggered,
            Status::Acknowledged => Self::Acknowledged,
            Status::Resolved => Self::Resolved,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum State {
    Triggered,
    Resolved,
}

impl From<State> for IncidentState {
    fn from(state: State) -> Self {
        match state {
            State::Triggered => Self::Triggered,
            State::Resolved => Self::Resolved,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Severity {
    Low,
    Info,
    Warning,
    Error,
    Critical,
}

impl From<Severity> for IncidentSeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Low => Self::Low,
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Error => Self::Error,
            Severity::Critical => Self::Critical,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) field: IncidentFields,
    pub(crate) direction: OrderByDirection,
}

const FIELDS: [(&str, IncidentFields); 11] = [
    ("created", IncidentFields::CreatedTime),
    ("closed", IncidentFields::ClosedTime),
    ("updated", IncidentFields::LastStateUpdateTime),
    ("severity", IncidentFields::Severity),
    ("status", IncidentFields::Status),
    ("state", IncidentFields::State),
    ("name", IncidentFields::Name),
    ("id", IncidentFields::Id),
    ("application", IncidentFields::ApplicationName),
    ("subsystem", IncidentFields::SubsystemName),
    ("duration", IncidentFields::Duration),
];

/// The interval of `--watch`, long enough for a service that many people ask.
fn parse_interval(text: &str) -> Result<Duration, String> {
    match time::parse_timeout(text)? {
        interval if interval < Duration::from_secs(1) => Err("give 1s or longer".to_owned()),
        interval => Ok(interval),
    }
}

fn parse_order(text: &str) -> Result<Order, String> {
    let (name, direction) = text.split_once(':').unwrap_or((text, "asc"));
    let direction = match direction {
        "asc" => OrderByDirection::Asc,
        "desc" => OrderByDirection::Desc,
        _ => return Err("the direction is `asc` or `desc`".to_owned()),
    };
    match FIELDS.into_iter().find(|(known, _)| *known == name) {
        Some((_, field)) => Ok(Order { field, direction }),
        None => Err(format!("the fields are {}", FIELDS.map(|(name, _)| name).join(", "))),
    }
}

/// The page size: the most incidents in one response.
const PAGE_SIZE: u32 = 200;

pub(crate) async fn run(context: &Context<'_>, args: ListArgs) -> Result<Exit, Stop> {
    let (limit, watch) = (args.limit, args.watch);
    let request = request(args)?;
    if context.options.dry_run {
        let request = dry_run::request(&context.client, "listIncidents", Input::Body(json!(request)))?;
        return dry_run::read(context, &[request]);
    }
    let output = context.output;
    if let Some(interval) = watch {
        return watch::run(context, &request, limit, interval).await;
    }
    let mut incidents = context.client.list_incidents_stream(request).take_until(Box::pin(interrupts::reached(1)));
    let mut last_list = LastList::default();
    let mut collected: Vec<Incident> = Vec::new();
    let mut count = 0;
    let mut failure = None;
    while limit.is_none_or(|limit| count < limit as usize) {
        match incidents.try_next().await {
            Ok(None) => break,
            Ok(Some(incident)) => {
                count += 1;
                last_list.add(&incident);
                match output.format {
                    Format::Ndjson => output.ndjson(&incident)?,
                    Format::Ids => output.line(sanitize_line(&incident.id))?,
                    Format::Json | Format::Table => collected.push(incident),
                }
            }
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    last_list.save();
    // The pages before one that failed are shown, too.
    match output.format {
        Format::Json => output.json(&collected)?,
        Format::Table if !collected.is_empty() => output.line(table::incidents(output, &collected, Utc::now()))?,
        _ => {}
    }
    if incidents.take_result().is_some() {
        return Ok(show_interrupted(count));
    }
    if let Some(error) = failure {
        let failure = Failure::sdk(&error);
        if count == 0 {
            return Err(failure.into());
        }
        failure.show(output.verbose);
        write_stderr_line(format!("the list is not complete: it has the first {count} incidents"));
        return Ok(Exit::Partial);
    }
    if count == 0 {
        write_stderr_line("no incident matches the filter");
    }
    Ok(Exit::Done)
}

fn request(args: ListArgs) -> Result<ListIncidentsRequest, Failure> {
    for (start, end, options) in [
        (args.since, args.until, "--until is before --since"),
        (args.created_since, args.created_until, "--created-until is before --created-since"),
    ] {
        if start.zip(end).is_some_and(|(start, end)| end < start) {
            return Err(Failure::usage(options).next("exchange the times; nothing was sent"));
        }
    }
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
    let size = args.limit.map_or(PAGE_SIZE, |limit| limit.min(PAGE_SIZE));
    Ok(ListIncidentsRequest::default()
        .with_filter(filter)
        .with_order_bys(orders.collect::<Vec<_>>())
        .with_pagination(PaginationRequest::default().with_page_size(size)))
}
