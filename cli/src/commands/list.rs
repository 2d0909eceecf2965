//! `list`: incidents by filter, order and limit.

use std::time::Duration;

use chrono::Utc;
use clap::Args;
use coralogix_incidents::types::{Incident, ListIncidentsRequest, OrderBy, OrderByDirection};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use crate::{
    commands::{
        fetch::{pages, show_pages},
        filters::{FilterArgs, field_names, parse_field},
        watch,
    },
    context::Context,
    dry_run,
    input::time,
    last_list::LastList,
    report::{Exit, Failure, Stop, table},
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
    order: Vec<OrderBy>,
    /// Maximum number of incidents to show
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
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
    watch: Option<Duration>,
}

/// The interval of `--watch`, long enough for a service that many people ask.
fn parse_interval(text: &str) -> Result<Duration, String> {
    match time::parse_timeout(text)? {
        interval if interval < Duration::from_secs(1) => Err("give 1s or longer".to_owned()),
        interval => Ok(interval),
    }
}

fn parse_order(text: &str) -> Result<OrderBy, String> {
    let (name, direction) = text.split_once(':').unwrap_or((text, "asc"));
    let direction = match direction {
        "asc" => OrderByDirection::Asc,
        "desc" => OrderByDirection::Desc,
        _ => return Err("the direction is `asc` or `desc`".to_owned()),
    };
    Ok(OrderBy::default().with_incident_field(parse_field(name)?).with_direction(direction))
}

pub(crate) async fn run(context: &Context<'_>, args: ListArgs) -> Result<Exit, Stop> {
    let (limit, watch) = (args.limit, args.watch);
    let request = request(args)?;
    if context.options.dry_run {
        return dry_run::messages(context, [("listIncidents", json!(request))]);
    }
    if let Some(interval) = watch {
        return watch::run(context, &request, limit, interval).await;
    }
    let mut last_list = LastList::default();
    let incidents =
        context.client.list_incidents_stream(request).take(limit.map_or(usize::MAX, |limit| limit as usize));
    let incidents = incidents.inspect_ok(|incident| last_list.add(incident));
    let table = |incidents: &[Incident]| table::incidents(context.output, incidents, Utc::now());
    let result = show_pages(context, incidents, "incident", |incident| incident.id.clone(), table).await;
    last_list.save();
    result
}

fn request(args: ListArgs) -> Result<ListIncidentsRequest, Failure> {
    Ok(ListIncidentsRequest::default()
        .with_filter(args.filters.filter()?)
        .with_order_bys(args.order)
        .with_pagination(pages(args.limit)))
}
