//! `list`: incidents by filter, order and limit.

use std::time::Duration;

use chrono::Utc;
use clap::Args;
use coralogix_incidents::types::{
    Incident, IncidentFields, ListIncidentsRequest, OrderBy, OrderByDirection, PaginationRequest,
};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use crate::{
    commands::{
        filters::{FilterArgs, field_names, parse_field},
        show_interrupted, watch,
    },
    context::Context,
    dry_run::{self, Input},
    input::time,
    last_list::LastList,
    report::{
        errors::{Exit, Failure, Stop},
        table,
    },
    terminal::{interrupts, output::Format, sanitize::sanitize_line, streams::write_stderr_line},
};

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filters: FilterArgs,
    #[arg(
        help = format!("Sort by a field, with `:asc` (the default) or `:desc`; can be repeated. Fields: {}", field_names()),
        long,
        value_name = "FIELD[:DIRECTION]",
        value_parser = parse_order,
        default_value = "created:desc"
    )]
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

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) field: IncidentFields,
    pub(crate) direction: OrderByDirection,
}

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
    Ok(Order { field: parse_field(name)?, direction })
}

/// The page size: the most incidents in one response.
const PAGE_SIZE: u32 = 200;

pub(crate) async fn run(context: &Context<'_>, args: ListArgs) -> Result<Exit, Stop> {
    let (limit, watch) = (args.limit, args.watch);
    let request = request(args)?;
    if context.options.dry_run {
        let request = dry_run::request(&context.client, "listIncidents", Input::Message(json!(request)))?;
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
    let orders = args
        .order
        .into_iter()
        .map(|order| OrderBy::default().with_incident_field(order.field).with_direction(order.direction));
    let size = args.limit.map_or(PAGE_SIZE, |limit| limit.min(PAGE_SIZE));
    Ok(ListIncidentsRequest::default()
        .with_filter(args.filters.filter()?)
        .with_order_bys(orders.collect::<Vec<_>>())
        .with_pagination(PaginationRequest::default().with_page_size(size)))
}
